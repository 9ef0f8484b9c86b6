package identity_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/sigv4"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// aSession returns a session with everything that a session can have.
func aSession(w *world) principal.Session {
	return principal.Session{
		Role:   &principal.AssumedRoleOf{NameKey: "worker", Name: "Worker", Path: "/a/", ID: "AROA1"},
		Name:   "night",
		Issued: w.clock.Now(), Expires: w.clock.Now().Add(time.Hour), MFA: w.clock.Now().Add(-time.Minute),
		SourceIdentity: "ann", Tags: []store.Tag{{Fold: "team", Key: "Team", Value: "ops"}},
		Transitive: []string{"team"},
		Policy:     `{"Statement":[]}`, PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"},
		Provider: "issuer.example", Keys: map[string][]string{"issuer.example:aud": {"a", "b"}},
		TaskPolicy: "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials",
	}
}

func (w *world) session(t testing.TB, s principal.Session, minSize int) identity.SessionCredentials {
	t.Helper()
	c, err := w.NewSession(
		store.Owner{Partition: "aws-cn", User: store.User{Account: account, NameKey: "ann", Name: "Ann", Path: "/p/",
			ID: "AIDA1", Created: began}}, s, minSize)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The token returns everything that a session was created with, whatever its
// size.
func TestSessionRoundTrip(t *testing.T) {
	w := newWorld(t, store.Config{Memory: true}, identity.Config{})
	large := aSession(w)
	large.Policy = strings.Repeat("a policy of some length, ", 100)
	for name, made := range map[string]struct {
		session principal.Session
		minSize int
	}{"small": {aSession(w), 0}, "large": {large, 0}, "padded": {aSession(w), 4096}, "large and padded": {large, 4096},
		"empty": {principal.Session{Expires: began.Add(time.Second)}, 0}} {
		t.Run(name, func(t *testing.T) {
			c := w.session(t, made.session, made.minSize)
			secret, signer, err := w.SigningKey(t.Context(), c.AccessKeyID, c.Token.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			if string(secret) != c.Secret.Reveal() || signer.Partition != "aws-cn" || signer.KeyID != c.AccessKeyID ||
				signer.User.Account != account || !c.Expires.Equal(made.session.Expires) {
				t.Errorf("%+v", signer)
			}
			if diff := cmp.Diff(made.session, *signer.Session); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(store.User{Account: account, NameKey: "ann", Name: "Ann", Path: "/p/", ID: "AIDA1",
				Created: began}, signer.User); diff != "" {
				t.Error(diff)
			}
			if n := len(c.Token.Reveal()); n < made.minSize || name == "large" && n > 1600 {
				t.Errorf("token of %d bytes", n)
			}
			if printed := fmt.Sprintf("%+v %#v %s", c, c, c.Token); strings.Contains(printed, c.Token.Reveal()) ||
				strings.Contains(printed, c.Secret.Reveal()) {
				t.Error("a secret is printed")
			}
		})
	}
}

// A token is only valid as a whole, with its own key and on its own store.
func TestForgedSessions(t *testing.T) {
	w := newWorld(t, store.Config{Memory: true}, identity.Config{})
	c, other := w.session(t, aSession(w), 0), w.session(t, aSession(w), 0)
	stranger := newWorld(t, store.Config{Memory: true}, identity.Config{})
	foreign := stranger.session(t, aSession(stranger), 0)
	token := c.Token.Reveal()
	sealed, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	invalid := func(name, keyID, token string) {
		t.Helper()
		if _, signer, err := w.SigningKey(t.Context(), keyID, token); !errors.Is(err, sigv4.ErrInvalidToken) ||
			signer.Session != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	invalid("another key", other.AccessKeyID, token)
	invalid("a long-term key", w.rootKey.ID, token)
	invalid("another store", foreign.AccessKeyID, foreign.Token.Reveal())
	invalid("no base64", c.AccessKeyID, "?"+token)
	invalid("longer", c.AccessKeyID, base64.StdEncoding.EncodeToString(append(sealed[:len(sealed):len(sealed)], 0)))
	for i := range sealed {
		changed := []byte(string(sealed))
		changed[i] ^= 1
		invalid(fmt.Sprint("bit of byte ", i), c.AccessKeyID, base64.StdEncoding.EncodeToString(changed))
		invalid(fmt.Sprint("the first ", i, " bytes"), c.AccessKeyID, base64.StdEncoding.EncodeToString(sealed[:i])+"A")
	}
	if _, _, err := w.SigningKey(t.Context(), c.AccessKeyID, ""); !errors.Is(err, sigv4.ErrUnknownKey) {
		t.Errorf("without its token: %v", err)
	}
	w.clock.advance(time.Hour)
	if _, _, err := w.SigningKey(t.Context(), c.AccessKeyID, token); !errors.Is(err, sigv4.ErrExpiredToken) {
		t.Errorf("expired: %v", err)
	}
}

// A session that one node creates is valid on another.
func TestSessionsOnEveryNode(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		if cfg.Memory {
			return // no two nodes can share it
		}
		w := newWorld(t, cfg, identity.Config{})
		c := w.session(t, aSession(w), 0)
		cfg.Now = w.clock.Now
		db := storetest.Open(t, cfg)
		second, err := identity.New(t.Context(), identity.Config{DB: db, Master: w.master})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(second.Close)
		if _, _, err := second.SigningKey(t.Context(), c.AccessKeyID, c.Token.Reveal()); err != nil {
			t.Error(err)
		}
	})
}

// Every invalid token is refused in the same way.
func FuzzSessionToken(f *testing.F) {
	w := newWorld(f, store.Config{Memory: true}, identity.Config{})
	c := w.session(f, aSession(w), 0)
	f.Add(c.AccessKeyID, c.Token.Reveal())
	f.Add(c.AccessKeyID, c.Token.Reveal()[:40])
	f.Add("", "AAAA")
	f.Fuzz(func(t *testing.T, keyID, token string) {
		if token == "" {
			return
		}
		_, signer, err := w.SigningKey(t.Context(), keyID, token)
		if keyID == c.AccessKeyID && token == c.Token.Reveal() {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		// Base64 has more than one way to encode the last bits.
		if raw, e := base64.StdEncoding.DecodeString(token); e == nil && keyID == c.AccessKeyID &&
			base64.StdEncoding.EncodeToString(raw) == c.Token.Reveal() {
			return
		}
		if !errors.Is(err, sigv4.ErrInvalidToken) || signer.Session != nil {
			t.Fatalf("%q %q: %v", keyID, token, err)
		}
	})
}
