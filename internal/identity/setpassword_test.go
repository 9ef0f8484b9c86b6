package identity

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"rollcall/internal/awsmodel"
	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// The state that decides about a password may change while the password is
// hashed. Then everything is decided again.
func TestSetPasswordWhileStateMoves(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, err := New(t.Context(), Config{DB: db, Master: seal.InMemoryMasterKeys()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		for i, c := range stateMoves {
			t.Run(c.name, func(t *testing.T) { testStateMove(t, s, fmt.Sprintf("1234567890%02d", i), c) })
		}
	})
}

// stateMove is a change to the account while alice gets a password.
type stateMove struct {
	name string
	move func(tx *store.Tx, account string) error
	// runs is the number of times the password is judged, and code is the
	// result.
	runs int
	code string
}

var stateMoves = []stateMove{
	{"nothing", func(*store.Tx, string) error { return nil }, 1, ""},
	{"another user", func(tx *store.Tx, a string) error { return tx.SetPassword(a, "bob", "other", false) }, 1, ""},
	{"the password", func(tx *store.Tx, a string) error { return tx.SetPassword(a, "alice", "other", false) }, 2, ""},
	{"the flag", func(tx *store.Tx, a string) error { return tx.SetPasswordReset(a, "alice", true) }, 2, ""},
	{"the history", func(tx *store.Tx, a string) error {
		return tx.AddPasswordHistory(a, "alice", "other", 24)
	}, 2, ""},
	{"the alias", func(tx *store.Tx, a string) error { return tx.InsertAlias(a, "secret-1") }, 2,
		"PasswordPolicyViolation"},
	{"the policy", func(tx *store.Tx, a string) error {
		return tx.SetPasswordPolicy(a, store.PasswordPolicy{MinimumLength: 20})
	}, 2, "PasswordPolicyViolation"},
	{"the profile goes", func(tx *store.Tx, a string) error {
		return tx.DeleteLoginProfile(a, "alice")
	}, 2, "NoSuchEntity"},
	{"the user goes", func(tx *store.Tx, a string) error {
		return errors.Join(tx.DeleteLoginProfile(a, "alice"), tx.DeleteUser(a, "alice"))
	}, 1, "NoSuchEntity"},
	{"another user takes the name", func(tx *store.Tx, a string) error {
		return errors.Join(tx.DeleteLoginProfile(a, "alice"), tx.DeleteUser(a, "alice"),
			tx.InsertUser(store.User{Account: a, NameKey: "alice", Name: "alice", Path: "/", ID: "AIDA2"}))
	}, 2, "NoSuchEntity"},
}

func testStateMove(t *testing.T, s *Service, account string, c stateMove) {
	update := func(fn func(*store.Tx) error) {
		t.Helper()
		if err := s.db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.CreateAccount(t.Context(), AccountSpec{ID: account}); err != nil {
		t.Fatal(err)
	}
	update(func(tx *store.Tx) error {
		for _, name := range []string{"alice", "bob"} {
			err := errors.Join(
				tx.InsertUser(store.User{Account: account, NameKey: name, Name: name, Path: "/", ID: "AIDA1" + name}),
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
			update(func(tx *store.Tx) error { return c.move(tx, account) })
		}
		if !st.has() {
			return errNoLoginProfile(st.user.Name)
		}
		return nil
	}
	var wrote string
	err := s.setPassword(t.Context(), seal.NewSecret("secret-1"), find, allow,
		func(tx *store.Tx, st passwordState, hash string) error {
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
	err = s.db.View(t.Context(), func(tx *store.Tx) error {
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
}

// Only a random key id that exists already is drawn again.
func TestAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, err := New(t.Context(), Config{DB: db, Master: seal.InMemoryMasterKeys()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		n, err := s.CreateAccount(t.Context(), AccountSpec{})
		if err != nil {
			t.Fatal(err)
		}
		ids := []string{n.RootKey.ID, n.RootKey.ID, "AKIAFREE"}
		tries := 0
		err = again(func() error {
			k := store.AccessKey{Account: n.ID, ID: ids[tries], Status: active, Secret: []byte{1}}
			tries++
			return db.Update(t.Context(), func(tx *store.Tx) error { return insertAccessKey(tx, k) })
		})
		if err != nil || tries != 3 {
			t.Errorf("%d tries, %v", tries, err)
		}
		tries = 0
		refusal := errors.New("refused")
		if err := again(func() error { tries++; return refusal }); err != refusal || tries != 1 {
			t.Errorf("%d tries, %v", tries, err)
		}
	})
}
