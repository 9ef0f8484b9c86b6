package store

import (
	"path/filepath"
	"testing"
	"time"
)

// A commit of another process between the beginnings of two snapshots, which may
// then differ, leaves no twin.
func TestNoTwinAfterACommit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	var dbs [2]*DB
	for i := range dbs {
		db, err := Open(t.Context(), Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		dbs[i] = db
	}
	for _, commits := range []bool{false, true} {
		err := dbs[0].View(t.Context(), func(tx *Tx) error {
			readers := dbs[0].engine.(*sqlite).readers
			idle := len(readers.ready)
			readers.mu.Lock() // twin waits for it after its first look at the state
			found := make(chan bool)
			go func() {
				twin, end, err := tx.Twin()
				if twin != nil {
					end()
				}
				found <- err == nil && twin != nil
			}()
			for len(readers.ready) == idle {
				time.Sleep(time.Millisecond)
			}
			var err error
			if commits {
				err = dbs[1].Update(t.Context(), func(tx *Tx) error {
					return tx.InsertAccount(Account{ID: "123456789012", Partition: "aws"})
				})
			}
			readers.mu.Unlock()
			if got := <-found; got == commits {
				t.Errorf("with a commit: %t; a twin: %t", commits, got)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
