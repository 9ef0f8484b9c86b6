package render

import (
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/grid"
	"rollcall/internal/words"
)

// omittedOf returns the number of findings of a severity that are not among the
// worst.
func omittedOf(a *audit.AccountSummary, severity audit.Severity) int {
	if a.Missing {
		return 0
	}
	n := 0
	for _, status := range [...]audit.Status{audit.Fail, audit.NoData, audit.Warn} {
		n += a.Counts.Severities[severity][status]
	}
	for i := range a.Worst {
		if a.Worst[i].Severity == severity {
			n--
		}
	}
	return n
}

// leftOut says how many findings of an account are omitted.
func leftOut(n int, severity audit.Severity, beside bool) string {
	what := severity.String() + " finding"
	if beside {
		what = "more " + what
	}
	return words.Count(n, what) + verb(n) + " not shown"
}

// controls shows the result of each control with its number in the benchmark.
func (t tableFindings) controls(s *audit.Summary) {
	g := grid.Grid{Titles: []string{"ITEM", "CONTROL", "FAIL", "NO_DATA", "WARN", "MANUAL", "PASS", "TITLE"},
		Spare: []string{"MANUAL", "WARN", "NO_DATA"}, Wrap: true}
	for i := range s.Counts.Controls {
		c := &s.Counts.Controls[i]
		item := grid.Cell{Text: strings.Join(c.Control.RequirementIDs(s.Benchmark.ID), ", ")}
		if item.Text == "" {
			item = grid.None
		}
		row := []grid.Cell{item, {Text: string(c.Control.ID)}}
		for _, status := range [...]audit.Status{audit.Fail, audit.NoData, audit.Warn, audit.Manual, audit.Pass} {
			row = append(row, number(c.Statuses[status], styleOf(status)))
		}
		g.Rows = append(g.Rows, append(row, grid.Text(c.Control.Title)))
	}
	if len(g.Rows) == 0 {
		return
	}
	t.b.WriteByte('\n')
	t.say(grid.Heading, "Controls: %s", s.Counts.OutcomesInWords())
	g.Write(t.b, t.o.Width, t.o.Colour)
}
