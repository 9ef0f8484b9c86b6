package server

import (
	"net/http"
	"testing"
)

// Policies have no zones, so the zone of a caller on the same link is removed.
func TestDescribePeer(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:99":        "192.0.2.1",
		"[2001:db8::1]:99":    "2001:db8::1",
		"[fe80::1%25eth0]:99": "fe80::1",
		"[fe80::1%eth0]:99":   "fe80::1",
		"no address":          "no address",
	} {
		if got := describe(&http.Request{RemoteAddr: remote}, "").SourceIP; got != want {
			t.Errorf("%s: %s", remote, got)
		}
	}
}
