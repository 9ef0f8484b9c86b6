package grid_test

import (
	"bufio"
	"strings"
	"testing"

	"rollcall/internal/escape"
	"rollcall/internal/grid"
)

func TestGrid(t *testing.T) {
	make := func() *grid.Grid {
		g := &grid.Grid{Titles: []string{"USER", "LINE", "WHY"}, Spare: []string{"LINE"},
			Cut: "USER", Least: 4, Wrap: true}
		g.Add(grid.Cell{Text: "bob"}, grid.Cell{}, grid.Cell{Text: "The key is too old, and nobody has used it."})
		g.Add(grid.Cell{Text: "a\x1b[31mnn"}, grid.Cell{Text: "12"}, grid.Cell{Text: "It is."})
		return g
	}
	for width, want := range map[int]string{
		0: `USER         LINE  WHY
bob          –     The key is too old, and nobody has used it.
a\x1b[31mnn  12    It is.
`,
		50: `USER         WHY
bob          The key is too old, and nobody has
             used it.
a\x1b[31mnn  It is.
`,
		40: `USER    WHY
bob     The key is too old, and nobody
        has used it.
a\x1b…  It is.
`,
	} {
		var b strings.Builder
		w := bufio.NewWriter(&b)
		make().Write(w, width, false)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != want {
			t.Errorf("%d columns:\n%s", width, got)
		}
	}
}

func TestWrap(t *testing.T) {
	got := strings.Join(grid.Wrap("a word  extraordinarily long", 10), "|")
	if got != "a word|extraordin|arily long" {
		t.Error(got)
	}
}

// FuzzGrid checks that a table of any width ends, shows every row, and that lines
// of a wrapped text fit.
func FuzzGrid(f *testing.F) {
	f.Add("", "fail", "high", 1, true)
	f.Add("USER", "世界", "", 1, false)
	f.Add("USER", "e\u0301\u0301", "\x1b[31m a  b", 3, true)
	f.Fuzz(func(t *testing.T, title, first, last string, width int, option bool) {
		width %= 200
		for _, g := range []grid.Grid{
			{}, {Cut: title}, {Cut: title, Least: 3, Wrap: option}, {Indent: "  ", Blocks: option},
		} {
			g.Titles = []string{escape.Printable(title), "WHY"}
			g.Add(grid.Text(first), grid.Text(last))
			g.Add(grid.Text(last), grid.Text(first))
			var b strings.Builder
			w := bufio.NewWriter(&b)
			g.Write(w, width, option)
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(b.String(), "\n"); n < 3 {
				t.Errorf("%+v, %d columns: %d lines", g, width, n)
			}
		}
		for _, line := range grid.Wrap(escape.Printable(first), width) {
			if n := grid.Text(line).Width(); n > max(2, width) {
				t.Errorf("%d columns: %q has %d", width, line, n)
			}
		}
	})
}
