package identity

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

// SAMLMetadata holds what the metadata of a SAML identity provider says.
type SAMLMetadata struct {
	EntityID   string    // who issues assertions
	ValidUntil time.Time // zero where the metadata does not end
	// Signing are the certificates whose keys sign assertions. IAM takes metadata
	// without one (recorded); nobody can sign in by them.
	Signing []*x509.Certificate
}

const (
	samlMetadataSpace = "urn:oasis:names:tc:SAML:2.0:metadata"
	xmlSignatureSpace = "http://www.w3.org/2000/09/xmldsig#"
)

// maxMetadataDepth bounds how deep elements may lie in one another. Metadata
// of real providers are not ten deep.
const maxMetadataDepth = 64

// ErrNoIssuer is returned for metadata of an entity that is no identity
// provider.
var ErrNoIssuer = errors.New("read SAML metadata: there is no IDPSSODescriptor")

// ParseSAMLMetadata reads the metadata of one identity provider: an
// EntityDescriptor with an IDPSSODescriptor, alone or in an EntitiesDescriptor.
// SAML 2.0 metadata, 2.3 and 2.4.3.
//
// The document is read token by token, nothing recurses, and no entity but
// XML's own is known, so that no document costs more than its length.
func ParseSAMLMetadata(text string) (SAMLMetadata, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	// The text has been decoded already, whatever encoding it names.
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	p := metadataParser{}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return p.metadata, p.end()
		}
		if err == nil {
			err = p.token(token)
		}
		if err != nil {
			return SAMLMetadata{}, fmt.Errorf("read SAML metadata: %w", err)
		}
	}
}

// metadataParser holds what is known of a document so far.
type metadataParser struct {
	metadata SAMLMetadata
	path     []xml.Name // the elements that are open
	wrapped  bool       // the root is an EntitiesDescriptor
	entities int        // how many EntityDescriptors were seen
	ended    bool       // the root was closed
	provider bool       // an IDPSSODescriptor was seen
	signing  bool       // the KeyDescriptor that is open is for signing
	text     strings.Builder
}

func (p *metadataParser) token(token xml.Token) error {
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

func (p *metadataParser) start(e xml.StartElement) error {
	if p.ended || len(p.path) >= maxMetadataDepth {
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
		// Without a use the key is for both. SAML 2.0 metadata, 2.4.1.1.
		p.signing = attribute(e.Attr, "use") != "encryption"
	}
	p.text.Reset()
	return nil
}

// entity reads the attributes of the one entity. Of several it would be unclear
// whose certificates count.
func (p *metadataParser) entity(attrs []xml.Attr) error {
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
		at, err = time.Parse("2006-01-02T15:04:05", until) // xs:dateTime may have no zone; SAML's is UTC
	}
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return fmt.Errorf("validUntil %q is not a time", until)
	}
	p.metadata.ValidUntil = at.UTC()
	return nil
}

func (p *metadataParser) close() error {
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

// end says what a whole document lacks.
func (p *metadataParser) end() error {
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

func samlName(local string) xml.Name { return xml.Name{Space: samlMetadataSpace, Local: local} }

// inEntity are the open elements below the entity; it is not ok outside of one.
func (p *metadataParser) inEntity() (below []xml.Name, ok bool) {
	below = p.path
	if p.wrapped && len(below) > 0 {
		below = below[1:]
	}
	if len(below) == 0 || below[0] != samlName("EntityDescriptor") {
		return nil, false
	}
	return below[1:], true
}

// at says whether the open elements below the entity are these of SAML's.
func (p *metadataParser) at(names ...string) bool {
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
func (p *metadataParser) inCertificate() bool {
	below, _ := p.inEntity()
	n := len(below)
	return p.signing && n > 2 && below[n-1] == xml.Name{Space: xmlSignatureSpace, Local: "X509Certificate"} &&
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
