package service_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"rollcall/internal/service"
)

// issuer is an OIDC provider with its keys. It records who reads them.
type issuer struct {
	*httptest.Server
	keys    atomic.Pointer[jose.JSONWebKeySet]
	asked   atomic.Int32
	broken  atomic.Bool
	private any
	alg     jose.SignatureAlgorithm
}

const issuerURL = "https://idp.example.com/realm"

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{}
	i.rotate(t, "first")
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		if i.broken.Load() {
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		if err := json.NewEncoder(w).Encode(i.keys.Load()); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(i.Close)
	return i
}

// rotate gives the issuer a new key.
func (i *issuer) rotate(t testing.TB, id string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i.private, i.alg = jose.JSONWebKey{Key: private, KeyID: id}, jose.RS256
	i.keys.Store(&jose.JSONWebKeySet{
		Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: id, Use: "sig", Algorithm: "RS256"}}})
}

type claims map[string]any

// token returns a valid token of the issuer, with changed or further claims.
func (w *world) token(t testing.TB, i *issuer, more claims) string {
	t.Helper()
	now := w.clock.Now()
	c := claims{"iss": issuerURL, "sub": "repo:example/app", "aud": "sts.amazonaws.com", "iat": now.Unix(),
		"exp": now.Add(5 * time.Minute).Unix()}
	for key, value := range more {
		if c[key] = value; value == nil {
			delete(c, key)
		}
	}
	return sign(t, i.alg, i.private, c)
}

func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, c claims) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(map[string]any(c)).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// federatedWorld returns a world with an account that has the issuer as a
// provider, and a role that trusts it under a condition.
func federatedWorld(t testing.TB, cfg service.Config, condition string) (w *world, role string) {
	t.Helper()
	w = newWorld(t, cfg)
	provider := *must(t, w.root.CreateOpenIDConnectProvider, &iam.CreateOpenIDConnectProviderInput{
		Url: ptr(issuerURL), ClientIDList: []string{"sts.amazonaws.com", "my-app"},
		ThumbprintList: []string{strings.Repeat("0", 40)},
	}).OpenIDConnectProviderArn
	if condition == "" {
		condition = "{}"
	}
	return w, w.role(t, "worker",
		`"Principal":{"Federated":"`+provider+`"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":`+condition)
}

// anonymous returns clients that do not sign.
func (w *world) anonymous() clients {
	cfg := w.sdkConfig("", "")
	cfg.Credentials = aws.AnonymousCredentials{}
	return w.clientsOf(cfg, "", "")
}

const providerARN = "arn:aws:iam::" + account + ":oidc-provider/idp.example.com/realm"

func TestAssumeRoleWithWebIdentity(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	cfg := service.Config{WebIdentityKeys: map[string]string{issuerURL: i.URL}}
	w, role := federatedWorld(t, cfg,
		`{"StringEquals":{"idp.example.com/realm:aud":"sts.amazonaws.com"},`+
			`"StringLike":{"idp.example.com/realm:sub":"repo:example/*"}}`)
	w.putRolePolicy(t, "worker",
		statement("Allow", `"iam:ListUsers"`,
			`,"Condition":{"StringEquals":{"idp.example.com/realm:sub":"repo:example/app","aws:FederatedProvider":"`+
				providerARN+`"}}`))
	nobody := w.anonymous()
	in := &sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: ptr("build"),
		WebIdentityToken: ptr(w.token(t, i, nil))}
	out := must(t, nobody.sts.AssumeRoleWithWebIdentity, in)
	if *out.Provider != providerARN || *out.Audience != "sts.amazonaws.com" ||
		*out.SubjectFromWebIdentityToken != "repo:example/app" ||
		*out.AssumedRoleUser.Arn != sessionARN("worker", "build") ||
		!out.Credentials.Expiration.Equal(began.Add(time.Hour)) {
		t.Errorf("%+v", out)
	}
	session := w.asSession(out.Credentials)
	must(t, session.ListUsers, &iam.ListUsersInput{})

	in.WebIdentityToken = ptr(w.token(t, i, claims{"sub": "repo:other/app"}))
	refused(t, nobody.sts.AssumeRoleWithWebIdentity, in, 403, "AccessDenied",
		"Not authorized to perform sts:AssumeRoleWithWebIdentity")
	in.WebIdentityToken = ptr(w.token(t, i, claims{"aud": "my-app"}))
	refused(t, nobody.sts.AssumeRoleWithWebIdentity, in, 403, "AccessDenied",
		"Not authorized to perform sts:AssumeRoleWithWebIdentity")
	// Only set operators match a list of several values.
	in.WebIdentityToken = ptr(w.token(t, i, claims{"aud": []string{"other", "sts.amazonaws.com"}}))
	refused(t, nobody.sts.AssumeRoleWithWebIdentity, in, 403, "AccessDenied",
		"Not authorized to perform sts:AssumeRoleWithWebIdentity")
	in.WebIdentityToken = ptr(w.token(t, i, claims{"aud": []string{"sts.amazonaws.com"}}))
	must(t, nobody.sts.AssumeRoleWithWebIdentity, in)
	// A missing role does not trust anybody.
	in.RoleArn = ptr(rolePath + "/nowhere")
	refused(t, nobody.sts.AssumeRoleWithWebIdentity, in, 403, "AccessDenied",
		"Not authorized to perform sts:AssumeRoleWithWebIdentity")
	// A role that trusts a user does not trust the holder of a token.
	w.user(t, "Ann")
	in.RoleArn = ptr(
		w.role(t, "other", `"Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:AssumeRoleWithWebIdentity"]`))
	refused(t, nobody.sts.AssumeRoleWithWebIdentity, in, 403, "AccessDenied",
		"Not authorized to perform sts:AssumeRoleWithWebIdentity")
	in.RoleArn = ptr("arn:aws:iam::" + account + ":user/Ann")
	refused(t, nobody.sts.AssumeRoleWithWebIdentity, in, 400, "ValidationError", "Request ARN is invalid")
	in.RoleArn, in.DurationSeconds = &role, ptr(int32(3601))
	refused(t, nobody.sts.AssumeRoleWithWebIdentity, in, 400, "ValidationError",
		"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	in.DurationSeconds, in.ProviderId = nil, ptr("www.amazon.com")
	refused(t, nobody.sts.AssumeRoleWithWebIdentity, in, 400, "InvalidIdentityToken",
		"Tokens of OAuth 2.0 providers are not supported: leave ProviderId out.")
	if n := i.asked.Load(); n != 1 {
		t.Errorf("the keys were asked for %d times", n)
	}
	// All other actions still need a signature.
	if _, err := nobody.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); failureOf(
		err) != (failure{403, "MissingAuthenticationToken", "Request is missing Authentication Token"}) {
		t.Error(err)
	}
}

// The SDK's own provider of credentials works, as in a program on Kubernetes.
func TestWebIdentityRoleProvider(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	clock := service.Config{WebIdentityKeys: map[string]string{issuerURL: i.URL}}
	clock.Store.Now = time.Now
	w, role := federatedWorld(t, clock, "")
	w.clock.advance(time.Since(began))
	w.putRolePolicy(t, "worker", ptr(allowAll))
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(w.token(t, i, nil)), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := w.sdkConfig("", "")
	cfg.Credentials = aws.NewCredentialsCache(
		stscreds.NewWebIdentityRoleProvider(sts.NewFromConfig(cfg), role, stscreds.IdentityTokenFile(file)))
	must(t, iam.NewFromConfig(cfg).ListUsers, &iam.ListUsersInput{})

	// The one for AssumeRole works too.
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	arn := w.role(t, "night", trusting("Ann"))
	w.putRolePolicy(t, "night", ptr(allowAll))
	cfg = w.sdkConfig(ann.id, ann.key)
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), arn))
	must(t, iam.NewFromConfig(cfg).ListUsers, &iam.ListUsersInput{})
}

// These are errors in tokens, and AWS's answers to them.
func TestBadWebIdentityTokens(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	w, role := federatedWorld(t,
		service.Config{WebIdentityKeys: map[string]string{issuerURL: i.URL, "https://elsewhere.example": i.URL}}, "")
	must(t, w.root.CreateOpenIDConnectProvider, &iam.CreateOpenIDConnectProviderInput{Url: ptr("https://unset.example"),
		ClientIDList: []string{"sts.amazonaws.com"}, ThumbprintList: []string{strings.Repeat("0", 40)}})
	nobody := w.anonymous()
	now := w.clock.Now()
	good := w.token(t, i, nil)
	part := strings.Split(good, ".")
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	payload := claims{"iss": issuerURL, "sub": "s", "aud": "sts.amazonaws.com", "iat": now.Unix(),
		"exp": now.Add(time.Minute).Unix()}
	public, err := i.keys.Load().Keys[0].MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	another := &issuer{}
	another.rotate(t, "first")
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const noJWT = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
	const badSignature = "The signature of the token could not be verified."
	const noKeys = "Couldn't retrieve verification key from your identity provider,  please reference " +
		"AssumeRoleWithWebIdentity documentation for requirements"
	for name, c := range map[string]struct{ token, code, message string }{
		"no token":            {"what", "InvalidIdentityToken", noJWT},
		"two parts":           {part[0] + "." + part[1], "InvalidIdentityToken", noJWT},
		"no signature":        {encode(`{"alg":"none"}`) + "." + part[1] + ".", "InvalidIdentityToken", noJWT},
		"HMAC with the key":   {sign(t, jose.HS256, public, payload), "InvalidIdentityToken", noJWT},
		"Ed25519":             {sign(t, jose.EdDSA, edwards, payload), "InvalidIdentityToken", noJWT},
		"claims are not JSON": {part[0] + "." + encode("x") + "." + part[2], "InvalidIdentityToken", noJWT},
		"another key":         {w.token(t, another, nil), "InvalidIdentityToken", badSignature},
		"other claims": {
			part[0] + "." + encode(
				`{"iss":"`+issuerURL+`","sub":"root","aud":"sts.amazonaws.com","iat":1,"exp":99999999999}`) + "." +
				part[2], "InvalidIdentityToken", badSignature},
		"another algorithm": {sign(t, jose.PS256, i.private, payload), "InvalidIdentityToken", noJWT},
		"RS512 of an RS256": {sign(t, jose.RS512, i.private, payload), "InvalidIdentityToken", badSignature},
		"no such provider": {w.token(t, i, claims{"iss": "https://elsewhere.example"}), "InvalidIdentityToken",
			"No OpenIDConnect provider found in your account for https://elsewhere.example"},
		"no issuer": {w.token(t, i, claims{"iss": nil}), "InvalidIdentityToken",
			"No OpenIDConnect provider found in your account for https://"},
		"keys are not set": {w.token(t, i, claims{"iss": "https://unset.example"}), "InvalidIdentityToken", noKeys},
		"expired": {w.token(t, i, claims{"exp": now.Unix()}), "ExpiredTokenException",
			"Token expired: current date/time 1795428000 must be before the expiration date/time1795428000"},
		"no end": {w.token(t, i, claims{"exp": nil}), "InvalidIdentityToken",
			"Missing a required claim: exp"},
		"no beginning": {w.token(t, i, claims{"iat": nil}), "InvalidIdentityToken",
			"Missing a required claim: iat"},
		"no subject": {w.token(t, i, claims{"sub": nil}), "InvalidIdentityToken",
			"Missing a required claim: sub"},
		"no audience": {w.token(t, i, claims{"aud": nil}), "InvalidIdentityToken",
			"Missing a required claim: aud"},
		"another audience": {w.token(t, i, claims{"aud": "somebody"}), "InvalidIdentityToken",
			"Incorrect token audience"},
		"another party": {w.token(t, i, claims{"azp": "somebody"}), "InvalidIdentityToken",
			"Incorrect token audience"},
		"issued tomorrow": {w.token(t, i, claims{"iat": now.Add(6 * time.Minute).Unix()}), "InvalidIdentityToken",
			"The token was issued in the future."},
		"valid tomorrow": {w.token(t, i, claims{"nbf": now.Add(6 * time.Minute).Unix()}), "InvalidIdentityToken",
			"The token is not valid yet."},
		"two values of a tag": {
			w.token(t, i, claims{
				"https://aws.amazon.com/tags": claims{"principal_tags": claims{"a": []string{"1", "2"}}}}),
			"InvalidIdentityToken", "The session tag a must have one value."},
		"a tag of AWS": {
			w.token(t, i, claims{
				"https://aws.amazon.com/tags": claims{"principal_tags": claims{"aws:a": []string{"1"}}}}),
			"InvalidParameterValue", "Tag keys beginning with aws: are reserved for system use."},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, nobody.sts.AssumeRoleWithWebIdentity,
				&sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: ptr("build"),
					WebIdentityToken: &c.token}, 400, c.code, c.message)
		})
	}
	must(t, nobody.sts.AssumeRoleWithWebIdentity,
		&sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: ptr("build"), WebIdentityToken: &good})
}

// A token contains session tags, a source identity and more claims, for which
// the role must trust the provider too.
func TestWebIdentityClaims(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	w, role := federatedWorld(t, service.Config{WebIdentityKeys: map[string]string{issuerURL: i.URL}}, "")
	nobody := w.anonymous()
	assume := func(more claims) (*sts.AssumeRoleWithWebIdentityOutput, failure) {
		out, err := nobody.sts.AssumeRoleWithWebIdentity(t.Context(),
			&sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: ptr("build"),
				WebIdentityToken: ptr(w.token(t, i, more))})
		return out, failureOf(err)
	}
	trust := func(actions, condition string) {
		must(t, w.root.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("worker"), PolicyDocument: ptr(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + providerARN +
					`"},"Action":[` + actions + `],"Condition":` + condition + `}]}`)})
	}
	tags := claims{"https://aws.amazon.com/tags": claims{"principal_tags": claims{"Team": []string{"ops"}, "b": "2"},
		"transitive_tag_keys": []string{"Team"}}}
	who := claims{"https://aws.amazon.com/source_identity": "ann"}
	if _, f := assume(tags); f != (failure{403, "AccessDenied", "Not authorized to perform sts:TagSession"}) {
		t.Errorf("%+v", f)
	}
	if _, f := assume(who); f != (failure{403, "AccessDenied", "Not authorized to perform sts:SetSourceIdentity"}) {
		t.Errorf("%+v", f)
	}
	const all = `"sts:AssumeRoleWithWebIdentity","sts:TagSession","sts:SetSourceIdentity"`
	trust(all, `{"StringEquals":{"aws:RequestTag/team":"ops","sts:RoleSessionName":"build","aws:FederatedProvider":"`+
		providerARN+`"},"IpAddress":{"aws:SourceIp":"127.0.0.1"},"Bool":{"aws:SecureTransport":"false"},`+
		`"ForAllValues:StringEquals":{"sts:TransitiveTagKeys":"Team"}}`)
	out, f := assume(tags)
	if f != (failure{}) {
		t.Fatalf("%+v", f)
	}
	w.putRolePolicy(t, "worker",
		statement("Allow", `"iam:ListUsers"`, `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"ops"}}`))
	must(t, w.asSession(out.Credentials).ListUsers, &iam.ListUsersInput{})
	trust(all, `{"StringEquals":{"sts:SourceIdentity":"ann"}}`)
	if out, f := assume(who); f != (failure{}) || *out.SourceIdentity != "ann" {
		t.Errorf("%+v", f)
	}
	for condition, more := range map[string]claims{
		`{"ForAnyValue:StringEquals":{"idp.example.com/realm:amr":"authenticated"}}`: {
			"amr": []string{"authenticated", "x"}},
		`{"StringEquals":{"idp.example.com/realm:aud":"my-app",` +
			`"idp.example.com/realm:oaud":"sts.amazonaws.com"}}`: {"azp": "my-app"},
		`{"DateGreaterThan":{"aws:CurrentTime":"2026-11-23T09:59:59Z"},` +
			`"NumericLessThan":{"aws:EpochTime":"1795428001"},"StringLike":{"aws:UserAgent":"aws-sdk-go*"}}`: {},
		`{"StringEquals":{"aws:ResourceAccount":"` + account +
			`"},"Null":{"aws:PrincipalArn":"true","aws:userid":"true"}}`: {},
	} {
		trust(all, condition)
		if _, f := assume(more); f != (failure{}) {
			t.Errorf("%s: %+v", condition, f)
		}
	}
}

// The keys of a provider come from a file or a URL. They are read again when a
// token names an unknown key or after an hour, but not at every failure.
func TestWebIdentityKeys(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	w, role := federatedWorld(t, service.Config{WebIdentityKeys: map[string]string{issuerURL: i.URL}}, "")
	nobody := w.anonymous()
	try := func() string {
		_, err := nobody.sts.AssumeRoleWithWebIdentity(t.Context(),
			&sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: ptr("build"),
				WebIdentityToken: ptr(w.token(t, i, nil))})
		return failureOf(err).code
	}
	step := func(name, want string, asked int32) {
		t.Helper()
		before := i.asked.Load()
		if got := try(); got != want || i.asked.Load()-before != asked {
			t.Errorf("%s: %q, asked %d times", name, got, i.asked.Load()-before)
		}
	}
	i.broken.Store(true)
	step("broken", "IDPCommunicationError", 1)
	step("still broken", "IDPCommunicationError", 0)
	i.broken.Store(false)
	step("not asked again so soon", "IDPCommunicationError", 0)
	w.clock.advance(10 * time.Second)
	step("asked again", "", 1)
	step("known", "", 0)
	i.rotate(t, "second")
	step("a new key, too soon", "InvalidIdentityToken", 0)
	w.clock.advance(10 * time.Second)
	step("a new key", "", 1)
	w.clock.advance(time.Hour)
	i.broken.Store(true)
	step("an old set that cannot be read again stays good", "", 1)

	// A file with keys of several kinds.
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{`{"kty":"unheard of"}`, `{"kty":"oct","k":"c2VjcmV0","kid":"e"}`}
	encrypts, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []jose.JSONWebKey{{Key: encrypts.Public(), KeyID: "encrypts", Use: "enc"},
		{Key: encrypts, KeyID: "private"}, {Key: private.Public(), KeyID: "e"}} {
		text, err := k.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, string(text))
	}
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, []byte(`{"keys":[`+strings.Join(keys, ",")+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	w, role = federatedWorld(t, service.Config{WebIdentityKeys: map[string]string{issuerURL: file}}, "")
	nobody = w.anonymous()
	i.private, i.alg = jose.JSONWebKey{Key: private, KeyID: "e"}, jose.ES256
	step("a file", "", 0)
	for _, id := range []string{"encrypts", "private"} {
		i.private = jose.JSONWebKey{Key: encrypts, KeyID: id}
		step("signed by the key that "+id, "InvalidIdentityToken", 0)
	}
	i.private = private
	step("a token that names no key", "", 0)
}

// The trail names the holder of a token, and contains neither the token nor the
// credentials.
func TestTrailOfSessions(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	w, role := federatedWorld(t, service.Config{WebIdentityKeys: map[string]string{issuerURL: i.URL}}, "")
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	night := w.role(t, "night", trusting("Ann"))
	w.trail.lines()
	token := w.token(t, i, nil)
	web := must(t, w.anonymous().sts.AssumeRoleWithWebIdentity,
		&sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: ptr("build"), WebIdentityToken: &token})
	assumed := must(t, ann.sts.AssumeRole,
		&sts.AssumeRoleInput{RoleArn: &night, RoleSessionName: ptr("late"), ExternalId: ptr("external")})
	mine := must(t, ann.sts.GetSessionToken, &sts.GetSessionTokenInput{})
	must(t, w.asSession(assumed.Credentials).sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
	bad := token + "x"
	refused(t, w.anonymous().sts.AssumeRoleWithWebIdentity,
		&sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: ptr("build"), WebIdentityToken: &bad}, 400,
		"InvalidIdentityToken", "The signature of the token could not be verified.")
	text := w.trail.String()
	for _, secret := range []string{token, strings.Split(token, ".")[2], *web.Credentials.SecretAccessKey,
		*web.Credentials.SessionToken, *assumed.Credentials.SecretAccessKey, *assumed.Credentials.SessionToken,
		*mine.Credentials.SecretAccessKey, *mine.Credentials.SessionToken} {
		if strings.Contains(text, secret) || strings.Contains(w.log.String(), secret) {
			t.Errorf("%.10s… is in the trail or the log", secret)
		}
	}
	type record struct {
		EventName          string
		ReadOnly           bool
		RecipientAccountID string
		UserIdentity       struct {
			Type, PrincipalID, UserName, IdentityProvider, AccountID, Arn string
			SessionContext                                                struct {
				SessionIssuer struct{ Type, Arn, UserName string }
			}
		}
		RequestParameters, ResponseElements map[string]any
		ErrorCode                           string
	}
	var records []record
	for _, line := range w.trail.lines() {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	if len(records) != 5 {
		t.Fatalf("%d records", len(records))
	}
	r := records[0]
	if u := r.UserIdentity; u.Type != "WebIdentityUser" ||
		u.PrincipalID != providerARN+":sts.amazonaws.com:repo:example/app" || u.UserName != "repo:example/app" ||
		u.IdentityProvider != providerARN || r.RecipientAccountID != account || !r.ReadOnly {
		t.Errorf("%+v", r)
	}
	credentials, _ := r.ResponseElements["credentials"].(map[string]any)
	if credentials["accessKeyId"] != *web.Credentials.AccessKeyId || credentials["expiration"] == nil ||
		len(credentials) != 2 || r.ResponseElements["assumedRoleUser"] == nil ||
		r.RequestParameters["roleArn"] != role || r.RequestParameters["webIdentityToken"] != nil {
		t.Errorf("%+v", r)
	}
	if r := records[1]; r.UserIdentity.Type != "IAMUser" || r.RequestParameters["externalId"] != "external" ||
		r.ResponseElements["credentials"] == nil || !r.ReadOnly {
		t.Errorf("%+v", r)
	}
	if r := records[2]; r.EventName != "GetSessionToken" || r.ResponseElements["credentials"] == nil {
		t.Errorf("%+v", r)
	}
	if r := records[3]; r.UserIdentity.Type != "AssumedRole" || r.UserIdentity.Arn != sessionARN("night", "late") ||
		r.UserIdentity.SessionContext.SessionIssuer.Arn != night {
		t.Errorf("%+v", r)
	}
	if r := records[4]; r.UserIdentity.Type != "WebIdentityUser" || r.UserIdentity.UserName != "" ||
		r.ErrorCode != "InvalidIdentityTokenException" || r.ResponseElements != nil {
		t.Errorf("%+v", r)
	}
}

// Without a trail there are no credentials.
func TestNoCredentialsWithoutTrail(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	w, role := federatedWorld(t, service.Config{WebIdentityKeys: map[string]string{issuerURL: i.URL}}, "")
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	night := w.role(t, "night", trusting("Ann"))
	w.trail.fail.Store(true)
	defer w.trail.fail.Store(false)
	for name, call := range map[string]func(context.Context) error{
		"AssumeRole": func(ctx context.Context) error {
			_, err := ann.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &night, RoleSessionName: ptr("late")})
			return err
		},
		"GetSessionToken": func(ctx context.Context) error {
			_, err := ann.sts.GetSessionToken(ctx, &sts.GetSessionTokenInput{})
			return err
		},
		"AssumeRoleWithWebIdentity": func(ctx context.Context) error {
			_, err := w.anonymous().sts.AssumeRoleWithWebIdentity(ctx,
				&sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: ptr("build"),
					WebIdentityToken: ptr(w.token(t, i, nil))})
			return err
		},
	} {
		// The first call notices that the trail has failed. The others are not
		// started.
		call(t.Context())
		if f := failureOf(call(t.Context())); f.code != "ServiceUnavailable" || f.status != 503 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	must(t, ann.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
}
