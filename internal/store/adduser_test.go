package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// A user that exists is neither added nor counted again, also next to others
// that share the transaction.
func TestAddUser(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "u0", "u1", "u2", "u3", "u4")
		update(t, db, func(tx *store.Tx) error { return tx.SetLimit(account, "UsersPerAccount", 7) })
		ctx := store.OnAccount(t.Context(), account)
		counts := make([]int, 50)
		var wait sync.WaitGroup
		for i := range counts {
			wait.Go(func() {
				var limit, other int
				err := db.Update(ctx, func(tx *store.Tx) (err error) {
					counts[i], limit, err = tx.AddUser(user(fmt.Sprintf("u%d", i)), "UsersPerAccount", 5000)
					return err
				})
				if i < 5 {
					if !errors.Is(err, store.ErrExists) {
						t.Errorf("u%d: %v, want ErrExists", i, err)
					}
					return
				}
				if err != nil || limit != 7 {
					t.Errorf("u%d: limit %d, %v", i, limit, err)
				}
				undone := errors.New("undone")
				err = db.Update(ctx, func(tx *store.Tx) (err error) {
					if _, other, err = tx.AddUser(user(fmt.Sprintf("v%d", i)), "Another", 5000); err == nil {
						err = undone
					}
					return err
				})
				if !errors.Is(err, undone) || other != 5000 {
					t.Errorf("v%d: limit %d, %v", i, other, err)
				}
			})
		}
		wait.Wait()
		seen := map[int]bool{}
		for _, n := range counts[5:] {
			seen[n] = true
		}
		view(t, db, func(tx *store.Tx) error {
			users, err := tx.Users(account, "", "", 1000)
			a, failed := tx.Account(account)
			if len(users) != 50 || a.Users != 45 || len(seen) != 45 {
				t.Errorf("%d users, %d are counted, %d numbers were given; want 50, 45, 45",
					len(users), a.Users, len(seen))
			}
			return errors.Join(err, failed)
		})
		nowhere := user("u")
		nowhere.Account = "000000000000"
		err := db.Update(ctx, func(tx *store.Tx) error {
			_, _, err := tx.AddUser(nowhere, "UsersPerAccount", 5000)
			return err
		})
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("in no account: %v, want ErrConflict", err)
		}
	})
}

// The addition of a user takes one round trip to PostgreSQL between those that
// begin and end the transaction.
func TestAddUserTravelsTogether(t *testing.T) {
	t.Parallel()
	cfg := storetest.Postgres(t)
	p := startProxy(t, cfg.URL)
	cfg.URL = p.url
	db := storetest.Open(t, cfg)
	fill(t, db)
	least := int64(1000)
	for i := range 10 { // the first ones prepare statements, and a watch asks now and then
		before := p.trips.Load()
		err := db.Update(store.OnAccount(t.Context(), account), func(tx *store.Tx) error {
			_, _, err := tx.AddUser(user(fmt.Sprint("u", i)), "UsersPerAccount", 5000)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		least = min(least, p.trips.Load()-before)
	}
	if least != 3 {
		t.Errorf("%d round trips, want 3", least)
	}
}
