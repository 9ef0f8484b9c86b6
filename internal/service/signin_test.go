package service_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/api"
	"rollcall/internal/seal"
	"rollcall/internal/signin"
	"rollcall/internal/trail"
)

const rightPassword, nextPassword = "Correct-horse-9-battery", "Correct-horse-9-staple"

// visit returns a browser at an address.
func visit(address string) signin.Visit {
	return signin.Visit{
		Call: api.Call{
			RequestID: "b1f5d5f5-0d67-4d7e-9a44-94c2d1d0c6ee", SourceIP: address, UserAgent: "Mozilla/5.0",
			TLS: &trail.TLSDetails{Version: "TLSv1.3", CipherSuite: "TLS_AES_128_GCM_SHA256",
				HostHeader: "rollcall.example.com"},
		},
		To: "https://rollcall.example.com/console/",
	}
}

var here = visit("192.0.2.1")

// person creates a user who can sign in, with a policy.
func (w *world) person(t testing.TB, name, document string) {
	t.Helper()
	w.user(t, name)
	must(t, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: &name, Password: ptr(rightPassword)})
	if document != "" {
		must(t, w.root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: &name, PolicyName: ptr("p"),
			PolicyDocument: &document})
	}
}

func as(name, password string) signin.Attempt {
	return signin.Attempt{Account: account, User: name, Password: seal.NewSecret(password)}
}

// enter signs in a person who only needs a password.
func (w *world) enter(t testing.TB, name string) seal.Secret {
	t.Helper()
	step, err := w.SignIn.Begin(t.Context(), here, as(name, rightPassword))
	if err != nil || step.Kind != signin.Done {
		t.Fatalf("%s: %+v, %v", name, step, err)
	}
	return step.Token
}

// call calls an action as the person of a session.
func (w *world) call(t testing.TB, token seal.Secret, service, name string, in any) (any, error) {
	t.Helper()
	session, err := w.SignIn.Open(t.Context(), token)
	if err != nil {
		return nil, err
	}
	action, ok := w.API.Find(service, name)
	if !ok {
		t.Fatalf("%s is not served", name)
	}
	k := here.Call
	k.Console = true
	out, refused := w.API.Invoke(t.Context(), &session.Caller, action, in, k)
	if refused != nil {
		return nil, refused
	}
	return out, nil
}

// isOpen says whether a token opens a session.
func (w *world) isOpen(t testing.TB, token seal.Secret) bool {
	t.Helper()
	_, err := w.SignIn.Open(t.Context(), token)
	if err != nil && !errors.Is(err, signin.ErrNoSession) {
		t.Error(err)
	}
	return err == nil
}

// A person signs in, calls what the policies allow, and signs out.
func TestSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.person(t, "Bob", allowAll)
		w.clock.advance(time.Minute)
		token := w.enter(t, "bOB")
		out, err := w.call(t, token, "iam", "GetUser", &iam.GetUserInput{})
		if err != nil {
			t.Fatal(err)
		}
		if u := out.(*iam.GetUserOutput).User; *u.UserName != "Bob" || u.PasswordLastUsed == nil ||
			!u.PasswordLastUsed.Equal(w.clock.Now()) {
			t.Errorf("%s, password used %v", *u.UserName, u.PasswordLastUsed)
		}
		if err := w.SignIn.SignOut(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		if w.isOpen(t, token) {
			t.Error("the session continues after it was ended")
		}
	})
}
