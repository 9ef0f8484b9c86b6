package identity_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/samlmetadata"
	"rollcall/internal/store"
)

const samlARN = "arn:aws:iam::" + account + ":saml-provider/"

// metadata returns the metadata of a provider in the minimum length of IAM. The
// arguments are attributes of the root and the certificate.
func metadata(attributes, certificate string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/saml" ` + attributes + `>
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="encryption"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
      <ds:X509Certificate>not read</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
      <X509Certificate>` + certificate + `</X509Certificate></X509Data></KeyInfo></md:KeyDescriptor>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/saml/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
` + strings.Repeat(" ", 500)
}

// vectorBase64 is the certificate in the form that metadata use.
var vectorBase64 = strings.TrimSuffix(strings.TrimPrefix(vectorCertificate, "-----BEGIN CERTIFICATE-----"),
	"-----END CERTIFICATE-----\n")

func privatePEM(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// A provider has at most ten certificates, as IAM's quota says.
func TestSAMLProviderCertificates(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		with := func(n int) *string {
			one := "<X509Certificate>" + vectorBase64 + "</X509Certificate>"
			return ptr(strings.Replace(metadata("", vectorBase64), one, strings.Repeat(one, n), 1))
		}
		if m, err := samlmetadata.Parse(*with(11)); err != nil || len(m.Signing) != 11 {
			t.Fatalf("%d certificates, %v", len(m.Signing), err)
		}
		const over = "Cannot exceed quota for PublicKeysPerSAMLProvider: 10"
		refused(t, w.root, w.CreateSAMLProvider,
			&iam.CreateSAMLProviderInput{Name: ptr("a"), SAMLMetadataDocument: with(11)}, 409, "LimitExceeded", over)
		arn := must(t, w.root, w.CreateSAMLProvider,
			&iam.CreateSAMLProviderInput{Name: ptr("a"), SAMLMetadataDocument: with(10)}).SAMLProviderArn
		refused(t, w.root, w.UpdateSAMLProvider,
			&iam.UpdateSAMLProviderInput{SAMLProviderArn: arn, SAMLMetadataDocument: with(11)},
			409, "LimitExceeded", over)
		must(t, w.root, w.UpdateSAMLProvider,
			&iam.UpdateSAMLProviderInput{SAMLProviderArn: arn, SAMLMetadataDocument: with(1)})
	})
}

func TestSAMLProvider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		made := w.clock.Now()
		document := metadata("", vectorBase64)
		got := must(t, w.root, w.CreateSAMLProvider,
			&iam.CreateSAMLProviderInput{Name: ptr("Idp_1.x-y"), SAMLMetadataDocument: &document})
		arn := ptr(samlARN + "Idp_1.x-y")
		sameAnswer(t, got, &iam.CreateSAMLProviderOutput{SAMLProviderArn: arn})
		ending := metadata(`validUntil="2030-01-02T03:04:05Z"`, vectorBase64)
		tags := []types.Tag{{Key: ptr("b"), Value: ptr("2")}, {Key: ptr("a"), Value: ptr("1")}}
		sameAnswer(t, must(t, w.root, w.CreateSAMLProvider,
			&iam.CreateSAMLProviderInput{Name: ptr("a"), SAMLMetadataDocument: &ending, Tags: tags}),
			&iam.CreateSAMLProviderOutput{SAMLProviderArn: ptr(samlARN + "a"), Tags: tags})

		get := func(arn *string) *iam.GetSAMLProviderOutput {
			t.Helper()
			return must(t, w.root, w.GetSAMLProvider, &iam.GetSAMLProviderInput{SAMLProviderArn: arn})
		}
		// Lists are present even if they are empty. Providers are valid for a
		// hundred years, whatever their metadata say (recorded).
		uuid := get(arn).SAMLProviderUUID
		if len(*uuid) != 22 {
			t.Errorf("id %s", *uuid)
		}
		want := &iam.GetSAMLProviderOutput{
			SAMLProviderUUID: uuid, SAMLMetadataDocument: &document, CreateDate: &made,
			ValidUntil:              ptr(made.AddDate(100, 0, 0)),
			AssertionEncryptionMode: "Allowed", PrivateKeyList: []types.SAMLPrivateKey{}, Tags: []types.Tag{},
		}
		sameAnswer(t, get(arn), want)
		sameAnswer(t, must(t, w.root, w.ListSAMLProviders, &iam.ListSAMLProvidersInput{}).SAMLProviderList,
			[]types.SAMLProviderListEntry{
				{Arn: arn, CreateDate: &made, ValidUntil: want.ValidUntil},
				{Arn: ptr(samlARN + "a"), CreateDate: &made, ValidUntil: want.ValidUntil},
			})

		w.clock.advance(time.Hour)
		sameAnswer(t, must(t, w.root, w.UpdateSAMLProvider,
			&iam.UpdateSAMLProviderInput{SAMLProviderArn: arn, SAMLMetadataDocument: &ending}),
			&iam.UpdateSAMLProviderOutput{SAMLProviderArn: arn})
		want.SAMLMetadataDocument, want.ValidUntil = &ending, ptr(made.Add(time.Hour).AddDate(100, 0, 0))
		sameAnswer(t, get(arn), want)
		broken := metadata("", "x")
		for _, text := range []string{broken, strings.Repeat("x", 1000)} {
			refused(t, w.root, w.CreateSAMLProvider,
				&iam.CreateSAMLProviderInput{Name: ptr("c"), SAMLMetadataDocument: &text}, 400, "InvalidInput",
				"Could not parse metadata")
		}
		service := strings.ReplaceAll(document, "IDPSSODescriptor", "SPSSODescriptor")
		refused(t, w.root, w.CreateSAMLProvider,
			&iam.CreateSAMLProviderInput{Name: ptr("c"), SAMLMetadataDocument: &service}, 400, "InvalidInput",
			"SAML Providers must reference at least one SAML assertion issuer.")
		refused(t, w.root, w.UpdateSAMLProvider,
			&iam.UpdateSAMLProviderInput{SAMLProviderArn: arn, SAMLMetadataDocument: &broken}, 400, "InvalidInput",
			"Could not parse metadata")
		refused(t, w.root, w.CreateSAMLProvider,
			&iam.CreateSAMLProviderInput{Name: ptr("a"), SAMLMetadataDocument: &document}, 409, "EntityAlreadyExists",
			"SAMLProvider with name a already exists.")
		sameAnswer(t, get(arn), want)

		must(t, w.root, w.DeleteSAMLProvider, &iam.DeleteSAMLProviderInput{SAMLProviderArn: arn})
		noSAML(t, w, *arn, "NoSuchEntity", 404, "Manifest not found for arn "+*arn)
		noSAML(t, w, oidcARN+"x", "InvalidInput", 400, "ARN "+oidcARN+"x is not valid.")
		if err := w.SetLimits(t.Context(), account, map[string]int{"SAMLProvidersPerAccount": 1}); err != nil {
			t.Fatal(err)
		}
		refused(t, w.root, w.CreateSAMLProvider,
			&iam.CreateSAMLProviderInput{Name: ptr("c"), SAMLMetadataDocument: &document}, 409, "LimitExceeded",
			"Cannot exceed quota for SAMLProvidersPerAccount: 1")
	})
}

// noSAML calls every action on a provider that does not exist.
func noSAML(t *testing.T, w *world, arn, code string, status int, message string) {
	t.Helper()
	tag := []types.Tag{{Key: ptr("k"), Value: ptr("v")}}
	refused(t, w.root, w.GetSAMLProvider, &iam.GetSAMLProviderInput{SAMLProviderArn: &arn}, status, code, message)
	refused(t, w.root, w.UpdateSAMLProvider,
		&iam.UpdateSAMLProviderInput{SAMLProviderArn: &arn, AssertionEncryptionMode: "Allowed"}, status, code, message)
	refused(t, w.root, w.DeleteSAMLProvider, &iam.DeleteSAMLProviderInput{SAMLProviderArn: &arn}, status, code, message)
	refused(t, w.root, w.TagSAMLProvider, &iam.TagSAMLProviderInput{SAMLProviderArn: &arn, Tags: tag}, status, code,
		message)
	refused(t, w.root, w.UntagSAMLProvider, &iam.UntagSAMLProviderInput{SAMLProviderArn: &arn, TagKeys: []string{"k"}},
		status, code, message)
	refused(t, w.root, w.ListSAMLProviderTags, &iam.ListSAMLProviderTagsInput{SAMLProviderArn: &arn}, status, code,
		message)
}

func TestSAMLPrivateKeys(t *testing.T) {
	one, two, three := privatePEM(t, rsaKey(t, 2048)), privatePEM(t, rsaKey(t, 2048)), rsaKey(t, 2048)
	each(t, func(t *testing.T, w *world) {
		document := metadata("", vectorBase64)
		in := &iam.CreateSAMLProviderInput{Name: ptr("a"), SAMLMetadataDocument: &document,
			AssertionEncryptionMode: "Required"}
		refused(t, w.root, w.CreateSAMLProvider, in, 400, "ValidationError",
			"Unable to set assertion encryption mode to Required because no private key is provided.")
		in.AddPrivateKey = &one
		arn := must(t, w.root, w.CreateSAMLProvider, in).SAMLProviderArn
		keys := func() []types.SAMLPrivateKey {
			t.Helper()
			out := must(t, w.root, w.GetSAMLProvider, &iam.GetSAMLProviderInput{SAMLProviderArn: arn})
			if out.AssertionEncryptionMode != "Required" {
				t.Errorf("mode %s", out.AssertionEncryptionMode)
			}
			return out.PrivateKeyList
		}
		first := keys()
		if len(first) != 1 || len(*first[0].KeyId) != 22 || !first[0].Timestamp.Equal(began) {
			t.Errorf("%+v", first)
		}
		w.clock.advance(time.Hour)
		change := func(remove, add *string) *iam.UpdateSAMLProviderInput {
			return &iam.UpdateSAMLProviderInput{SAMLProviderArn: arn, RemovePrivateKey: remove, AddPrivateKey: add}
		}
		must(t, w.root, w.UpdateSAMLProvider, change(nil, &two))
		traditional := string(
			pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(three)}))
		refused(t, w.root, w.UpdateSAMLProvider, change(nil, &traditional), 409, "LimitExceeded",
			"Private key limit of 2 is reached.")
		refused(t, w.root, w.UpdateSAMLProvider, change(first[0].KeyId, &traditional), 400, "ValidationError",
			"Unable to add and remove private keys in the same request. Set a value for only one of the two "+
				"parameters.")
		refused(t, w.root, w.UpdateSAMLProvider, change(nil, nil), 400, "ValidationError",
			"Unable to update identity provider. No updates are defined for metadata or encryption assertion.")
		must(t, w.root, w.UpdateSAMLProvider, change(first[0].KeyId, nil))
		must(t, w.root, w.UpdateSAMLProvider, change(nil, &traditional))
		second := keys()
		if len(second) != 2 || *second[0].KeyId == *first[0].KeyId || *second[1].KeyId == *first[0].KeyId {
			t.Errorf("%+v", second)
		}
		refused(t, w.root, w.UpdateSAMLProvider, change(first[0].KeyId, nil), 404, "NoSuchEntity",
			"Private key with id "+*first[0].KeyId+" cannot be found.")
		must(t, w.root, w.UpdateSAMLProvider, change(second[0].KeyId, nil))
		refused(t, w.root, w.UpdateSAMLProvider, change(second[1].KeyId, nil), 400, "InvalidInput",
			"Failed to remove private key.")
		_, edward, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"x", vectorCertificate, privatePEM(t, edward), one + two} {
			refused(t, w.root, w.UpdateSAMLProvider, change(nil, &text), 400, "InvalidInput",
				"The private key is not valid.")
		}
		if n := len(keys()); n != 1 {
			t.Errorf("%d keys", n)
		}
		must(t, w.root, w.UpdateSAMLProvider,
			&iam.UpdateSAMLProviderInput{SAMLProviderArn: arn, RemovePrivateKey: second[1].KeyId,
				AssertionEncryptionMode: "Allowed"})
		// A key of ECDSA is accepted too (recorded).
		curve := ptr(privatePEM(t, ecKey(t)))
		must(t, w.root, w.CreateSAMLProvider,
			&iam.CreateSAMLProviderInput{Name: ptr("curve"), SAMLMetadataDocument: &document, AddPrivateKey: curve})
		// The store contains the key in sealed form.
		must(t, w.root, w.UpdateSAMLProvider, change(nil, &one))
		if err := w.db.View(t.Context(), func(tx *store.Tx) error {
			stored, err := tx.SAMLPrivateKeys(account, "a")
			if err != nil || len(stored) != 1 || strings.Contains(string(stored[0].Key), one[100:140]) {
				t.Errorf("%d keys, %v", len(stored), err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}
