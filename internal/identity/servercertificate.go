package identity

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// serverCertificatePlace returns the place that a certificate's private key is
// sealed for. Ids never change, so the key stays readable after a rename.
func serverCertificatePlace(account, id string) seal.Location {
	return seal.Location{Table: "server_certificates", Key: account + "/" + id, Column: "private_key"}
}

// serverCertificate reads the certificate that an action names (text recorded).
func serverCertificate(tx *store.Tx, account, name string) (store.ServerCertificate, error) {
	c, err := tx.ServerCertificate(account, fold(name))
	if errors.Is(err, store.ErrNotFound) {
		err = errNoServerCertificate(name)
	}
	return c, err
}

func errNoServerCertificate(name string) error {
	return fail("NoSuchEntity", "The Server Certificate with name %s cannot be found.", name)
}

// errServerCertificateExists is recorded.
func errServerCertificateExists(name string) error {
	return fail("EntityAlreadyExists", "The Server Certificate with name %s already exists.", name)
}

func serverCertificateARN(c principal.Caller, cert store.ServerCertificate) string {
	return api.IAMARN(c, "server-certificate", cert.Path+cert.Name)
}

func serverCertificateOut(c principal.Caller, cert store.ServerCertificate) types.ServerCertificateMetadata {
	return types.ServerCertificateMetadata{
		Arn: ptr(serverCertificateARN(c, cert)), Path: &cert.Path, ServerCertificateName: &cert.Name,
		ServerCertificateId: &cert.ID,
		UploadDate:          when(cert.Uploaded), Expiration: when(cert.Expires),
	}
}

// checkServerCertificate checks that body is one certificate, that key is its
// private key, and that chain contains the signers, each signed by the next.
// The texts are recorded, except our own text for an invalid key, which never
// repeats the key.
func checkServerCertificate(body, key, chain string) (*x509.Certificate, error) {
	cert, err := parseCertificate(body)
	if err != nil {
		return nil, fail("MalformedCertificate",
			"Unable to parse certificate. Please ensure the certificate is in PEM format.")
	}
	private, err := parsePrivateKey(key)
	if err != nil {
		return nil, fail("MalformedCertificate",
			"Unable to parse private key. Please ensure the private key is in PEM format and is not encrypted.")
	}
	public, ok := private.(crypto.Signer).Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(cert.PublicKey) {
		return nil, fail("KeyPairMismatch", "The private key did not match the public key provided. "+
			"Please verify the key material and try again.")
	}
	path := []*x509.Certificate{cert}
	for chain != "" {
		var next *x509.Certificate
		if next, chain = nextCertificate(chain); next == nil {
			return nil, fail("MalformedCertificate", "") // recorded: IAM has no more text
		}
		path = append(path, next)
	}
	return cert, checkPath(path)
}

// checkPath checks a certificate and its chain as RFC 5280, 6.1, does, from the
// last certificate, which is trusted, to the first. IAM's error contains the
// index of the certificate that fails, counted from the body, or -1 if the last
// one has not signed the previous one (recorded).
func checkPath(path []*x509.Certificate) error {
	for i := len(path) - 2; i >= 0; i-- {
		cert, signer := path[i], path[i+1]
		switch {
		case issued(signer, cert) && (i == 0 || mayIssue(cert)):
		case i == len(path)-2 && !issued(signer, cert):
			return errChain(-1)
		default:
			return errChain(i)
		}
	}
	return nil
}

// issued says whether a certificate names another as its issuer and has its
// signature.
func issued(signer, cert *x509.Certificate) bool {
	return bytes.Equal(signer.RawSubject, cert.RawIssuer) &&
		signer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
}

// mayIssue says whether a certificate belongs to an authority. RFC 5280, 6.1.4
// (k) and (n).
func mayIssue(cert *x509.Certificate) bool {
	return cert.BasicConstraintsValid && cert.IsCA && (cert.KeyUsage == 0 || cert.KeyUsage&x509.KeyUsageCertSign != 0)
}

// errChain says which certificate of a path fails.
func errChain(index int) error {
	return fail("MalformedCertificate",
		"Unable to validate certificate chain. The certificate chain must start with the immediate signing "+
			"certificate, "+
			"followed by any intermediaries in order. The index within the chain of the invalid certificate is: %d",
		index)
}

// nextCertificate reads the first of several PEM certificates. It returns nil
// if the text starts with anything else. AWS refuses text before a certificate
// too.
func nextCertificate(chain string) (cert *x509.Certificate, rest string) {
	const end = "-----END CERTIFICATE-----"
	first, rest, _ := strings.Cut(chain, end)
	cert, err := parseCertificate(first + end)
	if err != nil {
		return nil, ""
	}
	return cert, strings.TrimSpace(rest)
}

// UploadServerCertificate adds a certificate with its private key, which no
// answer ever contains.
func (s *Service) UploadServerCertificate(
	ctx context.Context, in *iam.UploadServerCertificateInput,
) (*iam.UploadServerCertificateOutput, error) {
	c := principal.Of(ctx)
	tags, err := exactTagKeys.read(in.Tags)
	if err != nil {
		return nil, err
	}
	parsed, err := checkServerCertificate(*in.CertificateBody, *in.PrivateKey,
		strings.TrimSpace(str(in.CertificateChain)))
	if err != nil {
		return nil, err
	}
	// Remove the line end of a file: Terraform trims what it sends and would
	// find a difference in every plan.
	cert := store.ServerCertificate{
		Account: c.Account(), NameKey: fold(*in.ServerCertificateName), Name: *in.ServerCertificateName,
		Path: pathOrRoot(in.Path),
		ID:   seal.NewID("ASCA", 21), Body: strings.TrimSpace(*in.CertificateBody),
		Chain: strings.TrimSpace(str(in.CertificateChain)), Expires: parsed.NotAfter,
	}
	cert.PrivateKey = s.keys.SealSecret(seal.NewSecret(*in.PrivateKey), serverCertificatePlace(cert.Account, cert.ID))
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if cert.Uploaded = tx.Now; tx.Now.After(cert.Expires) {
			return fail("MalformedCertificate", "Certificate is no longer valid. "+
				"The 'Not After' date restriction on the certificate has passed.") // recorded
		}
		if err := tx.InsertServerCertificate(cert); err != nil {
			if errors.Is(err, store.ErrExists) {
				return errServerCertificateExists(cert.Name)
			}
			return err
		}
		n, err := tx.CountServerCertificates(cert.Account)
		if err != nil {
			return err
		}
		if err := checkQuota(tx, cert.Account, serverCertificatesPerAccount, n); err != nil {
			return err
		}
		return insertTags(tx, store.ServerCertificateTags, cert.Account, cert.NameKey, tags)
	})
	if err != nil {
		return nil, err
	}
	out := serverCertificateOut(c, cert)
	return &iam.UploadServerCertificateOutput{ServerCertificateMetadata: &out, Tags: tagsOut(tags)}, nil
}

// GetServerCertificate reads a certificate with its chain.
func (s *Service) GetServerCertificate(
	ctx context.Context, in *iam.GetServerCertificateInput,
) (*iam.GetServerCertificateOutput, error) {
	c := principal.Of(ctx)
	var out types.ServerCertificate
	err := s.db.View(ctx, func(tx *store.Tx) error {
		cert, err := serverCertificate(tx, c.Account(), *in.ServerCertificateName)
		if err != nil {
			return err
		}
		tags, err := tx.Tags(store.ServerCertificateTags, cert.Account, cert.NameKey, maxTags)
		out = types.ServerCertificate{
			ServerCertificateMetadata: ptr(serverCertificateOut(c, cert)), CertificateBody: &cert.Body,
			Tags: someTags(tags), // recorded: present even if it is empty
		}
		if cert.Chain != "" {
			out.CertificateChain = &cert.Chain
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.GetServerCertificateOutput{ServerCertificate: &out}, nil
}

// ListServerCertificates lists certificates in order of their names, without
// regard to case. PathPrefix is a plain prefix, as it is for users.
func (s *Service) ListServerCertificates(
	ctx context.Context, in *iam.ListServerCertificatesInput,
) (*iam.ListServerCertificatesOutput, error) {
	c := principal.Of(ctx)
	prefix := pathOrRoot(in.PathPrefix)
	p, err := s.page(c, "ListServerCertificates", prefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var certs []store.ServerCertificate
	err = s.db.View(ctx, func(tx *store.Tx) error {
		certs, err = tx.ServerCertificates(c.Account(), p.after, prefix, p.limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListServerCertificatesOutput{}
	certs, out.IsTruncated, out.Marker = cut(p, certs, func(c store.ServerCertificate) string { return c.NameKey })
	out.ServerCertificateMetadataList = make([]types.ServerCertificateMetadata, len(certs))
	for i, cert := range certs {
		out.ServerCertificateMetadataList[i] = serverCertificateOut(c, cert)
	}
	return out, nil
}

// UpdateServerCertificate gives a certificate another name or path. Its id does
// not change.
func (s *Service) UpdateServerCertificate(
	ctx context.Context, in *iam.UpdateServerCertificateInput,
) (*iam.UpdateServerCertificateOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		cert, err := serverCertificate(tx, c.Account(), *in.ServerCertificateName)
		if err != nil {
			return err
		}
		was := cert.NameKey
		if in.NewServerCertificateName != nil {
			cert.Name, cert.NameKey = *in.NewServerCertificateName, fold(*in.NewServerCertificateName)
		}
		if in.NewPath != nil {
			cert.Path = *in.NewPath
		}
		if cert.NameKey != was {
			// Check first, as for users.
			if _, err := tx.ServerCertificate(c.Account(), cert.NameKey); !errors.Is(err, store.ErrNotFound) {
				if err != nil {
					return err
				}
				return errServerCertificateExists(cert.Name)
			}
		}
		return tx.RenameServerCertificate(c.Account(), was, cert)
	})
	return &iam.UpdateServerCertificateOutput{}, err
}

// DeleteServerCertificate deletes a certificate with its private key.
func (s *Service) DeleteServerCertificate(
	ctx context.Context, in *iam.DeleteServerCertificateInput,
) (*iam.DeleteServerCertificateOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		err := tx.DeleteServerCertificate(c.Account(), fold(*in.ServerCertificateName))
		if errors.Is(err, store.ErrNotFound) {
			err = errNoServerCertificate(*in.ServerCertificateName)
		}
		return err
	})
	return &iam.DeleteServerCertificateOutput{}, err
}
