package review

import (
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
