package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// Work that ran for an account, or a user, does not count for a later one with
// its number or its name.
func TestMadeAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "u")
		begin := func() (token int64) {
			update(t, db, func(tx *store.Tx) (err error) {
				token, err = tx.StartReportJob(account, "node-1", time.Minute)
				return err
			})
			return token
		}
		old := begin()
		db.PasswordUsed(account, "u", created.Add(-time.Second))
		update(t, db, func(tx *store.Tx) error { return tx.DeleteAccount(account) })
		fill(t, db, "u")
		if begin() == old {
			t.Error("a job has the token of one of the account before")
		}
		for name, step := range map[string]func(*store.Tx) error{
			"renew": func(tx *store.Tx) error { return tx.RenewReportJob(account, old, time.Minute) },
			"add": func(tx *store.Tx) error {
				return tx.AddReportChunks(account, old, 0,
					[]store.ReportChunk{{Size: 1, Data: []byte("x")}}, time.Minute)
			},
			"end": func(tx *store.Tx) error { return tx.EndReportJob(account, old) },
			"publish": func(tx *store.Tx) error {
				return tx.PublishReport(store.Report{Account: account, Token: old}, store.ReportHistory{Count: 2})
			},
		} {
			if err := db.Update(context.Background(), step); !errors.Is(err, store.ErrConflict) {
				t.Errorf("the job of the account before can %s: %v", name, err)
			}
		}
		if err := db.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		view(t, db, func(tx *store.Tx) error {
			if at, err := tx.PasswordLastUsed(account, "u"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the password of the user before was used %v, %v", at, err)
			}
			return nil
		})
	})
}

// A user is found by its id under every name, on every store.
func TestUserByID(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		a := storetest.Open(t, cfg)
		b := a
		if !cfg.Memory {
			b = storetest.Open(t, cfg)
		}
		fill(t, a, "u", "v")
		id := user("u").ID
		for _, name := range []string{"u", "renamed", "u"} {
			for _, db := range []*store.DB{a, b} {
				if u, err := db.UserByID(context.Background(), account, id); err != nil ||
					u.NameKey != name || u.ID != id {
					t.Fatalf("%+v %v, want %s", u, err, name)
				}
			}
			next := store.User{NameKey: "renamed", Name: "renamed", Path: "/"}
			if name != "u" {
				next.NameKey, next.Name = "u", "u"
			}
			update(t, b, func(tx *store.Tx) error { return tx.RenameUser(account, name, next) })
		}
		update(t, b, func(tx *store.Tx) error { return tx.DeleteUser(account, "renamed") })
		for _, of := range [][2]string{{account, id}, {"222222222222", user("v").ID}} {
			if u, err := a.UserByID(context.Background(), of[0], of[1]); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%+v %v", u, err)
			}
		}
	})
}
