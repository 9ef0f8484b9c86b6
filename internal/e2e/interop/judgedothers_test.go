//go:build interop

package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/e2e/e2etest"
)

// others creates all that is neither a user, a group, a role nor a policy.
func (b *builder) others() {
	ctx := b.t.Context()
	for name, role := range map[string]string{"profile-admin": "role-for-anybody", "profile-ec2": "role-for-ec2",
		"profile-without-role": ""} {
		b.must(b.iam.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: &name}))
		if role != "" {
			b.must(b.iam.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name,
				RoleName: &role}))
		}
	}
	b.must(b.iam.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://" + issuer), ClientIDList: []string{"sts.amazonaws.com"}}))
	b.must(b.iam.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{
		MinimumPasswordLength: aws.Int32(14), RequireNumbers: true, MaxPasswordAge: aws.Int32(120)}))
	body, _ := b.certificate("certificate-valid", time.Hour)
	b.must(b.iam.CreateSAMLProvider(ctx, &iam.CreateSAMLProviderInput{Name: aws.String("provider-saml"),
		SAMLMetadataDocument: aws.String(strings.ReplaceAll(samlMetadata, "CERTIFICATE", body))}))
	_, expires := b.certificate("certificate-expired", 3*time.Second)
	time.Sleep(time.Until(expires))
}

// certificate uploads a server certificate, and returns its body in base64 and when
// it ends.
func (b *builder) certificate(name string, valid time.Duration) (body string, end time.Time) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	e2etest.Must(b.t, err)
	end = time.Now().Add(valid)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	e2etest.Must(b.t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	e2etest.Must(b.t, err)
	b.must(b.iam.UploadServerCertificate(b.t.Context(), &iam.UploadServerCertificateInput{ServerCertificateName: &name,
		CertificateBody: aws.String(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		PrivateKey:      aws.String(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))}))
	return base64.StdEncoding.EncodeToString(der), end
}

const samlMetadata = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
    entityID="https://idp.example.com/saml">
  <md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
        <ds:X509Data><ds:X509Certificate>CERTIFICATE</ds:X509Certificate></ds:X509Data>
      </ds:KeyInfo>
    </md:KeyDescriptor>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
      Location="https://idp.example.com/saml/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
`
