package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// questions answers questions when it is told to.
type questions struct {
	asked   chan context.Context
	answers chan databaseState
	err     error
}

func newQuestions() *questions {
	return &questions{asked: make(chan context.Context, 100), answers: make(chan databaseState)}
}

func (q *questions) ask(ctx context.Context) (databaseState, error) {
	q.asked <- ctx
	select {
	case s := <-q.answers:
		return s, q.err
	case <-ctx.Done():
		return databaseState{}, ctx.Err()
	}
}

// Calls that come while a question is under way share the next one, and nobody
// gets the answer to a question that was sent before.
func TestCallsShareQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, q := newSharedState(), newQuestions()
		var wg sync.WaitGroup
		call := func(want databaseState) {
			wg.Go(func() {
				if got, err := s.get(t.Context(), q.ask); err != nil || got != want {
					t.Errorf("state %v, %v, want %v", got, err, want)
				}
			})
			synctest.Wait()
		}
		old, now := databaseState{1, "5:5:"}, databaseState{1, "6:6:"}
		call(old)
		for range 7 {
			call(now)
		}
		if n := len(q.asked); n != 1 {
			t.Errorf("%d questions at the same time", n)
		}
		q.answers <- old
		synctest.Wait()
		if n := len(q.asked); n != 2 {
			t.Errorf("%d questions for eight calls", n)
		}
		q.answers <- now
		wg.Wait()
		if s.next != nil || len(s.turn) != 0 {
			t.Error("a question is left")
		}
	})
}

// A question that is not answered keeps other calls waiting for no time to speak
// of, and a call that fails or leaves takes no other with it.
func TestQuestionsWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, q := newSharedState(), newQuestions()
		hung, end := context.WithCancel(t.Context())
		defer end()
		go s.get(hung, func(ctx context.Context) (databaseState, error) {
			<-ctx.Done()
			return databaseState{}, ctx.Err()
		})
		synctest.Wait()

		began, state := time.Now(), databaseState{1, "5:5:"}
		leaving, left := context.WithCancel(t.Context())
		results := make(chan error, 3)
		for _, ctx := range []context.Context{leaving, t.Context(), t.Context()} {
			go func() {
				got, err := s.get(ctx, q.ask)
				if err == nil && got != state {
					err = errors.New("another state")
				}
				results <- err
			}()
			synctest.Wait()
		}
		time.Sleep(questionPatience)
		synctest.Wait()
		if n := len(q.asked); n != 1 {
			t.Fatalf("%d questions after %v", n, time.Since(began))
		}
		left() // the first of the three, whose question the others share
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("the call that left: %v", err)
		}
		synctest.Wait()
		q.answers <- state
		q.answers <- state
		if err := errors.Join(<-results, <-results); err != nil {
			t.Errorf("a call that stayed: %v", err)
		}
	})
}
