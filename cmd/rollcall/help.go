package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/grid"
)

// maxHelp limits the width of texts on a wide terminal, and is the width of all help
// elsewhere.
const maxHelp = 80

// helpWidth returns the number of columns for help.
func helpWidth(p *process) int {
	if columns, terminal := width(p.stdout); terminal {
		return columns
	}
	return maxHelp
}

// fitHelp makes the texts of all commands fit the terminal.
func fitHelp(root *cobra.Command, p *process) {
	show, columns := root.HelpFunc(), helpWidth(p)
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.Long = fit(c.Long, min(columns, maxHelp))
		var text strings.Builder
		c.SetOut(&text)
		show(c, args)
		_, p.unwritten = io.WriteString(p.stdout, text.String()) // cobra has no way to return it
	})
}

// fit fills the lines of each paragraph. Indented lines stay as they are.
func fit(text string, columns int) string {
	var lines, paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			lines = append(lines, grid.Wrap(strings.Join(paragraph, " "), columns)...)
		}
		paragraph = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" && line[0] != ' ' {
			paragraph = append(paragraph, line)
			continue
		}
		end()
		lines = append(lines, line)
	}
	end()
	return strings.Join(lines, "\n")
}
