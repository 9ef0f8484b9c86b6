package service_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/signin"
)

// strangers returns sign-ins that are all refused, each for another reason.
func strangers() map[string]signin.Attempt {
	with := func(change func(*signin.Attempt)) signin.Attempt {
		a := as("bob", rightPassword)
		change(&a)
		return a
	}
	return map[string]signin.Attempt{
		"wrong password":    as("bob", nextPassword),
		"empty password":    as("bob", ""),
		"long password":     as("bob", strings.Repeat("a", 4<<10)),
		"longer password":   as("bob", rightPassword+strings.Repeat(" ", 4<<10)),
		"no text":           as("bob", "\xff\xfe"+rightPassword),
		"no such user":      as("eve", rightPassword),
		"no password":       as("keys", rightPassword),
		"no name":           as("", rightPassword), // this is root's name in the store
		"no name, roots":    as("", nextPassword),
		"no such account":   with(func(a *signin.Attempt) { a.Account = "999999999999" }),
		"no account":        with(func(a *signin.Attempt) { a.Account = "" }),
		"no such alias":     with(func(a *signin.Attempt) { a.Account = "exampl" }),
		"blank behind name": as("bob ", rightPassword),
		"user as root":      with(func(a *signin.Attempt) { a.Root = true }),
		"root of no one":    with(func(a *signin.Attempt) { a.Root, a.Account = true, "999999999999" }),
	}
}

// crowd creates the people whom strangers try to impersonate, and others.
func (w *world) crowd(t testing.TB) {
	t.Helper()
	w.person(t, "bob", allowAll)
	w.user(t, "keys")
	must(t, w.root.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: ptr("example")})
	if err := w.IAM.SetRootPassword(t.Context(), account, seal.NewSecret(nextPassword)); err != nil {
		t.Fatal(err)
	}
}

// Every refusal has the same sentence, whatever the reason.
func TestRefusedSignIns(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.crowd(t)
	n := 0
	for what, a := range strangers() {
		n++
		step, err := w.SignIn.Begin(t.Context(), visit(fmt.Sprint("192.0.2.", n)), a)
		if err != signin.ErrWrong || err.Error() != "Your authentication information is incorrect. Please try again." ||
			step.Kind != "" {
			t.Errorf("%s: %+v, %v", what, step, err)
		}
	}
	for what, a := range map[string]signin.Attempt{
		"by alias":            {Account: "Example", User: "bob", Password: seal.NewSecret(rightPassword)},
		"root":                {Account: account, Root: true, Password: seal.NewSecret(nextPassword)},
		"root, whatever name": {Account: account, Root: true, User: "bob", Password: seal.NewSecret(nextPassword)},
	} {
		step, err := w.SignIn.Begin(t.Context(), here, a)
		if err != nil || step.Kind != signin.Done {
			t.Errorf("%s: %v", what, err)
			continue
		}
		session, err := w.SignIn.Open(t.Context(), step.Token)
		if err != nil || session.Caller.IsRoot() != a.Root {
			t.Errorf("%s: %v, %v", what, session, err)
		}
	}
}

// Each refusal costs one hash, and all hashes cost the same, so times reveal
// nothing. The test counts the hashes, because times would depend on the
// machine.
func TestRefusedSignInsTakeOneTime(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var derived []seal.Derivation
	w := newWorld(t, service.Config{Derive: func(d seal.Derivation) []byte {
		mu.Lock()
		defer mu.Unlock()
		derived = append(derived, d)
		return d.Key()
	}})
	w.crowd(t)
	n := 0
	for what, a := range strangers() {
		n++
		derived = nil
		if _, err := w.SignIn.Begin(t.Context(), visit(fmt.Sprint("192.0.2.", n)), a); !errors.Is(err, signin.ErrWrong) {
			t.Errorf("%s: %v", what, err)
		}
		if len(derived) != 1 {
			t.Errorf("%s costs %d hashes", what, len(derived))
			continue
		}
		d := derived[0]
		if d.Memory != 19<<10 || d.Time != 2 || d.Threads != 1 || d.Size != 32 || len(d.Salt) != 16 ||
			len(d.Password) > 1024 {
			t.Errorf("%s costs %+v", what, d)
		}
	}
}

// wait returns how long a refused attempt must wait, -1 if it was not refused.
func (w *world) wait(t testing.TB, v signin.Visit, a signin.Attempt) time.Duration {
	t.Helper()
	_, err := w.SignIn.Begin(t.Context(), v, a)
	var refused *signin.Refusal
	if errors.Is(err, signin.ErrPaused) && errors.As(err, &refused) {
		return refused.RetryAfter
	}
	if err != nil && !errors.Is(err, signin.ErrWrong) {
		t.Fatal(err)
	}
	return -1
}

// Attempts for a user from one address lead to longer and longer pauses, on two
// nodes as on one, and whether or not the user exists.
func TestSignInPauses(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			one, two := twoNodes(t, cfg(t), service.Config{})
			one.crowd(t)
			for _, user := range []string{"bob", "eve"} {
				nodes := []*world{one, two}
				v := visit("198.51.100." + fmt.Sprint(len(user)+int(user[0])%50))
				for i := range 5 {
					if got := nodes[i%2].wait(t, v, as(user, "wrong")); got != -1 {
						t.Errorf("%s, try %d: %v", user, i, got)
					}
				}
				for i, want := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second} {
					for _, a := range []signin.Attempt{as(user, "wrong"), as(strings.ToUpper(user), rightPassword)} {
						if got := nodes[i%2].wait(t, v, a); got != want {
							t.Errorf("%s, pause %d: %v, want %v", user, i, got, want)
						}
					}
					one.clock.advance(want)
					if got := nodes[(i+1)%2].wait(t, v, as(user, "wrong")); got != -1 {
						t.Errorf("%s, after pause %d: %v", user, i, got)
					}
				}
				if got := one.wait(t, visit("198.51.100.99"), as(user, "wrong")); got != -1 {
					t.Errorf("%s from elsewhere: %v", user, got)
				}
			}
			one.clock.advance(time.Hour)
			if got := one.wait(t, here, as("bob", "wrong")); got != -1 {
				t.Errorf("after an hour: %v", got)
			}
		})
	}
}

// Simultaneous attempts are refused after the same number as consecutive ones.
func TestSignInPausesAtOneTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.crowd(t)
		var tried atomic.Int64
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() {
				if _, err := w.SignIn.Begin(t.Context(), here, as("bob", "wrong")); errors.Is(err, signin.ErrWrong) {
					tried.Add(1)
				}
			})
		}
		wg.Wait()
		if tried.Load() != 5 {
			t.Errorf("%d of 30 were checked", tried.Load())
		}
	})
}

// An attacker who tries a person's password from everywhere delays that person
// for a minute at most, and not at all at an address of an earlier sign-in.
func TestNobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.crowd(t)
	w.enter(t, "bob")
	for i := range 40 {
		w.wait(t, visit(fmt.Sprintf("2001:db8:0:%x::1", i)), as("bob", "wrong"))
		w.clock.advance(time.Minute)
	}
	if got := w.wait(t, visit("203.0.113.7"), as("bob", rightPassword)); got != -1 {
		t.Errorf("after the pause: %v", got)
	}
	w.wait(t, visit("2001:db8:0:ffff::1"), as("bob", "wrong"))
	if got := w.wait(t, visit("203.0.113.8"), as("bob", rightPassword)); got <= 0 || got > time.Minute {
		t.Errorf("from an address that is not known: %v", got)
	}
	if got := w.wait(t, here, as("bob", rightPassword)); got != -1 {
		t.Errorf("from a known address: %v", got)
	}
	// Attempts for another user, or in another account, delay nobody. An
	// administrator ends the pauses of a user.
	w.wait(t, visit("2001:db8:0:fffe::1"), as("bob", "wrong"))
	must(t, w.root.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: ptr("bob"), Password: ptr(nextPassword)})
	if got := w.wait(t, visit("203.0.113.9"), as("bob", nextPassword)); got != -1 {
		t.Errorf("after an administrator has set the password: %v", got)
	}
}

// An address that tries everybody gets pauses too. So does an attacker who
// tries everybody in one account from everywhere.
func TestSprayedPasswords(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.newAccount(t, identity.AccountSpec{ID: "999999999999"})
	pausedAfter := func(try func(int) (signin.Visit, signin.Attempt)) int {
		for i := range 300 {
			v, a := try(i)
			if w.wait(t, v, a) != -1 {
				return i
			}
		}
		return -1
	}
	got := pausedAfter(func(i int) (signin.Visit, signin.Attempt) {
		// For IPv6 the network counts.
		return visit(fmt.Sprintf("2001:db8:1:1::%x", i)), as(fmt.Sprint("u", i), "wrong")
	})
	if got != 50 {
		t.Errorf("one network paused after %d tries", got)
	}
	w.clock.advance(2 * time.Hour)
	got = pausedAfter(func(i int) (signin.Visit, signin.Attempt) {
		return visit(fmt.Sprintf("2001:db8:2:%x::1", i)), as(fmt.Sprint("v", i), "wrong")
	})
	if got != 200 {
		t.Errorf("one account paused after %d tries", got)
	}
	other := as("bob", "wrong")
	other.Account = "999999999999"
	if got := w.wait(t, here, other); got != -1 {
		t.Errorf("another account: %v", got)
	}
}

// Right passwords do not count as guesses.
func TestRightPasswordsAreNotCounted(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.crowd(t)
	for i := range 60 {
		if got := w.wait(t, here, as("bob", rightPassword)); got != -1 {
			t.Fatalf("sign-in %d: %v", i, got)
		}
	}
}

// While the queue of sign-ins is full, further ones are refused at once, and
// signed calls continue. Those in the queue are answered.
func TestFullQueueOfSignIns(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	var held atomic.Bool
	w := newWorld(t, service.Config{Derive: func(d seal.Derivation) []byte {
		if held.Load() {
			<-hold
		}
		d.Memory, d.Time = 64, 1
		return d.Key()
	}})
	w.person(t, "bob", allowAll)
	held.Store(true)
	answers := make(chan error)
	try := func(i int) error {
		_, err := w.SignIn.Begin(t.Context(), visit(fmt.Sprint("192.0.2.", i)), as(fmt.Sprint("u", i), "wrong"))
		return err
	}
	// An answer at this point is a refusal, because nothing is hashed.
	n := 0
	for refused := false; !refused; n++ {
		if n > 1000 {
			t.Fatal("nobody is refused")
		}
		i := n
		go func() { answers <- try(i) }()
		select {
		case err := <-answers:
			if !errors.Is(err, signin.ErrBusy) {
				t.Fatalf("sign-in %d: %v", n, err)
			}
			refused = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	if err := try(1001); !errors.Is(err, signin.ErrBusy) {
		t.Errorf("one more: %v", err)
	}
	must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("bob")})
	close(hold)
	waited := 0
	for range n - 1 {
		switch err := <-answers; {
		case errors.Is(err, signin.ErrWrong):
			waited++
		case !errors.Is(err, signin.ErrBusy):
			t.Errorf("one who waited: %v", err)
		}
	}
	if most := 32 + max(1, runtime.GOMAXPROCS(0)/2); waited < 33 || waited > most {
		t.Errorf("%d sign-ins waited, want %d", waited, most)
	}
	if err := try(1002); !errors.Is(err, signin.ErrWrong) {
		t.Errorf("after that: %v", err)
	}
}
