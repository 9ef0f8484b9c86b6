package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// Reading a key together with its policies returns the same as two look-ups, even
// after another store has changed something, such as the key's owner.
func TestSigner(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		a := storetest.Open(t, cfg)
		b := a
		if !cfg.Memory {
			b = storetest.Open(t, cfg)
		}
		fill(t, a, "u", "v")
		together := 0
		check := func(what string) {
			t.Helper()
			o, g, err := a.Signer(context.Background(), "AKIA1")
			want, err2 := b.KeyOwner(context.Background(), "AKIA1")
			if errors.Is(err2, store.ErrNotFound) && errors.Is(err, store.ErrNotFound) {
				return
			}
			if err != nil || err2 != nil {
				t.Fatalf("%s: %v, %v", what, err, err2)
			}
			if cmp.Diff(o, want) != "" {
				t.Errorf("%s: owner:\n%s", what, cmp.Diff(o, want))
			}
			if g == nil {
				return
			}
			together++
			fresh, err := b.UserGrants(context.Background(), o.User.Account, o.User.NameKey)
			if err != nil || cmp.Diff(g, fresh) != "" {
				t.Errorf("%s: %v, grants:\n%s", what, err, cmp.Diff(g, fresh))
			}
		}
		change := func(what string, fn func(tx *store.Tx) error) {
			t.Helper()
			update(t, b, fn)
			check(what)
			check(what + ", again")
			check(what + ", once more")
		}
		check("no key")
		change("key", func(tx *store.Tx) error { return tx.InsertAccessKey(key("u", "AKIA1")) })
		change("tag", func(tx *store.Tx) error {
			return tx.SetTag(store.UserTags, account, "u", store.Tag{Fold: "t", Key: "T", Value: "v"})
		})
		change("inactive", func(tx *store.Tx) error {
			return tx.SetCredentialStatus(store.AccessKeyCredential, account, "u", "AKIA1", "Inactive")
		})
		change("control policy", func(tx *store.Tx) error {
			return tx.Exec(`INSERT INTO control_policies VALUES ('123456789012', 'scp', 'd')`)
		})
		change("renamed", func(tx *store.Tx) error { return tx.RenameUser(account, "u", user("Other")) })
		change("another has the name", func(tx *store.Tx) error { return tx.RenameUser(account, "v", user("u")) })
		change("deleted", func(tx *store.Tx) error {
			return tx.DeleteCredential(store.AccessKeyCredential, account, "other", "AKIA1")
		})
		change("of another user", func(tx *store.Tx) error { return tx.InsertAccessKey(key("u", "AKIA1")) })
		change("of root", func(tx *store.Tx) error {
			return errors.Join(tx.DeleteCredential(store.AccessKeyCredential, account, "u", "AKIA1"),
				tx.InsertAccessKey(key("", "AKIA1")))
		})
		if cfg.URL != "" && together < 8 {
			t.Errorf("only %d times the grants came with the key", together)
		}
	})
}

// Two statements of a glance would see two snapshots.
func TestGlanceIsOneStatement(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "u")
		err := db.Glance(context.Background(), func(tx *store.Tx) error {
			if _, err := tx.User(account, "u"); err != nil {
				t.Errorf("first: %v", err)
			}
			_, err := tx.User(account, "u")
			return err
		})
		if err == nil {
			t.Error("a second statement ran")
		}
	})
}

// A view that reads nothing, or fails, leaves its connection outside of a
// transaction.
func TestViewsWithoutStatements(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "u")
		failed := errors.New("failed")
		for range 40 {
			if err := db.View(context.Background(), func(*store.Tx) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if err := db.View(context.Background(), func(*store.Tx) error { return failed }); !errors.Is(err, failed) {
				t.Fatal(err)
			}
			err := db.View(context.Background(), func(tx *store.Tx) error { return tx.Exec("SELECT no_such_column") })
			if err == nil {
				t.Fatal("no error")
			}
			update(t, db, func(tx *store.Tx) error {
				return tx.RenameUser(account, "u", user("u"))
			})
		}
	})
}

// Grants that were read of another user are not those of a key's owner, even if both
// had the same name when each was read.
func TestSignerWithGrantsOfAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "u", "v")
		update(t, db, func(tx *store.Tx) error { return tx.InsertAccessKey(key("u", "AKIA1")) })
		for nameKey, want := range map[string]bool{"u": true, "v": false, "nobody": false, "": false} {
			_, g, err := db.SignerAs(t.Context(), "AKIA1", account, nameKey)
			if err != nil || (g != nil) != want {
				t.Errorf("%s: %+v, %v", nameKey, g, err)
			}
		}
	})
}
