package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func group(nameKey, path string) store.Group {
	return store.Group{Account: account, NameKey: nameKey, Name: "N" + nameKey, Path: path,
		ID: "AGPA" + nameKey, Created: created}
}

// try runs one change after the other, each in its own transaction.
func try(t *testing.T, db *store.DB, changes []change) {
	t.Helper()
	for _, c := range changes {
		if err := db.Update(t.Context(), c.do); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
}

// change is a test's change of a store, with its expected result.
type change struct {
	what string
	want error
	do   func(tx *store.Tx) error
}

func TestGroups(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertGroup(group("b", "/x/")), tx.InsertGroup(group("a", "/")),
				tx.InsertGroup(group("c", "/x/y/")))
		})
		view(t, db, func(tx *store.Tx) error {
			for _, c := range []struct {
				after, prefix string
				limit         int
				want          []store.Group
			}{
				{"", "/", 9, []store.Group{group("a", "/"), group("b", "/x/"), group("c", "/x/y/")}},
				{"", "/x", 9, []store.Group{group("b", "/x/"), group("c", "/x/y/")}},
				{"a", "/", 1, []store.Group{group("b", "/x/")}},
				{"c", "/", 9, nil},
			} {
				got, err := tx.Groups(account, c.after, c.prefix, c.limit)
				if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
					t.Errorf("after %q in %s: %v %s", c.after, c.prefix, err, diff)
				}
			}
			n, err := tx.CountGroups(account)
			if n != 3 || err != nil {
				t.Errorf("%d groups, %v", n, err)
			}
			return err
		})
		try(t, db, []change{
			{"insert it again", store.ErrExists, func(tx *store.Tx) error { return tx.InsertGroup(group("a", "/z/")) }},
			{"rename to a free name", nil, func(tx *store.Tx) error {
				return tx.RenameGroup(account, "a", group("d", "/d/"))
			}},
			{"rename nobody", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.RenameGroup(account, "a", group("e", "/"))
			}},
			{"delete it", nil, func(tx *store.Tx) error { return tx.DeleteGroup(account, "d") }},
			{"delete it again", store.ErrNotFound, func(tx *store.Tx) error { return tx.DeleteGroup(account, "d") }},
			{"read it", store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Group(account, "d"); return err }},
			{"read another account's", store.ErrNotFound, func(tx *store.Tx) error {
				_, err := tx.Group("999999999999", "b")
				return err
			}},
		})
	})
}

func TestGroupMembers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "ann", "bob", "eve")
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertGroup(group("g", "/")), tx.InsertGroup(group("h", "/")),
				tx.InsertGroupMember(account, "g", "bob"), tx.InsertGroupMember(account, "g", "ann"),
				tx.InsertGroupMember(account, "h", "ann"))
		})
		try(t, db, []change{
			{"join again", store.ErrExists, func(tx *store.Tx) error {
				return tx.InsertGroupMember(account, "g", "ann")
			}},
			{"join no group", store.ErrConflict, func(tx *store.Tx) error {
				return tx.InsertGroupMember(account, "x", "ann")
			}},
			{"nobody joins", store.ErrConflict, func(tx *store.Tx) error {
				return tx.InsertGroupMember(account, "g", "x")
			}},
			{"delete a group with members", store.ErrConflict, func(tx *store.Tx) error {
				return tx.DeleteGroup(account, "g")
			}},
			{"delete a member", store.ErrConflict, func(tx *store.Tx) error { return tx.DeleteUser(account, "ann") }},
			{"put a policy", nil, func(tx *store.Tx) error {
				return tx.PutInlinePolicy(store.GroupEntity, account, "g", store.InlinePolicy{Name: "p"})
			}},
			{"attach two", nil, func(tx *store.Tx) error {
				return errors.Join(tx.InsertAttachment(store.GroupEntity, account, "g", "a"),
					tx.InsertAttachment(store.GroupEntity, account, "g", "b"))
			}},
			{"leave a group of others", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.DeleteGroupMember(account, "h", "bob")
			}},
			{"rename the member", nil, func(tx *store.Tx) error {
				return tx.RenameUser(account, "ann", store.User{NameKey: "zoe", Name: "Zoe", Path: "/"})
			}},
			{"rename the group", nil, func(tx *store.Tx) error {
				return tx.RenameGroup(account, "g", group("k", "/"))
			}},
		})
		view(t, db, func(tx *store.Tx) error {
			members, err := tx.GroupMembers(account, "k", "bob", 9)
			if err != nil || len(members) != 1 || members[0].Name != "Zoe" {
				t.Errorf("%+v %v", members, err)
			}
			first, err := tx.GroupMembers(account, "k", "", 1)
			if err != nil || len(first) != 1 || first[0].NameKey != "bob" || !first[0].Created.Equal(created) {
				t.Errorf("%+v %v", first, err)
			}
			groups, err := tx.GroupsOfUser(account, "zoe", "", 9)
			renamed := group("k", "/")
			renamed.ID = "AGPAg" // it stays
			if diff := cmp.Diff([]store.Group{group("h", "/"), renamed}, groups); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			rest, err := tx.GroupsOfUser(account, "zoe", "h", 9)
			if err != nil || len(rest) != 1 {
				t.Errorf("%+v %v", rest, err)
			}
			n, err := tx.CountGroupsOfUser(account, "zoe")
			if n != 2 || err != nil {
				t.Errorf("%d groups, %v", n, err)
			}
			left, err := tx.GroupReferences(account, "k")
			if diff := cmp.Diff(store.GroupReferences{Members: 2, Policies: 1, Attachments: 2}, left); err != nil ||
				diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			return nil
		})
		try(t, db, []change{{"leave", nil, func(tx *store.Tx) error {
			return tx.DeleteGroupMember(account, "h", "zoe")
		}},
			{"delete the empty group", nil, func(tx *store.Tx) error { return tx.DeleteGroup(account, "h") }}})
	})
}
