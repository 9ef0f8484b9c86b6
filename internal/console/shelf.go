package console

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"rollcall/internal/guard"
	"rollcall/internal/requestid"
)

// shelf caches values that take long to compute: judged reports, comparisons,
// trends. Each is computed once, in the background. Computations that need the
// processor run one at a time. If the shelf is full, the least recently used
// value is dropped.
//
// A shelf does not check permissions: its callers do that first.
type shelf struct {
	run   func(func(context.Context)) // runs in the background until the service ends
	limit int64                       // bytes
	turn  chan struct{}

	mu    sync.Mutex
	slots map[any]*slot
	used  int64
	looks int64 // a counter that shows which slot was used last
}

// slot is a value, or its computation.
type slot struct {
	account string
	done    chan struct{} // closed when the other fields are set
	value   any
	err     error
	size    int64
	looked  int64
}

const (
	shelfLimit = 128 << 20
	// shelfJobs limits the number of computations for one account at a time.
	shelfJobs = 6
)

func newShelf(run func(func(context.Context)), limit int64) *shelf {
	return &shelf{run: run, limit: limit, turn: make(chan struct{}, 1), slots: map[any]*slot{}}
}

// errNotYet says that a value is still being computed.
var errNotYet = errors.New("not yet worked out")

var errTooMuch = &problem{
	Status: http.StatusTooManyRequests,
	Text:   "Too much is being worked out for this account at the moment. Try again in a while.",
}

// shelved returns the value of a key, which must be comparable, for the person's
// account. If there is none, it computes the value in a turn and waits for it.
// If that takes longer than patience the error is errNotYet.
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

// gathered is shelved for a value that mostly waits for other things than the
// processor. It uses inTurn for the parts that need a turn.
func gathered[T any](
	v *visit, key any, patience time.Duration, produce func(context.Context) (T, int64, error),
) (value T, err error) {
	s, account, id := v.shelf, v.account(), v.call.RequestID
	one, err := s.slot(account, key, func(ctx context.Context) (any, int64, error) {
		return produce(requestid.With(ctx, id))
	})
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
		s.drop(key, one) // the next request tries again
		return value, one.err
	}
	return one.value.(T), nil
}

// slot finds a slot, or creates one and starts its computation.
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
	one.err = guard.Run(func() (err error) {
		one.value, one.size, err = produce(ctx)
		return err
	})
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

// oldest returns the finished slot, except one, that was used least recently.
func (s *shelf) oldest(one *slot) (oldest any, of *slot) {
	for key, other := range s.slots {
		if other != one && other.finished() && other.err == nil && (of == nil || other.looked < of.looked) {
			oldest, of = key, other
		}
	}
	return oldest, of
}

// inTurn waits for a turn and runs work in it.
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

// drop removes a slot whose computation failed.
func (s *shelf) drop(key any, one *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slots[key] == one {
		delete(s.slots, key)
	}
}
