package throttle

import (
	"math"
	"strconv"
	"testing"
	"time"
)

// limited checks a limiter by its own clock.
type limited struct {
	*Limiter
	t   *testing.T
	now time.Time
}

func newLimited(t *testing.T, perSecond float64, burst int) *limited {
	l := &limited{t: t, now: time.Unix(0, 0)}
	l.Limiter = New(perSecond, burst, func() time.Time { return l.now })
	return l
}

func (l *limited) wants(key string, want bool, wantWait time.Duration) {
	l.t.Helper()
	if wait, ok := l.Allow(key); ok != want || wait != wantWait {
		l.t.Errorf("key %s: %t, wait %v; want %t, %v", key, ok, wait, want, wantWait)
	}
}

// The calls of one key do not count for another.
func TestLimiter(t *testing.T) {
	l := newLimited(t, 10, 2)
	for range 2 {
		l.wants("a", true, 0)
	}
	l.wants("a", false, 100*time.Millisecond)
	l.wants("a", false, 100*time.Millisecond) // checking costs nothing
	if wait, empty := l.Empty("a"); !empty || wait != 100*time.Millisecond {
		t.Errorf("empty: %t, %v", empty, wait)
	}
	for range 5 {
		if _, empty := l.Empty("c"); empty {
			t.Error("looking takes tokens")
		}
	}
	l.wants("b", true, 0)
	l.now = l.now.Add(50 * time.Millisecond)
	l.wants("a", false, 50*time.Millisecond)
	l.now = l.now.Add(50 * time.Millisecond)
	l.wants("a", true, 0)
	l.wants("a", false, 100*time.Millisecond)
	l.now = l.now.Add(time.Hour)
	for range 2 {
		l.wants("a", true, 0)
	}
	l.wants("a", false, 100*time.Millisecond)
}

// The limiter remembers a limited number of keys. A flood of new keys gives
// nobody a new bucket, and after the flood everything is as before.
func TestLimiterIsNotEmptied(t *testing.T) {
	l := newLimited(t, 10, 2)
	l.wants("a", true, 0)
	l.wants("a", true, 0)
	for i := range 2 * maxKeys {
		l.Allow(strconv.Itoa(i))
	}
	if len(l.keys) != maxKeys || l.order.Len() != maxKeys {
		t.Errorf("%d keys are remembered, in a list of %d", len(l.keys), l.order.Len())
	}
	l.wants("a", false, 100*time.Millisecond)
	l.wants("new", false, 100*time.Millisecond) // shares one bucket with the flood
	l.now = l.now.Add(time.Second)
	l.wants("new", true, 0)
	l.wants("new", true, 0)
	l.wants("newer", true, 0)
	if len(l.keys) != maxKeys || l.order.Len() != maxKeys {
		t.Errorf("%d keys are remembered, in a list of %d", len(l.keys), l.order.Len())
	}
}

func TestNoLimiter(t *testing.T) {
	l := New(0, 0, time.Now)
	for range 1000 {
		if _, ok := l.Allow("a"); !ok {
			t.Fatal("refused without a limit")
		}
	}
	if burst := New(0.1, 0, time.Now).burst; burst != 1 {
		t.Errorf("burst %d of one call in ten seconds", burst)
	}
}

// Settings that nobody needs are no reason to refuse everybody, or nobody.
func TestExtremeRates(t *testing.T) {
	clock := time.Now
	if _, ok := New(0.01, 1_000_000_000_000, clock).Allow("a"); !ok {
		t.Error("the first of many calls is refused")
	}
	rare := New(1e-300, 1, clock)
	if _, ok := rare.Allow("a"); !ok {
		t.Error("the only call is refused")
	}
	if _, ok := rare.Allow("a"); ok {
		t.Error("a second call in the age of the universe is allowed")
	}
	if _, ok := New(math.Inf(1), 0, clock).Allow("a"); !ok {
		t.Error("a call is refused without a limit")
	}
}
