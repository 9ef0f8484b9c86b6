package grid_test

import (
	"bufio"
	"strings"
	"testing"

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
