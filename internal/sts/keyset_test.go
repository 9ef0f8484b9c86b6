package sts

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// provider is an identity provider whose answer can be held back.
type provider struct {
	*httptest.Server
	asked atomic.Int32
	body  atomic.Value // string
	hold  chan struct{}
}

func newProvider(t *testing.T, ids ...string) *provider {
	t.Helper()
	p := &provider{hold: make(chan struct{})}
	p.body.Store(keysText(t, ids...))
	close(p.hold)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		select {
		case <-p.hold:
			fmt.Fprint(w, p.body.Load())
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func keysText(t *testing.T, ids ...string) string {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, id := range ids {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: private.Public(), KeyID: id})
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// testClock is a clock that a test sets.
type testClock struct{ at atomic.Int64 }

func (c *testClock) now() time.Time             { return time.Unix(c.at.Load(), 0) }
func (c *testClock) advance(span time.Duration) { c.at.Add(int64(span / time.Second)) }

func newTestKeySet(source string) (*keySet, *testClock) {
	clock := &testClock{}
	clock.advance(1_000_000 * time.Hour / 1000)
	return newKeySet(source, clock.now, nil), clock
}

// finds fails the test unless a key is found, or not, within limit.
func (k *keySet) finds(t *testing.T, id string, want int, limit time.Duration) {
	t.Helper()
	start := time.Now()
	found, err := k.find(t.Context(), id)
	if len(found) != want || want > 0 && err != nil {
		t.Errorf("%s: %d keys, want %d (%v)", id, len(found), want, err)
	}
	if took := time.Since(start); took > limit {
		t.Errorf("%s: took %s", id, took)
	}
}

// A caller that leaves ends only its own wait. The fetch and other callers
// continue.
func TestKeySetOutlivesItsCaller(t *testing.T) {
	p := newProvider(t, "good")
	p.hold = make(chan struct{})
	keys, _ := newTestKeySet(p.URL)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := keys.find(ctx, "forged")
		left <- err
	}()
	for p.asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	leave()
	if err := <-left; err == nil {
		t.Error("a caller that left got keys")
	}
	close(p.hold)
	keys.finds(t, "good", 1, 4*time.Second)
	if n := p.asked.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
	// A caller that left before causes no fetch.
	keys, _ = newTestKeySet(p.URL)
	keys.find(ctx, "forged")
	keys.finds(t, "good", 1, 4*time.Second)
}

// Any number of tokens that name missing keys cause one fetch during a pause.
// Tokens with a known key do not wait.
func TestKeySetUnderForgedTokens(t *testing.T) {
	p := newProvider(t, "good")
	keys, clock := newTestKeySet(p.URL)
	keys.finds(t, "good", 1, 4*time.Second)
	clock.advance(keySetPause)
	p.hold = make(chan struct{})
	var wait sync.WaitGroup
	for range 200 {
		wait.Go(func() { keys.find(t.Context(), "forged") })
	}
	for p.asked.Load() == 1 {
		time.Sleep(time.Millisecond)
	}
	for range 100 {
		keys.finds(t, "good", 1, 2*time.Second)
	}
	// The same fetch finds the new key.
	p.body.Store(keysText(t, "good", "rotated"))
	close(p.hold)
	wait.Wait()
	keys.finds(t, "rotated", 1, 2*time.Second)
	for range 20 {
		keys.finds(t, "forged", 0, 2*time.Second)
	}
	if n := p.asked.Load(); n != 2 {
		t.Errorf("%d fetches", n)
	}
}

// The service waits once for a provider that hangs. After that its earlier keys
// stay valid, and are requested again in the background.
func TestKeySetOfProviderThatHangs(t *testing.T) {
	p := newProvider(t, "good")
	keys, clock := newTestKeySet(p.URL)
	keys.period = 50 * time.Millisecond
	keys.finds(t, "good", 1, 4*time.Second)
	clock.advance(keySetAge)
	p.hold = make(chan struct{})
	keys.finds(t, "good", 1, 4*time.Second)
	keys.period = 20 * time.Second
	for range 3 {
		clock.advance(keySetPause)
		keys.finds(t, "good", 1, 2*time.Second)
	}
	if n := p.asked.Load(); n > 3 {
		t.Errorf("%d fetches", n)
	}
	close(p.hold)
}

// After a clock steps back, old keys and the pause no longer apply.
func TestKeySetWhenTheClockStepsBack(t *testing.T) {
	p := newProvider(t, "good")
	keys, clock := newTestKeySet(p.URL)
	keys.finds(t, "good", 1, 4*time.Second)
	p.body.Store(keysText(t, "rotated"))
	clock.advance(-2 * time.Hour)
	keys.finds(t, "rotated", 1, 4*time.Second)
	clock.advance(-2 * time.Hour)
	keys.finds(t, "good", 0, 4*time.Second)
}

// Only an answer of limited size from the provider itself counts.
func TestKeySetSources(t *testing.T) {
	p := newProvider(t, "good")
	p.body.Store(p.body.Load().(string) + strings.Repeat(" ", keySetMax))
	keys, _ := newTestKeySet(p.URL)
	keys.finds(t, "good", 0, 4*time.Second)

	elsewhere := newProvider(t, "good")
	to := elsewhere.URL
	redirect := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			fmt.Fprint(w, elsewhere.body.Load())
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
	}))
	t.Cleanup(redirect.Close)
	keys, _ = newTestKeySet(redirect.URL)
	keys.finds(t, "good", 0, 4*time.Second)
	if elsewhere.asked.Load() != 0 {
		t.Error("a redirect to another host was followed")
	}
	to = "/moved"
	keys, _ = newTestKeySet(redirect.URL)
	keys.finds(t, "good", 1, 4*time.Second)

	dir := t.TempDir()
	keys, _ = newTestKeySet(dir)
	keys.finds(t, "good", 0, 4*time.Second)
	file := filepath.Join(dir, "keys.json")
	if err := os.WriteFile(file, []byte(keysText(t, "good")), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, _ = newTestKeySet(file)
	keys.finds(t, "good", 1, 4*time.Second)
}
