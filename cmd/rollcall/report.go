package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/fleet"
	"rollcall/report"
)

// reporting is what 'rollcall report' was asked for.
type reporting struct {
	p         *process
	reach     reach
	out       outFile
	output    string
	colour    string
	at, asOf  string
	maxAge    time.Duration
	timeout   time.Duration
	onlyFresh bool
}

func reportCommand(p *process) *cobra.Command {
	r := &reporting{p: p, reach: reach{p: p}, out: outFile{p: p}}
	c := &cobra.Command{
		Use:     "report [FILE|-]",
		GroupID: "reports",
		Short:   "Get a credential report, or show one that is in a file",
		Long: `Get the credential report of an account: the one the service has where it is
young enough, or else a new one, which is requested and waited for. Progress
is shown on standard error where that is a terminal. Credentials, region and
endpoint are found as the AWS CLI finds them; without an endpoint, it is AWS.

With a FILE, or - for standard input, show that report instead. CSV then comes
out as AWS writes it today, whatever happened to the file's line ends.

A report is held in memory, for a moment about six times its size.

` + exitCodesHelp,
		Example: `  rollcall report --profile audit > report.csv
  rollcall report --endpoint-url http://127.0.0.1:8585 --output table
  rollcall report --max-age 0 --out report.csv
  rollcall report --at 2026-09-01T00:00:00Z    what it was then (Rollcall keeps a history)
  rollcall report report.csv --output jsonl`,
		Args: cobra.MaximumNArgs(1),
		RunE: r.run,

		SuggestionsMinimumDistance: 2,
	}
	r.reach.add(c.PersistentFlags())
	f := c.Flags()
	r.out.add(f)
	f.StringVarP(&r.output, "output", "o", "csv", "csv, table, json or jsonl")
	f.StringVar(&r.colour, "color", "auto", "colour in a table: on, off or auto")
	f.StringVar(&r.at, "at", "", "the newest report generated at this `time` or before, where the service is a Rollcall")
	f.StringVar(&r.asOf, "as-of", "", "the `time` from which the ages in the table of a file count (default now)")
	f.DurationVar(&r.maxAge, "max-age", fleet.DefaultMaxAge, "how old a report may be to do; 0 always requests one")
	f.DurationVar(&r.timeout, "timeout", fleet.DefaultTimeout, "how long to wait; an old report is given after that")
	f.BoolVar(&r.onlyFresh, "require-fresh", false, "fail rather than give a report older than --max-age")
	completeWith(c, "output", "csv", "table", "json", "jsonl")
	completeWith(c, "color", "auto", "on", "off")
	c.AddCommand(reportRequestCommand(p, &r.reach), reportGetCommand(p, &r.reach))
	return c
}

func completeWith(c *cobra.Command, flag string, values ...string) {
	c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func (r *reporting) run(cmd *cobra.Command, args []string) error {
	if err := r.check(cmd, len(args) > 0); err != nil {
		return err
	}
	if len(args) == 0 {
		return r.fetch(cmd.Context())
	}
	asOf := time.Now()
	if r.asOf != "" {
		var err error
		if asOf, err = parseTime("as-of", r.asOf); err != nil {
			return err
		}
	}
	if args[0] == "-" {
		return r.show(r.p.stdin, "standard input", asOf)
	}
	file, err := os.Open(args[0])
	if err != nil {
		if like := cmd.SuggestionsFor(args[0]); errors.Is(err, fs.ErrNotExist) && len(like) > 0 {
			return usageError("%w; did you mean '%s %s'?", err, cmd.CommandPath(), strings.Join(like, " or "))
		}
		return err
	}
	defer file.Close()
	return r.show(file, args[0], asOf)
}

// check refuses flags that have no meaning together.
func (r *reporting) check(cmd *cobra.Command, file bool) error {
	if err := oneOf("output", r.output, "csv", "table", "json", "jsonl"); err != nil {
		return err
	}
	if err := oneOf("color", r.colour, "auto", "on", "off"); err != nil {
		return err
	}
	if r.maxAge < 0 || r.timeout <= 0 {
		return usageError("--max-age and --timeout cannot be negative")
	}
	flags, when := []string{"as-of"}, "without a file: ages count from when the report was generated"
	switch {
	case file:
		flags, when = []string{"at", "max-age", "timeout", "require-fresh", "profile", "region", "endpoint-url", "ca-bundle", "allow-http"}, "with a file"
	case r.at != "":
		flags, when = []string{"as-of", "max-age", "require-fresh"}, "with --at"
	}
	for _, name := range flags {
		if cmd.Flags().Changed(name) {
			return usageError("--%s has no meaning %s", name, when)
		}
	}
	return nil
}

func oneOf(flag, value string, values ...string) error {
	for _, v := range values {
		if v == value {
			return nil
		}
	}
	return usageError("--%s %q is none of %s", flag, value, strings.Join(values, ", "))
}

// fetch gets a report from a service and writes it.
func (r *reporting) fetch(ctx context.Context) error {
	var at time.Time
	if r.at != "" {
		var err error
		if at, err = parseTime("at", r.at); err != nil {
			return err
		}
	}
	account, err := r.reach.open(ctx)
	if err != nil {
		return err
	}
	progress := startProgress(r.p, account)
	var got *fleet.Report
	if r.at != "" {
		got, err = account.At(ctx, at)
	} else {
		got, err = account.Fetch(ctx, fleet.Options{
			MaxAge: r.maxAge, Timeout: r.timeout, RequireFresh: r.onlyFresh, Progress: progress.say,
		})
	}
	progress.end()
	if err != nil {
		return reportError(err)
	}
	if got.Source == fleet.Stale {
		fmt.Fprintf(r.p.stderr, "rollcall: there is no newer report than this one of %s, %s old\n",
			got.Generated.Format(time.RFC3339), got.Age().Round(time.Second))
	}
	return r.write(got)
}

// timeForms are the ways to write a time; without a zone it is UTC.
var timeForms = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly}

func parseTime(flag, s string) (time.Time, error) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError("--%s %q is no time such as 2026-09-01T00:00:00Z or 2026-09-01", flag, s)
}

// show writes a report that was read from a file.
func (r *reporting) show(in io.Reader, name string, asOf time.Time) error {
	rd, err := report.NewReader(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	err = r.out.write(func(w io.Writer) error { return r.writeRows(w, rd, asOf) })
	var damaged *report.Error
	if errors.As(err, &damaged) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return err
}
