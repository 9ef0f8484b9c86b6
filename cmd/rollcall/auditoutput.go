package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/html"
	"rollcall/internal/ownfile"
	"rollcall/internal/render"
	"rollcall/internal/render/lake"
	"rollcall/internal/reports"
)

// parquetFormat is the only format that writes a folder.
const parquetFormat = "parquet"

func formatNames() []string {
	var names []string
	for _, f := range render.Formats() {
		names = append(names, f.Name)
	}
	return append(names, parquetFormat)
}

func formatsHelp() string {
	var b strings.Builder
	for _, f := range render.Formats() {
		fmt.Fprintf(&b, "  %-11s %s\n", f.Name, f.About)
	}
	fmt.Fprintf(&b, "  %-11s %s\n", parquetFormat, "a folder of Parquet files, with SQL for DuckDB and Athena")
	return b.String()
}

// outputSpec is one output of --output. Without a path it goes to standard output.
type outputSpec struct{ format, path string }

// needs returns the parts of the audit that the output shows.
func (o outputSpec) needs() render.Needs {
	if o.format == parquetFormat {
		return render.EveryRow
	}
	f, _ := render.FindFormat(o.format)
	return f.Needs
}

// parseOutputs reads the values of --output. A comma separates outputs if a
// format's name follows it. Otherwise it is part of the path.
func parseOutputs(given []string) ([]outputSpec, error) {
	if len(given) == 0 {
		return []outputSpec{{format: "table"}}, nil
	}
	var all []outputSpec
	for _, text := range given {
		first := len(all)
		for part := range strings.SplitSeq(text, ",") {
			format, path, hasPath := strings.Cut(part, "=")
			switch known := slices.Contains(formatNames(), format); {
			case known && hasPath && path == "":
				return nil, usageError("--output %s= names no file", format)
			case known:
				all = append(all, outputSpec{format, path})
			case len(all) > first && all[len(all)-1].path != "":
				all[len(all)-1].path += "," + part
			default:
				return nil, usageError("--output %w", noneOf(format, formatNames()))
			}
		}
	}
	return all, checkOutputs(all)
}

func checkOutputs(all []outputSpec) error {
	paths := map[string]bool{}
	for i := range all {
		o := &all[i]
		if o.path == "-" {
			o.path = ""
		}
		path := o.path
		if path != "" {
			path = filepath.Clean(path)
		}
		switch {
		case o.format == parquetFormat && path == "":
			return usageError("--output %s writes a folder: give it a name, as in %s=lake", parquetFormat, parquetFormat)
		case paths[path] && path == "":
			return usageError("only one output can go to standard output: give the others a file, as in %s=FILE",
				o.format)
		case paths[path]:
			return usageError("two outputs would go to %s", path)
		}
		paths[path] = true
	}
	return nil
}

// auditOutputs are all outputs of a run, which are written in one pass. A file
// appears only when it is complete.
type auditOutputs struct {
	outputs []render.Output
	needs   render.Needs // the maximum of their needs
	files   []*ownfile.Pending
	lakes   []*lake.Lake
}

// openOutputs opens the outputs.
func (a *auditRun) openOutputs(specs []outputSpec, judged *audit.Options, found *reports.Found,
	histories []html.History) (*auditOutputs, error) {
	o := render.Options{
		Program: "rollcall", Version: version(), Now: time.Now().UTC().Truncate(time.Second), AsOf: judged.AsOf,
		Benchmark: judged.Benchmark, Exceptions: judged.Exceptions, Histories: histories,
		Query: a.query, OCSF: a.ocsf, Region: cmp.Or(a.evidence.reach.settings.Region, a.p.env("AWS_REGION"),
			a.p.env("AWS_DEFAULT_REGION")),
	}
	for i := range found.Reports {
		if id := found.Reports[i].Organization; id != "" && !slices.Contains(o.Organizations, id) {
			o.Organizations = append(o.Organizations, id)
		}
	}
	for _, of := range found.Inactive {
		o.Skipped = append(o.Skipped, render.Skipped{Account: of.ID, Name: of.Outcome.Name,
			Status: string(of.Outcome.Status)})
	}
	all := &auditOutputs{}
	for _, spec := range specs {
		all.needs = max(all.needs, spec.needs())
		if err := a.openOutput(all, spec, o); err != nil {
			all.abort()
			return nil, err
		}
	}
	return all, nil
}

func (a *auditRun) openOutput(all *auditOutputs, spec outputSpec, o render.Options) error {
	if spec.format == parquetFormat {
		l, err := lake.Create(spec.path, o)
		if err != nil {
			return err
		}
		all.outputs, all.lakes = append(all.outputs, l), append(all.lakes, l)
		return nil
	}
	w := a.p.stdout
	if _, terminal := width(w); terminal && spec.format == "html" && spec.path == "" {
		return usageError(
			"a page is for a browser, not for a terminal: name a file, as in --output html=audit.html")
	}
	if spec.path != "" {
		if err := a.p.spare(spec.path); err != nil {
			return err
		}
		f, err := ownfile.Create(spec.path)
		if err != nil {
			return err
		}
		w = f.File
		all.files = append(all.files, f)
	}
	look := tableOptions(a.p, w, a.colour, time.Time{})
	o.Width, o.Colour = look.Width, look.Colour
	if spec.path != "" {
		o.Width = 0
	}
	if spec.format == "github" {
		if err := a.stepSummary(all, &o); err != nil {
			return err
		}
	}
	f, _ := render.FindFormat(spec.format)
	all.outputs = append(all.outputs, f.Open(w, o))
	return nil
}

// stepSummary opens the file for the summary of a step, in a workflow of GitHub.
func (a *auditRun) stepSummary(all *auditOutputs, o *render.Options) error {
	path := a.p.env("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the step summary: %w", err)
	}
	o.StepSummary = f
	all.files = append(all.files, &ownfile.Pending{File: f})
	return nil
}

// Report begins the next report in all outputs.
func (o *auditOutputs) Report(src audit.Source) error {
	return o.each(func(out render.Output) error { return out.Report(src) })
}

// visit returns a function that writes a row to all outputs. It is nil if no
// output needs rows, which saves the audit from building their findings.
func (o *auditOutputs) visit() func(*audit.Row) error {
	if o.needs == render.Summary {
		return nil
	}
	return func(row *audit.Row) error {
		return o.each(func(out render.Output) error { return out.Row(row) })
	}
}

// End ends the report in all outputs.
func (o *auditOutputs) End(a *audit.AccountSummary) error {
	return o.each(func(out render.Output) error { return out.End(a) })
}

func (o *auditOutputs) each(do func(render.Output) error) error {
	for _, out := range o.outputs {
		if err := do(out); err != nil {
			return err
		}
	}
	return nil
}

// close ends all outputs and moves the files to their places.
func (o *auditOutputs) close(s *audit.Summary) error {
	if err := o.each(func(out render.Output) error { return out.Close(s) }); err != nil {
		return err
	}
	for _, f := range o.files {
		if err := f.Commit(); err != nil {
			return err
		}
	}
	o.files, o.lakes = nil, nil
	return nil
}

// abort removes unfinished files. After close it does nothing.
func (o *auditOutputs) abort() {
	for _, f := range o.files {
		f.Abort()
	}
	for _, l := range o.lakes {
		l.Abort()
	}
}
