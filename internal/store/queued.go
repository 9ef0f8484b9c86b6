package store

import (
	"context"
	"sync/atomic"
)

// queuedUpdate is an update that waits for a writer. Its caller may leave until
// the writer claims it.
type queuedUpdate struct {
	ctx  context.Context
	fn   func(conn) error
	err  error
	done chan struct{}
	// taken is set by the first of two: the writer that will run the update, or
	// the caller that stops waiting.
	taken atomic.Bool
	mine  bool // the writer was first; only the writer uses it
}

func queued(ctx context.Context, fn func(conn) error) *queuedUpdate {
	return &queuedUpdate{ctx: ctx, fn: fn, done: make(chan struct{})}
}

// leave is for the caller. It reports whether the update will never run.
func (u *queuedUpdate) leave() bool { return u.taken.CompareAndSwap(false, true) }

// claim reports whether the writer may run the update, because its caller still
// waits.
func (u *queuedUpdate) claim() bool {
	u.mine = u.mine || u.taken.CompareAndSwap(false, true)
	return u.mine
}

// unclaim lets the caller leave again, because the update has to wait once
// more. A caller that tried to leave in the meantime waits for finish: the
// writer must check the context.
func (u *queuedUpdate) unclaim() {
	if u.mine {
		u.mine = false
		u.taken.Store(false)
	}
}

// finish returns the result to the caller, if it still waits.
func (u *queuedUpdate) finish(err error) {
	if u.claim() {
		u.err = err
		close(u.done)
	}
}
