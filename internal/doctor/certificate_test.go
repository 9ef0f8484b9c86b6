package doctor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rollcall/internal/doctor"
)

// certify gives the installation a certificate that is valid between two times
// from now.
func certify(t *testing.T, c *doctor.Config, from, to time.Duration) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(from),
		NotAfter: time.Now().Add(to)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	check(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	check(t, err)
	dir := t.TempDir()
	c.Certificate, c.Key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{c.Certificate: {Type: "CERTIFICATE", Bytes: der},
		c.Key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		check(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	const name, year, hour = "TLS certificate", 365 * 24 * time.Hour, time.Hour
	c := installation(t, sqlite)
	certify(t, &c, -hour, year)
	if found := doctor.Examine(t.Context(), c); doctor.Worst(found) != doctor.OK {
		t.Errorf("%+v", found)
	}
	with := func(from, to time.Duration) func(*testing.T, *doctor.Config) {
		return func(t *testing.T, c *doctor.Config) { certify(t, c, from, to) }
	}
	try(t, map[string]breakage{
		"ended":    {with(-year, -hour), name, doctor.Fault, "it ended on "},
		"ends":     {with(-year, 24*hour), name, doctor.Warning, "it ends on "},
		"to begin": {with(hour, year), name, doctor.Fault, "it is not valid before "},
		"key of everybody": {func(t *testing.T, c *doctor.Config) {
			certify(t, c, -hour, year)
			check(t, os.Chmod(c.Key, 0o644))
		}, name, doctor.Fault, "everybody may read the key"},
		"another key": {func(t *testing.T, c *doctor.Config) {
			certify(t, c, -hour, year)
			first := c.Certificate
			certify(t, c, -hour, year)
			c.Certificate = first
		}, name, doctor.Fault, "private key does not match public key"},
		"missing": {func(_ *testing.T, c *doctor.Config) { c.Certificate, c.Key = "none.pem", "none.key" },
			name, doctor.Fault, "no such file"},
	})
}
