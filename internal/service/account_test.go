package service_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/identity"
)

func TestAccountAliases(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		list := func() *iam.ListAccountAliasesOutput {
			return must(t, w.root.ListAccountAliases, &iam.ListAccountAliasesInput{})
		}
		create := func(alias string) *iam.CreateAccountAliasInput {
			return &iam.CreateAccountAliasInput{AccountAlias: &alias}
		}
		same(t, list(), &iam.ListAccountAliasesOutput{AccountAliases: []string{}})
		must(t, w.root.CreateAccountAlias, create("example-corp"))
		refused(t, w.root.CreateAccountAlias, create("example-corp"), 409, "EntityAlreadyExists",
			"The account alias example-corp already exists.")
		must(t, w.root.CreateAccountAlias, create("example2"))
		same(t, list(), &iam.ListAccountAliasesOutput{AccountAliases: []string{"example2"}})
		other := w.newAccount(t, identity.AccountSpec{Alias: "theirs"})
		refused(t, w.root.CreateAccountAlias, create("theirs"), 409, "EntityAlreadyExists",
			"The account alias theirs already exists.")
		refused(t, w.root.DeleteAccountAlias, &iam.DeleteAccountAliasInput{AccountAlias: ptr("theirs")}, 404,
			"NoSuchEntity", "The account alias theirs cannot be found.")
		same(t, must(t, w.as(other.ID, other.Secret.Reveal()).ListAccountAliases, &iam.ListAccountAliasesInput{}),
			&iam.ListAccountAliasesOutput{AccountAliases: []string{"theirs"}})
		for _, bad := range []string{"ab", "-abc", "abc-", "a--b", "ABC"} {
			if _, err := w.root.CreateAccountAlias(t.Context(), create(bad)); failureOf(
				err).code != "ValidationError" || failureOf(err).status != 400 {
				t.Errorf("alias %s: %v", bad, err)
			}
		}
		must(t, w.root.DeleteAccountAlias, &iam.DeleteAccountAliasInput{AccountAlias: ptr("example2")})
		same(t, list(), &iam.ListAccountAliasesOutput{AccountAliases: []string{}})
	})
}

func TestGetAccountSummary(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		want := map[string]int32{
			"Users": 0, "UsersQuota": 5000, "Groups": 0, "GroupsQuota": 300, "Roles": 0, "RolesQuota": 1000,
			"Policies": 0, "PoliciesQuota": 1500,
			"InstanceProfiles": 0, "InstanceProfilesQuota": 1000, "ServerCertificates": 0,
			"ServerCertificatesQuota": 20, "Providers": 0,
			"MFADevices": 0, "MFADevicesInUse": 0, "AccountMFAEnabled": 0, "AccountAccessKeysPresent": 1,
			"AccountPasswordPresent":            0,
			"AccountSigningCertificatesPresent": 0, "GlobalEndpointTokenVersion": 1, "PolicyVersionsInUse": 0,
			"PolicyVersionsInUseQuota": 10000,
			"AccessKeysPerUserQuota":   2, "SigningCertificatesPerUserQuota": 2, "GroupsPerUserQuota": 10,
			"AttachedPoliciesPerUserQuota":  10,
			"AttachedPoliciesPerGroupQuota": 10, "AttachedPoliciesPerRoleQuota": 10, "PolicySizeQuota": 6144,
			"UserPolicySizeQuota":  2048,
			"GroupPolicySizeQuota": 5120, "RolePolicySizeQuota": 10240, "AssumeRolePolicySizeQuota": 2048,
			"VersionsPerPolicyQuota": 5,
		}
		summary := func() map[string]int32 {
			return must(t, w.root.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap
		}
		same(t, summary(), want)
		w.user(t, "a")
		w.user(t, "b")
		w.enabledDevice(t, "a")
		w.device(t, "spare")
		must(t, w.root.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{CertificateBody: certificate(t, w, "root")})
		must(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: ptr("b")})
		want["Users"], want["MFADevices"], want["MFADevicesInUse"],
			want["AccountSigningCertificatesPresent"] = 1, 2, 1, 1
		same(t, summary(), want)
		phone := w.device(t, "root-account-mfa-device")
		must(t, w.root.EnableMFADevice, phone.enable(t, account, w.clock.Now()))
		want["MFADevices"], want["MFADevicesInUse"], want["AccountMFAEnabled"] = 3, 2, 1
		same(t, summary(), want)
	})
}
