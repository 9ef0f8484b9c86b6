package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func TestUserReferences(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "alice", "bob")
		check := func(name string, want store.UserReferences) {
			t.Helper()
			view(t, db, func(tx *store.Tx) error {
				got, err := tx.UserReferences(account, name)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%q: %s", name, diff)
				}
				return err
			})
		}
		devices := func(all, assigned int) {
			t.Helper()
			view(t, db, func(tx *store.Tx) error {
				a, b, err := tx.CountMFADevices(account)
				if a != all || b != assigned {
					t.Errorf("%d devices, %d assigned; want %d, %d", a, b, all, assigned)
				}
				return err
			})
		}
		check("alice", store.UserReferences{})
		devices(0, 0)
		update(t, db, func(tx *store.Tx) error {
			for _, id := range []string{"K1", "K2", "K3"} {
				if err := tx.InsertAccessKey(key("alice", id)); err != nil {
					return err
				}
			}
			if err := tx.InsertLoginProfile(
				store.LoginProfile{Account: account, NameKey: "alice", Hash: "h"}); err != nil {
				return err
			}
			for _, id := range []string{"D1", "D2", "D3"} {
				d := store.MFADevice{Account: account, Serial: "arn:" + id, ID: id, Seed: []byte{1}, Created: created}
				if err := tx.InsertMFADevice(d); err != nil {
					return err
				}
				if id == "D3" {
					continue
				}
				d.Assigned, d.NameKey, d.Enabled = true, "alice", created
				if err := tx.AssignMFADevice(d); err != nil {
					return err
				}
			}
			for _, id := range []string{"C1", "C2", "C3", "C4"} {
				if err := tx.InsertSigningCertificate(
					store.SigningCertificate{Account: account, NameKey: "alice", ID: id}); err != nil {
					return err
				}
			}
			for _, id := range []string{"S1", "S2", "S3", "S4", "S5"} {
				if err := tx.InsertSSHPublicKey(
					store.SSHPublicKey{Account: account, NameKey: "alice", ID: id, Digest: id}); err != nil {
					return err
				}
			}
			for _, id := range []string{"A1", "A2", "A3", "A4", "A5", "A6"} {
				if err := tx.InsertServiceCredential(
					store.ServiceCredential{Account: account, NameKey: "alice", ID: id, ServiceUser: id}); err != nil {
					return err
				}
			}
			for i := range 9 {
				arn := string(rune('a' + i))
				if i < 7 {
					g := store.Group{Account: account, NameKey: arn, Name: arn, Path: "/", ID: arn}
					if err := errors.Join(tx.InsertGroup(g), tx.InsertGroupMember(account, arn, "alice")); err != nil {
						return err
					}
				}
				if i < 8 {
					if err := tx.InsertAttachment(store.UserEntity, account, "alice", arn); err != nil {
						return err
					}
				}
				if err := tx.PutInlinePolicy(store.UserEntity, account, "alice",
					store.InlinePolicy{Name: arn}); err != nil {
					return err
				}
			}
			return tx.InsertAccessKey(key("", "K4"))
		})
		check("alice", store.UserReferences{AccessKeys: 3, LoginProfiles: 1, MFADevices: 2, SigningCertificates: 4,
			SSHPublicKeys: 5, ServiceSpecificCredentials: 6,
			Groups: 7, Attachments: 8, InlinePolicies: 9})
		check("bob", store.UserReferences{})
		check("", store.UserReferences{AccessKeys: 1})
		devices(3, 2)
	})
}
