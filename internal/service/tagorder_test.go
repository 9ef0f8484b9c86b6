package service_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Tags are listed by the code points of their keys, for every kind of thing and
// whichever calls added them (IAM ListUserTags and similar: sorted by tag key).
// For policies, short keys come first.
func TestOrderOfTags(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		first, second := tags("b", "1", "\U0001D400", "2", "Zz", "3"), tags("abc", "4", "\uFB00",
			"5", "B ", "6", "a", "7")
		want, short := "B  Zz a abc b \uFB00 \U0001D400", "a b \uFB00 \U0001D400 B  Zz abc"
		keys := func(tags []types.Tag) string {
			return strings.Join(names(tags, func(t types.Tag) *string { return t.Key }), " ")
		}
		u, path := ptr("u"), "arn:aws:iam::"+account
		must(t, w.root.CreateUser, &iam.CreateUserInput{UserName: u, Tags: first})
		must(t, w.root.TagUser, &iam.TagUserInput{UserName: u, Tags: second})
		must(t, w.root.CreateRole,
			&iam.CreateRoleInput{RoleName: u, AssumeRolePolicyDocument: ptr(trustsEC2), Tags: first})
		must(t, w.root.TagRole, &iam.TagRoleInput{RoleName: u, Tags: second})
		policy := must(t, w.root.CreatePolicy,
			&iam.CreatePolicyInput{PolicyName: u, PolicyDocument: ptr(allowAll), Tags: first}).Policy.Arn
		must(t, w.root.TagPolicy, &iam.TagPolicyInput{PolicyArn: policy, Tags: second})
		must(t, w.root.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: u, Tags: first})
		must(t, w.root.TagInstanceProfile, &iam.TagInstanceProfileInput{InstanceProfileName: u, Tags: second})
		phone := w.device(t, "u")
		must(t, w.root.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: &phone.serial, Tags: first})
		must(t, w.root.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: &phone.serial, Tags: second})
		body, key := keyPair(t, w, "u")
		must(t, w.root.UploadServerCertificate, &iam.UploadServerCertificateInput{
			ServerCertificateName: u, CertificateBody: body, PrivateKey: key, Tags: first})
		must(t, w.root.TagServerCertificate, &iam.TagServerCertificateInput{ServerCertificateName: u, Tags: second})
		oidc := must(t, w.root.CreateOpenIDConnectProvider, &iam.CreateOpenIDConnectProviderInput{
			Url: ptr("https://id.example.com"), Tags: first}).OpenIDConnectProviderArn
		must(t, w.root.TagOpenIDConnectProvider,
			&iam.TagOpenIDConnectProviderInput{OpenIDConnectProviderArn: oidc, Tags: second})

		details := must(t, w.root.GetAccountAuthorizationDetails, &iam.GetAccountAuthorizationDetailsInput{})
		for what, got := range map[string][]types.Tag{
			"ListUserTags": must(t, w.root.ListUserTags, &iam.ListUserTagsInput{UserName: u}).Tags,
			"GetUser":      must(t, w.root.GetUser, &iam.GetUserInput{UserName: u}).User.Tags,
			"ListRoleTags": must(t, w.root.ListRoleTags, &iam.ListRoleTagsInput{RoleName: u}).Tags,
			"GetRole":      must(t, w.root.GetRole, &iam.GetRoleInput{RoleName: u}).Role.Tags,
			"UserDetail": details.UserDetailList[slices.IndexFunc(details.UserDetailList,
				func(d types.UserDetail) bool { return *d.UserName == "u" })].Tags,
			"RoleDetail": details.RoleDetailList[0].Tags,

			"ListInstanceProfileTags": must(t, w.root.ListInstanceProfileTags,
				&iam.ListInstanceProfileTagsInput{InstanceProfileName: u}).Tags,
			"GetInstanceProfile": must(t, w.root.GetInstanceProfile,
				&iam.GetInstanceProfileInput{InstanceProfileName: u}).InstanceProfile.Tags,
			"ListMFADeviceTags": must(t, w.root.ListMFADeviceTags,
				&iam.ListMFADeviceTagsInput{SerialNumber: &phone.serial}).Tags,
			"ListServerCertificateTags": must(t, w.root.ListServerCertificateTags,
				&iam.ListServerCertificateTagsInput{ServerCertificateName: u}).Tags,
			"GetServerCertificate": must(t, w.root.GetServerCertificate,
				&iam.GetServerCertificateInput{ServerCertificateName: u}).ServerCertificate.Tags,
			"ListOpenIDConnectProviderTags": must(t, w.root.ListOpenIDConnectProviderTags,
				&iam.ListOpenIDConnectProviderTagsInput{OpenIDConnectProviderArn: oidc}).Tags,
			"GetOpenIDConnectProvider": must(t, w.root.GetOpenIDConnectProvider,
				&iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: oidc}).Tags,
		} {
			if keys(got) != want {
				t.Errorf("%s: %q, want %q", what, keys(got), want)
			}
		}
		for what, got := range map[string][]types.Tag{
			"ListPolicyTags": must(t, w.root.ListPolicyTags, &iam.ListPolicyTagsInput{PolicyArn: policy}).Tags,
			"GetPolicy": must(t, w.root.GetPolicy,
				&iam.GetPolicyInput{PolicyArn: ptr(path + ":policy/u")}).Policy.Tags,
		} {
			if keys(got) != short {
				t.Errorf("%s: %q, want %q", what, keys(got), short)
			}
		}
	})
}
