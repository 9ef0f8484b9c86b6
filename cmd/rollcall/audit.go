package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/enrich"
	"rollcall/internal/html"
	"rollcall/internal/render"
	"rollcall/internal/reports"
	"rollcall/internal/timeline"
	"rollcall/internal/words"
)

// auditRun is one run of 'rollcall audit'.
type auditRun struct {
	p        *process
	criteria criteria
	evidence evidence

	outputs        []string
	failOn         string
	warnings, zero bool
	findingsCode   int
	query, ocsf    string
	colour         string
}

func auditCommand(p *process) *cobra.Command {
	a := &auditRun{p: p, evidence: evidence{p: p, reach: reach{p: p}}}
	c := &cobra.Command{
		Use:     "audit [FILE|FOLDER|-]...",
		GroupID: "reports",
		Short:   "Judge credential reports by CIS and other benchmarks",
		Long: `Judge credential reports, without any credentials: CSV files, folders that
'rollcall report --into' filled (the newest report of each account), standard
input (-), or the whole JSON answer of 'aws iam get-credential-report', which
also tells when the report was generated. With none of them the account's report
is fetched first, as 'rollcall report' does, which needs two permissions:
iam:GenerateCredentialReport and iam:GetCredentialReport.

Ages count from the moment a report was generated. A CSV file alone does not
tell that; then it is when the file was last written, or now for standard
input, and a line on standard error says so. --as-of sets it.

In the table, ITEM is what the benchmark calls a control. Of an account, MFA is
how many of the users with a password have MFA, KEYS counts active access keys,
UNUSED the passwords and keys that nobody used for unused_days of the benchmark,
whatever --control judges, and ROOT says what root could be used with. – is
none, and ? what the report does not tell; ≥ is at least.

The output is a table; or --output FORMAT, FORMAT=FILE or several of them,
separated by commas:
` + formatsHelp() + `
'rollcall controls' explains every rule. More: docs/audit.md, docs/formats.md.

` + exitCodesHelp,
		Example: `  rollcall audit report.csv
  rollcall audit reports --output html=audit.html,sarif=audit.sarif
  rollcall audit --profile audit --benchmark fsbp --enrich keys,mfa
  rollcall audit --endpoint-url http://127.0.0.1:8585
  aws iam get-credential-report | rollcall audit -
  rollcall audit reports --output json --query 'accounts[?!complete].account'
  rollcall audit reports --exceptions exceptions.yaml --fail-on medium`,
		RunE: a.run,
	}
	a.add(c)
	c.AddCommand(importMutelistCommand(p))
	return c
}

func (a *auditRun) add(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	f.StringArrayVarP(&a.outputs, "output", "o", nil, "FORMAT, FORMAT=FILE, or several `outputs` separated by commas")
	a.addVerdict(c)
	f.StringVar(&a.query, "query", "", "a JMESPath `expression` that chooses what of --output json is written")
	f.IntVar(&a.criteria.top, "top", audit.DefaultTop,
		"how many findings of an account a summary names, the worst first")
	f.StringSliceVar(&a.criteria.statuses, "status", nil, "the `statuses` of findings in outputs that list them all "+
		"(default fail,no_data,warn,manual), or all")
	choose(c, &a.ocsf, "ocsf-version", "", render.DefaultOCSF,
		"the version of the OCSF schema: "+render.DefaultOCSF+" or "+render.OCSF180,
		render.DefaultOCSF, render.OCSF180)
	colourFlag(c, &a.colour)
	a.evidence.addQuiet(f)
	a.evidence.add(f)
	completeWith(c, "output", formatNames()...)
}

// addVerdict adds the flags that say how to judge, and what of it counts.
func (a *auditRun) addVerdict(c *cobra.Command) {
	a.criteria.add(c, string(audit.DefaultBenchmark)+", or that of --config")
	f := c.Flags()
	f.StringVar(&a.criteria.asOf, "as-of", "", "judge for this `time` (or now) instead of when a report was generated")
	f.StringVar(&a.criteria.management, "management-account", "", "the `account` whose organization manages the root "+
		"credentials of its members centrally (aws iam list-organizations-features tells); C18 judges all others")
	choose(c, &a.failOn, "fail-on", "", audit.High.String(),
		"the least `severity` of a FAIL that makes the exit code 1: "+strings.Join(severityNames(),
			", "), severityNames()...)
	f.BoolVar(&a.warnings, "fail-on-warnings", false, "let WARN count as FAIL does")
	f.BoolVar(&a.evidence.onlyFresh, "require-fresh", false, "count a report that is too old as incomplete")
	f.BoolVar(&a.zero, "exit-zero", false, "exit with 0 in spite of findings")
	f.IntVar(&a.findingsCode, "findings-exit-code", exitFindings,
		"exit with this `code`, and not 1, where there are findings")
}

func (a *auditRun) run(cmd *cobra.Command, args []string) error {
	if err := a.check(cmd, args); err != nil {
		return err
	}
	options, err := a.criteria.options()
	if err != nil {
		return err
	}
	wanted, err := parseOutputs(a.outputs)
	if err != nil {
		return err
	}
	options.EveryRow = slices.ContainsFunc(wanted, func(o outputSpec) bool { return o.needs() == render.EveryRow })
	auditor, err := audit.New(options)
	if err != nil {
		return usageError("%w", err)
	}
	found, err := a.evidence.find(cmd.Context(), args)
	if err != nil {
		return err
	}
	histories, err := histories(cmd.Context(), found.Reports, wanted, options)
	if err != nil {
		return err
	}
	out, err := a.openOutputs(wanted, &options, found.Inactive, histories)
	if err != nil {
		return err
	}
	defer out.abort()
	for i := range found.Reports {
		if err := a.judge(cmd.Context(), auditor, &found.Reports[i], out); err != nil {
			return err
		}
	}
	summary := auditor.Summary()
	if err := out.close(summary); err != nil {
		return err
	}
	return a.verdict(summary)
}

// check refuses what has no meaning, before anything is read or asked.
func (a *auditRun) check(cmd *cobra.Command, args []string) error {
	if a.findingsCode < 1 || a.findingsCode > 125 || a.findingsCode == exitIncomplete || a.findingsCode == exitUsage {
		return usageError("--findings-exit-code must be 1 to 125, and neither %d nor %d, which mean something else",
			exitIncomplete, exitUsage)
	}
	if a.criteria.top < 1 {
		return usageError("--top must be at least 1")
	}
	if err := a.checkQuery(); err != nil {
		return err
	}
	return a.evidence.check(cmd, args)
}

func (a *auditRun) checkQuery() error {
	if a.query == "" {
		return nil
	}
	if err := render.CheckQuery(a.query); err != nil {
		return usageError("--query %w", err)
	}
	specs, err := parseOutputs(a.outputs)
	if err == nil && !slices.ContainsFunc(specs, func(s outputSpec) bool { return s.format == "json" }) {
		return usageError("--query has no meaning without --output json")
	}
	return err
}

// timelineReports says how many of an account's reports a timeline goes
// through.
const timelineReports = 12

// histories tells what folders hold of the reports before the ones audited, for
// the one output that shows it.
func histories(ctx context.Context, found []reports.Report, wanted []outputSpec,
	judged audit.Options) ([]html.History, error) {
	if !slices.ContainsFunc(wanted, func(o outputSpec) bool { return o.format == "html" }) {
		return nil, nil
	}
	var all []html.History
	for i := range found {
		if len(found[i].Snapshots) < 2 {
			continue
		}
		before := reports.Newest(found[i].Snapshots, timelineReports)
		h, err := timeline.Of(ctx, found[i].Snapshots[0].Account, found[i].Source.Name, before, judged)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

// judge audits one report into all outputs.
func (a *auditRun) judge(ctx context.Context, auditor *audit.Auditor, r *reports.Report, out *auditOutputs) error {
	if err := r.Prepare(a.criteria.asOf != ""); err != nil {
		return err
	}
	if err := out.Report(r.Source); err != nil {
		return err
	}
	if r.Missing == "" {
		a.evidence.tellGuess(r)
	}
	of, err := r.Audit(ctx, auditor, out.visit())
	if err != nil {
		return err
	}
	return out.End(of)
}

// verdict is the outcome as an exit code, with a line that says why.
func (a *auditRun) verdict(s *audit.Summary) error {
	failOn, err := audit.ParseSeverity(a.failOn)
	if err != nil {
		return usageError("--fail-on: %w", err)
	}
	switch audit.ExitCode(s,
		audit.ExitPolicy{FailOn: failOn, Warnings: a.warnings, RequireFresh: a.evidence.onlyFresh}) {
	case audit.ExitIncomplete:
		return errors.New(a.incomplete(s))
	case audit.ExitFindings:
		if a.zero {
			return nil
		}
		n := 0
		for severity := failOn; severity < audit.NumSeverities; severity++ {
			if n += s.Counts.Severities[severity][audit.Fail]; a.warnings {
				n += s.Counts.Severities[severity][audit.Warn]
			}
		}
		return &exitError{code: a.findingsCode, err: fmt.Errorf("%s of severity %s or worse", words.Count(n, "finding"),
			failOn)}
	default:
		return nil
	}
}

// incomplete says what keeps the audit from being complete.
func (a *auditRun) incomplete(s *audit.Summary) string {
	missing, partly, stale := 0, 0, 0
	for _, of := range s.Accounts {
		switch {
		case of.Missing:
			missing++
		case of.Incomplete():
			partly++
		case a.evidence.onlyFresh && of.Stale:
			stale++
		}
	}
	if len(s.Accounts) == 0 {
		return "there was no report to audit"
	}
	var why []string
	for _, part := range []struct {
		n    int
		what string
	}{{missing, "without a report"}, {partly, "not wholly judged"}, {stale, "with a report that is too old"}} {
		if part.n > 0 {
			why = append(why, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	return fmt.Sprintf("the audit is incomplete: of %s, %s", words.Count(len(s.Accounts), "account"),
		strings.Join(why, ", "))
}

func enrichHelp() string {
	var all []string
	for _, k := range enrich.Kinds {
		all = append(all, fmt.Sprintf("%s (%s)", k, strings.Join(k.Permissions(), " ")))
	}
	return strings.Join(all, ", ")
}

func severityNames() []string {
	names := make([]string, audit.NumSeverities)
	for i := range names {
		names[i] = audit.Severity(i).String()
	}
	slices.Reverse(names)
	return names
}

func statusNames() []string {
	var names []string
	for i := range audit.NumStatuses {
		names = append(names, strings.ToLower(audit.Status(i).String()))
	}
	return append(names, "all")
}

// parseKinds reads what --enrich was given.
func parseKinds(text string) ([]enrich.Kind, error) {
	var names []string
	for _, k := range enrich.Kinds {
		names = append(names, string(k))
	}
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); !slices.Contains(names, name) {
			return nil, usageError("--enrich %w", noneOf(name, names))
		}
	}
	return enrich.Parse(text)
}
