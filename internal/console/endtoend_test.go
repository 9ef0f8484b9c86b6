package console_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/report"
)

// reported returns the row of a user in a new report.
func (w *world) reported(user string) report.Row {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	// Reports of this service expire at once, so a slow machine never gets
	// COMPLETE.
	if _, err := w.iam.GenerateCredentialReport(ctx, nil); err != nil {
		w.t.Fatal(err)
	}
	out, err := w.iam.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
	for errors.As(err, new(*types.CredentialReportNotReadyException)) {
		time.Sleep(10 * time.Millisecond)
		out, err = w.iam.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err := report.ReadAll(strings.NewReader(string(out.Content)))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range rows {
		if r.User == user {
			return r
		}
	}
	w.t.Fatalf("the report has no %s", user)
	return report.Row{}
}

// TestPeople follows a person through the console, in a real browser with the
// protocol of a real security key, and checks the result in the report.
func TestPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	root, br := w.browse(t), w.browse(t)
	br.authenticator()

	// Root signs in for the first time, and creates a user.
	root.signIn("", rootPassword)
	root.open("/console/users/new")
	root.fill("name", "alice")
	root.press("create")
	root.says("The user is created.")
	root.Click("#policies > .row summary")
	root.fill("policy", "arn:aws:iam::aws:policy/AdministratorAccess")
	root.press("attach")
	root.says("AdministratorAccess")
	root.Click("#password > .row summary")
	root.fill("password", userPassword)
	root.press("set-password")
	root.says("The password is set.", "must choose another one")
	if got := w.reported("<root_account>"); !got.PasswordLastUsed.IsPresent() {
		t.Error("root's sign-in is not in the report")
	}
	if got := w.reported("alice"); got.PasswordLastUsed.IsPresent() || got.MFAActive == report.True {
		t.Errorf("before she signs in, alice has used a password: %+v", got)
	}

	// The user chooses a password, and adds two devices.
	const password = "another Horse 8 battery"
	br.signIn("alice", userPassword)
	br.says("Choose a new password")
	br.sights("new-password")
	br.fill("new", password)
	br.fill("again", password)
	br.press("choose")
	br.says("alice", "Sign out")
	if got := w.reported("alice"); !got.PasswordLastUsed.IsPresent() || got.MFAActive == report.True {
		t.Errorf("after she signed in: %+v", got)
	}
	br.open("/console/mfa/new")
	br.press("create-totp")
	seed := eval[string](br, `document.getElementById("seed").textContent`)
	br.sights("authenticator-app")
	br.fill("code1", w.code(seed, -1))
	br.fill("code2", w.code(seed, 0))
	br.press("enable-totp")
	br.says("The device is enabled.")
	br.open("/console/mfa/new")
	br.says("Sign in again with your device")
	if got := w.reported("alice"); got.MFAActive != report.True {
		t.Errorf("mfa_active is not true: %+v", got)
	}

	// She signs in with one device, adds another, and signs in with that.
	br.press("sign-out")
	br.signIn("alice", password)
	br.says("Code of an authenticator app")
	br.fill("code", w.code(seed, 1))
	br.press("code")
	br.says("Sign out")
	br.open("/console/mfa/new")
	br.fill("label", "blue-key")
	br.click("form[data-passkey] button")
	br.says("The passkey is added.", "blue-key")
	br.press("sign-out")
	br.signIn("alice", password)
	br.says("Code of an authenticator app", "blue-key")
	br.sights("prove-a-device")
	br.click("form[data-passkey] button")
	br.says("Sign out", "Users")

	// A key works until it is deactivated.
	br.open("/console/my-credentials")
	br.press("create-key")
	br.says("The secret access key is shown only now")
	br.sights("new-access-key")
	id := eval[string](br, `document.getElementById("key-id").textContent`)
	secret := eval[string](br, `document.getElementById("key-secret").textContent`)
	alice := w.client(id, secret)
	if _, err := alice.GetUser(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	br.open("/console/my-credentials")
	br.says("iam, us-east-1")
	br.press("switch-key")
	br.says("Inactive")
	_, err := alice.GetUser(t.Context(), nil)
	wantCode(t, err, "InvalidClientTokenId")
}
