package main

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"rollcall/internal/audit"
	"rollcall/internal/fleet"
	"rollcall/internal/ownfile"
	"rollcall/internal/render"
	"rollcall/report"
)

// write writes a report of a service. It writes CSV byte for byte.
func (r *reportRun) write(got *fleet.Report) error {
	if r.output == "csv" {
		return r.out.write(func(w io.Writer) error {
			content := got.Content
			if _, terminal := width(w); terminal {
				content = append(content, '\n') // the prompt must not follow the last row
			}
			_, err := w.Write(content)
			return err
		})
	}
	rd, err := report.NewReader(bytes.NewReader(got.Content))
	if err != nil {
		return fmt.Errorf("the service's report: %w", err)
	}
	src := audit.Source{Generated: got.Generated, Fetched: got.Fetched, Origin: string(got.Source)}
	return r.out.write(func(w io.Writer) error {
		if r.output == "table" {
			return r.writeTable(w, rd.All(), got.Generated, render.Made(&src))
		}
		return r.writeRows(w, rd.Columns(), rd.All())
	})
}

// writeRows writes rows in every form except the table.
func (r *reportRun) writeRows(w io.Writer, columns report.Columns, rows iter.Seq2[*report.Row, error]) error {
	switch r.output {
	case "json":
		return render.JSON(w, rows)
	case "jsonl":
		return render.JSONLines(w, rows)
	}
	err := render.CSV(w, columns, rows)
	if _, terminal := width(w); terminal && err == nil {
		_, err = fmt.Fprintln(w)
	}
	return err
}

func (r *reportRun) writeTable(w io.Writer, rows iter.Seq2[*report.Row, error], asOf time.Time, made string) error {
	var all []report.Row
	for row, err := range rows {
		if err != nil {
			return err
		}
		all = append(all, *row)
	}
	o := tableOptions(r.p, w, r.colour, asOf)
	o.Made = made
	return render.Table(w, all, o)
}

// tableOptions returns the options of a table for w. A terminal has a width and,
// unless NO_COLOR is set, colour. COLUMNS takes precedence over the terminal's
// width.
func tableOptions(p *process, w io.Writer, colour string, asOf time.Time) render.TableOptions {
	columns, terminal := width(w)
	if n, err := strconv.Atoi(p.env("COLUMNS")); err == nil && n > 0 {
		columns = n
	}
	auto := terminal && p.env("NO_COLOR") == "" && p.env("TERM") != "dumb"
	return render.TableOptions{Width: columns, Colour: colour == "on" || colour == "auto" && auto, AsOf: asOf}
}

// outFile is the destination of a result: standard output, or a file that appears
// only when it is complete.
type outFile struct {
	p    *process
	path string
}

func (o *outFile) add(f *pflag.FlagSet) {
	f.StringVar(&o.path, "out", "", "write to this `file`, which only you can read, instead of standard output")
}

func (o *outFile) write(fill func(io.Writer) error) error {
	if o.path == "" || o.path == "-" {
		return fill(o.p.stdout)
	}
	if err := o.p.spare(o.path); err != nil {
		return err
	}
	return ownfile.Write(o.path, fill)
}
