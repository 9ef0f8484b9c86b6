package console

import (
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"maps"
)

// This file shows credentials that fewer users have: signing certificates, SSH
// keys, and credentials for single services.

// other returns the opposite status of a credential.
func other(now types.StatusType) types.StatusType {
	if now == types.StatusTypeActive {
		return types.StatusTypeInactive
	}
	return types.StatusTypeActive
}

// pairOf returns the two buttons of each such credential.
func pairOf(kind, id string, now types.StatusType, mayUpdate, mayDelete string) []button {
	with := []pair{{"id", id}}
	return []button{
		{
			Do:     "switch-" + kind,
			Label:  turn(other(now)),
			With:   append(with, pair{"status", string(other(now))}),
			Denied: mayUpdate,
		},
		{
			Do:     "delete-" + kind,
			Label:  "Delete",
			With:   with,
			Danger: true,
			Name:   id,
			What:   "It cannot be brought back.",
			Denied: mayDelete,
		},
	}
}

func (c *Console) certificates(v *visit, who subject) section {
	s := section{
		ID:    "certificates",
		Title: "Signing certificates",
		Head:  []string{"Certificate", "Status", "Uploaded", ""},
		Empty: "No signing certificate.",
	}
	out, err := do(v, c.iam.ListSigningCertificates, &iam.ListSigningCertificatesInput{UserName: who.User})
	if err != nil {
		return s.refuse(v, err)
	}
	for _, x := range out.Certificates {
		s.Rows = append(s.Rows, row{
			Cells: []cell{code(*x.CertificateId), status(string(x.Status)), dated(v.when(x.UploadDate, ""))},
			Buttons: pairOf(
				"certificate",
				*x.CertificateId,
				x.Status,
				may(v, c.iam.UpdateSigningCertificate, &iam.UpdateSigningCertificateInput{
					UserName: who.User, CertificateId: x.CertificateId, Status: other(x.Status),
				}),
				may(
					v,
					c.iam.DeleteSigningCertificate,
					&iam.DeleteSigningCertificateInput{UserName: who.User, CertificateId: x.CertificateId},
				),
			),
		})
	}
	sample := "-"
	s.Forms = []form{{
		Title: "Upload a certificate", Do: "upload-certificate", Submit: "Upload",
		Open: v.field("do") == "upload-certificate",
		Fields: []field{
			{Name: "certificate", Label: "X.509 certificate, PEM", Type: "area", Value: v.field("certificate")},
		},
		Denied: may(
			v,
			c.iam.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: who.User, CertificateBody: &sample},
		),
	}}
	return s
}

func (c *Console) sshKeys(v *visit, who subject) section {
	s := section{
		ID: "ssh", Title: "SSH public keys", Head: []string{"Key", "Status", "Uploaded", ""}, Empty: "No SSH key.",
	}
	out, err := do(v, c.iam.ListSSHPublicKeys, &iam.ListSSHPublicKeysInput{UserName: who.User})
	if err != nil {
		return s.refuse(v, err)
	}
	for _, x := range out.SSHPublicKeys {
		s.Rows = append(s.Rows, row{
			Cells: []cell{code(*x.SSHPublicKeyId), status(string(x.Status)), dated(v.when(x.UploadDate, ""))},
			Buttons: pairOf(
				"ssh",
				*x.SSHPublicKeyId,
				x.Status,
				may(v, c.iam.UpdateSSHPublicKey, &iam.UpdateSSHPublicKeyInput{
					UserName: who.User, SSHPublicKeyId: x.SSHPublicKeyId, Status: other(x.Status),
				}),
				may(
					v,
					c.iam.DeleteSSHPublicKey,
					&iam.DeleteSSHPublicKeyInput{UserName: who.User, SSHPublicKeyId: x.SSHPublicKeyId},
				),
			),
		})
	}
	sample := "-"
	s.Forms = []form{{
		Title: "Upload an SSH key", Do: "upload-ssh", Submit: "Upload", Open: v.field("do") == "upload-ssh",
		Fields: []field{{Name: "ssh", Label: "Public key, as in id_rsa.pub", Type: "area", Value: v.field("ssh")}},
		Denied: may(
			v,
			c.iam.UploadSSHPublicKey,
			&iam.UploadSSHPublicKeyInput{UserName: who.User, SSHPublicKeyBody: &sample},
		),
	}}
	return s
}

func (c *Console) serviceCredentials(v *visit, who subject) section {
	s := section{
		ID: "services", Title: "Credentials for single services",
		Head:  []string{"Credential", "Service", "User name", "Status", "Created", "Expires", ""},
		Empty: "No credential for a single service.",
	}
	out, err := do(
		v,
		c.iam.ListServiceSpecificCredentials,
		&iam.ListServiceSpecificCredentialsInput{UserName: who.User},
	)
	if err != nil {
		return s.refuse(v, err)
	}
	for _, x := range out.ServiceSpecificCredentials {
		name := str(x.ServiceUserName)
		if name == "" {
			name = str(x.ServiceCredentialAlias)
		}
		s.Rows = append(s.Rows, row{
			Cells: []cell{
				code(*x.ServiceSpecificCredentialId), text(*x.ServiceName), text(name), status(string(x.Status)),
				dated(v.when(x.CreateDate, "")), dated(v.when(x.ExpirationDate, "never")),
			},
			Buttons: pairOf("service", *x.ServiceSpecificCredentialId, x.Status,
				may(v, c.iam.UpdateServiceSpecificCredential, &iam.UpdateServiceSpecificCredentialInput{
					UserName: who.User, ServiceSpecificCredentialId: x.ServiceSpecificCredentialId,
					Status: other(x.Status),
				}),
				may(v, c.iam.DeleteServiceSpecificCredential, &iam.DeleteServiceSpecificCredentialInput{
					UserName: who.User, ServiceSpecificCredentialId: x.ServiceSpecificCredentialId,
				})),
		})
	}
	sample := "codecommit.amazonaws.com"
	s.Forms = []form{{
		Title: "Create a credential for a service", Do: "create-service", Submit: "Create",
		Open: v.field("do") == "create-service",
		Fields: []field{{
			Name: "service", Label: "Service", Value: v.field("service"), Complete: "off",
			Hint: "Such as codecommit.amazonaws.com, cassandra.amazonaws.com or bedrock.amazonaws.com",
		}},
		Denied: may(
			v,
			c.iam.CreateServiceSpecificCredential,
			&iam.CreateServiceSpecificCredentialInput{UserName: who.User, ServiceName: &sample},
		),
	}}
	return s
}

func (c *Console) furtherPosts() posts {
	all := posts{}
	for _, some := range []posts{c.certificatePosts(), c.sshPosts(), c.servicePosts()} {
		maps.Copy(all, some)
	}
	return all
}

func (c *Console) certificatePosts() posts {
	return posts{
		"upload-certificate": change("The certificate is uploaded.", func(v *visit, who subject) error {
			body := v.field("certificate")
			_, err := do(
				v,
				c.iam.UploadSigningCertificate,
				&iam.UploadSigningCertificateInput{UserName: who.User, CertificateBody: &body},
			)
			return err
		}),
		"switch-certificate": change("The status of the certificate is changed.", func(v *visit, who subject) error {
			_, err := do(v, c.iam.UpdateSigningCertificate, &iam.UpdateSigningCertificateInput{
				UserName: who.User, CertificateId: v.fieldPtr("id"), Status: types.StatusType(v.field("status")),
			})
			return err
		}),
		"delete-certificate": change("The certificate is deleted.", func(v *visit, who subject) error {
			if err := v.typed(v.field("id")); err != nil {
				return err
			}
			_, err := do(
				v,
				c.iam.DeleteSigningCertificate,
				&iam.DeleteSigningCertificateInput{UserName: who.User, CertificateId: v.fieldPtr("id")},
			)
			return err
		}),
	}
}

func (c *Console) sshPosts() posts {
	return posts{
		"upload-ssh": change("The SSH key is uploaded.", func(v *visit, who subject) error {
			body := v.field("ssh")
			_, err := do(
				v,
				c.iam.UploadSSHPublicKey,
				&iam.UploadSSHPublicKeyInput{UserName: who.User, SSHPublicKeyBody: &body},
			)
			return err
		}),
		"switch-ssh": change("The status of the SSH key is changed.", func(v *visit, who subject) error {
			_, err := do(v, c.iam.UpdateSSHPublicKey, &iam.UpdateSSHPublicKeyInput{
				UserName: who.User, SSHPublicKeyId: v.fieldPtr("id"), Status: types.StatusType(v.field("status")),
			})
			return err
		}),
		"delete-ssh": change("The SSH key is deleted.", func(v *visit, who subject) error {
			if err := v.typed(v.field("id")); err != nil {
				return err
			}
			_, err := do(
				v,
				c.iam.DeleteSSHPublicKey,
				&iam.DeleteSSHPublicKeyInput{UserName: who.User, SSHPublicKeyId: v.fieldPtr("id")},
			)
			return err
		}),
	}
}

func (c *Console) servicePosts() posts {
	return posts{
		"create-service": c.createService,
		"switch-service": change("The status of the credential is changed.", func(v *visit, who subject) error {
			_, err := do(v, c.iam.UpdateServiceSpecificCredential, &iam.UpdateServiceSpecificCredentialInput{
				UserName: who.User, ServiceSpecificCredentialId: v.fieldPtr("id"),
				Status: types.StatusType(v.field("status")),
			})
			return err
		}),
		"delete-service": change("The credential is deleted.", func(v *visit, who subject) error {
			if err := v.typed(v.field("id")); err != nil {
				return err
			}
			_, err := do(v, c.iam.DeleteServiceSpecificCredential, &iam.DeleteServiceSpecificCredentialInput{
				UserName: who.User, ServiceSpecificCredentialId: v.fieldPtr("id"),
			})
			return err
		}),
	}
}

func (c *Console) createService(v *visit) error {
	who, err := v.subject()
	if err != nil {
		return err
	}
	out, err := do(v, c.iam.CreateServiceSpecificCredential, &iam.CreateServiceSpecificCredentialInput{
		UserName: who.User, ServiceName: v.fieldPtr("service"),
	})
	if err != nil {
		return v.again(err, v.page.get)
	}
	s := secretView{What: "The secret is shown only now: nobody can read it later.", Back: who.Path}
	for _, part := range []struct {
		name, label string
		value       *string
	}{
		{"user", "User name", out.ServiceSpecificCredential.ServiceUserName},
		{"password", "Password", out.ServiceSpecificCredential.ServicePassword},
		{"alias", "Name of the credential", out.ServiceSpecificCredential.ServiceCredentialAlias},
		{"secret", "Secret", out.ServiceSpecificCredential.ServiceCredentialSecret},
	} {
		if str(part.value) != "" {
			s.Values = append(s.Values, secretValue{part.name, part.label, *part.value})
		}
	}
	return v.secret("The credential is created", s)
}
