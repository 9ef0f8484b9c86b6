package service_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/signin"
	"rollcall/internal/trail"
)

// holder creates a person with a device whose clock has advanced since it was
// enabled.
func (w *world) holder(t testing.TB, name string) phone {
	t.Helper()
	w.person(t, name, allowAll)
	p := w.enabledDevice(t, name)
	w.clock.advance(10 * time.Minute)
	return p
}

// asked begins a sign-in that asks for a device.
func (w *world) asked(t testing.TB, name string) signin.Step {
	t.Helper()
	step, err := w.SignIn.Begin(t.Context(), here, as(name, rightPassword))
	if err != nil || step.Kind != signin.Device {
		t.Fatalf("%s: %+v, %v", name, step, err)
	}
	return step
}

// enterWith signs in a person with a code.
func (w *world) enterWith(t testing.TB, name string, p phone) seal.Secret {
	t.Helper()
	step, err := w.SignIn.AnswerCode(t.Context(), here, w.asked(t, name).Token, p.serial, *p.code(t, w.clock.Now()))
	if err != nil || step.Kind != signin.Done {
		t.Fatalf("%s: %+v, %v", name, step, err)
	}
	return step.Token
}

func TestSignInByCode(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := w.holder(t, "bob")
		other := w.holder(t, "eve")
		step := w.asked(t, "bob")
		if len(step.Devices) != 1 || step.Devices[0].Serial != p.serial || step.Devices[0].Passkey {
			t.Errorf("devices %+v", step.Devices)
		}
		now := w.clock.Now()
		// The token of a step opens neither a session nor another step.
		if w.isOpen(t, step.Token) {
			t.Error("half a sign-in is a session")
		}
		if _, err := w.SignIn.ChoosePassword(t.Context(), here, step.Token,
			seal.NewSecret(nextPassword)); !errors.Is(err,
			signin.ErrStepGone) {
			t.Errorf("a password in place of a code: %v", err)
		}
		for what, c := range map[string][2]string{
			"wrong": {p.serial, "000000"}, "empty": {p.serial, ""}, "old": {p.serial, *p.code(t, now.Add(-5*step30))},
			"of another's device": {other.serial, *other.code(t, now)},
		} {
			if _, err := w.SignIn.AnswerCode(t.Context(), here, step.Token, c[0], c[1]); err != signin.ErrWrong {
				t.Errorf("%s: %v", what, err)
			}
		}
		done, err := w.SignIn.AnswerCode(t.Context(), here, step.Token, p.serial, *p.code(t, now))
		if err != nil || done.Kind != signin.Done {
			t.Fatalf("%+v, %v", done, err)
		}
		session, err := w.SignIn.Open(t.Context(), done.Token)
		if err != nil || !session.Caller.Session().MFA.Equal(now) {
			t.Errorf("%+v, %v", session, err)
		}
		// The step and the code do not work a second time.
		if _, err := w.SignIn.AnswerCode(t.Context(), here, step.Token, p.serial,
			*p.code(t, now.Add(step30))); !errors.Is(err, signin.ErrStepGone) {
			t.Errorf("a spent step: %v", err)
		}
		if _, err := w.SignIn.AnswerCode(t.Context(), here, w.asked(t, "bob").Token, p.serial,
			*p.code(t, now)); err != signin.ErrWrong {
			t.Errorf("a spent code: %v", err)
		}
	})
}

const step30 = 30 * time.Second

// A step ends after five tries, after ten minutes, or with the password.
func TestStepsEnd(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	p := w.holder(t, "bob")
	gone := func(what string, step signin.Step) {
		t.Helper()
		if _, err := w.SignIn.AnswerCode(t.Context(), here, step.Token, p.serial,
			*p.code(t, w.clock.Now())); !errors.Is(err,
			signin.ErrStepGone) {
			t.Errorf("%s: %v", what, err)
		}
		w.clock.advance(10 * time.Minute)
	}
	step := w.asked(t, "bob")
	for range 5 {
		if _, err := w.SignIn.AnswerCode(t.Context(), here, step.Token, p.serial, "000000"); err != signin.ErrWrong {
			t.Error(err)
		}
	}
	gone("after five tries", step)
	step = w.asked(t, "bob")
	w.clock.advance(10 * time.Minute)
	gone("after ten minutes", step)
	step = w.asked(t, "bob")
	w.clock.advance(-20 * time.Minute)
	gone("after the clock stepped back", step)
	w.clock.advance(20 * time.Minute)
	step = w.asked(t, "bob")
	must(t, w.root.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: ptr("bob"), Password: ptr(rightPassword)})
	gone("after the password was set", step)
	step = w.asked(t, "bob")
	must(t, w.root.UpdateUser, &iam.UpdateUserInput{UserName: ptr("bob"), NewUserName: ptr("rob")})
	if _, err := w.SignIn.AnswerCode(t.Context(), here, step.Token, p.serial, *p.code(t, w.clock.Now())); err != nil {
		t.Errorf("after the user was renamed: %v", err)
	}
}

// A sign-in continues at another node, and after a restart. A code and a step
// are used up on all nodes at once.
func TestSignInAtTwoNodes(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			one, two := twoNodes(t, cfg(t), service.Config{})
			p := one.holder(t, "bob")
			now := one.clock.Now()
			steps := []signin.Step{one.asked(t, "bob"), two.asked(t, "bob"), one.asked(t, "bob")}
			var let atomic.Int64
			var wg sync.WaitGroup
			for i, step := range append(steps, steps...) {
				w := []*world{one, two}[i%2]
				wg.Go(func() {
					done, err := w.SignIn.AnswerCode(t.Context(), here, step.Token, p.serial, *p.code(t, now))
					if err == nil && one.isOpen(t, done.Token) && two.isOpen(t, done.Token) {
						let.Add(1)
					}
				})
			}
			wg.Wait()
			if let.Load() != 1 {
				t.Errorf("one code let %d in", let.Load())
			}
		})
	}
}

// Ten thousand unfinished sign-ins, each from another network, use no more memory
// than forty: the memory of the service also contains its rows. This test does
// not run in parallel with others, which would count.
func TestManyHalfOpenSignIns(t *testing.T) {
	w := newWorld(t, service.Config{Trail: trail.New(io.Discard), Derive: func(d seal.Derivation) []byte {
		d.Memory, d.Time = 64, 1 // irrelevant for this test
		return d.Key()
	}})
	names := []string{"a", "b", "c", "d"}
	var phones []phone
	for _, name := range names {
		phones = append(phones, w.holder(t, name))
	}
	begin := func(from, to int) {
		var wg sync.WaitGroup
		for first := from; first < from+8; first++ {
			wg.Go(func() {
				for i := first; i < to; i += 8 {
					v := visit(fmt.Sprintf("2001:db8:%x:%x::1", i/1000, i%1000))
					step, err := w.SignIn.Begin(t.Context(), v, as(names[i%len(names)], rightPassword))
					if err != nil || step.Kind != signin.Device {
						t.Errorf("sign-in %d: %+v, %v", i, step, err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	begin(0, 1000)
	before := heap()
	begin(1000, 10_000)
	if grown := heap() - before; grown > 256<<10 {
		t.Errorf("9,000 sign-ins hold %d bytes of memory", grown)
	}
	w.enterWith(t, "a", phones[0])
}

// A policy that requires MFA applies in the console as it does on the command
// line.
func TestSignInMeetsConditions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	withMFA := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*",
		"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}}]}`
	w.person(t, "plain", withMFA)
	w.person(t, "bob", withMFA)
	p := w.enabledDevice(t, "bob")
	w.clock.advance(10 * time.Minute)
	plain, bob := w.enter(t, "plain"), w.enterWith(t, "bob", p)
	if _, err := w.call(t, plain, "iam", "GetUser", &iam.GetUserInput{}); err == nil {
		t.Error("without MFA")
	}
	if _, err := w.call(t, bob, "iam", "GetUser", &iam.GetUserInput{}); err != nil {
		t.Errorf("with MFA: %v", err)
	}
	for range 2 {
		w.clock.advance(30 * time.Minute)
		w.isOpen(t, bob) // used
	}
	if _, err := w.call(t, bob, "iam", "GetUser", &iam.GetUserInput{}); err == nil {
		t.Error("with MFA of an hour ago")
	}
	if _, err := w.call(t, bob, "sts", "GetSessionToken", &sts.GetSessionTokenInput{}); err == nil {
		t.Error("a session makes another one")
	}
}

// A user with a device may add and remove devices only in a session with MFA.
func TestOwnDevicesFromSessions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.person(t, "bob", allowAll)
	before := w.enter(t, "bob")
	p := w.enabledDevice(t, "bob")
	w.clock.advance(10 * time.Minute)
	if _, err := w.call(t, before, "iam", "DeactivateMFADevice", p.deactivate("bob")); err == nil {
		t.Error("a session without MFA removes the device")
	}
	if _, err := w.call(t, w.enterWith(t, "bob", p), "iam", "DeactivateMFADevice", p.deactivate("bob")); err != nil {
		t.Error(err)
	}
	w.enter(t, "bob") // with only the password again
}

// A root user who has lost its devices can sign in with its password once the
// operator has reset them.
func TestResetRootMFA(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.crowd(t)
		p := w.device(t, "root-account-mfa-device")
		must(t, w.root.EnableMFADevice, p.enable(t, account, w.clock.Now()))
		w.clock.advance(10 * time.Minute)
		root := signin.Attempt{Account: account, Root: true, Password: seal.NewSecret(nextPassword)}
		step, err := w.SignIn.Begin(t.Context(), here, root)
		if err != nil || step.Kind != signin.Device {
			t.Fatalf("%+v, %v", step, err)
		}
		open, err := w.SignIn.AnswerCode(t.Context(), here, step.Token, p.serial, *p.code(t, w.clock.Now()))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := w.IAM.ResetRootMFA(t.Context(), account); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if w.isOpen(t, open.Token) {
			t.Error("root's sessions have not ended")
		}
		if step, err := w.SignIn.Begin(t.Context(), here, root); err != nil || step.Kind != signin.Done {
			t.Errorf("%+v, %v", step, err)
		}
		w.device(t, "root-account-mfa-device") // the name is free
		if _, err := w.IAM.ResetRootMFA(t.Context(), "999999999999"); err == nil {
			t.Error("an account that is not there")
		}
	})
}
