// Package grid writes tables for a terminal: cells with a style, in columns
// that fit a width.
package grid

import (
	"bufio"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"rollcall/internal/escape"
)

// Style says how a cell differs from others if colour is used.
type Style int

// The styles.
const (
	Usual Style = iota
	Dim         // absent
	Good
	Bad
	Odd
	Heading
)

var colours = map[Style]text.Colors{
	Dim: {text.Faint}, Good: {text.FgGreen}, Bad: {text.FgRed}, Odd: {text.FgYellow}, Heading: {text.Bold},
}

// Paint returns the text, which must be printable, in the style.
func (s Style) Paint(printable string, colour bool) string {
	if !colour || s == Usual || printable == "" {
		return printable
	}
	return colours[s].EscapeSeq() + printable + text.Reset.EscapeSeq()
}

// Cell is a piece of text with its style.
type Cell struct {
	Text  string
	Style Style
}

// Text returns a cell of the usual style with a text of others, in which
// unprintable characters become escapes.
func Text(s string) Cell { return Cell{Text: escape.Printable(s)} }

// Width returns the number of columns that the cell fills.
func (c Cell) Width() int { return text.StringWidth(c.Text) }

// Nothing is the sign for a value that does not exist.
const Nothing = "–"

// These cells replace a value that does not exist, or is unknown.
var (
	None    = Cell{Text: Nothing, Style: Dim}
	Unknown = Cell{Text: "?", Style: Odd}
)

// Gap is the number of blanks between two columns.
const Gap = 2

// WriteRow writes the cells on one line, each cut to the width of its column.
// The last is not padded.
func WriteRow(b *bufio.Writer, cells []Cell, widths []int, colour bool) {
	for i, c := range cells {
		if c.Width() > widths[i] {
			c.Text = text.Snip(c.Text, max(1, widths[i]), "…")
		}
		b.WriteString(c.Style.Paint(c.Text, colour))
		if i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", max(0, widths[i]-c.Width())+Gap))
		}
	}
	b.WriteByte('\n')
}
