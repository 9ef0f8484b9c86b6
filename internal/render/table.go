package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"rollcall/internal/grid"
	"rollcall/internal/words"
	"rollcall/report"
)

// TableOptions control the form of a table.
type TableOptions struct {
	// Width is the width of the terminal in columns; 0 means that everything is
	// shown.
	Width  int
	Colour bool
	// AsOf is the time from which ages count: the report's GeneratedTime, if it
	// is known.
	AsOf time.Time
	// Made is the last line: when the report was generated, and its origin.
	Made string
}

// column is one column of the table.
type column struct {
	title string
	cell  func(*report.Row, time.Time) grid.Cell
}

// layouts are the tables from the most detailed to the narrowest. The user is
// the first column of each, and the only one that may be truncated.
var layouts = [][]column{
	{
		{"USER", user},
		{"CREATED", created},
		{"PASSWORD", password},
		{"CHANGED", passwordChanged},
		{"ROTATION", passwordRotation},
		{"MFA", mfa},
		{"KEY 1", keyAge(0)},
		{"USED", keyUsed(0)},
		{"AT", keyUse(0)},
		{"KEY 2", keyAge(1)},
		{"USED", keyUsed(1)},
		{"AT", keyUse(1)},
		{"CERT 1", certificate(0)},
		{"CERT 2", certificate(1)},
	},
	{
		{"USER", user},
		{"CREATED", created},
		{"PASSWORD", password},
		{"CHANGED", passwordChanged},
		{"ROTATION", passwordRotation},
		{"MFA", mfa},
		{"KEY 1", key(0)},
		{"KEY 2", key(1)},
		{"CERTS", both(certificate(0), certificate(1))},
	},
	{
		{"USER", user},
		{"PASSWORD", password},
		{"MFA", mfa},
		{"KEY 1", key(0)},
		{"KEY 2", key(1)},
		{"CERTS", both(certificate(0), certificate(1))},
	},
	{
		{"USER", user},
		{"PASSWORD", password},
		{"MFA", mfa},
		{"KEYS", both(keyAge(0), keyAge(1))},
		{"CERTS", both(certificate(0), certificate(1))},
	},
	{
		{"USER", user},
		{"PASSWORD", password},
		{"MFA", mfa},
		{"KEYS", both(keyAge(0), keyAge(1))},
	},
}

const (
	gap = 2
	// A user's name is truncated only if that allows a better layout, and not
	// below this width. In the last layout it is truncated as far as necessary.
	leastUser = 16
)

// Table writes the rows as the most detailed table that fits.
func Table(w io.Writer, rows []report.Row, o TableOptions) error {
	layout, widths := fit(rows, o)
	b := bufio.NewWriterSize(w, 64<<10)
	titles := make([]grid.Cell, len(layout))
	for i, c := range layout {
		titles[i] = grid.Cell{Text: c.title, Style: grid.Heading}
	}
	grid.WriteRow(b, titles, widths, o.Colour)
	cells := make([]grid.Cell, len(layout))
	more := 0
	signs := false
	for i := range rows {
		for j, c := range layout {
			cells[j] = c.cell(&rows[i], o.AsOf)
			signs = signs || j > 0 && strings.Contains(cells[j].Text, grid.Unknown.Text)
		}
		grid.WriteRow(b, cells, widths, o.Colour)
		if info, ok := rows[i].Additional.Value(); ok && info != "" {
			more++
		}
	}
	footer(b, rows, o, more, signs)
	return b.Flush()
}

// footer adds the number of rows, the time from which ages count, and what is
// not shown.
func footer(b *bufio.Writer, rows []report.Row, o TableOptions, more int, signs bool) {
	lines := []string{
		fmt.Sprintf("%s, ages as of %s", words.Count(len(rows), "row"), o.AsOf.UTC().Format(time.RFC3339))}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("%s more credentials than shown",
			words.Count(more, "user")+map[bool]string{true: " has", false: " have"}[more == 1]))
	}
	if signs {
		lines = append(lines, legend)
	}
	if o.Made != "" {
		lines = append(lines, o.Made)
	}
	b.WriteByte('\n')
	for _, l := range lines {
		b.WriteString(grid.Dim.Paint(l, o.Colour) + "\n")
	}
}

// fit returns the first layout that fits the width, and the widths of its
// columns.
func fit(rows []report.Row, o TableOptions) ([]column, []int) {
	for i, layout := range layouts {
		widths := measure(layout, rows, o.AsOf)
		total := gap * (len(layout) - 1)
		for _, w := range widths {
			total += w
		}
		over := total - o.Width
		last := i == len(layouts)-1
		switch {
		case o.Width <= 0 || over <= 0:
		case widths[0]-over >= leastUser || last:
			widths[0] = max(widths[0]-over, len("USER"))
		default:
			continue
		}
		return layout, widths
	}
	panic("unreachable: the last layout always fits")
}

func measure(layout []column, rows []report.Row, asOf time.Time) []int {
	widths := make([]int, len(layout))
	for j, c := range layout {
		widths[j] = len(c.title)
		for i := range rows {
			widths[j] = max(widths[j], c.cell(&rows[i], asOf).Width())
		}
	}
	return widths
}
