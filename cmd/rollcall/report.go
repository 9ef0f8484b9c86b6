package main

import (
	"cmp"
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
	command   string
	fleet     fleetFlags
	own       ownService
}

func reportCommand(p *process) *cobra.Command {
	r := &reportRun{p: p, reach: reach{p: p}, out: outFile{p: p}, own: ownService{install: install{p: p}}}
	c := &cobra.Command{
		Use:     "report [FILE|FOLDER|-]...",
		GroupID: "reports",
		Short:   "Get the reports of one or many accounts, or show saved reports",
		Long:    reportHelp + exitCodesHelp,
		Example: `  rollcall report --profile audit > report.csv
  rollcall report --endpoint-url http://127.0.0.1:8585 --output table
  rollcall report --max-age 1h --out report.csv
  rollcall report --at 2026-09-01T00:00:00Z    that of a time (Rollcall only)
  rollcall report report.csv --output jsonl
  rollcall report --org --role audit/Reader --external-id x-17
  rollcall report --accounts accounts.txt --into reports --require-fresh
  rollcall report --org --enrich keys,mfa      so that audits name key ids
  rollcall report --profiles dev,test,production --quiet
  rollcall report --data /var/lib/rollcall     all accounts of one's own service`,
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
		"how long to wait for each account; after that, return an old report if there is one")
	f.BoolVar(&r.onlyFresh, "require-fresh", false,
		"fail if the report is older than --max-age (without it, older than 4h)")
	f.StringVar(&r.at, "at", "", atHelp)
	f.StringVar(&r.asOf, "as-of", "", "in the table of a file, count ages up to this `time`")
	colourFlag(c, &r.colour)
	r.fleet.add(f)
	r.own.add(c)
	c.AddCommand(reportRequestCommand(p, &r.reach), reportGetCommand(p, &r.reach))
	return c
}

// reportHelp is the help of the command, without the exit codes.
const reportHelp = `Get the credential report of an account, on standard output. The command requests
a new report and waits for it. A service with a recent report returns that one;
AWS does so for four hours. With --max-age the command accepts an existing report
up to that age and requests none. It finds credentials, region and endpoint as
the AWS CLI does. Without an endpoint it calls AWS.

For several accounts (--org, --accounts, --profiles), or with --into, the command
saves the reports in a folder, which keeps all of them. It prints the outcome of
each account: ok, cached, stale, denied, throttled, timeout, failed, or the state
of an account that is not active. It asks all accounts before it waits for any.
It skips accounts with a recent report in the folder, so a run that was
interrupted continues where it stopped. With your credentials it assumes a role
in every account but your own. The role's session can only get reports, and read
what --enrich needs. More: docs/fetch.md.

In the table, – means none, ? means that the report does not say, and "off" means
an inactive key or certificate. Ages count up to the time the report was
generated, or now if the file does not say when that was.

With files, folders of saved reports, or - for standard input, the command shows
those reports. This needs no credentials. It reads CSV, even compressed (gzip,
zstd) or saved by PowerShell, and the JSON of get-credential-report. It writes
CSV exactly as AWS does, whatever form the file has.

With --data or --store, the operator of a Rollcall service gets new reports of all
accounts, or of those in the file of --accounts, out of the service's store. This
needs no access key, and works whether or not the service runs. The facts of
--enrich come out of the store, too. Each report has a record in the trail. The
environment (ROLLCALL_STORE, ROLLCALL_MASTER_KEY, ROLLCALL_TRAIL) completes these
flags.

If standard error is a terminal, it shows the progress. Sessions that needed an
MFA code are saved in your cache folder until they expire, so that not every
command asks for a code. For a moment, a report needs about six times its size in
memory.

`

// maxAgeHelp is the help of --max-age.
const maxAgeHelp = "accept an existing report up to this age, and request none (default: always request a new one)"

// atHelp is the help of --at for commands that ask a service.
const atHelp = "get the newest report generated at or before this `time`, from a Rollcall service"

func completeWith(c *cobra.Command, flag string, values ...string) {
	must(c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
}

func (r *reportRun) run(cmd *cobra.Command, args []string) error {
	if err := r.own.choose(cmd, append([]string{"org", "profiles", "role", "external-id", "concurrency",
		"require-fresh"}, ownRunUnused...)...); err != nil {
		return err
	}
	if r.own.chosen {
		r.fleet.into = cmp.Or(r.fleet.into, defaultFolder)
	}
	if err := r.check(cmd, len(args) > 0); err != nil {
		return err
	}
	r.aged, r.command = cmd.Flags().Changed("max-age"), commandLine(cmd, args)
	if r.own.chosen {
		return r.fetchOwn(cmd)
	}
	if r.fleet.many() {
		return r.fetchMany(cmd.Context())
	}
	if len(args) == 0 {
		return r.fetch(cmd.Context())
	}
	return r.showAll(cmd, args)
}

// check returns an error for flags that have no effect together.
func (r *reportRun) check(cmd *cobra.Command, file bool) error {
	if err := checkWaits(r.maxAge, r.timeout); err != nil {
		return err
	}
	flags, when := []string{"as-of"}, "without a file: ages count from the time the report was generated"
	switch {
	case file:
		flags, when = []string{
			"at", "max-age", "timeout", "require-fresh", "profile", "region", "endpoint-url", "ca-bundle",
			"allow-http", "no-session-cache",
			"into", "enrich", "org", "accounts", "profiles", "role", "external-id", "concurrency", "quiet", "data", "store",
		}, "with a file"
	case r.fleet.many():
		flags = nil // fleet.check refuses them
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
		r.p.tell("rollcall: the newest report is this one of %s, which is %s old\n",
			got.Generated.Format(time.RFC3339), got.Age().Round(time.Second))
	}
	return r.write(got)
}

func parseTime(flag, s string) (time.Time, error) {
	if t, ok := reports.ParseTime(s); ok {
		return t, nil
	}
	return time.Time{}, usageError("--%s %q is not a time such as 2026-09-01T00:00:00Z or 2026-09-01", flag, s)
}
