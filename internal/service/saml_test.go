package service_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"rollcall/internal/service"
)

// samlIssuer is a SAML provider with its key and its certificate.
type samlIssuer struct {
	key         *rsa.PrivateKey
	certificate []byte
}

func (i *samlIssuer) GetKeyPair() (*rsa.PrivateKey, []byte, error) { return i.key, i.certificate, nil }

func newSAMLIssuer(t testing.TB) *samlIssuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: began.Add(-time.Hour),
		NotAfter: began.Add(1000 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &samlIssuer{key, certificate}
}

func (i *samlIssuer) metadata(more string) string {
	return `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com"` + more +
		`>` +
		`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor ` +
		`use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` +
		base64.StdEncoding.EncodeToString(i.certificate) + `</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" ` +
		`Location="https://idp.example.com/sso"/></IDPSSODescriptor></EntityDescriptor>` +
		strings.Repeat(" ", 600) // IAM requires a thousand characters
}

const (
	samlProviderARN = "arn:aws:iam::" + account + ":saml-provider/corp"
	awsSAML         = "https://signin.aws.amazon.com/saml"
)

// samlResponse returns an unsigned response with one assertion. Its attributes
// are name=value, in AWS's namespace.
func samlResponse(now time.Time, role string, attributes ...string) string {
	at := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339) }
	list := ""
	for _, a := range append([]string{"Role=" + role + "," + samlProviderARN, "RoleSessionName=ann"}, attributes...) {
		name, value, _ := strings.Cut(a, "=")
		list += `<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/` + name + `"><saml:AttributeValue>` +
			value + `</saml:AttributeValue></saml:Attribute>`
	}
	return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ` +
		`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r1" Version="2.0" IssueInstant="` + at(0) + `">` +
		`<saml:Issuer>https://idp.example.com</saml:Issuer><samlp:Status><samlp:StatusCode ` +
		`Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>` +
		`<saml:Assertion ID="_a1" Version="2.0" IssueInstant="` + at(0) +
		`"><saml:Issuer>https://idp.example.com</saml:Issuer>` +
		`<saml:Subject><saml:NameID ` +
		`Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">ann@example.com</saml:NameID>` +
		`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData ` +
		`Recipient="` + awsSAML + `" NotOnOrAfter="` + at(4*time.Minute) +
		`"/></saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions NotBefore="` + at(-time.Minute) + `" NotOnOrAfter="` + at(4*time.Minute) +
		`"><saml:AudienceRestriction><saml:Audience>` + awsSAML +
		`</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
		`<saml:AuthnStatement SessionNotOnOrAfter="` + at(2*time.Hour) + `"/>` +
		`<saml:AttributeStatement>` + list + `</saml:AttributeStatement></saml:Assertion></samlp:Response>`
}

// signWhole signs a response. signAssertion signs the assertion within it.
func (i *samlIssuer) signWhole(t testing.TB, response string) string {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(response); err != nil {
		t.Fatal(err)
	}
	signed, err := dsig.NewDefaultSigningContext(i).SignEnveloped(doc.Root())
	if err != nil {
		t.Fatal(err)
	}
	return written(t, signed)
}

func (i *samlIssuer) signAssertion(t testing.TB, response string) string {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(response); err != nil {
		t.Fatal(err)
	}
	assertion := doc.Root().SelectElement("Assertion")
	assertion.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
	by := dsig.NewDefaultSigningContext(i)
	by.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signed, err := by.SignEnveloped(assertion)
	if err != nil {
		t.Fatal(err)
	}
	doc.Root().RemoveChild(assertion)
	doc.Root().AddChild(signed)
	return written(t, doc.Root())
}

func written(t testing.TB, e *etree.Element) string {
	t.Helper()
	doc := etree.NewDocument()
	doc.SetRoot(e)
	text, err := doc.WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func encoded(response string) *string {
	return ptr(base64.StdEncoding.EncodeToString([]byte(response)))
}

// samlWorld returns a world with an account that has the issuer as its provider
// corp, and a role that trusts it under a condition.
func samlWorld(t testing.TB, i *samlIssuer, condition string) (w *world, role string) {
	t.Helper()
	w = newWorld(t, service.Config{})
	must(t, w.root.CreateSAMLProvider,
		&iam.CreateSAMLProviderInput{Name: ptr("corp"), SAMLMetadataDocument: ptr(i.metadata(""))})
	return w, w.role(t, "worker", `"Principal":{"Federated":"`+samlProviderARN+
		`"},"Action":["sts:AssumeRoleWithSAML","sts:TagSession","sts:SetSourceIdentity"],"Condition":`+condition)
}

func TestAssumeRoleWithSAML(t *testing.T) {
	t.Parallel()
	i := newSAMLIssuer(t)
	w, role := samlWorld(t, i, `{"StringEquals":{"SAML:aud":"`+awsSAML+
		`","SAML:iss":"https://idp.example.com","SAML:sub_type":"persistent","saml:doc":"`+account+`/corp"}}`)
	w.putRolePolicy(t, "worker",
		statement("Allow", `"iam:ListUsers"`,
			`,"Condition":{"StringEquals":{"saml:sub":"ann@example.com","aws:FederatedProvider":"`+samlProviderARN+
				`"}}`))
	nobody := w.anonymous()
	in := &sts.AssumeRoleWithSAMLInput{RoleArn: &role, PrincipalArn: ptr(samlProviderARN)}
	response := samlResponse(w.clock.Now(), role)
	for name, text := range map[string]string{"the response is signed": i.signWhole(t, response),
		"the assertion is signed": i.signAssertion(t, response),
		"both are":                i.signWhole(t, i.signAssertion(t, response))} {
		t.Run(name, func(t *testing.T) {
			in.SAMLAssertion = encoded(text)
			out := must(t, nobody.sts.AssumeRoleWithSAML, in)
			if *out.Subject != "ann@example.com" || *out.SubjectType != "persistent" ||
				*out.Issuer != "https://idp.example.com" || *out.Audience != awsSAML ||
				*out.NameQualifier != "cP5nBbMzHgSyhBYSlSDHYFyVqQY=" && len(*out.NameQualifier) != 28 ||
				*out.AssumedRoleUser.Arn != sessionARN("worker", "ann") ||
				!out.Credentials.Expiration.Equal(began.Add(time.Hour)) {
				t.Errorf("%+v", out)
			}
			must(t, w.asSession(out.Credentials).ListUsers, &iam.ListUsersInput{})
		})
	}
	in.SAMLAssertion = encoded(i.signWhole(t, response))
	// It does not last longer than the session with the provider.
	must(t, w.root.UpdateRole, &iam.UpdateRoleInput{RoleName: ptr("worker"), MaxSessionDuration: ptr(int32(4 * 3600))})
	in.DurationSeconds = ptr(int32(3 * 3600))
	if out := must(t, nobody.sts.AssumeRoleWithSAML, in); !out.Credentials.Expiration.Equal(began.Add(2 * time.Hour)) {
		t.Errorf("expires %v", out.Credentials.Expiration)
	}
	in.DurationSeconds = nil

	const denied = "Not authorized to perform sts:AssumeRoleWithSAML"
	other := w.role(t, "other", `"Principal":{"Federated":"`+samlProviderARN+`"},"Action":"sts:AssumeRoleWithSAML"`)
	in.RoleArn = &other // the assertion does not contain it
	refused(t, nobody.sts.AssumeRoleWithSAML, in, 403, "AccessDenied", denied)
	in.SAMLAssertion = encoded(i.signWhole(t, samlResponse(w.clock.Now(), other)))
	must(t, nobody.sts.AssumeRoleWithSAML, in)
	untrusting := w.role(t, "untrusting", `"Principal":{"AWS":"*"},"Action":"sts:AssumeRole"`)
	in.RoleArn, in.SAMLAssertion = &untrusting, encoded(i.signWhole(t, samlResponse(w.clock.Now(), untrusting)))
	refused(t, nobody.sts.AssumeRoleWithSAML, in, 403, "AccessDenied", denied)
	nowhere := rolePath + "/nowhere"
	in.RoleArn, in.SAMLAssertion = &nowhere, encoded(i.signWhole(t, samlResponse(w.clock.Now(), nowhere)))
	refused(t, nobody.sts.AssumeRoleWithSAML, in, 403, "AccessDenied", denied)
	in.PrincipalArn = ptr(samlPath + "/nobody")
	refused(t, nobody.sts.AssumeRoleWithSAML, in, 400, "InvalidIdentityToken", "Specified provider doesn't exist")
	in.PrincipalArn = ptr(strings.Replace(samlProviderARN, account, "222222222222", 1))
	refused(t, nobody.sts.AssumeRoleWithSAML, in, 400, "ValidationError", "Request ARN is invalid")
}

// Attributes contain session tags, transitive ones and a source identity.
func TestSAMLAttributes(t *testing.T) {
	t.Parallel()
	i := newSAMLIssuer(t)
	w, role := samlWorld(t, i,
		`{"StringEquals":{"aws:RequestTag/Team":"ops","sts:SourceIdentity":"ann","sts:RoleSessionName":"ann"},`+
			`"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"Team"}}`)
	w.putRolePolicy(t, "worker",
		statement("Allow", `"iam:ListUsers"`, `,"Condition":{"StringEquals":{"aws:PrincipalTag/Team":"ops"}}`))
	try := func(attributes ...string) (*sts.AssumeRoleWithSAMLOutput, failure) {
		out, err := w.anonymous().sts.AssumeRoleWithSAML(t.Context(),
			&sts.AssumeRoleWithSAMLInput{RoleArn: &role, PrincipalArn: ptr(samlProviderARN),
				SAMLAssertion: encoded(i.signWhole(t, samlResponse(w.clock.Now(), role, attributes...)))})
		return out, failureOf(err)
	}
	out, f := try("PrincipalTag:Team=ops", "TransitiveTagKeys=Team", "SourceIdentity=ann")
	if f != (failure{}) || *out.SourceIdentity != "ann" {
		t.Fatalf("%+v", f)
	}
	must(t, w.asSession(out.Credentials).ListUsers, &iam.ListUsersInput{})
	for attribute, want := range map[string]failure{
		"PrincipalTag:Team=dev": {403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML"},
		"RoleSessionName=two":   {400, "InvalidIdentityToken", "RoleSessionName is required in AuthnResponse"},
		"SourceIdentity=a b": {400, "InvalidIdentityToken",
			"SourceIdentity in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"},
		"PrincipalTag:=x": {400, "InvalidIdentityToken",
			"The session tag  must have one value, of at most 256 characters."},
		"PrincipalTag:aws:x=x": {400, "InvalidParameterValue",
			"Tag keys beginning with aws: are reserved for system use."},
		"TransitiveTagKeys=a": {400, "InvalidParameterValue",
			"The specified transitive tag key must be included in the requested tags."},
	} {
		if _, f := try(attribute); f != want {
			t.Errorf("%s: %+v", attribute, f)
		}
	}
}

// These responses are invalid. They include the known ways of smuggling another
// assertion past a signature.
func TestBadSAMLResponses(t *testing.T) {
	t.Parallel()
	i := newSAMLIssuer(t)
	w, role := samlWorld(t, i, `{}`)
	now := w.clock.Now()
	good := samlResponse(now, role)
	signed, signedAssertion := i.signWhole(t, good), i.signAssertion(t, good)
	replace := func(old, new string) string { return i.signWhole(t, strings.Replace(good, old, new, 1)) }
	cut := func(text, from, to string) string {
		a := strings.Index(text, from)
		return text[a : strings.Index(text, to)+len(to)]
	}
	honest := cut(signedAssertion, "<saml:Assertion", "</saml:Assertion>")
	evil := strings.NewReplacer("ann@example.com", "root@example.com", `ID="_a1"`, `ID="_evil"`).Replace(
		cut(good, "<saml:Assertion", "</saml:Assertion>"))
	envelope := strings.Replace(signedAssertion, honest, "%", 1)
	wrap := func(content string) string { return strings.Replace(envelope, "%", content, 1) }
	const badSignature, unusable = "Response signature invalid", "The SAML response cannot be used: "
	invalid := func(message string) failure { return failure{400, "InvalidIdentityToken", message} }
	for name, c := range map[string]struct {
		text string
		want failure
	}{
		"not signed":  {good, invalid(badSignature)},
		"another key": {newSAMLIssuer(t).signWhole(t, good), invalid(badSignature)},
		"a changed subject": {strings.Replace(signed, "ann@example.com", "root@example.com", 1),
			invalid(badSignature)},
		"a changed assertion": {
			strings.Replace(signedAssertion, "ann@example.com", "root@example.com", 1), invalid(badSignature)},
		"a second assertion": {wrap(evil + honest),
			invalid(unusable + "it has more than one assertion.")},
		"an unsigned one before": {wrap(evil), invalid(badSignature)},
		"the signed one within another": {
			wrap(strings.Replace(evil, "<saml:Subject>", "<saml:Advice>"+honest+"</saml:Advice><saml:Subject>", 1)),
			invalid(badSignature)},
		"the signature moved to another": {
			wrap(strings.Replace(evil, "</saml:Issuer>",
				"</saml:Issuer>"+cut(signedAssertion, "<ds:Signature", "</ds:Signature>"), 1)), invalid(badSignature)},
		"the signed one within the signature": {
			wrap(strings.Replace(evil, "</saml:Issuer>",
				"</saml:Issuer>"+strings.Replace(cut(signedAssertion, "<ds:Signature", "</ds:Signature>"),
					"</ds:Signature>", "<ds:Object>"+honest+"</ds:Object></ds:Signature>", 1),
				1)), invalid(badSignature)},
		"a comment in the subject": {
			i.signWhole(t, strings.Replace(good, "ann@example.com", "root<!---->@example.com", 1)),
			invalid(unusable + "it is not a SAML response.")},
		"a document type": {`<!DOCTYPE x [<!ENTITY e "x">]>` + signed,
			invalid(unusable + "it is not a SAML response.")},
		"an instruction": {`<?x y?>` + signed, invalid(unusable + "it is not a SAML response.")},
		"too deep": {strings.Repeat("<a>", 70) + strings.Repeat("</a>", 70),
			invalid(unusable + "it is not a SAML response.")},
		"too many": {"<a>" + strings.Repeat("<a/>", 10_001) + "</a>",
			invalid(unusable + "it is not a SAML response.")},
		"no XML":             {"what", invalid(unusable + "it is not a SAML response.")},
		"another document":   {"<x/>", invalid(unusable + "it is not a SAML response.")},
		"an assertion alone": {honest, invalid(unusable + "it is not a SAML response.")},
		"no assertion":       {i.signWhole(t, wrap("")), invalid(unusable + "it is not a SAML response.")},
		"no success": {replace("status:Success", "status:Responder"),
			invalid(unusable + "its status is not a success.")},
		"encrypted": {i.signWhole(t, wrap(`<saml:EncryptedAssertion/>`)),
			invalid(unusable + "encrypted assertions are not supported.")},
		"SHA-1": {strings.Replace(signed, "xmldsig-more#rsa-sha256", "xmldsig-more#ecdsa-sha1", 1),
			invalid(unusable + `it is signed by "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1".`)},
		"another issuer": {replace(`"><saml:Issuer>https://idp.example.com</saml:Issuer><saml:Subject>`,
			`"><saml:Issuer>https://other.example.com</saml:Issuer><saml:Subject>`),
			invalid("Issuer not present in specified provider")},
		"no issuer": {replace(`"><saml:Issuer>https://idp.example.com</saml:Issuer><saml:Subject>`,
			`"><saml:Subject>`), invalid(unusable + "it does not say who issued it, for whom and to whom.")},
		"no recipient": {replace(`Recipient="`+awsSAML+`"`, ""),
			invalid(unusable + "it does not say who issued it, for whom and to whom.")},
		"no bearer": {replace("cm:bearer", "cm:holder-of-key"),
			invalid(unusable + "it does not say who issued it, for whom and to whom.")},
		"for somebody else": {replace("<saml:Audience>"+awsSAML, "<saml:Audience>https://other.example.com"),
			invalid("The SAML response is not meant for AWS.")},
		"no date": {replace(`NotBefore="`, `NotBefore="x`),
			invalid(unusable + `parsing time "x` + now.Add(-time.Minute).Format(time.RFC3339) +
				`" as "2006-01-02T15:04:05Z07:00": cannot parse "x` +
				now.Add(-time.Minute).Format(time.RFC3339) + `" as "2006".`)},
		"not yet": {i.signWhole(t, samlResponse(now.Add(7*time.Minute), role)),
			invalid("The SAML response is not valid yet.")},
		"ended": {i.signWhole(t, samlResponse(now.Add(-4*time.Minute), role)),
			failure{400, "ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance"}},
		"old, and good for an hour": {
			i.signWhole(t, strings.ReplaceAll(samlResponse(now.Add(-5*time.Minute-time.Second), role),
				`NotOnOrAfter="`+now.Add(-time.Minute-time.Second).Format(time.RFC3339),
				`NotOnOrAfter="`+now.Add(time.Hour).Format(time.RFC3339))),
			failure{400, "ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.anonymous().sts.AssumeRoleWithSAML(t.Context(),
				&sts.AssumeRoleWithSAMLInput{RoleArn: &role, PrincipalArn: ptr(samlProviderARN),
					SAMLAssertion: encoded(c.text)})
			if got := failureOf(err); got != c.want {
				t.Errorf("\n got %+v\nwant %+v", got, c.want)
			}
		})
	}
	for _, text := range []string{signed, signedAssertion} {
		must(t, w.anonymous().sts.AssumeRoleWithSAML,
			&sts.AssumeRoleWithSAMLInput{RoleArn: &role, PrincipalArn: ptr(samlProviderARN),
				SAMLAssertion: encoded(text)})
	}
	// A provider that requires encryption accepts no other assertions.
	_, private := keyPair(t, w, "saml")
	must(t, w.root.UpdateSAMLProvider,
		&iam.UpdateSAMLProviderInput{SAMLProviderArn: ptr(samlProviderARN),
			AssertionEncryptionMode: types.AssertionEncryptionModeTypeRequired, AddPrivateKey: private})
	refused(t, w.anonymous().sts.AssumeRoleWithSAML,
		&sts.AssumeRoleWithSAMLInput{RoleArn: &role, PrincipalArn: ptr(samlProviderARN),
			SAMLAssertion: encoded(signed)},
		400, "InvalidIdentityToken", "The provider requires encrypted assertions, which are not supported by Rollcall.")
}

// callSAML is part of TestEveryActionSucceeds.
func callSAML(t *testing.T, w *world) {
	i := newSAMLIssuer(t)
	provider := must(t, w.root.CreateSAMLProvider,
		&iam.CreateSAMLProviderInput{Name: ptr("corp"), SAMLMetadataDocument: ptr(i.metadata(""))}).SAMLProviderArn
	arn := w.role(t, "r", `"Principal":{"Federated":"`+*provider+`"},"Action":"sts:AssumeRoleWithSAML"`)
	must(t, w.anonymous().sts.AssumeRoleWithSAML,
		&sts.AssumeRoleWithSAMLInput{RoleArn: &arn, PrincipalArn: provider,
			SAMLAssertion: encoded(i.signWhole(t, samlResponse(w.clock.Now(), arn)))})
	must(t, w.root.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("r")})
	must(t, w.root.DeleteSAMLProvider, &iam.DeleteSAMLProviderInput{SAMLProviderArn: provider})
}

// IAM accepts metadata without a certificate for signing. Nobody can sign in
// with it.
func TestSAMLMetadataWithoutSigner(t *testing.T) {
	t.Parallel()
	i := newSAMLIssuer(t)
	w, role := samlWorld(t, i, `{}`)
	must(t, w.root.UpdateSAMLProvider, &iam.UpdateSAMLProviderInput{SAMLProviderArn: ptr(samlProviderARN),
		SAMLMetadataDocument: ptr(strings.ReplaceAll(i.metadata(""), `use="signing"`, `use="encryption"`))})
	in := &sts.AssumeRoleWithSAMLInput{RoleArn: &role, PrincipalArn: ptr(samlProviderARN),
		SAMLAssertion: encoded(i.signWhole(t, samlResponse(w.clock.Now(), role)))}
	refused(t, w.anonymous().sts.AssumeRoleWithSAML, in, 400, "InvalidIdentityToken", "Response signature invalid")
}

// The metadata of a provider is valid until its validUntil.
func TestSAMLMetadataExpires(t *testing.T) {
	t.Parallel()
	i := newSAMLIssuer(t)
	w, role := samlWorld(t, i, `{}`)
	must(t, w.root.UpdateSAMLProvider, &iam.UpdateSAMLProviderInput{SAMLProviderArn: ptr(samlProviderARN),
		SAMLMetadataDocument: ptr(i.metadata(` validUntil="` + began.Add(time.Hour).Format(time.RFC3339) + `"`))})
	in := func() *sts.AssumeRoleWithSAMLInput {
		return &sts.AssumeRoleWithSAMLInput{RoleArn: &role, PrincipalArn: ptr(samlProviderARN),
			SAMLAssertion: encoded(i.signWhole(t, samlResponse(w.clock.Now(), role)))}
	}
	w.clock.advance(time.Hour - time.Second)
	must(t, w.anonymous().sts.AssumeRoleWithSAML, in())
	w.clock.advance(time.Second)
	refused(t, w.anonymous().sts.AssumeRoleWithSAML, in(), 400, "InvalidIdentityToken",
		"The metadata of the provider has expired.")
}
