package review

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"rollcall/internal/browsertest"
	"rollcall/report"
)

// openPage opens a page in a browser in which every other request fails the test.
func openPage(t *testing.T, file string) *browsertest.Tab {
	t.Helper()
	url := "file://" + file
	tab := browsertest.Open(t, func(asked string) bool {
		asked, _, _ = strings.Cut(asked, "#")
		return asked == url || strings.HasPrefix(asked, "blob:") ||
			strings.HasPrefix(asked, "data:image/svg") // the icon of a date, by the browser itself
	})
	tab.Navigate(url)
	return tab
}

// hostile are names and texts that a report can hold if somebody has written it.
const hostile = `"><img src=x onerror=alert(1)><script>alert(2)</script>`

// TestPage decides in a browser, without a network, and collects the file that the
// page saves.
func TestPage(t *testing.T) {
	dir := t.TempDir()
	rows := append(people(), report.Row{User: hostile, ARN: "arn:aws:iam::" + one + ":user/x" + hostile,
		Created: report.At(frozen)}, user(one, "</script><!--", withKey(1, 5)))
	saveReport(t, filepath.Join(dir, "reports"), one, frozen, csvOf(t, rows...))
	r := mustStart(t, startOf(t, filepath.Join(dir, "reports"), filepath.Join(dir, "2026-Q4")))
	tab := openPage(t, filepath.Join(r.dir, sheetsDir, "ana@example.com.html"))
	browsertest.Run(tab, chromedp.WaitReady(chromedp.CSS(`html[data-ready="yes"]`)))
	lines := r.reviewer("ana@example.com").Items
	if got := browsertest.Eval[int](tab, `document.querySelectorAll('.item[data-line]').length`); got != lines {
		t.Fatalf("the page has %d lines, want %d", got, lines)
	}
	tab.Picture("sheet")
	// Keep all at once; of what fails the reason is missing. It comes before the
	// decision, which ends the selection.
	tab.Click("#pick-all")
	if !browsertest.Eval[bool](tab, `!!document.querySelector("#bulk-reason + .bulk-keep")`) {
		t.Error("the reason for all of them does not come before the decision")
	}
	tab.Click(".bulk-keep")
	save := browsertest.Eval[string](tab, `document.getElementById('save').textContent`)
	if save != "Save draft (2 to complete)" {
		t.Errorf("the button says %q", save)
	}
	bob := itemFor(t, r, "bob", kindPassword).Line
	tab.Click(`[data-line="` + bob + `"] label.exception`)
	fill := func(selector, value string) {
		browsertest.Eval[bool](tab, `(() => { const e = document.querySelector(`+quoted(selector)+`); e.value = `+
			quoted(value)+`; e.dispatchEvent(new Event('input', {bubbles: true})); return true })()`)
	}
	at := `[data-line="` + bob + `"] `
	fill(at+`input[placeholder="Why"]`, "vendor, until March")
	for _, c := range []struct{ day, need string }{
		{"2026-10-01", "It must expire after the review began."},
		{"2028-10-02", "It must expire by 2028-10-01."},
		{"2028-10-01", "Name a ticket."}, {"2027-01-31", "Name a ticket."},
	} {
		fill(at+`input[type="date"]`, c.day)
		if need := browsertest.Eval[string](tab, `document.querySelector('`+at+`.need').textContent`); need != c.need {
			t.Errorf("for an exception until %s the page says %q, want %q", c.day, need, c.need)
		}
	}
	fill(at+`input[placeholder="Ticket"]`, "SEC-1")
	fails := itemFor(t, r, "svc", kindKey).Line
	tab.Click(`[data-line="` + fails + `"] label.revoke`)
	tab.Picture("sheet-decided")
	tab.Scheme("dark")
	tab.Picture("sheet-dark")
	tab.Window(420, 900)
	tab.Picture("sheet-phone")
	// It saves a blob, which the test reads instead of a file.
	saved := browsertest.Eval[string](tab, `new Promise((done) => {
		const make = URL.createObjectURL;
		URL.createObjectURL = (blob) => { blob.text().then(done); return make.call(URL, blob); };
		document.getElementById('save').click();
	})`)
	if _, err := r.Collect(t.Context(), "decisions.json", []byte(saved), false, started); err != nil {
		t.Fatal(err)
	}
	all, err := r.Decisions()
	if err != nil {
		t.Fatal(err)
	}
	if d := all[bob]; d.Verb != Exception || d.Expires != "2027-01-31" || d.Reason != "vendor, until March" {
		t.Errorf("%+v", d)
	}
	if d := all[fails]; d.Verb != Revoke {
		t.Errorf("%+v", d)
	}
	mustBeValid(t, "review-decisions.schema.json", []byte(saved))
}

// TestEvidencePage opens the evidence with hostile texts in it: nothing runs, and
// nothing is asked for.
func TestEvidencePage(t *testing.T) {
	r := newReview(t)
	ana := good(t, r).set(t, "svc", columnReason, hostile)
	if _, err := r.Collect(t.Context(), `"><b>ana.csv`, ana.text(','), false, started); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.WriteEvidence(&b, "rollcall test", "x.zip", started); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.ArtifactDir(), "evidence.html")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	tab := openPage(t, file)
	if got := browsertest.Eval[int](tab, `document.querySelectorAll('img, script, iframe, link').length`); got != 0 {
		t.Errorf("%d elements came out of texts", got)
	}
	text := browsertest.Eval[string](tab, `document.body.innerText`)
	for _, want := range []string{hostile, "has not answered", "Not complete: ", "on sheets " + r.ShortFreeze(),
		"arn:aws:iam::" + one + ":user/auditor"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	tab.Window(390, 844)
	if got := browsertest.Eval[int](tab, `document.documentElement.scrollWidth`); got != 390 {
		t.Errorf("on a phone the page is %d wide", got)
	}
	tab.Picture("evidence-phone")
	tab.Window(1280, 800)
	tab.Picture("evidence")
	tab.Scheme("dark")
	tab.Picture("evidence-dark")
}

func quoted(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}
