package review

import (
	"strings"
	"testing"

	"github.com/a-h/templ"

	"rollcall/internal/hostiletest"
)

// TestHostileTexts writes the page of evidence with hostile texts in every place.
func TestHostileTexts(t *testing.T) {
	hostiletest.Page(t, "evidence", func(f *hostiletest.Filler) templ.Component {
		e := hostiletest.View[*evidence](f)
		e.M, e.S, e.Style = hostiletest.View[*Manifest](f), hostiletest.View[*Status](f), ""
		return e.html()
	})
}

// TestInvisibleNames checks that the name of a review, which is that of its folder,
// cannot change the order of the characters around it.
func TestInvisibleNames(t *testing.T) {
	var page strings.Builder
	e := &evidence{M: &Manifest{Name: "2026\u202e-Q4"}, S: &Status{}}
	if err := e.html().Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String(), "\u202e") || strings.Count(page.String(), `2026\u202e-Q4`) < 2 {
		t.Error("the page has the character itself")
	}
}
