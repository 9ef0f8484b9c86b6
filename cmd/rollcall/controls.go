package main

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/grid"
	"rollcall/internal/render"
	"rollcall/internal/words"
)

// controlsRun is one run of 'rollcall controls'.
type controlsRun struct {
	p                         *process
	output, benchmark, colour string
	of                        *audit.Benchmark // nil for none
	config                    string
	own                       []*audit.Control // the controls of config
}

func controlsCommand(p *process) *cobra.Command {
	e := &controlsRun{p: p}
	c := &cobra.Command{
		Use:     "controls [CONTROL]...",
		GroupID: "reports",
		Short:   "List and explain the controls of 'rollcall audit'",
		Long: `List the controls of 'rollcall audit', or explain those that the arguments name by
id or name. An explanation has the exact rule, the columns that the rule reads,
its verdicts on absent values, its thresholds, its names in benchmarks and
standards, and its sources.

` + exitCodesHelp,
		Example: `  rollcall controls
  rollcall controls --benchmark cis-7.0
  rollcall controls C7 key-age
  rollcall controls --config audit.yaml
  rollcall controls --output md > controls.md`,
		RunE: func(_ *cobra.Command, args []string) error { return e.run(args) },
	}
	choose(c, &e.output, "output", "o", "table", "table, json or md", "table", "json", "md")
	choose(c, &e.benchmark, "benchmark", "b", "",
		"only the controls of this `benchmark`, with its thresholds and severities: "+
			strings.Join(audit.BenchmarkIDs(), ", "), audit.BenchmarkIDs()...)
	c.Flags().StringVar(&e.config, "config", "", "include the controls of this audit configuration `file`")
	colourFlag(c, &e.colour)
	c.AddCommand(controlsTestCommand(p))
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var ids []string
		for _, control := range audit.Controls() {
			ids = append(ids, string(control.ID)+"\t"+control.Title)
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
	return c
}

func (e *controlsRun) run(args []string) error {
	if e.config != "" {
		config, err := readAuditConfig(e.config, false)
		if err != nil {
			return err
		}
		e.own = config.OwnControls()
	}
	if e.benchmark != "" {
		e.of, _ = audit.FindBenchmark(audit.Standard(e.benchmark))
	}
	list, err := e.chosen(args)
	if err != nil {
		return err
	}
	switch {
	case e.output == "json":
		return e.json(list)
	case e.output == "md":
		return e.markdown(list)
	case len(args) == 0:
		return e.table(list)
	}
	out := bufio.NewWriter(e.p.stdout)
	for i, c := range list {
		if i > 0 {
			fmt.Fprintln(out)
		}
		e.explain(out, c)
	}
	return out.Flush()
}

// chosen returns the controls that the arguments name, or all.
func (e *controlsRun) chosen(args []string) ([]*audit.Control, error) {
	var list []*audit.Control
	for _, arg := range args {
		c, own := e.ownControl(arg)
		if own {
			list = append(list, c)
			continue
		}
		c, ok := audit.FindControl(arg)
		if !ok {
			return nil, usageError("%w", noControl(arg, append(audit.Controls(), e.own...)))
		}
		if e.of != nil && !slices.Contains(e.of.Controls, c.ID) {
			return nil, usageError("%s has no control %s", e.of.ID, c.ID)
		}
		list = append(list, c)
	}
	if len(args) > 0 {
		return list, nil
	}
	for _, c := range audit.Controls() {
		if e.of == nil || slices.Contains(e.of.Controls, c.ID) {
			list = append(list, c)
		}
	}
	return append(list, e.own...), nil
}

// ownControl finds a control of the configuration.
func (e *controlsRun) ownControl(idOrName string) (*audit.Control, bool) {
	for _, c := range e.own {
		if c.Named(idOrName) {
			return c, true
		}
	}
	return nil, false
}

// noControl returns an error for an id or name that no control has.
func noControl(name string, all []*audit.Control) error {
	var names []string
	for _, c := range all {
		names = append(names, string(c.ID), c.Name)
	}
	return fmt.Errorf("%q is not a control%s (see 'rollcall controls')", name, words.DidYouMean(name, names))
}

// severity returns the benchmark's severity of a control, or without a benchmark
// the control's own.
func (e *controlsRun) severity(c *audit.Control) audit.Severity {
	if e.of != nil {
		return e.of.Severity(c)
	}
	return c.Severity
}

func (e *controlsRun) table(list []*audit.Control) error {
	look := e.look()
	g := grid.Grid{Titles: []string{"CONTROL", "NAME", "SEVERITY", "OF", "JUDGES"}, Spare: []string{"OF"}, Wrap: true}
	for _, c := range list {
		g.Add(grid.Cell{Text: string(c.ID)}, grid.Cell{Text: c.Name}, e.severityCell(c),
			grid.Cell{Text: string(c.Subject)},
			grid.Cell{Text: c.Title})
	}
	out := bufio.NewWriter(e.p.stdout)
	if e.of != nil {
		fmt.Fprintln(out, grid.Heading.Paint(strings.TrimSpace(e.of.Title+" "+e.of.Version), look.Colour))
		e.text(out, "", e.of.About)
		g.Write(out, look.Width, look.Colour)
		return out.Flush()
	}
	g.Write(out, look.Width, look.Colour)
	b := grid.Grid{Titles: []string{"BENCHMARK", "CONTROLS", "TITLE"}, Wrap: true}
	for _, of := range audit.Benchmarks() {
		b.Add(grid.Cell{Text: string(of.ID)}, grid.Cell{Text: fmt.Sprint(len(of.Controls))},
			grid.Cell{Text: strings.TrimSpace(of.Title + " " + of.Version)})
	}
	fmt.Fprintln(out)
	b.Write(out, look.Width, look.Colour)
	return out.Flush()
}

func (e *controlsRun) look() render.Options {
	t := tableOptions(e.p, e.p.stdout, e.colour, time.Time{})
	return render.Options{Width: t.Width, Colour: t.Colour}
}

func (e *controlsRun) severityCell(c *audit.Control) grid.Cell {
	s := e.severity(c)
	cell := grid.Cell{Text: s.String()}
	switch {
	case s >= audit.High:
		cell.Style = grid.Bad
	case s == audit.Medium:
		cell.Style = grid.Odd
	}
	return cell
}

// text writes a paragraph that fits the terminal.
func (e *controlsRun) text(w *bufio.Writer, indent, s string) {
	if s == "" {
		return
	}
	columns := e.look().Width
	if columns <= 0 {
		columns = 100
	}
	for _, line := range grid.Wrap(s, max(columns-len(indent), 20)) {
		fmt.Fprintln(w, indent+line)
	}
}

// explain writes everything about a control.
func (e *controlsRun) explain(w *bufio.Writer, c *audit.Control) {
	colour := e.look().Colour
	head := func(s string) { fmt.Fprintln(w, grid.Heading.Paint(s, colour)) }
	head(fmt.Sprintf("%s %s: %s", c.ID, c.Name, c.Title))
	e.text(w, "", c.Description)
	for _, part := range []struct{ name, text string }{
		{"Rule", c.Rule}, {"In CEL", e.cel(c)}, {"Severity", e.severities(c)}, {"Columns", strings.Join(c.Columns, ", ")},
	} {
		if part.text != "" {
			fmt.Fprintln(w)
			head(part.name)
			e.text(w, "  ", part.text)
		}
	}
	for _, part := range []struct {
		name  string
		lines []string
	}{{"Absent values", absent(c)}, {"Thresholds", e.thresholds(c)}, {"Called elsewhere", elsewhere(c)},
		{"What to do", []string{c.Remediation}}, {"Sources", c.Sources}} {
		if len(part.lines) == 0 || part.lines[0] == "" {
			continue
		}
		fmt.Fprintln(w)
		head(part.name)
		for _, line := range part.lines {
			e.text(w, "  ", line)
		}
	}
}

// cel returns the expression that is equivalent to the rule, with the thresholds
// of the benchmark, "" if there is none.
func (e *controlsRun) cel(c *audit.Control) string {
	if c.CEL == "" {
		return ""
	}
	of := e.of
	if of == nil {
		of, _ = audit.FindBenchmark(audit.DefaultBenchmark)
	}
	text := "scope " + string(c.Scope) + ": " + c.CEL
	if c.When != "" {
		text += " (when " + c.When + ")"
	}
	for name, value := range params(of) {
		text = strings.ReplaceAll(text, "{"+name+"}", fmt.Sprint(value))
	}
	return text
}

// absent returns what the rule concludes from absent values.
func absent(c *audit.Control) []string {
	var lines []string
	for _, a := range c.Absent {
		where := a.Value
		if a.Column != "" {
			where += " in " + a.Column
		}
		lines = append(lines, where+": "+a.Verdict)
	}
	return lines
}

// severities returns our severity of a control and those of other auditors.
func (e *controlsRun) severities(c *audit.Control) string {
	text := e.severity(c).String()
	var others []string
	for _, o := range c.OtherSeverities {
		others = append(others, o.Auditor+" "+o.Severity)
	}
	if len(others) > 0 {
		text += " (" + strings.Join(others, ", ") + ")"
	}
	return text
}

// thresholds returns the parameters of the rule, with the values of the
// benchmark, or of every benchmark that has the control.
func (e *controlsRun) thresholds(c *audit.Control) []string {
	benchmarks := audit.Benchmarks()
	if e.of != nil {
		benchmarks = []*audit.Benchmark{e.of}
	}
	var lines []string
	for _, name := range c.Params {
		of := map[string][]string{}
		var values []string
		for _, b := range benchmarks {
			if !slices.Contains(b.Controls, c.ID) {
				continue
			}
			value := paramValue(b, name)
			if of[value] == nil {
				values = append(values, value)
			}
			of[value] = append(of[value], string(b.ID))
		}
		for i, value := range values {
			values[i] = value
			if len(values) > 1 {
				values[i] += " (" + strings.Join(of[value], ", ") + ")"
			}
		}
		lines = append(lines, name+": "+strings.Join(values, "; "))
	}
	return lines
}

// elsewhere returns the names of the control in standards, one line for each
// standard.
func elsewhere(c *audit.Control) []string {
	var order []audit.Standard
	of := map[audit.Standard][]string{}
	for _, r := range c.Requirements {
		if of[r.Standard] == nil {
			order = append(order, r.Standard)
		}
		id := r.ID
		switch {
		case r.Suggested && r.Manual:
			id += " (suggested, manual)"
		case r.Suggested:
			id += " (suggested)"
		case r.Manual:
			id += " (manual)"
		}
		of[r.Standard] = append(of[r.Standard], id)
	}
	var lines []string
	for _, standard := range order {
		lines = append(lines, string(standard)+": "+strings.Join(of[standard], ", "))
	}
	if c.ConfigRule != "" {
		lines = append(lines, "AWS Config: "+c.ConfigRule)
	}
	return lines
}
