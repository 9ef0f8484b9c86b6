package signin

import "context"

// turns bounds how many do something at one time, and how many wait for it.
type turns struct {
	working, waiting chan struct{}
}

func newTurns(working, waiting int) *turns {
	return &turns{make(chan struct{}, working), make(chan struct{}, working+waiting)}
}

// take waits for a turn, which done ends. The error is ErrBusy where too many
// wait, or that of ctx.
func (t *turns) take(ctx context.Context) (done func(), err error) {
	select {
	case t.waiting <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case t.working <- struct{}{}:
		return func() { <-t.working; <-t.waiting }, nil
	case <-ctx.Done():
		<-t.waiting
		return nil, ctx.Err()
	}
}
