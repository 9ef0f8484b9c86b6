package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func aRole(name string) store.Role {
	return store.Role{
		Account: account, NameKey: name, Name: name, Path: "/a/", ID: "AROA" + name, Description: "d",
		Trust: store.Trust{TrustPolicy: `{"x":1}`, TrustedIDs: "AIDA1 arn"}, MaxSession: 7200,
		Service: "batch.amazonaws.com", Created: created,
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		update(t, db, func(tx *store.Tx) error {
			for _, name := range []string{"b", "a", "c"} {
				if err := tx.InsertRole(aRole(name)); err != nil {
					return err
				}
			}
			if err := tx.InsertRole(aRole("a")); !errors.Is(err, store.ErrExists) {
				t.Errorf("twice: %v", err)
			}
			if err := errors.Join(tx.UpdateRole(account, "b", "other", 3600),
				tx.SetTrust(account, "b", store.Trust{TrustPolicy: "{}"})); err != nil {
				return err
			}
			for _, err := range []error{tx.UpdateRole(account, "z", "", 1), tx.SetTrust(account, "z", store.Trust{}),
				tx.DeleteRole(account, "z")} {
				if !errors.Is(err, store.ErrNotFound) {
					t.Errorf("no such role: %v", err)
				}
			}
			return tx.DeleteRole(account, "c")
		})
		view(t, db, func(tx *store.Tx) error {
			changed := aRole("b")
			changed.Description, changed.MaxSession, changed.Trust = "other", 3600, store.Trust{TrustPolicy: "{}"}
			all, err := tx.Roles(account, "", "/", 10)
			if err != nil {
				return err
			}
			if diff := cmp.Diff([]store.Role{aRole("a"), changed}, all); diff != "" {
				t.Error(diff)
			}
			if n, err := tx.CountRoles(account); n != 2 || err != nil {
				t.Errorf("%d roles, %v", n, err)
			}
			if _, err := tx.Role(account, "c"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("deleted: %v", err)
			}
			return nil
		})
	})
}

// A role is deleted with its tags and its boundary, and not while something
// refers to it.
func TestRoleReferences(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		profile := store.InstanceProfile{Account: account, NameKey: "p", Name: "P", Path: "/",
			ID: "AIPA1", Created: created}
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertRole(aRole("r")),
				tx.SetTag(store.RoleTags, account, "r", store.Tag{Fold: "k", Key: "K",
					Value: "v"}),
				tx.SetBoundary(store.RoleEntity, account, "r", "arn:b"),
				tx.InsertAttachment(store.RoleEntity, account, "r",
					"arn:p"),
				tx.InsertInstanceProfile(profile), tx.AddInstanceProfileRole(account, "p", "r"))
		})
		delete := func() error {
			return db.Update(t.Context(), func(tx *store.Tx) error { return tx.DeleteRole(account, "r") })
		}
		view(t, db, func(tx *store.Tx) error {
			got, err := tx.RoleReferences(account, "r")
			if want := (store.RoleReferences{InstanceProfiles: 1, Attachments: 1}); got != want {
				t.Errorf("%+v", got)
			}
			return err
		})
		if err := delete(); !errors.Is(err, store.ErrConflict) {
			t.Errorf("attached: %v", err)
		}
		update(t, db, func(tx *store.Tx) error { return tx.DeleteAttachment(store.RoleEntity, account, "r", "arn:p") })
		if err := delete(); !errors.Is(err, store.ErrConflict) {
			t.Errorf("in a profile: %v", err)
		}
		err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.DeleteInstanceProfile(account, "p") })
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("a profile with a role: %v", err)
		}
		update(t, db, func(tx *store.Tx) error { return tx.RemoveInstanceProfileRole(account, "p", "r") })
		if err := delete(); err != nil {
			t.Fatal(err)
		}
		update(t, db, func(tx *store.Tx) error {
			if err := tx.RemoveInstanceProfileRole(account, "p", "r"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("removed twice: %v", err)
			}
			return tx.InsertRole(aRole("r"))
		})
		view(t, db, func(tx *store.Tx) error {
			tags, err := tx.Tags(store.RoleTags, account, "r", 10)
			boundary, err2 := tx.Boundary(store.RoleEntity, account, "r")
			if len(tags) > 0 || boundary != "" {
				t.Errorf("left of the deleted role: %v %s", tags, boundary)
			}
			return errors.Join(err, err2)
		})
	})
}

func TestInstanceProfileRoles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		update(t, db, func(tx *store.Tx) error {
			var errs []error
			for _, name := range []string{"a", "b", "c"} {
				errs = append(errs, tx.InsertRole(aRole(name)),
					tx.InsertInstanceProfile(store.InstanceProfile{Account: account, NameKey: "p" + name,
						Name: "P" + name, Path: "/", ID: "AIPA" + name, Created: created}),
					tx.AddInstanceProfileRole(account, "p"+name, name))
			}
			errs = append(errs, tx.AddInstanceProfileRole(account, "pc", "a"))
			return errors.Join(errs...)
		})
		view(t, db, func(tx *store.Tx) error {
			got, err := tx.InstanceProfileRoles(account, "pb", "pc")
			want := []store.ProfileRole{{ProfileKey: "pb", Role: aRole("b")}, {ProfileKey: "pc", Role: aRole("a")},
				{ProfileKey: "pc", Role: aRole("c")}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			of, err2 := tx.RoleInstanceProfiles(account, "a", "pa", 10)
			if len(of) != 1 || of[0].Name != "Pc" {
				t.Errorf("%+v", of)
			}
			return errors.Join(err, err2)
		})
	})
}

func TestDeletionTasks(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Now = func() time.Time { return created.Add(time.Hour) }
		db := storetest.Open(t, cfg)
		fill(t, db)
		old := store.DeletionTask{Account: account, ID: "task/1", Created: created, Status: "SUCCEEDED"}
		fresh := store.DeletionTask{Account: account, ID: "task/2",
			Created: created.Add(time.Hour), Status: "SUCCEEDED"}
		update(t, db, func(tx *store.Tx) error { return tx.InsertDeletionTask(old) })
		view(t, db, func(tx *store.Tx) error {
			got, err := tx.DeletionTask(account, old.ID)
			if diff := cmp.Diff(old, got); diff != "" {
				t.Error(diff)
			}
			return err
		})
		update(t, db, func(tx *store.Tx) error { return tx.InsertDeletionTask(fresh) })
		if err := db.ForgetDeletionTasks(t.Context(), created.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		view(t, db, func(tx *store.Tx) error {
			if _, err := tx.DeletionTask(account, old.ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("forgotten: %v", err)
			}
			_, err := tx.DeletionTask(account, fresh.ID)
			return err
		})
	})
}
