package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

var (
	fiveInAQuarter = store.GuessLimit{Guesses: 5, Within: 15 * time.Minute}
	nineInThree    = store.GuessLimit{Guesses: 9, Within: 3 * time.Minute, Fixed: true}
)

// guesses makes n guesses at a time and returns how many were allowed.
func guesses(t *testing.T, db *store.DB, at time.Time, n int, guess func(*store.Tx) (bool, error)) (let int) {
	t.Helper()
	for range n {
		update(t, db, func(tx *store.Tx) error {
			tx.Now = at
			ok, err := guess(tx)
			if ok {
				let++
			}
			return err
		})
	}
	return let
}

func TestGuessPassword(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "Bob")
		bob := func(tx *store.Tx) (bool, error) { return tx.GuessPassword(account, "bob", fiveInAQuarter) }
		now := time.Date(2026, 11, 23, 10, 0, 0, 5e8, time.UTC)
		// All at once, as from several nodes.
		var wg sync.WaitGroup
		var let atomic.Int64
		for range 20 {
			wg.Go(func() { let.Add(int64(guesses(t, db, now, 1, bob))) })
		}
		wg.Wait()
		if let.Load() != 5 {
			t.Errorf("%d of 20 guesses at once were let", let.Load())
		}
		for _, c := range []struct {
			after time.Duration
			want  int
		}{
			{15*time.Minute - time.Second, 0},
			{-10 * time.Minute, 0}, // another node's clock, or one that was set
			{15 * time.Minute, 5},
			{0, 0},          // that span began later
			{-time.Hour, 5}, // a clock that was wrong by an hour
		} {
			if got := guesses(t, db, now.Add(c.after), 8, bob); got != c.want {
				t.Errorf("after %v: %d guesses were let, want %d", c.after, got, c.want)
			}
		}
		update(t, db, func(tx *store.Tx) error { return tx.ForgetPasswordGuesses(account, "bob") })
		if got := guesses(t, db, now, 8, bob); got != 5 {
			t.Errorf("after a right one: %d", got)
		}
	})
}

func TestGuessCode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		code := func(serial string) func(tx *store.Tx) (bool, error) {
			return func(tx *store.Tx) (bool, error) { return tx.GuessCode(account, serial, nineInThree) }
		}
		span := time.Date(2026, 11, 23, 10, 3, 0, 0, time.UTC)
		for _, c := range []struct {
			at   time.Duration
			want int
		}{
			{179 * time.Second, 9}, {179 * time.Second, 0}, {0, 0},
			{180 * time.Second, 9}, {359 * time.Second, 0},
			{179 * time.Second, 0}, // a node whose clock is behind has no span of its own
			{-time.Hour, 9},
		} {
			if got := guesses(t, db, span.Add(c.at), 12, code("arn:a")); got != c.want {
				t.Errorf("at %v: %d codes were let, want %d", c.at, got, c.want)
			}
		}
		if got := guesses(t, db, span, 12, code("arn:b")); got != 9 {
			t.Errorf("another device: %d", got)
		}
		// Devices are created and deleted, and so are their rows.
		for i := range 60 {
			guesses(t, db, span.Add(time.Duration(i)*3*time.Minute), 1, code(fmt.Sprint("arn:", i)))
		}
		view(t, db, func(tx *store.Tx) error {
			all, err := tx.Dump()
			if n := len(all["code_guesses"]); n > 3 {
				t.Errorf("%d rows are left", n)
			}
			return err
		})
	})
}
