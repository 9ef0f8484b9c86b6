package html_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/chromedp/chromedp"

	"rollcall/internal/browsertest"
	"rollcall/internal/html"
)

// TestAccessible asks axe-core about every screen: it has nothing to say.
func TestAccessible(t *testing.T) {
	axe, err := os.ReadFile("../console/testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	b, s := organization(t, html.Options{Made: made}, 30, 60)
	b.History(past(s.Accounts[0], 5))
	br := open(t, b, s)
	browsertest.Run(br.Tab, chromedp.Evaluate[json.RawMessage](string(axe)+";true"))
	for _, screen := range []string{"", "#accounts", "#keys", "#credentials?status=FAIL", "#mfa", "#changes",
		"#changes?account=111122223300", "#controls?control=C5"} {
		br.show(screen)
		if screen == "#credentials?status=FAIL" {
			br.click(`#screen-credentials tr[data-row="1"]`)
		}
		type violation struct {
			ID, Help string
			Nodes    []struct{ HTML, FailureSummary string }
		}
		for _, v := range eval[[]violation](br, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations)`) {
			for _, n := range v.Nodes[:min(2, len(v.Nodes))] {
				t.Errorf("%q: %s: %s\n%s\n%s", screen, v.ID, v.Help, n.HTML, n.FailureSummary)
			}
		}
	}
}
