package service_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/identity"
	"rollcall/internal/service"
)

// publicURL is the address of a world for verifiers. web redirects it to the
// listener.
const publicURL = "http://rollcall.test/iam"

// tokenAudience is the audience of the tests' tokens.
const tokenAudience = "https://api.example.com"

// The inputs of outbound federation, which have no members.
var (
	enableIn  = &iam.EnableOutboundWebIdentityFederationInput{}
	disableIn = &iam.DisableOutboundWebIdentityFederationInput{}
	infoIn    = &iam.GetOutboundWebIdentityFederationInfoInput{}
)

// federating returns a world that can issue tokens.
func federating(t testing.TB) *world { return newWorld(t, service.Config{PublicURL: publicURL}) }

// web returns a client that reaches the world's listener under every host name.
func (w *world) web(t testing.TB) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(w.url, "http://"))
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (w *world) enable(t testing.TB) (issuer string) {
	t.Helper()
	return *must(t, w.root.EnableOutboundWebIdentityFederation, enableIn).IssuerIdentifier
}

func askToken(algorithm string) *sts.GetWebIdentityTokenInput {
	return &sts.GetWebIdentityTokenInput{Audience: []string{tokenAudience}, SigningAlgorithm: &algorithm}
}

// webIdentity returns a token for a caller.
func webIdentity(t testing.TB, c clients, algorithm string) string {
	t.Helper()
	return *must(t, c.sts.GetWebIdentityToken, askToken(algorithm)).WebIdentityToken
}

// verifier returns a verifier of another project. It knows the issuer's URL and
// finds the rest by discovery.
func (w *world) verifier(t testing.TB, issuer, audience string) *oidc.IDTokenVerifier {
	t.Helper()
	provider, err := oidc.NewProvider(oidc.ClientContext(context.Background(), w.web(t)), issuer)
	if err != nil {
		t.Fatal(err)
	}
	return provider.Verifier(&oidc.Config{ClientID: audience, Now: w.clock.Now})
}

// header returns the header of a token.
func header(t testing.TB, token string) jose.Header {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES384})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Signatures[0].Header
}

func TestOutboundFederation(t *testing.T) {
	t.Parallel()
	eachWith(t, service.Config{PublicURL: publicURL}, func(t *testing.T, w *world) {
		refuse := func() {
			t.Helper()
			refused(t, w.root.GetOutboundWebIdentityFederationInfo, infoIn, 404, "FeatureDisabled",
				"Outbound identity federation is disabled for account "+account)
			refused(t, w.root.DisableOutboundWebIdentityFederation, disableIn, 404, "FeatureDisabled",
				"Outbound identity federation is already disabled for account "+account)
			refused(t, w.root.sts.GetWebIdentityToken, askToken("RS256"), 403,
				"OutboundWebIdentityFederationDisabledException", "OutboundWebIdentityFederation is disabled.")
		}
		refuse()
		issuer := w.enable(t)
		rest, ok := strings.CutPrefix(issuer, publicURL+"/issuer/")
		if !ok || len(rest) != 36 || strings.Contains(issuer, account) {
			t.Errorf("the issuer is %s", issuer)
		}
		refused(t, w.root.EnableOutboundWebIdentityFederation, enableIn, 409, "FeatureEnabled",
			"Outbound identity federation is already enabled for account "+account)
		got := must(t, w.root.GetOutboundWebIdentityFederationInfo, infoIn)
		if *got.IssuerIdentifier != issuer || !got.JwtVendingEnabled {
			t.Errorf("%+v", got)
		}
		token := webIdentity(t, w.root, "ES384")
		must(t, w.root.DisableOutboundWebIdentityFederation, disableIn)
		refuse()
		// Earlier tokens are still valid, and the issuer is the same.
		verifies(t, w, issuer, token)
		if again := w.enable(t); again != issuer {
			t.Errorf("enabled again the issuer is %s and was %s", again, issuer)
		}
		verifies(t, w, issuer, webIdentity(t, w.root, "RS256"))
		// Nothing remains of a deleted account.
		if err := w.IAM.DeleteAccount(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		if a := w.get(t, issuer+keySet); a.StatusCode != 404 {
			t.Errorf("keys of a deleted account: %s", a.Status)
		}
		key := w.newAccount(t, identity.AccountSpec{ID: account})
		w.root = w.as(key.ID, key.Secret.Reveal())
		refuse()
		if again := w.enable(t); again == issuer {
			t.Error("an account that was created again has the issuer of the deleted one")
		}
	})
}

// get fetches a document.
func (w *world) get(t testing.TB, url string) *http.Response {
	t.Helper()
	a, err := w.web(t).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(a.Body)
	a.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	a.Body = io.NopCloser(strings.NewReader(string(body)))
	return a
}

// A verifier of another project accepts the tokens and refuses all others.
func TestWebIdentityTokenVerifies(t *testing.T) {
	t.Parallel()
	w := federating(t)
	issuer := w.enable(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	w.putUserPolicy(t, "Ann", ptr(allowAll))
	other := newWorld(t, service.Config{PublicURL: publicURL})
	foreign := webIdentity(t, func() clients { other.enable(t); return other.root }(), "RS256")
	for algorithm, kid := range map[string]string{"RS256": "RSA_0", "ES384": "EC384_0"} {
		another := map[string]string{"RS256": "ES384", "ES384": "RS256"}[algorithm]
		t.Run(algorithm, func(t *testing.T) {
			out := must(t, ann.sts.GetWebIdentityToken, askToken(algorithm))
			token := *out.WebIdentityToken
			if h := header(t, token); h.KeyID != kid || h.Algorithm != algorithm || h.ExtraHeaders["typ"] != "JWT" {
				t.Errorf("header %+v", h)
			}
			v := w.verifier(t, issuer, tokenAudience)
			good, err := v.Verify(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if good.Subject != userPath+"/Ann" || !good.Expiry.Equal(began.Add(5*time.Minute)) ||
				!good.IssuedAt.Equal(began) || !out.Expiration.Equal(good.Expiry) {
				t.Errorf("%+v", good)
			}
			part, roots := strings.Split(token, "."), strings.Split(webIdentity(t, w.root, algorithm), ".")
			heads := strings.Split(webIdentity(t, ann, another), ".")
			for name, bad := range map[string]string{
				"changed claims":    part[0] + "." + roots[1] + "." + part[2],
				"changed signature": part[0] + "." + part[1] + "." + flip(part[2]),
				"no signature":      part[0] + "." + part[1] + ".",
				"another issuer":    foreign,
				"another header":    heads[0] + "." + part[1] + "." + part[2],
			} {
				if _, err := v.Verify(t.Context(), bad); err == nil {
					t.Errorf("a token with %s is taken", name)
				}
			}
			if _, err := w.verifier(t, issuer, "https://elsewhere.example.com").Verify(t.Context(), token); err == nil {
				t.Error("a token for another audience is taken")
			}
			w.clock.advance(5*time.Minute + time.Second)
			if _, err := v.Verify(t.Context(), token); err == nil {
				t.Error("an expired token is taken")
			}
			w.clock.advance(-5*time.Minute - time.Second)
		})
	}
}

// flip changes a character in the middle of a text.
func flip(text string) string {
	b := []byte(text)
	if i := len(b) / 2; b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

// claimsOf returns the claims that a verifier reads, without those that differ
// between tokens.
func (w *world) claimsOf(t testing.TB, issuer, token string) map[string]any {
	t.Helper()
	verified, err := w.verifier(t, issuer, tokenAudience).Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	if err := verified.Claims(&all); err != nil {
		t.Fatal(err)
	}
	if id, ok := all["jti"].(string); !ok || len(id) != 36 {
		t.Errorf("jti is %v", all["jti"])
	}
	delete(all, "jti")
	return all
}

// The claims equal those of AWS's recorded tokens.
func TestWebIdentityTokenClaims(t *testing.T) {
	t.Parallel()
	w := federating(t)
	issuer := w.enable(t)
	if err := w.IAM.ManageAccounts(t.Context(), account, nil); err != nil {
		t.Fatal(err)
	}
	organization, err := w.IAM.Organization(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	must(t, w.root.TagUser, &iam.TagUserInput{UserName: ptr("Ann"), Tags: tags("Team", "platform")})
	w.putUserPolicy(t, "Ann", ptr(allowAll))
	role := must(t, w.root.CreateRole, &iam.CreateRoleInput{
		RoleName: ptr("night"), Path: ptr("/outbound/"), Tags: tags("Team", "role", "untouched", "retained"),
		AssumeRolePolicyDocument: document(`"Effect":"Allow",` + conditionally("Ann", assumeAndTag, "{}")),
	}).Role
	w.putRolePolicy(t, "night", ptr(allowAll))
	session := w.asSession(must(t, ann.sts.AssumeRole, &sts.AssumeRoleInput{
		RoleArn: role.Arn, RoleSessionName: ptr("session"), DurationSeconds: ptr(int32(900)),
		SourceIdentity: ptr("who"), Tags: stsTags("team=session"),
	}).Credentials)

	claimed := func(subject string, more map[string]any) map[string]any {
		of := map[string]any{
			"aws_account": account, "source_region": "eu-west-1", "principal_id": subject, "org_id": organization.ID,
		}
		for key, value := range more {
			of[key] = value
		}
		return map[string]any{
			"iss": issuer, "sub": subject, "aud": tokenAudience,
			"iat": float64(began.Unix()), "exp": float64(began.Unix() + 300),
			"https://sts.amazonaws.com/": of,
		}
	}
	asked := askToken("RS256")
	asked.Tags = stsTags("Team=request", "aws:test=reserved")
	again := w.asSession(must(t, ann.sts.GetSessionToken, &sts.GetSessionTokenInput{}).Credentials)
	for name, c := range map[string]struct {
		by   clients
		in   *sts.GetWebIdentityTokenInput
		want map[string]any
	}{
		"user": {ann, asked, claimed(userPath+"/Ann", map[string]any{
			"principal_tags": map[string]any{"Team": "platform"},
			"request_tags":   map[string]any{"Team": "request", "aws:test": "reserved"},
		})},
		"user's session": {again, askToken("ES384"), claimed(userPath+"/Ann", map[string]any{
			"principal_tags":       map[string]any{"Team": "platform"},
			"original_session_exp": began.Add(12 * time.Hour).Format(time.RFC3339),
		})},
		"root": {w.root, askToken("ES384"), claimed(rootARN, nil)},
		"role": {session, askToken("ES384"), claimed(*role.Arn, map[string]any{
			"principal_tags":  map[string]any{"team": "session", "untouched": "retained"},
			"source_identity": "who", "original_session_exp": began.Add(15 * time.Minute).Format(time.RFC3339),
		})},
	} {
		token := *must(t, c.by.sts.GetWebIdentityToken, c.in).WebIdentityToken
		if diff := cmp.Diff(c.want, w.claimsOf(t, issuer, token)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	asked.Tags, asked.Audience = nil, []string{tokenAudience, "b", "b"}
	got := w.claimsOf(t, issuer, *must(t, ann.sts.GetWebIdentityToken, asked).WebIdentityToken)
	if diff := cmp.Diff([]any{tokenAudience, "b", "b"}, got["aud"]); diff != "" {
		t.Error(diff)
	}
}

// AWS refused these in September 2026, in these words and this order.
func TestWebIdentityTokenRefused(t *testing.T) {
	t.Parallel()
	w := federating(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	w.putUserPolicy(t, "Ann", ptr(allowAll))
	const unsupported = "Requested SigningAlgorithm is not supported. " +
		"See the GetWebIdentityToken documentation for supported algorithms"
	const duplicate = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
	for _, enabled := range []bool{false, true} {
		if enabled {
			w.enable(t)
		}
		for _, algorithm := range []string{"RS384", "ES256", "HS256", "rs256"} {
			refused(t, ann.sts.GetWebIdentityToken, askToken(algorithm), 400, "ValidationError", unsupported)
		}
		for _, pairs := range [][]string{{"team=one", "team=two"}, {"team=one", "Team=two"}} {
			in := askToken("RS256")
			in.Tags = stsTags(pairs...)
			refused(t, ann.sts.GetWebIdentityToken, in, 400, "InvalidParameterValue", duplicate)
		}
		short := &sts.GetSessionTokenInput{DurationSeconds: ptr(int32(900))}
		session := w.asSession(must(t, ann.sts.GetSessionToken, short).Credentials)
		long := askToken("RS256")
		long.DurationSeconds = ptr(int32(901))
		refused(t, session.sts.GetWebIdentityToken, long, 403, "SessionDurationEscalationException",
			"Requested token expiry time must be before the original session's expiry time.")
	}
	all := &sts.GetFederationTokenInput{Name: ptr("guest"), Policy: ptr(allowAll)}
	guest := w.asSession(must(t, ann.sts.GetFederationToken, all).Credentials)
	refused(t, guest.sts.GetWebIdentityToken, askToken("RS256"), 403, "AccessDenied",
		"GetWebIdentityToken does not support federated user sessions")

	large := askToken("RS256")
	for i := range 50 {
		large.Tags = append(large.Tags, stsTags(strings.Repeat("k", 60+i)+"="+strings.Repeat("v", 256))...)
	}
	refused(t, ann.sts.GetWebIdentityToken, large, 400, "JWTPayloadSizeExceededException",
		"JWT payload exceeds maximum allowed size")
}

// Claims of the maximum size are accepted, and one more byte is not.
func TestWebIdentityTokenPayload(t *testing.T) {
	t.Parallel()
	w := federating(t)
	issuer := w.enable(t)
	in := askToken("ES384")
	in.Audience = append(in.Audience, `<&>"é/`)
	size := func() int {
		token := *must(t, w.root.sts.GetWebIdentityToken, in).WebIdentityToken
		parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES384})
		if err != nil {
			t.Fatal(err)
		}
		return len(parsed.UnsafePayloadWithoutVerification())
	}
	for i := range 50 {
		in.Tags = append(in.Tags, stsTags(strings.Repeat("k", 1+i)+"="+strings.Repeat("é", 115))...)
	}
	room := 14984 - size()
	for i := 0; room > 0; i++ {
		more := min(room, 256-115)
		in.Tags[i].Value = ptr(*in.Tags[i].Value + strings.Repeat("v", more))
		room -= more
	}
	if n := size(); n != 14984 {
		t.Fatalf("the claims have %d bytes", n)
	}
	w.claimsOf(t, issuer, *must(t, w.root.sts.GetWebIdentityToken, in).WebIdentityToken)
	in.Audience[0] += "x"
	refused(t, w.root.sts.GetWebIdentityToken, in, 400, "JWTPayloadSizeExceededException",
		"JWT payload exceeds maximum allowed size")
}

// Each statement alone allows the requests that should succeed, and none of
// those that should fail.
func TestWebIdentityTokenAuthorization(t *testing.T) {
	t.Parallel()
	w := federating(t)
	w.enable(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	const self = "arn:aws:sts::" + account + ":self"
	const get, tag = "sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"
	may := func(action, more string) string { return `"Effect":"Allow",` + on(action, "*") + more }
	const teamAlone = `,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}`
	ask := func(change func(*sts.GetWebIdentityTokenInput)) *sts.GetWebIdentityTokenInput {
		in := askToken("RS256")
		change(in)
		return in
	}
	nothing := func(*sts.GetWebIdentityTokenInput) {}
	algorithm := func(in *sts.GetWebIdentityTokenInput) { in.SigningAlgorithm = ptr("ES384") }
	duration := func(in *sts.GetWebIdentityTokenInput) { in.DurationSeconds = ptr(int32(301)) }
	audience := func(in *sts.GetWebIdentityTokenInput) { in.Audience = []string{tokenAudience, "other"} }
	tagged := func(pairs ...string) func(*sts.GetWebIdentityTokenInput) {
		return func(in *sts.GetWebIdentityTokenInput) { in.Tags = stsTags(pairs...) }
	}
	for i, c := range []struct {
		statements  []string
		holds, bad  func(*sts.GetWebIdentityTokenInput)
		needsAction string // the action that the failing policy lacks
	}{
		{[]string{`"Effect":"Allow",` + on(get, self)}, nothing, tagged("team=test"), tag},
		{[]string{may(get, `,"Condition":{"StringEquals":{"sts:SigningAlgorithm":"RS256"}}`)}, nothing, algorithm, get},
		{[]string{may(get, `,"Condition":{"NumericEquals":{"sts:DurationSeconds":"300"}}`)}, nothing, duration, get},
		{[]string{may(get,
			`,"Condition":{"ForAllValues:StringEquals":{"sts:IdentityTokenAudience":"`+tokenAudience+`"}}`)},
			nothing, audience, get},
		{[]string{may(get, ""), may(tag, `,"Condition":{"StringEquals":{"aws:RequestTag/team":"test"}}`)},
			tagged("team=test"), tagged("team=other"), tag},
		{[]string{may(get, ""), may(tag, teamAlone)}, tagged("team=test"), tagged("team=test", "extra=x"), tag},
		{[]string{may(get, ""), may(tag, `,"Condition":{"StringEquals":{"sts:SigningAlgorithm":"RS256"}}`)},
			tagged("team=test"),
			func(in *sts.GetWebIdentityTokenInput) { in.Tags = stsTags("team=test"); algorithm(in) }, tag},
	} {
		w.putUserPolicy(t, "Ann", document(c.statements...))
		if _, err := ann.sts.GetWebIdentityToken(t.Context(), ask(c.holds)); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		refused(t, ann.sts.GetWebIdentityToken, ask(c.bad), 403, "AccessDenied", "User: "+userPath+
			"/Ann is not authorized to perform: "+c.needsAction+" on resource: "+self+
			" because no identity-based policy allows the "+c.needsAction+" action")
	}
	// An audience is a list, so only set operators match it.
	plain := `,"Condition":{"StringEquals":{"sts:IdentityTokenAudience":"` + tokenAudience + `"}}`
	for _, statement := range []string{may(get, plain),
		`"Effect":"Allow","Action":"sts:*","Resource":"` + userPath + `/Ann"`} {
		w.putUserPolicy(t, "Ann", document(statement))
		refused(t, ann.sts.GetWebIdentityToken, askToken("RS256"), 403, "AccessDenied", "User: "+userPath+
			"/Ann is not authorized to perform: "+get+" on resource: "+self+
			" because no identity-based policy allows the "+get+" action")
	}
}

// A service that does not know its own URL says what to do.
func TestOutboundFederationWithoutURL(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const message = "Outbound identity federation needs a URL under which verifiers reach Rollcall: " +
		"its operator sets one by --public-url."
	refused(t, w.root.EnableOutboundWebIdentityFederation, enableIn, 400, "InvalidAction", message)
	// A service that was restarted without it keeps the issuer and issues no
	// tokens.
	one, two := twoNodes(t, sharedStores["sqlite"](t), service.Config{PublicURL: publicURL})
	one.enable(t)
	cfg := two.cfg
	cfg.PublicURL = ""
	bare := start(t, cfg)
	bare.clock = one.clock
	root := bare.as(one.rootKey.ID, one.rootKey.Secret.Reveal())
	refused(t, root.sts.GetWebIdentityToken, askToken("RS256"), 400, "InvalidAction", message)
	refused(t, root.GetOutboundWebIdentityFederationInfo, infoIn, 400, "InvalidAction", message)
	must(t, root.DisableOutboundWebIdentityFederation, disableIn)
}

// Records say who got a token and for what. They do not contain the token.
func TestWebIdentityTokenTrail(t *testing.T) {
	t.Parallel()
	w := federating(t)
	w.enable(t)
	w.records(t)
	in := askToken("RS256")
	in.Tags = stsTags("team=x")
	token := *must(t, w.root.sts.GetWebIdentityToken, in).WebIdentityToken
	line := w.trail.lines()[0]
	var r record
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(token, ".") {
		if strings.Contains(line, part) || strings.Contains(w.log.String(), part) {
			t.Error("a part of the token is in the trail or the log")
		}
	}
	want := map[string]any{
		"audience": []any{tokenAudience}, "signingAlgorithm": "RS256",
		"tags": []any{map[string]any{"key": "team", "value": "x"}},
	}
	if diff := cmp.Diff(want, r.RequestParameters); r.EventName != "GetWebIdentityToken" || diff != "" {
		t.Errorf("%s: -want +got\n%s", r.EventName, diff)
	}
	// Without a record there is no token.
	w.trail.fail.Store(true)
	if _, err := w.root.sts.GetWebIdentityToken(t.Context(), in); failureOf(err).status < 500 {
		t.Errorf("without a trail: %v", err)
	}
	w.trail.fail.Store(false)
}
