package grid

import (
	"bufio"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"rollcall/internal/escape"
)

// Grid is a table whose columns are separated by blanks and which fits a width.
// To fit, the last column is wrapped, then columns are omitted, then one is
// cut.
type Grid struct {
	Titles []string
	// Rows hold a cell for each title, with printable texts.
	Rows [][]Cell
	// Spare lists the titles of columns that may be omitted, in that order.
	Spare []string
	// Cut is the title of the column whose texts may be cut, but not below
	// Least. Wrap says that the last column continues on further lines.
	Cut    string
	Least  int
	Wrap   bool
	Indent string
	// Blocks puts the last column below the others if the grid does not fit, so
	// that no text is cut.
	Blocks bool
}

// Add adds a row with texts of others, a cell for each title. Unprintable
// characters become escapes. An empty text is shown as a dash.
func (g *Grid) Add(cells ...Cell) {
	row := make([]Cell, len(cells))
	for i, c := range cells {
		if row[i] = (Cell{escape.Printable(c.Text), c.Style}); c.Text == "" {
			row[i] = None
		}
	}
	g.Rows = append(g.Rows, row)
}

// Write writes the grid; a width of 0 sets no limit. An error of the writer is
// returned by its Flush.
func (g *Grid) Write(b *bufio.Writer, width int, colour bool) {
	widths := g.measure()
	for _, title := range g.Spare {
		if width <= 0 || g.need(widths) <= width {
			break
		}
		if i := slices.Index(g.Titles, title); i >= 0 {
			g.Remove(i)
			widths = slices.Delete(widths, i, i+1)
		}
	}
	if g.Blocks && width > 0 && g.need(widths) > width {
		g.writeBlocks(b, width, colour)
		return
	}
	last := len(widths) - 1
	if over := g.need(widths) - width; width > 0 && over > 0 && g.Cut != "" {
		if i := slices.Index(g.Titles, g.Cut); i >= 0 {
			widths[i] = max(widths[i]-over, min(widths[i], g.Least))
		}
	}
	if over := g.whole(widths) - width; g.Wrap && width > 0 && over > 0 {
		widths[last] = max(widths[last]-over, 16)
	}
	titles := make([]Cell, len(g.Titles))
	for i, title := range g.Titles {
		titles[i] = Cell{title, Heading}
	}
	g.line(b, titles, widths, colour)
	for _, row := range g.Rows {
		g.line(b, row, widths, colour)
	}
}

// writeBlocks writes each row as a line with all cells except the last, and the
// last cell below it.
func (g *Grid) writeBlocks(b *bufio.Writer, width int, colour bool) {
	titles := make([]Cell, len(g.Titles))
	for i, title := range g.Titles {
		titles[i] = Cell{title, Heading}
	}
	last := len(titles) - 1
	g.block(b, titles[:last], width, colour)
	for _, row := range g.Rows {
		g.block(b, row[:last], width, colour)
		for _, line := range Wrap(row[last].Text, max(width-len(g.Indent)-Gap, 16)) {
			b.WriteString(g.Indent + strings.Repeat(" ", Gap) + row[last].Style.Paint(line, colour) + "\n")
		}
	}
}

// block writes cells one after the other, on several lines if necessary.
func (g *Grid) block(b *bufio.Writer, cells []Cell, width int, colour bool) {
	at := 0 // number of columns of the line that are written
	for _, c := range cells {
		for i, part := range Wrap(c.Text, max(width-len(g.Indent), 16)) {
			switch w := text.StringWidth(part); {
			case at == 0:
				b.WriteString(g.Indent)
				at = len(g.Indent) + w
			case i > 0 || at+Gap+w > width:
				b.WriteString("\n" + g.Indent)
				at = len(g.Indent) + w
			default:
				b.WriteString(strings.Repeat(" ", Gap))
				at += Gap + w
			}
			b.WriteString(c.Style.Paint(part, colour))
		}
	}
	b.WriteByte('\n')
}

// sentence is the number of columns in which a wrapped text still reads well.
const sentence = 32

// need returns the width of the grid after wrapping.
func (g *Grid) need(widths []int) int {
	total := g.whole(widths)
	if last := widths[len(widths)-1]; g.Wrap && last > sentence {
		total -= last - sentence
	}
	return total
}

func (g *Grid) whole(widths []int) int {
	total := len(g.Indent) + Gap*(len(widths)-1)
	for _, w := range widths {
		total += w
	}
	return total
}

// Has reports whether a cell of the grid holds the sign of c.
func (g *Grid) Has(c Cell) bool {
	return slices.ContainsFunc(g.Rows, func(row []Cell) bool {
		return slices.ContainsFunc(row, func(d Cell) bool { return strings.HasSuffix(d.Text, c.Text) })
	})
}

func (g *Grid) measure() []int {
	widths := make([]int, len(g.Titles))
	for i, title := range g.Titles {
		widths[i] = text.StringWidth(title)
		for _, row := range g.Rows {
			widths[i] = max(widths[i], row[i].Width())
		}
	}
	return widths
}

// Remove removes a column.
func (g *Grid) Remove(i int) {
	g.Titles = slices.Delete(slices.Clone(g.Titles), i, i+1)
	for r, row := range g.Rows {
		g.Rows[r] = slices.Delete(row, i, i+1)
	}
}

// line writes a row, with the lines that continue its last cell.
func (g *Grid) line(b *bufio.Writer, row []Cell, widths []int, colour bool) {
	last := len(row) - 1
	more := []string{row[last].Text}
	if g.Wrap && row[last].Width() > widths[last] {
		more = Wrap(row[last].Text, widths[last])
	}
	row = append(slices.Clone(row[:last]), Cell{more[0], row[last].Style})
	b.WriteString(g.Indent)
	WriteRow(b, row, widths, colour)
	before := len(g.Indent) + Gap*last
	for _, w := range widths[:last] {
		before += w
	}
	for _, l := range more[1:] {
		b.WriteString(strings.Repeat(" ", before) + row[last].Style.Paint(l, colour) + "\n")
	}
}

// Wrap breaks a text into lines at blanks. It also breaks a word that is too
// long. The least width is that of the widest character.
func Wrap(s string, width int) []string {
	width = max(width, 2)
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && text.StringWidth(line)+1+text.StringWidth(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for line = word; text.StringWidth(line) > width; {
			head := text.Trim(line, width)
			lines = append(lines, head)
			line = line[len(head):]
		}
	}
	return append(lines, line)
}
