package console_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/console"
	"rollcall/internal/seal"
	"rollcall/internal/service"
)

// formFields are the names of the fields in all forms and queries, and formTexts
// are possible values.
var (
	formFields = strings.Fields(`account again answer arn as at attached benchmark boundary certificate choice code code1
		code2 col control default description device do document format from group handle holder id inline key kind label
		line marker match members name new newname newpath old password path policy prefix profiles q reset role seconds
		seed serial service sort ssh start status tags to token turned typed user value version wait age tag page color
		client_id redirect_uri state scope response_type code_challenge code_challenge_method unknown`)
	formTexts = []string{
		"", "alice", "ALICE", "bob", "root", "0", "-1", "9223372036854775808", "Active", "Inactive", "true", "on",
		"arn:aws:iam::123456789012:user/alice", "arn:aws:iam::123456789012:mfa/alice",
		"arn:aws:iam::aws:policy/ReadOnlyAccess",
		"/", "../..", "{}", "[]", `{"Version":"2012-10-17","Statement":[]}`, `{"id":"","response":{}}`, "<script>",
		"\x00", "\xff\xfe", "é\u202e", "%", "a=b,c=d", "a:b", "2001-01-01", "123456789012", userPassword,
		strings.Repeat("x", 5000),
	}
)

// randomForm returns a form with random values in some fields.
func randomForm(r *rand.Rand, do string) url.Values {
	form := url.Values{}
	for range r.IntN(8) {
		form.Set(formFields[r.IntN(len(formFields))], formTexts[r.IntN(len(formTexts))])
	}
	if do != "" && r.IntN(10) > 0 {
		form.Set("do", do)
	}
	if r.IntN(20) == 0 {
		form.Add("do", do)
	}
	return form
}

// TestRandomForms sends random forms and queries to every page: as an
// administrator, as a user without permissions, and without signing in. The
// service never fails and continues to answer.
func TestRandomForms(t *testing.T) {
	t.Parallel()
	cheap := func(d seal.Derivation) []byte {
		d.Memory, d.Time = 64, 1
		return d.Key()
	}
	w := newWorld(t, func(cfg *service.Config) { cfg.Derive = cheap })
	for _, user := range []string{"alice", "bob"} {
		w.user(user, "")
	}
	c, err := console.New(console.Config{})
	if err != nil {
		t.Fatal(err)
	}
	stranger, nobody, all := w.person(), w.signedIn("bob"), w.signedIn("")
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[int]int{}
	forms := c.Forms()
	for _, path := range slices.Sorted(maps.Keys(forms)) {
		for _, do := range append(forms[path], "", "nothing") {
			for range 3 {
				for who, p := range []*person{all, nobody, stranger} {
					form, query := randomForm(r, do), randomForm(r, "")
					at := path + "?" + query.Encode()
					request := p.raw(at, form.Encode())
					if do == "" {
						request.Method, request.Body, request.ContentLength = http.MethodGet, nil, 0
					}
					got := p.once(request)
					seen[got.status]++
					if got.status >= http.StatusInternalServerError || got.status < http.StatusOK {
						t.Errorf("%s by person %d with %q: status %d", at, who, form, got.status)
					}
				}
				if !all.open() {
					all = w.signedIn("")
				}
			}
		}
	}
	// The forms were processed: most were refused, and some succeeded.
	for _, status := range []int{http.StatusOK, http.StatusSeeOther, http.StatusBadRequest, http.StatusForbidden,
		http.StatusNotFound} {
		if seen[status] == 0 {
			t.Errorf("no answer had the status %d: %v", status, seen)
		}
	}
	if records, _ := w.records(); len(records) == 0 || strings.Contains(fmt.Sprint(records), "InternalFailure") {
		t.Error("the trail has a failure of the service")
	}
	w.user("last", "")
}

// raw returns a form request with a body.
func (p *person) raw(path, body string) *http.Request {
	p.w.t.Helper()
	r, err := http.NewRequestWithContext(p.w.t.Context(), http.MethodPost, p.w.url+path, strings.NewReader(body))
	if err != nil {
		p.w.t.Fatal(err)
	}
	r.Header = p.form(path).Header
	return r
}

// once sends a request and does not follow redirects.
func (p *person) once(r *http.Request) answer {
	p.w.t.Helper()
	still := *p.client
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return (&person{w: p.w, client: &still, jar: p.jar}).do(r)
}
