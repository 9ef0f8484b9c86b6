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

func TestSAMLProvider(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		provider := func(name string) store.SAMLProvider {
			return store.SAMLProvider{Account: account, Name: name, ID: "ASAML" + name,
				Metadata: "<x>\r\n</x>", Encryption: "Allowed",
				ValidUntil: created.Add(time.Hour), Created: created}
		}
		key := func(id string, after time.Duration) store.SAMLPrivateKey {
			return store.SAMLPrivateKey{Account: account, Name: "b", ID: id, Key: []byte{0, 1, 2},
				Created: created.Add(after)}
		}
		changed := provider("b")
		changed.Metadata, changed.Encryption, changed.ValidUntil = "<y/>", "Required", created
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertSAMLProvider(provider("b")), tx.InsertSAMLProvider(provider("a")),
				tx.UpdateSAMLProvider(changed),
				tx.InsertSAMLPrivateKey(key("1", time.Hour)), tx.InsertSAMLPrivateKey(key("2", 0)))
		})
		view(t, db, func(tx *store.Tx) error {
			one, err := tx.SAMLProvider(account, "b")
			if diff := cmp.Diff(changed, one); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			bare := []store.SAMLProvider{provider("a"), changed}
			bare[0].Metadata, bare[1].Metadata = "", ""
			all, err := tx.SAMLProviders(account)
			if diff := cmp.Diff(bare, all); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			keys, err := tx.SAMLPrivateKeys(account, "b")
			if diff := cmp.Diff([]store.SAMLPrivateKey{key("2", 0), key("1", time.Hour)}, keys); err != nil ||
				diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			return nil
		})
		for _, test := range []struct {
			what string
			want error
			do   func(tx *store.Tx) error
		}{
			{"insert again", store.ErrExists, func(tx *store.Tx) error { return tx.InsertSAMLProvider(provider("a")) }},
			{"change none", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.UpdateSAMLProvider(provider("c"))
			}},
			{"a key again", store.ErrExists, func(tx *store.Tx) error { return tx.InsertSAMLPrivateKey(key("1", 0)) }},
			{"a key of no provider", store.ErrConflict, func(tx *store.Tx) error {
				return tx.InsertSAMLPrivateKey(
					store.SAMLPrivateKey{Account: account, Name: "c", ID: "1", Key: []byte{1}})
			}},
			{"delete a key", nil, func(tx *store.Tx) error { return tx.DeleteSAMLPrivateKey(account, "b", "1") }},
			{"delete it again", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.DeleteSAMLPrivateKey(account, "b", "1")
			}},
			{"delete it with its keys", nil, func(tx *store.Tx) error { return tx.DeleteSAMLProvider(account, "b") }},
			{"delete it again", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.DeleteSAMLProvider(account, "b")
			}},
			{"read it", store.ErrNotFound, func(tx *store.Tx) error {
				_, err := tx.SAMLProvider(account, "b")
				return err
			}},
			{"delete the account", nil, func(tx *store.Tx) error { return tx.DeleteAccount(account) }},
		} {
			if err := db.Update(context.Background(), test.do); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.what, err, test.want)
			}
		}
	})
}
