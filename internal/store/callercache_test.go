package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// Every store on the database sees a change of a key as soon as one store has
// acknowledged it, whether or not the key was cached.
func TestKeyOwnerAcrossStores(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		a := storetest.Open(t, cfg)
		b := a
		if !cfg.Memory {
			b = storetest.Open(t, cfg)
		}
		fill(t, a, "u", "v")
		update(t, a, func(tx *store.Tx) error { return tx.InsertAccessKey(key("u", "AKIA1")) })
		owner := func(db *store.DB) store.KeyOwner {
			t.Helper()
			o, err := db.KeyOwner(context.Background(), "AKIA1")
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		for i := range 200 {
			status := []string{"Inactive", "Active"}[i%2]
			owner(a)
			owner(b)
			update(t, b, func(tx *store.Tx) error {
				return tx.SetCredentialStatus(store.AccessKeyCredential, account, "u", "AKIA1", status)
			})
			for _, db := range []*store.DB{a, b} {
				if o := owner(db); o.Key.Status != status {
					t.Fatalf("after %d changes a store has %s, want %s", i+1, o.Key.Status, status)
				}
			}
		}
		update(t, b, func(tx *store.Tx) error { return tx.RenameUser(account, "u", user("Renamed")) })
		if o := owner(a); o.User.Name != "Renamed" {
			t.Errorf("owner %q after a rename", o.User.Name)
		}
		update(t, b, func(tx *store.Tx) error {
			return tx.DeleteCredential(store.AccessKeyCredential, account, "renamed", "AKIA1")
		})
		if _, err := a.KeyOwner(context.Background(), "AKIA1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("deleted key: %v", err)
		}
	})
}

// Readers that race with changes may see either state, but never an old one
// after a change was acknowledged.
func TestKeyOwnerRace(t *testing.T) {
	t.Parallel()
	cfg := storetest.SQLite(t)
	a, b := storetest.Open(t, cfg), storetest.Open(t, cfg)
	fill(t, a, "u")
	update(t, a, func(tx *store.Tx) error { return tx.InsertAccessKey(key("u", "AKIA1")) })
	var mu sync.RWMutex // orders acknowledgements before requests
	acknowledged := 0
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for _, db := range []*store.DB{a, a, b} {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.RLock()
				least := acknowledged
				mu.RUnlock()
				o, err := db.KeyOwner(context.Background(), "AKIA1")
				if err != nil {
					t.Error(err)
					return
				}
				var have int
				fmt.Sscan(o.Key.Status, &have)
				if have < least {
					t.Errorf("state %d after %d was acknowledged", have, least)
					return
				}
			}
		})
	}
	for i := 1; i <= 400; i++ {
		update(t, []*store.DB{a, b}[i%2], func(tx *store.Tx) error {
			return tx.SetCredentialStatus(store.AccessKeyCredential, account, "u", "AKIA1", fmt.Sprint(i))
		})
		mu.Lock()
		acknowledged = i
		mu.Unlock()
	}
	close(stop)
	wait.Wait()
}

func BenchmarkKeyOwner(b *testing.B) {
	db := storetest.Open(b, storetest.SQLite(b))
	fill(b, db, "u")
	update(b, db, func(tx *store.Tx) error { return tx.InsertAccessKey(key("u", "AKIA1")) })
	for b.Loop() {
		if _, err := db.KeyOwner(context.Background(), "AKIA1"); err != nil {
			b.Fatal(err)
		}
	}
}
