package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// fillEntities creates the users ann and bob, and groups and roles with their
// names.
func fillEntities(t *testing.T, db *store.DB) {
	t.Helper()
	fill(t, db, "ann", "bob")
	update(t, db, func(tx *store.Tx) error {
		return errors.Join(tx.InsertGroup(group("ann", "/")), tx.InsertGroup(group("bob", "/x/")),
			tx.InsertRole(store.Role{Account: account, NameKey: "ann", Name: "Nann", Path: "/", ID: "AROAann"}),
			tx.InsertRole(store.Role{Account: account, NameKey: "bob", Name: "Nbob", Path: "/x/", ID: "AROAbob"}))
	})
}

var everyEntity = []store.Entity{store.UserEntity, store.GroupEntity, store.RoleEntity}

// remove deletes the entity itself.
func remove(tx *store.Tx, e store.Entity, nameKey string) error {
	switch e {
	case store.UserEntity:
		return tx.DeleteUser(account, nameKey)
	case store.GroupEntity:
		return tx.DeleteGroup(account, nameKey)
	}
	return tx.DeleteRole(account, nameKey)
}

func TestInlinePolicies(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fillEntities(t, db)
		for _, e := range everyEntity {
			a, b := store.InlinePolicy{Name: "a", Document: "one"}, store.InlinePolicy{Name: "B", Document: "two"}
			try(t, db, []change{
				{"put two", nil, func(tx *store.Tx) error {
					return errors.Join(tx.PutInlinePolicy(e, account, "ann", a),
						tx.PutInlinePolicy(e, account, "ann", b))
				}},
				{"put another's", nil, func(tx *store.Tx) error { return tx.PutInlinePolicy(e, account, "bob", b) }},
				{"put nobody's", store.ErrConflict, func(tx *store.Tx) error {
					return tx.PutInlinePolicy(e, account, "eve", a)
				}},
				{"replace", nil, func(tx *store.Tx) error {
					a.Document = "three"
					return tx.PutInlinePolicy(e, account, "ann", a)
				}},
				{"delete the entity", store.ErrConflict, func(tx *store.Tx) error { return remove(tx, e, "ann") }},
			})
			view(t, db, func(tx *store.Tx) error {
				all, err := tx.InlinePolicies(e, account, "ann")
				if diff := cmp.Diff([]store.InlinePolicy{b, a}, all); err != nil || diff != "" {
					t.Errorf("%s: %v %s", e, err, diff)
				}
				one, err := tx.InlinePolicy(e, account, "ann", "a")
				if one != a || err != nil {
					t.Errorf("%s: %+v %v", e, one, err)
				}
				return nil
			})
			try(t, db, []change{
				{"replace in other case", nil, func(tx *store.Tx) error {
					return tx.PutInlinePolicy(e, account, "ann", store.InlinePolicy{Name: "b", Document: "four"})
				}},
				{"read in other case", nil, func(tx *store.Tx) error {
					one, err := tx.InlinePolicy(e, account, "ann", "b")
					if one != (store.InlinePolicy{Name: "B", Document: "four"}) {
						t.Errorf("%s: %+v", e, one)
					}
					return err
				}},
				{"delete both, one in other case", nil, func(tx *store.Tx) error {
					return errors.Join(tx.DeleteInlinePolicy(e, account, "ann", "A"),
						tx.DeleteInlinePolicy(e, account, "ann", "B"))
				}},
				{"read what is gone", store.ErrNotFound, func(tx *store.Tx) error {
					_, err := tx.InlinePolicy(e, account, "ann", "a")
					return err
				}},
				{"delete the entity", nil, func(tx *store.Tx) error { return remove(tx, e, "ann") }},
			})
		}
	})
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fillEntities(t, db)
		for _, e := range everyEntity {
			try(t, db, []change{
				{"attach two", nil, func(tx *store.Tx) error {
					return errors.Join(tx.InsertAttachment(e, account, "ann", "arn:b"),
						tx.InsertAttachment(e, account, "ann", "arn:a"))
				}},
				{"attach again", store.ErrExists, func(tx *store.Tx) error {
					return tx.InsertAttachment(e, account, "ann", "arn:a")
				}},
				{"attach to nobody", store.ErrConflict, func(tx *store.Tx) error {
					return tx.InsertAttachment(e, account, "eve", "arn:a")
				}},
				{"delete the entity", store.ErrConflict, func(tx *store.Tx) error { return remove(tx, e, "ann") }},
			})
			view(t, db, func(tx *store.Tx) error {
				all, err := tx.Attachments(e, account, "ann")
				if diff := cmp.Diff([]string{"arn:a", "arn:b"}, all); err != nil || diff != "" {
					t.Errorf("%s: %v %s", e, err, diff)
				}
				return err
			})
			try(t, db, []change{
				{"detach another's", store.ErrNotFound, func(tx *store.Tx) error {
					return tx.DeleteAttachment(e, account, "bob", "arn:a")
				}},
				{"detach both", nil, func(tx *store.Tx) error {
					return errors.Join(tx.DeleteAttachment(e, account, "ann", "arn:a"),
						tx.DeleteAttachment(e, account, "ann", "arn:b"))
				}},
				{"delete the entity", nil, func(tx *store.Tx) error { return remove(tx, e, "ann") }},
			})
		}
	})
}

func TestBoundaries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fillEntities(t, db)
		for _, e := range []store.Entity{store.UserEntity, store.RoleEntity} {
			is := func(name, want string) {
				t.Helper()
				view(t, db, func(tx *store.Tx) error {
					got, err := tx.Boundary(e, account, name)
					if got != want {
						t.Errorf("%s %s is bound by %q, want %q", e, name, got, want)
					}
					return err
				})
			}
			is("ann", "")
			try(t, db, []change{
				{"set", nil, func(tx *store.Tx) error { return tx.SetBoundary(e, account, "ann", "arn:a") }},
				{"set another", nil, func(tx *store.Tx) error { return tx.SetBoundary(e, account, "ann", "arn:b") }},
				{"set nobody's", store.ErrConflict, func(tx *store.Tx) error {
					return tx.SetBoundary(e, account, "eve", "arn:b")
				}},
				{"set bob's", nil, func(tx *store.Tx) error { return tx.SetBoundary(e, account, "bob", "arn:a") }},
			})
			is("ann", "arn:b")
			try(t, db, []change{
				{"take it away", nil, func(tx *store.Tx) error { return tx.DeleteBoundary(e, account, "ann") }},
				{"take nothing away", store.ErrNotFound, func(tx *store.Tx) error {
					return tx.DeleteBoundary(e, account, "ann")
				}},
				{"it goes with its owner", nil, func(tx *store.Tx) error { return remove(tx, e, "bob") }},
			})
			is("ann", "")
			is("bob", "")
		}
	})
}
