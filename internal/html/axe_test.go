package html_test

import (
	"testing"

	"rollcall/internal/html"
)

// TestAccessible checks every screen with axe-core, and expects no violations.
func TestAccessible(t *testing.T) {
	b, s := organization(t, html.Options{Made: made}, 30, 60)
	b.History(past(s.Accounts[0], 5))
	br := open(t, b, s)
	for _, screen := range []string{"", "#accounts", "#keys", "#credentials?status=FAIL", "#mfa", "#changes",
		"#changes?account=111122223300", "#controls?control=C5"} {
		br.show(screen)
		if screen == "#credentials?status=FAIL" {
			br.click(`#screen-credentials tr[data-row="1"]`)
		}
		br.Accessible(screen)
	}
}
