package store_test

import (
	"context"
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
	cfg.Timeout = 2 * time.Second
	db := storetest.Open(t, cfg)
	fill(t, db, "u")
	patiently := store.Patiently(t.Context(), 0) // also on a machine that has other work
	change := func(ctx context.Context, name string) error {
		return db.Update(ctx, func(tx *store.Tx) error { return tx.InsertUser(user(name)) })
	}

	const each = 200 * time.Millisecond
	disk.slow.Store(int64(each))
	began := time.Now()
	var changes sync.WaitGroup
	for i := range 50 {
		changes.Go(func() {
			if err := change(patiently, fmt.Sprintf("slow-%d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	changes.Wait()
	if took := time.Since(began); took >= 50*each {
		t.Errorf("50 changes took %v, as if each had a commit of its own", took)
	}

	disk.slow.Store(0)
	release := disk.holdSyncs()
	// Then what waits for the disk fails, and does not hang.
	defer time.AfterFunc(2*time.Minute, release).Stop()
	late := make(chan error, 1)
	go func() { late <- change(t.Context(), "late") }()
	for disk.held.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	for range 20 {
		if _, err := db.User(patiently, account, "u"); err != nil {
			t.Error(err)
		}
	}
	err := change(t.Context(), "behind")
	select {
	case <-late:
		t.Error("readers, or a change behind a commit, waited for its end")
	default:
	}
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("behind a commit that takes longer than a call may: %v", err)
	}
	if _, err := db.User(t.Context(), account, "u"); err != nil {
		t.Error(err)
	}
	release()
	if err := <-late; err != nil { // a commit is never given up
		t.Error(err)
	}
	for end := time.Now().Add(time.Minute); ; {
		err := change(t.Context(), "afterwards")
		if err == nil || errors.Is(err, store.ErrExists) {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
