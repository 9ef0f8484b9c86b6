package sts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// A response of any form is refused without a panic, or its content is what was
// signed.
func FuzzVerifiedAssertion(f *testing.F) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		f.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		f.Fatal(err)
	}
	const response = `<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="r"><p:Status><p:StatusCode ` +
		`Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>` +
		`<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="a" ` +
		`IssueInstant="2026-11-23T10:00:00Z"><a:Issuer>i</a:Issuer><a:Subject><a:NameID>honest</a:NameID>` +
		`<a:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><a:SubjectConfirmationData ` +
		`Recipient="r"/></a:SubjectConfirmation></a:Subject></a:Assertion></p:Response>`
	sign := func(inner bool) string {
		doc := etree.NewDocument()
		if err := doc.ReadFromString(response); err != nil {
			f.Fatal(err)
		}
		by, err := dsig.NewSigningContext(key, [][]byte{raw})
		if err != nil {
			f.Fatal(err)
		}
		by.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
		if err := by.SetSignatureMethod(dsig.ECDSASHA256SignatureMethod); err != nil {
			f.Fatal(err)
		}
		root := doc.Root()
		e := root
		if inner {
			e = root.SelectElement("Assertion")
		}
		signed, err := by.SignEnveloped(e)
		if err != nil {
			f.Fatal(err)
		}
		if inner {
			root.RemoveChild(e)
			root.AddChild(signed)
		} else {
			doc.SetRoot(signed)
		}
		text, err := doc.WriteToString()
		if err != nil {
			f.Fatal(err)
		}
		return text
	}
	for _, text := range []string{sign(false), sign(true)} {
		if !verifies(f, text, certificate, now) {
			f.Fatalf("not verified: %s", text)
		}
		evil := strings.Replace(text, "honest", "evil", 1)
		for _, seed := range []string{text, evil, strings.Replace(text, "<a:Assertion", evil+"<a:Assertion", 1),
			strings.Replace(text, "honest", "ho<!-- -->nest", 1), text[:200]} {
			f.Add(seed)
		}
	}
	f.Fuzz(func(t *testing.T, text string) { verifies(t, text, certificate, now) })
}

func verifies(t testing.TB, text string, key *x509.Certificate, now time.Time) bool {
	t.Helper()
	e, err := verifiedAssertion(base64.StdEncoding.EncodeToString([]byte(text)), []*x509.Certificate{key}, now)
	if err != nil {
		return false
	}
	a, err := readAssertion(e)
	if err != nil || a.subject != "honest" || a.issuer != "i" || a.recipient != "r" {
		t.Fatalf("verified %q: %+v %v", text, a, err)
	}
	return true
}
