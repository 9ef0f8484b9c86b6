package store_test

import (
	"context"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// If the connection is lost while the store closes and commits the last uses, as
// it may be after a failover, they are written again.
func TestUsesAreWrittenAtTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]cut{"lost before the commit": cutBefore, "lost after it": cutAfter} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := storetest.Postgres(t)
			real := storetest.Open(t, cfg)
			fill(t, real, "u")
			update(t, real, func(tx *store.Tx) error { return tx.InsertAccessKey(key("u", "AKIA1")) })
			p := startProxy(t, cfg.URL)
			db, err := store.Open(context.Background(), store.Config{URL: p.url})
			if err != nil {
				t.Fatal(err)
			}
			use := func(at time.Time) { db.KeyUsed("AKIA1", store.LastUsed{At: at, Service: "iam"}) }
			use(created)
			if err := db.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.arm(c)
			use(created.Add(time.Minute))
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			p.wait(t)
			view(t, real, func(tx *store.Tx) error {
				got, err := tx.KeyLastUsed("AKIA1")
				if !got.At.Equal(created.Add(time.Minute)) {
					t.Errorf("last used at %v", got.At)
				}
				return err
			})
		})
	}
}
