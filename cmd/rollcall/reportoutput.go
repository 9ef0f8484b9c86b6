package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"rollcall/internal/fleet"
	"rollcall/internal/ownfile"
	"rollcall/internal/render"
	"rollcall/report"
)

// write writes a report that a service gave. CSV is written byte for byte.
func (r *reporting) write(got *fleet.Report) error {
	if r.output == "csv" {
		return r.out.write(func(w io.Writer) error {
			content := got.Content
			if _, terminal := width(w); terminal {
				content = append(content, '\n') // or the prompt would follow the last row
			}
			_, err := w.Write(content)
			return err
		})
	}
	rd, err := report.NewReader(bytes.NewReader(got.Content))
	if err != nil {
		return fmt.Errorf("the service's report: %w", err)
	}
	return r.out.write(func(w io.Writer) error { return r.writeRows(w, rd, got.Generated) })
}

func (r *reporting) writeRows(w io.Writer, rd *report.Reader, asOf time.Time) error {
	switch r.output {
	case "json":
		return render.JSON(w, rd)
	case "jsonl":
		return render.JSONLines(w, rd)
	case "csv":
		err := render.CSV(w, rd)
		if _, terminal := width(w); terminal && err == nil {
			_, err = fmt.Fprintln(w)
		}
		return err
	}
	var rows []report.Row
	for row, err := range rd.All() {
		if err != nil {
			return err
		}
		rows = append(rows, *row)
	}
	return render.Table(w, rows, tableOptions(r.p, w, r.colour, asOf))
}

// tableOptions fit a table to where it goes: a terminal has a width and,
// unless NO_COLOR is set, colour. COLUMNS goes before what the terminal says.
func tableOptions(p *process, w io.Writer, colour string, asOf time.Time) render.TableOptions {
	columns, terminal := width(w)
	if n, err := strconv.Atoi(p.env("COLUMNS")); err == nil && n > 0 {
		columns = n
	}
	auto := terminal && p.env("NO_COLOR") == "" && p.env("TERM") != "dumb"
	return render.TableOptions{Width: columns, Colour: colour == "on" || colour == "auto" && auto, AsOf: asOf}
}

// outFile is where a result goes: standard output, or a file that is whole or
// not there at all.
type outFile struct {
	p    *process
	path string
}

func (o *outFile) add(f *pflag.FlagSet) {
	f.StringVar(&o.path, "out", "", "write to this `file`, readable by you alone, instead of standard output")
}

func (o *outFile) write(fill func(io.Writer) error) error {
	if o.path == "" || o.path == "-" {
		return fill(o.p.stdout)
	}
	return ownfile.Write(o.path, fill)
}
