package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// server returns a test's own PostgreSQL server.
func server(t *testing.T) *storetest.Server {
	t.Helper()
	s, err := storetest.StartServer(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	return s
}

// A server that hangs is ErrUnavailable at the deadline, for changes of all
// accounts, for reads, and for callers that wait for a connection.
func TestServerHangs(t *testing.T) {
	t.Parallel()
	proxy := storetest.NewProxy(t, server(t))
	const timeout = time.Second
	db := storetest.Open(t, store.Config{URL: proxy.URL(), Timeout: timeout})
	fill(t, db, "u")
	proxy.Hang()
	var wait sync.WaitGroup
	for c := range 60 { // more than there are connections
		wait.Go(func() {
			for range 2 {
				began := time.Now()
				err := touch(t.Context(), db, c)
				if took := time.Since(began); !errors.Is(err, store.ErrUnavailable) || took > timeout+20*time.Second {
					t.Errorf("after %s: %v", took, err)
				}
			}
		})
	}
	wait.Wait()
}

// touch makes a change of one of many accounts, or reads, or looks up a key.
func touch(ctx context.Context, db *store.DB, n int) error {
	switch n % 4 {
	case 0:
		_, err := db.User(ctx, account, "u")
		return err
	case 1:
		return db.View(ctx, func(tx *store.Tx) error { _, err := tx.User(account, "u"); return err })
	}
	return db.Update(store.OnAccount(ctx, fmt.Sprintf("%012d", n)), func(tx *store.Tx) error {
		return tx.SetLimit(account, fmt.Sprintf("L%d", n), 1)
	})
}

// Another server takes over while the old one hangs and all callers wait for
// the old one. All of them are sent to the new one immediately. Refused callers
// retry, as AWS's clients do.
func TestPromotion(t *testing.T) {
	t.Parallel()
	old, next := server(t), server(t)
	proxy := storetest.NewProxy(t, old)
	db := storetest.Open(t, store.Config{URL: proxy.URL(), Timeout: time.Minute})
	fill(t, db, "u")
	replicate(t, next.URL)
	var promoted atomic.Int64
	clients := func(until func(error) bool) *sync.WaitGroup {
		var wait sync.WaitGroup
		for c := range 60 {
			wait.Go(func() {
				for !until(touch(t.Context(), db, c)) {
					time.Sleep(20 * time.Millisecond)
				}
			})
		}
		return &wait
	}
	began := time.Now()
	clients(func(error) bool { return true }).Wait() // the pool is full
	usual := time.Since(began)                       // on a machine that has other work, too
	proxy.Hang()
	wait := clients(func(err error) bool {
		at := promoted.Load()
		if took := time.Since(time.Unix(0, at)); at > 0 && took > 3*time.Second+4*usual {
			t.Errorf("%s after the promotion: %v", took, err)
			return true
		}
		return err == nil
	})
	time.Sleep(2 * time.Second)
	promoted.Store(time.Now().UnixNano())
	proxy.LeadTo(next)
	wait.Wait()
}

// replicate copies the test's database to another server.
func replicate(t *testing.T, url string) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, db, "u")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// A file that another process keeps locked is ErrUnavailable at the deadline,
// and can be written again when the process is gone.
func TestFileLockedByAnother(t *testing.T) {
	t.Parallel()
	cfg := storetest.SQLite(t)
	cfg.Timeout = 300 * time.Millisecond
	db, frozen := storetest.Open(t, cfg), storetest.Open(t, cfg)
	fill(t, db, "u")
	locked, thaw := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- frozen.Update(store.Patiently(context.Background(), 0), func(tx *store.Tx) error {
			err := tx.SetLimit(account, "L", 1)
			close(locked)
			<-thaw
			return err
		})
	}()
	<-locked
	var wait sync.WaitGroup
	for range 300 { // more than the writer's queue holds
		wait.Go(func() {
			began := time.Now()
			err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.SetLimit(account, "M", 1) })
			if took := time.Since(began); !errors.Is(err, store.ErrUnavailable) || took > 20*time.Second {
				t.Errorf("after %s: %v", took, err)
			}
		})
	}
	wait.Wait()
	close(thaw)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	update(t, db, func(tx *store.Tx) error { return tx.SetLimit(account, "M", 2) })
}
