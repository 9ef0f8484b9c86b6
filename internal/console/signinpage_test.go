package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pquerna/otp/totp"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	p := w.person()
	p.get("/").want(t, http.StatusOK, "IAM user name")
	p.get("/console/users").want(t, http.StatusOK, `name="to" value="/console/users"`)
	for _, wrong := range [][]string{
		{"account", account, "user", "alice", "password", "wrong"},
		{"account", account, "user", "nobody", "password", userPassword},
		{"account", "999999999999", "user", "alice", "password", userPassword},
		{"account", account, "as", "root", "password", userPassword},
	} {
		got := p.post("/console/sign-in", append([]string{"do", "sign-in"}, wrong...)...)
		got.want(t, http.StatusForbidden, "Your authentication information is incorrect. Please try again.")
		if strings.Contains(got.body, userPassword) {
			t.Error("the page has the password")
		}
	}
	got := p.post(
		"/console/sign-in",
		"do",
		"sign-in",
		"account",
		"example",
		"user",
		"Alice",
		"password",
		userPassword,
		"to",
		"/console/users?marker=",
	)
	got.want(t, http.StatusOK, "alice", "Sign out")
	if got.path != "/console/users?marker=" {
		t.Errorf("came to %s", got.path)
	}
	p.post("/console/sign-out", "do", "sign-out").want(t, http.StatusOK, "You are signed out.")
	if got := p.get("/console/users"); !strings.HasPrefix(got.path, "/console/sign-in?") {
		t.Errorf("came to %s after signing out", got.path)
	}
	w.signedIn("")
}

// device gives a user a device that shows codes, and returns its seed.
func (w *world) device(user string) (seed string) {
	w.t.Helper()
	out, err := w.iam.CreateVirtualMFADevice(
		w.t.Context(),
		&iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &user},
	)
	if err != nil {
		w.t.Fatal(err)
	}
	seed = string(out.VirtualMFADevice.Base32StringSeed)
	_, err = w.iam.EnableMFADevice(w.t.Context(), &iam.EnableMFADeviceInput{
		UserName: &user, SerialNumber: out.VirtualMFADevice.SerialNumber,
		AuthenticationCode1: aws.String(w.code(seed, -2)), AuthenticationCode2: aws.String(w.code(seed, -1)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return seed
}

// code returns the code that a device shows a number of 30-second steps from
// now.
func (w *world) code(seed string, steps int) string {
	w.t.Helper()
	code, err := totp.GenerateCode(seed, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

func TestSignInWithCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	seed := w.device("alice")
	p := w.person()
	got := p.post(
		"/console/sign-in",
		"do",
		"sign-in",
		"account",
		account,
		"user",
		"alice",
		"password",
		userPassword,
		"to",
		"/console/role",
	)
	wellMade(t, got, http.StatusOK)
	if got.path != "/console/sign-in/mfa?to=%2Fconsole%2Frole" {
		t.Errorf("came to %s", got.path)
	}
	serial := "arn:aws:iam::" + account + ":mfa/alice"
	got.want(t, http.StatusOK, "Code of an authenticator app", `value="`+serial+`"`)
	// A sign-in without its second step opens no page.
	for _, path := range []string{"/console/users", "/console/role", "/console/"} {
		if at := p.get(path); !strings.HasPrefix(at.path, "/console/sign-in?") && at.path != "/console/sign-in" {
			t.Errorf("%s leads to %s", path, at.path)
		}
	}
	p.post("/console/sign-in/mfa", "do", "code", "serial", serial, "code", "000000").
		want(t, http.StatusForbidden, "Your authentication information is incorrect")
	got = p.post("/console/sign-in/mfa", "do", "code", "serial", serial, "code", w.code(seed, 0), "to", "/console/role")
	if got.path != "/console/role" {
		t.Errorf("came to %s: %s", got.path, trouble(got.body))
	}
}

func TestForcedReset(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	_, err := w.iam.UpdateLoginProfile(t.Context(), &iam.UpdateLoginProfileInput{
		UserName: aws.String("alice"), PasswordResetRequired: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	p := w.person()
	got := p.post("/console/sign-in", "do", "sign-in", "account", account, "user", "alice", "password", userPassword)
	wellMade(t, got, http.StatusOK)
	got.want(t, http.StatusOK, "Somebody else has set your password")
	const path, next = "/console/sign-in/new-password", "another Horse 8 battery"
	p.post(path, "do", "choose", "new", next, "again", "other").want(t, http.StatusBadRequest, "not the same")
	p.post(path, "do", "choose", "new", "short", "again", "short").want(t, http.StatusBadRequest, "Password")
	p.post(path, "do", "choose", "new", next, "again", next).want(t, http.StatusOK, "Sign out")
	w.person().post("/console/sign-in", "do", "sign-in", "account", account, "user", "alice", "password", userPassword).
		want(t, http.StatusForbidden)
}
