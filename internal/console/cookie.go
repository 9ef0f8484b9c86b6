package console

import (
	"encoding/base64"
	"net/http"
	"strings"

	"rollcall/internal/seal"
)

// cookies keep what a browser brings back. None of them is read by scripts, or
// sent from pages of other sites but by a link.
type cookies struct{ secure bool }

// The cookies.
const (
	sessionCookie = "rollcall"
	stepCookie    = "rollcall-step" // of a sign-in that is under way
	noticeCookie  = "rollcall-notice"
	shownCookie   = "rollcall-shown" // of a secret to be shown once
	seedCookie    = "rollcall-seed"  // of the seed of a device, likewise
)

// name is the cookie's whole name. Under the prefix a browser takes it from this
// host alone, and by TLS alone.
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

// get reads a cookie. Two of one name are none: the second may be another's.
func (c cookies) get(r *http.Request, name string) string {
	if found := r.CookiesNamed(c.name(name)); len(found) == 1 {
		return found[0].Value
	}
	return ""
}

func (c cookies) token(r *http.Request, name string) seal.Secret {
	return seal.NewSecret(c.get(r, name))
}

// notify keeps a sentence for the next page.
func (c cookies) notify(w http.ResponseWriter, text string) {
	c.set(w, noticeCookie, base64.RawURLEncoding.EncodeToString([]byte(text)), 60)
}

// notice takes the sentence that was kept.
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
