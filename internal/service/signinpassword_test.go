package service_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/signin"
	"rollcall/internal/store"
)

const day = 24 * time.Hour

// mayChange allows a user to change its password, and nothing else.
const mayChange = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ChangePassword",
	"Resource":"arn:aws:iam::*:user/${aws:username}"}]}`

// needsPassword begins a sign-in that asks for another password.
func (w *world) needsPassword(t testing.TB, name string) signin.Step {
	t.Helper()
	step, err := w.SignIn.Begin(t.Context(), here, as(name, rightPassword))
	if err != nil || step.Kind != signin.NewPassword {
		t.Fatalf("%s: %+v, %v", name, step, err)
	}
	return step
}

// If an administrator has set the password, the person chooses another one, in
// the order password, device, password.
func TestForcedReset(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.person(t, "bob", mayChange)
		reset := func() {
			t.Helper()
			must(t, w.root.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: ptr("bob"),
				PasswordResetRequired: ptr(true)})
		}
		reset()
		must(t, w.root.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{
			MinimumPasswordLength: ptr(int32(20)), PasswordReusePrevention: ptr(int32(3)),
			MaxPasswordAge: ptr(int32(90)),
		})
		w.clock.advance(time.Hour)
		step := w.needsPassword(t, "bob")
		if step.Expired {
			t.Error("a reset is not an expiry")
		}
		for what, pw := range map[string]string{"short": "short", "the same": rightPassword, "no text": "\xff",
			"long": string(make([]byte, 129))} {
			_, err := w.SignIn.ChoosePassword(t.Context(), here, step.Token, seal.NewSecret(pw))
			if failureCode(err) != "PasswordPolicyViolation" {
				t.Errorf("%s: %v", what, err)
			}
		}
		w.clock.advance(time.Minute)
		done, err := w.SignIn.ChoosePassword(t.Context(), here, step.Token, seal.NewSecret(nextPassword))
		if err != nil || done.Kind != signin.Done || !w.isOpen(t, done.Token) {
			t.Fatalf("%+v, %v", done, err)
		}
		if _, err := w.SignIn.ChoosePassword(t.Context(), here, step.Token,
			seal.NewSecret("Correct-horse-9-spoke")); !errors.Is(err, signin.ErrStepGone) {
			t.Errorf("a spent step: %v", err)
		}
		generate(t, w.root)
		w.waitReport(t, w.root)
		row := reportRow(string(w.report(t, w.root).Content), "bob")
		for column, want := range map[string]string{
			"password_last_used": "2026-11-23T11:01:00Z", "password_last_changed": "2026-11-23T11:01:00Z",
			"password_next_rotation": "2027-02-21T11:01:00Z",
		} {
			if row[column] != want {
				t.Errorf("%s: %s, want %s", column, row[column], want)
			}
		}
		if list := must(t, w.root.ListUsers,
			&iam.ListUsersInput{}).Users; !list[0].PasswordLastUsed.Equal(w.clock.Now()) {
			t.Errorf("%+v", list[0])
		}
		if _, err := w.SignIn.Begin(t.Context(), here, as("bob", rightPassword)); err != signin.ErrWrong {
			t.Errorf("the old password: %v", err)
		}
		// Back to the old password: the history contains it.
		reset()
		step, err = w.SignIn.Begin(t.Context(), here, as("bob", nextPassword))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.SignIn.ChoosePassword(t.Context(), here, step.Token,
			seal.NewSecret(rightPassword)); failureCode(err) != "PasswordPolicyViolation" {
			t.Errorf("an old password: %v", err)
		}
	})
}

// A person who must change the password but lacks the permission cannot sign
// in.
func TestForcedResetNeedsPermission(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	deny := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:ChangePassword","Resource":"*",
		"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}`
	for name, document := range map[string]string{"none": "", "may": mayChange, "denied": deny} {
		w.person(t, name, document)
		must(t, w.root.UpdateLoginProfile,
			&iam.UpdateLoginProfileInput{UserName: &name, PasswordResetRequired: ptr(true)})
	}
	try := func(name string) error {
		_, err := w.SignIn.Begin(t.Context(), here, as(name, rightPassword))
		return err
	}
	for name, want := range map[string]error{"none": signin.ErrMayNotChange, "may": nil,
		"denied": signin.ErrMayNotChange} {
		if err := try(name); err != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, w.root.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{AllowUsersToChangePassword: true})
	for name, want := range map[string]error{"none": nil, "may": nil, "denied": signin.ErrMayNotChange} {
		if err := try(name); err != want {
			t.Errorf("%s, with AllowUsersToChangePassword: %v", name, err)
		}
	}
	// With a device the deny does not apply.
	p := w.enabledDevice(t, "denied")
	w.clock.advance(10 * time.Minute)
	step, err := w.SignIn.AnswerCode(t.Context(), here, w.asked(t, "denied").Token, p.serial, *p.code(t, w.clock.Now()))
	if err != nil || step.Kind != signin.NewPassword {
		t.Fatalf("%+v, %v", step, err)
	}
	done, err := w.SignIn.ChoosePassword(t.Context(), here, step.Token, seal.NewSecret(nextPassword))
	if err != nil {
		t.Fatal(err)
	}
	session, err := w.SignIn.Open(t.Context(), done.Token)
	if err != nil || session.Caller.Session().MFA.IsZero() {
		t.Errorf("the device is forgotten: %v", err)
	}
}

func TestExpiredPasswords(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.person(t, "bob", mayChange)
	policy := func(hard bool) {
		t.Helper()
		must(t, w.root.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{MaxPasswordAge: ptr(int32(90)),
				HardExpiry: &hard})
	}
	policy(false)
	if err := w.IAM.SetRootPassword(t.Context(), account, seal.NewSecret(rightPassword)); err != nil {
		t.Fatal(err)
	}
	warned := func(after time.Duration) time.Time {
		t.Helper()
		w.clock.advance(began.Add(after).Sub(w.clock.Now()))
		step, err := w.SignIn.Begin(t.Context(), here, as("bob", rightPassword))
		if err != nil || step.Kind != signin.Done {
			t.Fatalf("after %v: %+v, %v", after, step, err)
		}
		return step.PasswordExpires
	}
	if at := warned(75 * day); !at.IsZero() {
		t.Errorf("15 days before: %v", at)
	}
	for _, after := range []time.Duration{75*day + time.Second, 90*day - time.Second} {
		if at := warned(after); !at.Equal(began.Add(90 * day)) {
			t.Errorf("after %v: %v", after, at)
		}
	}
	w.clock.advance(time.Second)
	if step := w.needsPassword(t, "bob"); !step.Expired {
		t.Error("it is not said that the password has expired")
	}
	policy(true)
	if _, err := w.SignIn.Begin(t.Context(), here, as("bob", rightPassword)); err != signin.ErrPasswordExpired {
		t.Errorf("with HardExpiry: %v", err)
	}
	if _, err := w.SignIn.Begin(t.Context(), here, as("bob", "wrong")); err != signin.ErrWrong {
		t.Errorf("a wrong password reveals the expiry: %v", err)
	}
	root := signin.Attempt{Account: account, Root: true, Password: seal.NewSecret(rightPassword)}
	if step, err := w.SignIn.Begin(t.Context(), here, root); err != nil || step.Kind != signin.Done {
		t.Errorf("root's password does not expire: %+v, %v", step, err)
	}
}

// A sign-in with a wrong device code does not count as a use of the password.
func TestPasswordUseNeedsTheDevice(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	p := w.holder(t, "bob")
	if _, err := w.SignIn.AnswerCode(t.Context(), here, w.asked(t, "bob").Token, p.serial, "000000"); err == nil {
		t.Error("a wrong code lets in")
	}
	if u := must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("bob")}).User; u.PasswordLastUsed != nil {
		t.Errorf("used %v", u.PasswordLastUsed)
	}
	w.enterWith(t, "bob", p)
	if u := must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("bob")}).User; u.PasswordLastUsed == nil {
		t.Error("not used")
	}
}

// A user who changes the password continues in a new session. All other
// sessions end.
func TestChangePasswordInSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.person(t, "bob", allowAll)
		if err := w.IAM.SetRootPassword(t.Context(), account, seal.NewSecret(rightPassword)); err != nil {
			t.Fatal(err)
		}
		for _, a := range []signin.Attempt{as("bob", rightPassword), {Account: account, Root: true,
			Password: seal.NewSecret(rightPassword)}} {
			var tokens [2]seal.Secret
			for i := range tokens {
				step, err := w.SignIn.Begin(t.Context(), here, a)
				if err != nil {
					t.Fatal(err)
				}
				tokens[i] = step.Token
			}
			change := func(before, after string) (seal.Secret, error) {
				return w.SignIn.ChangePassword(t.Context(), here, tokens[0],
					seal.NewSecret(before), seal.NewSecret(after))
			}
			if _, err := change("wrong", nextPassword); failureCode(err) != "AccessDenied" {
				t.Errorf("with a wrong password: %v", err)
			}
			if _, err := change(rightPassword, "short"); failureCode(err) != "PasswordPolicyViolation" {
				t.Errorf("to a short one: %v", err)
			}
			next, err := change(rightPassword, nextPassword)
			if err != nil || !w.isOpen(t, next) || w.isOpen(t, tokens[0]) || w.isOpen(t, tokens[1]) {
				t.Errorf("%v; open: %v, %v, %v", err, w.isOpen(t, next), w.isOpen(t, tokens[0]), w.isOpen(t, tokens[1]))
			}
			a.Password = seal.NewSecret(nextPassword)
			if _, err := w.SignIn.Begin(t.Context(), here, a); err != nil {
				t.Errorf("the new password: %v", err)
			}
		}
	})
}

// AWS records the first sign-in within five minutes. The service can be
// configured to do the same.
func TestPasswordSpan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{Store: store.Config{PasswordSpan: 5 * time.Minute}})
	w.person(t, "bob", "")
	for _, c := range []struct{ after, want time.Duration }{{time.Minute, time.Minute}, {5 * time.Minute, time.Minute},
		{6 * time.Minute, 6 * time.Minute}} {
		w.clock.advance(began.Add(c.after).Sub(w.clock.Now()))
		w.enter(t, "bob")
		u := must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("bob")}).User
		if got := u.PasswordLastUsed.Sub(began); got != c.want {
			t.Errorf("after %v: %v", c.after, got)
		}
	}
}
