package service_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/fxamacker/cbor/v2"

	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/signin"
)

// authenticator is a security key in software.
type authenticator struct {
	key    *ecdsa.PrivateKey
	id     []byte
	uses   uint32
	origin string // origin of the page
	rpID   string
	user   string // the user handle of the enrolment
}

const consoleOrigin = "https://rollcall.example.com"

func newAuthenticator(t testing.TB) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authenticator{key: key, id: make([]byte, 32), origin: consoleOrigin, rpID: "rollcall.example.com"}
	rand.Read(a.id)
	return a
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// asks holds the request that a page passes to the browser.
type asks struct {
	PublicKey struct {
		Challenge string
		RPID      string `json:"rpId"`
		RP        struct{ ID string }
		User      struct{ ID, Name string }
	}
}

func (a *authenticator) clientData(kind, challenge string) []byte {
	text, _ := json.Marshal(
		map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	return text
}

// data returns the authenticator's own part of an answer.
func (a *authenticator) data(flags byte) []byte {
	hash := sha256.Sum256([]byte(a.rpID))
	return binary.BigEndian.AppendUint32(append(hash[:], flags), a.uses)
}

// create answers navigator.credentials.create.
func (a *authenticator) create(t testing.TB, options json.RawMessage) []byte {
	t.Helper()
	var asked asks
	if err := json.Unmarshal(options, &asked); err != nil {
		t.Fatal(err)
	}
	a.user = asked.PublicKey.User.ID
	public, err := a.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	cose, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: public[1:33], -3: public[33:]})
	if err != nil {
		t.Fatal(err)
	}
	data := append(a.data(0x45), make([]byte, 16)...) // present, verified, with a credential; without a model
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(append(data, a.id...), cose...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(map[string]any{
		"clientDataJSON":    b64(a.clientData("webauthn.create", asked.PublicKey.Challenge)),
		"attestationObject": b64(object),
	})
}

// get answers navigator.credentials.get.
func (a *authenticator) get(t testing.TB, options json.RawMessage) []byte {
	t.Helper()
	var asked asks
	if err := json.Unmarshal(options, &asked); err != nil {
		t.Fatal(err)
	}
	a.uses++
	client, data := a.clientData("webauthn.get", asked.PublicKey.Challenge), a.data(0x05)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(map[string]any{
		"clientDataJSON": b64(client), "authenticatorData": b64(data),
		"signature": b64(signature), "userHandle": a.user,
	})
}

func (a *authenticator) answer(response map[string]any) []byte {
	text, _ := json.Marshal(map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key",
		"response": response})
	return text
}

// onHost returns a service that browsers reach by a name.
func onHost(t testing.TB, cfg service.Config) *world {
	t.Helper()
	cfg.PublicURL = consoleOrigin
	return newWorld(t, cfg)
}

// enrol enrols a passkey for the person of a session.
func (w *world) enrol(t testing.TB, token seal.Secret, user, label string) (*authenticator, string, error) {
	t.Helper()
	session, err := w.SignIn.Open(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthenticator(t)
	ticket, options, err := w.SignIn.BeginPasskey(t.Context(), here, session, user, label)
	if err != nil {
		return nil, "", err
	}
	serial, err := w.SignIn.FinishPasskey(t.Context(), here, session, ticket, a.create(t, options))
	return a, serial, err
}

// touch signs a person in with a passkey.
func (w *world) touch(t testing.TB, name string, a *authenticator) (signin.Step, error) {
	t.Helper()
	step := w.asked(t, name)
	options, err := w.SignIn.AskPasskey(t.Context(), step.Token)
	if err != nil {
		t.Fatal(err)
	}
	return w.SignIn.AnswerPasskey(t.Context(), here, step.Token, a.get(t, options))
}

func TestPasskeys(t *testing.T) {
	t.Parallel()
	eachWith(t, service.Config{PublicURL: consoleOrigin}, func(t *testing.T, w *world) {
		w.person(t, "Bob", allowAll)
		a, serial, err := w.enrol(t, w.enter(t, "Bob"), "", "laptop")
		if err != nil || !strings.HasPrefix(serial, "arn:aws:iam::"+account+":u2f/user/Bob/laptop-") {
			t.Fatalf("%q, %v", serial, err)
		}
		w.clock.advance(time.Minute)
		step, err := w.touch(t, "Bob", a)
		if err != nil || step.Kind != signin.Done {
			t.Fatalf("%+v, %v", step, err)
		}
		w.seen(t, serial)
		// It counts with the other devices, and stays when its user is renamed.
		must(t, w.root.UpdateUser, &iam.UpdateUserInput{UserName: ptr("Bob"), NewUserName: ptr("Rob")})
		if _, err := w.touch(t, "Rob", a); err != nil {
			t.Errorf("renamed: %v", err)
		}
		w.clock.advance(time.Second)
		if _, second, err := w.enrol(t, step.Token, "Rob", "phone"); err != nil || !strings.Contains(second,
			":u2f/user/Rob/phone-") {
			t.Errorf("a second one: %q, %v", second, err)
		}
		must(t, w.root.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{UserName: ptr("Rob"), SerialNumber: &serial})
		if _, err := w.touch(t, "Rob", a); err != signin.ErrWrong {
			t.Errorf("a passkey that was removed: %v", err)
		}
		refused(t, w.root.DeactivateMFADevice,
			&iam.DeactivateMFADeviceInput{UserName: ptr("Rob"), SerialNumber: &serial},
			404, "NoSuchEntity", "MFA Device with serial number "+serial+" does not exist.")
	})
}

// seen calls every action that shows a user's only device, a passkey.
func (w *world) seen(t *testing.T, serial string) {
	t.Helper()
	listed := must(t, w.root.ListMFADevices, &iam.ListMFADevicesInput{UserName: ptr("Bob")}).MFADevices
	if len(listed) != 1 || *listed[0].SerialNumber != serial || *listed[0].UserName != "Bob" ||
		!listed[0].EnableDate.Equal(began) {
		t.Errorf("listed: %+v", listed)
	}
	got := must(t, w.root.GetMFADevice, &iam.GetMFADeviceInput{SerialNumber: &serial, UserName: ptr("Bob")})
	if *got.SerialNumber != serial || *got.UserName != "Bob" || !got.EnableDate.Equal(began) ||
		got.Certifications != nil {
		t.Errorf("got: %+v", got)
	}
	if v := must(t, w.root.ListVirtualMFADevices, &iam.ListVirtualMFADevicesInput{}).VirtualMFADevices; len(v) != 0 {
		t.Errorf("listed as virtual: %+v", v)
	}
	m := must(t, w.root.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap
	if m["MFADevices"] != 1 || m["MFADevicesInUse"] != 1 || m["AccountMFAEnabled"] != 0 {
		t.Errorf("summary: %v", m)
	}
	generate(t, w.root)
	w.waitReport(t, w.root)
	if row := reportRow(string(w.report(t, w.root).Content), "Bob"); row["mfa_active"] != "true" ||
		row["password_last_used"] != "2026-11-23T10:01:00Z" {
		t.Errorf("report: %v", row)
	}
	must(t, w.root.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: ptr("Bob"), PolicyName: ptr("p")})
	refused(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: ptr("Bob")}, 409, "DeleteConflict",
		"Cannot delete entity, must remove tokens from principal first.")
	w.put(t, "Bob", allowAll)
	bob := w.asUser(t, "Bob")
	refused(t, bob.sts.GetSessionToken, &sts.GetSessionTokenInput{SerialNumber: &serial, TokenCode: ptr("123456")}, 403,
		"AccessDenied",
		"MultiFactorAuthentication failed, unable to validate MFA code.  "+
			"Please verify your MFA serial number is valid and associated with this user.")
}

// reportRow returns the row of a user in a report, by column.
func reportRow(report, user string) map[string]string {
	lines := strings.Split(report, "\n")
	row := map[string]string{}
	for _, line := range lines[1:] {
		cells := strings.Split(line, ",")
		if cells[0] != user {
			continue
		}
		for i, column := range strings.Split(lines[0], ",") {
			row[column] = cells[i]
		}
	}
	return row
}

// An answer is only valid for its challenge, its page, its host and its user,
// once, and from one device.
func TestForgedPasskeys(t *testing.T) {
	t.Parallel()
	w := onHost(t, service.Config{})
	w.person(t, "bob", allowAll)
	w.person(t, "eve", allowAll)
	a, _, err := w.enrol(t, w.enter(t, "bob"), "", "laptop")
	if err != nil {
		t.Fatal(err)
	}
	hers, _, err := w.enrol(t, w.enter(t, "eve"), "", "laptop")
	if err != nil {
		t.Fatal(err)
	}
	for what, forge := range map[string]func(c *authenticator){
		"another origin":          func(c *authenticator) { c.origin = "https://rollcall.example.com.evil.example" },
		"plain HTTP":              func(c *authenticator) { c.origin = "http://rollcall.example.com" },
		"another port":            func(c *authenticator) { c.origin = consoleOrigin + ":8443" },
		"another host":            func(c *authenticator) { c.rpID = "example.com" },
		"another's key":           func(c *authenticator) { c.key = hers.key },
		"another's passkey":       func(c *authenticator) { *c = *hers },
		"another user's handle":   func(c *authenticator) { c.user = hers.user },
		"a copy that counts less": func(c *authenticator) { c.uses = 0 },
	} {
		t.Run(what, func(t *testing.T) {
			if _, err := w.touch(t, "bob", a); err != nil {
				t.Fatal(err)
			}
			c := *a
			forge(&c)
			if what == "a copy that counts less" {
				c.uses = a.uses - 1
			}
			if step, err := w.touch(t, "bob", &c); err != signin.ErrWrong {
				t.Errorf("%+v, %v", step, err)
			}
		})
	}
	w.clock.advance(time.Minute) // the oldest steps of a user are dropped first
	step := w.asked(t, "bob")
	options, err := w.SignIn.AskPasskey(t.Context(), step.Token)
	if err != nil {
		t.Fatal(err)
	}
	answer := a.get(t, options)
	for what, tried := range map[string][]byte{"nothing": nil, "no JSON": []byte("{"), "empty": []byte("{}"),
		"large": bytes.Repeat([]byte("["), 1<<20)} {
		other := w.asked(t, "bob")
		if _, err := w.SignIn.AskPasskey(t.Context(), other.Token); err != nil {
			t.Fatal(err)
		}
		if _, err := w.SignIn.AnswerPasskey(t.Context(), here, other.Token, tried); err != signin.ErrWrong {
			t.Errorf("%s: %v", what, err)
		}
		// The challenge is used up. A challenge is not valid for another step.
		if _, err := w.SignIn.AnswerPasskey(t.Context(), here, other.Token, answer); err != signin.ErrWrong {
			t.Errorf("%s, then the answer to another challenge: %v", what, err)
		}
	}
	if _, err := w.SignIn.AnswerPasskey(t.Context(), here, step.Token, answer); err != nil {
		t.Errorf("the right answer: %v", err)
	}
	if _, err := w.SignIn.AnswerPasskey(t.Context(), here, step.Token, answer); !errors.Is(err, signin.ErrStepGone) {
		t.Errorf("the same answer again: %v", err)
	}
}

// A challenge works once, even if its first answer was wrong.
func TestPasskeyChallengeWorksOnce(t *testing.T) {
	t.Parallel()
	w := onHost(t, service.Config{})
	w.person(t, "bob", allowAll)
	a, _, err := w.enrol(t, w.enter(t, "bob"), "", "laptop")
	if err != nil {
		t.Fatal(err)
	}
	step := w.asked(t, "bob")
	options, err := w.SignIn.AskPasskey(t.Context(), step.Token)
	if err != nil {
		t.Fatal(err)
	}
	forged := *a
	forged.origin = "https://evil.example"
	for i, answer := range [][]byte{forged.get(t, options), a.get(t, options)} {
		if _, err := w.SignIn.AnswerPasskey(t.Context(), here, step.Token, answer); err != signin.ErrWrong {
			t.Errorf("answer %d: %v", i, err)
		}
	}
	if options, err = w.SignIn.AskPasskey(t.Context(), step.Token); err != nil {
		t.Fatal(err)
	}
	if _, err := w.SignIn.AnswerPasskey(t.Context(), here, step.Token, a.get(t, options)); err != nil {
		t.Errorf("a new challenge: %v", err)
	}
}

// An enrolment belongs to the session that began it, and needs the permission.
func TestPasskeyEnrolment(t *testing.T) {
	t.Parallel()
	w := onHost(t, service.Config{})
	w.person(t, "bob", allowAll)
	w.person(t, "eve", "")
	bob, eve := w.enter(t, "bob"), w.enter(t, "eve")
	session := func(token seal.Secret) *signin.Session {
		t.Helper()
		s, err := w.SignIn.Open(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if _, _, err := w.enrol(t, eve, "", "x"); failureCode(err) != "AccessDenied" {
		t.Errorf("without the permission: %v", err)
	}
	if _, _, err := w.enrol(t, bob, "eve", "x"); err != nil {
		t.Errorf("for another: %v", err)
	}
	for _, label := range []string{"", "a/b", "a b", strings.Repeat("x", 65)} {
		if _, _, err := w.enrol(t, bob, "", label); err == nil {
			t.Errorf("the name %q is taken", label)
		}
	}
	if _, _, err := w.enrol(t, bob, "nobody", "x"); err == nil {
		t.Error("for nobody")
	}
	ticket, options, err := w.SignIn.BeginPasskey(t.Context(), here, session(bob), "", "x")
	if err != nil {
		t.Fatal(err)
	}
	answer := newAuthenticator(t).create(t, options)
	if _, err := w.SignIn.FinishPasskey(t.Context(), here, session(eve), ticket, answer); !errors.Is(err,
		signin.ErrStepGone) {
		t.Errorf("in another session: %v", err)
	}
	if _, err := w.SignIn.FinishPasskey(t.Context(), here, session(bob), ticket, answer); !errors.Is(err,
		signin.ErrStepGone) {
		t.Errorf("a ticket that was shown: %v", err)
	}
	for i := range 9 {
		w.clock.advance(time.Second)
		_, _, err := w.enrol(t, bob, "eve", "x")
		if want := map[bool]string{true: "LimitExceeded"}[i >= 7]; failureCode(err) != want {
			t.Errorf("device %d: %v", i+2, err)
		}
	}
}

func failureCode(err error) string {
	var known interface{ ErrorCode() string }
	if errors.As(err, &known) {
		return known.ErrorCode()
	}
	if err != nil {
		return strings.SplitN(err.Error(), ":", 2)[0]
	}
	return ""
}

// Root has passkeys too.
func TestRootPasskey(t *testing.T) {
	t.Parallel()
	w := onHost(t, service.Config{})
	w.crowd(t)
	root := signin.Attempt{Account: account, Root: true, Password: seal.NewSecret(nextPassword)}
	step, err := w.SignIn.Begin(t.Context(), here, root)
	if err != nil {
		t.Fatal(err)
	}
	_, serial, err := w.enrol(t, step.Token, "", "key")
	if err != nil || !strings.HasPrefix(serial, "arn:aws:iam::"+account+":u2f/root-account-mfa-device-key-") {
		t.Fatalf("%q, %v", serial, err)
	}
	if m := must(t, w.root.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap; m["AccountMFAEnabled"] != 1 {
		t.Errorf("%v", m)
	}
	must(t, w.root.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{UserName: ptr(account), SerialNumber: &serial})
	if step, err := w.SignIn.Begin(t.Context(), here, root); err != nil || step.Kind != signin.Done {
		t.Errorf("%+v, %v", step, err)
	}
}

// If passkeys cannot work, the error says why.
func TestPasskeysNeedAName(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"":                         "--public-url",
		"https://192.0.2.1:8443":   "192.0.2.1 is an IP address",
		"https://[2001:db8::1]":    "2001:db8::1 is an IP address",
		"http://rollcall.internal": "https://",
		"http://localhost:8585":    "",
		"https://rollcall.example": "",
	} {
		t.Run(url, func(t *testing.T) {
			w := newWorld(t, service.Config{PublicURL: url})
			err := w.SignIn.PasskeysUsable()
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%v", err)
			}
			w.person(t, "bob", allowAll)
			if _, _, enrolled := w.enrol(t, w.enter(t, "bob"), "", "x"); (enrolled == nil) != (want == "") &&
				want != "" {
				t.Errorf("%v", enrolled)
			}
		})
	}
}
