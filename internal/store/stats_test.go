package store_test

import (
	"sync"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// waitDepth waits until so many changes wait.
func waitDepth(t *testing.T, db *store.DB, want int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		s := db.Stats()
		if s.Queued == want && s.Longest == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d changes wait, %d in the longest queue, want %d", s.Queued, s.Longest, want)
		}
	}
}

// hold runs a change of an account until release is called, and waits until it
// has begun.
func hold(t *testing.T, db *store.DB) (release func()) {
	t.Helper()
	began, end := make(chan struct{}), make(chan struct{})
	var held sync.WaitGroup
	held.Go(func() {
		err := db.Update(store.OnAccount(t.Context(), account), func(*store.Tx) error {
			close(began)
			<-end
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-began
	return func() {
		close(end)
		held.Wait()
	}
}

// The figures say how many changes wait: behind another one of this process,
// and on PostgreSQL also behind one of another node.
func TestChangesThatWait(t *testing.T) {
	t.Parallel()
	const many = 200 // more than share a commit
	follow := func(t *testing.T, one, two *store.DB) {
		t.Helper()
		release := hold(t, one)
		var wait sync.WaitGroup
		for range many {
			wait.Go(func() {
				if err := two.Update(store.OnAccount(t.Context(), account), func(*store.Tx) error { return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		waitDepth(t, two, many)
		release()
		wait.Wait()
		waitDepth(t, two, 0)
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) { follow(t, db, db) })
	t.Run("of another node", func(t *testing.T) {
		cfg := storetest.Postgres(t)
		follow(t, storetest.Open(t, cfg), storetest.Open(t, cfg))
	})
}
