package service_test

import (
	"encoding/base32"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/service"
	"rollcall/internal/storetest"
)

// No secret that the service has received appears in its output: the trail, the
// log, the answers to bad requests, and every byte of the store.
func TestNoSecretIsWritten(t *testing.T) {
	t.Parallel()
	cfg := storetest.SQLite(t)
	w := newWorld(t, service.Config{Store: cfg})
	var said []string // the answers to bad requests
	fails := func(a answer) {
		t.Helper()
		if a.status < 400 {
			t.Errorf("not refused: %s", a.body)
		}
		said = append(said, a.body)
	}
	name := ptr("Ann")
	w.user(t, *name)
	secrets := map[string]string{"root key": w.root.key, "password": "Kanarienvogel-1",
		"other password": "Papagei-Papagei-2", "refused password": "tukan", "typed twice": "Wellensittich-3"}

	ann := w.asUser(t, *name)
	secrets["access key"] = ann.key
	must(t, w.root.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{AllowUsersToChangePassword: true,
		MinimumPasswordLength: ptr(int32(8)), PasswordReusePrevention: ptr(int32(5))})
	must(t, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: name, Password: ptr(secrets["password"])})
	must(t, ann.ChangePassword,
		&iam.ChangePasswordInput{OldPassword: ptr(secrets["password"]), NewPassword: ptr(secrets["other password"])})
	fails(w.raw(t, call("UpdateLoginProfile", "UserName=Ann&Password="+secrets["refused password"])))
	fails(w.raw(t, call("UpdateLoginProfile", "UserName=Ann&Password="+secrets["other password"])))
	fails(w.raw(t, call("UpdateLoginProfile", "UserName=Ann&Password="+secrets["typed twice"]+
		"&Password="+secrets["typed twice"])))
	fails(w.raw(t, call("UpdateLoginProfile", "UserName=Ann&Password.x="+secrets["typed twice"])))
	// one character too many
	fails(w.raw(t, call("UpdateLoginProfile", "UserName=Ann&Password="+secrets["typed twice"]+"%D0%A9")))
	fails(w.raw(t, call("ChangePassword", "OldPassword="+secrets["typed twice"]+"&NewPassword="+
		strings.Repeat(secrets["typed twice"], 10))))

	phone := w.enabledDevice(t, *name)
	secrets["seed"] = phone.seed
	raw, err := base32.StdEncoding.DecodeString(phone.seed)
	if err != nil {
		t.Fatal(err)
	}
	secrets["seed in bytes"] = string(raw)
	for what, code := range map[string]*string{"code 1": phone.code(t, w.clock.Now()),
		"code 2": phone.code(t, w.clock.Now().Add(step))} {
		secrets[what] = "Code=" + *code // the digits alone could be part of anything
	}
	fails(w.raw(t, call("ResyncMFADevice", "UserName=Ann&SerialNumber="+phone.serial+"&AuthenticationCode1="+
		*phone.code(t, w.clock.Now())+"&AuthenticationCode2=000000")))

	service := must(t, w.root.CreateServiceSpecificCredential,
		&iam.CreateServiceSpecificCredentialInput{UserName: name,
			ServiceName: ptr(codeCommit)}).ServiceSpecificCredential
	secrets["service password"] = *service.ServicePassword
	secrets["reset service password"] = *must(t, w.root.ResetServiceSpecificCredential,
		&iam.ResetServiceSpecificCredentialInput{ServiceSpecificCredentialId: service.ServiceSpecificCredentialId,
			UserName: name}).ServiceSpecificCredential.ServicePassword

	const private = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKanarienvogelprivat"
	secrets["private key"] = private
	block := "-----BEGIN PRIVATE KEY-----%0A" + private + "%0A-----END PRIVATE KEY-----%0A"
	fails(w.raw(t, call("UploadSigningCertificate", "UserName=Ann&CertificateBody="+block)))
	fails(w.raw(t, call("UploadSSHPublicKey", "UserName=Ann&SSHPublicKeyBody="+block)))

	_, serverKey := keyPair(t, w, "canary")
	body, samlKey := keyPair(t, w, "other")
	must(t, w.root.UploadServerCertificate, &iam.UploadServerCertificateInput{ServerCertificateName: ptr("canary"),
		CertificateBody: body, PrivateKey: samlKey})
	must(t, w.root.CreateSAMLProvider,
		&iam.CreateSAMLProviderInput{Name: ptr("canary"),
			SAMLMetadataDocument: samlMetadata(*body), AddPrivateKey: samlKey})
	fails(w.raw(t, call("UploadServerCertificate", "ServerCertificateName=other&CertificateBody="+
		url.QueryEscape(*body)+"&PrivateKey="+url.QueryEscape(*serverKey))))
	fails(w.raw(t, call("UploadServerCertificate", "ServerCertificateName=other&CertificateBody="+
		url.QueryEscape(*serverKey)+"&PrivateKey=x")))
	fails(w.raw(t, call("UpdateSAMLProvider", "SAMLProviderArn="+samlPath+"/canary&AddPrivateKey="+
		url.QueryEscape(*serverKey+*serverKey))))
	// Use one line of each, because the text of PEM may have any form.
	secrets["key of a certificate"], secrets["refused key of a certificate"] = strings.Split(*samlKey, "\n")[5],
		strings.Split(*serverKey, "\n")[5]

	// These are a wrong secret, and secrets in place of ids.
	wrong := "ganz-falsches-Geheimnis-0123456789-abcdef"
	secrets["wrong key"] = wrong
	fails(w.callAs(t, clients{id: w.root.id, key: wrong}, "GetUser"))
	w.waitReport(t, w.root)
	w.report(t, w.root)
	w.end()

	places := map[string]string{"trail": w.trail.String(), "log": w.log.String(), "answers": strings.Join(said, "")}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(cfg.Path), "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files %q, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		places[filepath.Base(file)] = string(data)
	}
	if !strings.Contains(places["trail"], "ChangePassword") || !strings.Contains(places["rollcall.db"], "Ann") ||
		!strings.Contains(places["log"], "published") {
		t.Error("the places are not those that were written to")
	}
	for place, text := range places {
		for what, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("the %s is in the %s", what, place)
			}
		}
	}
}
