package signin

import "context"

// turns limits how many callers work at once, and how many wait.
type turns struct {
	working, waiting chan struct{}
}

func newTurns(working, waiting int) *turns {
	return &turns{make(chan struct{}, working), make(chan struct{}, working+waiting)}
}

// lengths returns how many callers work, and how many wait.
func (t *turns) lengths() (working, waiting int) {
	working = len(t.working)
	return working, max(0, len(t.waiting)-working)
}

// enter joins the queue. leave leaves it. The error is ErrBusy if the queue is
// full.
func (t *turns) enter() (leave func(), err error) {
	select {
	case t.waiting <- struct{}{}:
		return func() { <-t.waiting }, nil
	default:
		return nil, ErrBusy
	}
}

// work waits for a turn of a caller in the queue. done ends the turn. The error
// is that of ctx.
func (t *turns) work(ctx context.Context) (done func(), err error) {
	select {
	case t.working <- struct{}{}:
		return func() { <-t.working }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take enters the queue and waits for a turn. done ends both.
func (t *turns) take(ctx context.Context) (done func(), err error) {
	leave, err := t.enter()
	if err != nil {
		return nil, err
	}
	stop, err := t.work(ctx)
	if err != nil {
		leave()
		return nil, err
	}
	return func() { stop(); leave() }, nil
}
