package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func TestSetting(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		const other = "210987654321"
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertAccount(store.Account{ID: other, Partition: "aws", Created: created}),
				tx.SetSetting(account, "Colour", "red"), tx.SetSetting(account, "Colour", "blue"),
				tx.SetSetting(account, "Shape", "blue"),
				tx.SetSetting(other, "Colour", "blue"))
		})
		view(t, db, func(tx *store.Tx) error {
			if v, err := tx.Setting(account, "Colour"); err != nil || v != "blue" {
				t.Errorf("%q, %v", v, err)
			}
			all, err := tx.AccountsSetTo("Colour", "blue")
			if diff := cmp.Diff([]string{account, other}, all); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			return nil
		})
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.DeleteSetting(account, "Colour"), tx.DeleteSetting(account, "Colour"))
		})
		view(t, db, func(tx *store.Tx) error {
			if _, err := tx.Setting(account, "Colour"); !errors.Is(err, store.ErrNotFound) {
				t.Error(err)
			}
			all, err := tx.AccountsSetTo("Colour", "blue")
			if diff := cmp.Diff([]string{other}, all); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			return nil
		})
		if err := db.Update(context.Background(), func(tx *store.Tx) error {
			return tx.SetSetting("999999999999", "Colour", "red")
		}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("no such account: %v", err)
		}
	})
}

func TestControlPolicy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "bob")
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.PutControlPolicy(account, store.ControlPolicy{Name: "b", Document: "one"}),
				tx.PutControlPolicy(account, store.ControlPolicy{Name: "a", Document: "two"}),
				tx.PutControlPolicy(account, store.ControlPolicy{Name: "b", Document: "three"}))
		})
		want := []store.ControlPolicy{{Name: "a", Document: "two"}, {Name: "b", Document: "three"}}
		view(t, db, func(tx *store.Tx) error {
			all, err := tx.ControlPolicies(account)
			if diff := cmp.Diff(want, all); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			for _, name := range []string{"", "bob"} { // root too
				g, err := tx.UserGrants(account, name)
				if err != nil || len(g.Policies) != 2 || g.Policies[0].Kind != store.ControlGrant {
					t.Errorf("%q: %+v, %v", name, g, err)
				}
			}
			return nil
		})
		update(t, db, func(tx *store.Tx) error { return tx.DeleteControlPolicy(account, "a") })
		for what, test := range map[string]struct {
			want error
			do   func(tx *store.Tx) error
		}{
			"delete what is not there": {store.ErrNotFound, func(tx *store.Tx) error {
				return tx.DeleteControlPolicy(account, "a")
			}},
			"put over no account": {store.ErrConflict, func(tx *store.Tx) error {
				return tx.PutControlPolicy("999999999999", store.ControlPolicy{Name: "a", Document: "x"})
			}},
		} {
			if err := db.Update(context.Background(), test.do); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", what, err, test.want)
			}
		}
	})
}
