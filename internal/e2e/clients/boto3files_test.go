package clients

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/crypto/ssh"
)

// tokenIssuer is the issuer of the token of newPythonFiles.
const tokenIssuer = "https://idp.example.com/realm"

// newPythonFiles writes files that Python cannot create by itself into a
// directory: certificates with their keys, public keys, and the token of an
// identity provider with the provider's keys.
func newPythonFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := 1; i <= 3; i++ {
		body, key, _, err := selfSigned(fmt.Sprintf("%d.example.com", i))
		if err != nil {
			t.Fatal(err)
		}
		write(fmt.Sprintf("cert%d.pem", i), body)
		write(fmt.Sprintf("key%d.pem", i), key)
		write(fmt.Sprintf("ssh%d.pub", i), sshKey(t))
	}
	token, keys := webToken(t)
	write("token.jwt", []byte(token))
	write("jwks.json", keys)
	return dir
}

// sshKey returns a text that looks like an RSA public key, because a real one
// takes long.
func sshKey(t *testing.T) []byte {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 2047))
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&rsa.PublicKey{N: n.SetBit(n, 2047, 1).SetBit(n, 0, 1), E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	return ssh.MarshalAuthorizedKey(public)
}

// webToken returns a token that is valid for an hour, and the issuer's keys.
func webToken(t *testing.T) (token string, keys []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const id = "2026-11"
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: id}},
		nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	token, err = jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: tokenIssuer, Subject: "repo:example/app", Audience: jwt.Audience{"sts.amazonaws.com"},
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Hour)),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	keys, err = json.Marshal(
		jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: id, Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return token, keys
}
