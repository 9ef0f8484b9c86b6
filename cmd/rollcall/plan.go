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
	"rollcall/internal/reports"
	"rollcall/internal/words"
)

// planRun is one run of 'rollcall plan'. It finds and audits reports as 'rollcall
// audit' does.
type planRun struct {
	p        *process
	criteria criteria
	evidence evidence
	out      outFile
	output   string
	start    string
	zone     string
	windows  []string
	options  plan.Options
}

func planCommand(p *process) *cobra.Command {
	d := &planRun{
		p: p, out: outFile{p: p}, criteria: criteria{top: 1},
		evidence: evidence{p: p, reach: reach{p: p}, carried: true},
	}
	c := &cobra.Command{
		Use:     "plan [FILE|FOLDER|-]...",
		GroupID: "reports",
		Short:   "Write a script that removes the credentials an audit finds",
		Long: `Plan how to remove the credentials that an audit finds: access keys that are
unused, too old, a user's second, left over, or created at set-up and never used;
passwords that are unused or have no MFA. A removal has stages: a warning to the
owner, a final warning, then the key is deactivated or the password deleted, and
much later the key is deleted. No stage comes before its day, or outside the
change windows.

The command changes nothing. It writes a script for you to read. The script does
nothing until you run it with --stage. Before each step it checks that the key is
still the same, and that nobody has used it since. The plan keeps credentials, and
lists them with the reason, if they were used within --keep-used-days, if the
report cannot tell them apart, or if an exception excuses them. It never covers
root. Users who look like break-glass users wait until --config classifies them.

The script calls only the service that the report came from. For a FILE,
--endpoint-url and --profile name that service.

The arguments are those of 'rollcall audit'. Without arguments the command fetches
the account's report, and --enrich keys adds key ids to the plan. Without key ids,
the script finds a key by its user and the second of its creation.

` + exitCodesHelp,
		RunE: d.run,
		Example: `  rollcall plan report.csv > plan.sh
  rollcall plan --profile audit --enrich keys --window 'Tue 09:00-12:00' \
    --out plan.sh
  bash plan.sh                                   lists the steps and their days
  bash plan.sh --stage deactivate --dry-run -- --profile ops
  rollcall plan reports --control key-unused --output md`,
	}
	d.criteria.add(c, "that of --config, or "+string(audit.DefaultBenchmark))
	d.add(c)
	return c
}

func (d *planRun) add(c *cobra.Command) {
	d.addSchedule(c, plan.DefaultFinalDays, plan.DefaultDeactivateDays)
	f := c.Flags()
	f.StringVar(&d.criteria.asOf, "as-of", "",
		"count ages up to this `time`, which is not after the time the report was generated")
	d.evidence.add(f)
	d.evidence.addQuiet(f)
}

// addSchedule adds the flags that say what is written, and on which days things
// happen.
func (d *planRun) addSchedule(c *cobra.Command, final, deactivate int) {
	f, o := c.Flags(), &d.options
	d.out.add(f)
	choose(c, &d.output, "output", "o", "sh", "sh, md or json", "sh", "md", "json")
	f.StringVar(&d.start, "start", "", "`day` of the first warning (default today)")
	f.IntVar(&o.FinalDays, "final-days", final, "days from the first warning to the final one")
	f.IntVar(&o.DeactivateDays, "deactivate-days", deactivate, "days from the first warning to deactivation")
	f.IntVar(&o.DeleteDays, "delete-days", plan.DefaultDeleteDays, "days from deactivation to deletion")
	f.IntVar(&o.KeepUsedDays, "keep-used-days", plan.DefaultKeepUsedDays,
		"keep credentials that were used within this many days")
	f.StringArrayVar(&d.windows, "window", nil,
		"deactivate and delete only in this `window`, such as 'Tue 09:00-12:00' or 'Mon-Thu 08:00-16:00'; may be "+
			"repeated")
	f.StringVar(&d.zone, "time-zone", "UTC", "time `zone` of days and windows, such as Europe/Zurich")
	f.IntVar(&o.Most, "top", plan.DefaultMost,
		"how many credentials the plan removes, and how many others it lists")
}

func (d *planRun) run(cmd *cobra.Command, args []string) error {
	p, err := d.begin(cmd)
	if err != nil {
		return err
	}
	if err := d.evidence.check(cmd, args); err != nil {
		return err
	}
	options, err := d.criteria.options()
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
		return usageError("--as-of %s is in the future: credentials that are used until then would look unused",
			d.criteria.asOf)
	}
	found, err := d.evidence.find(cmd.Context(), args)
	if err != nil {
		return err
	}
	for i := range found.Reports {
		if err := d.bind(&found.Reports[i].Service); err != nil {
			return err
		}
		if err := d.judge(cmd.Context(), auditor, &found.Reports[i], p, options.AsOf); err != nil {
			return err
		}
	}
	if err := d.out.write(func(w io.Writer) error { return d.write(w, p) }); err != nil {
		return err
	}
	return d.tell(p)
}

// begin returns a plan without accounts.
func (d *planRun) begin(cmd *cobra.Command) (*plan.Plan, error) {
	zone, err := time.LoadLocation(d.zone)
	if err != nil || d.zone == "" || d.zone == "Local" {
		return nil, usageError("--time-zone %q is not a zone such as UTC or Europe/Zurich", d.zone)
	}
	d.options.Start = time.Now().In(zone)
	if d.start != "" {
		if d.options.Start, err = time.ParseInLocation(time.DateOnly, d.start, zone); err != nil {
			return nil, usageError("--start %q is not a day such as 2026-09-01", d.start)
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

// judge adds the credentials of one report to the plan.
func (d *planRun) judge(ctx context.Context, auditor *audit.Auditor, r *reports.Report, p *plan.Plan,
	asOf time.Time) error {
	if err := r.Prepare(false); err != nil {
		return err
	}
	if r.Missing == "" {
		if err := d.checkDates(r, asOf, p.Options.Now); err != nil {
			return err
		}
	}
	if asOf.IsZero() {
		asOf = r.Source.Generated
	}
	p.Begin(r.Source, r.Service, asOf)
	if r.Missing == "" && d.criteria.asOf == "" {
		d.evidence.tellGuess(r)
	}
	visit := p.Row
	if r.Missing != "" {
		visit = nil // a missing report is a problem, and contains nothing to plan for
	}
	of, err := r.Audit(ctx, auditor, visit)
	if err != nil {
		return err
	}
	if err := p.End(of); err != nil {
		return usageError("%w", err)
	}
	return nil
}

// bind sets the service of a file from the command line. It returns an error if
// the report is known to come from another service.
func (d *planRun) bind(from *plan.Service) error {
	s := d.evidence.reach.settings
	switch {
	case s.Endpoint == "":
	case from.Known && strings.TrimSuffix(from.Endpoint, "/") != strings.TrimSuffix(s.Endpoint, "/"):
		return usageError("the report came from %s, and not from --endpoint-url %s", *from, s.Endpoint)
	default:
		from.Known, from.Endpoint = true, s.Endpoint
	}
	if s.Profile != "" {
		from.Profile = s.Profile
	}
	return nil
}

// checkDates returns an error for an --as-of after the report's time, and marks
// a report that is dated in the future as missing.
func (d *planRun) checkDates(r *reports.Report, asOf, now time.Time) error {
	if asOf.After(r.Source.Generated) {
		return usageError(
			"--as-of %s is later than the report of %s, which does not show later uses",
			d.criteria.asOf, words.Time(r.Source.Generated))
	}
	if r.Source.Generated.After(now.Add(fleet.ClockSkew)) {
		r.Missing = "the only one is dated " + words.Time(r.Source.Generated) + ", which is in the future"
	}
	return nil
}

func (d *planRun) write(w io.Writer, p *plan.Plan) error {
	program := "rollcall " + version()
	switch d.output {
	case "md":
		return p.Markdown(w)
	case "json":
		return p.JSON(w, program)
	}
	return p.Script(w, program)
}

// tell summarizes the plan on standard error.
func (d *planRun) tell(p *plan.Plan) error {
	if !d.evidence.quiet {
		parts := []string{fmt.Sprintf("%d planned", p.Total-p.More)}
		for _, reason := range plan.Reasons {
			if n := p.Counts[reason]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, reason.Short()))
			}
		}
		if p.More > 0 {
			parts = append(parts, fmt.Sprintf("%d more for another plan (see --top)", p.More))
		}
		d.p.tell("rollcall: %s\n", strings.Join(parts, ", "))
	}
	if n := len(p.Unclassified); n > 0 {
		names := strings.Join(p.Unclassified[:min(n, 10)], ", ") + map[bool]string{true: " and more"}[n > 10]
		d.p.tell("rollcall: nothing is planned for users who look like break-glass users: %s; "+
			"classify them in --config\n", escape.Printable(names))
	}
	if n := len(p.Problems); n > 0 {
		return fmt.Errorf("the plan is incomplete: %s", words.Count(n, "problem"))
	}
	return nil
}
