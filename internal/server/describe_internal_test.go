package server

import (
	"net/http"
	"testing"
)

// The address is the peer's own, whatever a header claims. Policies have no zones,
// so the zone of a caller on the same link is removed.
func TestDescribePeer(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:99":        "192.0.2.1",
		"[2001:db8::1]:99":    "2001:db8::1",
		"[fe80::1%25eth0]:99": "fe80::1",
		"[fe80::1%eth0]:99":   "fe80::1",
		"no address":          "no address",
	} {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{}}
		for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip"} {
			r.Header.Set(name, "203.0.113.9")
		}
		r.Header.Set("Forwarded", "for=203.0.113.9")
		if got := describe(r, "").SourceIP; got != want {
			t.Errorf("%s: %s", remote, got)
		}
	}
}
