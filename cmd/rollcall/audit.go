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
	"rollcall/internal/escape"
	"rollcall/internal/fleet"
	"rollcall/internal/render"
	"rollcall/internal/words"
)

// auditing is what 'rollcall audit' was asked for.
type auditing struct {
	p     *process
	reach reach

	outputs               []string
	benchmark             string
	config, exceptions    string // files
	wildcards             bool
	controls, statuses    []string
	asOf, at              string
	failOn, management    string
	warnings, fresh, zero bool
	findingsCode          int
	top                   int
	query, ocsf           string
	enrich                string
	colour                string
	maxAge, timeout       time.Duration
	quiet                 bool

	// carried says that what is made of a file is carried out at a service, which
	// --endpoint-url and --profile then name.
	carried bool

	kinds []enrich.Kind
	atAt  time.Time
}

func auditCommand(p *process) *cobra.Command {
	a := &auditing{p: p, reach: reach{p: p}}
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
parted by commas:
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

func (a *auditing) add(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	f.StringArrayVarP(&a.outputs, "output", "o", nil, "FORMAT, FORMAT=FILE, or several `outputs` parted by commas")
	a.judging(c)
	f.StringVar(&a.query, "query", "", "a JMESPath `expression` that chooses what of --output json is written")
	f.IntVar(&a.top, "top", audit.DefaultTop, "how many findings of an account a summary names, the worst first")
	f.StringSliceVar(&a.statuses, "status", nil, "the `statuses` of findings in outputs that list them all (default fail,no_data,warn,manual), or all")
	choose(c, &a.ocsf, "ocsf-version", "", render.DefaultOCSF,
		"the version of the OCSF schema: "+render.DefaultOCSF+" or "+render.OCSF180,
		render.DefaultOCSF, render.OCSF180)
	colourFlag(c, &a.colour)
	f.BoolVarP(&a.quiet, "quiet", "q", false, "show no progress, and on standard error nothing but errors")
	f.StringVar(&a.at, "at", "", "of folders, the newest reports generated at this `time` or before")
	f.StringVar(&a.enrich, "enrich", "", "of a report that is fetched, ask IAM for more: "+enrichHelp())
	f.DurationVar(&a.maxAge, "max-age", 0, maxAgeHelp)
	f.DurationVar(&a.timeout, "timeout", fleet.DefaultTimeout, "how long to wait for it")
	a.reach.add(f)
	completeWith(c, "output", formatNames()...)
}

// judging adds the flags that say how to judge.
func (a *auditing) judging(c *cobra.Command) {
	f := c.Flags()
	choose(c, &a.benchmark, "benchmark", "b", "", "judge by this `benchmark`: "+strings.Join(benchmarkIDs(), ", ")+
		" (default "+string(audit.DefaultBenchmark)+", or that of --config)", benchmarkIDs()...)
	f.StringSliceVar(&a.controls, "control", nil, "judge these `controls` alone, such as C5,key-age")
	f.StringVar(&a.config, "config", "", "a YAML `file` with a profile, thresholds, classes of users and exceptions")
	f.StringVar(&a.exceptions, "exceptions", "", "a YAML `file` of exceptions")
	f.BoolVar(&a.wildcards, "allow-wildcards", false, "let exceptions have wildcards")
	f.StringVar(&a.asOf, "as-of", "", "judge for this `time` (or now) instead of when a report was generated")
	f.StringVar(&a.management, "management-account", "", "the `account` whose organization manages the root credentials of its members centrally (aws iam list-organizations-features tells); C18 judges all others")
	choose(c, &a.failOn, "fail-on", "", audit.High.String(),
		"the least `severity` of a FAIL that makes the exit code 1: "+strings.Join(severityNames(),
			", "), severityNames()...)
	f.BoolVar(&a.warnings, "fail-on-warnings", false, "let WARN count as FAIL does")
	f.BoolVar(&a.fresh, "require-fresh", false, "take a report that is too old for an incomplete one")
	f.BoolVar(&a.zero, "exit-zero", false, "exit with 0 in spite of findings")
	f.IntVar(&a.findingsCode, "findings-exit-code", exitFindings,
		"exit with this `code`, and not 1, where there are findings")
}

func (a *auditing) run(cmd *cobra.Command, args []string) error {
	if err := a.check(cmd, args); err != nil {
		return err
	}
	options, err := a.options()
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
	inputs, skipped, err := a.inputs(cmd.Context(), args)
	if err != nil {
		return err
	}
	histories, err := a.histories(cmd.Context(), inputs, wanted, options)
	if err != nil {
		return err
	}
	out, err := a.openOutputs(wanted, &options, skipped, histories)
	if err != nil {
		return err
	}
	defer out.abort()
	for i := range inputs {
		if err := a.judge(cmd.Context(), auditor, &inputs[i], out); err != nil {
			return err
		}
	}
	summary := auditor.Summary()
	if err := out.close(summary); err != nil {
		return err
	}
	return a.verdict(summary)
}

// judge audits one report into all outputs.
func (a *auditing) judge(ctx context.Context, auditor *audit.Auditor, in *auditInput, out *auditOutputs) error {
	if err := in.prepare(a.asOf != ""); err != nil {
		return err
	}
	if err := out.Report(in.src); err != nil {
		return err
	}
	var of *audit.AccountSummary
	var err error
	if in.missing != "" {
		of, err = auditor.Missing(in.src, in.missing, out.visit())
	} else {
		r, openErr := in.open()
		if openErr != nil {
			return openErr
		}
		defer r.Close()
		if in.note != "" && !a.quiet {
			fmt.Fprintln(a.p.stderr, "rollcall: "+escape.Printable(in.note))
		}
		of, err = auditor.Audit(ctx, r, in.src, in.facts, out.visit())
	}
	if err != nil {
		return err
	}
	if in.problem != "" {
		of.Problems = append(of.Problems, audit.Problem{Text: in.problem})
		of.ProblemCount++
	}
	return out.End(of)
}

// verdict is the outcome as an exit code, with a line that says why.
func (a *auditing) verdict(s *audit.Summary) error {
	failOn, err := audit.ParseSeverity(a.failOn)
	if err != nil {
		return usageError("--fail-on: %w", err)
	}
	switch audit.ExitCode(s, audit.ExitPolicy{FailOn: failOn, Warnings: a.warnings, RequireFresh: a.fresh}) {
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
func (a *auditing) incomplete(s *audit.Summary) string {
	missing, partly, stale := 0, 0, 0
	for _, of := range s.Accounts {
		switch {
		case of.Missing:
			missing++
		case of.Incomplete():
			partly++
		case a.fresh && of.Stale:
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

func benchmarkIDs() []string {
	var ids []string
	for _, b := range audit.Benchmarks() {
		ids = append(ids, string(b.ID))
	}
	return ids
}
