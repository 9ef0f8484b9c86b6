package identity

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/crypto/ssh"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// IAM UploadSSHPublicKey: RSA keys from 2048 bits; up to 16384 (observed).
const minRSABits, maxRSABits = 2048, 16384

// The texts for refused keys are recorded. Neither repeats the body.
func unrecognizedKey() error {
	return fail("UnrecognizedPublicKeyEncoding", "Invalid public key uploaded.")
}
func invalidKey() error { return fail("InvalidPublicKey", "Invalid body for public key") }

// parseSSHKey reads an RSA public key in ssh-rsa or PEM form. Other kinds of
// keys are not recognized, because AWS documents only these two encodings.
func parseSSHKey(body string) (ssh.PublicKey, error) {
	body = strings.TrimSpace(body)
	var wire []byte
	if strings.HasPrefix(body, "-----BEGIN") {
		key, err := parsePEMKey(body)
		if err != nil {
			return nil, err
		}
		wire = key.Marshal()
	} else {
		// One line contains the kind, the key, and an optional comment.
		fields := strings.Fields(body)
		if strings.ContainsAny(body, "\r\n") || len(fields) < 2 || fields[0] != ssh.KeyAlgoRSA {
			return nil, unrecognizedKey()
		}
		var err error
		if wire, err = base64.StdEncoding.DecodeString(fields[1]); err != nil {
			return nil, unrecognizedKey()
		}
	}
	// Both forms are encoded here, so one key has one wire form.
	var parts struct {
		Kind string
		E, N *big.Int
	}
	if ssh.Unmarshal(wire, &parts) != nil || parts.Kind != ssh.KeyAlgoRSA {
		return nil, unrecognizedKey()
	}
	if bits := parts.N.BitLen(); parts.N.Sign() <= 0 || bits < minRSABits || bits > maxRSABits {
		return nil, invalidKey()
	}
	key, err := ssh.ParsePublicKey(wire)
	if err != nil {
		return nil, invalidKey() // an impossible exponent
	}
	return key, nil
}

// parsePEMKey reads the two PEM forms of an RSA public key.
func parsePEMKey(body string) (ssh.PublicKey, error) {
	block := onePEM(body)
	if block == nil {
		return nil, unrecognizedKey()
	}
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	}
	public, ok := key.(*rsa.PublicKey)
	if err != nil || !ok {
		return nil, unrecognizedKey()
	}
	wire, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, invalidKey()
	}
	return wire, nil
}

// newSSHKey returns the row of a key. The fingerprint is the MD5 of the wire
// form, as ssh-keygen prints it.
func newSSHKey(key ssh.PublicKey) store.SSHPublicKey {
	digest := sha256.Sum256(key.Marshal())
	return store.SSHPublicKey{
		Body:        strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(key)), "\n"),
		Fingerprint: ssh.FingerprintLegacyMD5(key), Digest: hex.EncodeToString(digest[:]), Status: active,
	}
}

// encodeSSHKey returns a stored key in the SSH form without its comment, or in
// the PEM form (recorded).
func encodeSSHKey(body string, encoding types.EncodingType) (string, error) {
	if encoding == types.EncodingTypeSsh {
		return body, nil
	}
	key, err := parseSSHKey(body)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(key.(ssh.CryptoPublicKey).CryptoPublicKey())
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// sshKey reads a user's key by its id. The text for keys of other users is
// recorded.
func sshKey(tx *store.Tx, u store.User, id string) (store.SSHPublicKey, error) {
	k, err := tx.SSHPublicKey(u.Account, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return k, fail("NoSuchEntity", "The Public Key with id %s cannot be found.", id)
	case err == nil && k.NameKey != u.NameKey:
		return k, fail("NoSuchEntity", "User has no Public Key with id %s.", id)
	}
	return k, err
}

// UploadSSHPublicKey adds an SSH public key to a user. Another user may have
// the same key.
func (s *Service) UploadSSHPublicKey(
	ctx context.Context, in *iam.UploadSSHPublicKeyInput,
) (*iam.UploadSSHPublicKeyOutput, error) {
	c := principal.Of(ctx)
	key, keyErr := parseSSHKey(*in.SSHPublicKeyBody)
	var out types.SSHPublicKey
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := user(tx, c.Account(), *in.UserName)
		if err != nil {
			return err
		}
		if keyErr != nil {
			return keyErr
		}
		k := newSSHKey(key)
		k.Account, k.NameKey, k.ID, k.Uploaded = u.Account, u.NameKey, seal.NewID("APKA", 20), tx.Now
		have, err := tx.SSHPublicKeys(u.Account, u.NameKey)
		if err != nil {
			return err
		}
		for _, h := range have {
			if h.Digest == k.Digest {
				return fail("DuplicateSSHPublicKey", "Duplicate SSH public key uploaded.")
			}
		}
		if err := checkQuota(tx, u.Account, sshPublicKeysPerUser, len(have)+1); err != nil {
			return err
		}
		// Only this answer contains the body as the request sent it (recorded).
		out = sshKeyOut(u, k, *in.SSHPublicKeyBody)
		return tx.InsertSSHPublicKey(k)
	})
	if err != nil {
		return nil, err
	}
	return &iam.UploadSSHPublicKeyOutput{SSHPublicKey: &out}, nil
}

func sshKeyOut(u store.User, k store.SSHPublicKey, body string) types.SSHPublicKey {
	return types.SSHPublicKey{
		UserName: &u.Name, SSHPublicKeyId: &k.ID, Fingerprint: &k.Fingerprint, SSHPublicKeyBody: &body,
		Status: types.StatusType(k.Status), UploadDate: when(k.Uploaded),
	}
}

// GetSSHPublicKey returns a user's key in the requested encoding.
func (s *Service) GetSSHPublicKey(
	ctx context.Context, in *iam.GetSSHPublicKeyInput,
) (*iam.GetSSHPublicKeyOutput, error) {
	c := principal.Of(ctx)
	var u store.User
	var k store.SSHPublicKey
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if u, err = user(tx, c.Account(), *in.UserName); err != nil {
			return err
		}
		k, err = sshKey(tx, u, *in.SSHPublicKeyId)
		return err
	})
	if err != nil {
		return nil, err
	}
	body, err := encodeSSHKey(k.Body, in.Encoding)
	if err != nil {
		return nil, err
	}
	return &iam.GetSSHPublicKeyOutput{SSHPublicKey: ptr(sshKeyOut(u, k, body))}, nil
}

// ListSSHPublicKeys lists the keys of a user in order of id. If the call names
// no user, it lists the caller's.
func (s *Service) ListSSHPublicKeys(
	ctx context.Context, in *iam.ListSSHPublicKeysInput,
) (*iam.ListSSHPublicKeysOutput, error) {
	c := principal.Of(ctx)
	p, err := s.page(c, "ListSSHPublicKeys", fold(str(in.UserName)), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var u store.User
	var keys []store.SSHPublicKey
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if u, err = userOrCaller(tx, c, in.UserName); err != nil {
			return err
		}
		keys, err = tx.SSHPublicKeys(u.Account, u.NameKey)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListSSHPublicKeysOutput{}
	keys, out.IsTruncated, out.Marker = cutAll(p, keys, func(k store.SSHPublicKey) string { return k.ID })
	out.SSHPublicKeys = make([]types.SSHPublicKeyMetadata, len(keys))
	for i, k := range keys {
		out.SSHPublicKeys[i] = types.SSHPublicKeyMetadata{
			UserName: nameOut(u), SSHPublicKeyId: &k.ID, Status: types.StatusType(k.Status),
			UploadDate: when(k.Uploaded),
		}
	}
	return out, nil
}

// UpdateSSHPublicKey makes a key Active or Inactive.
func (s *Service) UpdateSSHPublicKey(
	ctx context.Context, in *iam.UpdateSSHPublicKeyInput,
) (*iam.UpdateSSHPublicKeyOutput, error) {
	return &iam.UpdateSSHPublicKeyOutput{}, s.setStatus(ctx, sshKeyCredential, in.UserName,
		*in.SSHPublicKeyId, in.Status)
}

// DeleteSSHPublicKey deletes a user's key.
func (s *Service) DeleteSSHPublicKey(
	ctx context.Context, in *iam.DeleteSSHPublicKeyInput,
) (*iam.DeleteSSHPublicKeyOutput, error) {
	return &iam.DeleteSSHPublicKeyOutput{}, s.deleteCredential(ctx, sshKeyCredential, in.UserName, *in.SSHPublicKeyId)
}
