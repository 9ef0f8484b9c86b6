package identity

import (
	"errors"
	"slices"
	"testing"

	"rollcall/internal/awsmodel"
	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// What decides about a password may move while the password is hashed. Then
// all that was decided is decided anew.
func TestSetPasswordWhileStateMoves(t *testing.T) {
	const account = "123456789012"
	for _, c := range []struct {
		name string
		move func(*store.Tx) error
		// runs is how often the password is judged, code what comes of it.
		runs int
		code string
	}{
		{"nothing", func(*store.Tx) error { return nil }, 1, ""},
		{"another user", func(tx *store.Tx) error { return tx.SetPassword(account, "bob", "other", false) }, 1, ""},
		{"the password", func(tx *store.Tx) error { return tx.SetPassword(account, "alice", "other", false) }, 2, ""},
		{"the flag", func(tx *store.Tx) error { return tx.SetPasswordReset(account, "alice", true) }, 2, ""},
		{"the history", func(tx *store.Tx) error { return tx.AddPasswordHistory(account, "alice", "other", 24) }, 2, ""},
		{"the alias", func(tx *store.Tx) error { return tx.InsertAlias(account, "secret-1") }, 2, "PasswordPolicyViolation"},
		{"the policy", func(tx *store.Tx) error {
			return tx.SetPasswordPolicy(account, store.PasswordPolicy{MinimumLength: 20})
		}, 2, "PasswordPolicyViolation"},
		{"the profile goes", func(tx *store.Tx) error { return tx.DeleteLoginProfile(account, "alice") }, 2, "NoSuchEntity"},
		{"the user goes", func(tx *store.Tx) error {
			return errors.Join(tx.DeleteLoginProfile(account, "alice"), tx.DeleteUser(account, "alice"))
		}, 1, "NoSuchEntity"},
		{"another user takes the name", func(tx *store.Tx) error {
			return errors.Join(tx.DeleteLoginProfile(account, "alice"), tx.DeleteUser(account, "alice"),
				tx.InsertUser(store.User{Account: account, NameKey: "alice", Name: "alice", Path: "/", ID: "AIDA2"}))
		}, 2, "NoSuchEntity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				s, err := New(t.Context(), Config{DB: db, Master: seal.InMemoryMasterKeys()})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(s.Close)
				update := func(fn func(*store.Tx) error) {
					t.Helper()
					if err := db.Update(t.Context(), fn); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := s.CreateAccount(t.Context(), AccountSpec{ID: account}); err != nil {
					t.Fatal(err)
				}
				update(func(tx *store.Tx) error {
					for _, name := range []string{"alice", "bob"} {
						err := errors.Join(tx.InsertUser(store.User{Account: account, NameKey: name, Name: name, Path: "/", ID: "AIDA1" + name}),
							tx.InsertLoginProfile(store.LoginProfile{Account: account, NameKey: name, Hash: "first"}))
						if err != nil {
							return err
						}
					}
					return nil
				})
				runs := 0
				find := func(tx *store.Tx) (store.User, error) { return user(tx, account, "alice") }
				allow := func(st passwordState) error {
					if runs++; runs == 1 {
						update(c.move)
					}
					if !st.has() {
						return noLoginProfile(st.user.Name)
					}
					return nil
				}
				var wrote string
				err = s.setPassword(t.Context(), seal.NewSecret("secret-1"), find, allow, func(tx *store.Tx, st passwordState, hash string) error {
					wrote = hash
					return tx.SetPassword(account, st.user.NameKey, hash, false)
				})
				if runs != c.runs {
					t.Errorf("judged %d times, want %d", runs, c.runs)
				}
				if c.code != "" {
					var refusal *awsmodel.Error
					if !errors.As(err, &refusal) || refusal.Code != c.code || wrote != "" {
						t.Errorf("%v, wrote %q; want %s", err, wrote, c.code)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				err = db.View(t.Context(), func(tx *store.Tx) error {
					p, err := tx.LoginProfile(account, "alice")
					history, err2 := tx.PasswordHistory(account, "alice")
					if p.Hash != wrote || !slices.Contains(history, wrote) {
						t.Errorf("hash %q, history %q, wrote %q", p.Hash, history, wrote)
					}
					return errors.Join(err, err2)
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
