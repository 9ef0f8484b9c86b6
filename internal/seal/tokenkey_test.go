package seal_test

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"rollcall/internal/seal"
)

func TestTokenKey(t *testing.T) {
	for _, algorithm := range seal.TokenAlgorithms {
		k, err := seal.NewTokenKey(algorithm)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%v %+v", k, k); !strings.Contains(text, "REDACTED") ||
			strings.Contains(text, k.Private.Reveal()) {
			t.Errorf("%s prints its private key", algorithm)
		}
		signer, err := seal.ParseTokenKey(k.Private)
		if err != nil {
			t.Fatal(err)
		}
		public, err := x509.ParsePKIXPublicKey(k.Public)
		if err != nil {
			t.Fatal(err)
		}
		if !signer.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(public) {
			t.Errorf("%s: the public key is of another private one", algorithm)
		}
	}
	if _, err := seal.NewTokenKey("HS256"); err == nil {
		t.Error("a key for HS256 was made")
	}
	if _, err := seal.ParseTokenKey(seal.NewSecret("canary")); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("no key, %v", err)
	}
}
