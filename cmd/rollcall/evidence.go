package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rollcall/internal/audit"
	"rollcall/internal/audit/plan"
	"rollcall/internal/enrich"
	"rollcall/internal/escape"
	"rollcall/internal/fleet"
	"rollcall/internal/reports"
)

// evidence says which reports a command audits: those that its arguments name, or
// one that it fetches from an account.
type evidence struct {
	p               *process
	reach           reach
	at              string
	enrich          string
	maxAge, timeout time.Duration
	onlyFresh       bool // of --require-fresh
	quiet           bool
	// carried says that the command's output will be run against a service. For a
	// file, --endpoint-url and --profile name that service.
	carried bool

	newestAt time.Time     // of --at
	kinds    []enrich.Kind // of --enrich
}

func (e *evidence) add(f *pflag.FlagSet) {
	f.StringVar(&e.at, "at", "", "from folders, take the newest reports generated at or before this `time`")
	f.StringVar(&e.enrich, "enrich", "", "if a report is fetched, also ask IAM for these `facts`: "+enrichHelp())
	f.DurationVar(&e.maxAge, "max-age", 0, maxAgeHelp)
	f.DurationVar(&e.timeout, "timeout", fleet.DefaultTimeout,
		"how long to wait for the report, and then for the facts of --enrich")
	e.reach.add(f)
}

// addQuiet adds --quiet, at its place among the flags of output.
func (e *evidence) addQuiet(f *pflag.FlagSet) {
	f.BoolVarP(&e.quiet, "quiet", "q", false, "show no progress, and print only errors on standard error")
}

// check returns an error for flags that have no effect with the arguments, before
// anything is read or fetched.
func (e *evidence) check(cmd *cobra.Command, args []string) error {
	if e.enrich != "" {
		kinds, err := parseKinds(e.enrich)
		if err != nil {
			return err
		}
		e.kinds = kinds
	}
	var err error
	if e.newestAt, err = newestAt(e.at, args); err != nil {
		return err
	}
	if err := checkWaits(e.maxAge, e.timeout); err != nil {
		return err
	}
	only, when := []string{"at"}, "without a folder"
	if len(args) > 0 {
		only, when = []string{
			"enrich", "max-age", "timeout", "profile", "endpoint-url", "ca-bundle", "allow-http", "no-session-cache",
		}, "with a file: nothing is fetched"
	}
	for _, name := range only {
		if e.carried && len(args) > 0 && (name == "profile" || name == "endpoint-url") {
			continue
		}
		if name == "enrich" && cmd.Flags().Changed(name) {
			return usageError("--enrich has no meaning %s; the facts that 'rollcall report --into FOLDER --enrich' saved "+
				"are used", when)
		}
		if cmd.Flags().Changed(name) {
			return usageError("--%s has no meaning %s", name, when)
		}
	}
	seen := map[string]bool{}
	for _, arg := range args {
		if seen[arg] {
			return usageError("%s is given twice", arg)
		}
		seen[arg] = true
	}
	return nil
}

// newestAt returns the time of --at, or zero without the flag. It chooses among
// the reports of folders, so no argument can be a single report.
func newestAt(at string, args []string) (time.Time, error) {
	if at == "" {
		return time.Time{}, nil
	}
	for _, arg := range args {
		if info, err := os.Stat(arg); arg == "-" || err == nil && !info.IsDir() {
			return time.Time{}, usageError("--at has no meaning for %s: it chooses among the reports of a folder", arg)
		}
	}
	return parseTime("at", at)
}

// checkWaits returns an error for times that --max-age and --timeout cannot have.
func checkWaits(maxAge, timeout time.Duration) error {
	switch {
	case maxAge < 0:
		return usageError("--max-age cannot be negative")
	case timeout <= 0:
		return usageError("--timeout must be longer than 0s")
	}
	return nil
}

// find finds the reports. It only reads where they come from.
func (e *evidence) find(ctx context.Context, args []string) (reports.Found, error) {
	if len(args) > 0 {
		return reports.Find(args, e.p.stdin, e.newestAt)
	}
	r, err := e.fetch(ctx)
	return reports.Found{Reports: []reports.Report{r}}, err
}

// fetch fetches the account's report as 'rollcall report' does.
func (e *evidence) fetch(ctx context.Context) (reports.Report, error) {
	account, err := e.reach.open(ctx)
	if err != nil {
		return reports.Report{}, err
	}
	progress := startProgress(e.p, account, e.quiet)
	defer func() { progress.end() }()
	got, err := account.Fetch(ctx, fleet.Options{
		MaxAge: e.maxAge, Timeout: e.timeout, RequireFresh: e.onlyFresh, Progress: progress.say,
	})
	if err != nil {
		return reports.Report{}, reportError(err)
	}
	r := reports.InMemory(got.Content, audit.Source{
		Generated: got.Generated, Fetched: got.Fetched, Origin: string(got.Source),
	})
	r.Service = e.service(account)
	if len(e.kinds) > 0 {
		progress.say("asking for " + e.enrich)
		bounded, cancel := context.WithTimeoutCause(ctx, e.timeout, fleet.FactsLate(e.timeout))
		defer cancel()
		facts, err := enrich.Reading{Kinds: e.kinds, Explain: fleet.Explain, Progress: func(done, all int) {
			progress.say(factsProgress(done, all))
		}}.Read(bounded, account.IAM())
		if ctx.Err() != nil {
			return reports.Report{}, ctx.Err()
		}
		if err != nil {
			return reports.Report{}, err
		}
		r.Enrich(facts) // the audit continues without what is missing
	}
	return r, nil
}

// service returns the endpoint and profile of an account. For the AWS CLI, keys in
// the environment take precedence over AWS_PROFILE, and --profile over both.
func (e *evidence) service(account *fleet.Account) plan.Service {
	s := plan.Service{Known: true, Endpoint: account.Endpoint(), Profile: e.reach.settings.Profile}
	if s.Profile == "" && e.p.env("AWS_ACCESS_KEY_ID") == "" {
		s.Profile = e.p.env("AWS_PROFILE")
	}
	return s
}

// tellGuess prints to standard error which time is used because the report's
// time is unknown.
func (e *evidence) tellGuess(r *reports.Report) {
	if r.Guess != nil && !e.quiet {
		e.p.tell("rollcall: %s\n", escape.Printable(fmt.Sprintf(
			"%s does not say when it was generated: ages count from %s (see --as-of)", r.Guess.Name, r.Guess.From)))
	}
}
