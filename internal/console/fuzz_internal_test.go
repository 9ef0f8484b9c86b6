package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// fuzzed returns a console without a service.
func fuzzed(f *testing.F, at string) *Console {
	f.Helper()
	c, err := New(Config{URL: at})
	if err != nil {
		f.Fatal(err)
	}
	return c
}

// FuzzDestination checks the redirection after signing in: it always leads to a
// page of the console. It reads addresses as browsers do, which treat a
// backslash as a slash and drop tabs and line ends.
func FuzzDestination(f *testing.F) {
	c := fuzzed(f, "https://rollcall.example")
	for _, to := range []string{
		"/console/users?marker=a", "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
		"https://rollcall.example/console/users", "https://rollcall.example@evil.example/console/users",
		"https://rollcall.example.evil.example/", "/console/users\r\nSet-Cookie: a=b", "/\t/evil.example",
		"javascript:alert(1)", "/console/sign-out", "/console/../evil", "/console/%2e%2e//evil", "/console/users#//evil",
		"http://[::1", "https://rollcall.example:80/console/users", "//evil.example/console/users", "%",
	} {
		f.Add(to)
	}
	base, err := url.Parse("https://rollcall.example/console/sign-in")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, address string) {
		for _, to := range []string{c.ours(address), c.destinationOf(address)} {
			read := strings.NewReplacer("\\", "/", "\t", "", "\r", "", "\n", "").Replace(strings.TrimSpace(to))
			u, err := url.Parse(read)
			if err != nil {
				t.Fatalf("%q leads to %q: %v", address, to, err)
			}
			u = base.ResolveReference(u)
			p := c.pages[u.Path]
			if u.Scheme != "https" || u.Host != "rollcall.example" || u.User != nil || p == nil || p.step {
				t.Errorf("%q leads to %q", address, u)
			}
			if c.ours(to) != to {
				t.Errorf("%q leads to %q, and that to %q", address, to, c.ours(to))
			}
		}
	})
}

// FuzzForm reads any body as a form. Either each field has one value, or a page
// refuses the form.
func FuzzForm(f *testing.F) {
	c := fuzzed(f, "")
	const kind = "application/x-www-form-urlencoded"
	for _, body := range []string{
		"", "do=sign-in&user=a", "a=1&a=2", "choice=1&choice=2", "%zz", "a;b=c", "=&=", "do", "\xff=\x00",
	} {
		f.Add(kind, body)
	}
	f.Add("multipart/form-data; boundary=x",
		"--x\r\nContent-Disposition: form-data; name=\"do\"\r\n\r\nsign-in\r\n--x--\r\n")
	f.Add("text/plain", "do=sign-in")
	f.Add(";", "do=sign-in")
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequest(http.MethodPost, "/console/sign-in?user=query", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		v := &visit{Console: c, w: httptest.NewRecorder(), r: r}
		if err := v.readForm(); err != nil {
			if p := v.explain(err); p.Status != http.StatusBadRequest {
				t.Errorf("%q: %v", body, p)
			}
			return
		}
		for name, values := range r.PostForm {
			if len(values) > 1 && name != "choice" {
				t.Errorf("%q has %q in the field %q", body, values, name)
			}
		}
		if v.field("user") == "query" && !strings.Contains(body, "query") {
			t.Error("the query fills the form")
		}
	})
}

// FuzzCookies reads any Cookie header. A token is the value of the only cookie
// with its name, and a notice is text.
func FuzzCookies(f *testing.F) {
	for _, header := range []string{
		"", "rollcall=a", "rollcall=a; rollcall=b", "__Host-rollcall=a; rollcall=b", "rollcall-notice=SGVsbG8",
		"rollcall-notice=%%%", "rollcall-notice=_w", `rollcall="a b"`, "rollcall", ";;;=", "rollcall=\x00", "=rollcall",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/console/", nil)
		r.Header["Cookie"] = []string{header}
		for _, c := range []cookies{{secure: true}, {}} {
			token := c.token(r, sessionCookie).Reveal()
			if token != "" && (!strings.Contains(header, token) || strings.ContainsAny(token, ";\r\n") ||
				c.secure && !strings.Contains(header, "__Host-rollcall=")) {
				t.Errorf("%q gives the token %q", header, token)
			}
			if text := c.notice(httptest.NewRecorder(), r); !utf8.ValidString(text) {
				t.Errorf("%q gives the notice %q", header, text)
			}
		}
	})
}
