package console

import (
	"encoding/base64"
	"net/http"
	"strings"

	"rollcall/internal/seal"
)

// cookies store values in the browser. Scripts cannot read them. Pages of other
// sites cannot send them, except by a link.
type cookies struct{ secure bool }

// The cookies.
const (
	sessionCookie = "rollcall"
	stepCookie    = "rollcall-step" // of a sign-in in progress
	noticeCookie  = "rollcall-notice"
	shownCookie   = "rollcall-shown" // of a secret that is shown once
	seedCookie    = "rollcall-seed"  // of the seed of a device that is shown once
)

// name returns the cookie's full name. With the prefix, a browser accepts the
// cookie only from this host and only over TLS.
func (c cookies) name(name string) string {
	if c.secure {
		return "__Host-" + name
	}
	return name
}

func (c cookies) set(w http.ResponseWriter, name, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: c.name(name), Value: value, Path: "/", MaxAge: seconds,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (c cookies) clear(w http.ResponseWriter, name string) { c.set(w, name, "", -1) }

// get reads a cookie. Two cookies with one name count as none, because another
// site may have set the second.
func (c cookies) get(r *http.Request, name string) string {
	if found := r.CookiesNamed(c.name(name)); len(found) == 1 {
		return found[0].Value
	}
	return ""
}

func (c cookies) token(r *http.Request, name string) seal.Secret {
	return seal.NewSecret(c.get(r, name))
}

// notify stores a sentence for the next page.
func (c cookies) notify(w http.ResponseWriter, text string) {
	c.set(w, noticeCookie, base64.RawURLEncoding.EncodeToString([]byte(text)), 60)
}

// notice returns the stored sentence and removes it.
func (c cookies) notice(w http.ResponseWriter, r *http.Request) string {
	value := c.get(r, noticeCookie)
	if value == "" {
		return ""
	}
	c.clear(w, noticeCookie)
	text, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(text), "")
}
