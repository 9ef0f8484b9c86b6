package identity

import (
	"slices"

	"rollcall/internal/api"
)

// Actions returns every action of IAM that the service offers. Each
// registration contains everything about one action. Rules that are the same
// for all actions on a kind of thing are in kinds.go.
func (s *Service) Actions() []api.Action {
	user, device, caller := userKind.on(s), deviceKind.on(s), s.userOrCaller("UserName")
	credential := s.onCredential("UserName", "ServiceSpecificCredentialId")
	return slices.Concat(s.groupActions(), s.policyActions(), s.roleActions(), s.providerActions(),
		s.organizationActions(), s.accessActions(), s.accountActions(), []api.Action{
			api.Bind(s.CreateUser, api.Changes, api.On(user.New("Path", "UserName"), boundary),
				api.Tagging("iam:TagUser")),
			api.Bind(s.GetUser, api.Reads, api.On(caller)),
			api.Bind(s.ListUsers, api.Reads, api.On(user.Below("PathPrefix"))),
			api.Bind(s.UpdateUser, api.Changes, api.On(user.Renamed("UserName", "NewPath", "NewUserName"))),
			api.Bind(s.DeleteUser, api.Changes, api.On(user.Named("UserName"))),
			api.Bind(s.TagUser, api.Changes, api.On(user.Named("UserName"))),
			api.Bind(s.UntagUser, api.Changes, api.On(user.Named("UserName"))),
			api.Bind(s.ListUserTags, api.Reads, api.On(user.Named("UserName"))),

			api.Bind(s.CreateLoginProfile, api.Changes, api.On(caller)),
			api.Bind(s.GetLoginProfile, api.Reads, api.On(caller)),
			api.Bind(s.UpdateLoginProfile, api.Changes, api.On(user.Named("UserName"))),
			api.Bind(s.DeleteLoginProfile, api.Changes, api.On(caller)),
			api.Bind(s.ChangePassword, api.Changes, api.On(s.userOrCaller("")), api.Granted(s.UsersMayChangePasswords)),
			api.Bind(s.UpdateAccountPasswordPolicy, api.Changes, api.On(api.Everything)),
			api.Bind(s.GetAccountPasswordPolicy, api.Reads, api.On(api.Everything),
				api.Granted(s.UsersMayChangePasswords)),
			api.Bind(s.DeleteAccountPasswordPolicy, api.Changes, api.On(api.Everything)),

			api.Bind(s.CreateAccessKey, api.Changes, api.On(caller), api.Within(accessKeysPerUser)),
			api.Bind(s.UpdateAccessKey, api.Changes, api.On(caller)),
			api.Bind(s.DeleteAccessKey, api.Changes, api.On(caller)),
			api.Bind(s.ListAccessKeys, api.Reads, api.On(caller)),
			api.Bind(s.GetAccessKeyLastUsed, api.Reads, api.On(s.onKeyOwner("AccessKeyId"))),

			api.Bind(s.CreateVirtualMFADevice, api.Changes, api.On(device.New("Path", "VirtualMFADeviceName")),
				api.Tagging("iam:TagMFADevice")),
			api.Bind(s.EnableMFADevice, api.Changes, api.On(user.Named("UserName")), api.Within(mfaDevicesPerUser)),
			api.Bind(s.ResyncMFADevice, api.Changes, api.On(user.Named("UserName"))),
			api.Bind(s.DeactivateMFADevice, api.Changes, api.On(caller)),
			api.Bind(s.DeleteVirtualMFADevice, api.Changes, api.On(device.At("SerialNumber"))),
			api.Bind(s.ListMFADevices, api.Reads, api.On(caller)),
			api.Bind(s.ListVirtualMFADevices, api.Reads, api.On(device.Below(""))),
			api.Bind(s.GetMFADevice, api.Reads, api.On(caller)),
			api.Bind(s.TagMFADevice, api.Changes, api.On(device.At("SerialNumber"))),
			api.Bind(s.UntagMFADevice, api.Changes, api.On(device.At("SerialNumber"))),
			api.Bind(s.ListMFADeviceTags, api.Reads, api.On(device.At("SerialNumber"))),

			api.Bind(s.UploadSigningCertificate, api.Changes, api.On(caller), api.Within(certificatesPerUser)),
			api.Bind(s.UpdateSigningCertificate, api.Changes, api.On(caller)),
			api.Bind(s.DeleteSigningCertificate, api.Changes, api.On(caller)),
			api.Bind(s.ListSigningCertificates, api.Reads, api.On(caller)),

			api.Bind(s.UploadSSHPublicKey, api.Changes, api.On(user.Named("UserName")),
				api.Within(sshPublicKeysPerUser)),
			api.Bind(s.GetSSHPublicKey, api.Reads, api.On(user.Named("UserName"))),
			api.Bind(s.ListSSHPublicKeys, api.Reads, api.On(caller)),
			api.Bind(s.UpdateSSHPublicKey, api.Changes, api.On(user.Named("UserName"))),
			api.Bind(s.DeleteSSHPublicKey, api.Changes, api.On(user.Named("UserName"))),

			api.Bind(s.CreateServiceSpecificCredential, api.Changes, api.On(user.Named("UserName"),
				api.Values(credentialServiceKey, newCredentialService), api.Values(credentialAgeKey, newCredentialAge)),
				api.Within(contextSpecificCredentialsPerUserPerContext)),
			api.Bind(s.ListServiceSpecificCredentials, api.Reads, api.On(api.ByInput(s.userOrAll))),
			api.Bind(s.UpdateServiceSpecificCredential, api.Changes, api.On(credential)),
			api.Bind(s.ResetServiceSpecificCredential, api.Changes, api.On(credential)),
			api.Bind(s.DeleteServiceSpecificCredential, api.Changes, api.On(credential)),
		})
}

// accountActions returns the actions on the account as a whole.
func (s *Service) accountActions() []api.Action {
	return []api.Action{
		api.Bind(s.CreateAccountAlias, api.Changes, api.On(api.Everything)),
		api.Bind(s.ListAccountAliases, api.Reads, api.On(api.Everything)),
		api.Bind(s.DeleteAccountAlias, api.Changes, api.On(api.Everything)),
		api.Bind(s.GetAccountSummary, api.Reads, api.On(api.Everything)),

		api.Bind(s.GenerateCredentialReport, api.Changes, api.On(api.Everything)),
		api.Bind(s.GetCredentialReport, api.Reads, api.On(api.Everything)),
	}
}
