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

func TestServerCertificate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		cert := func(key, path string) store.ServerCertificate {
			return store.ServerCertificate{Account: account, NameKey: key, Name: key, Path: path, ID: "ASCA" + key,
				Body: "body\r\n", Chain: "chain",
				PrivateKey: []byte{0, 1, 2}, Uploaded: created, Expires: created.Add(time.Hour)}
		}
		metadata := func(c store.ServerCertificate) store.ServerCertificate {
			c.Body, c.Chain, c.PrivateKey = "", "", nil
			return c
		}
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertServerCertificate(cert("c", "/x/y/")),
				tx.InsertServerCertificate(cert("a", "/x/")),
				tx.InsertServerCertificate(cert("b", "/")))
		})
		view(t, db, func(tx *store.Tx) error {
			want := cert("a", "/x/")
			want.PrivateKey = nil // nothing reads it
			one, err := tx.ServerCertificate(account, "a")
			if diff := cmp.Diff(want, one); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			a, b, c := metadata(cert("a", "/x/")), metadata(cert("b", "/")), metadata(cert("c", "/x/y/"))
			for _, page := range []struct {
				after, prefix string
				limit         int
				want          []store.ServerCertificate
			}{{"", "/", 9, []store.ServerCertificate{a, b, c}}, {"", "/x", 9, []store.ServerCertificate{a, c}},
				{"a", "/", 1, []store.ServerCertificate{b}}} {
				got, err := tx.ServerCertificates(account, page.after, page.prefix, page.limit)
				if diff := cmp.Diff(page.want, got); err != nil || diff != "" {
					t.Errorf("%+v: %v %s", page, err, diff)
				}
			}
			if n, err := tx.CountServerCertificates(account); err != nil || n != 3 {
				t.Errorf("%d, %v", n, err)
			}
			return nil
		})
		renamed := cert("z", "/z/")
		for _, test := range []struct {
			what string
			want error
			do   func(tx *store.Tx) error
		}{
			{"insert again", store.ErrExists, func(tx *store.Tx) error {
				return tx.InsertServerCertificate(cert("a", "/"))
			}},
			{"tag it", nil, func(tx *store.Tx) error {
				return tx.SetTag(store.ServerCertificateTags, account, "a", store.Tag{Fold: "k", Key: "k", Value: "v"})
			}},
			{"rename it", nil, func(tx *store.Tx) error { return tx.RenameServerCertificate(account, "a", renamed) }},
			{"rename what is not there", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.RenameServerCertificate(account, "a", renamed)
			}},
			{"read its old name", store.ErrNotFound, func(tx *store.Tx) error {
				_, err := tx.ServerCertificate(account, "a")
				return err
			}},
			{"its tags", nil, func(tx *store.Tx) error {
				tags, err := tx.Tags(store.ServerCertificateTags, account, "z", 9)
				if len(tags) != 1 {
					t.Errorf("tags %v", tags)
				}
				return err
			}},
			{"delete it", nil, func(tx *store.Tx) error { return tx.DeleteServerCertificate(account, "z") }},
			{"delete it again", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.DeleteServerCertificate(account, "z")
			}},
			{"delete the account", nil, func(tx *store.Tx) error { return tx.DeleteAccount(account) }},
		} {
			if err := db.Update(context.Background(), test.do); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.what, err, test.want)
			}
		}
	})
}
