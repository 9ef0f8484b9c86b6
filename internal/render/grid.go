package render

import (
	"bufio"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// grid is a table whose columns are parted by blanks and which is made to fit
// a width: the last column is wrapped, columns are left out, one is cut, in that
// order.
type grid struct {
	titles []string
	rows   [][]cell
	// spare are the titles of columns that may be left out, in that order.
	spare []string
	// cut is the title of the column whose texts may be cut short, and least how
	// wide it stays; wrap says that the last column's texts are continued on
	// lines of their own.
	cut    string
	least  int
	wrap   bool
	indent string
	// blocks says that a grid that does not fit has its last column on lines
	// below the others, and that no text is cut.
	blocks bool
}

// write writes the grid; a width of 0 lets it be as wide as it is.
func (g *grid) write(b *bufio.Writer, width int, colour bool) {
	widths := g.measure()
	for _, title := range g.spare {
		if width <= 0 || g.need(widths) <= width {
			break
		}
		if i := slices.Index(g.titles, title); i >= 0 {
			g.remove(i)
			widths = slices.Delete(widths, i, i+1)
		}
	}
	if g.blocks && width > 0 && g.need(widths) > width {
		g.writeBlocks(b, width, colour)
		return
	}
	last := len(widths) - 1
	if over := g.need(widths) - width; width > 0 && over > 0 {
		if i := slices.Index(g.titles, g.cut); i >= 0 {
			widths[i] = max(widths[i]-over, min(widths[i], g.least))
		}
	}
	if over := g.whole(widths) - width; g.wrap && width > 0 && over > 0 {
		widths[last] = max(widths[last]-over, 16)
	}
	titles := make([]cell, len(g.titles))
	for i, title := range g.titles {
		titles[i] = cell{title, heading}
	}
	g.line(b, titles, widths, colour)
	for _, row := range g.rows {
		g.line(b, row, widths, colour)
	}
}

// writeBlocks writes each row as a line of all cells but the last, and the last
// below it.
func (g *grid) writeBlocks(b *bufio.Writer, width int, colour bool) {
	titles := make([]cell, len(g.titles))
	for i, title := range g.titles {
		titles[i] = cell{title, heading}
	}
	last := len(titles) - 1
	g.block(b, titles[:last], width, colour)
	for _, row := range g.rows {
		g.block(b, row[:last], width, colour)
		for _, line := range wrapText(row[last].text, max(width-len(g.indent)-gap, 16)) {
			b.WriteString(g.indent + strings.Repeat(" ", gap) + cell{line, row[last].style}.paint(colour) + "\n")
		}
	}
}

// block writes cells one after the other; where they do not fit into a line,
// on several.
func (g *grid) block(b *bufio.Writer, cells []cell, width int, colour bool) {
	at := 0 // how much of the line is written
	for _, c := range cells {
		for i, part := range wrapText(c.text, max(width-len(g.indent), 16)) {
			switch w := text.StringWidth(part); {
			case at == 0:
				b.WriteString(g.indent)
				at = len(g.indent) + w
			case i > 0 || at+gap+w > width:
				b.WriteString("\n" + g.indent)
				at = len(g.indent) + w
			default:
				b.WriteString(strings.Repeat(" ", gap))
				at += gap + w
			}
			b.WriteString(cell{part, c.style}.paint(colour))
		}
	}
	b.WriteByte('\n')
}

// sentence is how many columns let a text that is wrapped still be read well.
const sentence = 32

// need is how wide the grid is, or can be made by wrapping.
func (g *grid) need(widths []int) int {
	total := g.whole(widths)
	if last := widths[len(widths)-1]; g.wrap && last > sentence {
		total -= last - sentence
	}
	return total
}

func (g *grid) whole(widths []int) int {
	total := len(g.indent) + gap*(len(widths)-1)
	for _, w := range widths {
		total += w
	}
	return total
}

// has reports whether a cell of the grid holds the sign of c.
func (g *grid) has(c cell) bool {
	return slices.ContainsFunc(g.rows, func(row []cell) bool {
		return slices.ContainsFunc(row, func(d cell) bool { return strings.HasSuffix(d.text, c.text) })
	})
}

func (g *grid) measure() []int {
	widths := make([]int, len(g.titles))
	for i, title := range g.titles {
		widths[i] = text.StringWidth(title)
		for _, row := range g.rows {
			widths[i] = max(widths[i], row[i].width())
		}
	}
	return widths
}

func (g *grid) remove(i int) {
	g.titles = slices.Delete(slices.Clone(g.titles), i, i+1)
	for r, row := range g.rows {
		g.rows[r] = slices.Delete(row, i, i+1)
	}
}

// line writes a row, with the lines that continue its last cell.
func (g *grid) line(b *bufio.Writer, row []cell, widths []int, colour bool) {
	last := len(row) - 1
	more := []string{row[last].text}
	if g.wrap && row[last].width() > widths[last] {
		more = wrapText(row[last].text, widths[last])
	}
	row = append(slices.Clone(row[:last]), cell{more[0], row[last].style})
	b.WriteString(g.indent)
	writeCells(b, row, widths, colour)
	before := len(g.indent) + gap*last
	for _, w := range widths[:last] {
		before += w
	}
	for _, l := range more[1:] {
		b.WriteString(strings.Repeat(" ", before) + cell{l, row[last].style}.paint(colour) + "\n")
	}
}

// wrapText breaks a text into lines at blanks; a word that is too long is
// parted.
func wrapText(s string, width int) []string {
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
