// Package throttle limits how often a caller may do something.
//
// Nobody can gain calls by making it forget others, and its memory is limited.
package throttle

import (
	"container/list"
	"sync"
	"time"
)

// Limiter is a token bucket for each key: a principal, an account or an
// address. A nil Limiter allows everything. It is safe for concurrent use.
//
// It remembers a limited number of keys. It only forgets keys whose bucket is
// full again, which are like new ones, so nobody can get a new bucket by making
// it forget others. If there is no room, new keys share one bucket.
type Limiter struct {
	every time.Duration // between two calls
	burst int
	now   func() time.Time

	mu     sync.Mutex
	keys   map[string]*list.Element
	order  *list.List // of *bucket, the most recent in front
	shared bucket
}

// bucket stores the time at which it will be full.
type bucket struct {
	key  string
	full time.Time
}

const (
	// maxKeys is the maximum number of keys to remember.
	maxKeys = 10_000
	// longest limits the time until a bucket is full. Durations end at 292 years.
	longest = 100 * 365 * 24 * time.Hour
	// maxLooks is the number of old buckets that are checked to forget one.
	maxLooks = 8
)

// New returns a Limiter of perSecond calls per second for each key, and of
// burst calls at once. If perSecond is 0 there is no limit.
func New(perSecond float64, burst int, now func() time.Time) *Limiter {
	if perSecond <= 0 {
		return nil
	}
	if burst < 1 {
		burst = max(1, int(perSecond))
	}
	every := time.Duration(min(float64(time.Second)/perSecond, float64(longest)))
	burst = min(burst, int(longest/max(every, 1)))
	return &Limiter{every: every, burst: burst, now: now, keys: map[string]*list.Element{}, order: list.New()}
}

// Allow takes a token of the key, or returns how long to wait for one.
func (l *Limiter) Allow(key string) (wait time.Duration, ok bool) { return l.take(key, 1) }

// Empty returns how long to wait for a token of the key, and takes none.
func (l *Limiter) Empty(key string) (wait time.Duration, empty bool) {
	wait, ok := l.take(key, 0)
	return wait, !ok
}

func (l *Limiter) take(key string, n int) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b := l.bucket(key, now)
	full := b.full
	if full.Before(now) {
		full = now
	}
	full = full.Add(l.every)
	if wait := full.Sub(now) - time.Duration(l.burst)*l.every; wait > 0 {
		return wait, false
	}
	if n > 0 {
		b.full = full
	}
	return 0, true
}

func (l *Limiter) bucket(key string, now time.Time) *bucket {
	if e, found := l.keys[key]; found {
		l.order.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if l.order.Len() >= maxKeys && !l.forgetOne(now) {
		return &l.shared
	}
	b := &bucket{key: key}
	l.keys[key] = l.order.PushFront(b)
	return b
}

// forgetOne forgets a key whose bucket is full. It checks those that have been
// idle longest, and reports whether it found one.
func (l *Limiter) forgetOne(now time.Time) bool {
	e := l.order.Back()
	for range maxLooks {
		if b := e.Value.(*bucket); !b.full.After(now) {
			l.order.Remove(e)
			delete(l.keys, b.key)
			return true
		}
		e = e.Prev()
	}
	return false
}
