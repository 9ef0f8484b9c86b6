package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/escape"
	"rollcall/internal/render"
	"rollcall/internal/reports"
	"rollcall/internal/words"
	"rollcall/report"
)

// showAll shows saved reports, in every form that an audit can read.
func (r *reportRun) showAll(cmd *cobra.Command, args []string) error {
	var asOf time.Time
	if r.asOf != "" {
		var err error
		if asOf, err = parseTime("as-of", r.asOf); err != nil {
			return err
		}
	}
	found, err := reports.Find(args, r.p.stdin, time.Time{})
	if err != nil {
		if like := words.Closest(args[0], subcommands(cmd)); errors.Is(err, fs.ErrNotExist) && like != "" {
			return usageError("%w; did you mean '%s %s'?", err, cmd.CommandPath(), like)
		}
		return err
	}
	inputs := found.Reports
	var missing []string
	for i := range inputs {
		if err := inputs[i].Prepare(false); err != nil {
			return err
		}
		if why := inputs[i].Missing; why != "" {
			of := cmp.Or(inputs[i].Source.Account, inputs[i].Source.Name)
			missing = append(missing, of+": "+strings.TrimSuffix(why, "."))
		}
	}
	inputs = slices.DeleteFunc(inputs, func(in reports.Report) bool { return in.Missing != "" })
	if len(inputs) > 0 {
		err = r.out.write(func(w io.Writer) error { return r.show(cmd.Context(), w, inputs, asOf) })
	}
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("no report of %s", strings.Join(missing, "; "))
	}
	return err
}

// show writes reports: one table below the other, or all rows in another form.
func (r *reportRun) show(ctx context.Context, w io.Writer, inputs []reports.Report, asOf time.Time) error {
	readers := make([]*report.Reader, len(inputs))
	for i := range inputs {
		from, err := inputs[i].Open()
		if err != nil {
			return err
		}
		defer from.Close()
		if readers[i], err = report.NewReader(from); err != nil {
			return fmt.Errorf("%s: %w", inputs[i].Title(), err)
		}
		if r.output == "csv" && !slices.Equal(readers[i].Columns().Names(), readers[0].Columns().Names()) {
			return usageError("%s has other columns than %s: see --output jsonl", inputs[i].Title(), inputs[0].Title())
		}
	}
	if r.output != "table" {
		return r.writeRows(w, readers[0].Columns(), rowsOf(ctx, inputs, readers))
	}
	for i := range inputs {
		in := &inputs[i]
		if len(inputs) > 1 {
			title := map[bool]string{true: "\n"}[i > 0] + escape.Printable(in.Title()) + "\n"
			if _, err := io.WriteString(w, title); err != nil {
				return err
			}
		}
		at, src := in.Source.Generated, in.Source
		if in.Guess != nil {
			at, src.Generated = time.Now(), time.Time{}
		}
		if !asOf.IsZero() {
			at = asOf
		}
		if err := r.writeTable(w, rowsOf(ctx, inputs[i:i+1], readers[i:]), at, render.Made(&src)); err != nil {
			return err
		}
	}
	return nil
}

// rowsOf returns the rows of reports, one report after the other.
func rowsOf(
	ctx context.Context, inputs []reports.Report, readers []*report.Reader,
) iter.Seq2[*report.Row, error] {
	return func(yield func(*report.Row, error) bool) {
		for i := range inputs {
			for row, err := range readers[i].All() {
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					err = fmt.Errorf("%s: %w", inputs[i].Title(), err)
				}
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}
