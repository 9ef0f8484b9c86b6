package identity

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// Every accepted certificate with its key and chain is valid, and no error
// repeats the key.
func FuzzCheckServerCertificate(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		f.Fatal(err)
	}
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	spec := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, spec, spec, key.Public(), key)
	if err != nil {
		f.Fatal(err)
	}
	body := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	private := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			f.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	f.Add(body, private(key), "")
	f.Add(body, private(key), body+"\n"+body)
	f.Add(body, private(other), body)
	f.Add(private(key), body, private(key))
	f.Add("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----\n",
		"-----BEGIN CERTIFICATE-----")
	f.Fuzz(func(t *testing.T, body, key, chain string) {
		cert, err := checkServerCertificate(body, key, chain)
		if err != nil {
			if len(key) > 40 && strings.Contains(err.Error(), key) {
				t.Errorf("the key is in %v", err)
			}
			return
		}
		private, err := parsePrivateKey(key)
		if err != nil ||
			!private.(crypto.Signer).Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(cert.PublicKey) {
			t.Errorf("taken with a key of another: %v", err)
		}
	})
}
