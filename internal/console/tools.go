package console

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"rollcall/internal/api"
	"rollcall/internal/signin/oauth"
	"rollcall/internal/words"
)

// toolPages returns the pages for developer tools: package oauth asks a person
// for consent and gives a program credentials (aws login). The paths are AWS's.

func (c *Console) toolPages() []page {
	return []page{
		{
			path: oauth.AuthorizePath, title: "Let a tool act for you", get: c.authorizePage,
			post: posts{"allow": c.allowTool, "refuse": c.refuseTool, "other": c.otherPerson},
		},
		{path: oauth.ConfirmationPath, title: "Your code", open: true, step: true, get: c.confirmationPage},
	}
}

// codeCookie transports a code from the page that creates it to the page that
// shows it, so no address contains it.
const codeCookie = "rollcall-code"

// authorizeView is the data of the page of consent.
type authorizeView struct {
	Remote  bool
	Client  string
	To      string // the destination of the code
	Account string
	Who     string // ARN
	Role    bool
	MFA     bool
	Until   string
	Denied  string
}

// toolRequest reads the tool's request from the page's address.
func (v *visit) toolRequest() (*oauth.Request, error) {
	r, err := oauth.ParseRequest(v.r.URL.Query(), func(_, host string) bool { return v.hosts.has(host) })
	var bad *oauth.BadRequest
	if errors.As(err, &bad) {
		return nil, &problem{Status: http.StatusBadRequest, Text: bad.Text}
	}
	return r, err
}

func (c *Console) authorizePage(v *visit) error {
	r, err := v.toolRequest()
	if err != nil {
		return err
	}
	grant := v.session.Grant()
	view := authorizeView{
		Remote: r.Remote, Client: r.Client, To: r.Redirect,
		Account: v.session.Caller.Account(), Who: v.session.Caller.ARN(), Role: v.session.Role != nil,
		MFA: !grant.As.Session.MFA.IsZero(), Until: words.Time(grant.Expires),
	}
	if err := c.tools.May(v.r.Context(), v.call, v.session, r); err != nil {
		view.Denied = v.explain(err).Text
	}
	if !r.Remote {
		// Browsers also check redirects of a form against this policy.
		u, err := url.Parse(r.Redirect)
		if err != nil {
			return err
		}
		v.w.Header().Set("Content-Security-Policy", policyWithForms("http://"+u.Host))
	}
	return v.show(view.html())
}

func (c *Console) allowTool(v *visit) error {
	r, err := v.toolRequest()
	if err != nil {
		return err
	}
	code, err := c.tools.Authorize(v.r.Context(), v.call, v.session, r)
	if err != nil {
		return v.again(err, c.authorizePage)
	}
	if !r.Remote {
		return v.to(r.Callback(code))
	}
	v.cookies.set(v.w, codeCookie, r.Typed(code).Reveal(), int(oauth.CodeLife/time.Second))
	return v.to(oauth.ConfirmationPath)
}

func (c *Console) refuseTool(v *visit) error {
	r, err := v.toolRequest()
	if err != nil {
		return err
	}
	if !r.Remote {
		return v.to(r.Refusal())
	}
	return v.done(Root, "The tool was refused.")
}

// otherPerson ends the session, so another person can sign in and be asked.
func (c *Console) otherPerson(v *visit) error {
	if err := c.signIn.SignOut(v.r.Context(), v.token); err != nil {
		return err
	}
	v.cookies.clear(v.w, sessionCookie)
	return v.to(link(signInPath, "to", withQuery(v.r.URL)))
}

func (c *Console) confirmationPage(v *visit) error {
	code := v.cookies.get(v.r, codeCookie)
	if code == "" {
		return &problem{Status: http.StatusNotFound, Text: "There is no code to show. It is shown once. Run aws login again."}
	}
	v.cookies.clear(v.w, codeCookie)
	return v.show(confirmation(code))
}

// nearby redirects a browser that used an address of this machine to the
// console's own name, because cookies and passkeys belong to that name.
func (v *visit) nearby() string {
	at, err := url.Parse(v.url)
	host, _, _ := net.SplitHostPort(v.r.Host)
	if err != nil || v.r.Method != http.MethodGet || at.Hostname() != "localhost" || !net.ParseIP(host).IsLoopback() {
		return ""
	}
	return v.url + withQuery(v.r.URL)
}

// maxTokenRequest limits the body of a request for credentials.
const maxTokenRequest = 16 << 10

// serveToken gives a program credentials. It is not a page: cookies do not
// count, and errors have the form that AWS's clients read.
func (c *Console) serveToken(w http.ResponseWriter, r *http.Request, call api.Call, trust func()) int {
	out, err := c.token(w, r, call)
	status := http.StatusOK
	var answer any = out
	if err != nil {
		status, answer = err.Status, map[string]string{"error": err.Code, "message": err.Message}
		w.Header().Set("X-Amzn-Errortype", err.Type)
		if err.RetryAfter > 0 {
			w.Header().Set("Retry-After", seconds(err.RetryAfter))
		}
	} else {
		trust()
	}
	v := &visit{Console: c, w: w, r: r, call: call, status: status}
	if err := v.writeJSON(answer); err != nil {
		v.fail(err)
	}
	return v.status
}

func (c *Console) token(w http.ResponseWriter, r *http.Request, call api.Call) (*oauth.Tokens, *oauth.Failure) {
	invalid := func(message string) *oauth.Failure {
		return &oauth.Failure{Status: http.StatusBadRequest, Type: "ValidationException", Code: "INVALID_REQUEST",
			Message: message}
	}
	if wait, ok := c.api.AdmitFrom(call.SourceIP); !ok {
		return nil, oauth.Paused(wait)
	}
	var in oauth.TokenRequest
	proofs := r.Header.Values("DPoP")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTokenRequest))
	switch {
	case r.Method != http.MethodPost:
		return nil, invalid("The request must be a POST.")
	case !c.hosts.has(r.Host):
		return nil, invalid("The request was sent to a host that this service does not have.")
	case err != nil, json.Unmarshal(body, &in) != nil:
		return nil, invalid("The body of the request must be JSON.")
	case len(proofs) != 1:
		return nil, invalid("The request must have one DPoP header.")
	}
	out, err := c.tools.Token(r.Context(), call, in, proofs[0], func(scheme, host string) bool {
		return scheme+"://"+host == c.url || host == r.Host && (scheme == "https") == (r.TLS != nil)
	})
	var f *oauth.Failure
	if errors.As(err, &f) {
		return nil, f
	}
	return out, nil
}
