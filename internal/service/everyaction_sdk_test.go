package service_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/identity"
	"rollcall/internal/service"
)

// Every action that the service offers succeeds at least once through the SDK's
// own client. Everything that the test creates is deleted again, and nothing
// remains.
func TestEveryActionSucceeds(t *testing.T) {
	t.Parallel()
	idp := newIssuer(t)
	// Only for security keys, which no call can enrol.
	succeeded := map[string]bool{"GetMFADevice": true}
	for name, calls := range everyCall(idp) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t,
				service.Config{WebIdentityKeys: map[string]string{issuerURL: idp.URL}, PublicURL: publicURL})
			before := must(t, w.root.GetAccountSummary, &iam.GetAccountSummaryInput{})
			calls(t, w)
			same(t, must(t, w.root.GetAccountSummary, &iam.GetAccountSummaryInput{}), before)
			for _, r := range w.records(t) {
				if r.ErrorCode == "" {
					succeeded[r.EventName] = true
				}
			}
		})
	}
	for _, action := range slices.Sorted(maps.Keys(inMemory(t).API.Actions())) {
		if !succeeded[action] {
			t.Errorf("no call of %s succeeded", action)
		}
	}
}

// everyCall returns successful calls of all actions, by kind. idp is an
// identity provider.
func everyCall(idp *issuer) map[string]func(*testing.T, *world) {
	return map[string]func(*testing.T, *world){
		"users": callUsers, "access keys": callAccessKeys, "passwords": callPasswords, "devices": callDevices,
		"user files":          callUserFiles,
		"service credentials": callServiceCredentials, "account": callAccount, "organization": callOrganization,
		"groups":          callGroups,
		"inline policies": callInlinePolicies, "policies": callPolicies,
		"attachments": callAttachments, "roles": callRoles,
		"linked roles": callLinkedRoles, "instance profiles": callInstanceProfiles, "OIDC providers": callOIDCProviders,
		"SAML providers": callSAMLProviders, "server certificates": callServerCertificates,
		"simulation":    callSimulation,
		"last accessed": callLastAccessed, "sessions": callSessions, "report": callReport,
		"web identity": func(t *testing.T, w *world) { callWebIdentity(t, w, idp) }, "SAML federation": callSAML,
		"outbound federation": callOutboundFederation,
	}
}

// u is the user of the calls below, r the role.
var u, r = ptr("u"), ptr("r")

// withUser creates a user for some calls.
func (w *world) withUser(t testing.TB, calls func()) {
	t.Helper()
	w.user(t, "u")
	calls()
	must(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: u})
}

// withUserKey creates a user with a key for some calls.
func (w *world) withUserKey(t testing.TB, calls func(user clients)) {
	t.Helper()
	w.withUser(t, func() {
		user := w.asUser(t, "u")
		calls(user)
		must(t, w.root.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: u, AccessKeyId: &user.id})
	})
}

// withRole creates a role for some calls.
func (w *world) withRole(t testing.TB, calls func()) {
	t.Helper()
	must(t, w.root.CreateRole, &iam.CreateRoleInput{RoleName: r, AssumeRolePolicyDocument: ptr(trustsEC2)})
	calls()
	must(t, w.root.DeleteRole, &iam.DeleteRoleInput{RoleName: r})
}

func callUsers(t *testing.T, w *world) {
	must(t, w.root.CreateUser, &iam.CreateUserInput{UserName: ptr("new"), Path: ptr("/x/"), Tags: tags("k", "v"),
		PermissionsBoundary: ptr(readOnly)})
	must(t, w.root.UpdateUser, &iam.UpdateUserInput{UserName: ptr("new"), NewUserName: u, NewPath: ptr("/")})
	must(t, w.root.GetUser, &iam.GetUserInput{UserName: u})
	must(t, w.root.ListUsers, &iam.ListUsersInput{})
	must(t, w.root.TagUser, &iam.TagUserInput{UserName: u, Tags: tags("l", "w")})
	must(t, w.root.ListUserTags, &iam.ListUserTagsInput{UserName: u})
	must(t, w.root.UntagUser, &iam.UntagUserInput{UserName: u, TagKeys: []string{"k"}})
	must(t, w.root.DeleteUserPermissionsBoundary, &iam.DeleteUserPermissionsBoundaryInput{UserName: u})
	must(t, w.root.PutUserPermissionsBoundary,
		&iam.PutUserPermissionsBoundaryInput{UserName: u, PermissionsBoundary: ptr(readOnly)})
	must(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: u})
}

func callAccessKeys(t *testing.T, w *world) {
	w.withUser(t, func() {
		id := must(t, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: u}).AccessKey.AccessKeyId
		must(t, w.root.ListAccessKeys, &iam.ListAccessKeysInput{UserName: u})
		must(t, w.root.UpdateAccessKey,
			&iam.UpdateAccessKeyInput{UserName: u, AccessKeyId: id, Status: types.StatusTypeInactive})
		must(t, w.root.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: id})
		must(t, w.root.sts.GetAccessKeyInfo, &sts.GetAccessKeyInfoInput{AccessKeyId: id})
		must(t, w.root.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: u, AccessKeyId: id})
	})
}

func callPasswords(t *testing.T, w *world) {
	w.withUserKey(t, func(user clients) {
		must(t, w.root.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{AllowUsersToChangePassword: true})
		must(t, w.root.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{})
		must(t, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: u, Password: ptr(goodPassword)})
		must(t, w.root.GetLoginProfile, &iam.GetLoginProfileInput{UserName: u})
		must(t, w.root.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: u, PasswordResetRequired: ptr(false)})
		must(t, user.ChangePassword,
			&iam.ChangePasswordInput{OldPassword: ptr(goodPassword), NewPassword: ptr(otherPassword)})
		must(t, w.root.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: u})
		must(t, w.root.DeleteAccountPasswordPolicy, &iam.DeleteAccountPasswordPolicyInput{})
	})
}

func callDevices(t *testing.T, w *world) {
	w.withUser(t, func() {
		phone := w.enabledDevice(t, "u")
		must(t, w.root.ResyncMFADevice, phone.resync(t, "u", w.clock.Now().Add(2*step)))
		must(t, w.root.ListMFADevices, &iam.ListMFADevicesInput{UserName: u})
		must(t, w.root.ListVirtualMFADevices,
			&iam.ListVirtualMFADevicesInput{AssignmentStatus: types.AssignmentStatusTypeAssigned})
		must(t, w.root.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: &phone.serial, Tags: tags("k", "v")})
		must(t, w.root.ListMFADeviceTags, &iam.ListMFADeviceTagsInput{SerialNumber: &phone.serial})
		must(t, w.root.UntagMFADevice, &iam.UntagMFADeviceInput{SerialNumber: &phone.serial, TagKeys: []string{"k"}})
		must(t, w.root.DeactivateMFADevice, phone.deactivate("u"))
		must(t, w.root.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &phone.serial})
	})
}

func callUserFiles(t *testing.T, w *world) {
	w.withUser(t, func() {
		id := must(t, w.root.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: u,
				CertificateBody: certificate(t, w, "u")}).Certificate.CertificateId
		must(t, w.root.ListSigningCertificates, &iam.ListSigningCertificatesInput{UserName: u})
		must(t, w.root.UpdateSigningCertificate,
			&iam.UpdateSigningCertificateInput{UserName: u, CertificateId: id, Status: types.StatusTypeInactive})
		must(t, w.root.DeleteSigningCertificate, &iam.DeleteSigningCertificateInput{UserName: u, CertificateId: id})

		_, body := sshBody(t, rsaKey(t, 2048))
		id = must(t, w.root.UploadSSHPublicKey,
			&iam.UploadSSHPublicKeyInput{UserName: u, SSHPublicKeyBody: &body}).SSHPublicKey.SSHPublicKeyId
		must(t, w.root.GetSSHPublicKey,
			&iam.GetSSHPublicKeyInput{UserName: u, SSHPublicKeyId: id, Encoding: types.EncodingTypePem})
		must(t, w.root.ListSSHPublicKeys, &iam.ListSSHPublicKeysInput{UserName: u})
		must(t, w.root.UpdateSSHPublicKey,
			&iam.UpdateSSHPublicKeyInput{UserName: u, SSHPublicKeyId: id, Status: types.StatusTypeInactive})
		must(t, w.root.DeleteSSHPublicKey, &iam.DeleteSSHPublicKeyInput{UserName: u, SSHPublicKeyId: id})
	})
}

func callServiceCredentials(t *testing.T, w *world) {
	w.withUser(t, func() {
		id := must(t, w.root.CreateServiceSpecificCredential,
			&iam.CreateServiceSpecificCredentialInput{UserName: u,
				ServiceName: ptr(codeCommit)}).ServiceSpecificCredential.ServiceSpecificCredentialId
		must(t, w.root.ListServiceSpecificCredentials, &iam.ListServiceSpecificCredentialsInput{UserName: u})
		must(t, w.root.UpdateServiceSpecificCredential,
			&iam.UpdateServiceSpecificCredentialInput{UserName: u, ServiceSpecificCredentialId: id,
				Status: types.StatusTypeInactive})
		must(t, w.root.ResetServiceSpecificCredential,
			&iam.ResetServiceSpecificCredentialInput{UserName: u, ServiceSpecificCredentialId: id})
		must(t, w.root.DeleteServiceSpecificCredential,
			&iam.DeleteServiceSpecificCredentialInput{UserName: u, ServiceSpecificCredentialId: id})
	})
}

func callAccount(t *testing.T, w *world) {
	must(t, w.root.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: ptr("example")})
	must(t, w.root.ListAccountAliases, &iam.ListAccountAliasesInput{})
	must(t, w.root.DeleteAccountAlias, &iam.DeleteAccountAliasInput{AccountAlias: ptr("example")})
	must(t, w.root.SetSecurityTokenServicePreferences,
		&iam.SetSecurityTokenServicePreferencesInput{
			GlobalEndpointTokenVersion: types.GlobalEndpointTokenVersionV1Token})
	must(t, w.root.GetAccountAuthorizationDetails, &iam.GetAccountAuthorizationDetailsInput{})
	must(t, w.root.PutAccountProperties,
		&iam.PutAccountPropertiesInput{Properties: map[string]string{"RoleManager/Enabled": "false"}})
	must(t, w.root.GetAccountProperties, &iam.GetAccountPropertiesInput{})
}

func callOrganization(t *testing.T, w *world) {
	const member = "222222222222"
	w.newAccount(t, identity.AccountSpec{ID: member})
	if err := w.IAM.ManageAccounts(t.Context(), account, []string{member}); err != nil {
		t.Fatal(err)
	}
	must(t, w.root.EnableOrganizationsRootCredentialsManagement,
		&iam.EnableOrganizationsRootCredentialsManagementInput{})
	must(t, w.root.EnableOrganizationsRootSessions, &iam.EnableOrganizationsRootSessionsInput{})
	must(t, w.root.ListOrganizationsFeatures, &iam.ListOrganizationsFeaturesInput{})
	must(t, w.root.organizations.DescribeOrganization, &organizations.DescribeOrganizationInput{})
	must(t, w.root.organizations.ListAccounts, &organizations.ListAccountsInput{})
	must(t, w.root.organizations.DescribeAccount, &organizations.DescribeAccountInput{AccountId: ptr(member)})
	must(t, w.root.organizations.ListDelegatedAdministrators, &organizations.ListDelegatedAdministratorsInput{})
	w.withUserKey(t, func(user clients) {
		w.putUserPolicy(t, "u", ptr(allowsAll))
		must(t, user.sts.AssumeRoot,
			&sts.AssumeRootInput{TargetPrincipal: ptr(member), TaskPolicyArn: rootTask("IAMAuditRootUserCredentials")})
		must(t, w.root.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: u, PolicyName: ptr("p")})
	})
	must(t, w.root.DisableOrganizationsRootSessions, &iam.DisableOrganizationsRootSessionsInput{})
	must(t, w.root.DisableOrganizationsRootCredentialsManagement,
		&iam.DisableOrganizationsRootCredentialsManagementInput{})
}

func callGroups(t *testing.T, w *world) {
	w.withUser(t, func() {
		g := ptr("devs")
		must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("new"), Path: ptr("/x/")})
		must(t, w.root.UpdateGroup, &iam.UpdateGroupInput{GroupName: ptr("new"), NewGroupName: g, NewPath: ptr("/")})
		must(t, w.root.ListGroups, &iam.ListGroupsInput{})
		must(t, w.root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: g, UserName: u})
		must(t, w.root.GetGroup, &iam.GetGroupInput{GroupName: g})
		must(t, w.root.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: u})
		must(t, w.root.RemoveUserFromGroup, &iam.RemoveUserFromGroupInput{GroupName: g, UserName: u})
		must(t, w.root.DeleteGroup, &iam.DeleteGroupInput{GroupName: g})
	})
}

func callInlinePolicies(t *testing.T, w *world) {
	g, p := ptr("devs"), ptr("p")
	must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: g})
	must(t, w.root.PutGroupPolicy,
		&iam.PutGroupPolicyInput{GroupName: g, PolicyName: p, PolicyDocument: ptr(allowsAll)})
	must(t, w.root.GetGroupPolicy, &iam.GetGroupPolicyInput{GroupName: g, PolicyName: p})
	must(t, w.root.ListGroupPolicies, &iam.ListGroupPoliciesInput{GroupName: g})
	must(t, w.root.DeleteGroupPolicy, &iam.DeleteGroupPolicyInput{GroupName: g, PolicyName: p})
	must(t, w.root.DeleteGroup, &iam.DeleteGroupInput{GroupName: g})
	w.withUser(t, func() {
		must(t, w.root.PutUserPolicy,
			&iam.PutUserPolicyInput{UserName: u, PolicyName: p, PolicyDocument: ptr(allowsAll)})
		must(t, w.root.GetUserPolicy, &iam.GetUserPolicyInput{UserName: u, PolicyName: p})
		must(t, w.root.ListUserPolicies, &iam.ListUserPoliciesInput{UserName: u})
		must(t, w.root.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: u, PolicyName: p})
	})
	w.withRole(t, func() {
		must(t, w.root.PutRolePolicy,
			&iam.PutRolePolicyInput{RoleName: r, PolicyName: p, PolicyDocument: ptr(allowsAll)})
		must(t, w.root.GetRolePolicy, &iam.GetRolePolicyInput{RoleName: r, PolicyName: p})
		must(t, w.root.ListRolePolicies, &iam.ListRolePoliciesInput{RoleName: r})
		must(t, w.root.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: r, PolicyName: p})
	})
}

func callPolicies(t *testing.T, w *world) {
	arn := must(t, w.root.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: ptr("p"), PolicyDocument: ptr(allowsAll)}).Policy.Arn
	must(t, w.root.GetPolicy, &iam.GetPolicyInput{PolicyArn: arn})
	must(t, w.root.ListPolicies, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal})
	must(t, w.root.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: ptr(allowsAll)})
	must(t, w.root.GetPolicyVersion, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: ptr("v2")})
	must(t, w.root.ListPolicyVersions, &iam.ListPolicyVersionsInput{PolicyArn: arn})
	must(t, w.root.SetDefaultPolicyVersion, &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: ptr("v2")})
	must(t, w.root.DeletePolicyVersion, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: ptr("v1")})
	must(t, w.root.TagPolicy, &iam.TagPolicyInput{PolicyArn: arn, Tags: tags("k", "v")})
	must(t, w.root.ListPolicyTags, &iam.ListPolicyTagsInput{PolicyArn: arn})
	must(t, w.root.UntagPolicy, &iam.UntagPolicyInput{PolicyArn: arn, TagKeys: []string{"k"}})
	must(t, w.root.DeletePolicy, &iam.DeletePolicyInput{PolicyArn: arn})
}

func callAttachments(t *testing.T, w *world) {
	g, arn := ptr("devs"), ptr(readOnly)
	must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: g})
	must(t, w.root.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: g, PolicyArn: arn})
	must(t, w.root.ListAttachedGroupPolicies, &iam.ListAttachedGroupPoliciesInput{GroupName: g})
	must(t, w.root.ListEntitiesForPolicy, &iam.ListEntitiesForPolicyInput{PolicyArn: arn})
	must(t, w.root.DetachGroupPolicy, &iam.DetachGroupPolicyInput{GroupName: g, PolicyArn: arn})
	must(t, w.root.DeleteGroup, &iam.DeleteGroupInput{GroupName: g})
	w.withUser(t, func() {
		must(t, w.root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: u, PolicyArn: arn})
		must(t, w.root.ListAttachedUserPolicies, &iam.ListAttachedUserPoliciesInput{UserName: u})
		must(t, w.root.DetachUserPolicy, &iam.DetachUserPolicyInput{UserName: u, PolicyArn: arn})
	})
	w.withRole(t, func() {
		must(t, w.root.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: r, PolicyArn: arn})
		must(t, w.root.ListAttachedRolePolicies, &iam.ListAttachedRolePoliciesInput{RoleName: r})
		must(t, w.root.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: r, PolicyArn: arn})
	})
}

func callRoles(t *testing.T, w *world) {
	w.withRole(t, func() {
		must(t, w.root.GetRole, &iam.GetRoleInput{RoleName: r})
		must(t, w.root.ListRoles, &iam.ListRolesInput{})
		must(t, w.root.UpdateRole, &iam.UpdateRoleInput{RoleName: r, MaxSessionDuration: ptr(int32(7200))})
		must(t, w.root.UpdateRoleDescription,
			&iam.UpdateRoleDescriptionInput{RoleName: r, Description: ptr("of calls")})
		must(t, w.root.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: r, PolicyDocument: ptr(trustsEC2)})
		must(t, w.root.PutRolePermissionsBoundary,
			&iam.PutRolePermissionsBoundaryInput{RoleName: r, PermissionsBoundary: ptr(readOnly)})
		must(t, w.root.DeleteRolePermissionsBoundary, &iam.DeleteRolePermissionsBoundaryInput{RoleName: r})
		must(t, w.root.TagRole, &iam.TagRoleInput{RoleName: r, Tags: tags("k", "v")})
		must(t, w.root.ListRoleTags, &iam.ListRoleTagsInput{RoleName: r})
		must(t, w.root.UntagRole, &iam.UntagRoleInput{RoleName: r, TagKeys: []string{"k"}})
	})
}

func callLinkedRoles(t *testing.T, w *world) {
	name := must(t, w.root.CreateServiceLinkedRole,
		&iam.CreateServiceLinkedRoleInput{AWSServiceName: ptr("autoscaling.amazonaws.com"),
			CustomSuffix: ptr("x")}).Role.RoleName
	task := must(t, w.root.DeleteServiceLinkedRole, &iam.DeleteServiceLinkedRoleInput{RoleName: name}).DeletionTaskId
	must(t, w.root.GetServiceLinkedRoleDeletionStatus,
		&iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task})
}

func callInstanceProfiles(t *testing.T, w *world) {
	w.withRole(t, func() {
		box := ptr("box")
		must(t, w.root.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: box})
		must(t, w.root.AddRoleToInstanceProfile,
			&iam.AddRoleToInstanceProfileInput{InstanceProfileName: box, RoleName: r})
		must(t, w.root.GetInstanceProfile, &iam.GetInstanceProfileInput{InstanceProfileName: box})
		must(t, w.root.ListInstanceProfiles, &iam.ListInstanceProfilesInput{})
		must(t, w.root.ListInstanceProfilesForRole, &iam.ListInstanceProfilesForRoleInput{RoleName: r})
		must(t, w.root.TagInstanceProfile, &iam.TagInstanceProfileInput{InstanceProfileName: box, Tags: tags("k", "v")})
		must(t, w.root.ListInstanceProfileTags, &iam.ListInstanceProfileTagsInput{InstanceProfileName: box})
		must(t, w.root.UntagInstanceProfile,
			&iam.UntagInstanceProfileInput{InstanceProfileName: box, TagKeys: []string{"k"}})
		must(t, w.root.RemoveRoleFromInstanceProfile,
			&iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: box, RoleName: r})
		must(t, w.root.DeleteInstanceProfile, &iam.DeleteInstanceProfileInput{InstanceProfileName: box})
	})
}

func callOIDCProviders(t *testing.T, w *world) {
	arn := must(t, w.root.CreateOpenIDConnectProvider,
		&iam.CreateOpenIDConnectProviderInput{Url: ptr("https://idp.example.com")}).OpenIDConnectProviderArn
	must(t, w.root.GetOpenIDConnectProvider, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	must(t, w.root.ListOpenIDConnectProviders, &iam.ListOpenIDConnectProvidersInput{})
	must(t, w.root.AddClientIDToOpenIDConnectProvider,
		&iam.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: ptr("app")})
	must(t, w.root.RemoveClientIDFromOpenIDConnectProvider,
		&iam.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: ptr("app")})
	must(t, w.root.UpdateOpenIDConnectProviderThumbprint,
		&iam.UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: arn,
			ThumbprintList: []string{strings.Repeat("a", 40)}})
	must(t, w.root.TagOpenIDConnectProvider,
		&iam.TagOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, Tags: tags("k", "v")})
	must(t, w.root.ListOpenIDConnectProviderTags,
		&iam.ListOpenIDConnectProviderTagsInput{OpenIDConnectProviderArn: arn})
	must(t, w.root.UntagOpenIDConnectProvider,
		&iam.UntagOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, TagKeys: []string{"k"}})
	must(t, w.root.DeleteOpenIDConnectProvider, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
}

func callSAMLProviders(t *testing.T, w *world) {
	metadata := samlMetadata(*certificate(t, w, "idp"))
	arn := must(t, w.root.CreateSAMLProvider,
		&iam.CreateSAMLProviderInput{Name: ptr("idp"), SAMLMetadataDocument: metadata}).SAMLProviderArn
	must(t, w.root.GetSAMLProvider, &iam.GetSAMLProviderInput{SAMLProviderArn: arn})
	must(t, w.root.ListSAMLProviders, &iam.ListSAMLProvidersInput{})
	must(t, w.root.UpdateSAMLProvider,
		&iam.UpdateSAMLProviderInput{SAMLProviderArn: arn, SAMLMetadataDocument: metadata})
	must(t, w.root.TagSAMLProvider, &iam.TagSAMLProviderInput{SAMLProviderArn: arn, Tags: tags("k", "v")})
	must(t, w.root.ListSAMLProviderTags, &iam.ListSAMLProviderTagsInput{SAMLProviderArn: arn})
	must(t, w.root.UntagSAMLProvider, &iam.UntagSAMLProviderInput{SAMLProviderArn: arn, TagKeys: []string{"k"}})
	must(t, w.root.DeleteSAMLProvider, &iam.DeleteSAMLProviderInput{SAMLProviderArn: arn})
}

func callServerCertificates(t *testing.T, w *world) {
	body, key := keyPair(t, w, "www.example.com")
	name := ptr("www")
	must(t, w.root.UploadServerCertificate,
		&iam.UploadServerCertificateInput{ServerCertificateName: ptr("new"), CertificateBody: body, PrivateKey: key})
	must(t, w.root.UpdateServerCertificate,
		&iam.UpdateServerCertificateInput{ServerCertificateName: ptr("new"), NewServerCertificateName: name})
	must(t, w.root.GetServerCertificate, &iam.GetServerCertificateInput{ServerCertificateName: name})
	must(t, w.root.ListServerCertificates, &iam.ListServerCertificatesInput{})
	must(t, w.root.TagServerCertificate,
		&iam.TagServerCertificateInput{ServerCertificateName: name, Tags: tags("k", "v")})
	must(t, w.root.ListServerCertificateTags, &iam.ListServerCertificateTagsInput{ServerCertificateName: name})
	must(t, w.root.UntagServerCertificate,
		&iam.UntagServerCertificateInput{ServerCertificateName: name, TagKeys: []string{"k"}})
	must(t, w.root.DeleteServerCertificate, &iam.DeleteServerCertificateInput{ServerCertificateName: name})
}

func callSimulation(t *testing.T, w *world) {
	documents, actions := []string{allowsAll}, []string{"iam:GetUser"}
	must(t, w.root.SimulateCustomPolicy,
		&iam.SimulateCustomPolicyInput{PolicyInputList: documents, ActionNames: actions})
	must(t, w.root.GetContextKeysForCustomPolicy, &iam.GetContextKeysForCustomPolicyInput{PolicyInputList: documents})
	w.withUser(t, func() {
		arn := ptr(userPath + "/u")
		must(t, w.root.SimulatePrincipalPolicy,
			&iam.SimulatePrincipalPolicyInput{PolicySourceArn: arn, ActionNames: actions})
		must(t, w.root.GetContextKeysForPrincipalPolicy,
			&iam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: arn})
		must(t, w.root.ListPoliciesGrantingServiceAccess,
			&iam.ListPoliciesGrantingServiceAccessInput{Arn: arn, ServiceNamespaces: []string{"iam"}})
	})
}

func callLastAccessed(t *testing.T, w *world) {
	w.withUser(t, func() {
		job := must(t, w.root.GenerateServiceLastAccessedDetails,
			&iam.GenerateServiceLastAccessedDetailsInput{Arn: ptr(userPath + "/u")}).JobId
		must(t, w.root.GetServiceLastAccessedDetails, &iam.GetServiceLastAccessedDetailsInput{JobId: job})
		must(t, w.root.GetServiceLastAccessedDetailsWithEntities,
			&iam.GetServiceLastAccessedDetailsWithEntitiesInput{JobId: job, ServiceNamespace: ptr("iam")})
	})
}

func callSessions(t *testing.T, w *world) {
	must(t, w.root.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
	must(t, w.root.sts.GetSessionToken, &sts.GetSessionTokenInput{})
	must(t, w.root.sts.GetFederationToken, &sts.GetFederationTokenInput{Name: ptr("guest")})
	w.withUserKey(t, func(user clients) {
		arn := w.role(t, "r", trusting("u"))
		must(t, user.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")})
		message := w.denialMessage(t, user, call("ListUsers", ""))
		must(t, w.root.sts.DecodeAuthorizationMessage, &sts.DecodeAuthorizationMessageInput{EncodedMessage: &message})
		must(t, w.root.DeleteRole, &iam.DeleteRoleInput{RoleName: r})
	})
}

func callWebIdentity(t *testing.T, w *world, idp *issuer) {
	provider := must(t, w.root.CreateOpenIDConnectProvider,
		&iam.CreateOpenIDConnectProviderInput{Url: ptr(issuerURL),
			ClientIDList: []string{"sts.amazonaws.com"}}).OpenIDConnectProviderArn
	arn := w.role(t, "r", `"Principal":{"Federated":"`+*provider+`"},"Action":"sts:AssumeRoleWithWebIdentity"`)
	must(t, w.anonymous().sts.AssumeRoleWithWebIdentity,
		&sts.AssumeRoleWithWebIdentityInput{RoleArn: &arn, RoleSessionName: ptr("build"),
			WebIdentityToken: ptr(w.token(t, idp, nil))})
	must(t, w.root.DeleteRole, &iam.DeleteRoleInput{RoleName: r})
	must(t, w.root.DeleteOpenIDConnectProvider,
		&iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: provider})
}

func callReport(t *testing.T, w *world) {
	must(t, w.root.GenerateCredentialReport, &iam.GenerateCredentialReportInput{})
	w.waitReport(t, w.root)
	must(t, w.root.GetCredentialReport, &iam.GetCredentialReportInput{})
}

func callOutboundFederation(t *testing.T, w *world) {
	must(t, w.root.EnableOutboundWebIdentityFederation, &iam.EnableOutboundWebIdentityFederationInput{})
	must(t, w.root.GetOutboundWebIdentityFederationInfo, &iam.GetOutboundWebIdentityFederationInfoInput{})
	must(t, w.root.sts.GetWebIdentityToken,
		&sts.GetWebIdentityTokenInput{Audience: []string{"a"}, SigningAlgorithm: ptr("ES384")})
	must(t, w.root.DisableOutboundWebIdentityFederation, &iam.DisableOutboundWebIdentityFederationInput{})
}
