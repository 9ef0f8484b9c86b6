package console_test

import (
	"net/http"
	"strings"
	"testing"

	"rollcall/internal/console"
)

// maxPage bounds every page.
const maxPage = 150 << 10

// TestEveryPage walks all pages: none is large or without its headers, and
// axe-core has nothing to say, in either scheme and on a phone.
func TestEveryPage(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	c, err := console.New(console.Config{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range visited {
		seen[p.path] = true
	}
	for _, path := range c.Paths() {
		if !seen[path] && elsewhere[path] == "" {
			t.Errorf("nobody visits %s: name it in testpages_test.go", path)
		}
	}
	someone, nobody, br := w.signedIn(""), w.person(), w.browse(t)
	for _, stranger := range []bool{true, false} {
		if !stranger {
			br.signIn("", rootPassword)
		}
		for _, p := range visited {
			if p.stranger != stranger {
				continue
			}
			t.Run(p.name(), func(t *testing.T) {
				who := someone
				if p.stranger {
					who = nobody
				}
				got := who.get(p.path + p.query)
				wellMade(t, got, max(p.status, http.StatusOK))
				if got.path != p.path+p.query {
					t.Errorf("came to %s", got.path)
				}
				in := &browser{w: w, t: t, ctx: br.ctx}
				in.look(p)
				if p.status != 0 {
					br.expect("responded with a status of")
				}
				br.quiet(t)
			})
		}
	}
}

// look looks at a page in both schemes and on a phone.
func (br *browser) look(p visited1) {
	br.t.Helper()
	br.open(p.path + p.query)
	for _, scheme := range []string{"light", "dark"} {
		br.scheme(scheme)
		for _, as := range []struct {
			name          string
			width, height int64
		}{{"desktop", 1280, 800}, {"phone", 390, 844}} {
			br.window(as.width, as.height)
			br.accessible(p.name() + " " + scheme + " " + as.name)
			if got := eval[int64](br, "document.documentElement.scrollWidth"); got > as.width {
				br.t.Errorf("%s is %d pixels wide on a %s", p.name(), got, as.name)
			}
			br.screenshot(p.name() + "-" + as.name + "-" + scheme)
		}
	}
	br.window(1280, 800)
	br.scheme("light")
}

// wellMade checks what every answer has.
func wellMade(t *testing.T, got answer, status int) {
	t.Helper()
	if got.status != status {
		t.Errorf("status %d, want %d", got.status, status)
	}
	if len(got.body) > maxPage {
		t.Errorf("the page has %d bytes", len(got.body))
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
	} {
		if got.header.Get(name) != want {
			t.Errorf("header %s is %q, want %q", name, got.header.Get(name), want)
		}
	}
	for _, never := range []string{" style=", "<style", " on", "javascript:"} {
		// html/template writes no names of ours unescaped.
		if strings.Contains(got.body, "<script>") || never != " on" && strings.Contains(got.body, never) {
			t.Errorf("the page has %q", never)
		}
	}
}

// furnish puts something of every kind into the account.
func (w *world) furnish() {
	w.t.Helper()
	w.user("alice", everything)
	w.user("=1+1", "")
}
