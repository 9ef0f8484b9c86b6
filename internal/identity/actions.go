package identity

import (
	"slices"

	"rollcall/internal/api"
	"rollcall/internal/awsquery"
)

// Actions is every action of IAM that is served, with what it acts on.
func (s *Service) Actions() []api.Action {
	user := s.onUser("UserName")
	device := s.onDevice("SerialNumber")
	return slices.Concat(s.groupActions(), s.policyActions(), s.roleActions(), s.providerActions(), s.organizationActions(), s.accessActions(), []api.Action{
		{Operation: awsquery.Of(s.CreateUser), Needs: alsoTagging(api.WithKeys(api.ARN("user", "Path", "UserName"),
			map[string]string{"iam:permissionsboundary": "PermissionsBoundary"}), "iam:TagUser")},
		{Operation: awsquery.Of(s.GetUser), Needs: user},
		{Operation: awsquery.Of(s.ListUsers), Needs: api.Below("user", "PathPrefix")},
		{Operation: awsquery.Of(s.UpdateUser), Needs: andRenamed(user, "user")},
		{Operation: awsquery.Of(s.DeleteUser), Needs: user},
		{Operation: awsquery.Of(s.TagUser), Needs: user},
		{Operation: awsquery.Of(s.UntagUser), Needs: user},
		{Operation: awsquery.Of(s.ListUserTags), Needs: user},

		{Operation: awsquery.Of(s.CreateLoginProfile), Needs: user},
		{Operation: awsquery.Of(s.GetLoginProfile), Needs: user},
		{Operation: awsquery.Of(s.UpdateLoginProfile), Needs: user},
		{Operation: awsquery.Of(s.DeleteLoginProfile), Needs: user},
		{Operation: awsquery.Of(s.ChangePassword), Needs: user, Granted: s.UsersMayChangePasswords},
		{Operation: awsquery.Of(s.UpdateAccountPasswordPolicy), Needs: api.Everything},
		{Operation: awsquery.Of(s.GetAccountPasswordPolicy), Needs: api.Everything, Granted: s.UsersMayChangePasswords},
		{Operation: awsquery.Of(s.DeleteAccountPasswordPolicy), Needs: api.Everything},

		{Operation: awsquery.Of(s.CreateAccessKey), Needs: user},
		{Operation: awsquery.Of(s.UpdateAccessKey), Needs: user},
		{Operation: awsquery.Of(s.DeleteAccessKey), Needs: user},
		{Operation: awsquery.Of(s.ListAccessKeys), Needs: user},
		{Operation: awsquery.Of(s.GetAccessKeyLastUsed), Needs: s.onKeyOwner},

		{Operation: awsquery.Of(s.CreateVirtualMFADevice), Needs: alsoTagging(api.ARN("mfa", "Path", "VirtualMFADeviceName"), "iam:TagMFADevice")},
		{Operation: awsquery.Of(s.EnableMFADevice), Needs: user},
		{Operation: awsquery.Of(s.ResyncMFADevice), Needs: user},
		{Operation: awsquery.Of(s.DeactivateMFADevice), Needs: user},
		{Operation: awsquery.Of(s.DeleteVirtualMFADevice), Needs: device},
		{Operation: awsquery.Of(s.ListMFADevices), Needs: user},
		{Operation: awsquery.Of(s.ListVirtualMFADevices), Needs: api.Below("mfa", "")},
		{Operation: awsquery.Of(s.GetMFADevice), Needs: user},
		{Operation: awsquery.Of(s.TagMFADevice), Needs: device},
		{Operation: awsquery.Of(s.UntagMFADevice), Needs: device},
		{Operation: awsquery.Of(s.ListMFADeviceTags), Needs: device},

		{Operation: awsquery.Of(s.UploadSigningCertificate), Needs: user},
		{Operation: awsquery.Of(s.UpdateSigningCertificate), Needs: user},
		{Operation: awsquery.Of(s.DeleteSigningCertificate), Needs: user},
		{Operation: awsquery.Of(s.ListSigningCertificates), Needs: user},

		{Operation: awsquery.Of(s.UploadSSHPublicKey), Needs: user},
		{Operation: awsquery.Of(s.GetSSHPublicKey), Needs: user},
		{Operation: awsquery.Of(s.ListSSHPublicKeys), Needs: user},
		{Operation: awsquery.Of(s.UpdateSSHPublicKey), Needs: user},
		{Operation: awsquery.Of(s.DeleteSSHPublicKey), Needs: user},

		{Operation: awsquery.Of(s.CreateServiceSpecificCredential), Needs: s.onNewCredential},
		{Operation: awsquery.Of(s.ListServiceSpecificCredentials), Needs: s.onUserOrAll},
		{Operation: awsquery.Of(s.UpdateServiceSpecificCredential), Needs: s.onCredential},
		{Operation: awsquery.Of(s.ResetServiceSpecificCredential), Needs: s.onCredential},
		{Operation: awsquery.Of(s.DeleteServiceSpecificCredential), Needs: s.onCredential},

		{Operation: awsquery.Of(s.CreateAccountAlias), Needs: api.Everything},
		{Operation: awsquery.Of(s.ListAccountAliases), Needs: api.Everything},
		{Operation: awsquery.Of(s.DeleteAccountAlias), Needs: api.Everything},
		{Operation: awsquery.Of(s.GetAccountSummary), Needs: api.Everything},

		{Operation: awsquery.Of(s.GenerateCredentialReport), Needs: api.Everything},
		{Operation: awsquery.Of(s.GetCredentialReport), Needs: api.Everything},
	})
}
