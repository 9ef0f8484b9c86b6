package service_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/signin"
)

// Everything that ends a person's sessions ends them at every node with the
// next request.
func TestSessionsEndEverywhere(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			one, two := twoNodes(t, cfg(t), service.Config{})
			for what, end := range map[string]func(t *testing.T, name string){
				"password": func(t *testing.T, name string) {
					must(t, one.root.UpdateLoginProfile,
						&iam.UpdateLoginProfileInput{UserName: &name, Password: ptr(nextPassword)})
				},
				"profile": func(t *testing.T, name string) {
					must(t, one.root.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: &name})
				},
				"user": func(t *testing.T, name string) {
					must(t, one.root.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: &name})
					must(t, one.root.DeleteUserPolicy,
						&iam.DeleteUserPolicyInput{UserName: &name, PolicyName: ptr("p")})
					must(t, one.root.DeleteUser, &iam.DeleteUserInput{UserName: &name})
					one.person(t, name, allowAll) // another user with the same name
				},
			} {
				t.Run(what, func(t *testing.T) {
					one.person(t, what, allowAll)
					token := one.enter(t, what)
					if !two.isOpen(t, token) {
						t.Fatal("a session of another node is not open")
					}
					end(t, what)
					for _, w := range []*world{two, one} {
						if w.isOpen(t, token) {
							t.Error("the session continues")
						}
					}
				})
			}
			one.person(t, "bob", allowAll)
			token := one.enter(t, "bob")
			must(t, two.root.UpdateUser, &iam.UpdateUserInput{UserName: ptr("bob"), NewUserName: ptr("rob"),
				NewPath: ptr("/x/")})
			one.person(t, "bob", "")
			session, err := one.SignIn.Open(t.Context(), token)
			if err != nil || session.Caller.ARN() != "arn:aws:iam::"+account+":user/x/rob" {
				t.Errorf("a renamed user: %v, %v", session, err)
			}
		})
	}
}

// A new account with the number of a deleted one has none of its sessions.
func TestSessionsEndWithTheirAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.person(t, "bob", allowAll)
		token := w.enter(t, "bob")
		if err := w.IAM.DeleteAccount(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		key := w.newAccount(t, identity.AccountSpec{ID: account})
		w.root = w.as(key.ID, key.Secret.Reveal())
		w.person(t, "bob", allowAll)
		if w.isOpen(t, token) {
			t.Error("the session continues")
		}
	})
}

func TestSessionList(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.person(t, "bob", allowAll)
	w.person(t, "eve", allowAll)
	tokens := []seal.Secret{w.enter(t, "bob"), w.enter(t, "eve")}
	w.clock.advance(time.Minute)
	tokens = append(tokens, w.enter(t, "bob"))
	open := func(i int) *signin.Session {
		t.Helper()
		s, err := w.SignIn.Open(t.Context(), tokens[i])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	list := func() []signin.Info {
		t.Helper()
		all, err := w.SignIn.Sessions(t.Context(), open(2))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := list()
	if len(all) != 2 || !all[0].Current || all[1].Current || all[1].Handle != open(0).Handle ||
		all[0].Address != here.SourceIP ||
		all[0].UserAgent != here.UserAgent || !all[1].Created.Equal(began) ||
		!all[1].Expires.Equal(began.Add(12*time.Hour)) {
		t.Errorf("%+v", all)
	}
	for _, handle := range []string{open(1).Handle, "", all[1].Handle} {
		if err := w.SignIn.EndSession(t.Context(), open(2), handle); err != nil {
			t.Error(err)
		}
	}
	if w.isOpen(t, tokens[0]) || !w.isOpen(t, tokens[1]) || !w.isOpen(t, tokens[2]) {
		t.Error("not the one session was ended that was named")
	}
	if left := list(); !slices.EqualFunc(left, all[:1], func(a, b signin.Info) bool { return a.Handle == b.Handle }) {
		t.Errorf("%+v", left)
	}
}

// Unused sessions end, and all sessions end after 12 hours.
func TestSessionTimes(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.person(t, "bob", allowAll)
	unused, used := w.enter(t, "bob"), w.enter(t, "bob")
	for range 23 {
		w.clock.advance(30 * time.Minute)
		if !w.isOpen(t, used) {
			t.Fatalf("a used session ends after %v", w.clock.Now().Sub(began))
		}
	}
	if w.isOpen(t, unused) {
		t.Error("a session continues unused")
	}
	w.clock.advance(30 * time.Minute)
	if w.isOpen(t, used) {
		t.Error("a session continues after 12 hours")
	}
}

// An operator may change how long unused sessions last.
func TestSessionIdle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{SessionIdle: 3 * time.Hour})
	w.person(t, "bob", allowAll)
	token := w.enter(t, "bob")
	w.clock.advance(3*time.Hour - time.Second)
	if !w.isOpen(t, token) {
		t.Error("the session ended before its time")
	}
	w.clock.advance(3 * time.Hour)
	if w.isOpen(t, token) {
		t.Error("the session continues unused")
	}
}

// A session acts as a role whose trust policy allows the person, until it
// exits.
func TestSwitchRole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := w.holder(t, "bob")
		w.person(t, "eve", allowAll)
		mfa := `,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`
		w.role(t, "ops", trusting("bob")+mfa)
		must(t, w.root.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: ptr("ops"), PolicyName: ptr("p"),
			PolicyDocument: ptr(allowAll)})
		bob, eve := w.enterWith(t, "bob", p), w.enter(t, "eve")
		to := signin.Switch{Account: account, Role: "ops", To: here.To}
		if err := w.SignIn.SwitchRole(t.Context(), here, eve, to); failureCode(err) != "AccessDenied" {
			t.Errorf("whom the role does not trust: %v", err)
		}
		for _, bad := range []signin.Switch{{Account: account}, {Role: "ops"}, {Account: "1:2", Role: "ops"},
			{Account: account, Role: "a:b"}} {
			if err := w.SignIn.SwitchRole(t.Context(), here, bob, bad); err == nil {
				t.Errorf("%+v is taken", bad)
			}
		}
		if err := w.SignIn.SwitchRole(t.Context(), here, bob, to); err != nil {
			t.Fatal(err)
		}
		session, err := w.SignIn.Open(t.Context(), bob)
		if err != nil || session.Caller.ARN() != "arn:aws:sts::"+account+":assumed-role/ops/bob" ||
			session.Role.Name != "ops@"+account {
			t.Fatalf("%+v, %v", session, err)
		}
		if c := session.Caller.Session(); !c.MFA.IsZero() || c.Expires.Sub(c.Issued) != time.Hour {
			t.Errorf("the role's session: %+v", c)
		}
		if _, err := w.call(t, bob, "sts", "GetCallerIdentity", &sts.GetCallerIdentityInput{}); err != nil {
			t.Error(err)
		}
		w.clock.advance(30 * time.Minute)
		w.isOpen(t, bob)
		w.clock.advance(30 * time.Minute)
		if _, err := w.SignIn.Open(t.Context(), bob); !errors.Is(err, signin.ErrRoleEnded) {
			t.Errorf("after the role's hour: %v", err)
		}
		if err := w.SignIn.ExitRole(t.Context(), here, bob, here.To); err != nil {
			t.Fatal(err)
		}
		if session, err = w.SignIn.Open(t.Context(), bob); err != nil || session.Caller.UserName() != "bob" ||
			session.Caller.Session().MFA.IsZero() {
			t.Errorf("after the exit: %+v, %v", session, err)
		}
		if err := w.SignIn.SwitchRole(t.Context(), here, bob, to); err != nil {
			t.Fatal(err)
		}
		must(t, w.root.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: ptr("ops"), PolicyName: ptr("p")})
		must(t, w.root.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("ops")})
		if _, err := w.SignIn.Open(t.Context(), bob); !errors.Is(err, signin.ErrRoleEnded) {
			t.Errorf("after the role was deleted: %v", err)
		}
	})
}

// Root cannot switch to a role.
func TestRootSwitchesToNoRole(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.crowd(t)
	w.role(t, "ops", `"Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole"`)
	step, err := w.SignIn.Begin(t.Context(), here, signin.Attempt{Account: account, Root: true,
		Password: seal.NewSecret(nextPassword)})
	if err != nil {
		t.Fatal(err)
	}
	err = w.SignIn.SwitchRole(t.Context(), here, step.Token, signin.Switch{Account: account, Role: "ops"})
	if failureCode(err) != "AccessDenied" {
		t.Error(err)
	}
}

// A person who signs in while the password is being changed has no session that
// outlives the old password.
func TestSignInRacesItsPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.person(t, "bob", allowAll)
		for round := range 6 {
			must(t, w.root.UpdateLoginProfile,
				&iam.UpdateLoginProfileInput{UserName: ptr("bob"), Password: ptr(rightPassword)})
			var step signin.Step
			var err error
			var wg sync.WaitGroup
			wg.Go(func() { step, err = w.SignIn.Begin(t.Context(), here, as("bob", rightPassword)) })
			time.Sleep(time.Duration(round) * 5 * time.Millisecond)
			must(t, w.root.UpdateLoginProfile,
				&iam.UpdateLoginProfileInput{UserName: ptr("bob"), Password: ptr(nextPassword)})
			wg.Wait()
			if err != nil && !errors.Is(err, signin.ErrWrong) {
				t.Error(err)
			}
			if err == nil && w.isOpen(t, step.Token) {
				t.Errorf("round %d: a session of the old password is open", round)
			}
			w.clock.advance(time.Hour)
		}
	})
}
