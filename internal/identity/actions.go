package identity

import (
	"rollcall/internal/api"
	"rollcall/internal/awsquery"
)

// Actions is every action of IAM that is served, with what it acts on.
func (s *Service) Actions() []api.Action {
	user := api.Existing("user", "UserName")
	device := api.Given("SerialNumber")
	return []api.Action{
		{Operation: awsquery.Of(s.CreateUser), Resource: api.ARN("user", "Path", "UserName")},
		{Operation: awsquery.Of(s.GetUser), Resource: user},
		{Operation: awsquery.Of(s.ListUsers), Resource: api.ARN("user", "PathPrefix", "")},
		{Operation: awsquery.Of(s.UpdateUser), Resource: user},
		{Operation: awsquery.Of(s.DeleteUser), Resource: user},
		{Operation: awsquery.Of(s.TagUser), Resource: user},
		{Operation: awsquery.Of(s.UntagUser), Resource: user},
		{Operation: awsquery.Of(s.ListUserTags), Resource: user},

		{Operation: awsquery.Of(s.CreateLoginProfile), Resource: user},
		{Operation: awsquery.Of(s.GetLoginProfile), Resource: user},
		{Operation: awsquery.Of(s.UpdateLoginProfile), Resource: user},
		{Operation: awsquery.Of(s.DeleteLoginProfile), Resource: user},
		{Operation: awsquery.Of(s.ChangePassword), Resource: user, Granted: s.UsersMayChangePasswords},
		{Operation: awsquery.Of(s.UpdateAccountPasswordPolicy), Resource: api.Everything},
		{Operation: awsquery.Of(s.GetAccountPasswordPolicy), Resource: api.Everything, Granted: s.UsersMayChangePasswords},
		{Operation: awsquery.Of(s.DeleteAccountPasswordPolicy), Resource: api.Everything},

		{Operation: awsquery.Of(s.CreateAccessKey), Resource: user},
		{Operation: awsquery.Of(s.UpdateAccessKey), Resource: user},
		{Operation: awsquery.Of(s.DeleteAccessKey), Resource: user},
		{Operation: awsquery.Of(s.ListAccessKeys), Resource: user},
		{Operation: awsquery.Of(s.GetAccessKeyLastUsed), Resource: api.Existing("access key", "AccessKeyId")},

		{Operation: awsquery.Of(s.CreateVirtualMFADevice), Resource: api.ARN("mfa", "Path", "VirtualMFADeviceName")},
		{Operation: awsquery.Of(s.EnableMFADevice), Resource: user},
		{Operation: awsquery.Of(s.ResyncMFADevice), Resource: user},
		{Operation: awsquery.Of(s.DeactivateMFADevice), Resource: user},
		{Operation: awsquery.Of(s.DeleteVirtualMFADevice), Resource: device},
		{Operation: awsquery.Of(s.ListMFADevices), Resource: user},
		{Operation: awsquery.Of(s.ListVirtualMFADevices), Resource: api.ARN("mfa", "", "")},
		{Operation: awsquery.Of(s.GetMFADevice), Resource: user},
		{Operation: awsquery.Of(s.TagMFADevice), Resource: device},
		{Operation: awsquery.Of(s.UntagMFADevice), Resource: device},
		{Operation: awsquery.Of(s.ListMFADeviceTags), Resource: device},

		{Operation: awsquery.Of(s.UploadSigningCertificate), Resource: user},
		{Operation: awsquery.Of(s.UpdateSigningCertificate), Resource: user},
		{Operation: awsquery.Of(s.DeleteSigningCertificate), Resource: user},
		{Operation: awsquery.Of(s.ListSigningCertificates), Resource: user},

		{Operation: awsquery.Of(s.UploadSSHPublicKey), Resource: user},
		{Operation: awsquery.Of(s.GetSSHPublicKey), Resource: user},
		{Operation: awsquery.Of(s.ListSSHPublicKeys), Resource: user},
		{Operation: awsquery.Of(s.UpdateSSHPublicKey), Resource: user},
		{Operation: awsquery.Of(s.DeleteSSHPublicKey), Resource: user},

		{Operation: awsquery.Of(s.CreateServiceSpecificCredential), Resource: user},
		{Operation: awsquery.Of(s.ListServiceSpecificCredentials), Resource: user},
		{Operation: awsquery.Of(s.UpdateServiceSpecificCredential), Resource: user},
		{Operation: awsquery.Of(s.ResetServiceSpecificCredential), Resource: user},
		{Operation: awsquery.Of(s.DeleteServiceSpecificCredential), Resource: user},

		{Operation: awsquery.Of(s.CreateAccountAlias), Resource: api.Everything},
		{Operation: awsquery.Of(s.ListAccountAliases), Resource: api.Everything},
		{Operation: awsquery.Of(s.DeleteAccountAlias), Resource: api.Everything},
		{Operation: awsquery.Of(s.GetAccountSummary), Resource: api.Everything},

		{Operation: awsquery.Of(s.GenerateCredentialReport), Resource: api.Everything},
		{Operation: awsquery.Of(s.GetCredentialReport), Resource: api.Everything},
	}
}
