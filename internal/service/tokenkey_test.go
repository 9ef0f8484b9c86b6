package service_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// keySet is the path of an issuer's keys, below its URL.
const keySet = "/.well-known/jwks.json"

// keyIDs returns the ids of the keys that an issuer publishes.
func (w *world) keyIDs(t testing.TB, issuer string) (ids []string) {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(w.get(t, issuer+keySet).Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		if !k.IsPublic() || !k.Valid() {
			t.Errorf("key %s is not a public one", k.KeyID)
		}
		ids = append(ids, k.KeyID)
	}
	return ids
}

// signs checks that tokens of both nodes are signed by the keys with one
// number, which are published, and returns a token that lives for an hour.
func signs(t testing.TB, issuer, number string, published []string, nodes ...*world) (token string) {
	t.Helper()
	for _, node := range nodes {
		if diff := cmp.Diff(published, node.keyIDs(t, issuer)); diff != "" {
			t.Errorf("published, -want +got\n%s", diff)
		}
		for algorithm, kid := range map[string]string{"RS256": "RSA_", "ES384": "EC384_"} {
			in := askToken(algorithm)
			in.DurationSeconds = ptr(int32(3600))
			token = *must(t, node.root.sts.GetWebIdentityToken, in).WebIdentityToken
			if got := header(t, token).KeyID; got != kid+number {
				t.Errorf("%s signs, not %s%s", got, kid, number)
			}
			for _, other := range nodes {
				verifies(t, other, issuer, token)
			}
		}
	}
	return token
}

func verifies(t testing.TB, w *world, issuer, token string) {
	t.Helper()
	if _, err := w.verifier(t, issuer, tokenAudience).Verify(context.Background(), token); err != nil {
		t.Error(err)
	}
}

func rotate(t testing.TB, w *world, compromised bool) identity.TokenKeysRotated {
	t.Helper()
	done, err := w.IAM.RotateTokenKeys(context.Background(), account, compromised)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func notRotated(t testing.TB, w *world, because string) {
	t.Helper()
	_, err := w.IAM.RotateTokenKeys(context.Background(), account, false)
	if err == nil || !strings.Contains(err.Error(), because) {
		t.Errorf("%v, want %s", err, because)
	}
}

// New keys are published before they sign, and old ones until their last token
// expires. Two nodes agree at every moment.
func TestTokenKeysRotate(t *testing.T) {
	t.Parallel()
	for engine, db := range sharedStores {
		t.Run(engine, func(t *testing.T) {
			one, two := twoNodes(t, db(t), service.Config{PublicURL: publicURL})
			notRotated(t, one, "never enabled")
			issuer := one.enable(t)
			first, both := []string{"RSA_0", "EC384_0"}, []string{"RSA_0", "RSA_1", "EC384_0", "EC384_1"}
			signs(t, issuer, "0", first, one, two)

			done := rotate(t, one, false)
			want := identity.TokenKeysRotated{KeyIDs: []string{"RSA_1", "EC384_1"}, Signs: began.Add(10 * time.Minute)}
			if diff := cmp.Diff(want, done); diff != "" {
				t.Error(diff)
			}
			notRotated(t, two, "2026-11-23T10:10:00Z") // new keys are waiting already
			one.clock.advance(10*time.Minute - time.Second)
			old := signs(t, issuer, "0", both, one, two)
			one.clock.advance(time.Second)
			signs(t, issuer, "1", both, one, two)
			// Rotating the master key does not affect issuers.
			if err := one.IAM.RotateMasterKey(t.Context(), one.cfg.Master); err != nil {
				t.Fatal(err)
			}
			one.clock.advance(59*time.Minute + 58*time.Second)
			verifies(t, one, issuer, old)
			verifies(t, two, issuer, old)
			one.clock.advance(5 * time.Minute)
			signs(t, issuer, "1", both, one, two)
			one.clock.advance(2 * time.Second)
			signs(t, issuer, "1", []string{"RSA_1", "EC384_1"}, one, two)
			// Those rows are deleted, and numbers are not used again.
			one.clock.advance(time.Second)
			if err := two.IAM.Forget(t.Context()); err != nil {
				t.Fatal(err)
			}
			rotate(t, two, false)
			one.clock.advance(10 * time.Minute)
			signs(t, issuer, "2", []string{"RSA_1", "RSA_2", "EC384_1", "EC384_2"}, one, two)

			done = rotate(t, one, true)
			slices.Sort(done.Ended)
			if diff := cmp.Diff([]string{"EC384_1", "EC384_2", "RSA_1", "RSA_2"}, done.Ended); diff != "" {
				t.Error(diff)
			}
			signs(t, issuer, "3", []string{"RSA_3", "EC384_3"}, one, two)
		})
	}
}

// Whatever happened to a clock, the issuer signs with a key that it publishes,
// and new keys can be created.
func TestTokenKeysWhenClockStepsBack(t *testing.T) {
	t.Parallel()
	w := federating(t)
	issuer := w.enable(t)
	rotate(t, w, false)
	w.clock.advance(time.Hour)
	all := []string{"RSA_0", "RSA_1", "EC384_0", "EC384_1"}
	signs(t, issuer, "1", all, w)
	w.clock.advance(-time.Hour)
	signs(t, issuer, "0", all, w)
	w.clock.advance(-24 * time.Hour)
	signs(t, issuer, "0", all, w)

	// Those keys come from a clock that was a year ahead. Nothing waits for
	// them.
	w.clock.advance(366 * 24 * time.Hour)
	if err := w.IAM.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	rotate(t, w, false)
	w.clock.advance(-364 * 24 * time.Hour)
	signs(t, issuer, "1", []string{"RSA_1", "RSA_2", "EC384_1", "EC384_2"}, w)
	rotate(t, w, false)
	w.clock.advance(10 * time.Minute)
	signs(t, issuer, "3", []string{"RSA_1", "RSA_2", "RSA_3", "EC384_1", "EC384_2", "EC384_3"}, w)
	w.clock.advance(2 * time.Hour)
	signs(t, issuer, "3", []string{"RSA_3", "EC384_3"}, w)
}

// The documents have AWS's form. Everybody may read and cache them. A missing
// document has the same answer as any other path.
func TestIssuerDocuments(t *testing.T) {
	t.Parallel()
	w := federating(t)
	issuer := w.enable(t)
	var got map[string]any
	a := w.get(t, issuer+"/.well-known/openid-configuration")
	if err := json.NewDecoder(a.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"issuer": issuer, "jwks_uri": issuer + keySet, "response_types_supported": []any{"id_token"},
		"subject_types_supported": []any{"public"}, "id_token_signing_alg_values_supported": []any{"RS256", "ES384"},
		"claims_supported": []any{"sub", "iss", "aud", "exp", "iat", "jti", "https://sts.amazonaws.com/"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	kind, keep := a.Header.Get("Content-Type"), a.Header.Get("Cache-Control")
	if kind != "application/json" || keep != "public, max-age=300" {
		t.Errorf("%s, %s", kind, keep)
	}
	keys, err := io.ReadAll(w.get(t, issuer+keySet).Body)
	if err != nil || strings.Contains(string(keys), account) || strings.Contains(string(keys), `"d":`) {
		t.Errorf("%s, %v", keys, err)
	}
	// A proxy may remove the path of the public URL.
	for _, from := range []string{publicURL, "http://rollcall.test"} {
		url := strings.Replace(issuer, from, w.url, 1)
		if a := w.get(t, url+keySet); a.StatusCode != 200 {
			t.Errorf("%s: %s", url, a.Status)
		}
	}
	head, err := w.web(t).Head(issuer + keySet)
	if err != nil || head.StatusCode != 200 || head.ContentLength != int64(len(keys)) {
		t.Errorf("HEAD: %+v, %v", head, err)
	}
	id := issuer[strings.LastIndexByte(issuer, '/')+1:]
	unknown := w.get(t, w.url+"/nothing")
	text, _ := io.ReadAll(unknown.Body)
	for _, path := range []string{
		"/issuer/00000000-0000-4000-8000-000000000000" + keySet, "/issuer/" + account + keySet,
		"/issuer/" + id + "/.well-known/other", "/issuer/" + id + keySet + "/", "/issuer/" + id, keySet,
		"/x/issuer/" + id + keySet, "/issuer//" + id + keySet, "/issuer/" + strings.ToUpper(id) + keySet,
		"/issuer/" + id + keySet + "%00", "/issuer/../issuer/" + id + keySet,
	} {
		a := w.get(t, w.url+path)
		body, _ := io.ReadAll(a.Body)
		same := string(body) == string(text) && a.Header.Get("Content-Type") == unknown.Header.Get("Content-Type")
		if a.StatusCode != 404 || !same {
			t.Errorf("%s: %s %s", path, a.Status, body)
		}
	}
	if a, err := w.web(t).Post(issuer+keySet, "application/json", nil); err != nil || a.StatusCode != 403 {
		t.Errorf("POST: %+v, %v", a, err)
	}
	for _, r := range w.records(t) {
		if r.EventName != "EnableOutboundWebIdentityFederation" && r.EventName != "CreateAccount" {
			t.Errorf("the trail has %s", r.EventName)
		}
	}
}

// Requests for documents count as requests of unknown callers. Callers with a
// key at the same address are not affected.
func TestIssuerDocumentsAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{PublicURL: publicURL, StrangerRate: 1, StrangerBurst: 3})
	issuer := w.enable(t)
	for i, want := range []int{200, 200, 200, 429, 429} {
		a := w.get(t, issuer+keySet)
		if wait := a.Header.Get("Retry-After"); a.StatusCode != want || want == 429 && wait != "2" {
			t.Errorf("request %d: %s %v", i, a.Status, a.Header)
		}
	}
	webIdentity(t, w.root, "ES384")
	w.clock.advance(time.Second)
	if a := w.get(t, issuer+keySet); a.StatusCode != 200 {
		t.Error(a.Status)
	}
}

// A token of one Rollcall opens a role of another, and of itself, if the issuer
// is an identity provider of the account and its keys are configured.
func TestTokensBetweenRollcalls(t *testing.T) {
	t.Parallel()
	const https = "https://rollcall.example"
	from := newWorld(t, service.Config{PublicURL: https})
	issuer := from.enable(t)
	keys := from.url + strings.TrimPrefix(issuer, https) + keySet
	to := newWorld(t, service.Config{WebIdentityKeys: map[string]string{issuer: keys}, PublicURL: publicURL})
	provider := must(t, to.root.CreateOpenIDConnectProvider, &iam.CreateOpenIDConnectProviderInput{
		Url: &issuer, ClientIDList: []string{tokenAudience}, ThumbprintList: []string{strings.Repeat("0", 40)},
	}).OpenIDConnectProviderArn
	role := to.role(t, "worker", `"Principal":{"Federated":"`+*provider+`"},"Action":"sts:AssumeRoleWithWebIdentity",`+
		`"Condition":{"StringEquals":{"`+strings.TrimPrefix(issuer, "https://")+`:sub":"`+rootARN+`"}}`)
	nobody := to.anonymous().sts
	assume := &sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: ptr("from-afar")}
	var taken *sts.AssumeRoleWithWebIdentityOutput
	for _, algorithm := range []string{"RS256", "ES384"} {
		token := webIdentity(t, from.root, algorithm)
		assume.WebIdentityToken = &token
		taken = must(t, nobody.AssumeRoleWithWebIdentity, assume)
		if got := *taken.SubjectFromWebIdentityToken; got != rootARN {
			t.Errorf("the subject is %s", got)
		}
		part := strings.Split(token, ".")
		assume.WebIdentityToken = ptr(part[0] + "." + part[1] + "." + flip(part[2]))
		refused(t, nobody.AssumeRoleWithWebIdentity, assume, 400, "InvalidIdentityToken",
			"The signature of the token could not be verified.")
	}
	// A token of such a session says where the session comes from.
	to.putRolePolicy(t, "worker", ptr(allowAll))
	own := to.enable(t)
	claimed := to.claimsOf(t, own, webIdentity(t, to.asSession(taken.Credentials), "ES384"))
	if got := claimed["https://sts.amazonaws.com/"].(map[string]any)["federated_provider"]; got != *provider {
		t.Errorf("the federated provider is %v", got)
	}
	from.user(t, "Ann")
	from.putUserPolicy(t, "Ann", ptr(allowAll))
	assume.WebIdentityToken = ptr(webIdentity(t, from.asUser(t, "Ann"), "RS256"))
	refused(t, nobody.AssumeRoleWithWebIdentity, assume, 403, "AccessDenied",
		"Not authorized to perform sts:AssumeRoleWithWebIdentity")
	other := askToken("RS256")
	other.Audience = []string{"https://elsewhere.example.com"}
	assume.WebIdentityToken = must(t, from.root.sts.GetWebIdentityToken, other).WebIdentityToken
	refused(t, nobody.AssumeRoleWithWebIdentity, assume, 400, "InvalidIdentityToken", "Incorrect token audience")
	assume.WebIdentityToken = ptr(webIdentity(t, from.root, "RS256"))
	to.clock.advance(time.Hour)
	if _, err := nobody.AssumeRoleWithWebIdentity(t.Context(), assume); failureOf(err).code != "ExpiredTokenException" {
		t.Errorf("an expired token: %v", err)
	}
}

// A Rollcall accepts its own tokens too, through its own documents.
func TestTokenForItself(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys.json")
	const https = "https://rollcall.example"
	one, two := twoNodes(t, sharedStores["sqlite"](t), service.Config{PublicURL: https})
	issuer := one.enable(t)
	a, err := http.Get(one.url + strings.TrimPrefix(issuer, https) + keySet)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	set, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, set, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := two.cfg
	cfg.WebIdentityKeys = map[string]string{issuer: file}
	self := start(t, cfg)
	provider := must(t, one.root.CreateOpenIDConnectProvider, &iam.CreateOpenIDConnectProviderInput{
		Url: &issuer, ClientIDList: []string{tokenAudience}, ThumbprintList: []string{strings.Repeat("0", 40)},
	}).OpenIDConnectProviderArn
	role := one.role(t, "worker", `"Principal":{"Federated":"`+*provider+`"},"Action":"sts:AssumeRoleWithWebIdentity"`)
	must(t, self.anonymous().sts.AssumeRoleWithWebIdentity, &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: &role, RoleSessionName: ptr("myself"), WebIdentityToken: ptr(webIdentity(t, one.root, "ES384")),
	})
}

// Private keys are never stored in clear, and do not open for another issuer.
func TestTokenKeysAreSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{PublicURL: publicURL, Store: sharedStores["sqlite"](t)})
	w.enable(t)
	const other = "222222222222"
	key := w.newAccount(t, identity.AccountSpec{ID: other})
	stranger := w.as(key.ID, key.Secret.Reveal())
	must(t, stranger.EnableOutboundWebIdentityFederation, enableIn)
	webIdentity(t, stranger, "RS256")
	err := second(t, w).Update(t.Context(), func(tx *store.Tx) error {
		keys, err := tx.TokenKeys(account)
		for _, k := range keys {
			if _, err := x509.ParsePKCS8PrivateKey(k.Private); err == nil || len(k.Private) < 100 {
				t.Errorf("key %d of %s is stored in clear", k.Serial, k.Algorithm)
			}
			k.Account = other
			err = errors.Join(err, tx.DeleteTokenKey(other, k.Algorithm, k.Serial), tx.InsertTokenKey(k))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range []string{"RS256", "ES384"} {
		refused(t, stranger.sts.GetWebIdentityToken, askToken(algorithm), 500, "ServiceFailure",
			"The request processing has failed because of an unknown error, exception or failure.")
		webIdentity(t, w.root, algorithm)
	}
}

// A restored installation has the same issuers, and signs with the same keys.
func TestTokenKeysAreInBackups(t *testing.T) {
	t.Parallel()
	cfg := service.Config{PublicURL: publicURL, Store: sharedStores["sqlite"](t), Master: seal.InMemoryMasterKeys()}
	w := newWorld(t, cfg)
	issuer := w.enable(t)
	var file bytes.Buffer
	if _, err := second(t, w).Backup(t.Context(), &file, cfg.Master); err != nil {
		t.Fatal(err)
	}
	cfg.Store = sharedStores["sqlite"](t)
	into, from := storetest.Open(t, cfg.Store), bytes.NewReader(file.Bytes())
	if _, err := into.Restore(t.Context(), from, false, cfg.Master); err != nil {
		t.Fatal(err)
	}
	restored := start(t, cfg)
	root := restored.as(w.rootKey.ID, w.rootKey.Secret.Reveal())
	for _, algorithm := range []string{"RS256", "ES384"} {
		verifies(t, w, issuer, webIdentity(t, root, algorithm))
		verifies(t, restored, issuer, webIdentity(t, w.root, algorithm))
	}
}
