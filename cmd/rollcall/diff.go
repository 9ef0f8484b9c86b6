package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/audit/diff/show"
	"rollcall/internal/escape"
	"rollcall/internal/history"
	"rollcall/internal/reports"
	"rollcall/internal/words"
)

// diffRun is one run of 'rollcall diff'.
type diffRun struct {
	p        *process
	criteria criteria
	pairing  reports.Pairing
	// times are the times when OLD and NEW were generated.
	times  [2]string
	out    outFile
	output string
	colour string

	least, failOn string
	open, uses    bool
	most          int
	exitCode      bool
}

func diffCommand(p *process) *cobra.Command {
	d := &diffRun{p: p, out: outFile{p: p}}
	c := &cobra.Command{
		Use:     "diff [OLD [NEW]]",
		GroupID: "reports",
		Short:   "Compare reports: what changed, and which findings are new or fixed",
		Long: `Compare an older and a newer credential report of each account. The command
identifies a credential by its user and creation time, never by its place in the
row. It lists keys that were added, rotated, deactivated, reactivated, removed, or
used for the first time or from elsewhere; passwords that were set or used; MFA
that was enabled or disabled; and users that were added, removed, renamed or
moved. It also lists findings that are new, worse, fixed or still open, each with
the day on which the history first shows it.

OLD and NEW are files, folders or times. A time selects the newest report of each
account in the history (--dir) that was generated at or before it; a date means
the end of that day, UTC. Without NEW, the command compares OLD with the newest
report. Without both, it compares the newest report with the previous one.

` + exitCodesHelp,
		RunE: d.run,
		Example: `  rollcall diff                         the last two reports of each account
  rollcall diff 2026-10-01 2026-11-01   two days of the history
  rollcall diff old.csv new.csv --open
  rollcall diff audit-2025/ reports/ --output md
  rollcall diff --fail-on-new high      exits with 1 if a high finding is new`,
	}
	d.criteria.add(c, "that of --config, or "+string(audit.DefaultBenchmark))
	f := c.Flags()
	f.StringVar(&d.pairing.Dir, "dir", defaultFolder, "`folder` of reports that 'rollcall report --into' filled")
	f.StringSliceVar(&d.pairing.Accounts, "account", nil, "compare only these `accounts`, separated by commas")
	f.StringVar(&d.times[0], timeFlags[0], "", "`time` OLD was generated, if it is a file that does not say")
	f.StringVar(&d.times[1], timeFlags[1], "", "`time` NEW was generated, if it is a file that does not say")
	d.out.add(f)
	choose(c, &d.output, "output", "o", "table", "table, json, jsonl, md or csv", show.Formats()...)
	colourFlag(c, &d.colour)
	f.BoolVar(&d.open, "open", false, "also list findings that are still open")
	f.BoolVar(&d.uses, "uses", false, "also list ordinary uses of keys and passwords, which table and md only count")
	choose(c, &d.least, "severity", "", "info",
		"list only events and findings of this `severity` or a higher one; counts include all", severityNames()...)
	f.IntVar(&d.most, "top", 100,
		"how many events, and how many findings of each state, table and md list, worst first; 0 lists all")
	f.BoolVar(&d.exitCode, "exit-code", false, "exit with 1 if a new finding fails")
	choose(c, &d.failOn, "fail-on-new", "", "",
		"exit with 1 if a new finding of this `severity` or a higher one fails", severityNames()...)
	return c
}

func (d *diffRun) run(cmd *cobra.Command, args []string) (err error) {
	switch {
	case d.most < 0:
		return usageError("--top cannot be negative")
	}
	least, err := audit.ParseSeverity(d.least)
	if err != nil {
		return err
	}
	failOn := audit.Info
	if d.failOn != "" {
		d.exitCode = true
		if failOn, err = audit.ParseSeverity(d.failOn); err != nil {
			return err
		}
	}
	options, err := d.criteria.options()
	if err != nil {
		return err
	}
	pairs, err := d.pairs(cmd, args)
	defer func() {
		if closeErr := d.pairing.Close(); err == nil {
			err = closeErr
		}
	}()
	if err != nil {
		return err
	}
	var summary show.Summary
	err = d.out.write(func(w io.Writer) error {
		return d.compare(cmd.Context(), w, pairs, diff.Options{Audit: options}, least, &summary)
	})
	if err != nil {
		return err
	}
	return d.verdict(&summary, failOn)
}

// timeFlags are the flags for the times of OLD and NEW.
var timeFlags = [2]string{"old-time", "new-time"}

// pairs finds the reports to compare.
func (d *diffRun) pairs(cmd *cobra.Command, args []string) ([]reports.Pair, error) {
	for _, a := range d.pairing.Accounts {
		if !history.IsAccountID(a) {
			return nil, usageError("--account %q is not twelve digits", a)
		}
	}
	for i, flag := range timeFlags {
		if cmd.Flags().Changed(flag) && len(args) <= i {
			return nil, usageError("--%s has no meaning without a file", flag)
		}
	}
	if len(args) == 2 && args[0] == "-" && args[1] == "-" {
		return nil, usageError("only one of OLD and NEW can be standard input")
	}
	named := make([]reports.Argument, len(args))
	for i, arg := range args {
		named[i].Text = arg
		if d.times[i] == "" {
			continue
		}
		var err error
		if named[i].Generated, err = parseTime(timeFlags[i], d.times[i]); err != nil {
			return nil, err
		}
	}
	d.pairing.Stdin, d.pairing.FilesHaveHistory = d.p.stdin, cmd.Flags().Changed("dir")
	d.pairing.Undated, d.pairing.Inactive = d.tellUndated, d.tellInactive
	pairs, err := d.pairing.Find(named...)
	return pairs, d.usage(err)
}

// usage adds the exit code and the names of flags to errors of the command line.
func (d *diffRun) usage(err error) error {
	var date *reports.DateError
	var argument *reports.ArgumentError
	switch {
	case errors.As(err, &date):
		return usageError("--%s has no meaning for a %s", timeFlags[date.Place], date.Kind)
	case errors.As(err, &argument):
		return usageError("%w", err)
	case errors.Is(err, reports.ErrNoHistory):
		return usageError("there is no folder of reports at %s: 'rollcall report --into %s' creates one, or see --dir",
			d.pairing.Dir, d.pairing.Dir)
	}
	return err
}

func (d *diffRun) tellUndated(name string, place reports.Place, written time.Time) {
	flag := strings.Join(timeFlags[:], " and --")
	if place != reports.Either {
		flag = timeFlags[place]
	}
	d.p.tell("rollcall: %s does not say when it was generated: taking the time it was written, %s (see --%s)\n",
		escape.Printable(name), words.Time(written), flag)
}

func (d *diffRun) tellInactive(account, name string) {
	d.p.tell("rollcall: account %s is not active and was not compared\n",
		escape.Printable(strings.TrimSpace(account+" "+name)))
}

// compare compares account by account.
func (d *diffRun) compare(ctx context.Context, w io.Writer, pairs []reports.Pair, o diff.Options,
	least audit.Severity, summary *show.Summary) error {
	table := tableOptions(d.p, w, d.colour, time.Time{})
	out, _ := show.Open(d.output, w, show.Options{
		Program: "rollcall " + version(), Least: least, Open: d.open, Uses: d.uses, Most: d.most,
		Width: table.Width, Colour: table.Colour,
	})
	for i := range pairs {
		account := pairs[i].Failed
		if account == nil {
			var err error
			if account, err = diff.Compare(ctx, pairs[i].Series, o, out.Change); err != nil {
				return err
			}
			for _, p := range pairs[i].Problems {
				account.Problem(p)
			}
		}
		summary.Add(account)
		if err := out.Account(account); err != nil {
			return err
		}
	}
	return out.Close(summary)
}

// verdict returns the result as an error with its exit code, nil for success.
func (d *diffRun) verdict(s *show.Summary, failOn audit.Severity) error {
	incomplete := 0
	for _, a := range s.Accounts {
		if a.Incomplete() {
			incomplete++
		}
	}
	if incomplete > 0 {
		return fmt.Errorf("the comparison is incomplete: of %s, %d only partly compared or audited",
			words.Count(len(s.Accounts), "account"), incomplete)
	}
	if n := s.Counts.NewFailures(failOn); d.exitCode && n > 0 {
		return &exitError{code: exitFindings,
			err: fmt.Errorf("%s of severity %v or worse", words.Count(n, "new finding"),
				failOn)}
	}
	return nil
}
