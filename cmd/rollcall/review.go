package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/escape"
	"rollcall/internal/review"
	"rollcall/internal/words"
)

func reviewCommand(p *process) *cobra.Command {
	c := group(&cobra.Command{
		Use:     "review",
		GroupID: "reports",
		Short:   "Run an access review: freeze, decide, revoke, keep the evidence",
		Long: `Run a periodic access review over credential reports. 'start' freezes all users
and credentials, and writes a sheet for each reviewer: a CSV file and a page that
works offline. 'collect' takes the decisions that come back, and refuses what does
not match the frozen population. 'plan' writes the revocations as a script,
'verify' looks for them in later reports, and 'pack' writes one file of evidence
that 'check' can verify. 'compare' compares two reviews. More: docs/review.md.

` + exitCodesHelp,
		Example: `  rollcall review start reports --into review/2026-Q4 --owners owners.csv
  rollcall review collect review/2026-Q4 decisions-*.json
  rollcall review status review/2026-Q4
  rollcall review plan review/2026-Q4 --out plan.sh
  rollcall review verify review/2026-Q4 reports
  rollcall review pack review/2026-Q4 --sign ~/.ssh/id_ed25519`,
	}, reviewStartCommand(p), reviewStatusCommand(p), reviewCollectCommand(p),
		reviewPlanCommand(p), reviewVerifyCommand(p), reviewPackCommand(p), reviewCheckCommand(p), reviewCompareCommand(p))
	return c
}

func reviewStatusCommand(p *process) *cobra.Command {
	var output string
	var failing bool
	c := &cobra.Command{
		Use:   "status REVIEW",
		Short: "Show who has answered, and who has not",
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := review.Open(args[0])
			if err != nil {
				return err
			}
			s, err := r.Status(time.Now())
			if err != nil {
				return err
			}
			if output == "json" {
				err = writeJSON(p.stdout, s)
			} else {
				err = printStatus(p, s)
			}
			if err != nil || !failing {
				return err
			}
			left, err := undecided(r)
			if err == nil && left != "" {
				err = &exitError{code: exitFindings, err: errors.New(left)}
			}
			return err
		},
	}
	outputFlag(c, &output)
	c.Flags().BoolVar(&failing, "exit-code", false, "exit with 1 if anybody has not answered")
	return c
}

func printStatus(p *process, s *review.Status) error {
	t := newTable(p.stdout, "REVIEWER", "LINES", "ANSWERED", "KEEP", "REVOKE", "CHANGE", "EXCEPTION")
	waiting := 0
	for _, of := range s.Reviewers {
		at := "no"
		if !of.CollectedAt.IsZero() {
			at = of.CollectedAt.Format(time.DateOnly)
		} else {
			waiting++
		}
		row := []string{of.Name, fmt.Sprint(of.Items), at}
		for _, v := range review.Verbs {
			row = append(row, fmt.Sprint(of.Decisions[v]))
		}
		t.row(row...)
	}
	if err := t.print(); err != nil {
		return err
	}
	text := fmt.Sprintf("\n%s: %d of %s decided, due %s", s.Review, s.Decided, words.Count(s.Items, "line"), s.Due)
	switch {
	case s.Complete:
		text += "; complete"
	case s.Overdue:
		text += fmt.Sprintf("; overdue, %s not answered", haveNot(waiting))
	default:
		text += fmt.Sprintf("; %s not answered", haveNot(waiting))
	}
	for _, a := range s.Missing {
		text += fmt.Sprintf("\nAccount %s is %s: %s", strings.TrimSpace(a.Account+" "+a.Name), a.State, a.Why)
	}
	_, err := fmt.Fprintln(p.stdout, escapeLines(text))
	return err
}

// haveNot counts reviewers for a sentence.
func haveNot(n int) string {
	if n == 1 {
		return "1 reviewer has"
	}
	return fmt.Sprintf("%d reviewers have", n)
}

// escapeLines makes a text of several lines safe for a terminal.
func escapeLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = escape.Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

func reviewCollectCommand(p *process) *cobra.Command {
	var replace bool
	c := &cobra.Command{
		Use:   "collect REVIEW FILE...",
		Short: "Take files of decisions that reviewers sent back",
		Long: `Take files of decisions: the JSON that the page of a sheet saves, or the CSV sheet
with its last columns filled in. A file is accepted as a whole or not at all. It is
refused if a line is unknown, missing, decided twice, or another reviewer's, if a
fact was altered, if a reason is missing, if the reviewer would decide about
themselves, if the reviewer has answered already, or if it is for another freeze.

` + exitCodesHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			return collect(cmd.Context(), p, args[0], args[1:], replace)
		},
	}
	c.Flags().BoolVar(&replace, "replace", false, "replace an earlier file of the same reviewer")
	return c
}

// collect collects files of decisions. If one is refused, it continues with the
// others.
func collect(ctx context.Context, p *process, dir string, files []string, replace bool) error {
	r, err := review.Open(dir)
	if err != nil {
		return err
	}
	var refused []string
	for _, file := range files {
		text, err := readLimited(file, review.MaxDecisions)
		if err != nil {
			refused = append(refused, escape.Printable(withHint(err)))
			continue
		}
		f, err := r.Collect(ctx, filepath.Base(file), text, replace, time.Now())
		var no *review.Refusal
		switch {
		case errors.As(err, &no):
			refused = append(refused, escape.Printable(err.Error()))
		case err != nil:
			return err
		default:
			p.tell("rollcall: %s\n", escape.Printable(fmt.Sprintf("collected %s of %s from %s",
				words.Count(f.Items, "decision"), f.Reviewer, f.GivenAs)))
		}
	}
	if len(refused) == 0 {
		return nil
	}
	last := len(refused) - 1
	for _, text := range refused[:last] {
		p.tell("rollcall: %s\n", text)
	}
	return errors.New(refused[last])
}

// readLimited reads a file with a limit on its size.
func readLimited(file string, most int64) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", file)
	case info.Size() > most:
		return nil, fmt.Errorf("%s is longer than %d MiB", file, most>>20)
	}
	return os.ReadFile(file)
}
