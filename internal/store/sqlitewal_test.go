package store_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// TestWriteAheadLogIsShortened lets the write-ahead log grow under one long view,
// and then under views without a gap between them. The log becomes short again.
func TestWriteAheadLogIsShortened(t *testing.T) {
	t.Parallel()
	cfg := storetest.SQLite(t)
	db := storetest.Open(t, cfg)
	fill(t, db)
	size := func() int64 {
		info, err := os.Stat(cfg.Path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	// Only a log beyond the limit is emptied. A slow writer may stay below it.
	const limit = 32 << 20
	shortens := func() {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); size() > limit; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the log still has %d MiB", size()>>20)
			}
		}
	}
	chunk := make([]byte, 4<<20)
	write := func() {
		t.Helper()
		var token int64
		update(t, db, func(tx *store.Tx) (err error) {
			token, err = tx.StartReportJob(account, "node", time.Minute)
			return err
		})
		for seq := range int64(12) {
			update(t, db, func(tx *store.Tx) error {
				return tx.AddReportChunks(account, token, seq,
					[]store.ReportChunk{{Size: len(chunk), Data: chunk}}, time.Minute)
			})
		}
		update(t, db, func(tx *store.Tx) error { return tx.EndReportJob(account, token) })
	}
	view(t, db, func(tx *store.Tx) error {
		if _, err := tx.Account(account); err != nil {
			return err
		}
		write()
		return nil
	})
	if size() < 40<<20 {
		t.Fatalf("the log has %d bytes: the view held nothing", size())
	}
	shortens()

	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				db.View(ctx, func(tx *store.Tx) error {
					_, err := tx.Account(account)
					time.Sleep(time.Millisecond)
					return err
				})
			}
		})
	}
	write()
	shortens()
	stop()
	readers.Wait()
}
