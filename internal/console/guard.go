package console

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"rollcall/internal/server"
)

// contentPolicy lets a page load and run only what comes from this service.
var contentPolicy = policyWithForms()

// policyWithForms also allows the answer to a form to redirect to other
// origins.
func policyWithForms(origins ...string) string {
	forms := strings.Join(append([]string{"'self'"}, origins...), " ")
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		"form-action " + forms + "; base-uri 'none'; frame-ancestors 'none'"
}

// harden sets the headers of every answer.
func (c *Console) harden(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// Other sites do not learn which page a link was on. With no-referrer,
	// browsers would not send the origin of a form either.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Permissions-Policy", "publickey-credentials-get=(self), publickey-credentials-create=(self), "+
		"camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}

// hosts are the host names that requests may use. A site whose own name
// resolves to this service (DNS rebinding) has the same origin as itself.
type hosts struct {
	local bool // allow every name of this machine, at any port
	exact string
	names []string
}

func newHosts(public *url.URL, names []string) hosts {
	h := hosts{names: names, exact: strings.ToLower(public.Host)}
	h.local = public.Host == "" || server.LocalHost(public.Host, nil)
	return h
}

func (h hosts) has(host string) bool {
	if host == "" {
		return false
	}
	if h.local && server.LocalHost(host, nil) || len(h.names) > 0 && named(host, h.names) {
		return true
	}
	return strings.ToLower(host) == h.exact
}

func named(hostport string, names []string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	for _, name := range names {
		if strings.EqualFold(name, host) {
			return true
		}
	}
	return false
}

// refuseForeign returns an error for a request that does not come from a page
// of the console.
func (c *Console) refuseForeign(r *http.Request) error {
	if !c.hosts.has(r.Host) {
		text := "The console does not answer to this host."
		if c.url == "" {
			text += " Its operator names the host by --public-url."
		} else {
			text += " It is at " + c.url + Root + "."
		}
		return &problem{Status: http.StatusMisdirectedRequest, Text: text}
	}
	if r.URL.Path == federationPath {
		return nil // for programs, which send no origin; cookies do not count there
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return nil
	case http.MethodPost:
	default:
		return &problem{Status: http.StatusMethodNotAllowed, Text: "Pages know GET, HEAD and POST."}
	}
	// Every browser sends the origin of a form. CrossOriginProtection allows a
	// request without one.
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return errForeign
	}
	if err := c.origin.Check(r); err != nil {
		return errForeign
	}
	return nil
}

var errForeign = &problem{
	Status: http.StatusForbidden,
	Text:   "The form was not sent by a page of this console, so nothing was done.",
}
