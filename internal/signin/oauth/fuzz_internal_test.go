package oauth

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// onlyUs says whether a URL is the service's, which is
// https://rollcall.example.
func onlyUs(scheme, host string) bool { return scheme == "https" && host == "rollcall.example" }

// FuzzParseRequest reads any query of the authorization endpoint. A code is only
// sent to this machine or to our own page. The redirect keeps the rest of its
// address.
func FuzzParseRequest(f *testing.F) {
	const rest = "response_type=code&scope=openid&code_challenge_method=SHA-256&state=s&" +
		"code_challenge=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU&client_id=arn:aws:signin:::devtools/"
	for _, to := range []string{
		"http://127.0.0.1:1/oauth/callback", "http://127.0.0.1:0/oauth/callback", "http://127.0.0.1:65536/oauth/callback",
		"http://127.0.0.1.evil:1/oauth/callback", "http://a@127.0.0.1:1/oauth/callback", "http://127.0.0.1:1/oauth/callback#",
		"http://127.0.0.1:1@evil/oauth/callback", "https://rollcall.example/v1/sessions/confirmation",
		"https://rollcall.example:443/v1/sessions/confirmation", "https://x@rollcall.example/v1/sessions/confirmation",
		"https://rollcall.example/v1/sessions/confirmation?x", "//rollcall.example/v1/sessions/confirmation",
		"http:\\\\127.0.0.1:1/oauth/callback",
	} {
		for _, client := range []string{"same-device", "cross-device"} {
			f.Add(rest + client + "&redirect_uri=" + url.QueryEscape(to))
		}
	}
	f.Add("%")
	f.Add("state=a&state=b")
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		r, err := ParseRequest(q, onlyUs)
		if err != nil {
			return
		}
		to, err := url.Parse(r.Redirect)
		if err != nil || to.User != nil || to.RawQuery != "" || to.Fragment != "" ||
			strings.ContainsAny(r.Redirect, "\\ \t\r\n") {
			t.Fatalf("a code for %q", r.Redirect)
		}
		if here := to.Scheme == "http" && to.Hostname() == "127.0.0.1" && to.Port() != "0" &&
			to.Path == "/oauth/callback"; here == r.Remote {
			t.Errorf("a code for %q", r.Redirect)
		}
		if r.Remote && r.Redirect != "https://rollcall.example/v1/sessions/confirmation" {
			t.Errorf("a code for %q", r.Redirect)
		}
		back, err := url.Parse(r.Refusal())
		if err != nil || back.Host != to.Host || back.Path != to.Path || back.Query().Get("state") != r.state {
			t.Errorf("%q leads to %q", query, r.Refusal())
		}
	})
}

// FuzzCheckProof reads any header that should prove the possession of a key. A
// valid proof requires one of the keys.
func FuzzCheckProof(f *testing.F) {
	part := func(s string) string { return text([]byte(s)) }
	head := `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256",` +
		`"x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}}`
	claims := `{"htm":"POST","htu":"https://rollcall.example/v1/token","iat":1795000000,"jti":"a"}`
	for _, h := range []string{
		head, strings.Replace(head, "ES256", "none", 1), strings.Replace(head, "ES256", "HS256", 1),
		strings.Replace(head, `"kty"`, `"d":"AQ","kty"`, 1), strings.Replace(head, "axfR", "AAAA", 1),
		`{"crit":["b64"]}`, "[]",
	} {
		f.Add(part(h) + "." + part(claims) + "." + text(make([]byte, 64)))
	}
	f.Add(part(head) + "." + part(strings.Replace(claims, "1795000000", "1e400", 1)) + "." + text(make([]byte, 64)))
	f.Add(part(head) + "." + part(claims) + ".")
	f.Add("..")
	f.Fuzz(func(t *testing.T, header string) {
		if p, err := checkProof(header, onlyUs, time.Unix(1795000000, 0)); err == nil {
			t.Errorf("%q proves %+v", header, p)
		}
	})
}
