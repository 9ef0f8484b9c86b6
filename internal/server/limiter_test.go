package server

import (
	"strconv"
	"testing"
	"time"
)

// One key's calls are no other's, and a key that comes back after a flood of
// others has its whole burst again: what is remembered is bounded.
func TestLimiter(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimiter(10, 2, func() time.Time { return now })
	allow := func(key string, want bool, wantWait time.Duration) {
		t.Helper()
		if wait, ok := l.allow(key); ok != want || wait != wantWait {
			t.Errorf("key %s: %t, wait %v; want %t, %v", key, ok, wait, want, wantWait)
		}
	}
	for range 2 {
		allow("a", true, 0)
	}
	allow("a", false, 100*time.Millisecond)
	allow("a", false, 100*time.Millisecond) // asking costs nothing
	allow("b", true, 0)
	now = now.Add(50 * time.Millisecond)
	allow("a", false, 50*time.Millisecond)
	now = now.Add(50 * time.Millisecond)
	allow("a", true, 0)
	allow("a", false, 100*time.Millisecond)
	for i := range 2 * limiterKeys {
		allow(strconv.Itoa(i), true, 0)
	}
	if len(l.keys) != limiterKeys || l.order.Len() != limiterKeys {
		t.Errorf("%d keys are remembered, in a list of %d", len(l.keys), l.order.Len())
	}
	allow("a", true, 0)
}

func TestNoLimiter(t *testing.T) {
	l := newLimiter(0, 0, time.Now)
	for range 1000 {
		if _, ok := l.allow("a"); !ok {
			t.Fatal("refused without a limit")
		}
	}
	if burst := newLimiter(0.1, 0, time.Now).burst; burst != 1 {
		t.Errorf("burst %d of one call in ten seconds", burst)
	}
}
