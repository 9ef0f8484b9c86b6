package store_test

import (
	"context"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// A restarted server can be used again immediately. Connections that died with
// it cause no error for the next caller.
func TestPostgresRestart(t *testing.T) {
	ctx := context.Background()
	server, err := storetest.StartServer(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop() })
	db := storetest.Open(t, store.Config{URL: server.URL})
	fill(t, db, "u")
	// Several connections are in the pool when the server stops.
	view(t, db, func(tx *store.Tx) error {
		view(t, db, func(tx *store.Tx) error {
			_, err := tx.User(account, "u")
			return err
		})
		_, err := tx.User(account, "u")
		return err
	})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := db.View(ctx, func(tx *store.Tx) error { _, err := tx.User(account, "u"); return err }); err == nil {
		t.Error("a server that is down answered")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("being down took %s to notice", took)
	}
	if err := server.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		view(t, db, func(tx *store.Tx) error { _, err := tx.User(account, "u"); return err })
		update(t, db, func(tx *store.Tx) error { return tx.SetLimit(account, "L", 1) })
	}
}
