package store

import (
	"context"
	"sync"
	"time"
)

// questionPatience limits how long a question waits for the answer to the one
// before, in case that never comes.
const questionPatience = 2 * time.Millisecond

// sharedState lets calls share questions for the state of the database: while one
// is under way, all calls that come wait for the next one. A call never gets the
// answer to a question that was sent before it came, because that may miss a change
// that was acknowledged in between.
type sharedState struct {
	turn chan struct{} // full while a question is under way

	mu   sync.Mutex
	next *question // that has not been sent, nil if there is none
}

// question is a question for the state of the database, with its answer.
type question struct {
	answered chan struct{} // closed when the fields below are set
	state    databaseState
	err      error
}

func newSharedState() *sharedState { return &sharedState{turn: make(chan struct{}, 1)} }

// get asks by a function, or waits for another call that does. If that one fails,
// it asks for itself: the other call may have less time, or a broken connection.
func (s *sharedState) get(
	ctx context.Context, ask func(context.Context) (databaseState, error),
) (databaseState, error) {
	s.mu.Lock()
	q := s.next
	first := q == nil
	if first {
		q = &question{answered: make(chan struct{})}
		s.next = q
	}
	s.mu.Unlock()
	if first {
		s.send(ctx, q, ask)
		return q.state, q.err
	}
	select {
	case <-q.answered:
	case <-ctx.Done():
	}
	if ctx.Err() == nil && q.err == nil {
		return q.state, nil
	}
	return ask(ctx)
}

// send asks a question, when the one before is answered or takes too long.
func (s *sharedState) send(ctx context.Context, q *question, ask func(context.Context) (databaseState, error)) {
	defer close(q.answered)
	if s.take() {
		defer func() { <-s.turn }()
	}
	s.mu.Lock()
	s.next = nil // calls that come from now on are too late for this one
	s.mu.Unlock()
	q.state, q.err = ask(ctx)
}

// take waits for the turn to ask. It returns false if that takes too long.
func (s *sharedState) take() bool {
	select {
	case s.turn <- struct{}{}:
		return true
	default:
	}
	late := time.NewTimer(questionPatience)
	defer late.Stop()
	select {
	case s.turn <- struct{}{}:
		return true
	case <-late.C:
		return false
	}
}
