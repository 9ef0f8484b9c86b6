package console_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const mayLogin = `{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":["signin:AuthorizeOAuth2Access","signin:CreateOAuth2Token"],
		"Resource":"arn:aws:signin:us-east-1:123456789012:oauth2/public-client/*"},
	{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`

const aliceARN = "arn:aws:iam::123456789012:user/alice"

// A tool gets credentials and refreshes them.
func TestLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", mayLogin)
	p, tl := w.signedIn("alice"), w.tool(sameDevice)
	first := tl.redeem(p.allow(tl))
	if arn, code := first.works(w); arn != aliceARN {
		t.Fatalf("%+v: %s %s", first, arn, code)
	}
	if first.TokenType != "aws_sigv4" || first.ExpiresIn != 900 || len(first.RefreshToken) > 2048 ||
		!strings.HasPrefix(first.AccessToken.AccessKeyID, "ASIA") {
		t.Errorf("%+v", first)
	}
	part := strings.Split(first.IDToken, ".")
	if len(part) != 3 || len(first.IDToken) > 4096 {
		t.Fatalf("id token %q", first.IDToken)
	}
	var claims struct{ Sub string }
	text, err := base64.RawURLEncoding.DecodeString(part[1])
	if err == nil {
		err = json.Unmarshal(text, &claims)
	}
	if err != nil || claims.Sub != aliceARN {
		t.Errorf("%v: %s", err, text)
	}
	second := tl.refresh(first.RefreshToken)
	if arn, code := second.works(w); arn != aliceARN || second.IDToken != "" ||
		second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken {
		t.Errorf("%+v: %s %s", second, arn, code)
	}
	// Earlier credentials stay valid until they expire.
	if arn, _ := first.works(w); arn != aliceARN {
		t.Error("a refresh ended what was given before")
	}
	// Without a device, a policy that requires one denies calls. The tool
	// cannot get credentials that outlive the sign-in.
	if _, err := second.iam(w).ListUsers(t.Context(), &iam.ListUsersInput{}); failureCode(err) != "AccessDenied" {
		t.Errorf("without MFA: %v", err)
	}
	_, err = second.sts(w).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if failureCode(err) != "AccessDenied" {
		t.Errorf("GetSessionToken: %v", err)
	}
}

// The credentials have the sign-in's MFA context.
func TestLoginWithCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", mayLogin)
	seed := w.device("alice")
	p, tl := w.person(), w.tool(sameDevice)
	p.get(tl.path()).want(t, http.StatusOK, "IAM user name")
	p.post("/console/sign-in", "do", "sign-in", "account", account, "user", "alice", "password", userPassword,
		"to", tl.path())
	got := p.post("/console/sign-in/mfa", "do", "code", "serial", "arn:aws:iam::"+account+":mfa/alice", "code",
		w.code(seed, 0), "to", tl.path())
	if got.path != tl.path() {
		t.Fatalf("came to %s: %s", got.path, trouble(got.body))
	}
	tk := tl.redeem(p.allow(tl))
	for range 2 {
		if _, err := tk.iam(w).ListUsers(t.Context(), &iam.ListUsersInput{}); err != nil {
			t.Errorf("with MFA: %v", err)
		}
		tk = tl.refresh(tk.RefreshToken)
	}
}

// Root needs no permission. A role acts as itself.
func TestLoginAsRootAndRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
		"Principal":{"AWS":"` + aliceARN + `"}}}`
	_, err := w.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("ops"),
		AssumeRolePolicyDocument: &trust})
	if err == nil {
		_, err = w.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("ops"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/SignInLocalDevelopmentAccess")})
	}
	if err != nil {
		t.Fatal(err)
	}
	tl := w.tool(sameDevice)
	tk := tl.redeem(w.signedIn("").allow(tl))
	if arn, code := tk.works(w); arn != "arn:aws:iam::123456789012:root" {
		t.Errorf("root: %s %s", arn, code)
	}
	if _, err := tk.iam(w).ListUsers(t.Context(), &iam.ListUsersInput{}); err != nil {
		t.Error(err)
	}
	p := w.signedIn("alice")
	p.post("/console/role", "do", "switch", "account", account, "role", "ops")
	p.get(w.tool(sameDevice).path()).want(t, http.StatusOK, "assumed-role/ops/alice")
	tl = w.tool(sameDevice)
	tk = tl.refresh(tl.redeem(p.allow(tl)).RefreshToken)
	if arn, code := tk.works(w); arn != "arn:aws:sts::123456789012:assumed-role/ops/alice" {
		t.Errorf("role: %s %s", arn, code)
	}
	// A person who may no longer act as alice loses the role's credentials too.
	_, err = w.iam.DeleteLoginProfile(t.Context(), &iam.DeleteLoginProfileInput{UserName: aws.String("alice")})
	if err != nil {
		t.Fatal(err)
	}
	if _, code := tk.works(w); code != "ExpiredToken" {
		t.Errorf("the role's session continues: %s", code)
	}
}

// The page of consent names the tool and the person. It warns if the tool is on
// another machine.
func TestConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", mayLogin)
	w.user("bob", "")
	p, tl := w.signedIn("alice"), w.tool(sameDevice)
	got := p.get(tl.path())
	got.want(t, http.StatusOK, sameDevice, account, aliceARN, callback, `value="allow">Allow`)
	if strings.Contains(got.body, "did not start on this machine") {
		t.Error("a warning where nothing is to be warned of")
	}
	csp := got.header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "form-action 'self' http://127.0.0.1:53037;") {
		t.Error(csp)
	}
	remote := w.tool(crossDevice)
	got = p.get(remote.path())
	wellMade(t, got, http.StatusOK)
	got.want(t, http.StatusOK, "did not start on this machine", crossDevice)
	// A caller without permission sees the reason and cannot continue.
	q := w.signedIn("bob")
	q.get(tl.path()).want(t, http.StatusOK, "signin:AuthorizeOAuth2Access", `value="allow" disabled`)
	q.post(tl.path(), "do", "allow").want(t, http.StatusForbidden, "signin:AuthorizeOAuth2Access")
	// If the person refuses, there is no code, and the tool is informed.
	stay := *p.client
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := stay.Do(p.form(tl.path(), "do", "refuse"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if at := resp.Header.Get("Location"); !strings.HasPrefix(at, callback+"?error=access_denied&") ||
		strings.Contains(at, "code=") {
		t.Error(at)
	}
	p.post(remote.path(), "do", "refuse").want(t, http.StatusOK, "The tool was refused.")
	// Another person may sign in instead.
	if got := p.post(tl.path(), "do", "other"); !strings.HasPrefix(got.path, "/console/sign-in?to=%2Fv1%2Fauthorize") {
		t.Error(got.path)
	}
	// A form of another site does not count as consent.
	r := q.form(tl.path(), "do", "allow")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	q.do(r).want(t, http.StatusForbidden, "not sent by a page of this console")
}

func TestRemoteLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", mayLogin)
	p, tl := w.signedIn("alice"), w.tool(crossDevice)
	if at := p.allowed(tl); at.RequestURI() != "/v1/sessions/confirmation" {
		t.Errorf("the code is in an address: %s", at)
	}
	got := p.get("/v1/sessions/confirmation")
	wellMade(t, got, http.StatusOK)
	if secretOf(got.body) == "" {
		t.Error("no code")
	}
	p.get("/v1/sessions/confirmation").want(t, http.StatusNotFound, "There is no code to show")
	tk := tl.redeem(p.allow(tl))
	if arn, code := tk.works(w); arn != aliceARN {
		t.Errorf("%+v %s %s", tk, arn, code)
	}
	if arn, _ := tl.refresh(tk.RefreshToken).works(w); arn != aliceARN {
		t.Error("no refresh")
	}
}
