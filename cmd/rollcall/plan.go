package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/audit/plan"
	"rollcall/internal/escape"
	"rollcall/internal/fleet"
	"rollcall/internal/render"
	"rollcall/internal/words"
)

// planning is what 'rollcall plan' was asked for. It finds and judges reports
// as 'rollcall audit' does.
type planning struct {
	p       *process
	audit   auditing
	out     outFile
	output  string
	start   string
	zone    string
	windows []string
	options plan.Options
}

func planCommand(p *process) *cobra.Command {
	d := &planning{p: p, out: outFile{p: p}, audit: auditing{
		p: p, reach: reach{p: p}, colour: "auto", ocsf: render.DefaultOCSF, failOn: audit.Info.String(),
		findingsCode: exitFindings, top: 1, carried: true,
	}}
	c := &cobra.Command{
		Use:     "plan [FILE|FOLDER|-]...",
		GroupID: "reports",
		Short:   "Plan the remediation of what an audit finds, as AWS CLI commands",
		Long: `Plan how to take away the credentials that an audit finds wanting: keys unused,
too old, second, left over or made at set-up and never used; passwords unused or
without MFA. Each goes in stages: a warning to its owner, a final warning, then
the key is made inactive or the password removed, and much later the key is
deleted; each not before its day, and in the change windows.

Nothing is run. What comes out is a script to read, which does nothing until it
is run with --stage, and then looks again before each step: is it the same key,
and has nobody used it, up to that moment? Kept, and listed with the reason, is
what was used within --keep-used-days, what the report cannot tell from another,
and what an exception excuses. Root is never automated, and users who look like
break-glass users wait until --config classifies them.

The script calls the service that the report came from and no other one. For a
FILE, --endpoint-url and --profile say which that is.

Reports are found as 'rollcall audit' finds them; with none of them the account's
report is fetched, and --enrich keys has the plan name key ids. Without, the
script finds a key by its user and the second in which it was made.

` + exitCodesHelp,
		RunE: d.run,
		Example: `  rollcall plan report.csv > plan.sh
  rollcall plan --profile audit --enrich keys --window 'Tue 09:00-12:00' --out plan.sh
  bash plan.sh                                   lists what there is to do, and when
  bash plan.sh --stage deactivate --dry-run -- --profile ops
  rollcall plan reports --control key-unused --output md`,
	}
	judgingFlags(c, &d.audit)
	d.add(c)
	return c
}

func (d *planning) add(c *cobra.Command) {
	f, a, o := c.Flags(), &d.audit, &d.options
	d.out.add(f)
	choose(c, &d.output, "output", "o", "sh", "sh, md or json", "sh", "md", "json")
	f.StringVar(&d.start, "start", "", "the `day` of the first warning (default today)")
	f.IntVar(&o.FinalDays, "final-days", plan.DefaultFinalDays, "the final warning, so many days after the first")
	f.IntVar(&o.DeactivateDays, "deactivate-days", plan.DefaultDeactivateDays, "deactivation, so many days after the first warning")
	f.IntVar(&o.DeleteDays, "delete-days", plan.DefaultDeleteDays, "deletion, so many days after deactivation")
	f.IntVar(&o.KeepUsedDays, "keep-used-days", plan.DefaultKeepUsedDays, "keep what was used within so many days")
	f.StringArrayVar(&d.windows, "window", nil, "deactivate and delete only then, such as 'Tue 09:00-12:00' or 'Mon-Thu 08:00-16:00'; may be there more than once")
	f.StringVar(&d.zone, "time-zone", "UTC", "the `zone` of days and windows, such as Europe/Zurich")
	f.IntVar(&o.Most, "top", plan.DefaultMost, "how many credentials are planned for, and how many others listed")
	f.StringVar(&a.asOf, "as-of", "", "judge for this `time`, and not for when a report was generated; it cannot be later")
	f.StringVar(&a.at, "at", "", "of folders, the newest reports generated at this `time` or before")
	f.StringVar(&a.enrich, "enrich", "", "of a report that is fetched, ask IAM for more: "+enrichHelp())
	f.DurationVar(&a.maxAge, "max-age", 0, maxAgeHelp)
	f.DurationVar(&a.timeout, "timeout", fleet.DefaultTimeout, "how long to wait for it")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "show no progress, and on standard error nothing but errors")
	a.reach.add(f)
}

func (d *planning) run(cmd *cobra.Command, args []string) error {
	p, err := d.begin(cmd)
	if err != nil {
		return err
	}
	a := &d.audit
	if err := a.check(cmd, args); err != nil {
		return err
	}
	options, err := a.options()
	if err != nil {
		return err
	}
	options.Statuses = audit.SetOf(audit.Fail, audit.Warn)
	auditor, err := audit.New(options)
	if err != nil {
		return usageError("%w", err)
	}
	p.Options.Classes, p.Options.Now = options.Classes, time.Now()
	if options.AsOf.After(p.Options.Now) {
		return usageError("--as-of %s is in the future: what is used until then would be taken for unused", a.asOf)
	}
	inputs, _, err := a.inputs(cmd.Context(), args)
	if err != nil {
		return err
	}
	for i := range inputs {
		if err := d.bind(&inputs[i]); err != nil {
			return err
		}
		if err := d.judge(cmd.Context(), auditor, &inputs[i], p, options.AsOf); err != nil {
			return err
		}
	}
	if err := d.out.write(func(w io.Writer) error { return d.write(w, p) }); err != nil {
		return err
	}
	return d.tell(p)
}

// begin makes a plan without accounts.
func (d *planning) begin(cmd *cobra.Command) (*plan.Plan, error) {
	zone, err := time.LoadLocation(d.zone)
	if err != nil || d.zone == "" || d.zone == "Local" {
		return nil, usageError("--time-zone %q is no zone such as UTC or Europe/Zurich", d.zone)
	}
	d.options.Start = time.Now().In(zone)
	if d.start != "" {
		if d.options.Start, err = time.ParseInLocation(time.DateOnly, d.start, zone); err != nil {
			return nil, usageError("--start %q is no day such as 2026-09-01", d.start)
		}
	}
	for _, w := range d.windows {
		window, err := plan.ParseWindow(w)
		if err != nil {
			return nil, usageError("--window: %w", err)
		}
		d.options.Windows = append(d.options.Windows, window)
	}
	for _, flag := range []string{"final-days", "deactivate-days", "delete-days", "keep-used-days", "top"} {
		if n, _ := cmd.Flags().GetInt(flag); n < 1 {
			return nil, usageError("--%s must be at least 1", flag)
		}
	}
	p, err := plan.New(d.options)
	if err != nil {
		return nil, usageError("%w", err)
	}
	return p, nil
}

// judge plans for one report.
func (d *planning) judge(ctx context.Context, auditor *audit.Auditor, in *auditInput, p *plan.Plan, asOf time.Time) error {
	if err := in.prepare(false); err != nil {
		return err
	}
	if in.missing == "" {
		if err := d.checkDates(in, asOf, p.Options.Now); err != nil {
			return err
		}
	}
	if asOf.IsZero() {
		asOf = in.src.Generated
	}
	p.Begin(in.src, in.service, asOf)
	var of *audit.AccountSummary
	var err error
	if in.missing != "" {
		of, err = auditor.Missing(in.src, in.missing, nil)
	} else {
		r, openErr := in.open()
		if openErr != nil {
			return openErr
		}
		defer r.Close()
		if in.note != "" && d.audit.asOf == "" && !d.audit.quiet {
			fmt.Fprintln(d.p.stderr, "rollcall: "+escape.Printable(in.note))
		}
		of, err = auditor.Audit(ctx, r, in.src, in.facts, p.Row)
	}
	if err != nil {
		return err
	}
	if in.problem != "" {
		of.Problems = append(of.Problems, audit.Problem{Text: in.problem})
		of.ProblemCount++
	}
	p.End(of)
	return nil
}

// bind takes the service of a file from the command line. A report that is known
// to come from one service is not planned for at another.
func (d *planning) bind(in *auditInput) error {
	s := d.audit.reach.settings
	switch {
	case s.Endpoint == "":
	case in.service.Known && strings.TrimSuffix(in.service.Endpoint, "/") != strings.TrimSuffix(s.Endpoint, "/"):
		return usageError("the report came from %s, and not from --endpoint-url %s", in.service, s.Endpoint)
	default:
		in.service.Known, in.service.Endpoint = true, s.Endpoint
	}
	if s.Profile != "" {
		in.service.Profile = s.Profile
	}
	return nil
}

// checkDates refuses to judge a report for a moment of which it says nothing, and
// one that is dated in the future. The report of a file may have been made
// before its time.
func (d *planning) checkDates(in *auditInput, asOf, now time.Time) error {
	if asOf.After(in.src.Generated) {
		return usageError("--as-of %s is later than the report, which is of %s: of what was used since, it says nothing",
			d.audit.asOf, words.Time(in.src.Generated))
	}
	if in.src.Generated.After(now.Add(fleet.ClockSkew)) {
		in.missing = "The report is dated " + words.Time(in.src.Generated) + ", which is in the future."
	}
	return nil
}

func (d *planning) write(w io.Writer, p *plan.Plan) error {
	program := "rollcall " + version()
	switch d.output {
	case "md":
		return p.Markdown(w)
	case "json":
		return p.JSON(w, program)
	}
	return p.Script(w, program)
}

// tell says on standard error what is in the plan.
func (d *planning) tell(p *plan.Plan) error {
	if !d.audit.quiet {
		parts := []string{fmt.Sprintf("%d planned", p.Total-p.More)}
		for _, reason := range plan.Reasons {
			if n := p.Counts[reason]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, reason.Short()))
			}
		}
		if p.More > 0 {
			parts = append(parts, fmt.Sprintf("%d more for another plan (see --top)", p.More))
		}
		fmt.Fprintln(d.p.stderr, "rollcall: "+strings.Join(parts, ", "))
	}
	if n := len(p.Unclassified); n > 0 {
		names := strings.Join(p.Unclassified[:min(n, 10)], ", ") + map[bool]string{true: " and more"}[n > 10]
		fmt.Fprintf(d.p.stderr, "rollcall: nothing is planned for users who look like break-glass users: %s; "+
			"classify them in --config\n", escape.Printable(names))
	}
	if n := len(p.Problems); n > 0 {
		return fmt.Errorf("the plan is incomplete: %s", words.Count(n, "problem"))
	}
	return nil
}
