package identity_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awsmodel"
	"rollcall/internal/seal"
	"rollcall/internal/seal/sealtest"
	"rollcall/internal/store"
)

// Passwords that every policy of the tests accepts.
const (
	good  = "Correct-Horse-1"
	good2 = "Correct-Horse-2"
	good3 = "Correct-Horse-3"
)

// password reads the stored data of a user's password.
func (w *world) password(t *testing.T, nameKey string) (p store.LoginProfile) {
	t.Helper()
	err := w.db.View(t.Context(), func(tx *store.Tx) (err error) {
		p, err = tx.LoginProfile(account, nameKey)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantPassword checks that a user has a password.
func (w *world) wantPassword(t *testing.T, nameKey, want string) {
	t.Helper()
	ok, _, err := seal.NewHasher(0, sealtest.Derive).VerifyPassword(t.Context(), w.password(t, nameKey).Hash,
		seal.NewSecret(want))
	if err != nil || !ok {
		t.Errorf("the password is not %s: %v", want, err)
	}
}

func (w *world) withPassword(t *testing.T, name string) {
	t.Helper()
	w.user(t, name)
	must(t, w.root, w.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: &name, Password: ptr(good)})
}

func TestCreateLoginProfile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Alice")
		t.Run("made", func(t *testing.T) {
			p := must(t, w.root, w.CreateLoginProfile,
				&iam.CreateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good),
					PasswordResetRequired: true}).LoginProfile
			if *p.UserName != "Alice" || !p.CreateDate.Equal(began) || !p.PasswordResetRequired {
				t.Errorf("%+v", p)
			}
			got := must(t, w.root, w.GetLoginProfile, &iam.GetLoginProfileInput{UserName: ptr("ALICE")}).LoginProfile
			if *got.UserName != "Alice" || !got.CreateDate.Equal(began) || !got.PasswordResetRequired {
				t.Errorf("%+v", got)
			}
			w.wantPassword(t, "alice", good)
		})
		t.Run("exists", func(t *testing.T) {
			refused(t, w.root, w.CreateLoginProfile,
				&iam.CreateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good2)},
				409, "EntityAlreadyExists", "Login Profile for user Alice already exists.")
			w.wantPassword(t, "alice", good)
		})
		t.Run("no such user", func(t *testing.T) {
			refused(t, w.root, w.CreateLoginProfile,
				&iam.CreateLoginProfileInput{UserName: ptr("nonexistent-user"), Password: ptr(good)},
				404, "NoSuchEntity", "The user with name nonexistent-user cannot be found.")
		})
		t.Run("weak", func(t *testing.T) {
			w.user(t, "bob")
			refused(t, w.root, w.CreateLoginProfile,
				&iam.CreateLoginProfileInput{UserName: ptr("bob"), Password: ptr("Abcde1!")},
				400, "PasswordPolicyViolation", "Password should have a minimum length of 8")
			refused(t, w.root, w.GetLoginProfile, &iam.GetLoginProfileInput{UserName: ptr("bob")},
				404, "NoSuchEntity", "Login Profile for User bob cannot be found.")
		})
		t.Run("caller", func(t *testing.T) {
			if p := must(t, w.asUser(t, "bob"), w.CreateLoginProfile,
				&iam.CreateLoginProfileInput{Password: ptr(good)}).LoginProfile; *p.UserName != "bob" {
				t.Errorf("%+v", p)
			}
		})
		t.Run("no password", func(t *testing.T) {
			refused(t, w.root, w.CreateLoginProfile,
				&iam.CreateLoginProfileInput{UserName: ptr("alice")}, 400, "ValidationError",
				"1 validation error detected: Value at 'password' failed to satisfy constraint: Member must "+
					"not be null")
		})
	})
}

// Root names a user, because these actions do not reach root's own password.
func TestLoginProfileOfRoot(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.SetRootPassword(t.Context(), account, seal.NewSecret(good)); err != nil {
			t.Fatal(err)
		}
		const text = "Must specify userName when calling with non-User credentials"
		refused(t, w.root, w.CreateLoginProfile, &iam.CreateLoginProfileInput{Password: ptr(good2)},
			400, "ValidationError", text)
		refused(t, w.root, w.GetLoginProfile, &iam.GetLoginProfileInput{}, 400, "ValidationError", text)
		refused(t, w.root, w.DeleteLoginProfile, &iam.DeleteLoginProfileInput{}, 400, "ValidationError", text)
		w.wantPassword(t, "", good)
	})
}

func TestUpdateLoginProfile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Alice")
		update := func(password *string, reset *bool) *iam.UpdateLoginProfileInput {
			return &iam.UpdateLoginProfileInput{UserName: ptr("alice"), Password: password,
				PasswordResetRequired: reset}
		}
		t.Run("none", func(t *testing.T) {
			const missing = "Login Profile for User Alice cannot be found."
			refused(t, w.root, w.UpdateLoginProfile, update(ptr(good), nil), 404, "NoSuchEntity", missing)
			refused(t, w.root, w.UpdateLoginProfile, update(nil, nil), 404, "NoSuchEntity", missing)
			refused(t, w.root, w.UpdateLoginProfile, update(nil, ptr(true)), 404, "NoSuchEntity", missing)
		})
		must(t, w.root, w.CreateLoginProfile,
			&iam.CreateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good), PasswordResetRequired: true})
		for _, step := range []struct {
			name     string
			in       *iam.UpdateLoginProfileInput
			password string
			reset    bool
			changed  bool // whether the password was set
		}{
			{"nothing", update(nil, nil), good, true, false},
			{"password keeps the flag", update(ptr(good2), nil), good2, true, true},
			{"flag alone", update(nil, ptr(false)), good2, false, false},
			{"password keeps the flag off", update(ptr(good3), nil), good3, false, true},
			{"both", update(ptr(good), ptr(true)), good, true, true},
			{"same password again", update(ptr(good), ptr(false)), good, false, true},
		} {
			t.Run(step.name, func(t *testing.T) {
				before := w.password(t, "alice")
				w.clock.advance(time.Minute)
				must(t, w.root, w.UpdateLoginProfile, step.in)
				w.wantPassword(t, "alice", step.password)
				after := w.password(t, "alice")
				if after.ResetRequired != step.reset || after.Changed.After(before.Changed) != step.changed ||
					!after.Created.Equal(began) {
					t.Errorf("reset %v, changed %s after %s, created %s", after.ResetRequired, after.Changed,
						before.Changed, after.Created)
				}
			})
		}
		t.Run("weak", func(t *testing.T) {
			refused(t, w.root, w.UpdateLoginProfile, update(ptr("short1!"), ptr(true)), 400, "PasswordPolicyViolation",
				"Password should have a minimum length of 8")
			if w.password(t, "alice").ResetRequired {
				t.Error("a refused update changed the flag")
			}
		})
		t.Run("no such user", func(t *testing.T) {
			refused(t, w.root, w.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: ptr("nobody")},
				404, "NoSuchEntity", "The user with name nobody cannot be found.")
		})
	})
}

func TestDeleteLoginProfile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withPassword(t, "Alice")
		must(t, w.root, w.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: ptr("alice")})
		const missing = "Login Profile for User Alice cannot be found."
		refused(t, w.root, w.GetLoginProfile, &iam.GetLoginProfileInput{UserName: ptr("alice")},
			404, "NoSuchEntity", missing)
		refused(t, w.root, w.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: ptr("alice")},
			404, "NoSuchEntity", missing)
		refused(t, w.root, w.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: ptr("nonexistent-user")},
			404, "NoSuchEntity", "The user with name nonexistent-user cannot be found.")
		must(t, w.root, w.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good)})
	})
}

func TestChangePassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Alice")
		alice := w.asUser(t, "Alice")
		change := func(ctx context.Context, from, to string) error {
			_, err := call(ctx, w.ChangePassword, &iam.ChangePasswordInput{OldPassword: &from, NewPassword: &to})
			return err
		}
		wantRefusal(t, change(alice, good, good2), 404, "NoSuchEntity", "Login Profile for User Alice cannot be found.")
		must(t, w.root, w.CreateLoginProfile,
			&iam.CreateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good), PasswordResetRequired: true})
		w.clock.advance(time.Hour)

		wantCode(t, change(alice, good2, good3), 403, "AccessDenied")
		wantCode(t, change(alice, good, good), 403, "AccessDenied")
		// A user who does not know the old password learns nothing about the
		// rules.
		wantCode(t, change(alice, good2, "weak"), 403, "AccessDenied")
		wantRefusal(t, change(alice, good, "weak"), 400, "PasswordPolicyViolation",
			"Password should have a minimum length of 8, Password should meet 2 more of the following requirements: "+
				"Password should have at least one uppercase letter, Password should have at least one number, "+
				"Password should have at least one symbol")
		wantCode(t, change(w.root, good, good2), 400, "InvalidUserType")
		w.wantPassword(t, "alice", good)

		if err := change(alice, good, good2); err != nil {
			t.Fatal(err)
		}
		w.wantPassword(t, "alice", good2)
		if p := w.password(t, "alice"); p.ResetRequired ||
			!p.Changed.Equal(began.Add(time.Hour)) || !p.Created.Equal(began) {
			t.Errorf("reset %v, changed %s, created %s", p.ResetRequired, p.Changed, p.Created)
		}
		wantCode(t, change(alice, good, good3), 403, "AccessDenied")
	})
}

// wantCode is wantRefusal for cases in which AWS's sentence is not known.
func wantCode(t testing.TB, err error, status int, code string) {
	t.Helper()
	if e, ok := err.(*awsmodel.Error); !ok || e.Status() != status || e.Code != code || e.Message == "" {
		t.Errorf("error %v, want %d %s", err, status, code)
	}
}
