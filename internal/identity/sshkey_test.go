package identity_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

// One key in the forms that ssh-keygen prints: -y, -e -m PKCS8, -e -m PEM, and
// -E md5 -l.
const (
	vectorSSH = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCVLzRL4Wy6t7AN8JIwmOySVzwRzi3yOcz3Q/zynDToG512SHE7sK1yU/w1Ud" +
		"BrKB2QIK4vDxupseWT8azDuE84Rk/l8i8XcUtR3gCYP/WlgbfP4he29z3qMeNEALvrTtyuMYrgLRyOVPNcTGGaE+C06Y2msR4d9xsmYy2H" +
		"YYr9IoojcHzlWKFkyll1IAlBrene16YP9ynITItH5KATO1uZ3wPBHfDVNIXJqJwrbSBuJwPC1px1gnq/mK4Bnwk7oCf6Yn0A3Cr4R+Gbbs" +
		"I9YAWoylBUD/9mWD3XIkdnEevGxwUNEmmxGAEFmi7b925hPtSyKUCc0gUQqAwlzUPyqhXH"
	vectorPEM = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlS80S+FsurewDfCSMJjs
klc8Ec4t8jnM90P88pw06BuddkhxO7CtclP8NVHQaygdkCCuLw8bqbHlk/Gsw7hP
OEZP5fIvF3FLUd4AmD/1pYG3z+IXtvc96jHjRAC7607crjGK4C0cjlTzXExhmhPg
tOmNprEeHfcbJmMth2GK/SKKI3B85VihZMpZdSAJQa3p3temD/cpyEyLR+SgEztb
md8DwR3w1TSFyaicK20gbicDwtacdYJ6v5iuAZ8JO6An+mJ9ANwq+Efhm27CPWAF
qMpQVA//Zlg91yJHZxHrxscFDRJpsRgBBZou2/duYT7UsilAnNIFEKgMJc1D8qoV
xwIDAQAB
-----END PUBLIC KEY-----
`
	vectorPKCS1 = `-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAlS80S+FsurewDfCSMJjsklc8Ec4t8jnM90P88pw06BuddkhxO7Ct
clP8NVHQaygdkCCuLw8bqbHlk/Gsw7hPOEZP5fIvF3FLUd4AmD/1pYG3z+IXtvc9
6jHjRAC7607crjGK4C0cjlTzXExhmhPgtOmNprEeHfcbJmMth2GK/SKKI3B85Vih
ZMpZdSAJQa3p3temD/cpyEyLR+SgEztbmd8DwR3w1TSFyaicK20gbicDwtacdYJ6
v5iuAZ8JO6An+mJ9ANwq+Efhm27CPWAFqMpQVA//Zlg91yJHZxHrxscFDRJpsRgB
BZou2/duYT7UsilAnNIFEKgMJc1D8qoVxwIDAQAB
-----END RSA PUBLIC KEY-----
`
	vectorFingerprint = "d6:f2:60:6a:84:fc:cd:bd:93:95:d3:3d:65:52:e9:d6"
)

// rsaPublic creates a number with a given number of bits that looks like a
// public key.
func rsaPublic(t testing.TB, bits int, e int64) string {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits-1)))
	if err != nil {
		t.Fatal(err)
	}
	n.SetBit(n, bits-1, 1).SetBit(n, 0, 1)
	wire := ssh.Marshal(struct {
		Kind string
		E, N *big.Int
	}{"ssh-rsa", big.NewInt(e), n})
	return "ssh-rsa " + base64.StdEncoding.EncodeToString(wire)
}

func TestUploadSSHPublicKey(t *testing.T) {
	for name, body := range map[string]string{
		"SSH": vectorSSH, "with a comment": vectorSSH + " someone@some where\n", "PEM": vectorPEM,
		"PEM of PKCS 1": vectorPKCS1,
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.user(t, "Ann")
				uploaded := w.clock.Now()
				up := must(t, w.root, w.UploadSSHPublicKey,
					&iam.UploadSSHPublicKeyInput{UserName: ptr("ann"), SSHPublicKeyBody: &body})
				id := up.SSHPublicKey.SSHPublicKeyId
				if len(*id) != 20 || !strings.HasPrefix(*id, "APKA") {
					t.Errorf("id %s", *id)
				}
				want := types.SSHPublicKey{
					UserName: ptr("Ann"), SSHPublicKeyId: id,
					Fingerprint: ptr(vectorFingerprint), SSHPublicKeyBody: &body,
					Status: "Active", UploadDate: &uploaded,
				}
				if diff := cmp.Diff(want, *up.SSHPublicKey, ignoreSDK); diff != "" {
					t.Error(diff)
				}
				for encoding, body := range map[types.EncodingType]string{"SSH": vectorSSH, "PEM": vectorPEM} {
					want.SSHPublicKeyBody = &body
					got := must(t, w.root, w.GetSSHPublicKey,
						&iam.GetSSHPublicKeyInput{UserName: ptr("ANN"), SSHPublicKeyId: id, Encoding: encoding})
					if diff := cmp.Diff(want, *got.SSHPublicKey, ignoreSDK); diff != "" {
						t.Errorf("%s: %s", encoding, diff)
					}
				}
				// The same key in any form exists already. Another user may have it.
				for _, again := range []string{vectorSSH, vectorPEM, vectorPKCS1} {
					refused(t, w.root, w.UploadSSHPublicKey,
						&iam.UploadSSHPublicKeyInput{UserName: ptr("ann"), SSHPublicKeyBody: &again},
						400, "DuplicateSSHPublicKey", "Duplicate SSH public key uploaded.")
				}
				w.user(t, "bob")
				must(t, w.root, w.UploadSSHPublicKey,
					&iam.UploadSSHPublicKeyInput{UserName: ptr("bob"), SSHPublicKeyBody: &body})
			})
		})
	}
}

func TestSSHPublicKeyLifecycle(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		list := must(t, w.root, w.ListSSHPublicKeys, &iam.ListSSHPublicKeysInput{UserName: ptr("ann")})
		if list.SSHPublicKeys == nil || len(list.SSHPublicKeys) > 0 {
			t.Errorf("no keys are listed as %v, want an empty list", list.SSHPublicKeys)
		}
		uploaded := w.clock.Now()
		id := must(t, w.root, w.UploadSSHPublicKey,
			&iam.UploadSSHPublicKeyInput{UserName: ptr("ann"),
				SSHPublicKeyBody: ptr(vectorSSH)}).SSHPublicKey.SSHPublicKeyId
		w.clock.advance(time.Hour)
		must(t, w.root, w.UpdateSSHPublicKey,
			&iam.UpdateSSHPublicKeyInput{UserName: ptr("ann"), SSHPublicKeyId: id, Status: "Inactive"})
		must(t, w.root, w.UpdateUser, &iam.UpdateUserInput{UserName: ptr("ann"), NewUserName: ptr("Zoe")})
		list = must(t, w.asUser(t, "zoe"), w.ListSSHPublicKeys, &iam.ListSSHPublicKeysInput{})
		want := []types.SSHPublicKeyMetadata{
			{UserName: ptr("Zoe"), SSHPublicKeyId: id, Status: "Inactive", UploadDate: &uploaded}}
		if diff := cmp.Diff(want, list.SSHPublicKeys, ignoreSDK); diff != "" || list.IsTruncated {
			t.Error(diff)
		}
		must(t, w.root, w.DeleteSSHPublicKey, &iam.DeleteSSHPublicKeyInput{UserName: ptr("zoe"), SSHPublicKeyId: id})
		refused(t, w.root, w.DeleteSSHPublicKey, &iam.DeleteSSHPublicKeyInput{UserName: ptr("zoe"), SSHPublicKeyId: id},
			404, "NoSuchEntity", "The Public Key with id "+*id+" cannot be found.")
	})
}

func TestUploadSSHPublicKeyRefused(t *testing.T) {
	edPublic, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed, err := ssh.NewPublicKey(edPublic)
	if err != nil {
		t.Fatal(err)
	}
	toPEM := func(kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	pkix := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		return toPEM("PUBLIC KEY", der, err)
	}
	small := rsaKey(t, 1024)
	blob := strings.TrimPrefix(vectorSSH, "ssh-rsa ")
	cut := base64.StdEncoding.EncodeToString(must64(t, blob)[:200])
	longer := base64.StdEncoding.EncodeToString(append(must64(t, blob), 0))

	const unrecognized, unrecognizedText = "UnrecognizedPublicKeyEncoding", "Invalid public key uploaded."
	const invalid, invalidText = "InvalidPublicKey", "Invalid body for public key"
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		for name, test := range map[string]struct{ body, code, message string }{
			"text":           {"not a key", unrecognized, unrecognizedText},
			"kind alone":     {"ssh-rsa", unrecognized, unrecognizedText},
			"not base64":     {"ssh-rsa !!!!", unrecognized, unrecognizedText},
			"cut":            {"ssh-rsa " + cut, unrecognized, unrecognizedText},
			"too long":       {"ssh-rsa " + longer, unrecognized, unrecognizedText},
			"two keys":       {vectorSSH + "\n" + vectorSSH, unrecognized, unrecognizedText},
			"options before": {`command="ls" ` + vectorSSH, unrecognized, unrecognizedText},
			"Ed25519": {strings.TrimSpace(string(ssh.MarshalAuthorizedKey(ed))),
				unrecognized, unrecognizedText},
			"Ed25519 as RSA": {"ssh-rsa " + base64.StdEncoding.EncodeToString(ed.Marshal()),
				unrecognized, unrecognizedText},
			"Ed25519 in PEM": {pkix(edPublic), unrecognized, unrecognizedText},
			"EC in PEM":      {pkix(ecKey(t).Public()), unrecognized, unrecognizedText},
			"another kind as RSA": {"ssh-rsa " + base64.StdEncoding.EncodeToString(ssh.Marshal(struct {
				Kind, E, N string
			}{"ssh-xyz", "e", "n"})), unrecognized, unrecognizedText},
			"certificate": {vectorCertificate, unrecognized, unrecognizedText},
			"private key": {toPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small), nil),
				unrecognized, unrecognizedText},
			"PEM twice":                {vectorPEM + vectorPEM, unrecognized, unrecognizedText},
			"PEM without DER":          {toPEM("PUBLIC KEY", []byte("no DER"), nil), unrecognized, unrecognizedText},
			"1024 bits":                {rsaPublic(t, 1024, 65537), invalid, invalidText},
			"1024 bits in PEM":         {pkix(&small.PublicKey), invalid, invalidText},
			"2047 bits":                {rsaPublic(t, 2047, 65537), invalid, invalidText},
			"16385 bits":               {rsaPublic(t, 16385, 65537), invalid, invalidText},
			"even exponent":            {rsaPublic(t, 2048, 4), invalid, invalidText},
			"negative modulus":         {negativeKey(), invalid, invalidText},
			"exponent of 1 in PEM":     {pkix(&rsa.PublicKey{N: rsaKey(t, 2048).N, E: 1}), invalid, invalidText},
			"16384 bits, the most":     {rsaPublic(t, 16384, 65537), "", ""},
			"2048 bits, the fewest":    {rsaPublic(t, 2048, 3), "", ""},
			"tab before the comment":   {rsaPublic(t, 2048, 65537) + "\tcomment", "", ""},
			"white space at both ends": {"\n " + rsaPublic(t, 2048, 65537) + " \r\n", "", ""},
		} {
			t.Run(name, func(t *testing.T) {
				in := &iam.UploadSSHPublicKeyInput{UserName: ptr("ann"), SSHPublicKeyBody: &test.body}
				if test.code == "" {
					must(t, w.root, w.UploadSSHPublicKey, in)
					return
				}
				refused(t, w.root, w.UploadSSHPublicKey, in, 400, test.code, test.message)
			})
		}
	})
}

func must64(t testing.TB, s string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func negativeKey() string {
	n := new(big.Int).Lsh(big.NewInt(1), 2047)
	wire := ssh.Marshal(struct {
		Kind string
		E, N *big.Int
	}{"ssh-rsa", big.NewInt(65537), n.Neg(n)})
	return "ssh-rsa " + base64.StdEncoding.EncodeToString(wire)
}

func TestSSHPublicKeyRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		w.user(t, "bob")
		id := must(t, w.root, w.UploadSSHPublicKey,
			&iam.UploadSSHPublicKeyInput{UserName: ptr("ann"),
				SSHPublicKeyBody: ptr(vectorSSH)}).SSHPublicKey.SSHPublicKeyId
		const noUser = "The user with name nobody cannot be found."
		none, noKey := ptr("APKAXXXXXXXXXXXXXXXXX"), "The Public Key with id APKAXXXXXXXXXXXXXXXXX cannot be found."
		for _, test := range []struct {
			user, id *string
			message  string
		}{
			{ptr("nobody"), id, noUser},
			{ptr("ann"), none, noKey},
			{ptr("bob"), id, "User has no Public Key with id " + *id + "."},
		} {
			refused(t, w.root, w.GetSSHPublicKey,
				&iam.GetSSHPublicKeyInput{UserName: test.user, SSHPublicKeyId: test.id, Encoding: "SSH"}, 404,
				"NoSuchEntity", test.message)
			refused(t, w.root, w.UpdateSSHPublicKey,
				&iam.UpdateSSHPublicKeyInput{UserName: test.user, SSHPublicKeyId: test.id, Status: "Active"}, 404,
				"NoSuchEntity", test.message)
			refused(t, w.root, w.DeleteSSHPublicKey,
				&iam.DeleteSSHPublicKeyInput{UserName: test.user, SSHPublicKeyId: test.id}, 404,
				"NoSuchEntity", test.message)
		}
		refused(t, w.root, w.UploadSSHPublicKey,
			&iam.UploadSSHPublicKeyInput{UserName: ptr("nobody"), SSHPublicKeyBody: ptr("x")},
			404, "NoSuchEntity", noUser)
		refused(t, w.root, w.ListSSHPublicKeys, &iam.ListSSHPublicKeysInput{UserName: ptr("nobody")},
			404, "NoSuchEntity", noUser)
		refused(t, w.root, w.UpdateSSHPublicKey,
			&iam.UpdateSSHPublicKeyInput{UserName: ptr("ann"), SSHPublicKeyId: id, Status: "Expired"},
			400, "InvalidInput", "Operation does not support status Expired")
		refused(t, w.root, w.GetSSHPublicKey,
			&iam.GetSSHPublicKeyInput{UserName: ptr("ann"), SSHPublicKeyId: id, Encoding: "ssh"},
			400, "ValidationError",
			"1 validation error detected: Value at 'encoding' failed to satisfy constraint: Member must satisfy enum "+
				"value set: [SSH, PEM]")
	})
}

func TestUploadSSHPublicKeyLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		for range 5 {
			must(t, w.root, w.UploadSSHPublicKey,
				&iam.UploadSSHPublicKeyInput{UserName: ptr("ann"), SSHPublicKeyBody: ptr(rsaPublic(t, 2048, 3))})
		}
		refused(t, w.root, w.UploadSSHPublicKey,
			&iam.UploadSSHPublicKeyInput{UserName: ptr("ann"), SSHPublicKeyBody: ptr(vectorSSH)},
			409, "LimitExceeded", "Cannot exceed quota for SSHPublicKeysPerUser: 5")
		seen := map[string]bool{}
		in := &iam.ListSSHPublicKeysInput{UserName: ptr("ann"), MaxItems: ptr[int32](2)}
		for {
			out := must(t, w.root, w.ListSSHPublicKeys, in)
			for _, k := range out.SSHPublicKeys {
				seen[*k.SSHPublicKeyId] = true
			}
			if in.Marker = out.Marker; !out.IsTruncated {
				break
			}
		}
		if len(seen) != 5 {
			t.Errorf("%d keys on all pages", len(seen))
		}
	})
}
