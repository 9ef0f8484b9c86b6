package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func certificate(nameKey, id string) store.SigningCertificate {
	return store.SigningCertificate{Account: account, NameKey: nameKey, ID: id, Body: "body\r\n",
		Status: "Active", Uploaded: created}
}

func TestSigningCertificate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "bob", "eve")
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertSigningCertificate(certificate("bob", "B")),
				tx.InsertSigningCertificate(certificate("bob", "A")),
				tx.SetCredentialStatus(store.SigningCertificateCredential, account, "bob", "B", "Inactive"))
		})
		view(t, db, func(tx *store.Tx) error {
			off := certificate("bob", "B")
			off.Status = "Inactive"
			all, err := tx.SigningCertificates(account, "bob")
			if diff := cmp.Diff([]store.SigningCertificate{certificate("bob", "A"), off}, all); err != nil ||
				diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			one, err := tx.SigningCertificate(account, "B")
			if diff := cmp.Diff(off, one); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			return nil
		})
		for _, test := range []struct {
			what string
			want error
			do   func(tx *store.Tx) error
		}{
			{"insert another user's", store.ErrExists,
				func(tx *store.Tx) error { return tx.InsertSigningCertificate(certificate("eve", "A")) }},
			{"change another user's", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.SetCredentialStatus(store.SigningCertificateCredential, account, "eve", "A", "Active")
			}},
			{"delete another user's", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.DeleteCredential(store.SigningCertificateCredential, account, "eve", "A")
			}},
			{"delete the owner", store.ErrConflict, func(tx *store.Tx) error { return tx.DeleteUser(account, "bob") }},
			{"delete it", nil, func(tx *store.Tx) error {
				return tx.DeleteCredential(store.SigningCertificateCredential, account, "bob", "A")
			}},
			{"read what is not there", store.ErrNotFound, func(tx *store.Tx) error {
				_, err := tx.SigningCertificate(account,
					"C")
				return err
			}},
		} {
			if err := db.Update(context.Background(), test.do); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.what, err, test.want)
			}
		}
	})
}
