package service_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// keyPair creates a certificate that is valid for a year, and its key.
func keyPair(t testing.TB, w *world, name string) (body, key *string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return signed(t, name, w.clock.Now(), private), &text
}

// samlMetadata returns the metadata of a provider that signs with a
// certificate.
func samlMetadata(body string) *string {
	block, _ := pem.Decode([]byte(body))
	text := strings.ReplaceAll(string(pem.EncodeToMemory(&pem.Block{Type: "X", Bytes: block.Bytes})),
		"-----BEGIN X-----\n", "")
	return ptr(`<?xml version="1.0"?>` + "\r\n" +
		`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"
		entityID="https://idp.example.com/saml?a=1&amp;b=ü"><IDPSSODescriptor
		protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor><KeyInfo
		xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` +
		strings.ReplaceAll(text, "-----END X-----\n", "") +
		`</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>` +
		strings.Repeat(" ", 400))
}

// Providers and certificates are transferred unchanged, whatever they contain.
func TestProviders(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		body, key := keyPair(t, w, "one")
		tags := []types.Tag{{Key: ptr("team"), Value: ptr("a")}}
		oidc := must(t, w.root.CreateOpenIDConnectProvider, &iam.CreateOpenIDConnectProviderInput{
			Url: ptr("https://idp.example.com/x"), ClientIDList: []string{"a&b", "ü"},
			ThumbprintList: []string{strings.Repeat("a", 40)}, Tags: tags}).OpenIDConnectProviderArn
		same(t, must(t, w.root.GetOpenIDConnectProvider,
			&iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: oidc}), &iam.GetOpenIDConnectProviderOutput{
			Url: ptr("idp.example.com/x"), ClientIDList: []string{"a&b", "ü"},
			ThumbprintList: []string{strings.Repeat("a", 40)}, CreateDate: ptr(began), Tags: tags})

		metadata := samlMetadata(*body)
		saml := must(t, w.root.CreateSAMLProvider,
			&iam.CreateSAMLProviderInput{Name: ptr("idp"), SAMLMetadataDocument: metadata, AddPrivateKey: key,
				Tags: tags}).SAMLProviderArn
		got := must(t, w.root.GetSAMLProvider, &iam.GetSAMLProviderInput{SAMLProviderArn: saml})
		if *got.SAMLMetadataDocument != *metadata || len(got.PrivateKeyList) != 1 ||
			!got.ValidUntil.Equal(began.AddDate(100, 0, 0)) {
			t.Errorf("%+v", got)
		}
		up := must(t, w.root.UploadServerCertificate,
			&iam.UploadServerCertificateInput{ServerCertificateName: ptr("one"), CertificateBody: body,
				PrivateKey: key, Tags: tags})
		same(t, must(t, w.root.GetServerCertificate,
			&iam.GetServerCertificateInput{ServerCertificateName: ptr("one")}).ServerCertificate,
			&types.ServerCertificate{ServerCertificateMetadata: up.ServerCertificateMetadata,
				CertificateBody: ptr(strings.TrimSpace(*body)), Tags: tags})
	})
}

// put adds an inline policy to a user.
func (w *world) put(t testing.TB, user, document string) {
	t.Helper()
	must(t, w.root.PutUserPolicy,
		&iam.PutUserPolicyInput{UserName: &user, PolicyName: ptr("p"), PolicyDocument: &document})
}

// Policies see the tags of the provider, and both names of a certificate that
// is renamed.
func TestProviderPermissions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	body, key := keyPair(t, w, "one")
	var arns []*string
	for _, team := range []string{"a", "b"} {
		tags := []types.Tag{{Key: ptr("team"), Value: &team}}
		arns = append(arns,
			must(t, w.root.CreateOpenIDConnectProvider,
				&iam.CreateOpenIDConnectProviderInput{Url: ptr("https://idp.example.com/" + team),
					Tags: tags}).OpenIDConnectProviderArn)
	}
	must(t, w.root.UploadServerCertificate,
		&iam.UploadServerCertificateInput{ServerCertificateName: ptr("one"), Path: ptr("/x/"),
			CertificateBody: body, PrivateKey: key})
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	denied := func(action, resource string) string {
		return "User: " + userPath + "/Ann is not authorized to perform: iam:" + action + " on resource: " + resource +
			" because no identity-based policy allows the iam:" + action + " action"
	}

	w.put(t, "Ann", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetOpenIDConnectProvider",`+
		`"Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"a"}}}}`)
	must(t, ann.GetOpenIDConnectProvider, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arns[0]})
	refused(t, ann.GetOpenIDConnectProvider, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arns[1]}, 403,
		"AccessDenied", denied("GetOpenIDConnectProvider", *arns[1]))

	// Creating a provider with tags also needs the permission to tag.
	w.put(t, "Ann", `{"Version":"2012-10-17","Statement":{"Effect":"Allow",`+
		`"Action":["iam:CreateOpenIDConnectProvider","iam:UpdateServerCertificate"],`+
		`"Resource":["arn:aws:iam::*:oidc-provider/*","arn:aws:iam::*:server-certificate/x/*"]}}`)
	in := &iam.CreateOpenIDConnectProviderInput{Url: ptr("https://idp.example.com/new")}
	must(t, ann.CreateOpenIDConnectProvider, in)
	in.Url, in.Tags = ptr("https://idp.example.com/new2"), []types.Tag{{Key: ptr("k"), Value: ptr("v")}}
	refused(t, ann.CreateOpenIDConnectProvider, in, 403, "AccessDenied",
		denied("TagOpenIDConnectProvider", oidcPath+"/idp.example.com/new2"))

	rename := &iam.UpdateServerCertificateInput{ServerCertificateName: ptr("one"),
		NewServerCertificateName: ptr("two"), NewPath: ptr("/y/")}
	refused(t, ann.UpdateServerCertificate, rename, 403, "AccessDenied",
		denied("UpdateServerCertificate", serverCertificatePath+"/y/two"))
	rename.NewPath = nil
	must(t, ann.UpdateServerCertificate, rename)
}

// A control policy applies to the next call, and to root.
func TestControlPolicies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
		w.user(t, "Ann")
		w.put(t, "Ann", everything)
		ann := w.asUser(t, "Ann")
		text := func(arn, how string) string {
			return "User: " + arn + " is not authorized to perform: iam:ListUsers on resource: " + userPath + "/ " + how
		}
		set := func(name, document string) {
			t.Helper()
			if err := w.IAM.PutControlPolicy(t.Context(), account, name, document); err != nil {
				t.Fatal(err)
			}
		}
		list := func(how string) {
			t.Helper()
			for arn, c := range map[string]clients{userPath + "/Ann": ann, rootARN: w.root} {
				if how == "" {
					must(t, c.ListUsers, &iam.ListUsersInput{})
					continue
				}
				refused(t, c.ListUsers, &iam.ListUsersInput{}, 403, "AccessDenied", text(arn, how))
			}
		}
		list("")
		set("reading", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}}`)
		list("because no service control policy allows the iam:ListUsers action")
		must(t, w.root.GetUser, &iam.GetUserInput{})
		must(t, ann.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
		set("everything", everything)
		list("")
		set("no-lists", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:List*","Resource":"*"}}`)
		list("with an explicit deny in a service control policy")
		if err := w.IAM.DeleteControlPolicy(t.Context(), account, "no-lists"); err != nil {
			t.Fatal(err)
		}
		list("")
	})
}
