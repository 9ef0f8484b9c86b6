package identity

import (
	"context"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base32"
	"encoding/pem"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// onePEM reads exactly one PEM block. Only blanks may surround it. It returns
// nil for anything else.
func onePEM(body string) *pem.Block {
	body = strings.TrimSpace(body)
	if !strings.HasPrefix(body, "-----BEGIN ") || strings.Count(body, "-----BEGIN") > 1 {
		return nil
	}
	block, rest := pem.Decode([]byte(body))
	if len(rest) > 0 {
		return nil
	}
	return block
}

// parseCertificate reads one PEM certificate. Every key and every signature is
// accepted (recorded for self-signed, EC and RSA of 1024 bits).
func parseCertificate(body string) (*x509.Certificate, error) {
	block := onePEM(body)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("not one PEM certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// certificateID returns the base32 of the SHA-1 of the certificate, 32
// characters (recorded). It is a name, not a protection.
func certificateID(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return base32.StdEncoding.EncodeToString(sum[:])
}

// malformedCertificate returns an error that repeats the body (recorded),
// unless the body is a private key sent by mistake: errors are logged.
func malformedCertificate(body string) error {
	if strings.Contains(strings.ToUpper(body), "PRIVATE") {
		body = "body"
	}
	return fail("MalformedCertificate", "Certificate %s is malformed.", body)
}

// errNoCertificate is recorded, even for certificates of other users.
func errNoCertificate(id string) error {
	return fail("NoSuchEntity", "The Certificate with id %s cannot be found.", id)
}

// errExpiredStatus is recorded for certificates, SSH keys and service credentials:
// the model's enum contains Expired, but callers cannot set it.
func errExpiredStatus() error {
	return fail("InvalidInput", "Operation does not support status Expired")
}

// UploadSigningCertificate adds a certificate to a user, or to the caller if
// the call names no user. Uploading the user's own certificate again is
// not an error: the answer says Active, but the stored certificate does not
// change (recorded).
func (s *Service) UploadSigningCertificate(
	ctx context.Context, in *iam.UploadSigningCertificateInput,
) (*iam.UploadSigningCertificateOutput, error) {
	c := principal.Of(ctx)
	parsed, parseErr := parseCertificate(*in.CertificateBody)
	var out types.SigningCertificate
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := userOrCaller(tx, c, in.UserName)
		if err != nil {
			return err
		}
		// Recorded: an expired certificate is malformed. One that is not valid
		// yet is accepted, because clocks differ.
		if parseErr != nil || tx.Now.After(parsed.NotAfter) {
			return malformedCertificate(*in.CertificateBody)
		}
		cert := store.SigningCertificate{
			Account: c.Account(), NameKey: u.NameKey, ID: certificateID(parsed),
			Body: *in.CertificateBody, Status: active, Uploaded: tx.Now,
		}
		if cert.Uploaded, err = insertCertificate(tx, cert); err != nil {
			return err
		}
		out = certificateOut(u, cert)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.UploadSigningCertificateOutput{Certificate: &out}, nil
}

// insertCertificate adds a certificate and returns when it was first uploaded.
func insertCertificate(tx *store.Tx, cert store.SigningCertificate) (uploaded time.Time, err error) {
	old, err := tx.SigningCertificate(cert.Account, cert.ID)
	switch {
	case err == nil && old.NameKey == cert.NameKey:
		return old.Uploaded, nil
	case err == nil:
		return uploaded, fail("DuplicateCertificate", "Duplicate certificate uploaded.")
	case !errors.Is(err, store.ErrNotFound):
		return uploaded, err
	}
	have, err := tx.SigningCertificates(cert.Account, cert.NameKey)
	if err != nil {
		return uploaded, err
	}
	if err := checkQuota(tx, cert.Account, certificatesPerUser, len(have)+1); err != nil {
		return uploaded, err
	}
	return cert.Uploaded, tx.InsertSigningCertificate(cert)
}

func certificateOut(u store.User, c store.SigningCertificate) types.SigningCertificate {
	return types.SigningCertificate{
		UserName: nameOut(u), CertificateId: &c.ID, CertificateBody: &c.Body,
		Status: types.StatusType(c.Status), UploadDate: when(c.Uploaded),
	}
}

// UpdateSigningCertificate makes a certificate Active or Inactive.
func (s *Service) UpdateSigningCertificate(
	ctx context.Context, in *iam.UpdateSigningCertificateInput,
) (*iam.UpdateSigningCertificateOutput, error) {
	return &iam.UpdateSigningCertificateOutput{}, s.setStatus(ctx, signingCertificateCredential, in.UserName,
		*in.CertificateId, in.Status)
}

// DeleteSigningCertificate deletes a user's certificate.
func (s *Service) DeleteSigningCertificate(
	ctx context.Context, in *iam.DeleteSigningCertificateInput,
) (*iam.DeleteSigningCertificateOutput, error) {
	return &iam.DeleteSigningCertificateOutput{}, s.deleteCredential(ctx, signingCertificateCredential, in.UserName,
		*in.CertificateId)
}

// ListSigningCertificates lists the certificates of a user, or of the caller if
// the call names no user. They are in order of id, as in the credential report.
func (s *Service) ListSigningCertificates(
	ctx context.Context, in *iam.ListSigningCertificatesInput,
) (*iam.ListSigningCertificatesOutput, error) {
	c := principal.Of(ctx)
	p, err := s.page(c, "ListSigningCertificates", fold(str(in.UserName)), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var u store.User
	var certs []store.SigningCertificate
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if u, err = userOrCaller(tx, c, in.UserName); err != nil {
			return err
		}
		certs, err = tx.SigningCertificates(u.Account, u.NameKey)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListSigningCertificatesOutput{}
	certs, out.IsTruncated, out.Marker = cutAll(p, certs, func(c store.SigningCertificate) string { return c.ID })
	out.Certificates = make([]types.SigningCertificate, len(certs))
	for i, cert := range certs {
		out.Certificates[i] = certificateOut(u, cert)
	}
	return out, nil
}
