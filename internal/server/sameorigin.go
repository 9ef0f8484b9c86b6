package server

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// SameOrigin lets h answer for this machine's own programs only, and not for
// the pages of other sites that are open in its browser: those can send it
// forms and links, and sign them where the key is well known.
//
// A request must name this machine as its host, or one of hosts: a site that
// lets its own name lead here (DNS rebinding) is same-origin to itself. A
// browser says where a request comes from, in Sec-Fetch-Site or Origin, which
// must be here. The SDKs, the AWS CLI and curl say nothing.
func SameOrigin(h http.Handler, hosts []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !localHost(r.Host, hosts):
			http.Error(w, "requests to this host are refused", http.StatusForbidden)
		case !fromHere(r):
			http.Error(w, "cross-origin requests are refused", http.StatusForbidden)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// fromHere does not make net/http's exception for methods that should change
// nothing: a GET can be a call of any action.
func fromHere(r *http.Request) bool {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		// Typed into the address bar is none.
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

// localHost says whether a request was meant for this machine.
func localHost(hostport string, hosts []string) bool {
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
