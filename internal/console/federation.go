package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rollcall/internal/awsmodel"
	"rollcall/internal/seal"
	"rollcall/internal/signin"
)

// federationPath is AWS's. Programs with temporary credentials use it to sign
// in a browser.
const federationPath = "/federation"

// federation answers programs and browsers at that path.
func (c *Console) federation(v *visit) error {
	if err := v.readForm(); err != nil {
		return err
	}
	for name, values := range v.r.Form {
		if len(values) > 1 {
			return &problem{Status: http.StatusBadRequest, Text: "The request has the parameter " + name + " twice."}
		}
	}
	switch action := v.r.Form.Get("Action"); {
	case action == "getSigninToken":
		return c.signinToken(v)
	case action == "login" && v.r.Method == http.MethodGet:
		return c.federate(v)
	}
	return &problem{
		Status: http.StatusBadRequest, Text: "The request must have the Action getSigninToken, or login by GET.",
	}
}

// signinToken gives a program a token for its temporary credentials. The program
// may have put them into the address, so nothing here stores the address.
func (c *Console) signinToken(v *visit) error {
	var session struct {
		ID    string `json:"sessionId"`
		Key   string `json:"sessionKey"`
		Token string `json:"sessionToken"`
	}
	kind := v.r.Form.Get("SessionType")
	if json.Unmarshal([]byte(v.r.Form.Get("Session")), &session) != nil || kind != "" && kind != "json" {
		return &problem{Status: http.StatusBadRequest, Text: "The Session must be JSON with sessionId, sessionKey and " +
			"sessionToken."}
	}
	var duration time.Duration
	if text := v.r.Form.Get("SessionDuration"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1<<20 {
			return &problem{Status: http.StatusBadRequest, Text: "The SessionDuration must be a number of seconds."}
		}
		duration = time.Duration(n) * time.Second
	}
	if _, ok := c.api.AdmitFrom(v.call.SourceIP); !ok {
		return &problem{Status: http.StatusTooManyRequests, Text: "There were too many requests. Please try again later."}
	}
	token, err := c.signIn.SigninToken(v.r.Context(), v.visitOf(""), signin.Credentials{
		KeyID: session.ID, Secret: seal.NewSecret(session.Key), Token: seal.NewSecret(session.Token),
	}, duration)
	if err != nil {
		return badRequest(err)
	}
	v.trust()
	return v.writeJSON(map[string]string{"SigninToken": token.Reveal()})
}

// federate signs in a browser with such a token, and redirects it to a page of
// the console.
func (c *Console) federate(v *visit) error {
	v.token = v.cookies.token(v.r, sessionCookie)
	to := c.destinationOf(v.r.Form.Get("Destination"))
	step, err := c.signIn.Federate(v.r.Context(), v.visitOf(to), seal.NewSecret(v.r.Form.Get("SigninToken")))
	if errors.Is(err, signin.ErrStepGone) {
		return &problem{Status: http.StatusBadRequest, Text: "The link has been used, or is too old. Ask for another one " +
			"where you got it."}
	}
	if err != nil {
		return err
	}
	return v.step(step, to)
}

// destinationOf returns the page for a Destination. Clients send an address of
// AWS's own console, or anything else. Then it is the first page.
func (c *Console) destinationOf(address string) string {
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil && c.hosts.has(u.Host) {
		return c.ours(withQuery(u))
	}
	return c.ours(address)
}

// badRequest returns an error as AWS answers it here.
func badRequest(err error) error {
	var known *awsmodel.Error
	if errors.As(err, &known) && awsmodel.Status(known.Code) < http.StatusInternalServerError {
		return &problem{Status: http.StatusBadRequest, Text: known.Message, Code: known.Code}
	}
	return err
}
