package identity_test

import (
	"strings"
	"testing"

	"rollcall/internal/identity"
)

func TestParsePublicURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://rollcall.example":              "https://rollcall.example",
		"https://rollcall.example/":             "https://rollcall.example",
		"http://127.0.0.1:8585":                 "http://127.0.0.1:8585",
		"https://[2001:db8::1]:8443/iam/x/":     "https://[2001:db8::1]:8443/iam/x",
		"https://h/" + strings.Repeat("x", 201): "https://h/" + strings.Repeat("x", 201),
		"":                                      "",
		"rollcall.example":                      "",
		"ftp://rollcall.example":                "",
		"https://":                              "",
		"https:///path":                         "",
		"https://user:hunter2@rollcall.example": "",
		"ftp://user:hunter2@rollcall.example":   "",
		"https://rollcall.example?":             "",
		"https://rollcall.example?a=b":          "",
		"https://rollcall.example#":             "",
		"https://rollcall.example/#a":           "",
		"https://rollcall.example/a b":          "",
		"https://rollcall.example/%61":          "",
		"https://rollcall.example/\u00e4":       "",
		"https://rollcall.example//a":           "",
		"https://rollcall.example/a/../b":       "",
		"https://rollcall.example/a/.":          "",
		"https://rollcall.example/\n":           "",
		"https://h/" + strings.Repeat("x", 202): "",
	} {
		got, err := identity.ParsePublicURL(text)
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a password in %v", err)
		}
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
