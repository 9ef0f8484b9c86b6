package console

import (
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// deleteUser deletes a user with everything that belongs to it. IAM refuses to
// delete a user that has something left. So an action of its own deletes each
// thing, and policies decide about each. Things that were deleted before a
// refusal stay deleted.
func (c *Console) deleteUser(v *visit) error {
	who, err := v.subject()
	if err != nil {
		return err
	}
	err = v.typed(who.Name)
	for _, part := range []func(*visit, subject) error{c.dropCredentials, c.dropFurther, c.dropMembership} {
		if err == nil {
			err = part(v, who)
		}
	}
	if err == nil {
		_, err = do(v, c.iam.DeleteUser, &iam.DeleteUserInput{UserName: who.User})
	}
	if err != nil {
		return v.again(err, c.user)
	}
	return v.done(usersPath, "The user "+who.Name+" is deleted.")
}

func (c *Console) dropCredentials(v *visit, who subject) error {
	_, err := do(v, c.iam.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: who.User})
	if err != nil && errorCode(err) != "NoSuchEntity" {
		return err
	}
	keys, err := do(v, c.iam.ListAccessKeys, &iam.ListAccessKeysInput{UserName: who.User})
	if err != nil {
		return err
	}
	for _, k := range keys.AccessKeyMetadata {
		in := &iam.DeleteAccessKeyInput{UserName: who.User, AccessKeyId: k.AccessKeyId}
		if _, err := do(v, c.iam.DeleteAccessKey, in); err != nil {
			return err
		}
	}
	devices, err := do(v, c.iam.ListMFADevices, &iam.ListMFADevicesInput{UserName: who.User})
	if err != nil {
		return err
	}
	for _, d := range devices.MFADevices {
		if err := c.dropDevice(v, who, *d.SerialNumber); err != nil {
			return err
		}
	}
	return nil
}

// dropDevice removes a device from a user. A device that shows codes is also
// deleted, because nobody else could use it.
func (c *Console) dropDevice(v *visit, who subject, serial string) error {
	_, err := do(v, c.iam.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{UserName: who.User, SerialNumber: &serial})
	if err != nil || isPasskey(serial) {
		return err
	}
	_, err = do(v, c.iam.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &serial})
	return err
}

func (c *Console) dropFurther(v *visit, who subject) error {
	certificates, err := do(v, c.iam.ListSigningCertificates, &iam.ListSigningCertificatesInput{UserName: who.User})
	if err != nil {
		return err
	}
	for _, x := range certificates.Certificates {
		in := &iam.DeleteSigningCertificateInput{UserName: who.User, CertificateId: x.CertificateId}
		if _, err := do(v, c.iam.DeleteSigningCertificate, in); err != nil {
			return err
		}
	}
	ssh, err := do(v, c.iam.ListSSHPublicKeys, &iam.ListSSHPublicKeysInput{UserName: who.User})
	if err != nil {
		return err
	}
	for _, x := range ssh.SSHPublicKeys {
		in := &iam.DeleteSSHPublicKeyInput{UserName: who.User, SSHPublicKeyId: x.SSHPublicKeyId}
		if _, err := do(v, c.iam.DeleteSSHPublicKey, in); err != nil {
			return err
		}
	}
	services, err := do(
		v,
		c.iam.ListServiceSpecificCredentials,
		&iam.ListServiceSpecificCredentialsInput{UserName: who.User},
	)
	if err != nil {
		return err
	}
	for _, x := range services.ServiceSpecificCredentials {
		in := &iam.DeleteServiceSpecificCredentialInput{
			UserName: who.User, ServiceSpecificCredentialId: x.ServiceSpecificCredentialId,
		}
		if _, err := do(v, c.iam.DeleteServiceSpecificCredential, in); err != nil {
			return err
		}
	}
	return nil
}

func (c *Console) dropMembership(v *visit, who subject) error {
	groups, err := do(v, c.iam.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: who.User})
	if err != nil {
		return err
	}
	for _, g := range groups.Groups {
		in := &iam.RemoveUserFromGroupInput{UserName: who.User, GroupName: g.GroupName}
		if _, err := do(v, c.iam.RemoveUserFromGroup, in); err != nil {
			return err
		}
	}
	attached, err := do(v, c.iam.ListAttachedUserPolicies, &iam.ListAttachedUserPoliciesInput{UserName: who.User})
	if err != nil {
		return err
	}
	for _, p := range attached.AttachedPolicies {
		in := &iam.DetachUserPolicyInput{UserName: who.User, PolicyArn: p.PolicyArn}
		if _, err := do(v, c.iam.DetachUserPolicy, in); err != nil {
			return err
		}
	}
	inline, err := do(v, c.iam.ListUserPolicies, &iam.ListUserPoliciesInput{UserName: who.User})
	if err != nil {
		return err
	}
	for _, name := range inline.PolicyNames {
		in := &iam.DeleteUserPolicyInput{UserName: who.User, PolicyName: &name}
		if _, err := do(v, c.iam.DeleteUserPolicy, in); err != nil {
			return err
		}
	}
	return nil
}
