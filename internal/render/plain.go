package render

import (
	"bufio"
	"io"
)

// What packages with outputs of their own share with those of this one.

// Printable is s with everything that is no printable character as an escape.
func Printable(s string) string { return printable(s) }

// Markdown is a text that stays text in Markdown, also in the cell of a table.
func Markdown(s string) string { return inMarkdown(s) }

// Inert is a cell of CSV that no spreadsheet takes for a formula.
func Inert(cell string) string { return inert(cell) }

// AppendJSON appends v on one line, safe for a terminal.
func AppendJSON(dst []byte, v any) ([]byte, error) { return appendJSON(dst, v) }

// Wrap breaks a text into lines at blanks.
func Wrap(s string, width int) []string { return wrapText(s, width) }

// Style is how a cell stands out where there is colour.
type Style int

// The styles.
const (
	Usual   = Style(usual)
	Dim     = Style(dim)
	Good    = Style(good)
	Bad     = Style(bad)
	Odd     = Style(odd)
	Heading = Style(heading)
)

// Paint is a text in a style, which must be printable.
func (s Style) Paint(text string, colour bool) string {
	return cell{text, style(s)}.paint(colour)
}

// Cell is a text of a grid. What is not printable in it becomes escapes.
type Cell struct {
	Text  string
	Style Style
}

// Grid is a table that is made to fit a width: first columns are left out, then
// one is cut, then the last is wrapped.
type Grid struct {
	Titles []string
	// Spare are the titles of columns that may be left out, in that order.
	Spare []string
	// Cut is the title of the column whose texts may be cut short, but not below
	// Least; Wrap says that the last column is continued on further lines.
	Cut    string
	Least  int
	Wrap   bool
	Indent string
	// Blocks puts the last column below the others where the grid does not fit,
	// so that nothing is cut.
	Blocks bool
	rows   [][]cell
}

// Row adds a row, with a cell for each title. An empty one is shown as a dash.
func (g *Grid) Row(cells ...Cell) {
	row := make([]cell, len(cells))
	for i, c := range cells {
		if row[i] = (cell{printable(c.Text), style(c.Style)}); c.Text == "" {
			row[i] = none
		}
	}
	g.rows = append(g.rows, row)
}

// Write writes the grid; a width of 0 lets it be as wide as it is.
func (g *Grid) Write(w io.Writer, width int, colour bool) error {
	b := bufio.NewWriter(w)
	inner := grid{titles: g.Titles, rows: g.rows, spare: g.Spare, cut: g.Cut, least: g.Least, wrap: g.Wrap,
		indent: g.Indent, blocks: g.Blocks}
	inner.write(b, width, colour)
	return b.Flush()
}
