package console

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"rollcall/internal/signin"
	"rollcall/internal/signin/oauth"
)

// page is an address and its handlers.
type page struct {
	path  string
	title string
	nav   string // the key of its navigation entry, "" for none
	// open pages are for everybody. Other pages require a session.
	open bool
	// step pages are parts of signing in. They are never the destination
	// afterwards.
	step bool
	get  func(*visit) error
	post posts
}

// posts maps the value of the field "do" to the handler of a form.
type posts map[string]func(*visit) error

// route returns all pages.
func (c *Console) route() map[string]*page {
	all := map[string]*page{}
	for _, some := range [][]page{
		c.homePages(), c.oncePages(),
		c.signInPages(), c.usersPages(), c.userPages(), c.devicePages(), c.myPages(), c.toolPages(),
		c.reportPages(), c.overviewPages(), c.organizationPages(), c.findingsPages(), c.groupsPages(),
		c.groupPages(), c.policiesPages(),
		c.policyPages(), c.inlinePages(), c.rolesPages(), c.rolePages(), c.mayPages(),
	} {
		for _, p := range some {
			if all[p.path] != nil {
				panic("console: two pages at " + p.path)
			}
			all[p.path] = &p
		}
	}
	return all
}

// navigation lists the entries of the navigation. Entries without a page are
// omitted.
var navigation = []struct{ key, text, path string }{
	{"overview", "Overview", "/console/overview"},
	{"report", "Credential report", "/console/report"},
	{"findings", "Findings", "/console/findings"},
	{"users", "Users", "/console/users"},
	{"groups", "Groups", "/console/groups"},
	{"roles", "Roles", "/console/roles"},
	{"policies", "Policies", "/console/policies"},
	{"may", "Access check", "/console/may"},
}

// answer finds the page and lets it answer.
func (c *Console) answer(v *visit) error {
	path := v.r.URL.Path
	if path == "/console" {
		return v.to(Root)
	}
	if name, ok := strings.CutPrefix(path, assetRoot); ok {
		return c.assets.answer(v, name)
	}
	if path == federationPath {
		return c.federation(v)
	}
	if v.page = c.pages[path]; v.page == nil {
		return &problem{Status: http.StatusNotFound, Text: "There is no such page."}
	}
	if near := v.nearby(); near != "" && path == oauth.AuthorizePath {
		return v.to(near)
	}
	if err := v.open(); err != nil {
		return err
	}
	if v.session == nil && !v.page.open {
		return v.to(link(signInPath, "to", wanted(v.r)))
	}
	if v.r.Method != http.MethodPost {
		if v.page.get == nil {
			return &problem{Status: http.StatusMethodNotAllowed, Text: "There is nothing to see here."}
		}
		return v.page.get(v)
	}
	if err := v.readForm(); err != nil {
		return err
	}
	handler := v.page.post[v.field("do")]
	if handler == nil {
		return &problem{Status: http.StatusBadRequest, Text: "The form asks for something that this page does not do."}
	}
	return handler(v)
}

// wanted returns the page to return to after signing in. It never repeats a
// form.
func wanted(r *http.Request) string {
	if r.URL.Path == Root {
		return ""
	}
	return withQuery(r.URL)
}

// open finds the session of the cookie, if there is one.
func (v *visit) open() error {
	v.token = v.cookies.token(v.r, sessionCookie)
	if v.token.Reveal() == "" {
		return nil
	}
	session, err := v.signIn.Open(v.r.Context(), v.token)
	switch {
	case err == nil, errors.Is(err, signin.ErrRoleEnded):
		v.trust()
		v.session = session
		if err != nil && !v.page.open && v.page.path != rolePath {
			return err
		}
	case errors.Is(err, signin.ErrNoSession):
		if !v.page.open {
			v.cookies.clear(v.w, sessionCookie)
		}
	default:
		return err
	}
	return nil
}

// readForm reads the body, whose size the server limits.
func (v *visit) readForm() error {
	if err := v.r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return &problem{
				Status: http.StatusRequestEntityTooLarge,
				Text:   fmt.Sprintf("A form may have %d bytes at most.", large.Limit),
			}
		}
		return &problem{Status: http.StatusBadRequest, Text: "The form cannot be read."}
	}
	for name, values := range v.r.PostForm {
		if len(values) > 1 && name != "choice" {
			return &problem{Status: http.StatusBadRequest, Text: "The form has the field " + name + " twice."}
		}
	}
	return nil
}
