package sts

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

const (
	samlProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	samlAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	samlSuccess   = "urn:oasis:names:tc:SAML:2.0:status:Success"
	samlBearer    = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
)

// These constants limit a response. Responses of real providers have fewer than
// twenty levels.
const (
	samlDepth = 64
	samlParts = 10_000 // elements and attributes
)

// samlAlgorithms are the algorithms by which a response may be signed and
// digested: those without SHA-1.
var samlAlgorithms = []string{
	dsig.RSASHA256SignatureMethod, dsig.RSASHA384SignatureMethod, dsig.RSASHA512SignatureMethod,
	dsig.ECDSASHA256SignatureMethod, dsig.ECDSASHA384SignatureMethod, dsig.ECDSASHA512SignatureMethod,
	"http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384",
	"http://www.w3.org/2001/04/xmlenc#sha512",
}

var (
	errNoSAML        = errors.New("it is not a SAML response")
	errSAMLSignature = errors.New("its signature is not valid")
)

// verifiedAssertion returns the one assertion of a response that one of the
// keys signed: either the whole response is signed, or the assertion itself. It
// parses the assertion from the bytes whose digest was signed, so it cannot
// confuse it with another part of the document.
func verifiedAssertion(encoded string, keys []*x509.Certificate, now time.Time) (*etree.Element, error) {
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil {
		return nil, errNoSAML
	}
	if err := checkXML(text); err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(text); err != nil || !isElement(doc.Root(), samlProtocol, "Response") {
		return nil, errNoSAML
	}
	response := doc.Root()
	if err := checkAlgorithms(response); err != nil {
		return nil, err
	}
	if status := child(child(response, samlProtocol, "Status"), samlProtocol, "StatusCode"); attr(status,
		"Value") != samlSuccess {
		return nil, errors.New("its status is not a success")
	}
	if signed(response) {
		whole, err := verified(response, keys, now)
		if err != nil {
			return nil, err
		}
		if !isElement(whole, samlProtocol, "Response") {
			return nil, errNoSAML
		}
		return oneAssertion(whole)
	}
	assertion, err := oneAssertion(response)
	if err != nil {
		return nil, err
	}
	if !signed(assertion) {
		return nil, errSAMLSignature
	}
	// Outside its document it needs the inherited namespaces.
	inherited, err := etreeutils.NSBuildParentContext(assertion)
	if err != nil {
		return nil, errNoSAML
	}
	alone, err := etreeutils.NSDetatch(inherited, assertion)
	if err != nil {
		return nil, errNoSAML
	}
	whole, err := verified(alone, keys, now)
	if err == nil && !isElement(whole, samlAssertion, "Assertion") {
		err = errNoSAML
	}
	return whole, err
}

// checkXML limits the size of a document, and refuses constructs that no
// provider writes and that readers interpret differently: document types,
// comments within texts, processing instructions.
func checkXML(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	depth, parts := 0, 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errNoSAML
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			parts += 1 + len(t.Attr)
		case xml.EndElement:
			depth--
		case xml.Comment, xml.Directive:
			return errNoSAML
		case xml.ProcInst:
			if t.Target != "xml" {
				return errNoSAML
			}
		}
		if depth > samlDepth || parts > samlParts {
			return errNoSAML
		}
	}
}

// checkAlgorithms checks the algorithms of every signature of a document.
func checkAlgorithms(e *etree.Element) error {
	if e.NamespaceURI() == dsig.Namespace && (e.Tag == dsig.SignatureMethodTag || e.Tag == dsig.DigestMethodTag) {
		algorithm := e.SelectAttrValue(dsig.AlgorithmAttr, "")
		for _, good := range samlAlgorithms {
			if algorithm == good {
				return nil
			}
		}
		return fmt.Errorf("it is signed by %q", algorithm)
	}
	for _, c := range e.ChildElements() {
		if err := checkAlgorithms(c); err != nil {
			return err
		}
	}
	return nil
}

// signed reports whether an element has its own signature.
func signed(e *etree.Element) bool { return child(e, dsig.Namespace, dsig.SignatureTag) != nil }

// verified checks an element's signature by each of the keys.
func verified(e *etree.Element, keys []*x509.Certificate, now time.Time) (*etree.Element, error) {
	for _, key := range keys {
		v := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{key}})
		v.Clock = dsig.NewFakeClockAt(now)
		// The library modifies the signature that it checks.
		if whole, err := v.Validate(e.Copy()); err == nil {
			return whole, nil
		}
	}
	return nil, errSAMLSignature
}

// oneAssertion returns the only assertion of a response.
func oneAssertion(response *etree.Element) (*etree.Element, error) {
	var found *etree.Element
	for _, c := range response.ChildElements() {
		switch {
		case isElement(c, samlAssertion, "EncryptedAssertion"):
			return nil, errors.New("encrypted assertions are not supported")
		case isElement(c, samlAssertion, "Assertion") && found != nil:
			return nil, errors.New("it has more than one assertion")
		case isElement(c, samlAssertion, "Assertion"):
			found = c
		}
	}
	if found == nil {
		return nil, errNoSAML
	}
	return found, nil
}

func isElement(e *etree.Element, space, tag string) bool {
	return e != nil && e.Tag == tag && e.NamespaceURI() == space
}

// child returns the first child element of a name, or nil.
func child(e *etree.Element, space, tag string) *etree.Element {
	if e == nil {
		return nil
	}
	for _, c := range e.ChildElements() {
		if isElement(c, space, tag) {
			return c
		}
	}
	return nil
}

func attr(e *etree.Element, name string) string {
	if e == nil {
		return ""
	}
	return e.SelectAttrValue(name, "")
}

func textOf(e *etree.Element) string {
	if e == nil {
		return ""
	}
	return strings.TrimSpace(e.Text())
}
