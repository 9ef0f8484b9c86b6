package identity_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func TestRotateMasterKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		file := filepath.Join(t.TempDir(), "master.key")
		master, err := seal.CreateMasterKeys(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		open := func() (*identity.Service, error) {
			master, err := seal.LoadMasterKeys(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := identity.New(t.Context(), identity.Config{DB: db, Master: master})
			if err == nil {
				t.Cleanup(s.Close)
			}
			return s, err
		}
		w := &world{db: db, master: master, clock: &clock{now: began}}
		if w.Service, err = open(); err != nil {
			t.Fatal(err)
		}
		w.rootKey = w.newAccount(t, account)
		w.root = w.as(t, w.rootKey.ID, w.rootKey.Secret.Reveal())
		old, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// reads checks that a newly started service opens the sealed secrets.
		reads := func() {
			t.Helper()
			s, err := open()
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.SigningKey(t.Context(), w.rootKey.ID, ""); err != nil {
				t.Error(err)
			}
		}

		was := master.CurrentID()
		if err := w.RotateMasterKey(t.Context(), master); err != nil {
			t.Fatal(err)
		}
		if _, pending := master.PreviousID(); pending || master.CurrentID() == was {
			t.Errorf("current %s, was %s, pending %v", master.CurrentID(), was, pending)
		}
		reads()
		// The service that ran during the rotation still opens them, and others
		// can read what it seals now.
		w.user(t, "alice")
		w.asUser(t, "alice")
		t.Run("the old file is worth nothing", func(t *testing.T) {
			stale := filepath.Join(t.TempDir(), "master.key")
			if err := os.WriteFile(stale, old, 0o600); err != nil {
				t.Fatal(err)
			}
			keys, err := seal.LoadMasterKeys(stale)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := identity.New(t.Context(), identity.Config{DB: db, Master: keys}); !errors.Is(
				err, seal.ErrWrongMasterKey) {
				t.Error(err)
			}
		})
		t.Run("interrupted after the first step", func(t *testing.T) {
			if err := master.AddNew(t.Context()); err != nil {
				t.Fatal(err)
			}
			reads()
			added := master.CurrentID()
			again, err := seal.LoadMasterKeys(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.RotateMasterKey(t.Context(), again); err != nil {
				t.Fatal(err)
			}
			if _, pending := again.PreviousID(); pending || again.CurrentID() != added {
				t.Errorf("current %s, added %s, pending %v", again.CurrentID(), added, pending)
			}
			reads()
			master = again
		})
		t.Run("interrupted after the second step", func(t *testing.T) {
			if err := master.AddNew(t.Context()); err != nil {
				t.Fatal(err)
			}
			err := db.Update(t.Context(), func(tx *store.Tx) error {
				keys, err := tx.DataKeys()
				if err != nil {
					return err
				}
				for _, k := range keys {
					if k, err = seal.Rewrap(k, master); err != nil {
						return err
					}
					if err := tx.RewrapDataKey(k); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			reads()
			if err := w.RotateMasterKey(t.Context(), master); err != nil {
				t.Fatal(err)
			}
			reads()
		})
		t.Run("another installation's file", func(t *testing.T) {
			other, err := seal.CreateMasterKeys(t.Context(), filepath.Join(t.TempDir(), "other.key"))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.RotateMasterKey(t.Context(), other); !errors.Is(err, seal.ErrWrongMasterKey) {
				t.Error(err)
			}
			if _, pending := other.PreviousID(); pending {
				t.Error("the other file was changed")
			}
			reads()
		})
		must(t, w.root, w.ListUsers, &identity.ListUsersInput{})
	})
}
