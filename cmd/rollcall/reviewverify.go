package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/escape"
	"rollcall/internal/reports"
	"rollcall/internal/review"
	"rollcall/internal/words"
)

func verifyReview(p *process, cmd *cobra.Command, args []string, output, at string) error {
	before, err := newestAt(at, args[1:])
	if err != nil {
		return err
	}
	r, err := review.Open(args[0])
	if err != nil {
		return err
	}
	found, err := reports.Find(args[1:], p.stdin, before)
	if err != nil {
		return err
	}
	v, err := r.Verify(cmd.Context(), found.Reports, commandLine(cmd, args), time.Now())
	if err != nil {
		return err
	}
	for i := range found.Reports {
		if g := found.Reports[i].Guess; g != nil {
			p.tell("rollcall: %s\n", escape.Printable(fmt.Sprintf("%s does not say when it was generated: taking %s",
				g.Name, g.From)))
		}
	}
	if output == "json" {
		err = writeJSON(p.stdout, v)
	} else {
		err = printChecks(p, v)
	}
	if err != nil {
		return err
	}
	left, err := undecided(r)
	switch failed, unknown := v.Failed(); {
	case err != nil:
		return err
	case left != "" && unknown == 0:
		return errors.New(left)
	case unknown > 0:
		return fmt.Errorf("no later report tells about %s", words.Count(unknown, "decision"))
	case failed > 0:
		return &exitError{code: exitFindings,
			err: fmt.Errorf("%s not carried out in time", words.Count(failed, "decision"))}
	}
	return nil
}

// undecided says how many lines of a review have no decision, "" for none.
func undecided(r *review.Review) (string, error) {
	s, err := r.Status(time.Now())
	if err != nil || s.Complete {
		return "", err
	}
	return fmt.Sprintf("%s of %d not decided", words.Count(s.Items-s.Decided, "line"), s.Items), nil
}

func printChecks(p *process, v *review.Verification) error {
	t := newTable(p.stdout, "DECISION", "OUTCOME", "IN TIME", "DEADLINE", "SHOWN", "CREDENTIAL", "WHAT THE REPORTS SHOW")
	for i := range v.Checks {
		c := &v.Checks[i]
		shown := ""
		if !c.ShownAt.IsZero() {
			shown = c.ShownAt.Format(time.DateOnly)
		}
		t.row(string(c.Decision.Verb), string(c.Outcome), string(c.InTime), c.Deadline.Format(time.DateOnly), shown,
			escapeLines(c.Title), escapeLines(c.How))
	}
	if len(v.Checks) == 0 {
		_, err := fmt.Fprintln(p.stdout, "Nobody has decided to revoke or to change anything, and there is no exception.")
		return err
	}
	if err := t.print(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "\n%d of %s done, %d overdue, %d open, %d not known\n",
		v.Count(review.Revoke, review.Done), words.Count(v.Total(review.Revoke), "revocation"),
		v.Count(review.Revoke, review.Overdue), v.Count(review.Revoke, review.Pending),
		v.Count(review.Revoke, review.Unknown))
	return err
}
