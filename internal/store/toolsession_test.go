package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// tool returns a tool's session that a user granted.
func tool(id, nameKey string, at time.Time) store.ToolSession {
	return store.ToolSession{
		Account: account, NameKey: nameKey, ID: id, CodeID: store.TokenID("c" + id), TokenID: store.TokenID("t" + id),
		Session: "hmine", State: []byte(id), Address: "192.0.2.1", UserAgent: "test", Created: at, Renewed: at,
		Expires: at.Add(time.Hour),
	}
}

func TestToolSession(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		now := created.Add(time.Hour)
		cfg.Now = func() time.Time { return now }
		db := storetest.Open(t, cfg)
		fill(t, db, "Bob")
		want := tool("one", "bob", now)
		update(t, db, func(tx *store.Tx) error { return tx.InsertTool(want) })
		for name, find := range map[string]func() (store.ToolProof, error){
			"code":  func() (store.ToolProof, error) { return db.ToolByCode(t.Context(), "cone") },
			"token": func() (store.ToolProof, error) { return db.ToolByToken(t.Context(), "tone") },
		} {
			got, err := find()
			if err != nil {
				t.Fatal(name, err)
			}
			if diff := cmp.Diff(want, *got.Session()); diff != "" {
				t.Error(name, diff)
			}
		}
		for _, wrong := range []string{"tone", "one", store.TokenID("cone"), ""} {
			if _, err := db.ToolByCode(t.Context(), wrong); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		now = now.Add(time.Minute)
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.RenewTool(account, "one", "key"), tx.RenameUser(account, "bob",
				store.User{NameKey: "rob", Name: "Rob", Path: "/"}))
		})
		want.NameKey, want.Generation, want.ProofKey, want.Renewed = "rob", 1, "key", now
		view(t, db, func(tx *store.Tx) error {
			all, err := tx.UserTools(account, "rob")
			if diff := cmp.Diff([]store.ToolSession{want}, all); diff != "" {
				t.Error(diff)
			}
			return err
		})
		proof := func(id string) error {
			return db.Update(t.Context(), func(tx *store.Tx) error { return tx.ShowProof(account, id) })
		}
		if err := errors.Join(proof("one"), proof("two")); err != nil {
			t.Fatal(err)
		}
		if err := proof("one"); !errors.Is(err, store.ErrExists) {
			t.Errorf("a proof that was shown: %v", err)
		}
	})
}

// These events end the sessions of a user's tools, with the stored reason.
func TestToolSessionsEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for what, c := range map[string]struct {
			do    func(tx *store.Tx) error
			ended string // "gone" if no row remains
		}{
			"nothing":  {func(*store.Tx) error { return nil }, ""},
			"password": {func(tx *store.Tx) error { return tx.SetPassword(account, "bob", "h", false) }, store.ToolChanged},
			"profile":  {func(tx *store.Tx) error { return tx.DeleteLoginProfile(account, "bob") }, store.ToolChanged},
			"user": {func(tx *store.Tx) error {
				return errors.Join(tx.DeleteLoginProfile(account, "bob"), tx.DeleteUser(account, "bob"))
			}, "gone"},
			"account":          {func(tx *store.Tx) error { return tx.DeleteAccount(account) }, "gone"},
			"other's password": {func(tx *store.Tx) error { return tx.SetPassword(account, "eve", "h", false) }, ""},
			"its session":      {endTool("bob", "hmine"), store.ToolRevoked},
			"itself":           {endTool("bob", "one"), store.ToolRevoked},
			"other's":          {endTool("eve", "one"), ""},
			"misuse": {func(tx *store.Tx) error {
				return errors.Join(tx.EndTool(account, "one", store.ToolMisused), tx.EndTool(account, "one", store.ToolRevoked))
			}, store.ToolMisused},
		} {
			t.Run(what, func(t *testing.T) {
				update(t, db, func(tx *store.Tx) error { return ignore(tx.DeleteAccount(account)) })
				fill(t, db, "bob", "eve")
				update(t, db, func(tx *store.Tx) error {
					return errors.Join(
						tx.InsertLoginProfile(store.LoginProfile{Account: account, NameKey: "bob", Hash: "g"}),
						tx.InsertLoginProfile(store.LoginProfile{Account: account, NameKey: "eve", Hash: "g"}),
						tx.InsertTool(tool("one", "bob", tx.Now)))
				})
				update(t, db, c.do)
				open, err := db.ToolOpen(t.Context(), account, "one")
				if err != nil || open != (c.ended == "") {
					t.Errorf("open: %v, %v", open, err)
				}
				got, err := db.ToolByToken(t.Context(), "tone")
				switch {
				case c.ended == "gone":
					if !errors.Is(err, store.ErrNotFound) {
						t.Errorf("left behind: %v", err)
					}
				case err != nil:
					t.Error(err)
				case got.Session().Ended != c.ended:
					t.Errorf("ended: %q, want %q", got.Session().Ended, c.ended)
				}
			})
		}
	})
}

func endTool(nameKey, handle string) func(tx *store.Tx) error {
	return func(tx *store.Tx) error { _, err := tx.EndUserTool(account, nameKey, handle); return err }
}

// The number of tools' sessions, and of sessions that belong to no user, is
// limited too.
func TestToolsAreBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "bob")
		at := db.Now()
		insert := func(n int, one func(tx *store.Tx, id string, when time.Time) error) {
			update(t, db, func(tx *store.Tx) error {
				var errs []error
				for i := range n {
					errs = append(errs, one(tx, fmt.Sprint(i), at.Add(time.Duration(i)*time.Second)))
				}
				return errors.Join(errs...)
			})
		}
		insert(110, func(tx *store.Tx, id string, when time.Time) error { return tx.InsertTool(tool("u"+id, "bob", when)) })
		insert(505, func(tx *store.Tx, id string, when time.Time) error {
			federated := tool("f"+id, "", when)
			federated.Federated = true
			return tx.InsertTool(federated)
		})
		insert(505, func(tx *store.Tx, id string, when time.Time) error {
			session := signIn(id, "", when)
			session.Federated = true
			return tx.InsertSession(session)
		})
		insert(505, func(tx *store.Tx, id string, when time.Time) error {
			return tx.InsertTicket(store.SignInTicket{Account: account, Federated: true, ID: id, Purpose: "p", Created: when,
				Expires: when})
		})
		update(t, db, func(tx *store.Tx) error { return tx.InsertTool(tool("root's", "", at)) })
		view(t, db, func(tx *store.Tx) error {
			all, err := tx.Dump()
			got := map[string]int{"signin_sessions": 0, "signin_tickets": 0, "tool_sessions": 0}
			for table := range got {
				got[table] = len(all[table])
			}
			want := map[string]int{"signin_sessions": 500, "signin_tickets": 500, "tool_sessions": 1 + 100 + 500}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			mine, err2 := tx.UserTools(account, "bob")
			if len(mine) != 100 || mine[0].ID != "u109" {
				t.Error("not the newest are kept")
			}
			return errors.Join(err, err2)
		})
	})
}
