package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func TestPasswordPolicy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		missing := func() {
			t.Helper()
			err := db.View(context.Background(), func(tx *store.Tx) error {
				_, err := tx.PasswordPolicy(account)
				return err
			})
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("read: %v", err)
			}
			err = db.Update(context.Background(), func(tx *store.Tx) error { return tx.DeletePasswordPolicy(account) })
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("delete: %v", err)
			}
		}
		missing()
		// Each field is set in turn, so that a mix-up shows.
		for _, want := range []store.PasswordPolicy{
			{MinimumLength: 14},
			{RequireSymbols: true},
			{RequireNumbers: true},
			{RequireUpper: true},
			{RequireLower: true},
			{AllowChange: true},
			{MaxAge: 90},
			{Reuse: 24},
			{HardExpiry: store.HardExpiryTrue},
			{HardExpiry: store.HardExpiryUnset},
			{MinimumLength: 128, RequireSymbols: true, RequireNumbers: true, RequireUpper: true, RequireLower: true,
				AllowChange: true, MaxAge: 1095, Reuse: 1},
			{},
		} {
			update(t, db, func(tx *store.Tx) error { return tx.SetPasswordPolicy(account, want) })
			view(t, db, func(tx *store.Tx) error {
				got, err := tx.PasswordPolicy(account)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				return err
			})
		}
		update(t, db, func(tx *store.Tx) error { return tx.DeletePasswordPolicy(account) })
		missing()
	})
}
