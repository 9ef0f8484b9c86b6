package store_test

import (
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// A host that hangs, first in the URL, delays one connection, and not every new
// one.
func TestFirstHostHangs(t *testing.T) {
	t.Parallel()
	cfg := storetest.Postgres(t)
	dir := t.TempDir()
	silent, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	var asked atomic.Int64
	go func() {
		for {
			if _, err := silent.Accept(); err != nil {
				return
			}
			asked.Add(1)
		}
	}()
	u, err := url.Parse(cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("host", dir+","+q.Get("host"))
	q.Set("connect_timeout", "1")
	u.RawQuery = q.Encode()
	db := storetest.Open(t, store.Config{URL: u.String()})
	opened := asked.Load()
	var began, wait sync.WaitGroup
	began.Add(10)
	for range 10 { // each needs a connection of its own
		wait.Go(func() {
			err := db.View(t.Context(), func(*store.Tx) error {
				began.Done()
				began.Wait()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if again := asked.Load() - opened; again > 0 {
		t.Errorf("the host that hangs was tried %d times more", again)
	}
}
