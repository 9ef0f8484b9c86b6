package oauth

import (
	"encoding/base64"
	"net/url"
	"strconv"

	"rollcall/internal/lazyregexp"
	"rollcall/internal/seal"
)

// The paths of the endpoints.
const (
	AuthorizePath    = "/v1/authorize"
	TokenPath        = "/v1/token"
	ConfirmationPath = "/v1/sessions/confirmation"
)

// Request is a tool's request to a person.
type Request struct {
	Client   string
	Redirect string // the destination of the code, as the tool wrote it
	// Remote says that the person sees the code, because the tool may run on
	// another machine.
	Remote bool

	state, challenge string
}

// BadRequest is a request that is not shown to a person for consent. Its text
// is for the person.
type BadRequest struct{ Text string }

func (b *BadRequest) Error() string { return b.Text }

// Origin says whether the scheme and the host of a URL are ours.
type Origin func(scheme, host string) bool

// ParseRequest reads the query of the authorization endpoint.
func ParseRequest(q url.Values, ours Origin) (*Request, error) {
	for name, values := range q {
		if len(values) != 1 {
			return nil, &BadRequest{"The request has the parameter " + strconv.QuoteToASCII(name) + " twice."}
		}
	}
	r := &Request{
		Client: q.Get("client_id"), Redirect: q.Get("redirect_uri"), state: q.Get("state"),
		challenge: q.Get("code_challenge"),
	}
	digest, err := base64.RawURLEncoding.Strict().DecodeString(r.challenge)
	method := q.Get("code_challenge_method")
	switch {
	case r.Client != sameDevice && r.Client != crossDevice:
		return nil, &BadRequest{"The request does not come from a tool that Rollcall knows (client_id)."}
	case q.Get("response_type") != "code":
		return nil, &BadRequest{"The request must ask for a code (response_type)."}
	case q.Get("scope") != "openid":
		return nil, &BadRequest{"The request must have the scope openid."}
	case method != "SHA-256":
		return nil, &BadRequest{"The request must have a challenge by SHA-256 (code_challenge_method)."}
	case err != nil, len(digest) != 32:
		return nil, &BadRequest{"The request must have a challenge of 32 bytes (code_challenge)."}
	case r.state == "", len(r.state) > 512, !printable(r.state):
		return nil, &BadRequest{"The request must have a state of at most 512 characters."}
	}
	r.Remote = r.Client == crossDevice
	if !r.mayRedirect(ours) {
		return nil, &BadRequest{"The request wants its code at an address where Rollcall sends none (redirect_uri)."}
	}
	return r, nil
}

// loopback matches the address of a tool on the person's own machine. It allows
// one spelling, because browsers might read others differently.
var loopback = lazyregexp.New(`^http://127\.0\.0\.1:([1-9][0-9]{0,4})/oauth/callback$`)

func (r *Request) mayRedirect(ours Origin) bool {
	if !r.Remote {
		port := loopback.FindStringSubmatch(r.Redirect)
		if port == nil {
			return false
		}
		n, err := strconv.Atoi(port[1])
		return err == nil && n <= 65535
	}
	u, err := url.Parse(r.Redirect)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && ours(u.Scheme, u.Host) &&
		r.Redirect == u.Scheme+"://"+u.Host+ConfirmationPath
}

func printable(text string) bool {
	for _, c := range text {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// Callback returns the address to which the browser takes a code, unless the
// request is Remote.
func (r *Request) Callback(code seal.Secret) string {
	return r.Redirect + "?" + url.Values{"code": {code.Reveal()}, "state": {r.state}}.Encode()
}

// Refusal returns the address to which the browser takes the message that the
// person has refused.
func (r *Request) Refusal() string {
	return r.Redirect + "?" + url.Values{
		"error": {"access_denied"}, "error_description": {"The request was refused."}, "state": {r.state},
	}.Encode()
}

// Typed returns the text that the person copies from the browser to a tool on
// another machine.
func (r *Request) Typed(code seal.Secret) seal.Secret {
	return seal.NewSecret(base64.StdEncoding.EncodeToString([]byte("state=" + url.QueryEscape(r.state) + "&code=" +
		url.QueryEscape(code.Reveal()))))
}
