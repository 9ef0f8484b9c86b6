package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// Callers whose contexts end at any moment leave every connection as they found
// it, cost none, and get the true result of their change.
func TestCallersWhoLeave(t *testing.T) {
	const callers, each = 8, 400
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Readers = callers + 2
		db := storetest.Open(t, cfg)
		fill(t, db, "u")
		db.AskAlways()
		var wait, opened sync.WaitGroup
		// The connections for so many callers are opened first.
		opened.Add(cfg.Readers)
		for range cfg.Readers {
			wait.Go(func() { view(t, db, func(tx *store.Tx) error { opened.Done(); opened.Wait(); return nil }) })
		}
		wait.Wait()
		_, before := db.Connections()
		var made sync.Map
		for i := range callers {
			wait.Go(func() {
				for j := range each {
					name := fmt.Sprintf("u%d-%d", i, j)
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					time.AfterFunc(rand.N(2*time.Millisecond), cancel)
					err := leave(ctx, db, name, j)
					cancel()
					if err != nil && !errors.Is(err, context.Canceled) {
						t.Errorf("%s: %v", name, err)
					}
					made.Store(name, err == nil && j%4 == 0)
				}
			})
		}
		wait.Wait()
		outside, after := db.Connections()
		if !outside {
			t.Error("a connection is left within a transaction")
		}
		if after != before {
			t.Errorf("%d connections were opened", after-before)
		}
		view(t, db, func(tx *store.Tx) error {
			made.Range(func(name, want any) bool {
				_, err := tx.User(account, name.(string))
				if got := err == nil; got != want {
					t.Errorf("%s: told %v, found %v (%v)", name, want, got, err)
				}
				return true
			})
			return nil
		})
	})
}

// leave makes a call of one of several kinds.
func leave(ctx context.Context, db *store.DB, name string, kind int) error {
	read := func(tx *store.Tx) error {
		_, err := tx.Users(account, "", "/", 100)
		return err
	}
	switch kind % 4 {
	case 0:
		return db.Update(ctx, func(tx *store.Tx) error { return tx.InsertUser(user(name)) })
	case 1:
		return db.View(ctx, read)
	case 2:
		return db.Ping(ctx)
	}
	return db.View(ctx, func(tx *store.Tx) error {
		return tx.ScanCredentials(account, func(*store.CredentialRow) error { return nil })
	})
}

// A caller that waits for the writer stops when its time is up, and its change
// then never happens.
func TestWaitingForWriterEnds(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]store.Config{"sqlite": storetest.SQLite(t), "memory": {Memory: true}} {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, cfg)
			fill(t, db)
			busy, goOn := make(chan struct{}), make(chan struct{})
			var first sync.WaitGroup
			first.Go(func() {
				update(t, db, func(*store.Tx) error { close(busy); <-goOn; return nil })
			})
			<-busy
			defer time.AfterFunc(10*time.Second, func() { close(goOn) }).Stop()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			start := time.Now()
			err := db.Update(ctx, func(tx *store.Tx) error { return tx.InsertUser(user("late")) })
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("a caller whose time was up waited %s", took)
			} else {
				close(goOn)
			}
			first.Wait()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
			update(t, db, func(*store.Tx) error { return nil }) // the queue is empty
			view(t, db, func(tx *store.Tx) error {
				if _, err := tx.User(account, "late"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("a change that was given up: %v", err)
				}
				return nil
			})
		})
	}
}

// A connection that was left within a transaction is repaired before the next
// change, and before the next reader.
func TestConnectionLeftWithinTransaction(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]store.Config{"sqlite": storetest.SQLite(t), "memory": {Memory: true}} {
		t.Run(name, func(t *testing.T) {
			cfg.Readers = 1
			db := storetest.Open(t, cfg)
			fill(t, db)
			if err := db.BreakWriter(); err != nil {
				t.Fatal(err)
			}
			update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user("a")) })
			view(t, db, func(tx *store.Tx) error { return tx.LeaveOpen("SELECT name FROM users") })
			update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user("b")) })
			view(t, db, func(tx *store.Tx) error {
				_, err := tx.User(account, "b")
				return err
			})
			if outside, _ := db.Connections(); !outside {
				t.Error("a connection is within a transaction")
			}
		})
	}
}

// A transaction that could not be serialized is repeated, even if its closure
// continued after the statement that failed.
func TestFirstFailureCounts(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Postgres(t))
	fill(t, db)
	tries := 0
	update(t, db, func(tx *store.Tx) error {
		tries++
		if _, err := tx.User(account, ""); err != nil {
			return err
		}
		if tries == 1 {
			update(t, db, func(tx *store.Tx) error { return tx.SetLimit(account, "L", 1) })
		}
		return errors.Join(tx.SetLimit(account, "L", 2), tx.SetLimit(account, "M", 2))
	})
	if tries != 2 {
		t.Errorf("%d tries", tries)
	}
}
