package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/review"
)

// A plan of revocations has fewer days than other plans, so that the
// deactivations happen within the default of --revoke-within.
const reviewFinalDays, reviewDeactivateDays = 3, 7

// reviewPlanCommand writes the revocations as 'rollcall plan' writes findings.
func reviewPlanCommand(p *process) *cobra.Command {
	d := &planRun{p: p, out: outFile{p: p}, evidence: evidence{p: p, reach: reach{p: p}, carried: true}}
	c := &cobra.Command{
		Use:   "plan REVIEW",
		Short: "Write a script that carries out the revocations",
		Long: `Plan the revocations that reviewers decided, in the stages and with the checks of
'rollcall plan': a warning, a final warning, then the key is deactivated or the
password deleted, and much later the key is deleted. The script does nothing until
you run it with --stage.

What was used within --keep-used-days is kept and listed: take it out of use first,
or give a smaller number. Root, certificates, and users without credentials are
listed for a person.

` + exitCodesHelp,
		Example: `  rollcall review plan review/2026-Q4 --window 'Tue 09:00-12:00' --out plan.sh
  bash plan.sh --stage warn -- --profile ops`,
		RunE: func(cmd *cobra.Command, args []string) error { return d.runReview(cmd, args[0]) },
	}
	d.addSchedule(c, reviewFinalDays, reviewDeactivateDays)
	f := c.Flags()
	f.StringVar(&d.evidence.reach.settings.Profile, "profile", "", "use this `profile` of the AWS configuration")
	f.StringVar(&d.evidence.reach.settings.Endpoint, "endpoint-url", "",
		"the service at this `URL`, if the reports do not name theirs")
	d.evidence.addQuiet(f)
	return c
}

func (d *planRun) runReview(cmd *cobra.Command, dir string) error {
	p, err := d.begin(cmd)
	if err != nil {
		return err
	}
	p.Options.Now = time.Now()
	r, err := review.Open(dir)
	if err != nil {
		return err
	}
	if err := r.Plan(cmd.Context(), p, d.bind); err != nil {
		return err
	}
	if err := d.out.write(func(w io.Writer) error { return d.write(w, p) }); err != nil {
		return err
	}
	return d.tell(p)
}

// reviewVerifyCommand looks for the revocations in later reports.
func reviewVerifyCommand(p *process) *cobra.Command {
	var output, at string
	c := &cobra.Command{
		Use:   "verify REVIEW REPORT...",
		Short: "Look for the revocations in later reports",
		Long: `Look into later reports for what became of the decisions: a revocation is done if
its key is inactive or gone, its password is gone, or its user is. Each REPORT is a
file, or a folder that 'rollcall report --into' filled, of which every report since
the freeze counts. The reports that decide are copied into the review.

The exit code is 1 if a revocation or a change is overdue or came too late, or an
exception has expired and what it excused is still there; 2 if no report tells, or
a line is not decided yet.

` + exitCodesHelp,
		Example: `  rollcall review verify review/2026-Q4 reports`,
		RunE:    func(cmd *cobra.Command, args []string) error { return verifyReview(p, cmd, args, output, at) },
	}
	outputFlag(c, &output)
	c.Flags().StringVar(&at, "at", "", "from folders, take the reports generated at or before this `time`")
	return c
}
