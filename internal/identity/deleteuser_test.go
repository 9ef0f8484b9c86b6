package identity_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/store"
)

func TestDeleteUser(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.root, w.CreateUser,
			&iam.CreateUserInput{UserName: ptr("Alice"), Tags: []types.Tag{{Key: ptr("team"), Value: ptr("blue")}}})
		w.user(t, "bob")
		change := func(fn func(*store.Tx) error) {
			t.Helper()
			if err := w.db.Update(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		in := &iam.DeleteUserInput{UserName: ptr("ALICE")}
		conflict := func(text string) {
			t.Helper()
			refused(t, w.root, w.DeleteUser, in, 409, "DeleteConflict", "Cannot delete entity, "+text)
		}

		// The user has everything at once. Then each thing is removed in turn.
		key := must(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("alice")}).AccessKey
		must(t, w.root, w.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good)})
		w.db.PasswordUsed(account, "alice", began.Add(time.Second))
		if err := w.db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		device := store.MFADevice{Account: account, Serial: "arn:aws:iam::123456789012:mfa/phone", ID: "D1",
			Seed: []byte{1}, Created: began}
		change(func(tx *store.Tx) error {
			if err := tx.InsertMFADevice(device); err != nil {
				return err
			}
			device.Assigned, device.NameKey, device.Enabled = true, "alice", began
			if err := tx.AssignMFADevice(device); err != nil {
				return err
			}
			if err := tx.InsertSigningCertificate(store.SigningCertificate{Account: account, NameKey: "alice", ID: "C1",
				Body: "b", Status: "Active", Uploaded: began}); err != nil {
				return err
			}
			if err := tx.InsertSSHPublicKey(store.SSHPublicKey{Account: account, NameKey: "alice", ID: "APKA1",
				Status: "Active", Uploaded: began}); err != nil {
				return err
			}
			return tx.InsertServiceCredential(store.ServiceCredential{Account: account, NameKey: "alice", ID: "ACCA1",
				Status: "Active", Created: began})
		})
		w.group(t, "devs")
		w.join(t, "alice", "devs")
		must(t, w.root, w.AttachUserPolicy,
			&iam.AttachUserPolicyInput{UserName: ptr("alice"), PolicyArn: ptr(administrator)})
		must(t, w.root, w.PutUserPolicy,
			&iam.PutUserPolicyInput{UserName: ptr("alice"), PolicyName: ptr("p"), PolicyDocument: ptr(allowAll)})
		must(t, w.root, w.PutUserPermissionsBoundary,
			&iam.PutUserPermissionsBoundaryInput{UserName: ptr("alice"), PermissionsBoundary: ptr(administrator)})
		conflict("must remove tokens from principal first.")
		change(func(tx *store.Tx) error { return tx.UnassignMFADevice(account, device.Serial) })
		conflict("must delete access keys first.")
		must(t, w.root, w.DeleteAccessKey,
			&iam.DeleteAccessKeyInput{UserName: ptr("alice"), AccessKeyId: key.AccessKeyId})
		conflict("must delete login profile first.")
		must(t, w.root, w.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: ptr("alice")})
		conflict("must delete certificates first.")
		change(func(tx *store.Tx) error {
			return tx.DeleteCredential(store.SigningCertificateCredential, account, "alice", "C1")
		})
		conflict("must remove users from group first.")
		must(t, w.root, w.RemoveUserFromGroup,
			&iam.RemoveUserFromGroupInput{UserName: ptr("alice"), GroupName: ptr("devs")})
		conflict("must detach all policies first.")
		must(t, w.root, w.DetachUserPolicy,
			&iam.DetachUserPolicyInput{UserName: ptr("alice"), PolicyArn: ptr(administrator)})
		conflict("must delete policies first.")
		must(t, w.root, w.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: ptr("alice"), PolicyName: ptr("p")})
		conflict("must remove referenced objects first.")
		change(func(tx *store.Tx) error {
			return tx.DeleteCredential(store.ServiceSpecificCredential, account, "alice", "ACCA1")
		})
		conflict("must remove referenced objects first.")
		change(func(tx *store.Tx) error {
			return tx.DeleteCredential(store.SSHPublicKeyCredential, account, "alice", "APKA1")
		})
		must(t, w.root, w.DeleteUser, in)

		refused(t, w.root, w.GetUser, &iam.GetUserInput{UserName: ptr("alice")}, 404, "NoSuchEntity",
			"The user with name alice cannot be found.")
		refused(t, w.root, w.DeleteUser, in, 404, "NoSuchEntity", "The user with name ALICE cannot be found.")
		refused(t, w.root, w.DeleteUser, &iam.DeleteUserInput{UserName: ptr("nonexistent-user")},
			404, "NoSuchEntity", "The user with name nonexistent-user cannot be found.")

		// Another user of the same name starts with nothing.
		w.user(t, "alice")
		u := must(t, w.root, w.GetUser, &iam.GetUserInput{UserName: ptr("alice")}).User
		if len(u.Tags) > 0 || u.PasswordLastUsed != nil || u.PermissionsBoundary != nil {
			t.Errorf("%+v", u)
		}
	})
}

func TestDeleteUserGivesQuotaBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.SetLimits(t.Context(), account, map[string]int{"UsersPerAccount": 1}); err != nil {
			t.Fatal(err)
		}
		w.user(t, "alice")
		refused(t, w.root, w.CreateUser, &iam.CreateUserInput{UserName: ptr("bob")}, 409, "LimitExceeded",
			"Cannot exceed quota for UsersPerAccount: 1")
		must(t, w.root, w.DeleteUser, &iam.DeleteUserInput{UserName: ptr("alice")})
		w.user(t, "bob")
	})
}
