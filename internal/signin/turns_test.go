package signin

import (
	"context"
	"errors"
	"testing"
)

// No more callers wait than the limit allows.
func TestTurns(t *testing.T) {
	turns := newTurns(1, 1)
	done, err := turns.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leaving, leave := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		_, err := turns.take(leaving)
		second <- err
	}()
	for len(turns.waiting) < 2 {
	}
	if _, err := turns.take(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("the third: %v", err)
	}
	leave()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that left: %v", err)
	}
	done()
	for range 3 { // the finished ones hold no turn
		if done, err = turns.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		done()
	}
}
