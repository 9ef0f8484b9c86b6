package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// broker creates a service's user with a role, and returns credentials of the
// role.
func (w *world) broker(t *testing.T) (*sts.Client, *types.Credentials) {
	t.Helper()
	ctx := t.Context()
	w.user("broker", everything)
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
		"Principal":{"AWS":"arn:aws:iam::123456789012:root"}}}`
	for _, role := range []string{"ops", "next"} {
		_, err := w.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &role, AssumeRolePolicyDocument: &trust})
		if err == nil {
			_, err = w.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("own"),
				PolicyDocument: aws.String(everything)})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := w.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("broker")})
	if err != nil {
		t.Fatal(err)
	}
	client := w.stsOf(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, "")
	return client, assumed(t, client, "ops")
}

func (w *world) stsOf(id, secret, token string) *sts.Client {
	return sts.NewFromConfig(aws.Config{BaseEndpoint: &w.url, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, token)})
}

func assumed(t *testing.T, by *sts.Client, role string) *types.Credentials {
	t.Helper()
	out, err := by.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleSessionName: aws.String("carol"),
		RoleArn: aws.String("arn:aws:iam::123456789012:role/" + role)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Credentials
}

// federation requests a sign-in token, as aws-vault and granted do.
func (w *world) federation(t *testing.T, c *types.Credentials, more ...string) (token string, got answer) {
	t.Helper()
	session, err := json.Marshal(map[string]string{
		"sessionId": *c.AccessKeyId, "sessionKey": *c.SecretAccessKey, "sessionToken": aws.ToString(c.SessionToken),
	})
	if err != nil {
		t.Fatal(err)
	}
	q := url.Values{"Action": {"getSigninToken"}, "Session": {string(session)}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	got = w.person().get("/federation?" + q.Encode())
	var out struct{ SigninToken string }
	if got.status == http.StatusOK {
		if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.header.Get("Content-Type") != "application/json" {
			t.Fatalf("%v: %s", err, got.body)
		}
	}
	return out.SigninToken, got
}

func login(token, destination string) string {
	return "/federation?" + url.Values{"Action": {"login"}, "Issuer": {"https://issuer.example"},
		"Destination": {destination}, "SigninToken": {token}}.Encode()
}

func TestFederation(t *testing.T) {
	t.Parallel()
	var now time.Time
	set, advance := clock(&now)
	w := newWorld(t, set)
	_, c := w.broker(t)
	token, got := w.federation(t, c, "SessionType", "json", "SessionDuration", "43200")
	if token == "" {
		t.Fatalf("%d %s", got.status, trouble(got.body))
	}
	p := w.person()
	got = p.get(login(token, w.url+"/console/users?marker="))
	got.want(t, http.StatusOK, "broker", "Sign out")
	if got.path != "/console/users?marker=" {
		t.Errorf("came to %s", got.path)
	}
	w.person().get(login(token, "")).want(t, http.StatusBadRequest, "used, or is too old")
	// The session may last longer than the credentials if the program asks for
	// that.
	for range 13 {
		advance(50 * time.Minute)
		p.get("/console/users").want(t, http.StatusOK, "Sign out")
	}
	advance(70 * time.Minute)
	if got := p.get("/console/users"); !strings.HasPrefix(got.path, "/console/sign-in") {
		t.Errorf("after 12 hours at %s", got.path)
	}
}

// The sign-in token works for 15 minutes. Without a duration, the session ends
// when the credentials expire or the role is deleted.
func TestFederationEnds(t *testing.T) {
	t.Parallel()
	var now time.Time
	set, advance := clock(&now)
	w := newWorld(t, set)
	broker, c := w.broker(t)
	for _, late := range []bool{false, true} {
		token, _ := w.federation(t, c)
		advance(15*time.Minute - time.Second)
		if late {
			advance(time.Second)
		}
		if got := w.person().get(login(token, "")); (got.status == http.StatusBadRequest) != late {
			t.Errorf("late %v: %d %s", late, got.status, trouble(got.body))
		}
	}
	token, _ := w.federation(t, c)
	p := w.person()
	p.get(login(token, "")).want(t, http.StatusOK, "Sign out")
	advance(31 * time.Minute)
	if got := p.get("/console/users"); !strings.HasPrefix(got.path, "/console/sign-in") {
		t.Errorf("after the credentials' end at %s", got.path)
	}
	now = time.Now()
	token, _ = w.federation(t, assumed(t, broker, "ops"))
	waiting, _ := w.federation(t, assumed(t, broker, "ops"))
	p.get(login(token, "")).want(t, http.StatusOK, "Sign out")
	_, err := w.iam.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("ops"),
		PolicyName: aws.String("own")})
	if err == nil {
		_, err = w.iam.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("ops")})
	}
	if err != nil {
		t.Fatal(err)
	}
	q := w.person()
	q.get(login(waiting, ""))
	for _, who := range []*person{p, q} {
		if got := who.get("/console/users"); !strings.HasPrefix(got.path, "/console/sign-in") {
			t.Errorf("after the role's end at %s", got.path)
		}
	}
}

// Only some credentials are accepted, and only for a limited time.
func TestFederationRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broker, c := w.broker(t)
	chained := assumed(t, w.stsOf(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken), "next")
	session, err := broker.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	federated, err := broker.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("dave"),
		Policy: aws.String(everything)})
	if err != nil {
		t.Fatal(err)
	}
	with := func(id, secret, token *string) *types.Credentials {
		return &types.Credentials{AccessKeyId: id, SecretAccessKey: secret, SessionToken: token}
	}
	wrong := aws.String("wrong")
	for what, try := range map[string]struct {
		c    *types.Credentials
		more []string
		ok   bool
	}{
		"a role":                   {c, []string{"SessionDuration", "900"}, true},
		"a chained role":           {chained, nil, true},
		"a chained role, for long": {chained, []string{"SessionDuration", "900"}, false},
		"a federated user":         {federated.Credentials, nil, true},
		"a federated user, for":    {federated.Credentials, []string{"SessionDuration", "900"}, false},
		"GetSessionToken":          {session.Credentials, nil, false},
		"too short":                {c, []string{"SessionDuration", "899"}, false},
		"too long":                 {c, []string{"SessionDuration", "43201"}, false},
		"no number":                {c, []string{"SessionDuration", "x"}, false},
		"another type":             {c, []string{"SessionType", "xml"}, false},
		"no JSON":                  {c, []string{"Session", "{"}, false},
		"another action":           {c, []string{"Action", "x"}, false},
		"a wrong secret":           {with(c.AccessKeyId, wrong, c.SessionToken), nil, false},
		"no secret":                {with(c.AccessKeyId, aws.String(""), c.SessionToken), nil, false},
		"no token":                 {with(c.AccessKeyId, c.SecretAccessKey, nil), nil, false},
		"another's token":          {with(c.AccessKeyId, c.SecretAccessKey, chained.SessionToken), nil, false},
		"an access key": {&types.Credentials{AccessKeyId: &w.root.RootKey.ID,
			SecretAccessKey: aws.String(w.root.RootKey.Secret.Reveal())}, nil, false},
	} {
		token, got := w.federation(t, try.c, try.more...)
		if (token != "") != try.ok || !try.ok && got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %q %s", what, got.status, token, trouble(got.body))
		}
	}
	w.person().get("/federation?Action=getSigninToken&Action=login").want(t, http.StatusBadRequest, "twice")
	// Programs send no Origin with a POST.
	r := w.person().form("/federation", "Action", "getSigninToken", "Session", `{"sessionId":"`+*c.AccessKeyId+
		`","sessionKey":"`+*c.SecretAccessKey+`","sessionToken":"`+*c.SessionToken+`"}`)
	r.Header.Del("Origin")
	r.Header.Del("Sec-Fetch-Site")
	w.person().do(r).want(t, http.StatusOK, "SigninToken")
	// In the console, a federated user may do what the session policies allow.
	token, _ := w.federation(t, federated.Credentials)
	p := w.person()
	p.get(login(token, w.url+"/console/users")).want(t, http.StatusOK, "broker")
}

// Nobody is redirected to another site.
func TestFederationDestinations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, c := w.broker(t)
	for _, destination := range []string{
		"https://console.aws.amazon.com/", "https://evil.example/console/users", "//evil.example/console/users",
		"javascript:alert(1)",
		w.url + "@evil.example/console/users", w.url + ".evil.example/console/users",
		`\\evil.example/console/users`, "/\\evil.example",
		"http://user@" + strings.TrimPrefix(w.url, "http://") + "/console/users", "/federation?Action=login", "", "%",
		w.url + "/console/nowhere", w.url + "//evil.example",
	} {
		token, _ := w.federation(t, c)
		p := w.person()
		p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		got := p.get(login(token, destination))
		if at := got.header.Get("Location"); got.status != http.StatusSeeOther || at != "/console/" {
			t.Errorf("%q leads to %q (%d)", destination, at, got.status)
		}
	}
}

func TestFederationRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, c := w.broker(t)
	token, _ := w.federation(t, c)
	w.person().get(login(token, w.url+"/console/users"))
	bad := *c
	bad.SecretAccessKey = aws.String("not the secret")
	w.federation(t, &bad)
	records, text := w.records()
	for _, secret := range []string{token, *c.SecretAccessKey, *c.SessionToken, "not the secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("the trail has %s", secret)
		}
	}
	seen := map[string]int{}
	for _, rec := range records {
		name, _ := rec["eventName"].(string)
		if name != "GetSigninToken" && name != "ConsoleLogin" {
			continue
		}
		elements, _ := rec["responseElements"].(map[string]any)
		id, _ := rec["userIdentity"].(map[string]any)
		outcome, _ := elements[name].(string)
		seen[name+" "+outcome]++
		if rec["eventType"] != "AwsConsoleSignIn" || rec["eventSource"] != "signin.amazonaws.com" ||
			rec["requestParameters"] != nil {
			t.Errorf("%s: %v", name, rec)
		}
		if outcome != "Success" {
			if id["type"] != "Unknown" {
				t.Errorf("%s: %v", outcome, id)
			}
			continue
		}
		added, _ := rec["additionalEventData"].(map[string]any)
		if id["type"] != "AssumedRole" || id["arn"] != "arn:aws:sts::123456789012:assumed-role/ops/carol" ||
			rec["recipientAccountId"] != account || added["MobileVersion"] != "No" {
			t.Errorf("%s: %v %v", name, id, added)
		}
		if name == "ConsoleLogin" && (added["MFAUsed"] != "No" || added["LoginTo"] != w.url+"/console/users") {
			t.Errorf("ConsoleLogin: %v", added)
		}
	}
	if seen["GetSigninToken Success"] != 1 || seen["ConsoleLogin Success"] != 1 || seen["GetSigninToken Failure"] != 1 {
		t.Error(seen)
	}
}
