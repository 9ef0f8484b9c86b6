package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/audit/diff/show"
	"rollcall/internal/words"
)

// diffing is what 'rollcall diff' was asked for.
type diffing struct {
	p       *process
	judging auditing
	out     outFile
	inputs  diffInputs
	output  string
	colour  string

	least, failOn string
	open, uses    bool
	most          int
	exitCode      bool
}

func diffCommand(p *process) *cobra.Command {
	d := &diffing{p: p, out: outFile{p: p}, inputs: diffInputs{p: p}}
	c := &cobra.Command{
		Use:     "diff [OLD [NEW]]",
		GroupID: "reports",
		Short:   "Compare reports: what happened, and which findings are new or fixed",
		Long: `Compare an older and a newer credential report of each account. Credentials are
told apart by their user and the time they were made, never by their place in
the row: keys added, rotated, deactivated, reactivated, gone, used for the first
time or elsewhere; passwords set and used; MFA gained and lost; users new, gone,
renamed and moved. And what an audit finds: new, worse, fixed, still open, each
with the day it was first seen, as far back as the history goes.

OLD and NEW are files, folders, or times. A time stands for the newest report of
each account in the history (--dir) that was generated then or before; a date
alone means the whole day, UTC. Without NEW it is the newest report; without
OLD too, the newest is compared with the one before.

` + exitCodesHelp,
		RunE: d.run,
		Example: `  rollcall diff                                  the last two reports of every account in ./reports
  rollcall diff 2026-10-01 2026-11-01            two days of the history
  rollcall diff old.csv new.csv --open
  rollcall diff audit-2025/ reports/ --output md
  rollcall diff --fail-on-new high               ends with 1 where a high finding is new`,
	}
	judgingFlags(c, &d.judging)
	f := c.Flags()
	d.inputs.add(f)
	d.out.add(f)
	choose(c, &d.output, "output", "o", "table", "table, json, jsonl, md or csv", show.Formats()...)
	colourFlag(c, &d.colour)
	f.BoolVar(&d.open, "open", false, "also list findings that are still open")
	f.BoolVar(&d.uses, "uses", false, "also list ordinary uses of keys and passwords, which table and md count")
	choose(c, &d.least, "severity", "", "info", "list what is of this `severity` or a higher one; all is counted",
		severityNames()...)
	f.IntVar(&d.most, "top", 100, "how many events, and findings of each state, table and md list, the worst first; 0 lists all")
	f.BoolVar(&d.exitCode, "exit-code", false, "end with 1 where a finding is new and fails")
	choose(c, &d.failOn, "fail-on-new", "", "", "--exit-code for findings of this `severity` or a higher one",
		severityNames()...)
	return c
}

func (d *diffing) run(cmd *cobra.Command, args []string) error {
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
	options, err := d.judging.options()
	if err != nil {
		return err
	}
	defer d.inputs.close()
	series, err := d.inputs.series(args, cmd.Flags().Changed)
	if err != nil {
		return err
	}
	var summary show.Summary
	err = d.out.write(func(w io.Writer) error {
		return d.compare(cmd.Context(), w, series, diff.Options{Audit: options}, least, &summary)
	})
	if err != nil {
		return err
	}
	return d.verdict(&summary, failOn)
}

// compare compares account by account.
func (d *diffing) compare(ctx context.Context, w io.Writer, series []diffAccount, o diff.Options, least audit.Severity, summary *show.Summary) error {
	table := tableOptions(d.p, w, d.colour, time.Time{})
	out, _ := show.Open(d.output, w, show.Options{
		Program: "rollcall " + version(), Least: least, Open: d.open, Uses: d.uses, Most: d.most, Width: table.Width, Colour: table.Colour,
	})
	for i := range series {
		account := series[i].failed
		if account == nil {
			var err error
			if account, err = diff.Compare(ctx, series[i].Series, o, out.Change); err != nil {
				return err
			}
			for _, p := range series[i].problems {
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

// verdict is the exit code, with a word on standard error.
func (d *diffing) verdict(s *show.Summary, failOn audit.Severity) error {
	incomplete := 0
	for _, a := range s.Accounts {
		if a.Incomplete() {
			incomplete++
		}
	}
	if incomplete > 0 {
		return fmt.Errorf("the comparison is incomplete: of %s, %d not wholly compared or judged",
			words.Count(len(s.Accounts), "account"), incomplete)
	}
	if n := s.Counts.NewFailures(failOn); d.exitCode && n > 0 {
		return &exitError{code: exitFindings, err: fmt.Errorf("%s of severity %v or worse", words.Count(n, "new finding"),
			failOn)}
	}
	return nil
}
