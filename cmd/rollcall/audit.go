package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/enrich"
	"rollcall/internal/fleet"
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
	own      ownService
	fleet    fleetFlags // only for --accounts

	outputs        []string
	failOn         string
	warnings, zero bool
	findingsCode   int
	query, ocsf    string
	colour         string
}

func auditCommand(p *process) *cobra.Command {
	a := &auditRun{p: p, evidence: evidence{p: p, reach: reach{p: p}}, own: ownService{install: install{p: p}}}
	c := &cobra.Command{
		Use:     "audit [FILE|FOLDER|-]...",
		GroupID: "reports",
		Short:   "Audit credential reports against CIS and other benchmarks",
		Long: `Audit credential reports against a benchmark. Reports are CSV files, folders that
'rollcall report --into' filled (the newest report of each account), or the JSON
answer of 'aws iam get-credential-report'; - is standard input. Files need no
credentials. Without arguments the command first fetches the account's report as
'rollcall report' does. That needs two permissions: iam:GenerateCredentialReport
and iam:GetCredentialReport. With --data or --store, the operator of a Rollcall
service audits new reports of all its accounts, out of its store and without
access keys; see 'rollcall report --help'.

Ages count from the time a report was generated. A CSV file alone does not say
when that was. The command then takes the time the file was last written, or now
for standard input, and says so on standard error. --as-of sets another time.

In the table, ITEM is the number of a control in the benchmark. For each account,
MFA shows how many of the users with a password have MFA. KEYS counts active
access keys. UNUSED counts passwords and keys that nobody has used for the
benchmark's unused_days; --control does not change it. ROOT lists the credentials
of root. – means none, ? means that the report does not say, and ≥ means at least.

--output selects the formats: FORMAT, FORMAT=FILE, or several of them, separated
by commas:
` + formatsHelp() + `
'rollcall controls' explains every rule. More: docs/audit.md, docs/formats.md.

` + exitCodesHelp,
		Example: `  rollcall audit report.csv
  rollcall audit reports --output html=audit.html,sarif=audit.sarif
  rollcall audit --profile audit --benchmark fsbp --enrich keys,mfa
  rollcall audit --endpoint-url http://127.0.0.1:8585
  rollcall audit --data /var/lib/rollcall --output html=audit.html
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
	f.StringVar(&a.query, "query", "", "JMESPath `expression` that selects a part of --output json")
	f.IntVar(&a.criteria.top, "top", audit.DefaultTop,
		"how many findings of each account a summary lists, worst first")
	f.StringSliceVar(&a.criteria.statuses, "status", nil, "in outputs of every finding, list those with these "+
		"`statuses`, or all (default fail,no_data,warn,manual)")
	choose(c, &a.ocsf, "ocsf-version", "", render.DefaultOCSF,
		"`version` of the OCSF schema: "+render.DefaultOCSF+" or "+render.OCSF180,
		render.DefaultOCSF, render.OCSF180)
	colourFlag(c, &a.colour)
	a.evidence.addQuiet(f)
	a.evidence.add(f)
	a.own.add(c)
	f.StringVar(&a.fleet.accounts, "accounts", "", "with --data or --store, only the accounts whose numbers are in this "+
		"`file` (- for standard input), one per line")
	completeWith(c, "output", formatNames()...)
}

// addVerdict adds the flags that say how to audit, and which findings fail the
// command.
func (a *auditRun) addVerdict(c *cobra.Command) {
	a.criteria.add(c, string(audit.DefaultBenchmark)+", or that of --config")
	f := c.Flags()
	f.StringVar(&a.criteria.asOf, "as-of", "",
		"count ages up to this `time` (or now), and not up to the time a report was generated")
	f.StringVar(&a.criteria.management, "management-account", "", "the management `account` of an organization that "+
		"manages its members' root credentials (see aws iam list-organizations-features); C18 audits all other accounts")
	choose(c, &a.failOn, "fail-on", "", audit.High.String(),
		"exit with 1 if a FAIL has this `severity` or a higher one: "+strings.Join(severityNames(), ", "),
		severityNames()...)
	f.BoolVar(&a.warnings, "fail-on-warnings", false, "treat WARN as FAIL")
	f.BoolVar(&a.evidence.onlyFresh, "require-fresh", false, "treat a report that is too old as incomplete")
	f.BoolVar(&a.zero, "exit-zero", false, "exit with 0 even if there are findings")
	f.IntVar(&a.findingsCode, "findings-exit-code", exitFindings,
		"exit with this `code` instead of 1 if there are findings")
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
	if a.own.chosen {
		return a.auditOwn(cmd, auditor, &options, wanted)
	}
	found, err := a.evidence.find(cmd.Context(), args)
	if err != nil {
		return err
	}
	return a.auditAll(cmd.Context(), found, auditor, &options, wanted)
}

// auditAll audits the reports that were found into all outputs.
func (a *auditRun) auditAll(ctx context.Context, found reports.Found, auditor *audit.Auditor, options *audit.Options,
	wanted []outputSpec) error {
	histories, err := histories(ctx, found.Reports, wanted, *options)
	if err != nil {
		return err
	}
	out, err := a.openOutputs(wanted, options, &found, histories)
	if err != nil {
		return err
	}
	defer out.abort()
	for i := range found.Reports {
		if err := a.judge(ctx, auditor, &found.Reports[i], out); err != nil {
			return err
		}
	}
	summary := auditor.Summary()
	if err := out.close(summary); err != nil {
		return err
	}
	a.tellTwice(summary)
	return a.verdict(summary)
}

// tellTwice prints to standard error which accounts were audited from several
// reports, because each of their findings counts as often.
func (a *auditRun) tellTwice(s *audit.Summary) {
	reports := map[string]int{}
	for _, of := range s.Accounts {
		id := of.Source.Account
		if id == "" {
			continue
		}
		if reports[id]++; reports[id] == 2 && !a.evidence.quiet {
			a.p.tell("rollcall: account %s has several reports here, and each of them counts\n", id)
		}
	}
}

// check returns an error for flags that have no effect, before anything is read
// or fetched.
func (a *auditRun) check(cmd *cobra.Command, args []string) error {
	if a.findingsCode < 1 || a.findingsCode > 125 || a.findingsCode == exitIncomplete || a.findingsCode == exitUsage {
		return usageError("--findings-exit-code must be 1 to 125, but not %d or %d, which have other meanings",
			exitIncomplete, exitUsage)
	}
	if a.criteria.top < 1 {
		return usageError("--top must be at least 1")
	}
	if err := a.checkQuery(); err != nil {
		return err
	}
	if err := a.checkOwn(cmd, args); err != nil {
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

// timelineReports is the number of reports that the timeline of an account covers.
const timelineReports = 12

// histories returns the histories of accounts whose earlier reports are in a
// folder. Only the HTML page shows them.
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
	if err := a.checkManagement(r); err != nil {
		return err
	}
	if len(out.lakes) > 0 { // each of their rows names the digest
		if err := r.Digest(ctx); err != nil {
			return err
		}
	}
	if err := out.Report(r.Source); err != nil {
		return err
	}
	if r.Missing == "" {
		a.evidence.tellGuess(r)
		if a.criteria.asOf == "" {
			doubtDate(r, time.Now())
		}
	}
	of, err := r.Audit(ctx, auditor, out.visit())
	if err != nil {
		return err
	}
	return out.End(of)
}

// checkManagement returns an error if --management-account contradicts what was saved
// with a report. The audit would follow what was saved.
func (a *auditRun) checkManagement(r *reports.Report) error {
	if a.criteria.management == "" || r.Facts == nil || r.Source.Account == "" {
		return nil
	}
	if why := r.Facts.Contradiction(r.Source.Account, a.criteria.management); why != "" {
		return usageError("--management-account %s contradicts what was saved with the report of account %s: %s; leave "+
			"the flag out, or fetch the report again", a.criteria.management, r.Source.Account, why)
	}
	return nil
}

// doubtDate makes a report a problem that is dated in the future: one of two clocks is
// wrong, and ages with it.
func doubtDate(r *reports.Report, now time.Time) {
	if at := r.Source.Generated; at.After(now.Add(fleet.ClockSkew)) {
		r.Problem = strings.TrimSpace(r.Problem + " The report is dated " + words.Time(at) +
			", which is in the future: its ages may be wrong.")
	}
}

// verdict returns the result as an error with its exit code, nil for success.
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

// incomplete says why the audit is incomplete.
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
	}{{missing, "without a report"}, {partly, "only partly audited"}, {stale, "with a report that is too old"}} {
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

// parseKinds reads the value of --enrich.
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
