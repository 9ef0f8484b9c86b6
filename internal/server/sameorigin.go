package server

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// SameOrigin lets h answer programs on this machine, but not pages of other sites
// that are open in its browser. Those pages can send forms and links, and can
// sign them if the key is well known.
//
// A request must name this machine, or one of hosts, as its host: a site that
// points its own name at this machine (DNS rebinding) has the same origin as
// itself. A browser says in Sec-Fetch-Site or Origin where a request comes from.
// It must come from here. The SDKs, the AWS CLI and curl send neither. If pages
// is set there is a console, and any site may link to its pages.
func SameOrigin(h http.Handler, hosts []string, pages bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !LocalHost(r.Host, hosts):
			http.Error(w, "requests to this host are refused", http.StatusForbidden)
		case !fromHere(r) && (!pages || !isLink(r)):
			http.Error(w, "cross-origin requests are refused", http.StatusForbidden)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// isLink says whether a request opens a page of the console by a link or from a
// tool. The console makes its own checks.
func isLink(r *http.Request) bool {
	page := strings.HasPrefix(r.URL.Path, "/console/") || r.URL.Path == "/v1/authorize" || r.URL.Path == "/federation"
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && page
}

// fromHere does not make net/http's exception for methods that should change
// nothing: a GET can call any action.
func fromHere(r *http.Request) bool {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		// none: the user typed the address.
		if site != "same-origin" && site != "none" {
			return false
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		if at, err := url.Parse(origin); err != nil || at.Host == "" || at.Host != r.Host {
			return false
		}
	}
	return true
}

// LocalHost reports whether a request names this machine, or one of hosts, as
// its host.
func LocalHost(hostport string, hosts []string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	host = strings.ToLower(host)
	ip := net.ParseIP(host)
	named := func(allowed string) bool { return strings.EqualFold(allowed, host) }
	// Names under localhost are this machine's (RFC 6761, section 6.3).
	here := host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
	return here || slices.ContainsFunc(hosts, named)
}
