package samlmetadata_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"

	"rollcall/internal/samlmetadata"
)

// metadata returns the metadata of a provider. The
// arguments are attributes of the root and the certificate.
func metadata(attributes, certificate string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
  entityID="https://idp.example.com/saml" ` + attributes + `>
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="encryption"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
      <ds:X509Certificate>not read</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
      <X509Certificate>` + certificate + `</X509Certificate></X509Data></KeyInfo></md:KeyDescriptor>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
      Location="https://idp.example.com/saml/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
`
}

// entity returns the element of a document without the text before it.
func entity(document string) string {
	return document[strings.Index(document, "<md:EntityDescriptor"):]
}

// entities returns a document of several entities.
func entities(all string) string {
	return `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` + all + `</md:EntitiesDescriptor>`
}

// certificate returns a certificate in the form that metadata use.
func certificate(t testing.TB) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "vector"}}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func TestParse(t *testing.T) {
	vector := certificate(t)
	for name, c := range map[string]struct {
		text  string
		until time.Time
		ok    bool
	}{
		"plain": {metadata("", vector), time.Time{}, true},
		"ends": {metadata(`validUntil="2030-01-02T03:04:05Z"`, vector),
			time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), true},
		"another zone": {metadata(`validUntil="2030-01-02T03:04:05.5+02:00"`, vector),
			time.Date(2030, 1, 2, 1, 4, 5, 5e8, time.UTC), true},
		"no zone": {metadata(`validUntil="2030-01-02T03:04:05"`, vector),
			time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), true},
		"no use":  {strings.Replace(metadata("", vector), ` use="signing"`, "", 1), time.Time{}, true},
		"latin":   {strings.Replace(metadata("", vector), "UTF-8", "ISO-8859-1", 1), time.Time{}, true},
		"no time": {metadata(`validUntil="soon"`, vector), time.Time{}, false},
		"a far time": {metadata(`validUntil="9999-12-31T23:59:59-14:00"`, vector),
			time.Date(10000, 1, 1, 13, 59, 59, 0, time.UTC), true},
		"before all time": {metadata(`validUntil="0001-01-01T00:00:00Z"`, vector), time.Time{}, false},
		"no certificate": {strings.Replace(metadata("", ""), "<X509Certificate></X509Certificate>", "", 1),
			time.Time{}, true},
		"an empty one":    {metadata("", ""), time.Time{}, false},
		"no base64":       {metadata("", "x"), time.Time{}, false},
		"cut certificate": {metadata("", vector[:101]), time.Time{}, false},
		"only encryption": {strings.Replace(metadata("", vector), `use="signing"`, `use="encryption"`, 1),
			time.Time{}, true},
		"wrapped":       {entities(entity(metadata("", vector))), time.Time{}, true},
		"two entities":  {entities(strings.Repeat(entity(metadata("", vector)), 2)), time.Time{}, false},
		"no entity":     {entities(""), time.Time{}, false},
		"wrapped twice": {entities(entities(entity(metadata("", vector)))), time.Time{}, false},
		"no entityID":   {strings.Replace(metadata("", vector), "entityID", "entity", 1), time.Time{}, false},
		"other root": {strings.ReplaceAll(metadata("", vector), "EntityDescriptor", "EntitiesDescriptor"),
			time.Time{}, false},
		"other namespace": {strings.Replace(metadata("", vector), "2.0:metadata", "1.1:metadata", 1), time.Time{},
			false},
		"service": {strings.ReplaceAll(metadata("", vector), "IDPSSODescriptor", "SPSSODescriptor"),
			time.Time{}, false},
		"nothing":       {"", time.Time{}, false},
		"text":          {"metadata", time.Time{}, false},
		"comment alone": {"<!-- x -->", time.Time{}, false},
		"open": {strings.TrimSuffix(strings.TrimSpace(metadata("", vector)), "</md:EntityDescriptor>"),
			time.Time{}, false},
		"two documents": {strings.TrimSpace(metadata("", vector)) + "<x/>", time.Time{}, false},
		"text after":    {metadata("", vector) + "x", time.Time{}, false},
		"document type": {`<!DOCTYPE x [<!ENTITY a "a">]>` + metadata("", vector)[39:], time.Time{}, false},
		"an entity":     {metadata("", vector+"&a;"), time.Time{}, false},
		"too deep": {strings.Replace(metadata("", vector), "<X509Data>",
			"<X509Data>"+strings.Repeat("<x>", 100)+strings.Repeat("</x>", 100), 1), time.Time{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			signing := 1
			if name == "no certificate" || name == "only encryption" {
				signing = 0 // accepted anyway (recorded)
			}
			m, err := samlmetadata.Parse(c.text)
			if (err == nil) != c.ok {
				t.Fatalf("%+v, %v", m, err)
			}
			if c.ok && (m.EntityID != "https://idp.example.com/saml" || !m.ValidUntil.Equal(c.until) ||
				len(m.Signing) != signing) {
				t.Errorf("%+v", m)
			}
			if len(m.Signing) > 0 && m.Signing[0].Subject.CommonName != "vector" {
				t.Errorf("%+v", m)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	vector := certificate(f)
	f.Add(metadata("", vector))
	f.Add(metadata(`validUntil="2030-01-02T03:04:05"`, ""))
	f.Add(`<!DOCTYPE x [<!ENTITY a "&a;&a;">]><x>&a;</x>`)
	f.Add(strings.Repeat("<x>", 1000))
	f.Fuzz(func(t *testing.T, text string) {
		m, err := samlmetadata.Parse(text)
		if err == nil && m.EntityID == "" {
			t.Errorf("%+v", m)
		}
		if again, err2 := samlmetadata.Parse(text); (err == nil) != (err2 == nil) ||
			m.EntityID != again.EntityID {
			t.Errorf("read twice: %v, %v", err, err2)
		}
	})
}
