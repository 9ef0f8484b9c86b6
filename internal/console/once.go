package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"rollcall/internal/seal"
	"rollcall/internal/signin"
)

// A new secret is shown once. The form that creates it redirects to a page of
// its own. Loading that page again shows nothing and creates nothing.

const createdPath = "/console/created"

// kept holds the data that a page shows once.
type kept struct {
	Title  string
	Secret *secretView
	Device *keptDevice
}

// keptDevice is a device that shows codes and is not enabled yet.
type keptDevice struct{ Path, Serial, Seed string }

func (c *Console) oncePages() []page {
	return []page{{path: createdPath, title: "Created", get: c.created}}
}

// once redirects to a page that shows something once. cookie belongs to that
// page, so no other page reads it. If the data cannot be stored, show shows it
// in this answer.
func (v *visit) once(cookie, path string, what kept, show func() error) error {
	text, err := json.Marshal(what)
	if err != nil {
		return err
	}
	token, err := v.signIn.Keep(v.r.Context(), v.session, seal.NewSecret(string(text)))
	if err != nil {
		v.log.WarnContext(v.r.Context(), "page to show once not kept", "error", err)
		return show()
	}
	v.cookies.set(v.w, cookie, token.Reveal(), int(signin.ShownLife/time.Second))
	return v.to(path)
}

// secret shows a new secret once.
func (v *visit) secret(title string, s secretView) error {
	return v.once(shownCookie, createdPath, kept{Title: title, Secret: &s},
		func() error { return v.showAs(title, s.html()) })
}

// takeKept returns the data that is shown once, and removes it. Missing data is
// not an error. A HEAD request shows nothing and removes nothing.
func (v *visit) takeKept(cookie string) (what kept, err error) {
	token := v.cookies.token(v.r, cookie)
	if token.Reveal() == "" || v.r.Method == http.MethodHead {
		return what, nil
	}
	v.cookies.clear(v.w, cookie)
	text, err := v.signIn.TakeKept(v.r.Context(), v.session, token)
	if errors.Is(err, signin.ErrStepGone) {
		return what, nil
	}
	if err != nil {
		return what, err
	}
	return what, json.Unmarshal([]byte(text.Reveal()), &what)
}

func (c *Console) created(v *visit) error {
	what, err := v.takeKept(shownCookie)
	if err != nil {
		return err
	}
	if what.Secret == nil {
		return &problem{Status: http.StatusNotFound, Text: "A secret is shown once, and this page has shown it."}
	}
	return v.showAs(what.Title, what.Secret.html())
}
