package service_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// DeleteUser names one remaining thing at a time until there are none.
func TestDeleteUserConflicts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "u")
		name := ptr("u")
		key := w.asUser(t, "u")
		must(t, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: name, Password: ptr(goodPassword)})
		phone := w.enabledDevice(t, "u")
		cert := must(t, w.root.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: name, CertificateBody: certificate(t, w, "u")}).Certificate
		_, body := sshBody(t, rsaKey(t, 2048))
		ssh := must(t, w.root.UploadSSHPublicKey,
			&iam.UploadSSHPublicKeyInput{UserName: name, SSHPublicKeyBody: &body}).SSHPublicKey
		service := must(t, w.root.CreateServiceSpecificCredential,
			&iam.CreateServiceSpecificCredentialInput{UserName: name,
				ServiceName: ptr(codeCommit)}).ServiceSpecificCredential
		must(t, w.root.TagUser, &iam.TagUserInput{UserName: name, Tags: tags("k", "v")})

		left := func(what string) {
			t.Helper()
			refused(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: name}, 409, "DeleteConflict",
				"Cannot delete entity, "+what)
		}
		left("must remove tokens from principal first.")
		must(t, w.root.DeactivateMFADevice, phone.deactivate("u"))
		left("must delete access keys first.")
		must(t, w.root.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: &key.id})
		left("must delete login profile first.")
		must(t, w.root.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: name})
		left("must delete certificates first.")
		must(t, w.root.DeleteSigningCertificate,
			&iam.DeleteSigningCertificateInput{UserName: name, CertificateId: cert.CertificateId})
		left("must remove referenced objects first.")
		must(t, w.root.DeleteServiceSpecificCredential,
			&iam.DeleteServiceSpecificCredentialInput{UserName: name,
				ServiceSpecificCredentialId: service.ServiceSpecificCredentialId})
		left("must remove referenced objects first.")
		must(t, w.root.DeleteSSHPublicKey,
			&iam.DeleteSSHPublicKeyInput{UserName: name, SSHPublicKeyId: ssh.SSHPublicKeyId})
		must(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: name})
	})
}
