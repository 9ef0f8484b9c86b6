package console_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/api"
	"rollcall/internal/signin"
)

// enrol enrols the security key of another browser for the user who is signed
// in in a browser without a screen.
func (br *browser) enrol(p *person) {
	br.t.Helper()
	ctx := br.t.Context()
	session, err := br.w.session(p.cookie("rollcall"))
	if err != nil {
		br.t.Fatal(err)
	}
	visit := signin.Visit{Call: api.Call{RequestID: "r", SourceIP: "127.0.0.1"}}
	token, options, err := br.w.svc.SignIn.BeginPasskey(ctx, visit, session, "", "key")
	if err != nil {
		br.t.Fatal(err)
	}
	br.open("/console/sign-in")
	answer := eval[json.RawMessage](br, `navigator.credentials.create({publicKey:
		PublicKeyCredential.parseCreationOptionsFromJSON(`+string(options)+`.publicKey)}).then(c => c.toJSON())`)
	if _, err := br.w.svc.SignIn.FinishPasskey(ctx, visit, session, token, answer); err != nil {
		br.t.Fatal(err)
	}
}

// After signing in with a passkey in a real browser, the tool's credentials
// have the MFA context without a typed code.
func TestLoginWithPasskey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	br, p := w.browse(t), w.signedIn("alice")
	br.authenticator()
	br.enrol(p)
	_, err := w.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("alice"),
		PolicyName:     aws.String("own"),
		PolicyDocument: aws.String(mayLogin)})
	if err != nil {
		t.Fatal(err)
	}
	// The tool listens, and the browser brings the code to it.
	codes := make(chan string, 1)
	listener := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/callback" {
			codes <- r.URL.Query().Get("code")
		}
		rw.Header().Set("Content-Type", "text/html")
		rw.Write([]byte(`<!DOCTYPE html><link rel="icon" href="data:,"><p>Go back to the tool.</p>`))
	}))
	t.Cleanup(listener.Close)
	tl := w.tool(sameDevice)
	tl.redirect = listener.URL + "/oauth/callback"

	// The tool's endpoint is an address of this machine. Passkeys need a host name.
	br.Navigate(strings.Replace(w.url, "localhost", "127.0.0.1", 1) + tl.path())
	br.Expect("request: http://127.0.0.1")
	br.fill("account", account)
	br.fill("user", "alice")
	br.fill("password", userPassword)
	br.press("sign-in")
	br.click("form[data-passkey] button")
	br.says(aliceARN, "as you signed in with a device")
	br.sights("consent")
	br.press("allow")
	br.says("Go back to the tool.")
	br.Expect("request: " + listener.URL)
	tk := tl.redeem(<-codes)
	if _, err := tk.iam(w).ListUsers(t.Context(), &iam.ListUsersInput{}); err != nil {
		t.Errorf("%+v: %v", tk, err)
	}
	// A tool on another machine needs the code to be shown.
	remote := w.tool(crossDevice)
	br.open(remote.path())
	br.sights("consent-remote")
	br.press("allow")
	br.sights("confirmation")
	br.says("aws login --remote")
}
