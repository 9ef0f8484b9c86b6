package service_test

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
)

// The service gives every recorded refusal of AWS in the same words.
func TestRecordedRefusals(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	key := w.newAccount(t, identity.AccountSpec{ID: "111111111111"})
	w.root = w.as(key.ID, key.Secret.Reveal())
	one, two, three := ptr("user-1"), ptr("user-2"), ptr("user-3")
	for _, name := range []string{*one, *two, *three} {
		w.user(t, name)
	}
	w.asUser(t, *one)
	w.asUser(t, *one)
	must(t, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: one, Password: ptr(goodPassword)})
	must(t, w.root.EnableMFADevice, w.device(t, "assigned").enable(t, *one, w.clock.Now()))
	for _, name := range []string{"first", "second"} {
		must(t, w.root.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: one, CertificateBody: certificate(t, w, name)})
	}
	must(t, w.root.CreateServiceSpecificCredential,
		&iam.CreateServiceSpecificCredentialInput{UserName: three, ServiceName: ptr(codeCommit)})
	serverBody, serverKey := recordedProviders(t, w)
	recordedRoles(t, w)
	recordedPolicies(t, w)

	table, err := os.ReadFile("testdata/recorded.tsv")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		action, code, message, request := row[0], row[2], row[3], row[4]
		count++
		t.Run(action+" "+code, func(t *testing.T) {
			status, err := strconv.Atoi(row[1])
			if err != nil {
				t.Fatal(err)
			}
			request = strings.ReplaceAll(request, "CERTIFICATE", url.QueryEscape(*certificate(t, w, "third")))
			request = strings.NewReplacer("SERVERBODY", url.QueryEscape(*serverBody), "SERVERKEY",
				url.QueryEscape(*serverKey)).Replace(request)
			wants(t, w.raw(t, call(action, request)), status, code, message)
		})
	}
	if count < 50 {
		t.Errorf("%d rows in the table", count)
	}
}

// recordedProviders creates what the refusals for providers and server
// certificates need, and returns a certificate with its key.
func recordedProviders(t *testing.T, w *world) (body, key *string) {
	t.Helper()
	var tags []types.Tag
	for i := range 50 {
		tags = append(tags, types.Tag{Key: ptr(fmt.Sprintf("k%02d", i)), Value: ptr("v")})
	}
	must(t, w.root.CreateOpenIDConnectProvider,
		&iam.CreateOpenIDConnectProviderInput{Url: ptr("https://oidc-dup-04669428.example.com"), Tags: tags})
	body, key = keyPair(t, w, "server")
	must(t, w.root.UploadServerCertificate, &iam.UploadServerCertificateInput{ServerCertificateName: ptr("uploaded"),
		CertificateBody: body, PrivateKey: key})
	return body, key
}
