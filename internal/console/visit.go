package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/seal"
	"rollcall/internal/signin"
)

// visit is one request for a page.
type visit struct {
	*Console
	w      http.ResponseWriter
	r      *http.Request
	call   api.Call
	trust  func()
	page   *page
	status int // status of the answer
	// problem is the error of a form, for the page that shows the form again.
	problem *problem
	// passing says that another page follows by itself.
	passing bool

	token   seal.Secret     // token of the session
	session *signin.Session // nil on a page for everybody
}

// problem is an error that has its own page.
type problem struct {
	Status int
	Text   string
	Code   string // AWS's code, "" for our own errors
}

func (p *problem) Error() string { return p.Text }

func (p *problem) title() string {
	switch {
	case p.Status == http.StatusNotFound:
		return "Not found"
	case p.Status >= http.StatusInternalServerError:
		return "Something is wrong"
	}
	return "This was refused"
}

// field returns a field of the form.
func (v *visit) field(name string) string { return v.r.PostForm.Get(name) }

// fieldPtr returns an optional field, nil if it is empty.
func (v *visit) fieldPtr(name string) *string { return ptrOrNil(v.field(name)) }

// query returns a query parameter.
func (v *visit) query(name string) string { return v.r.URL.Query().Get(name) }

// queryPtr returns an optional query parameter, nil if it is empty.
func (v *visit) queryPtr(name string) *string { return ptrOrNil(v.query(name)) }

func ptrOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// to redirects the browser to another page of the console, which it loads by
// GET.
func (v *visit) to(path string) error {
	v.status = http.StatusSeeOther
	v.w.Header().Set("Location", path)
	v.w.WriteHeader(v.status)
	return nil
}

// done redirects the browser after a change. The next page says what was done.
func (v *visit) done(path, text string) error {
	v.cookies.notify(v.w, text)
	return v.to(path)
}

// link returns the address of a page with a query of names and values. It omits
// empty values.
func link(path string, query ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		if query[i+1] != "" {
			q.Set(query[i], query[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// ours returns an address of a page of the console unchanged. For any other
// address it returns the first page, so nobody is redirected to another site.
func (c *Console) ours(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" ||
		strings.ContainsAny(address, "\\\r\n\t") {
		return Root
	}
	if p := c.pages[u.Path]; p == nil || p.step {
		return Root
	}
	return withQuery(u)
}

// withQuery returns the path and the query of an address.
func withQuery(u *url.URL) string {
	if u.RawQuery == "" {
		return u.EscapedPath()
	}
	return u.EscapedPath() + "?" + u.RawQuery
}

// fail shows the page of an error.
func (v *visit) fail(err error) {
	p := v.explain(err)
	v.status = p.Status
	if shown := v.showAs(p.title(), p.html()); shown != nil {
		v.log.ErrorContext(v.r.Context(), "page not rendered", "error", shown, "page", v.r.URL.Path)
		v.status = http.StatusInternalServerError
		http.Error(v.w, "The page cannot be shown.", v.status)
	}
}

// explain returns an error in words for the person. Internal details go to the
// log.
func (v *visit) explain(err error) *problem {
	var p *problem
	var refused *signin.Refusal
	var known *awsmodel.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &known):
		return &problem{Status: awsmodel.Status(known.Code), Text: known.Message, Code: known.Code}
	case errors.As(err, &refused):
		status := http.StatusForbidden
		if refused.Reason == signin.Paused || refused.Reason == signin.Busy {
			status = http.StatusTooManyRequests
		}
		return &problem{Status: status, Text: refused.Text}
	}
	v.log.ErrorContext(v.r.Context(), "page failed", "error", err, "page", v.r.URL.Path)
	return &problem{
		Status: http.StatusInternalServerError,
		Text:   "The page cannot be shown, because of an error of the service. Its log says more.",
	}
}
