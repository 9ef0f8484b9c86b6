package console_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/fleet"
)

// profile writes the files of aws login with expired credentials, and makes the
// SDK for Go read them.
func (tl *tool) profile(tk tokens, endpoint string) {
	t := tl.w.t
	t.Helper()
	dir := t.TempDir()
	path, err := logincreds.StandardCachedTokenFilepath(aliceARN, dir)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(tl.key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{
		"accessToken": map[string]string{
			"accessKeyId": tk.AccessToken.AccessKeyID, "secretAccessKey": tk.AccessToken.SecretAccessKey,
			"sessionToken": tk.AccessToken.SessionToken, "accountId": account,
			"expiresAt": time.Now().Add(-time.Minute).UTC().Format(time.RFC3339),
		},
		"tokenType": tk.TokenType, "clientId": tl.client, "refreshToken": tk.RefreshToken, "idToken": tk.IDToken,
		"dpopKey": string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	})
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	file := filepath.Join(dir, "config")
	if err == nil {
		err = os.WriteFile(file, []byte("[profile p]\nregion = us-east-1\nlogin_session = "+aliceARN+"\n"+endpoint), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range os.Environ() {
		if name, value, _ := strings.Cut(set, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, value) // so that it is restored after the test
			os.Unsetenv(name)
		}
	}
	t.Setenv("AWS_LOGIN_CACHE_DIRECTORY", dir)
	t.Setenv("AWS_CONFIG_FILE", file)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
}

// The SDK for Go refreshes a session of aws login with its own login provider. The
// endpoint must be in the service's own setting, because the SDK creates that
// client before it reads AWS_ENDPOINT_URL.
func TestLoginOfSDK(t *testing.T) {
	w := newWorld(t)
	w.user("alice", everything)
	tl := w.tool(sameDevice)
	tl.profile(tl.redeem(w.signedIn("alice").allow(tl)), "")
	t.Setenv("AWS_ENDPOINT_URL", w.url)
	t.Setenv("AWS_ENDPOINT_URL_SIGNIN", w.url)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithSharedConfigProfile("p"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := iam.NewFromConfig(cfg).GetUser(t.Context(), &iam.GetUserInput{})
	if err != nil || *out.User.UserName != "alice" {
		t.Fatal(err)
	}
}

// The command rollcall report refreshes such a session, whether one setting or the
// other has the endpoint.
func TestReportAfterLogin(t *testing.T) {
	for name, c := range map[string]struct{ flag, variable, file bool }{
		"flag": {flag: true}, "variable": {variable: true}, "profile": {file: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.user("alice", everything)
			tl := w.tool(sameDevice)
			tk := tl.redeem(w.signedIn("alice").allow(tl))
			endpoint, s := "", fleet.Settings{Profile: "p"}
			if c.file {
				endpoint = "endpoint_url = " + w.url + "\n"
			}
			tl.profile(tk, endpoint)
			if c.variable {
				t.Setenv("AWS_ENDPOINT_URL", w.url)
			}
			if c.flag {
				s.Endpoint = w.url
			}
			a, err := fleet.Open(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			r, err := a.Fetch(t.Context(), fleet.Options{})
			if err != nil || !strings.Contains(string(r.Content), "\nalice,") {
				t.Errorf("%v", err)
			}
			// A changed password ends the session.
			if _, err := w.iam.UpdateLoginProfile(t.Context(), &iam.UpdateLoginProfileInput{UserName: aws.String("alice"),
				Password: aws.String("another Horse 8 battery")}); err != nil {
				t.Fatal(err)
			}
			tl.profile(tk, endpoint)
			if c.variable {
				t.Setenv("AWS_ENDPOINT_URL", w.url)
			}
			if _, err := fleet.Open(t.Context(), s); err == nil || !strings.Contains(err.Error(), "please reauthenticate") {
				t.Errorf("after the password changed: %v", err)
			}
		})
	}
}
