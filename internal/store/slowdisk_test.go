package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// On a disk whose syncs take long, changes that come together share them, and reads
// do not wait for them. Changes that wait behind a commit longer than a call may
// are refused as unavailable, and afterwards everything continues.
func TestSlowDisk(t *testing.T) {
	t.Parallel()
	disk, name := newFaultyDisk(t, noFault, 0, 0)
	cfg := storetest.SQLite(t).WithVFS(name)
	cfg.Timeout = time.Second
	db := storetest.Open(t, cfg)
	fill(t, db, "u")
	change := func(name string) error {
		return db.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertUser(user(name)) })
	}

	disk.slow.Store(int64(200 * time.Millisecond))
	began := time.Now()
	var changes sync.WaitGroup
	for i := range 50 {
		changes.Go(func() {
			if err := change(fmt.Sprintf("slow-%d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	reads := 0
	for done := make(chan bool); ; reads++ {
		if reads == 0 {
			go func() { changes.Wait(); close(done) }()
		}
		if _, err := db.User(t.Context(), account, "u"); err != nil {
			t.Error(err)
		}
		select {
		case <-done:
		case <-time.After(time.Millisecond):
			continue
		}
		break
	}
	// Each alone would take ten seconds.
	if took := time.Since(began); took > 5*time.Second || reads < 20 {
		t.Errorf("50 changes took %v, with %d reads meanwhile", took, reads)
	}

	disk.slow.Store(int64(3 * time.Second))
	late := make(chan error, 1)
	go func() { late <- change("late") }()
	time.Sleep(200 * time.Millisecond) // it is being committed
	began = time.Now()
	err := change("behind")
	if took := time.Since(began); !errors.Is(err, store.ErrUnavailable) || took > 2500*time.Millisecond {
		t.Errorf("behind a commit that takes longer than a call may: %v after %v", err, took)
	}
	if _, err := db.User(t.Context(), account, "u"); err != nil {
		t.Error(err)
	}
	disk.slow.Store(0)
	if err := <-late; err != nil { // a commit is never given up
		t.Error(err)
	}
	for end := time.Now().Add(20 * time.Second); ; {
		err := change("afterwards")
		if err == nil || errors.Is(err, store.ErrExists) {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
