package console_test

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
)

var (
	keyIDs  = regexp.MustCompile(`AKIA[A-Z2-7]{16}`)
	secrets = regexp.MustCompile(`aws_secret_access_key = (\S+)`)
)

// wantCode fails the test unless an error has AWS's code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var known smithy.APIError
	if !errors.As(err, &known) || known.ErrorCode() != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

func TestUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.signedIn("")
	p.post("/console/users/new", "do", "create", "name", "bob", "path", "people").
		want(t, http.StatusBadRequest, `value="bob"`, "path")
	got := p.post("/console/users/new", "do", "create", "name", "bob", "path", "/people/", "tags", "team=red\nempty=")
	got.want(t, http.StatusOK, "The user is created.", "arn:aws:iam::"+account+":user/people/bob", "red")
	const page = "/console/user?name=bob"
	if got.path != page {
		t.Errorf("came to %s", got.path)
	}
	p.post("/console/users/new", "do", "create", "name", "BOB").want(t, http.StatusConflict, "already exists")

	got = p.post(page, "do", "set-password", "reset", "yes")
	got.want(t, http.StatusOK, "The password is shown only now")
	p.get(page).want(t, http.StatusOK, "must choose another one")
	p.post(page, "do", "set-password", "password", userPassword).
		want(t, http.StatusOK, "The password is set.", "nothing")
	bob := w.signedIn("bob")
	p.post(page, "do", "force-reset").want(t, http.StatusOK, "must choose another one")
	p.post(page, "do", "delete-password", "typed", "bo").want(t, http.StatusBadRequest, "type the name")
	p.post(page, "do", "delete-password", "typed", "bob").want(t, http.StatusOK, "cannot sign in to the console")
	if at := bob.get("/console/users"); !strings.HasPrefix(at.path, "/console/sign-in") {
		t.Errorf("without a password bob sees %s", at.path)
	}
}

// TestManyUsers pages through users: all of them, and those with a name prefix.
func TestManyUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 230 {
		name := fmt.Sprintf("%s%03d", []string{"Ann", "bob"}[i%2], i)
		if _, err := w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
			t.Fatal(err)
		}
	}
	p := w.signedIn("")
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`)
	for prefix, want := range map[string]int{
		"": 230, "an": 115, "ANN0": 50, "ann001": 0, "ann002": 1, "bob2": 15, "zoe": 0,
	} {
		at, found := "/console/users?prefix="+prefix, 0
		for at != "" {
			got := p.get(at)
			wellMade(t, got, http.StatusOK)
			found += strings.Count(got.body, `href="/console/user?name=`)
			at = ""
			if more := next.FindStringSubmatch(got.body); more != nil {
				at = html.UnescapeString(more[1])
			}
		}
		if found != want {
			t.Errorf("%q finds %d users, want %d", prefix, found, want)
		}
	}
	p.get("/console/users?prefix=%25").want(t, http.StatusOK, "is not the beginning of a user name")
}

func TestAccessKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("bob", everything)
	p := w.signedIn("")
	const page = "/console/user?name=bob"
	got := p.post(page, "do", "create-key")
	wellMade(t, got, http.StatusOK)
	id, found := keyIDs.FindString(got.body), secrets.FindStringSubmatch(got.body)
	if id == "" || found == nil {
		t.Fatalf("no key: %s", got.body)
	}
	bob := w.client(id, strings.ReplaceAll(found[1], "&#43;", "+"))
	if _, err := bob.ListUsers(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	got = p.get(page)
	got.want(t, http.StatusOK, id, "iam, us-east-1")
	if strings.Contains(got.body, found[1]) {
		t.Error("the secret is shown again")
	}
	p.post(page, "do", "delete-key", "key", id, "typed", id).want(t, http.StatusConflict, "deactivate it first")
	p.post(page, "do", "switch-key", "key", id, "status", "Inactive").want(t, http.StatusOK, "Inactive")
	_, err := bob.ListUsers(t.Context(), nil)
	wantCode(t, err, "InvalidClientTokenId")
	p.post(page, "do", "delete-key", "key", id, "typed", "AKIA").want(t, http.StatusBadRequest, "type the name")
	p.post(page, "do", "delete-key", "key", id, "typed", id).want(t, http.StatusOK, "No access key.")
}

func TestDeleteUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.furnish()
	p := w.signedIn("")
	const page = "/console/user?name=alice"
	p.post(page, "do", "delete", "typed", "Alice").want(t, http.StatusBadRequest, "type the name")
	p.post(page, "do", "delete", "typed", "alice").want(t, http.StatusOK, "The user alice is deleted.")
	p.get(page).want(t, http.StatusNotFound, "cannot be found")
	devices, err := w.iam.ListVirtualMFADevices(t.Context(), nil)
	if err != nil || len(devices.VirtualMFADevices) > 0 {
		t.Errorf("%d devices are left, %v", len(devices.VirtualMFADevices), err)
	}
}

// TestDenied checks that denied changes are disabled, with the API's sentence.
func TestDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["iam:GetUser","iam:ListAccessKeys","iam:ListUsers"],"Resource":"*"},
		{"Effect":"Deny","Action":"iam:CreateAccessKey","Resource":"*"}]}`)
	p := w.signedIn("alice")
	const denied = "User: arn:aws:iam::" + account + ":user/alice is not authorized to perform: iam:"
	got := p.get("/console/user?name=alice")
	got.want(
		t,
		http.StatusOK,
		denied+"CreateAccessKey on resource: user alice with an explicit deny in an identity-based policy",
		denied+"ListGroupsForUser on resource: user alice because no identity-based policy allows",
	)
	for _, do := range []string{"create-key", "delete", "set-password"} {
		if strings.Contains(got.body, `value="`+do+`"`) {
			t.Errorf("%s is offered", do)
		}
	}
	p.get("/console/users").want(t, http.StatusOK, denied+"CreateUser")
	p.post("/console/user?name=alice", "do", "create-key").want(t, http.StatusForbidden, denied+"CreateAccessKey")
	p.post("/console/user?name=alice", "do", "tag", "key", "a").want(t, http.StatusForbidden, denied+"TagUser")
}

// TestMFAPresent signs in under a policy that allows everything, but only with
// a device.
func TestMFAPresent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const withMFA = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",
		"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}}`
	w.user("alice", withMFA)
	w.signedIn("alice").get("/console/users").want(t, http.StatusOK, "is not authorized to perform: iam:ListUsers")
	seed := w.device("alice")
	p := w.person()
	p.post("/console/sign-in", "do", "sign-in", "account", account, "user", "alice", "password", userPassword)
	got := p.post(
		"/console/sign-in/mfa",
		"do",
		"code",
		"serial",
		"arn:aws:iam::"+account+":mfa/alice",
		"code",
		w.code(seed, 0),
	)
	if got.want(t, http.StatusOK, "alice"); strings.Contains(got.body, "not authorized") {
		t.Error("the device is not seen by the policy")
	}
}

func TestMyCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	p, other := w.signedIn("alice"), w.signedIn("alice")
	const page, next = "/console/my-credentials", "another Horse 8 battery"
	p.post(page, "do", "change-password", "old", "wrong", "new", next, "again", next).
		want(t, http.StatusForbidden, "password")
	cookie := p.cookie("rollcall")
	p.post(page, "do", "change-password", "old", userPassword, "new", next, "again", next).
		want(t, http.StatusOK, "Your password is changed.")
	if p.cookie("rollcall") == cookie {
		t.Error("the session still has the old token")
	}
	if at := other.get(page); !strings.HasPrefix(at.path, "/console/sign-in") {
		t.Errorf("the other session sees %s", at.path)
	}
	handles := regexp.MustCompile(`name="handle" value="(\w+)"`).FindStringSubmatch(p.get(page).body)
	if handles == nil {
		t.Fatal("no session is listed")
	}
	p.post(page, "do", "end-session", "handle", handles[1])
	if at := p.get(page); !strings.HasPrefix(at.path, "/console/sign-in") {
		t.Errorf("after its end the session sees %s", at.path)
	}
}

// TestTOTP enrols a device by its key, after some wrong codes.
func TestTOTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	p := w.signedIn("alice")
	const page = "/console/mfa/new"
	got := p.post(page, "do", "create-totp", "device", "alice")
	wellMade(t, got, http.StatusOK)
	seed := regexp.MustCompile(`name="seed" value="([A-Z2-7]+)"`).FindStringSubmatch(got.body)
	if seed == nil || !strings.Contains(got.body, `src="data:image/png;base64,`) {
		t.Fatalf("no seed, or no QR code: %s", got.body)
	}
	serial := "arn:aws:iam::" + account + ":mfa/alice"
	again := p.post(page, "do", "enable-totp", "serial", serial, "seed", seed[1], "code1", "000000", "code2", "000001")
	again.want(t, http.StatusForbidden, seed[1], `src="data:image/png;base64,`)
	first, second := w.code(seed[1], -1), w.code(seed[1], 0)
	p.post(page, "do", "enable-totp", "serial", serial, "seed", seed[1], "code1", first, "code2", second).
		want(t, http.StatusOK, "The device is enabled.", serial)
	// This session began without the device.
	p.post("/console/my-credentials", "do", "remove-device", "serial", serial, "typed", "alice").
		want(t, http.StatusForbidden, "authenticated with an MFA device")
	w.signedIn("").post("/console/user?name=alice", "do", "remove-device", "serial", serial, "typed", "alice").
		want(t, http.StatusOK, "No MFA device")
	p.post(page, "do", "create-totp", "device", "other")
	p.post(page, "do", "cancel-totp", "serial", "arn:aws:iam::"+account+":mfa/other").
		want(t, http.StatusOK, "No device was added.")
	out, err := w.iam.ListVirtualMFADevices(t.Context(), &iam.ListVirtualMFADevicesInput{MaxItems: aws.Int32(10)})
	if err != nil || len(out.VirtualMFADevices) > 0 {
		t.Errorf("%d devices are left, %v", len(out.VirtualMFADevices), err)
	}
}
