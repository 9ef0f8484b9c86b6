package render

import (
	"strings"

	"rollcall/internal/audit"
)

// omittedOf is how many findings of a severity are not among the worst.
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

// leftOut says how many findings of an account are not shown where others are.
func leftOut(n int, severity audit.Severity, beside bool) string {
	what := severity.String() + " finding"
	if beside {
		what = "more " + what
	}
	return count(n, what) + verb(n) + " not shown"
}

// controls says what came of each control, under the benchmark's own number.
func (t tableFindings) controls(s *audit.Summary) {
	g := grid{titles: []string{"ITEM", "CONTROL", "FAIL", "NO_DATA", "WARN", "MANUAL", "PASS", "TITLE"},
		spare: []string{"MANUAL", "WARN", "NO_DATA"}, wrap: true}
	for i := range s.Counts.Controls {
		c := &s.Counts.Controls[i]
		item := cell{strings.Join(c.Control.RequirementIDs(s.Benchmark.ID), ", "), usual}
		if item.text == "" {
			item = none
		}
		row := []cell{item, {string(c.Control.ID), usual}}
		for _, status := range [...]audit.Status{audit.Fail, audit.NoData, audit.Warn, audit.Manual, audit.Pass} {
			row = append(row, number(c.Statuses[status], styleOf(status)))
		}
		g.rows = append(g.rows, append(row, cell{printable(c.Control.Title), usual}))
	}
	if len(g.rows) == 0 {
		return
	}
	t.b.WriteByte('\n')
	t.say(heading, "Controls: %s", s.Counts.OutcomesInWords())
	g.write(t.b, t.o.Width, t.o.Colour)
}
