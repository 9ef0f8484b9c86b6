package console_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/service"
)

// A code is sent to a program on this machine, or to the confirmation page.
func TestRedirects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.signedIn("")
	for client, redirects := range map[string][]string{
		sameDevice: {
			"http://127.0.0.1.evil.example:80/oauth/callback", "http://127.0.0.1:0/oauth/callback",
			"http://127.0.0.1/oauth/callback", "http://127.0.0.1:65536/oauth/callback", "http://127.0.0.1:080/oauth/callback",
			"http://user@127.0.0.1:80/oauth/callback", "http://127.0.0.1:80@evil.example/oauth/callback",
			"https://127.0.0.1:80/oauth/callback", "http://localhost:80/oauth/callback", "http://[::1]:80/oauth/callback",
			"http://127.0.0.1:80/oauth/callback/", "http://127.0.0.1:80/oauth/callback?x=y",
			"http://127.0.0.1:80/oauth/callback#x",
			"http://127.0.0.1:80/oauth/../callback", "http://127.0.0.1:80\\@evil.example/oauth/callback",
			"//127.0.0.1:80/oauth/callback",
			"http://127.1:80/oauth/callback", "http://127.0.0.1:80/oauth/callback\n", "javascript:alert(1)", "",
			w.url + "/v1/sessions/confirmation",
			w.url + "/console/",
		},
		crossDevice: {
			callback, "https://evil.example/v1/sessions/confirmation", w.url + "/v1/sessions/confirmation?x",
			w.url + "/console/",
			w.url + "@evil.example/v1/sessions/confirmation", "http://evil.example/" + w.url + "/v1/sessions/confirmation",
			"/v1/sessions/confirmation", "//evil.example/v1/sessions/confirmation", "ftp://localhost/v1/sessions/confirmation",
			w.url + ".evil.example/v1/sessions/confirmation", "",
		},
	} {
		for _, redirect := range redirects {
			tl := w.tool(client)
			tl.redirect = redirect
			for _, got := range []answer{p.get(tl.path()), p.post(tl.path(), "do", "allow"), p.post(tl.path(), "do", "refuse")} {
				if got.status != http.StatusBadRequest || !strings.Contains(trouble(got.body), "redirect_uri") {
					t.Errorf("%s to %q: %d %s", client, redirect, got.status, got.path)
				}
			}
		}
	}
	// An otherwise invalid request does not reach the page of consent either.
	for name, value := range map[string]string{
		"response_type": "token", "client_id": "arn:aws:signin:::devtools/other", "state": "",
		"code_challenge_method": "plain",
		"scope":                 "admin", "code_challenge": "short",
	} {
		path := w.tool(sameDevice).path()
		at, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		q := at.Query()
		q.Set(name, value)
		p.get(at.Path+"?"+q.Encode()).want(t, http.StatusBadRequest)
		p.get(path+"&"+name+"=x").want(t, http.StatusBadRequest, "twice")
	}
}

// clock returns a service whose time the test sets.
func clock(now *time.Time) (func(*service.Config), func(time.Duration)) {
	var mu sync.Mutex
	*now = time.Now()
	return func(c *service.Config) {
			c.Store.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return *now }
		}, func(d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			*now = now.Add(d)
		}
}

// dated returns a change that sets the time of a proof to the service's time.
func dated(now *time.Time) func(head, claims map[string]any) {
	return func(_, claims map[string]any) { claims["iat"] = now.Unix() }
}

func TestCodes(t *testing.T) {
	t.Parallel()
	var now time.Time
	set, advance := clock(&now)
	w := newWorld(t, set)
	w.user("alice", mayLogin)
	p, tl := w.signedIn("alice"), w.tool(sameDevice)

	code := p.allow(tl)
	challenge := strings.Split(tl.path(), "code_challenge=")[1][:43]
	for what, change := range map[string]func(b map[string]string){
		"another client":          func(b map[string]string) { b["clientId"] = crossDevice },
		"another redirect":        func(b map[string]string) { b["redirectUri"] = "http://127.0.0.1:53038/oauth/callback" },
		"no redirect":             func(b map[string]string) { delete(b, "redirectUri") },
		"another verifier":        func(b map[string]string) { b["codeVerifier"] = strings.Repeat("x", 64) },
		"no verifier":             func(b map[string]string) { delete(b, "codeVerifier") },
		"a short verifier":        func(b map[string]string) { b["codeVerifier"] = "x" },
		"the challenge":           func(b map[string]string) { b["codeVerifier"] = challenge },
		"another code":            func(b map[string]string) { b["code"] = code[1:] + "a" },
		"a long code":             func(b map[string]string) { b["code"] = strings.Repeat("a", 513) },
		"no code":                 func(b map[string]string) { delete(b, "code") },
		"an unknown client":       func(b map[string]string) { b["clientId"] = "arn:aws:signin:::devtools/x" },
		"a grant of another kind": func(b map[string]string) { b["grantType"] = "client_credentials" },
		"a code for a refresh":    func(b map[string]string) { b["grantType"], b["refreshToken"] = "refresh_token", code },
	} {
		body := tl.redeemBody(code)
		change(body)
		tl.send(body, tl.jwt(dated(&now))).refused(t, what, 400, validation, invalid)
	}
	// None of those requests used up the code.
	first := tl.send(tl.redeemBody(code), tl.jwt(dated(&now)))
	if arn, _ := first.works(w); arn != aliceARN {
		t.Fatalf("%+v", first)
	}
	// The code is presented again: the second presenter gets nothing, and the
	// credentials of the first end.
	thief := w.tool(sameDevice)
	thief.verifier = tl.verifier
	thief.send(thief.redeemBody(code), thief.jwt(dated(&now))).refused(t, "a spent code", 400, validation, invalid)
	if _, code := first.works(w); code != "ExpiredToken" {
		t.Errorf("the credentials of a stolen code: %q", code)
	}
	tl.send(tl.refreshBody(first.RefreshToken), tl.jwt(dated(&now))).refused(t, "its refresh token",
		400, validation, invalid)

	code = p.allow(tl)
	advance(10*time.Minute - time.Second)
	if got := tl.send(tl.redeemBody(code), tl.jwt(dated(&now))); got.status != http.StatusOK {
		t.Errorf("a code before its end: %+v", got)
	}
	code = p.allow(tl)
	advance(10 * time.Minute)
	tl.send(tl.redeemBody(code), tl.jwt(dated(&now))).refused(t, "an old code", 401, accessDenied, "AUTHCODE_EXPIRED")
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	var now time.Time
	set, advance := clock(&now)
	w := newWorld(t, set)
	w.user("alice", mayLogin)
	p, tl := w.signedIn("alice"), w.tool(sameDevice)
	refresh := func(token string) tokens {
		t.Helper()
		return tl.send(tl.refreshBody(token), tl.jwt(dated(&now)))
	}
	begin := func() tokens {
		t.Helper()
		return tl.send(tl.redeemBody(p.allow(tl)), tl.jwt(dated(&now)))
	}
	first := begin()
	advance(14 * time.Minute)
	if _, code := first.works(w); code != "SignatureDoesNotMatch" && code != "" { // the SDK signs by its own clock
		t.Errorf("after 14 minutes: %s", code)
	}
	second := refresh(first.RefreshToken)
	// An answer was lost, or another process was faster: both get the same
	// token.
	again := refresh(first.RefreshToken)
	if again.status != http.StatusOK || again.RefreshToken != second.RefreshToken {
		t.Errorf("within the minute: %+v", again)
	}
	third := refresh(again.RefreshToken)
	advance(time.Minute)
	for what, token := range map[string]string{
		"an empty token": "", "a changed token": third.RefreshToken + "a", "a long token": strings.Repeat("a", 2049),
		"a token of a later time": strings.Replace(third.RefreshToken, ".3.", ".4.", 1),
		"another session":         strings.Replace(third.RefreshToken, "rollcall.", "rollcall.A", 1),
	} {
		refresh(token).refused(t, what, 400, validation, invalid)
	}
	body := tl.refreshBody(third.RefreshToken)
	body["clientId"] = crossDevice
	tl.send(body, tl.jwt(dated(&now))).refused(t, "another client", 400, validation, invalid)
	thief := w.tool(sameDevice)
	thief.send(thief.refreshBody(third.RefreshToken), thief.jwt(dated(&now))).refused(t, "another key",
		400, validation, invalid)
	// A replaced token is presented after it should have been forgotten.
	fourth := refresh(third.RefreshToken)
	if fourth.status != http.StatusOK {
		t.Fatalf("%+v", fourth)
	}
	refresh(first.RefreshToken).refused(t, "an old token", 400, validation, invalid)
	refresh(fourth.RefreshToken).refused(t, "after an old token came", 400, validation, invalid)
	// The same happens with the token before the previous one, a minute later.
	first = begin()
	second = refresh(first.RefreshToken)
	advance(time.Minute)
	refresh(first.RefreshToken).refused(t, "the last but one", 400, validation, invalid)
	refresh(second.RefreshToken).refused(t, "after it came", 400, validation, invalid)
	// The session ends twelve hours after the sign-in. Its credentials end with
	// it.
	tk := w.signedIn("alice")
	end := now.Add(12 * time.Hour)
	last := tl.send(tl.redeemBody(tk.allow(tl)), tl.jwt(dated(&now)))
	advance(12*time.Hour - 5*time.Minute)
	if last = refresh(last.RefreshToken); last.ExpiresIn > int(end.Sub(now)/time.Second) || last.ExpiresIn < 295 {
		t.Errorf("%d seconds, five minutes before the end", last.ExpiresIn)
	}
	advance(5 * time.Minute)
	refresh(last.RefreshToken).refused(t, "after the end", 401, accessDenied, "TOKEN_EXPIRED")
}

// A tool that sends requests without end is throttled.
func TestRefreshIsThrottled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", mayLogin)
	tl := w.tool(sameDevice)
	tk := tl.redeem(w.signedIn("alice").allow(tl))
	for range 100 {
		next := tl.refresh(tk.RefreshToken)
		if next.status == http.StatusTooManyRequests {
			next.refused(t, "too often", 429, "TooManyRequestsError", invalid)
			return
		}
		tk = next
	}
	t.Error("a hundred refreshes at one time")
}

// So are unknown clients, by their address.
func TestTokensAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *service.Config) { c.Rate, c.Burst = 0.001, 3 })
	tl := w.tool(sameDevice)
	last := tokens{}
	for range 4 {
		last = tl.refresh("x")
	}
	last.refused(t, "the fourth", 429, "TooManyRequestsError", invalid)
	got := w.person().get(`/federation?Action=getSigninToken&Session={}`)
	got.want(t, http.StatusTooManyRequests, "too many requests")
}

func TestProofs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", mayLogin)
	tl := w.tool(sameDevice)
	tk := tl.redeem(w.signedIn("alice").allow(tl))
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, value any) func(head, claims map[string]any) {
		return func(_, claims map[string]any) { claims[name] = value }
	}
	header := func(name string, value any) func(head, claims map[string]any) {
		return func(head, _ map[string]any) { head[name] = value }
	}
	key := func(name string, value any) func(head, claims map[string]any) {
		return func(head, _ map[string]any) { head["jwk"].(map[string]any)[name] = value }
	}
	now := time.Now()
	proofs := map[string][]string{
		"none": nil, "an empty one": {""}, "no JWT": {"x.y.z"}, "two": {tl.jwt(nil), tl.jwt(nil)},
		"no signature": {tl.jwt(nil)[:strings.LastIndexByte(tl.jwt(nil), '.')+1]},
		"a long one":   {tl.jwt(claim("x", strings.Repeat("x", 5000)))},
	}
	for what, change := range map[string]func(head, claims map[string]any){
		"another host":      claim("htu", "https://evil.example/v1/token"),
		"another path":      claim("htu", w.url+"/v1/authorize"),
		"a user in the URL": claim("htu", strings.Replace(w.url, "://", "://x@", 1)+"/v1/token"),
		"another scheme":    claim("htu", strings.Replace(w.url, "http:", "https:", 1)+"/v1/token"),
		"no URL":            claim("htu", ""),
		"another method":    claim("htm", "GET"),
		"too old":           claim("iat", now.Add(-5*time.Minute-2*time.Second).Unix()),
		"too new":           claim("iat", now.Add(5*time.Minute+10*time.Second).Unix()),
		"no time":           claim("iat", 0),
		"no id":             claim("jti", ""),
		"alg none":          header("alg", "none"),
		"alg HS256":         header("alg", "HS256"),
		"another type":      header("typ", "JWT"),
		"critical":          header("crit", []string{"x"}),
		"another key":       key("x", b64(other.X.FillBytes(make([]byte, 32)))),
		"another curve":     key("crv", "P-384"),
		"an octet key":      key("kty", "oct"),
		"no point":          key("y", b64(make([]byte, 32))),
		"a long coordinate": key("x", b64(make([]byte, 33))),
		"a private key":     key("d", "AQ"),
		"no key":            header("jwk", map[string]any{}),
	} {
		proofs[what] = []string{tl.jwt(change)}
	}
	unsigned := strings.Split(tl.jwt(header("alg", "none")), ".")
	proofs["alg none, unsigned"] = []string{unsigned[0] + "." + unsigned[1] + "."}
	for what, proof := range proofs {
		tl.send(tl.refreshBody(tk.RefreshToken), proof...).refused(t, what, 400, validation, invalid)
	}
	// A proof counts once. The proof of a failed request may be used later.
	proof := tl.jwt(nil)
	tl.send(tl.refreshBody("x"), proof).refused(t, "no token", 400, validation, invalid)
	next := tl.send(tl.refreshBody(tk.RefreshToken), proof)
	if next.status != http.StatusOK {
		t.Fatalf("%+v", next)
	}
	for what, token := range map[string]string{"again": tk.RefreshToken, "with the next token": next.RefreshToken} {
		tl.send(tl.refreshBody(token), proof).refused(t, what, 400, validation, invalid)
	}
	if got := tl.refresh(next.RefreshToken); got.status != http.StatusOK {
		t.Errorf("a proof that was shown again ended the session: %+v", got)
	}
}

// The SDK for Go drops the leading zero of a coordinate.
func TestShortCoordinate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tl := w.tool(sameDevice)
	for tl.key.X.BitLen() > 248 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		tl.key = key
	}
	tk := tl.redeem(w.signedIn("").allow(tl))
	short := tl.jwt(func(head, _ map[string]any) { head["jwk"].(map[string]any)["x"] = b64(tl.key.X.Bytes()) })
	if got := tl.send(tl.refreshBody(tk.RefreshToken), short); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
}

// Two processes refresh with one token at the same time. Neither loses the
// session.
func TestRefreshTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", mayLogin)
	tl := w.tool(sameDevice)
	tk := tl.redeem(w.signedIn("alice").allow(tl))
	got := make([]tokens, 8)
	var wg sync.WaitGroup
	for i := range got {
		proof := tl.jwt(nil)
		wg.Go(func() { got[i] = tl.send(tl.refreshBody(tk.RefreshToken), proof) })
	}
	wg.Wait()
	for _, g := range got {
		if g.status != http.StatusOK || g.RefreshToken != got[0].RefreshToken {
			t.Errorf("%+v", g)
		}
	}
	if got := tl.refresh(got[0].RefreshToken); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
}

// One code is presented many times at once. One request gets credentials, and
// they soon end.
func TestCodeTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", mayLogin)
	tl := w.tool(sameDevice)
	code := w.signedIn("alice").allow(tl)
	got := make([]tokens, 8)
	var wg sync.WaitGroup
	for i := range got {
		proof := tl.jwt(nil)
		wg.Go(func() { got[i] = tl.send(tl.redeemBody(code), proof) })
	}
	wg.Wait()
	given := 0
	for _, g := range got {
		if g.status != http.StatusOK {
			g.refused(t, "the second", 400, validation, invalid)
			continue
		}
		if given++; given > 1 {
			t.Error("a code worked twice")
		}
		if _, code := g.works(w); code != "ExpiredToken" {
			t.Errorf("%q", code)
		}
	}
	if given != 1 {
		t.Errorf("%d were given credentials", given)
	}
}

// When a tool's session ends, its credentials fail on the next call, and the
// tool learns why it gets no others.
func TestLoginEnds(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		do        func(w *world, p *person) error
		status    int
		errorType string
		code      string
	}{
		"another password": {func(w *world, _ *person) error {
			_, err := w.iam.UpdateLoginProfile(w.t.Context(), &iam.UpdateLoginProfileInput{UserName: aws.String("alice"),
				Password: aws.String("another Horse 8 battery")})
			return err
		}, 403, accessDenied, "USER_CREDENTIALS_CHANGED"},
		"no password": {func(w *world, _ *person) error {
			_, err := w.iam.DeleteLoginProfile(w.t.Context(), &iam.DeleteLoginProfileInput{UserName: aws.String("alice")})
			return err
		}, 403, accessDenied, "USER_CREDENTIALS_CHANGED"},
		"no user": {func(w *world, _ *person) error {
			_, err := w.iam.DeleteLoginProfile(w.t.Context(), &iam.DeleteLoginProfileInput{UserName: aws.String("alice")})
			if err == nil {
				_, err = w.iam.DeleteUserPolicy(w.t.Context(), &iam.DeleteUserPolicyInput{UserName: aws.String("alice"),
					PolicyName: aws.String("own")})
			}
			if err == nil {
				_, err = w.iam.DeleteUser(w.t.Context(), &iam.DeleteUserInput{UserName: aws.String("alice")})
			}
			return err
		}, 400, validation, invalid},
		"its owner": {func(w *world, p *person) error { return w.endTools(p) }, 401, accessDenied, "TOKEN_EXPIRED"},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.user("alice", mayLogin)
			p, tl := w.signedIn("alice"), w.tool(sameDevice)
			tk := tl.redeem(p.allow(tl))
			if err := c.do(w, p); err != nil {
				t.Fatal(err)
			}
			if arn, _ := tk.works(w); arn != "" {
				t.Error("the credentials work")
			}
			tl.refresh(tk.RefreshToken).refused(t, what, c.status, c.errorType, c.code)
		})
	}
}

// endTools ends the sessions of tools in a person's list of sessions.
func (w *world) endTools(p *person) error {
	session, err := w.session(p.cookie("rollcall"))
	if err != nil {
		return err
	}
	all, err := w.svc.SignIn.Sessions(w.t.Context(), session)
	for _, s := range all {
		if s.Tool {
			err = errors.Join(err, w.svc.SignIn.EndSession(w.t.Context(), session, s.Handle))
		}
	}
	return err
}

// Renaming the user or leaving the console does not end the session.
func TestLoginGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", mayLogin)
	p, tl := w.signedIn("alice"), w.tool(sameDevice)
	tk := tl.redeem(p.allow(tl))
	p.post("/console/sign-out", "do", "sign-out")
	_, err := w.iam.UpdateUser(t.Context(), &iam.UpdateUserInput{UserName: aws.String("alice"),
		NewUserName: aws.String("alicia")})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if arn, code := tk.works(w); arn != "arn:aws:iam::123456789012:user/alicia" {
			t.Errorf("%s %s", arn, code)
		}
		tk = tl.refresh(tk.RefreshToken)
	}
	// A policy that forbids refreshing applies to the next refresh. So does one
	// that ends sessions from before a time.
	for what, statement := range map[string]string{
		"no permission": `{"Effect":"Deny","Action":"signin:CreateOAuth2Token",
			"Resource":"arn:aws:signin:*:*:oauth2/public-client/localhost"}`,
		"revoked by time": `{"Effect":"Deny","Action":"*","Resource":"*",
			"Condition":{"DateLessThan":{"aws:TokenIssueTime":"2100-01-01T00:00:00Z"}}}`,
	} {
		_, err := w.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("alicia"),
			PolicyName:     aws.String("deny"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":` + statement + `}`)})
		if err != nil {
			t.Fatal(err)
		}
		tl.refresh(tk.RefreshToken).refused(t, what, 403, accessDenied, "INSUFFICIENT_PERMISSIONS")
	}
}

// The trail records each step of a login. It contains no code, token or secret.
func TestLoginRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", mayLogin)
	p, tl := w.signedIn("alice"), w.tool(sameDevice)
	code := p.allow(tl)
	tk := tl.refresh(tl.redeem(code).RefreshToken)
	tl.redeem(code)
	records, text := w.records()
	for _, secret := range []string{code, tl.verifier, tl.state, tk.RefreshToken, tk.AccessToken.SecretAccessKey,
		tk.AccessToken.SessionToken, base64.StdEncoding.EncodeToString([]byte(code))} {
		if strings.Contains(text, secret) {
			t.Errorf("the trail has %s", secret)
		}
	}
	want := map[string]map[string]any{
		"AuthorizeOAuth2Access": {"scope": "openid", "redirect_uri": callback, "code_challenge_method": "SHA-256",
			"client_id": sameDevice},
		"CreateOAuth2Token": {"client_id": sameDevice},
	}
	count := map[string]int{}
	for _, rec := range records {
		name, _ := rec["eventName"].(string)
		params := want[name]
		if params == nil {
			continue
		}
		success := rec["errorCode"] == nil
		key := name
		if !success {
			key += " refused"
		}
		count[key]++
		id, _ := rec["userIdentity"].(map[string]any)
		if id["type"] != "IAMUser" || id["arn"] != aliceARN || id["userName"] != "alice" ||
			id["sessionContext"] == nil || id["accessKeyId"] != nil {
			t.Errorf("%s: userIdentity %v", key, id)
		}
		got, err := json.Marshal(rec["requestParameters"])
		if wanted, err2 := json.Marshal(params); err != nil || err2 != nil || string(got) != string(wanted) {
			t.Errorf("%s: requestParameters %s", key, got)
		}
		added, _ := rec["additionalEventData"].(map[string]any)
		if (added["success"] == "true") != success || added["x-amzn-vpce-id"] != "" {
			t.Errorf("%s: %v", key, added)
		}
		for member, value := range map[string]any{
			"eventSource": "signin.amazonaws.com", "eventType": "AwsApiCall", "readOnly": true, "managementEvent": true,
			"recipientAccountId": account, "eventCategory": "Management", "responseElements": nil, "awsRegion": "us-east-1",
		} {
			if rec[member] != value {
				t.Errorf("%s: %s is %v", key, member, rec[member])
			}
		}
		if rec["requestID"] == "" {
			t.Errorf("%s has no requestID", key)
		}
	}
	if count["AuthorizeOAuth2Access"] != 1 || count["CreateOAuth2Token"] != 2 || count["CreateOAuth2Token refused"] != 1 {
		t.Error(count)
	}
}
