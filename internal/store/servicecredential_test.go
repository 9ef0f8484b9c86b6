package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func serviceCredential(nameKey, id, service, name string) store.ServiceCredential {
	return store.ServiceCredential{Account: account, NameKey: nameKey, ID: id, Service: service, ServiceUser: name,
		Secret: []byte{0, 1}, Status: "Active", Created: created}
}

func TestServiceCredential(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "Bob", "eve")
		changed := serviceCredential("bob", "C3", "git", "bob")
		changed.Expires = created.Add(24 * time.Hour)
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertServiceCredential(changed),
				tx.InsertServiceCredential(serviceCredential("bob", "C1", "logs", "bob")),
				tx.InsertServiceCredential(serviceCredential("eve", "C2", "git", "eve")),
				tx.SetCredentialStatus(store.ServiceSpecificCredential, account, "bob", "C3", "Inactive"),
				tx.SetServiceCredentialSecret(account, "bob", "C3", []byte{9}))
		})
		changed.Status, changed.Secret = "Inactive", []byte{9}
		view(t, db, func(tx *store.Tx) error {
			one, err := tx.ServiceCredential(account, "C3")
			if diff := cmp.Diff(changed, one); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			for service, want := range map[string][]string{"": {"C1", "C3"}, "git": {"C3"},
				"logs": {"C1"}, "none": nil} {
				all, err := tx.ServiceCredentials(account, "bob", service)
				var got []string
				for _, c := range all {
					got = append(got, c.ID)
				}
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("bob's for %q: %v %s", service, err, diff)
				}
			}
			for service, want := range map[string][]string{"": {"C2 eve", "C3 Bob"},
				"git": {"C2 eve", "C3 Bob"}, "logs": nil} {
				all, err := tx.AccountServiceCredentials(account, "C1", service, 2)
				var got []string
				for _, c := range all {
					got = append(got, c.ID+" "+c.User)
				}
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("all after C1 for %q: %v %s", service, err, diff)
				}
			}
			return nil
		})
		for _, test := range []struct {
			what string
			want error
			do   func(tx *store.Tx) error
		}{
			{"a name that is taken", store.ErrExists, func(tx *store.Tx) error {
				return tx.InsertServiceCredential(serviceCredential("eve", "C4", "git", "bob"))
			}},
			{"change another user's", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.SetCredentialStatus(store.ServiceSpecificCredential, account, "eve", "C3", "Active")
			}},
			{"reset another user's", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.SetServiceCredentialSecret(account,
					"eve", "C3", []byte{1})
			}},
			{"delete another user's", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.DeleteCredential(store.ServiceSpecificCredential, account, "eve", "C3")
			}},
			{"delete the owner", store.ErrConflict, func(tx *store.Tx) error { return tx.DeleteUser(account, "eve") }},
			{"delete it", nil, func(tx *store.Tx) error {
				return tx.DeleteCredential(store.ServiceSpecificCredential, account, "bob", "C3")
			}},
			{"read what is not there", store.ErrNotFound, func(tx *store.Tx) error {
				_, err := tx.ServiceCredential(account,
					"C3")
				return err
			}},
		} {
			if err := db.Update(context.Background(), test.do); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.what, err, test.want)
			}
		}
	})
}
