package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/fleet"
	"rollcall/internal/reports"
)

// reportRun is one run of 'rollcall report'.
type reportRun struct {
	p         *process
	reach     reach
	out       outFile
	output    string
	colour    string
	at, asOf  string
	maxAge    time.Duration
	timeout   time.Duration
	onlyFresh bool
	aged      bool // --max-age was given
	fleet     fleetFlags
}

func reportCommand(p *process) *cobra.Command {
	r := &reportRun{p: p, reach: reach{p: p}, out: outFile{p: p}}
	c := &cobra.Command{
		Use:     "report [FILE|FOLDER|-]...",
		GroupID: "reports",
		Short:   "Get credential reports, of one account or of all, or show one",
		Long: `Get the credential report of an account. A new one is requested and waited for;
a service that has a young one gives it again, AWS for four hours. --max-age
takes the one that is there, if it is not older, and requests none. Credentials,
region and endpoint are found as the AWS CLI finds them; without an endpoint, it
is AWS. The report goes to standard output.

Of several accounts (--org, --accounts, --profiles), or with --into, reports go
into a folder that keeps every one of them, and how it went with each account is
printed: ok, cached, stale, denied, throttled, timeout, failed, or the state of
an account that is not active. All accounts are asked before any is waited for.
An account that has a young report in the folder is not asked, so that a run
which was interrupted goes on where it ended. Roles are assumed with your own
credentials, for sessions that can get reports and nothing else, but for what
--enrich asks; your own account is asked without a role. More: docs/fetch.md.

In the table, – is none, and ? what the report does not tell; "off" is an
inactive key or certificate. Ages count from when the report was generated.

With a FILE, a FOLDER that reports were fetched into, several of them, or - for
standard input, show these reports instead, without any credentials: CSV, also
packed (gzip, zstd) or by PowerShell, and the JSON of get-credential-report. CSV
then comes out as AWS writes it today, whatever happened to the file.

Progress is shown on standard error where that is a terminal. A session that
took an MFA code is kept until it expires, in your cache folder, so that not
every command asks for a code. A report is held in memory, for a moment about
six times its size.

` + exitCodesHelp + ``,
		Example: `  rollcall report --profile audit > report.csv
  rollcall report --endpoint-url http://127.0.0.1:8585 --output table
  rollcall report --max-age 1h --out report.csv
  rollcall report --at 2026-09-01T00:00:00Z    what it was then (Rollcall keeps a history)
  rollcall report report.csv --output jsonl
  rollcall report --org --role audit/Reader --external-id x-17
  rollcall report --accounts accounts.txt --into reports --require-fresh
  rollcall report --org --enrich keys,mfa      'rollcall audit reports' then names key ids
  rollcall report --profiles dev,test,production --quiet`,
		RunE: r.run,
	}
	r.reach.add(c.PersistentFlags())
	f := c.Flags()
	f.SortFlags = false
	choose(c, &r.output, "output", "o", "csv", "csv, table, json or jsonl; into a folder: table, json or jsonl",
		"csv", "table", "json", "jsonl")
	r.out.add(f)
	f.DurationVar(&r.maxAge, "max-age", 0, maxAgeHelp)
	f.DurationVar(&r.timeout, "timeout", fleet.DefaultTimeout,
		"how long to wait for an account; an old report is given after that")
	f.BoolVar(&r.onlyFresh, "require-fresh", false,
		"fail where the report is older than --max-age, or than 4h without it")
	f.StringVar(&r.at, "at", "",
		"the newest report generated at this `time` or before, where the service is a Rollcall")
	f.StringVar(&r.asOf, "as-of", "", "the `time` from which the ages in the table of a file count (default now)")
	colourFlag(c, &r.colour)
	r.fleet.add(f)
	c.AddCommand(reportRequestCommand(p, &r.reach), reportGetCommand(p, &r.reach))
	return c
}

// maxAgeHelp is the help of --max-age.
const maxAgeHelp = "take a report that is not older, and ask for none (default: always ask for a new one)"

func completeWith(c *cobra.Command, flag string, values ...string) {
	must(c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
}

func (r *reportRun) run(cmd *cobra.Command, args []string) error {
	if err := r.check(cmd, len(args) > 0); err != nil {
		return err
	}
	r.aged = cmd.Flags().Changed("max-age")
	if r.fleet.many() {
		return r.fetchMany(cmd.Context())
	}
	if len(args) == 0 {
		return r.fetch(cmd.Context())
	}
	return r.showAll(cmd, args)
}

// check refuses flags that have no meaning together.
func (r *reportRun) check(cmd *cobra.Command, file bool) error {
	if r.maxAge < 0 || r.timeout <= 0 {
		return usageError("--max-age and --timeout cannot be negative")
	}
	flags, when := []string{"as-of"}, "without a file: ages count from when the report was generated"
	switch {
	case file:
		flags, when = []string{
			"at", "max-age", "timeout", "require-fresh", "profile", "region", "endpoint-url", "ca-bundle",
			"allow-http", "no-session-cache",
			"into", "enrich", "org", "accounts", "profiles", "role", "external-id", "concurrency", "quiet",
		}, "with a file"
	case r.fleet.many():
		flags = nil // its own check tells
	case r.at != "":
		flags, when = []string{"as-of", "max-age", "require-fresh"}, "with --at"
	}
	for _, name := range flags {
		if cmd.Flags().Changed(name) {
			return usageError("--%s has no meaning %s", name, when)
		}
	}
	return r.fleet.check(cmd.Flags().Changed, &r.output)
}

// fetch gets a report from a service and writes it.
func (r *reportRun) fetch(ctx context.Context) error {
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
	progress := startProgress(r.p, account, r.fleet.quiet)
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
		r.p.tell("rollcall: there is no newer report than this one of %s, %s old\n",
			got.Generated.Format(time.RFC3339), got.Age().Round(time.Second))
	}
	return r.write(got)
}

func parseTime(flag, s string) (time.Time, error) {
	if t, ok := reports.ParseTime(s); ok {
		return t, nil
	}
	return time.Time{}, usageError("--%s %q is no time such as 2026-09-01T00:00:00Z or 2026-09-01", flag, s)
}
