package identity

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Every accepted key has the same content in both encodings.
func FuzzParseSSHKey(f *testing.F) {
	const key = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCVLzRL4Wy6t7AN8JIwmOySVzwRzi3yOcz3Q/zynDToG512SHE7sK1yU/w1Ud" +
		"BrKB2QIK4vDxupseWT8azDuE84Rk/l8i8XcUtR3gCYP/WlgbfP4he29z3qMeNEALvrTtyuMYrgLRyOVPNcTGGaE+C06Y2msR4d9xsmYy2H" +
		"YYr9IoojcHzlWKFkyll1IAlBrene16YP9ynITItH5KATO1uZ3wPBHfDVNIXJqJwrbSBuJwPC1px1gnq/mK4Bnwk7oCf6Yn0A3Cr4R+Gbbs" +
		"I9YAWoylBUD/9mWD3XIkdnEevGxwUNEmmxGAEFmi7b925hPtSyKUCc0gUQqAwlzUPyqhXH"
	pem, err := encodeSSHKey(key, types.EncodingTypePem)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key)
	f.Add(key + " a comment\n")
	f.Add(pem)
	f.Add(strings.ReplaceAll(pem, "PUBLIC", "RSA PUBLIC"))
	f.Add("ssh-rsa ")
	f.Fuzz(func(t *testing.T, body string) {
		key, err := parseSSHKey(body)
		if err != nil {
			return
		}
		row := newSSHKey(key)
		for _, encoding := range []types.EncodingType{types.EncodingTypeSsh, types.EncodingTypePem} {
			text, err := encodeSSHKey(row.Body, encoding)
			if err != nil {
				t.Fatalf("encode %s: %v", encoding, err)
			}
			again, err := parseSSHKey(text)
			if err != nil {
				t.Fatalf("read %s again: %v", encoding, err)
			}
			if newSSHKey(again) != row {
				t.Errorf("%s: %+v, was %+v", encoding, newSSHKey(again), row)
			}
		}
	})
}

// Every accepted certificate can be parsed and has an id.
func FuzzParseCertificate(f *testing.F) {
	f.Add("-----BEGIN CERTIFICATE-----\nMIIBejCCAR+gAwIBAgIUcjoYxSPXfDPHHH7niBsMKNEvCC0wCgYIKoZIzj0EAwIw\n" +
		"ETEPMA0GA1UEAwwGdmVjdG9yMCAXDTI2MTEyMzE1MDI1MVoYDzIxMjYxMDMwMTUw\n" +
		"MjUxWjARMQ8wDQYDVQQDDAZ2ZWN0b3IwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n" +
		"AATYxvYS80p4UT4lGqqiWXAywwXkxJVIGZUQjKEUbYAX1AZqD+VqIkAlEG78Hq9M\n" +
		"brTSoIDip3wIEVYZe43onIAzo1MwUTAdBgNVHQ4EFgQUyZ+BfLKmAq2Zils9kXDU\n" +
		"CgzphhowHwYDVR0jBBgwFoAUyZ+BfLKmAq2Zils9kXDUCgzphhowDwYDVR0TAQH/\n" +
		"BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAh6KltP/BpSGQs1hwnOGBWMgIlzt7\n" +
		"kxs6obSwIWEHUckCIQCP7nsjbQdg7uRHdXE+3faYGQAZgES+Y3L8TAVyV1SQlw==\n-----END CERTIFICATE-----\n")
	f.Add("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----")
	f.Add("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----")
	f.Fuzz(func(t *testing.T, body string) {
		c, err := parseCertificate(body)
		if err != nil {
			return
		}
		if id := certificateID(c); len(id) != 32 || strings.Count(body, "-----BEGIN") != 1 {
			t.Errorf("%q is taken for the certificate %s", body, id)
		}
	})
}
