package server

import (
	"container/list"
	"errors"
	"sync"
	"time"

	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
)

// limiter is a token bucket for each key: a principal, an account or an
// address.
//
// It remembers a bounded number of keys. It forgets only keys whose bucket is
// full again, which are like new ones, so nobody can get a fresh bucket by
// making it forget others. If there is no room, new keys share one bucket.
type limiter struct {
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
	// limiterKeys is the largest number of keys to remember.
	limiterKeys = 10_000
	// limiterLooks is the number of old buckets that are looked at to forget
	// one.
	limiterLooks = 8
)

func newLimiter(perSecond float64, burst int, now func() time.Time) *limiter {
	if perSecond <= 0 {
		return nil
	}
	if burst < 1 {
		burst = max(1, int(perSecond))
	}
	every := time.Duration(float64(time.Second) / perSecond)
	return &limiter{every: every, burst: burst, now: now, keys: map[string]*list.Element{}, order: list.New()}
}

// allow takes a token of the key, or returns how long to wait for one.
func (l *limiter) allow(key string) (wait time.Duration, ok bool) { return l.take(key, 1) }

// empty returns how long to wait for a token of the key, and takes none.
func (l *limiter) empty(key string) (wait time.Duration, empty bool) {
	wait, ok := l.take(key, 0)
	return wait, !ok
}

func (l *limiter) take(key string, n int) (wait time.Duration, ok bool) {
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

func (l *limiter) bucket(key string, now time.Time) *bucket {
	if e, found := l.keys[key]; found {
		l.order.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if l.order.Len() >= limiterKeys && !l.forgetOne(now) {
		return &l.shared
	}
	b := &bucket{key: key}
	l.keys[key] = l.order.PushFront(b)
	return b
}

// forgetOne forgets a key whose bucket is full. It looks at those that have
// been idle longest, and reports whether it found one.
func (l *limiter) forgetOne(now time.Time) bool {
	e := l.order.Back()
	for range limiterLooks {
		if b := e.Value.(*bucket); !b.full.After(now) {
			l.order.Remove(e)
			delete(l.keys, b.key)
			return true
		}
		e = e.Prev()
	}
	return false
}

// throttled returns the answer to a call that came too soon, or nil.
func (k *call) throttled(wait time.Duration, ok bool) error {
	if ok {
		return nil
	}
	k.retryAfter = wait
	return awsmodel.Fail("Throttling", "Rate exceeded")
}

// limit takes a caller's tokens: one of the principal, whatever key or session
// it uses, and one of its account.
func (s *Server) limit(caller principal.Caller, k *call) error {
	if err := k.throttled(s.limiter.allow(owner(caller))); err != nil {
		return err
	}
	return k.throttled(s.accounts.allow(caller.Account()))
}

// owner returns the principal that a caller's calls count for. A session counts
// for its role or user, so more sessions give no more calls.
func owner(c principal.Caller) string {
	if s := c.Session(); s != nil && s.Role != nil {
		return c.Account() + "/role/" + s.Role.ID
	}
	return c.Account() + "/user/" + c.User().NameKey
}

// refusedStranger takes a token of the address that a refused request came
// from. If there is none, it refuses the request for that reason. Verified
// requests take no such token, so that neighbours cannot block them.
func (s *Server) refusedStranger(k *call, refused error) error {
	var known *awsmodel.Error
	if !errors.As(refused, &known) {
		return refused // our own failure
	}
	if err := k.throttled(s.strangers.allow(networkOf(k.SourceIP))); err != nil {
		return err
	}
	return refused
}
