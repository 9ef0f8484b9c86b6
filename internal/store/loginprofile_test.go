package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func TestLoginProfile(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		now := created
		cfg.Now = func() time.Time { return now }
		db := storetest.Open(t, cfg)
		fill(t, db, "alice", "bob")
		want := store.LoginProfile{Account: account, NameKey: "alice", Hash: "one", Created: created,
			Changed: created, ResetRequired: true}
		check := func() {
			t.Helper()
			view(t, db, func(tx *store.Tx) error {
				got, err := tx.LoginProfile(account, "alice")
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				return err
			})
		}
		update(t, db, func(tx *store.Tx) error { return tx.InsertLoginProfile(want) })
		check()
		err := db.Update(context.Background(), func(tx *store.Tx) error { return tx.InsertLoginProfile(want) })
		if !errors.Is(err, store.ErrExists) {
			t.Errorf("second profile: %v", err)
		}
		now = created.Add(time.Hour)
		update(t, db, func(tx *store.Tx) error { return tx.SetPasswordReset(account, "alice", false) })
		want.ResetRequired = false
		check()
		update(t, db, func(tx *store.Tx) error { return tx.SetPassword(account, "alice", "two", true) })
		want.Hash, want.ResetRequired, want.Changed = "two", true, now
		check()
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.AddPasswordHistory(account, "alice", "one", 2),
				tx.AddPasswordHistory(account, "alice", "two", 2),
				tx.InsertSession(signIn("s", "alice", now)), tx.ReplacePasswordHash(account, "alice", "two", "three"))
		})
		want.Hash = "three"
		check()
		view(t, db, func(tx *store.Tx) error {
			history, err := tx.PasswordHistory(account, "alice")
			if !slices.Equal(history, []string{"three", "one"}) {
				t.Errorf("history %q", history)
			}
			sessions, err2 := tx.UserSessions(account, "alice")
			if len(sessions) != 1 {
				t.Error("the session ended with the hash")
			}
			return errors.Join(err, err2)
		})
		for name, change := range map[string]func(*store.Tx) error{
			"another hash": func(tx *store.Tx) error { return tx.ReplacePasswordHash(account, "alice", "two", "four") },
			"set":          func(tx *store.Tx) error { return tx.SetPassword(account, "bob", "x", false) },
			"reset":        func(tx *store.Tx) error { return tx.SetPasswordReset(account, "bob", true) },
			"delete":       func(tx *store.Tx) error { return tx.DeleteLoginProfile(account, "bob") },
			"read":         func(tx *store.Tx) error { _, err := tx.LoginProfile(account, "bob"); return err },
		} {
			if err := db.Update(context.Background(), change); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s without a profile: %v", name, err)
			}
		}
		err = db.Update(context.Background(), func(tx *store.Tx) error { return tx.DeleteUser(account, "alice") })
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("delete a user with a password: %v", err)
		}
		update(t, db, func(tx *store.Tx) error { return tx.DeleteLoginProfile(account, "alice") })
		update(t, db, func(tx *store.Tx) error { return tx.DeleteUser(account, "alice") })
	})
}

func TestPasswordHistory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "alice", "bob")
		history := func(name string) (h []string) {
			t.Helper()
			view(t, db, func(tx *store.Tx) (err error) {
				h, err = tx.PasswordHistory(account, name)
				return err
			})
			return h
		}
		add := func(name, hash string) {
			t.Helper()
			update(t, db, func(tx *store.Tx) error { return tx.AddPasswordHistory(account, name, hash, 3) })
		}
		add("bob", "b1")
		for _, step := range []struct {
			hash string
			want []string
		}{
			{"a1", []string{"a1"}},
			{"a2", []string{"a2", "a1"}},
			{"a3", []string{"a3", "a2", "a1"}},
			{"a4", []string{"a4", "a3", "a2"}},
			{"a5", []string{"a5", "a4", "a3"}},
		} {
			add("alice", step.hash)
			if got := history("alice"); !slices.Equal(got, step.want) {
				t.Errorf("after %s: %q, want %q", step.hash, got, step.want)
			}
		}
		if got := history("bob"); !slices.Equal(got, []string{"b1"}) {
			t.Errorf("bob's history is %q", got)
		}
		update(t, db, func(tx *store.Tx) error { return tx.RenameUser(account, "alice", user("Alicia")) })
		if got := history("alicia"); len(got) != 3 {
			t.Errorf("after a rename: %q", got)
		}
		update(t, db, func(tx *store.Tx) error { return tx.DeleteUser(account, "alicia") })
		update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user("alicia")) })
		if got := history("alicia"); len(got) > 0 {
			t.Errorf("another user of the name has the history %q", got)
		}
	})
}
