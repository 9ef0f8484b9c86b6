package identity_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/sigv4"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

const (
	day = 24 * time.Hour
	// few is a number of messages that a test can reach.
	few = 5
)

// keyIDs returns the ids of the data keys of a purpose, oldest first.
func (w *world) keyIDs(t *testing.T, purpose seal.Purpose) (ids []string) {
	t.Helper()
	err := w.db.View(t.Context(), func(tx *store.Tx) error {
		keys, err := tx.AllDataKeys()
		for _, k := range keys {
			if k.Purpose == purpose {
				ids = append(ids, k.ID)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func (w *world) tend(t *testing.T) {
	t.Helper()
	if err := w.TendKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// opens verifies the token of a session.
func (w *world) opens(t *testing.T, c identity.SessionCredentials) error {
	t.Helper()
	_, _, err := w.SigningKey(t.Context(), c.AccessKeyID, c.Token.Reveal())
	return err
}

// another opens the store as another node, or as the same node after a restart.
func (w *world) another(t *testing.T, cfg identity.Config) *world {
	t.Helper()
	cfg.DB, cfg.Master = w.db, w.master
	s, err := identity.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	other := *w
	other.Service = s
	return &other
}

func eachTending(t *testing.T, test func(t *testing.T, w *world, cfg identity.Config)) {
	cfg := identity.Config{Keys: identity.KeyConfig{Messages: few, Every: time.Hour}}
	storetest.EachConfig(t, func(t *testing.T, db store.Config) { test(t, newWorld(t, db, cfg), cfg) })
}

// A key that has sealed enough messages is replaced, even across a restart or
// with another node. Sessions sealed with the old key stay valid on every node
// until the last of them expires. Then the key is discarded.
func TestTokenKeysRotateByCount(t *testing.T) {
	eachTending(t, func(t *testing.T, w *world, cfg identity.Config) {
		other := w.another(t, cfg)
		old := w.session(t, aSession(w), 0)
		w.session(t, aSession(w), 0)
		w.tend(t)
		other.session(t, aSession(w), 0)
		other.session(t, aSession(w), 0)
		other.tend(t)
		if n := len(w.keyIDs(t, seal.Tokens)); n != 1 {
			t.Fatalf("%d keys after four messages", n)
		}
		// A service stores its count when it ends.
		ends := w.another(t, cfg)
		ends.session(t, aSession(w), 0)
		ends.Close()
		w.tend(t)
		keys := w.keyIDs(t, seal.Tokens)
		if len(keys) != 2 {
			t.Fatalf("%d keys after five messages", len(keys))
		}
		// other has not checked yet. It reads the new key when it meets it.
		fresh := w.session(t, aSession(w), 0)
		for name, err := range map[string]error{
			"old here": w.opens(t, old), "old there": other.opens(t, old), "new here": w.opens(t, fresh),
			"new there": other.opens(t, fresh),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.clock.advance(36 * time.Hour)
		w.tend(t)
		if err := w.opens(t, old); !errors.Is(err, sigv4.ErrExpiredToken) {
			t.Errorf("a session of 36 hours after its end: %v, want ErrExpiredToken", err)
		}
		w.clock.advance(7*day - 36*time.Hour + time.Second)
		w.tend(t)
		if got := w.keyIDs(t, seal.Tokens); !slices.Equal(got, keys[1:]) {
			t.Errorf("keys %q, want %q alone", got, keys[1])
		}
		other.tend(t)
		for name, node := range map[string]*world{"here": w, "there": other} {
			if err := node.opens(t, old); !errors.Is(err, sigv4.ErrInvalidToken) {
				t.Errorf("%s: a token of a deleted key: %v, want ErrInvalidToken", name, err)
			}
		}
	})
}

// Keys are also replaced by age. All keys for rows stay, because the rows do.
func TestDataKeysRotateByAge(t *testing.T) {
	cfg := identity.Config{Keys: identity.KeyConfig{Every: time.Hour}}
	storetest.EachConfig(t, func(t *testing.T, db store.Config) {
		w := newWorld(t, db, cfg)
		before := w.newKey(t)
		first := w.keyIDs(t, seal.Rows)
		w.clock.advance(30*day - time.Second)
		w.tend(t)
		if got := w.keyIDs(t, seal.Tokens); len(got) != 1 {
			t.Errorf("%q: a key for tokens was replaced too early", got)
		}
		for range 13 {
			w.clock.advance(30 * day)
			w.tend(t)
			w.tend(t)
		}
		if got := w.keyIDs(t, seal.Tokens); len(got) != 2 {
			t.Errorf("keys of tokens %q, want the one that seals and the previous one", got)
		}
		rows := w.keyIDs(t, seal.Rows)
		if len(rows) != 2 || rows[0] != first[0] {
			t.Errorf("keys of rows %q, the first was %q", rows, first)
		}
		// After a restart, there are secrets of both keys.
		again := w.another(t, cfg)
		for _, key := range []identity.RootKey{before, w.newKey(t)} {
			if secret, _, err := again.SigningKey(t.Context(), key.ID, ""); err != nil ||
				string(secret) != key.Secret.Reveal() {
				t.Errorf("a key's secret: %v", err)
			}
		}
	})
}

// newKey creates a second root key in place of the previous second one.
func (w *world) newKey(t *testing.T) identity.RootKey {
	t.Helper()
	key, err := w.CreateRootKey(t.Context(), account)
	if err != nil {
		keys, lerr := w.RootKeys(t.Context(), account)
		if lerr != nil {
			t.Fatal(err, lerr)
		}
		for _, k := range keys {
			if k.ID == w.rootKey.ID {
				err = w.DeleteRootKey(t.Context(), account, k.ID)
			}
		}
		if err == nil {
			key, err = w.CreateRootKey(t.Context(), account)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A clock that was set back does not create key after key. The newest key
// seals.
func TestDataKeysAndClockSetBack(t *testing.T) {
	eachTending(t, func(t *testing.T, w *world, cfg identity.Config) {
		w.clock.advance(-90 * day)
		for range few {
			w.session(t, aSession(w), 0)
		}
		for range 3 {
			w.tend(t)
		}
		keys := w.keyIDs(t, seal.Tokens)
		if len(keys) != 2 {
			t.Fatalf("keys %q", keys)
		}
		c := w.session(t, aSession(w), 0)
		if err := w.another(t, cfg).opens(t, c); err != nil {
			t.Error(err)
		}
	})
}

// Counts that could not be written are not lost.
func TestSealedCountsSurviveAFailure(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), identity.Config{Keys: identity.KeyConfig{Messages: few, Every: time.Hour}})
	for range few {
		w.session(t, aSession(w), 0)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.TendKeys(ctx); err == nil {
		t.Fatal("a call that ended did something")
	}
	w.tend(t)
	if n := len(w.keyIDs(t, seal.Tokens)); n != 2 {
		t.Errorf("%d keys", n)
	}
}
