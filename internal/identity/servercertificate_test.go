package identity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
	"rollcall/internal/store"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  string
}

// issue creates a certificate that by signs. If by is nil, it signs itself.
func issue(t testing.TB, name string, ca bool, by *authority, end time.Time) *authority {
	t.Helper()
	a := &authority{key: ecKey(t)}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: began.Add(-time.Hour), NotAfter: end,
		IsCA: ca, BasicConstraintsValid: true,
	}
	parent, signer := a.cert, a.key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, parent, a.key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return a
}

func (a *authority) upload(t testing.TB, name string) *iam.UploadServerCertificateInput {
	return &iam.UploadServerCertificateInput{ServerCertificateName: &name, CertificateBody: &a.pem,
		PrivateKey: ptr(privatePEM(t, a.key))}
}

const (
	badCertificate = "Unable to parse certificate. Please ensure the certificate is in PEM format."
	badPrivateKey  = "Unable to parse private key. Please ensure the private key is in PEM format and is not encrypted."
	mismatch       = "The private key did not match the public key provided. Please verify the key material and " +
		"try again."
	expiredBody = "Certificate is no longer valid. The 'Not After' date restriction on the certificate has passed."
	badChain    = "Unable to validate certificate chain. The certificate chain must start with the immediate signing " +
		"certificate, followed by any intermediaries in order. The index within the chain of the invalid " +
		"certificate is: "
)

func TestServerCertificates(t *testing.T) {
	year := began.AddDate(1, 0, 0)
	one := issue(t, "one", false, nil, year)
	each(t, func(t *testing.T, w *world) {
		uploaded := w.clock.Now()
		in := one.upload(t, "Site")
		in.Path, in.CertificateBody = ptr("/cloudfront/a/"), ptr(strings.ReplaceAll(one.pem, "\n", "\r\n"))
		in.Tags = []types.Tag{{Key: ptr("b"), Value: ptr("2")}, {Key: ptr("a"), Value: ptr("1")}}
		sorted := []types.Tag{in.Tags[1], in.Tags[0]}
		got := must(t, w.root, w.UploadServerCertificate, in)
		id := got.ServerCertificateMetadata.ServerCertificateId
		if !regexp.MustCompile(`^ASCA[A-Z2-7]{17}$`).MatchString(*id) {
			t.Errorf("id %s", *id)
		}
		want := types.ServerCertificateMetadata{
			Arn: ptr("arn:aws:iam::" + account + ":server-certificate/cloudfront/a/Site"), Path: in.Path,
			ServerCertificateName: ptr("Site"),
			ServerCertificateId:   id, UploadDate: &uploaded, Expiration: &year,
		}
		sameAnswer(t, got, &iam.UploadServerCertificateOutput{ServerCertificateMetadata: &want, Tags: in.Tags})
		get := func(name string) *iam.GetServerCertificateOutput {
			t.Helper()
			return must(t, w.root, w.GetServerCertificate, &iam.GetServerCertificateInput{ServerCertificateName: &name})
		}
		sameAnswer(t, get("SITE").ServerCertificate,
			&types.ServerCertificate{ServerCertificateMetadata: &want,
				CertificateBody: ptr(strings.TrimSpace(*in.CertificateBody)), Tags: sorted})
		refused(t, w.root, w.UploadServerCertificate, one.upload(t, "site"), 409, "EntityAlreadyExists",
			"The Server Certificate with name site already exists.")

		// The same certificate may have several names.
		for _, name := range []string{"b", "A"} {
			must(t, w.root, w.UploadServerCertificate, one.upload(t, name))
		}
		bare := get("b").ServerCertificate
		if bare.Tags == nil || len(bare.Tags) > 0 || bare.CertificateChain != nil ||
			*bare.ServerCertificateMetadata.Path != "/" {
			t.Errorf("%+v", bare)
		}
		names := func(in *iam.ListServerCertificatesInput) (names []string, out *iam.ListServerCertificatesOutput) {
			t.Helper()
			out = must(t, w.root, w.ListServerCertificates, in)
			for _, c := range out.ServerCertificateMetadataList {
				names = append(names, *c.ServerCertificateName)
			}
			return names, out
		}
		first, page := names(&iam.ListServerCertificatesInput{MaxItems: ptr(int32(2))})
		rest, last := names(&iam.ListServerCertificatesInput{Marker: page.Marker})
		if strings.Join(first, " ") != "A b" || !page.IsTruncated || strings.Join(rest, " ") != "Site" ||
			last.IsTruncated || last.Marker != nil {
			t.Errorf("%q, %q", first, rest)
		}
		sameAnswer(t, last.ServerCertificateMetadataList[0], want)
		if below, _ := names(&iam.ListServerCertificatesInput{PathPrefix: ptr("/cloud")}); strings.Join(below,
			" ") != "Site" {
			t.Errorf("%q", below)
		}

		rename := func(name string, newName, newPath *string) *iam.UpdateServerCertificateInput {
			return &iam.UpdateServerCertificateInput{ServerCertificateName: &name,
				NewServerCertificateName: newName, NewPath: newPath}
		}
		must(t, w.root, w.UpdateServerCertificate, rename("site", ptr("Moved"), ptr("/x/")))
		want.Arn, want.Path, want.ServerCertificateName = ptr("arn:aws:iam::"+account+":server-certificate/x/Moved"),
			ptr("/x/"), ptr("Moved")
		sameAnswer(t, get("moved").ServerCertificate,
			&types.ServerCertificate{ServerCertificateMetadata: &want,
				CertificateBody: ptr(strings.TrimSpace(*in.CertificateBody)), Tags: sorted})
		must(t, w.root, w.UpdateServerCertificate, rename("moved", ptr("MOVED"), nil)) // its own name in another case
		must(t, w.root, w.UpdateServerCertificate, rename("moved", nil, nil))
		refused(t, w.root, w.UpdateServerCertificate, rename("moved", ptr("a"), nil), 409, "EntityAlreadyExists",
			"The Server Certificate with name a already exists.")

		must(t, w.root, w.TagServerCertificate,
			&iam.TagServerCertificateInput{ServerCertificateName: ptr("moved"),
				Tags: []types.Tag{{Key: ptr("c"), Value: ptr("3")}}})
		must(t, w.root, w.UntagServerCertificate,
			&iam.UntagServerCertificateInput{ServerCertificateName: ptr("moved"), TagKeys: []string{"a"}})
		tags := must(t, w.root, w.ListServerCertificateTags,
			&iam.ListServerCertificateTagsInput{ServerCertificateName: ptr("moved")})
		sameAnswer(t, tags.Tags, []types.Tag{sorted[1], {Key: ptr("c"), Value: ptr("3")}})

		must(t, w.root, w.DeleteServerCertificate,
			&iam.DeleteServerCertificateInput{ServerCertificateName: ptr("moved")})
		const nothing = "The Server Certificate with name moved cannot be found."
		refused(t, w.root, w.DeleteServerCertificate,
			&iam.DeleteServerCertificateInput{ServerCertificateName: ptr("moved")}, 404, "NoSuchEntity", nothing)
		refused(t, w.root, w.GetServerCertificate, &iam.GetServerCertificateInput{ServerCertificateName: ptr("moved")},
			404, "NoSuchEntity", nothing)
		refused(t, w.root, w.UpdateServerCertificate, rename("moved", nil, nil), 404, "NoSuchEntity", nothing)
		refused(t, w.root, w.TagServerCertificate,
			&iam.TagServerCertificateInput{ServerCertificateName: ptr("moved"), Tags: sorted},
			404, "NoSuchEntity", nothing)
		refused(t, w.root, w.UntagServerCertificate,
			&iam.UntagServerCertificateInput{ServerCertificateName: ptr("moved"), TagKeys: []string{"a"}},
			404, "NoSuchEntity", nothing)
		refused(t, w.root, w.ListServerCertificateTags,
			&iam.ListServerCertificateTagsInput{ServerCertificateName: ptr("moved")}, 404, "NoSuchEntity", nothing)
		if err := w.SetLimits(t.Context(), account, map[string]int{"ServerCertificatesPerAccount": 2}); err != nil {
			t.Fatal(err)
		}
		refused(t, w.root, w.UploadServerCertificate, one.upload(t, "c"), 409, "LimitExceeded",
			"Cannot exceed quota for ServerCertificatesPerAccount: 2")
		summary := must(t, w.root, w.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap
		if summary["ServerCertificates"] != 2 || summary["ServerCertificatesQuota"] != 2 {
			t.Errorf("%v", summary)
		}
	})
}

func TestUploadServerCertificateRefuses(t *testing.T) {
	year := began.AddDate(1, 0, 0)
	root := issue(t, "root", true, nil, year)
	middle := issue(t, "middle", true, root, year)
	other := issue(t, "other", true, root, year)
	leaf := issue(t, "leaf", false, middle, year)
	old := issue(t, "old", false, nil, began.Add(-time.Minute))
	alone := issue(t, "alone", false, nil, year)
	w := newWorld(t, store.Config{Memory: true}, identity.Config{})
	for name, c := range map[string]struct {
		cert          *authority
		body, key     string // used instead of the certificate's own
		chain         string
		code, message string // empty if there is no error
	}{
		"chain":           {leaf, "", "", middle.pem + root.pem, "", ""},
		"part of a chain": {leaf, "", "", "\n" + middle.pem + "\n\n", "", ""},
		"wrong order":     {leaf, "", "", root.pem + middle.pem, "MalformedCertificate", badChain + "-1"},
		"wrong second":    {leaf, "", "", middle.pem + alone.pem, "MalformedCertificate", badChain + "-1"},
		"wrong first":     {leaf, "", "", other.pem + root.pem, "MalformedCertificate", badChain + "0"},
		"itself in chain": {leaf, "", "", leaf.pem + middle.pem, "MalformedCertificate", badChain + "1"},
		"root twice":      {middle, "", "", root.pem + root.pem, "", ""},
		"text in chain":   {leaf, "", "", "middle\n" + middle.pem, "MalformedCertificate", ""},
		"no certificate": {leaf, "", "", strings.Replace(middle.pem, "MII", "XXX", 1) + middle.pem,
			"MalformedCertificate", ""},
		"no chain":         {leaf, "", "", "bad chain", "MalformedCertificate", ""},
		"key in chain":     {leaf, "", "", middle.pem + privatePEM(t, middle.key), "MalformedCertificate", ""},
		"another key":      {leaf, "", privatePEM(t, root.key), "", "KeyPairMismatch", mismatch},
		"key of RSA":       {leaf, "", privatePEM(t, rsaKey(t, 1024)), "", "KeyPairMismatch", mismatch},
		"no key":           {leaf, "", "x", "", "MalformedCertificate", badPrivateKey},
		"certificate here": {leaf, "", leaf.pem, "", "MalformedCertificate", badPrivateKey},
		"encrypted key": {leaf, "",
			"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n", "",
			"MalformedCertificate", badPrivateKey},
		"no body":     {leaf, "x", "", "", "MalformedCertificate", badCertificate},
		"key as body": {leaf, privatePEM(t, leaf.key), "", "", "MalformedCertificate", badCertificate},
		"two bodies":  {leaf, leaf.pem + middle.pem, "", "", "MalformedCertificate", badCertificate},
		"expired":     {old, "", "", "", "MalformedCertificate", expiredBody},
	} {
		t.Run(name, func(t *testing.T) {
			in := c.cert.upload(t, "x")
			if c.body != "" {
				in.CertificateBody = &c.body
			}
			if c.key != "" {
				in.PrivateKey = &c.key
			}
			if c.chain != "" {
				in.CertificateChain = &c.chain
			}
			if c.code != "" {
				refused(t, w.root, w.UploadServerCertificate, in, 400, c.code, c.message)
				return
			}
			must(t, w.root, w.UploadServerCertificate, in)
			got := must(t, w.root, w.GetServerCertificate,
				&iam.GetServerCertificateInput{ServerCertificateName: ptr("x")}).ServerCertificate
			if *got.CertificateChain != strings.TrimSpace(c.chain) {
				t.Errorf("chain %q", *got.CertificateChain)
			}
			must(t, w.root, w.DeleteServerCertificate,
				&iam.DeleteServerCertificateInput{ServerCertificateName: ptr("x")})
		})
	}
}

// Every kind of key that OpenSSL writes is accepted.
func TestServerCertificateKeys(t *testing.T) {
	w := newWorld(t, store.Config{Memory: true}, identity.Config{})
	rsa, ec := rsaKey(t, 2048), ecKey(t)
	ecDER, err := x509.MarshalECPrivateKey(ec.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key  crypto.Signer
		text string
	}{
		"rsa": {rsa, privatePEM(t, rsa)},
		"rsa-openssl": {rsa,
			string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsa)}))},
		"ec":         {ec, privatePEM(t, ec)},
		"ec-openssl": {ec, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: ecDER}))},
	} {
		body := certificate(t, c.key, began.AddDate(1, 0, 0))
		must(t, w.root, w.UploadServerCertificate,
			&iam.UploadServerCertificateInput{ServerCertificateName: &name,
				CertificateBody: &body, PrivateKey: &c.text})
	}
}
