package identity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

// A certificate that OpenSSL created, which becomes valid five hours after the
// tests begin, and its id by sha1sum and base32.
const (
	vectorCertificate = `-----BEGIN CERTIFICATE-----
MIIBejCCAR+gAwIBAgIUcjoYxSPXfDPHHH7niBsMKNEvCC0wCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGdmVjdG9yMCAXDTI2MTEyMzE1MDI1MVoYDzIxMjYxMDMwMTUw
MjUxWjARMQ8wDQYDVQQDDAZ2ZWN0b3IwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATYxvYS80p4UT4lGqqiWXAywwXkxJVIGZUQjKEUbYAX1AZqD+VqIkAlEG78Hq9M
brTSoIDip3wIEVYZe43onIAzo1MwUTAdBgNVHQ4EFgQUyZ+BfLKmAq2Zils9kXDU
CgzphhowHwYDVR0jBBgwFoAUyZ+BfLKmAq2Zils9kXDUCgzphhowDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAh6KltP/BpSGQs1hwnOGBWMgIlzt7
kxs6obSwIWEHUckCIQCP7nsjbQdg7uRHdXE+3faYGQAZgES+Y3L8TAVyV1SQlw==
-----END CERTIFICATE-----
`
	vectorCertificateID = "7ESBBR5RU534VZ4ZS3L4WGCCCNV4FBO2"
)

// certificate creates a self-signed certificate that ends at a given time.
func certificate(t testing.TB, key crypto.Signer, end time.Time) string {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	spec := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "test"}, NotBefore: began.Add(-time.Hour), NotAfter: end,
	}
	der, err := x509.CreateCertificate(rand.Reader, spec, spec, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func ecKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestUploadSigningCertificate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		uploaded := w.clock.Now()
		// Whatever its line ends, the body comes back byte for byte.
		body := strings.ReplaceAll(vectorCertificate, "\n", "\r\n")
		up := must(t, w.root, w.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: ptr("ann"), CertificateBody: &body})
		want := types.SigningCertificate{
			UserName: ptr("Ann"), CertificateId: ptr(vectorCertificateID), CertificateBody: &body,
			Status: "Active", UploadDate: &uploaded,
		}
		if diff := cmp.Diff(want, *up.Certificate, ignoreSDK); diff != "" {
			t.Error(diff)
		}
		update := &iam.UpdateSigningCertificateInput{UserName: ptr("Ann"),
			CertificateId: ptr(vectorCertificateID), Status: "Inactive"}
		must(t, w.root, w.UpdateSigningCertificate, update)

		// The same certificate again is unchanged, although the answer says
		// Active.
		w.clock.advance(time.Hour)
		again := must(t, w.root, w.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: ptr("Ann"), CertificateBody: &body})
		if diff := cmp.Diff(want, *again.Certificate, ignoreSDK); diff != "" {
			t.Error(diff)
		}
		want.Status = "Inactive"
		list := must(t, w.root, w.ListSigningCertificates, &iam.ListSigningCertificatesInput{UserName: ptr("Ann")})
		if diff := cmp.Diff([]types.SigningCertificate{want}, list.Certificates, ignoreSDK); diff != "" ||
			list.IsTruncated {
			t.Error(diff)
		}
		must(t, w.root, w.DeleteSigningCertificate,
			&iam.DeleteSigningCertificateInput{UserName: ptr("Ann"), CertificateId: ptr(vectorCertificateID)})
		list = must(t, w.root, w.ListSigningCertificates, &iam.ListSigningCertificatesInput{UserName: ptr("Ann")})
		if list.Certificates == nil || len(list.Certificates) > 0 {
			t.Errorf("after the deletion: %v, want an empty list", list.Certificates)
		}
	})
}

// For root and users, a call without a user name means the caller.
func TestSigningCertificateOfCaller(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		up := must(t, w.root, w.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{CertificateBody: ptr(vectorCertificate)})
		if up.Certificate.UserName != nil {
			t.Errorf("root's certificate is of %q", *up.Certificate.UserName)
		}
		w.user(t, "ann")
		ann := w.asUser(t, "ann")
		refused(t, ann, w.DeleteSigningCertificate,
			&iam.DeleteSigningCertificateInput{CertificateId: ptr(vectorCertificateID)},
			404, "NoSuchEntity", "The Certificate with id "+vectorCertificateID+" cannot be found.")
		must(t, w.root, w.UpdateSigningCertificate,
			&iam.UpdateSigningCertificateInput{CertificateId: ptr(vectorCertificateID), Status: "Inactive"})
		must(t, w.root, w.DeleteSigningCertificate,
			&iam.DeleteSigningCertificateInput{CertificateId: ptr(vectorCertificateID)})
		must(t, ann, w.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{CertificateBody: ptr(vectorCertificate)})
		if list := must(t, ann, w.ListSigningCertificates,
			&iam.ListSigningCertificatesInput{}); len(list.Certificates) != 1 {
			t.Errorf("ann has %d certificates", len(list.Certificates))
		}
	})
}

func TestUploadSigningCertificateAccepted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		for name, body := range map[string]string{
			"EC":            certificate(t, ecKey(t), began.Add(time.Hour)),
			"RSA 1024":      certificate(t, rsaKey(t, 1024), began.Add(time.Hour)),
			"not valid yet": vectorCertificate,
			"last moment":   certificate(t, ecKey(t), began),
			"no newline":    strings.TrimSpace(certificate(t, ecKey(t), began.Add(time.Hour))),
		} {
			up := must(t, w.root, w.UploadSigningCertificate,
				&iam.UploadSigningCertificateInput{UserName: ptr("ann"), CertificateBody: &body})
			if *up.Certificate.CertificateBody != body {
				t.Errorf("%s: the body is not as it was", name)
			}
			must(t, w.root, w.DeleteSigningCertificate,
				&iam.DeleteSigningCertificateInput{UserName: ptr("ann"), CertificateId: up.Certificate.CertificateId})
		}
	})
}

func TestUploadSigningCertificateMalformed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		good := certificate(t, ecKey(t), began.Add(time.Hour))
		lines := strings.SplitAfter(good, "\n")
		for name, body := range map[string]string{
			"no PEM":          "invalid-certificate-body",
			"text":            "not a certificate",
			"expired":         certificate(t, ecKey(t), began.Add(-time.Second)),
			"two":             good + vectorCertificate,
			"text before":     "subject=CN\n" + good,
			"text behind":     good + "x",
			"another type":    strings.ReplaceAll(good, "CERTIFICATE", "TRUSTED CERTIFICATE"),
			"a line too few":  strings.Join(append(lines[:2:2], lines[3:]...), ""),
			"no end":          strings.Join(lines[:len(lines)-2], ""),
			"not DER":         string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no DER")})),
			"a broken before": "-----BEGIN CERTIFICATE-----\n!\n" + good,
		} {
			t.Run(name, func(t *testing.T) {
				refused(t, w.root, w.UploadSigningCertificate,
					&iam.UploadSigningCertificateInput{UserName: ptr("ann"), CertificateBody: &body},
					400, "MalformedCertificate", "Certificate "+body+" is malformed.")
			})
		}
		// Errors are logged, so they must not repeat a private key that was
		// sent by mistake.
		private := "-----BEGIN RSA PRIVATE KEY-----\nsecret\n-----END RSA PRIVATE KEY-----"
		refused(t, w.root, w.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: ptr("ann"), CertificateBody: &private},
			400, "MalformedCertificate", "Certificate body is malformed.")
		if list := must(t, w.root, w.ListSigningCertificates,
			&iam.ListSigningCertificatesInput{UserName: ptr("ann")}); len(list.Certificates) > 0 {
			t.Error("something of it was stored")
		}
	})
}

func TestSigningCertificateRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		w.user(t, "bob")
		must(t, w.root, w.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: ptr("ann"), CertificateBody: ptr(vectorCertificate)})

		nobody, id := ptr("nonexistent-user"), ptr("NONEXISTENTCERTID12345678901")
		const noUser = "The user with name nonexistent-user cannot be found."
		const noCert = "The Certificate with id NONEXISTENTCERTID12345678901 cannot be found."
		refused(t, w.root, w.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: nobody, CertificateBody: ptr("x")},
			404, "NoSuchEntity", noUser)
		refused(t, w.root, w.ListSigningCertificates, &iam.ListSigningCertificatesInput{UserName: nobody},
			404, "NoSuchEntity", noUser)
		refused(t, w.root, w.DeleteSigningCertificate,
			&iam.DeleteSigningCertificateInput{UserName: nobody, CertificateId: id}, 404, "NoSuchEntity", noUser)
		refused(t, w.root, w.UpdateSigningCertificate,
			&iam.UpdateSigningCertificateInput{UserName: nobody, CertificateId: id, Status: "Active"},
			404, "NoSuchEntity", noUser)
		refused(t, w.root, w.DeleteSigningCertificate,
			&iam.DeleteSigningCertificateInput{UserName: ptr("ann"), CertificateId: id}, 404, "NoSuchEntity", noCert)
		refused(t, w.root, w.UpdateSigningCertificate,
			&iam.UpdateSigningCertificateInput{UserName: ptr("ann"), CertificateId: id, Status: "Active"},
			404, "NoSuchEntity", noCert)
		refused(t, w.root, w.UpdateSigningCertificate,
			&iam.UpdateSigningCertificateInput{UserName: ptr("bob"),
				CertificateId: ptr(vectorCertificateID), Status: "Active"},
			404, "NoSuchEntity", "The Certificate with id "+vectorCertificateID+" cannot be found.")
		refused(t, w.root, w.UpdateSigningCertificate,
			&iam.UpdateSigningCertificateInput{UserName: ptr("ann"),
				CertificateId: ptr(vectorCertificateID), Status: "Expired"},
			400, "InvalidInput", "Operation does not support status Expired")
		refused(t, w.root, w.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: ptr("bob"), CertificateBody: ptr(vectorCertificate)},
			409, "DuplicateCertificate", "Duplicate certificate uploaded.")
		must(t, w.root, w.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: ptr("ann"),
				CertificateBody: ptr(certificate(t, ecKey(t), began.Add(time.Hour)))})
		third := certificate(t, ecKey(t), began.Add(time.Hour))
		refused(t, w.root, w.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: ptr("ann"), CertificateBody: &third},
			409, "LimitExceeded", "Cannot exceed quota for CertificatesPerUser: 2")
		// Uploading an existing certificate does not add one.
		must(t, w.root, w.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: ptr("ann"), CertificateBody: ptr(vectorCertificate)})
	})
}

func TestListSigningCertificatesPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		ids := map[string]bool{}
		for range 2 {
			up := must(t, w.root, w.UploadSigningCertificate, &iam.UploadSigningCertificateInput{
				UserName: ptr("ann"), CertificateBody: ptr(certificate(t, ecKey(t), began.Add(time.Hour))),
			})
			ids[*up.Certificate.CertificateId] = true
		}
		first := must(t, w.root, w.ListSigningCertificates,
			&iam.ListSigningCertificatesInput{UserName: ptr("ann"), MaxItems: ptr[int32](1)})
		second := must(t, w.root, w.ListSigningCertificates,
			&iam.ListSigningCertificatesInput{UserName: ptr("ann"), Marker: first.Marker})
		all := append(first.Certificates, second.Certificates...)
		if !first.IsTruncated || second.IsTruncated || second.Marker != nil || len(all) != 2 {
			t.Fatalf("pages of %d and %d", len(first.Certificates), len(second.Certificates))
		}
		if a, b := *all[0].CertificateId, *all[1].CertificateId; !ids[a] || !ids[b] || a >= b {
			t.Errorf("listed %s, want %v in order", fmt.Sprint(a, b), ids)
		}
	})
}
