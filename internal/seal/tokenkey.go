package seal

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
)

// TokenAlgorithms lists the algorithms that may sign web identity tokens, by
// their names in RFC 7518. STS GetWebIdentityToken.
var TokenAlgorithms = []string{"RS256", "ES384"}

// tokenRSABits is the length of AWS's own keys (recorded).
const tokenRSABits = 2048

// TokenKey is a new key for one of TokenAlgorithms that is not sealed yet.
type TokenKey struct {
	Algorithm string
	Public    []byte // PKIX, DER
	Private   Secret // PKCS #8, DER
}

// NewTokenKey creates a key for one of TokenAlgorithms. An RSA key takes a
// fraction of a second, so do not create it within a transaction.
func NewTokenKey(algorithm string) (TokenKey, error) {
	k := TokenKey{Algorithm: algorithm}
	private, err := newSigner(algorithm)
	if err != nil {
		return k, fmt.Errorf("make key for %s: %w", algorithm, err)
	}
	if k.Public, err = x509.MarshalPKIXPublicKey(private.Public()); err != nil {
		return k, fmt.Errorf("make key for %s: %w", algorithm, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return k, fmt.Errorf("make key for %s: %w", algorithm, err)
	}
	k.Private = NewSecret(string(der))
	return k, nil
}

func newSigner(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "RS256":
		return rsa.GenerateKey(rand.Reader, tokenRSABits)
	case "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	return nil, errors.New("the algorithm is not supported")
}

// ParseTokenKey reads the private part of a TokenKey. Its error does not repeat
// the text.
func ParseTokenKey(private Secret) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey([]byte(private.Reveal()))
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("the key is not a PKCS #8 private key")
	}
	return signer, nil
}
