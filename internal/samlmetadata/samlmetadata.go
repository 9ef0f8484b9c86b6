// Package samlmetadata reads the metadata of SAML identity providers.
package samlmetadata

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Metadata holds the content of a SAML identity provider's metadata.
type Metadata struct {
	EntityID   string    // the issuer of assertions
	ValidUntil time.Time // zero if the metadata does not expire
	// Signing are the certificates whose keys sign assertions. IAM accepts
	// metadata without one (recorded), but nobody can sign in with it.
	Signing []*x509.Certificate
}

const (
	metadataSpace  = "urn:oasis:names:tc:SAML:2.0:metadata"
	signatureSpace = "http://www.w3.org/2000/09/xmldsig#"
)

// maxDepth limits how deep elements may be nested. Metadata of real
// providers has fewer than ten levels.
const maxDepth = 64

// ErrNoIssuer says that metadata does not describe an identity provider.
var ErrNoIssuer = errors.New("read SAML metadata: there is no IDPSSODescriptor")

// Parse reads the metadata of one identity provider: an
// EntityDescriptor with an IDPSSODescriptor, alone or in an EntitiesDescriptor.
// SAML 2.0 metadata, 2.3 and 2.4.3.
//
// It reads the document token by token without recursion, and supports only
// XML's own entities, so the cost is proportional to the document's length.
func Parse(text string) (Metadata, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	// The text is decoded already, whatever encoding it declares.
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	p := parser{}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return p.metadata, p.end()
		}
		if err == nil {
			err = p.token(token)
		}
		if err != nil {
			return Metadata{}, fmt.Errorf("read SAML metadata: %w", err)
		}
	}
}

// parser holds the state of the parser.
type parser struct {
	metadata Metadata
	path     []xml.Name // the open elements
	wrapped  bool       // the root is an EntitiesDescriptor
	entities int        // the number of EntityDescriptors so far
	ended    bool       // the root has been closed
	provider bool       // there was an IDPSSODescriptor
	signing  bool       // the open KeyDescriptor is for signing
	text     strings.Builder
}

func (p *parser) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.Directive:
		return errors.New("a document type declaration is not allowed")
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		return p.close()
	case xml.CharData:
		if p.inCertificate() {
			p.text.Write(t)
		} else if len(p.path) == 0 && strings.TrimSpace(string(t)) != "" {
			return errors.New("text outside of the document")
		}
	}
	return nil
}

func (p *parser) start(e xml.StartElement) error {
	if p.ended || len(p.path) >= maxDepth {
		return errors.New("elements outside of the document, or too deep in it")
	}
	p.path = append(p.path, e.Name)
	switch {
	case len(p.path) == 1 && e.Name == samlName("EntitiesDescriptor"):
		p.wrapped = true
	case p.at():
		return p.entity(e.Attr)
	case len(p.path) == 1:
		return fmt.Errorf("the document is a %q", e.Name.Local)
	case p.at("IDPSSODescriptor"):
		p.provider = true
	case p.at("IDPSSODescriptor", "KeyDescriptor"):
		// A key without a use is for both. SAML 2.0 metadata, 2.4.1.1.
		p.signing = attribute(e.Attr, "use") != "encryption"
	}
	p.text.Reset()
	return nil
}

// entity reads the attributes of the one entity. With several, it would be
// unclear whose certificates count.
func (p *parser) entity(attrs []xml.Attr) error {
	if p.entities++; p.entities > 1 {
		return errors.New("there is more than one EntityDescriptor")
	}
	if p.metadata.EntityID = attribute(attrs, "entityID"); p.metadata.EntityID == "" {
		return errors.New("there is no entityID")
	}
	until := attribute(attrs, "validUntil")
	if until == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, until)
	if err != nil {
		at, err = time.Parse("2006-01-02T15:04:05", until) // xs:dateTime may have no zone; SAML's times are in UTC
	}
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return fmt.Errorf("validUntil %q is not a time", until)
	}
	p.metadata.ValidUntil = at.UTC()
	return nil
}

func (p *parser) close() error {
	if p.inCertificate() {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(p.text.String()), ""))
		if err != nil {
			return fmt.Errorf("decode certificate: %w", err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("parse certificate: %w", err)
		}
		p.metadata.Signing = append(p.metadata.Signing, cert)
	}
	p.path = p.path[:len(p.path)-1]
	p.ended = len(p.path) == 0
	return nil
}

// end returns an error if the whole document lacks something.
func (p *parser) end() error {
	switch {
	case !p.ended:
		return errors.New("read SAML metadata: there is no document")
	case p.entities == 0:
		return errors.New("read SAML metadata: there is no EntityDescriptor")
	case !p.provider:
		return ErrNoIssuer
	}
	return nil
}

func samlName(local string) xml.Name { return xml.Name{Space: metadataSpace, Local: local} }

// inEntity returns the open elements below the entity. ok is false outside of
// one.
func (p *parser) inEntity() (below []xml.Name, ok bool) {
	below = p.path
	if p.wrapped && len(below) > 0 {
		below = below[1:]
	}
	if len(below) == 0 || below[0] != samlName("EntityDescriptor") {
		return nil, false
	}
	return below[1:], true
}

// at says whether the open elements below the entity have these names of SAML.
func (p *parser) at(names ...string) bool {
	below, ok := p.inEntity()
	if !ok || len(below) != len(names) {
		return false
	}
	for i, name := range names {
		if below[i] != samlName(name) {
			return false
		}
	}
	return true
}

// inCertificate says whether the innermost open element is a certificate of a
// key for signing.
func (p *parser) inCertificate() bool {
	below, _ := p.inEntity()
	n := len(below)
	return p.signing && n > 2 && below[n-1] == xml.Name{Space: signatureSpace, Local: "X509Certificate"} &&
		below[0] == samlName("IDPSSODescriptor") && below[1] == samlName("KeyDescriptor")
}

// attribute reads an attribute that has no namespace.
func attribute(attrs []xml.Attr, name string) string {
	for _, a := range attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
