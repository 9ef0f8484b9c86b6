package service_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base32"
	"encoding/pem"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/crypto/ssh"
)

// certificate creates a self-signed certificate that is valid for a year.
func certificate(t testing.TB, w *world, name string) *string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signed(t, name, w.clock.Now(), key)
}

func signed(t testing.TB, name string, from time.Time, key crypto.Signer) *string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: from,
		NotAfter: from.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	body := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return &body
}

func certificateID(body string) *string {
	block, _ := pem.Decode([]byte(body))
	sum := sha1.Sum(block.Bytes)
	return ptr(base32.StdEncoding.EncodeToString(sum[:]))
}

func TestSigningCertificates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		w.user(t, "bob")
		upload := func(user string, body *string) *iam.UploadSigningCertificateInput {
			return &iam.UploadSigningCertificateInput{UserName: &user, CertificateBody: body}
		}
		body := certificate(t, w, "one")
		id := certificateID(*body)
		want := types.SigningCertificate{UserName: ptr("Ann"), CertificateId: id, CertificateBody: body,
			Status: types.StatusTypeActive, UploadDate: ptr(began)}
		same(t, *must(t, w.root.UploadSigningCertificate, upload("ann", body)).Certificate, want)
		list := func() *iam.ListSigningCertificatesOutput {
			return must(t, w.root.ListSigningCertificates, &iam.ListSigningCertificatesInput{UserName: ptr("ann")})
		}
		update := func(user string, id *string, status types.StatusType) *iam.UpdateSigningCertificateInput {
			return &iam.UpdateSigningCertificateInput{UserName: &user, CertificateId: id, Status: status}
		}
		same(t, list(), &iam.ListSigningCertificatesOutput{Certificates: []types.SigningCertificate{want}})
		t.Run("again", func(t *testing.T) {
			must(t, w.root.UpdateSigningCertificate, update("ann", id, types.StatusTypeInactive))
			w.clock.advance(time.Hour)
			same(t, *must(t, w.root.UploadSigningCertificate, upload("ann", body)).Certificate, want)
			want := want
			want.Status = types.StatusTypeInactive // the stored certificate does not change
			same(t, list(), &iam.ListSigningCertificatesOutput{Certificates: []types.SigningCertificate{want}})
		})
		t.Run("refused", func(t *testing.T) {
			unknown := "The Certificate with id " + *id + " cannot be found."
			refused(t, w.root.UploadSigningCertificate, upload("bob", body), 409, "DuplicateCertificate",
				"Duplicate certificate uploaded.")
			refused(t, w.root.UpdateSigningCertificate, update("bob", id, types.StatusTypeActive),
				404, "NoSuchEntity", unknown)
			refused(t, w.root.UpdateSigningCertificate, update("ann", id, types.StatusTypeExpired), 400, "InvalidInput",
				"Operation does not support status Expired")
			refused(t, w.root.DeleteSigningCertificate,
				&iam.DeleteSigningCertificateInput{UserName: ptr("bob"), CertificateId: id},
				404, "NoSuchEntity", unknown)
			refused(t, w.root.UploadSigningCertificate, upload("ann", ptr("garbage")), 400, "MalformedCertificate",
				"Certificate garbage is malformed.")
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			expired := signed(t, "old", began.AddDate(-2, 0, 0), key)
			refused(t, w.root.UploadSigningCertificate, upload("ann", expired), 400, "MalformedCertificate",
				"Certificate "+strings.TrimSuffix(*expired, "\n")+"\n is malformed.")
			private := "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n" +
				"-----END PRIVATE KEY-----\n"
			refused(t, w.root.UploadSigningCertificate, upload("ann", &private), 400, "MalformedCertificate",
				"Certificate body is malformed.")
		})
		t.Run("quota", func(t *testing.T) {
			key, err := rsa.GenerateKey(rand.Reader, 1024)
			if err != nil {
				t.Fatal(err)
			}
			must(t, w.root.UploadSigningCertificate, upload("ann", signed(t, "rsa", w.clock.Now(), key)))
			refused(t, w.root.UploadSigningCertificate, upload("ann", certificate(t, w, "third")), 409, "LimitExceeded",
				"Cannot exceed quota for CertificatesPerUser: 2")
		})
		must(t, w.root.DeleteSigningCertificate,
			&iam.DeleteSigningCertificateInput{UserName: ptr("ann"), CertificateId: id})
		must(t, w.root.UploadSigningCertificate, upload("bob", body)) // available again
	})
}

// rsaKey creates a number that looks like an RSA public key, because a real one
// takes long.
func rsaKey(t testing.TB, bits int) *rsa.PublicKey {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits-1)))
	if err != nil {
		t.Fatal(err)
	}
	return &rsa.PublicKey{N: n.SetBit(n, bits-1, 1).SetBit(n, 0, 1), E: 65537}
}

func sshBody(t testing.TB, key *rsa.PublicKey) (ssh.PublicKey, string) {
	t.Helper()
	public, err := ssh.NewPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return public, strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(public)), "\n")
}

var sshKeyID = regexp.MustCompile(`^APKA[A-Z2-7]{16}$`)

func TestSSHPublicKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		w.user(t, "bob")
		upload := func(user, body string) *iam.UploadSSHPublicKeyInput {
			return &iam.UploadSSHPublicKeyInput{UserName: &user, SSHPublicKeyBody: &body}
		}
		key := rsaKey(t, 2048)
		public, body := sshBody(t, key)
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		inPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))

		got := must(t, w.root.UploadSSHPublicKey, upload("ann", body+" ann@laptop")).SSHPublicKey
		if !sshKeyID.MatchString(*got.SSHPublicKeyId) {
			t.Errorf("id %s", *got.SSHPublicKeyId)
		}
		want := types.SSHPublicKey{
			UserName: ptr("Ann"), SSHPublicKeyId: got.SSHPublicKeyId, SSHPublicKeyBody: ptr(body + " ann@laptop"),
			Fingerprint: ptr(ssh.FingerprintLegacyMD5(public)), Status: types.StatusTypeActive, UploadDate: ptr(began),
		}
		same(t, *got, want)
		get := func(user string, encoding types.EncodingType) *iam.GetSSHPublicKeyInput {
			return &iam.GetSSHPublicKeyInput{UserName: &user, SSHPublicKeyId: got.SSHPublicKeyId, Encoding: encoding}
		}
		want.SSHPublicKeyBody = &body
		same(t, *must(t, w.root.GetSSHPublicKey, get("ann", types.EncodingTypeSsh)).SSHPublicKey, want)
		want.SSHPublicKeyBody = &inPEM
		same(t, *must(t, w.root.GetSSHPublicKey, get("ann", types.EncodingTypePem)).SSHPublicKey, want)

		update := func(user string, status types.StatusType) *iam.UpdateSSHPublicKeyInput {
			return &iam.UpdateSSHPublicKeyInput{UserName: &user, SSHPublicKeyId: got.SSHPublicKeyId, Status: status}
		}
		must(t, w.root.UpdateSSHPublicKey, update("ann", types.StatusTypeInactive))
		same(t, must(t, w.root.ListSSHPublicKeys, &iam.ListSSHPublicKeysInput{UserName: ptr("ann")}),
			&iam.ListSSHPublicKeysOutput{
				SSHPublicKeys: []types.SSHPublicKeyMetadata{{UserName: ptr("Ann"), SSHPublicKeyId: got.SSHPublicKeyId,
					Status: types.StatusTypeInactive, UploadDate: ptr(began)}},
			})
		t.Run("refused", func(t *testing.T) {
			refused(t, w.root.UploadSSHPublicKey, upload("ann", inPEM), 400, "DuplicateSSHPublicKey",
				"Duplicate SSH public key uploaded.")
			refused(t, w.root.UploadSSHPublicKey, upload("ann", "ssh-rsa garbage"), 400,
				"UnrecognizedPublicKeyEncoding", "Invalid public key uploaded.")
			_, short := sshBody(t, rsaKey(t, 2047))
			refused(t, w.root.UploadSSHPublicKey, upload("ann", short), 400, "InvalidPublicKey",
				"Invalid body for public key")
			refused(t, w.root.UpdateSSHPublicKey, update("ann", types.StatusTypeExpired), 400, "InvalidInput",
				"Operation does not support status Expired")
			refused(t, w.root.GetSSHPublicKey, get("ann", "DER"), 400, "ValidationError",
				"1 validation error detected: Value at 'encoding' failed to satisfy constraint: Member must satisfy "+
					"enum value set: [SSH, PEM]")
			foreign := "User has no Public Key with id " + *got.SSHPublicKeyId + "."
			refused(t, w.root.GetSSHPublicKey, get("bob", types.EncodingTypeSsh), 404, "NoSuchEntity", foreign)
			refused(t, w.root.UpdateSSHPublicKey, update("bob", types.StatusTypeActive), 404, "NoSuchEntity", foreign)
			refused(t, w.root.DeleteSSHPublicKey,
				&iam.DeleteSSHPublicKeyInput{UserName: ptr("bob"), SSHPublicKeyId: got.SSHPublicKeyId},
				404, "NoSuchEntity", foreign)
		})
		must(t, w.root.UploadSSHPublicKey, upload("bob", inPEM)) // another user may have the same key
		must(t, w.root.DeleteSSHPublicKey,
			&iam.DeleteSSHPublicKeyInput{UserName: ptr("ann"), SSHPublicKeyId: got.SSHPublicKeyId})
		refused(t, w.root.GetSSHPublicKey, get("ann", types.EncodingTypeSsh), 404, "NoSuchEntity",
			"The Public Key with id "+*got.SSHPublicKeyId+" cannot be found.")
	})
}

func TestSSHPublicKeysPerUser(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	if err := w.IAM.SetLimits(t.Context(), account, map[string]int{"SSHPublicKeysPerUser": 1}); err != nil {
		t.Fatal(err)
	}
	w.user(t, "u")
	for i := range 2 {
		_, body := sshBody(t, rsaKey(t, 2048))
		_, err := w.root.UploadSSHPublicKey(t.Context(),
			&iam.UploadSSHPublicKeyInput{UserName: ptr("u"), SSHPublicKeyBody: &body})
		want := []failure{{}, {409, "LimitExceeded", "Cannot exceed quota for SSHPublicKeysPerUser: 1"}}[i]
		if got := failureOf(err); got != want {
			t.Errorf("key %d: got %+v, want %+v", i, got, want)
		}
	}
}
