package main

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"rollcall/internal/grid"
)

// outputFlag adds the --output of commands for operators.
func outputFlag(c *cobra.Command, output *string) {
	choose(c, output, "output", "o", "text", "text or json", "text", "json")
}

// colourFlag adds the --color of commands that print tables.
func colourFlag(c *cobra.Command, colour *string) {
	choose(c, colour, "color", "", "auto", "colour tables: on, off or auto", "auto", "on", "off")
}

// tell writes to standard error. If that fails, nothing can be done.
func (p *process) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(p.stderr, format, args...)
}

// must stops the program if a command is assembled wrongly.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "    ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table prints columns of short texts under their names, in a form that scripts
// can parse. On a terminal that is too narrow, each row becomes a block of lines.
type table struct {
	w    io.Writer
	rows [][]string // the names first
}

func newTable(w io.Writer, names ...string) *table { return &table{w, [][]string{names}} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print() error {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i := range row {
			if row[i] == "" {
				row[i] = "-"
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	whole := 2 * (len(widths) - 1)
	for _, n := range widths {
		whole += n
	}
	var text []byte
	if columns, terminal := width(t.w); terminal && columns < whole {
		text = t.blocks(columns)
	} else {
		for _, row := range t.rows {
			for i, cell := range row {
				if i == len(row)-1 {
					text = fmt.Appendf(text, "%s\n", cell)
				} else {
					text = fmt.Appendf(text, "%-*s  ", widths[i], cell)
				}
			}
		}
	}
	_, err := t.w.Write(text)
	return err
}

// narrowest is the least number of columns for the texts of blocks.
const narrowest = 20

func (t *table) blocks(columns int) (text []byte) {
	names := t.rows[0]
	longest := 0
	for _, name := range names {
		longest = max(longest, utf8.RuneCountInString(name))
	}
	for n, row := range t.rows[1:] {
		if n > 0 {
			text = append(text, '\n')
		}
		for i, cell := range row {
			name := names[i]
			for _, line := range grid.Wrap(cell, max(columns-longest-2, narrowest)) {
				text = fmt.Appendf(text, "%-*s  %s\n", longest, name, line)
				name = ""
			}
		}
	}
	return text
}
