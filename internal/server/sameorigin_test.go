package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestSameOrigin(t *testing.T) {
	h := SameOrigin(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}), []string{"rollcall"}, true)
	for _, c := range []struct {
		host, origin, site string
		want               int
	}{
		{"127.0.0.1:8585", "", "", 204},
		{"localhost:8585", "", "", 204},
		{"LOCALHOST", "", "", 204},
		{"iam.localhost:8585", "", "", 204},
		{"[::1]:8585", "", "", 204},
		{"[::1]", "", "", 204},
		{"127.8.8.8", "", "", 204},
		{"rollcall:8585", "", "", 204},
		{"127.0.0.1:8585", "http://127.0.0.1:8585", "same-origin", 204},
		{"127.0.0.1:8585", "", "none", 204},
		{"evil.example:8585", "", "", 403},
		{"evil.example:8585", "http://evil.example:8585", "same-origin", 403},
		{"rollcall.evil.example", "", "", 403},
		{"notlocalhost", "", "", 403},
		{"127.0.0.1.evil.example", "", "", 403},
		{"192.0.2.1:8585", "", "", 403},
		{"", "", "", 403},
		{"127.0.0.1:8585", "http://evil.example", "", 403},
		{"127.0.0.1:8585", "http://127.0.0.1:3000", "", 403},
		{"127.0.0.1:8585", "null", "", 403},
		{"127.0.0.1:8585", "", "cross-site", 403},
		{"localhost:8585", "", "same-site", 403},
	} {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			r := httptest.NewRequest(method, "/?Action=CreateUser", nil)
			r.Host = c.host
			for name, value := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.site} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("%s to %s from %q, %q: %d, want %d", method, c.host, c.origin, c.site, w.Code, c.want)
			}
		}
	}
	// Two headers do not bypass the check.
	r := httptest.NewRequest("POST", "/", nil)
	r.Host = "127.0.0.1"
	r.Header["Origin"] = []string{"http://127.0.0.1", "http://evil.example"}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 403 {
		t.Errorf("a second origin: %d", w.Code)
	}
}

// TestLinksToPages follows links from other sites. They only lead to pages of the
// console, if there is one.
func TestLinksToPages(t *testing.T) {
	for _, c := range []struct {
		pages              bool
		method, path, mode string
		want               int
	}{
		{true, "GET", "/console/users", "navigate", 204},
		{true, "GET", "/console/users", "no-cors", 403},
		{true, "POST", "/console/users", "navigate", 403},
		{true, "GET", "/v1/authorize?x=y", "navigate", 204},
		{true, "GET", "/federation?Action=login", "navigate", 204},
		{true, "GET", "/federation?Action=login", "no-cors", 403},
		{true, "POST", "/v1/authorize", "navigate", 403},
		{true, "GET", "/?Action=ListUsers", "navigate", 403},
		{true, "GET", "/consoles/?Action=ListUsers", "navigate", 403},
		{false, "GET", "/console/?Action=ListUsers", "navigate", 403},
	} {
		h := SameOrigin(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		}), nil, c.pages)
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Host = "localhost"
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", c.mode)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %s, %s, pages %t: %d, want %d", c.method, c.path, c.mode, c.pages, w.Code, c.want)
		}
	}
}
