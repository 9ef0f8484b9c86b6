package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func TestOIDCProvider(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		provider := func(url string) store.OIDCProvider {
			return store.OIDCProvider{Account: account, URL: url, Thumbprints: "a b", Created: created}
		}
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertOIDCProvider(provider("b.example/x")),
				tx.InsertOIDCProvider(provider("B.example/x")),
				tx.InsertOIDCProvider(provider("a.example")), tx.SetOIDCThumbprints(account, "a.example", ""),
				tx.AddOIDCClientID(account, "a.example", "two"), tx.AddOIDCClientID(account, "a.example", "one"),
				tx.AddOIDCClientID(account, "a.example", "one"), tx.AddOIDCClientID(account, "b.example/x", "three"),
				tx.SetTag(store.OIDCProviderTags, account, "a.example", store.Tag{Key: "k", Value: "v"}))
		})
		bare := provider("a.example")
		bare.Thumbprints = ""
		view(t, db, func(tx *store.Tx) error {
			all, err := tx.OIDCProviders(account)
			if diff := cmp.Diff([]store.OIDCProvider{provider("B.example/x"), bare, provider("b.example/x")},
				all); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			one, err := tx.OIDCProvider(account, "b.example/x")
			if diff := cmp.Diff(provider("b.example/x"), one); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			ids, err := tx.OIDCClientIDs(account, "a.example")
			if diff := cmp.Diff([]string{"two", "one"}, ids); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			return nil
		})
		for _, test := range []struct {
			what string
			want error
			do   func(tx *store.Tx) error
		}{
			{"insert again", store.ErrExists, func(tx *store.Tx) error {
				return tx.InsertOIDCProvider(provider("a.example"))
			}},
			{"remove an id", nil, func(tx *store.Tx) error {
				return tx.RemoveOIDCClientID(account, "a.example", "one")
			}},
			{"remove it again", nil, func(tx *store.Tx) error {
				return tx.RemoveOIDCClientID(account, "a.example", "one")
			}},
			{"an id of no provider", store.ErrConflict, func(tx *store.Tx) error {
				return tx.AddOIDCClientID(account, "c.example", "one")
			}},
			{"change none", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.SetOIDCThumbprints(account, "c.example", "")
			}},
			{"delete it", nil, func(tx *store.Tx) error { return tx.DeleteOIDCProvider(account, "a.example") }},
			{"delete it again", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.DeleteOIDCProvider(account, "a.example")
			}},
			{"read it", store.ErrNotFound, func(tx *store.Tx) error {
				_, err := tx.OIDCProvider(account, "a.example")
				return err
			}},
			{"delete the account", nil, func(tx *store.Tx) error { return tx.DeleteAccount(account) }},
		} {
			if err := db.Update(context.Background(), test.do); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.what, err, test.want)
			}
		}
		view(t, db, func(tx *store.Tx) error {
			ids, err := tx.OIDCClientIDs(account, "a.example")
			tags, more := tx.Tags(store.OIDCProviderTags, account, "a.example", 9)
			if len(ids)+len(tags) > 0 || err != nil || more != nil {
				t.Errorf("left %q, %v, %v, %v", ids, tags, err, more)
			}
			return nil
		})
	})
}

// The tags of every kind of thing behave alike.
func TestResourceTags(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertOIDCProvider(store.OIDCProvider{Account: account, URL: "thing"}),
				tx.InsertSAMLProvider(store.SAMLProvider{Account: account, Name: "thing"}),
				tx.InsertServerCertificate(
					store.ServerCertificate{Account: account, NameKey: "thing", PrivateKey: []byte{1}}))
		})
		for _, of := range []store.TagsOf{store.OIDCProviderTags, store.SAMLProviderTags, store.ServerCertificateTags} {
			set := func(key, value string) func(tx *store.Tx) error {
				return func(tx *store.Tx) error {
					return tx.SetTag(of, account, "thing", store.Tag{Fold: key, Key: key, Value: value})
				}
			}
			for _, do := range []func(tx *store.Tx) error{set("k", "1"), set("K", "2"), set("k", "3"), set("gone", ""),
				func(tx *store.Tx) error { return tx.DeleteTag(of, account, "thing", "gone") },
				func(tx *store.Tx) error { return tx.DeleteTag(of, account, "thing", "gone") }} {
				update(t, db, do)
			}
			view(t, db, func(tx *store.Tx) error {
				tags, err := tx.Tags(of, account, "thing", 9)
				if diff := cmp.Diff([]store.Tag{{Fold: "K", Key: "K", Value: "2"}, {Fold: "k", Key: "k", Value: "3"}},
					tags); err != nil || diff != "" {
					t.Errorf("%d: %v %s", of, err, diff)
				}
				first, err := tx.Tags(of, account, "thing", 1)
				if err != nil || len(first) != 1 {
					t.Errorf("%d: %v, %v", of, first, err)
				}
				return nil
			})
			err := db.Update(context.Background(), func(tx *store.Tx) error {
				return tx.SetTag(of, account, "nothing", store.Tag{Key: "k"})
			})
			if !errors.Is(err, store.ErrConflict) {
				t.Errorf("%d: tag nothing: %v", of, err)
			}
		}
	})
}
