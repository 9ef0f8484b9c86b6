package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// shelf keeps what takes long to work out: judged reports, comparisons, trends.
// Each is worked out once, beside the requests that ask for it. What takes the
// processor is done in turns, one at a time. What was not looked at for longest
// goes first when there is too much.
//
// A shelf knows nothing of permissions: its callers ask for them first.
type shelf struct {
	run   func(func(context.Context)) // beside requests, until the service ends
	limit int64                       // bytes
	turn  chan struct{}

	mu    sync.Mutex
	slots map[any]*slot
	used  int64
	looks int64 // counts, to know which slot was looked at last
}

// slot is a value, or the work on it.
type slot struct {
	account string
	done    chan struct{} // closed when the rest is there
	value   any
	err     error
	size    int64
	looked  int64
}

const (
	shelfLimit = 128 << 20
	// shelfJobs bounds what an account may have worked out at once.
	shelfJobs = 6
)

func newShelf(run func(func(context.Context)), limit int64) *shelf {
	return &shelf{run: run, limit: limit, turn: make(chan struct{}, 1), slots: map[any]*slot{}}
}

// errNotYet says that a value is still being worked out.
var errNotYet = errors.New("not yet worked out")

var errTooMuch = &problem{
	Status: http.StatusTooManyRequests,
	Text:   "Too much is being worked out for this account at the moment. Try again in a while.",
}

// shelved returns the value of a key, which must be comparable, for the person's
// account. It has the value worked out in a turn if there is none, and waits for
// it. The error is errNotYet if that takes longer than patience.
func shelved[T any](
	v *visit, key any, patience time.Duration, produce func(context.Context) (T, int64, error),
) (value T, err error) {
	return gathered(v, key, patience, func(ctx context.Context) (made T, size int64, err error) {
		err = v.shelf.inTurn(ctx, func() error {
			made, size, err = produce(ctx)
			return err
		})
		return made, size, err
	})
}

// gathered is shelved for a value that waits for other things than the
// processor. What of it needs a turn takes it with inTurn.
func gathered[T any](
	v *visit, key any, patience time.Duration, produce func(context.Context) (T, int64, error),
) (value T, err error) {
	s, account := v.shelf, v.account()
	one, err := s.slot(account, key, func(ctx context.Context) (any, int64, error) { return produce(ctx) })
	if err != nil {
		return value, err
	}
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-one.done:
	case <-wait.C:
		return value, errNotYet
	case <-v.r.Context().Done():
		return value, v.r.Context().Err()
	}
	if one.err != nil {
		s.drop(key, one) // whoever asks again tries again
		return value, one.err
	}
	return one.value.(T), nil
}

// slot finds a slot, or makes one and begins to fill it.
func (s *shelf) slot(account string, key any, produce func(context.Context) (any, int64, error)) (*slot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	if one := s.slots[key]; one != nil {
		one.looked = s.looks
		return one, nil
	}
	working := 0
	for _, other := range s.slots {
		if other.account == account && !other.finished() {
			working++
		}
	}
	if working >= shelfJobs {
		return nil, errTooMuch
	}
	one := &slot{account: account, done: make(chan struct{}), looked: s.looks}
	s.slots[key] = one
	s.run(func(ctx context.Context) { s.fill(ctx, key, one, produce) })
	return one, nil
}

func (s *shelf) fill(ctx context.Context, key any, one *slot, produce func(context.Context) (any, int64, error)) {
	defer close(one.done)
	defer func() {
		if p := recover(); p != nil {
			one.err = fmt.Errorf("panic beside requests: %v", p)
		}
	}()
	one.value, one.size, one.err = produce(ctx)
	if one.err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used += one.size
	for s.used > s.limit {
		oldest, of := s.oldest(one)
		if of == nil {
			break
		}
		delete(s.slots, oldest)
		s.used -= of.size
	}
}

// oldest is the finished slot, other than one, that was not looked at for
// longest.
func (s *shelf) oldest(one *slot) (oldest any, of *slot) {
	for key, other := range s.slots {
		if other != one && other.finished() && other.err == nil && (of == nil || other.looked < of.looked) {
			oldest, of = key, other
		}
	}
	return oldest, of
}

// inTurn waits for a turn, and works in it.
func (s *shelf) inTurn(ctx context.Context, work func() error) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
		return work()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slot) finished() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// drop forgets a slot that came to nothing.
func (s *shelf) drop(key any, one *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slots[key] == one {
		delete(s.slots, key)
	}
}
