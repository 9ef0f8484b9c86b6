package server

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter is a token bucket for each access key. It remembers a bounded
// number of keys, and forgets the one that was quiet longest.
type limiter struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu    sync.Mutex
	keys  map[string]*list.Element
	order *list.List // of *bucket, the most recent in front
}

type bucket struct {
	key string
	*rate.Limiter
}

// limiterKeys bounds how many keys are remembered.
const limiterKeys = 10_000

func newLimiter(perSecond float64, burst int, now func() time.Time) *limiter {
	if perSecond <= 0 {
		return nil
	}
	if burst < 1 {
		burst = max(1, int(perSecond))
	}
	return &limiter{rate: rate.Limit(perSecond), burst: burst, now: now, keys: map[string]*list.Element{}, order: list.New()}
}

// allow takes a token of the key, or says how long to wait for one.
func (l *limiter) allow(key string) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	l.mu.Lock()
	e, found := l.keys[key]
	if found {
		l.order.MoveToFront(e)
	} else {
		e = l.order.PushFront(&bucket{key, rate.NewLimiter(l.rate, l.burst)})
		l.keys[key] = e
		if l.order.Len() > limiterKeys {
			last := l.order.Back()
			delete(l.keys, l.order.Remove(last).(*bucket).key)
		}
	}
	l.mu.Unlock()
	now := l.now()
	r := e.Value.(*bucket).ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}
