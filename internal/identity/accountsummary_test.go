package identity_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/seal"
	"rollcall/internal/store"
)

func TestGetAccountSummary(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		want := map[string]int32{
			"Users": 0, "Groups": 0, "Roles": 0, "Policies": 0, "InstanceProfiles": 0,
			"ServerCertificates": 0, "Providers": 0,
			"MFADevices": 0, "MFADevicesInUse": 0, "AccountMFAEnabled": 0, "AccountAccessKeysPresent": 1,
			"AccountPasswordPresent":            0,
			"AccountSigningCertificatesPresent": 0, "GlobalEndpointTokenVersion": 1, "PolicyVersionsInUse": 0,
			"UsersQuota": 5000, "GroupsQuota": 300, "RolesQuota": 1000, "PoliciesQuota": 1500,
			"InstanceProfilesQuota":   1000,
			"ServerCertificatesQuota": 20, "AccessKeysPerUserQuota": 2, "SigningCertificatesPerUserQuota": 2,
			"GroupsPerUserQuota":           10,
			"AttachedPoliciesPerUserQuota": 10, "AttachedPoliciesPerGroupQuota": 10, "AttachedPoliciesPerRoleQuota": 10,
			"PolicySizeQuota": 6144, "UserPolicySizeQuota": 2048, "GroupPolicySizeQuota": 5120,
			"RolePolicySizeQuota":       10240,
			"AssumeRolePolicySizeQuota": 2048, "VersionsPerPolicyQuota": 5, "PolicyVersionsInUseQuota": 10000,
		}
		if len(want) != 34 {
			t.Fatalf("%d keys", len(want))
		}
		check := func() {
			t.Helper()
			got := must(t, w.root, w.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		check()

		w.user(t, "alice")
		w.user(t, "bob")
		w.withPassword(t, "carol")
		w.asUser(t, "alice")
		want["Users"] = 3
		check()

		if err := w.SetRootPassword(t.Context(), account, seal.NewSecret(good)); err != nil {
			t.Fatal(err)
		}
		if err := w.DeleteRootKey(t.Context(), account, w.rootKey.ID); err != nil {
			t.Fatal(err)
		}
		want["AccountPasswordPresent"], want["AccountAccessKeysPresent"] = 1, 0
		err := w.db.Update(t.Context(), func(tx *store.Tx) error {
			for i, owner := range []string{"", "alice", "nobody"} {
				d := store.MFADevice{Account: account, Serial: "arn:" + owner, ID: string(rune('A' + i)),
					Seed: []byte{1}, Created: began}
				if err := tx.InsertMFADevice(d); err != nil {
					return err
				}
				if owner == "nobody" {
					continue
				}
				d.Assigned, d.NameKey, d.Enabled = true, owner, began
				if err := tx.AssignMFADevice(d); err != nil {
					return err
				}
			}
			return tx.InsertSigningCertificate(
				store.SigningCertificate{Account: account, ID: "C1", Body: "b", Status: "Active", Uploaded: began})
		})
		if err != nil {
			t.Fatal(err)
		}
		want["MFADevices"], want["MFADevicesInUse"], want["AccountMFAEnabled"] = 3, 2, 1
		want["AccountSigningCertificatesPresent"] = 1
		check()

		w.group(t, "devs")
		arn := w.policy(t, "/", "p")
		w.policy(t, "/", "q")
		must(t, w.root, w.CreatePolicyVersion,
			&iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: ptr(allowAll)})
		want["Groups"], want["Policies"] = 1, 2
		check()
		// A policy in use counts as one version, no matter how often it is attached or
		// used as a boundary.
		must(t, w.root, w.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: ptr("alice"), PolicyArn: &arn})
		must(t, w.root, w.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: ptr("devs"), PolicyArn: &arn})
		want["PolicyVersionsInUse"] = 1
		check()
		must(t, w.root, w.PutUserPermissionsBoundary,
			&iam.PutUserPermissionsBoundaryInput{UserName: ptr("bob"), PermissionsBoundary: ptr(administrator)})
		want["PolicyVersionsInUse"] = 2
		check()

		w.role(t, "worker")
		w.role(t, "other")
		w.profile(t, "box")
		want["Roles"], want["InstanceProfiles"] = 2, 1
		check()

		limits := map[string]int{"UsersPerAccount": 1_000_000, "AccessKeysPerUser": 4, "CertificatesPerUser": 3,
			"RolesPerAccount": 5, "InstanceProfilesPerAccount": 6, "ACLSizePerRole": 4096,
			"GroupsPerAccount": 7, "GroupsPerUser": 8,
			"PoliciesPerAccount": 9, "PolicySize": 10, "PoliciesPerUser": 11,
			"PoliciesPerGroup": 12, "PoliciesPerRole": 13}
		if err := w.SetLimits(t.Context(), account, limits); err != nil {
			t.Fatal(err)
		}
		want["RolesQuota"], want["InstanceProfilesQuota"], want["AssumeRolePolicySizeQuota"] = 5, 6, 4096
		want["GroupsQuota"], want["GroupsPerUserQuota"], want["PoliciesQuota"], want["PolicySizeQuota"] = 7, 8, 9, 10
		want["AttachedPoliciesPerUserQuota"], want["AttachedPoliciesPerGroupQuota"],
			want["AttachedPoliciesPerRoleQuota"] = 11, 12, 13
		want["UsersQuota"], want["AccessKeysPerUserQuota"], want["SigningCertificatesPerUserQuota"] = 1_000_000, 4, 3
		check()
	})
}
