package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func sshKey(nameKey, id, digest string) store.SSHPublicKey {
	return store.SSHPublicKey{Account: account, NameKey: nameKey, ID: id, Body: "ssh-rsa AAAA",
		Fingerprint: "00:01", Digest: digest,
		Status: "Active", Uploaded: created}
}

func TestSSHPublicKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "bob", "eve")
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertSSHPublicKey(sshKey("bob", "K2", "d1")),
				tx.InsertSSHPublicKey(sshKey("bob", "K1",
					"d2")),
				tx.SetCredentialStatus(store.SSHPublicKeyCredential, account, "bob", "K1", "Inactive"))
		})
		view(t, db, func(tx *store.Tx) error {
			off := sshKey("bob", "K1", "d2")
			off.Status = "Inactive"
			all, err := tx.SSHPublicKeys(account, "bob")
			if diff := cmp.Diff([]store.SSHPublicKey{off, sshKey("bob", "K2", "d1")}, all); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			one, err := tx.SSHPublicKey(account, "K1")
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
			{"insert the same key again", store.ErrExists, func(tx *store.Tx) error {
				return tx.InsertSSHPublicKey(sshKey("bob",
					"K3", "d1"))
			}},
			{"insert it for another user", nil, func(tx *store.Tx) error {
				return tx.InsertSSHPublicKey(sshKey("eve", "K3",
					"d1"))
			}},
			{"change another user's", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.SetCredentialStatus(store.SSHPublicKeyCredential, account, "eve", "K1", "Active")
			}},
			{"delete another user's", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.DeleteCredential(store.SSHPublicKeyCredential, account, "eve", "K1")
			}},
			{"delete the owner", store.ErrConflict, func(tx *store.Tx) error { return tx.DeleteUser(account, "bob") }},
			{"delete it", nil, func(tx *store.Tx) error {
				return tx.DeleteCredential(store.SSHPublicKeyCredential, account, "bob", "K1")
			}},
			{"read what is not there", store.ErrNotFound, func(tx *store.Tx) error {
				_, err := tx.SSHPublicKey(account,
					"K1")
				return err
			}},
		} {
			if err := db.Update(context.Background(), test.do); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.what, err, test.want)
			}
		}
	})
}
