package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func policy(nameKey, path string) store.Policy {
	return store.Policy{
		Account: account, NameKey: nameKey, Name: "N" + nameKey, Path: path,
		ARN: "arn:" + path + nameKey, ID: "ANPA" + nameKey,
		Description: "d", Created: created, Updated: created, DefaultVersion: 1, LastVersion: 1,
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		a, b, c := policy("a", "/"), policy("b", "/x/"), policy("c", "/x/y/")
		later := created.Add(time.Hour)
		one, two := store.PolicyVersion{Version: 1, Document: "one", Created: created}, store.PolicyVersion{Version: 2,
			Document: "two", Created: later}
		try(t, db, []change{
			{"insert three", nil, func(tx *store.Tx) error {
				return errors.Join(tx.InsertPolicy(c), tx.InsertPolicy(a), tx.InsertPolicy(b))
			}},
			{"insert one again, elsewhere", store.ErrExists, func(tx *store.Tx) error {
				return tx.InsertPolicy(policy("a", "/z/"))
			}},
			{"versions", nil, func(tx *store.Tx) error {
				return errors.Join(tx.InsertPolicyVersion(account, "a", one), tx.InsertPolicyVersion(account, "a", two),
					tx.InsertPolicyVersion(account, "b", one))
			}},
			{"a version again", store.ErrExists, func(tx *store.Tx) error {
				return tx.InsertPolicyVersion(account, "a", one)
			}},
			{"a version of nothing", store.ErrConflict, func(tx *store.Tx) error {
				return tx.InsertPolicyVersion(account, "x", one)
			}},
			{"another default", nil, func(tx *store.Tx) error {
				a.DefaultVersion, a.LastVersion, a.Updated = 2, 7, later
				return tx.UpdatePolicy(a)
			}},
			{"update nothing", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.UpdatePolicy(policy("x", "/"))
			}},
		})
		view(t, db, func(tx *store.Tx) error {
			for _, l := range []struct {
				after, prefix string
				limit         int
				want          []store.Policy
			}{
				{"", "/", 9, []store.Policy{a, b, c}}, {"a", "/", 1, []store.Policy{b}},
				{"", "/x/", 9, []store.Policy{b, c}}, {"c", "/", 9, nil},
			} {
				got, err := tx.Policies(account, l.after, l.prefix, l.limit)
				if diff := cmp.Diff(l.want, got); err != nil || diff != "" {
					t.Errorf("after %q in %s: %v %s", l.after, l.prefix, err, diff)
				}
			}
			got, err := tx.Policy(account, a.ARN)
			if diff := cmp.Diff(a, got); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			versions, err := tx.PolicyVersions(account, "a")
			if diff := cmp.Diff([]store.PolicyVersion{two, one}, versions); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			v, err := tx.PolicyVersion(account, "a", 2)
			if v != two || err != nil {
				t.Errorf("%+v %v", v, err)
			}
			if n, err := tx.CountPolicies(account); n != 3 || err != nil {
				t.Errorf("%d policies, %v", n, err)
			}
			document, err := tx.DefaultDocument(account, a.ARN)
			if document != "two" || err != nil {
				t.Errorf("default %q, %v", document, err)
			}
			return nil
		})
		try(t, db, []change{
			{"read by another ARN", store.ErrNotFound, func(tx *store.Tx) error {
				_, err := tx.Policy(account, "arn:/A")
				return err
			}},
			{"delete a version", nil, func(tx *store.Tx) error { return tx.DeletePolicyVersion(account, "a", 1) }},
			{"delete it again", store.ErrNotFound, func(tx *store.Tx) error {
				return tx.DeletePolicyVersion(account, "a", 1)
			}},
			{"read it", store.ErrNotFound, func(tx *store.Tx) error {
				_, err := tx.PolicyVersion(account, "a", 1)
				return err
			}},
			{"tag", nil, func(tx *store.Tx) error {
				return tx.SetTag(store.PolicyTags, account, "a", store.Tag{Key: "k", Value: "v"})
			}},
			{"delete the policy with all", nil, func(tx *store.Tx) error { return tx.DeletePolicy(account, "a") }},
			{"delete it again", store.ErrNotFound, func(tx *store.Tx) error { return tx.DeletePolicy(account, "a") }},
			{"its versions are gone", store.ErrNotFound, func(tx *store.Tx) error {
				_, err := tx.PolicyVersion(account, "a", 2)
				return err
			}},
		})
	})
}

func TestPolicyTags(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		set := func(key, value string) change {
			return change{"tag " + key, nil, func(tx *store.Tx) error {
				return tx.SetTag(store.PolicyTags, account, "p", store.Tag{Key: key, Value: value})
			}}
		}
		try(t, db, []change{
			{"insert", nil, func(tx *store.Tx) error {
				return errors.Join(tx.InsertPolicy(policy("p", "/")), tx.InsertPolicy(policy("q", "/")))
			}},
			set("zz", "1"), set("b", "2"), set("B", "3"), set("a", "4"), set("a", "5"),
			{"tag nothing", store.ErrConflict, func(tx *store.Tx) error {
				return tx.SetTag(store.PolicyTags, account, "x",
					store.Tag{Key: "k"})
			}},
			{"untag", nil, func(tx *store.Tx) error { return tx.DeleteTag(store.PolicyTags, account, "p", "b") }},
			{"untag what is not there", nil, func(tx *store.Tx) error {
				return tx.DeleteTag(store.PolicyTags, account, "p",
					"b")
			}},
		})
		view(t, db, func(tx *store.Tx) error {
			all, err := tx.Tags(store.PolicyTags, account, "p", 9)
			want := []store.Tag{{Fold: "B", Key: "B", Value: "3"},
				{Fold: "a", Key: "a", Value: "5"}, {Fold: "zz", Key: "zz",
					Value: "1"}}
			if diff := cmp.Diff(want, all); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			some, err := tx.Tags(store.PolicyTags, account, "p", 2)
			if len(some) != 2 || err != nil {
				t.Errorf("%+v %v", some, err)
			}
			none, err := tx.Tags(store.PolicyTags, account, "q", 9)
			if len(none) != 0 || err != nil {
				t.Errorf("%+v %v", none, err)
			}
			return nil
		})
	})
}

func TestPolicyUse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fillEntities(t, db)
		update(t, db, func(tx *store.Tx) error {
			for _, e := range everyEntity {
				if err := errors.Join(tx.InsertAttachment(e, account, "ann", "arn:p"),
					tx.InsertAttachment(e, account, "bob", "arn:p"),
					tx.InsertAttachment(e, account, "bob", "arn:q")); err != nil {
					return err
				}
			}
			return errors.Join(tx.SetBoundary(store.UserEntity, account, "ann", "arn:q"),
				tx.SetBoundary(store.RoleEntity, account, "ann", "arn:q"),
				tx.SetBoundary(store.RoleEntity, account, "bob", "arn:r"))
		})
		want := map[string]store.PolicyUse{
			"arn:p": {ARN: "arn:p", Attachments: 6}, "arn:q": {ARN: "arn:q", Attachments: 3, Boundaries: 2},
			"arn:r": {ARN: "arn:r", Boundaries: 1},
		}
		view(t, db, func(tx *store.Tx) error {
			used, err := tx.PoliciesUsed(account)
			if diff := cmp.Diff(want, used); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			for arn, use := range want {
				if got, err := tx.PolicyUse(account, arn); got != use || err != nil {
					t.Errorf("%+v %v, want %+v", got, err, use)
				}
			}
			if got, err := tx.PolicyUse("999999999999", "arn:p"); got != (store.PolicyUse{ARN: "arn:p"}) || err != nil {
				t.Errorf("%+v %v", got, err)
			}
			return err
		})
	})
}

func TestPolicyEntities(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fillEntities(t, db)
		update(t, db, func(tx *store.Tx) error {
			for _, e := range everyEntity {
				if err := errors.Join(tx.InsertAttachment(e, account, "ann", "arn:p"),
					tx.InsertAttachment(e, account, "bob", "arn:p")); err != nil {
					return err
				}
			}
			return errors.Join(tx.SetBoundary(store.RoleEntity, account, "bob", "arn:p"),
				tx.SetBoundary(store.RoleEntity, account, "ann", "arn:q"))
		})
		attached, boundary, both := store.Use{Attached: true}, store.Use{Boundary: true},
			store.Use{Attached: true, Boundary: true}
		for _, c := range []struct {
			of                 store.Entity
			use                store.Use
			arn, after, prefix string
			limit              int
			want               string
		}{
			{store.UserEntity, both, "arn:p", "", "/", 9, "ann bob"},
			{store.UserEntity, boundary, "arn:p", "", "/", 9, ""},
			{store.GroupEntity, attached, "arn:p", "", "/", 9, "ann bob"},
			{store.GroupEntity, both, "arn:p", "", "/x/", 9, "bob"},
			{store.GroupEntity, boundary, "arn:p", "", "/", 9, ""},
			{store.RoleEntity, both, "arn:p", "", "/", 9, "ann bob"},
			{store.RoleEntity, both, "arn:p", "", "/", 1, "ann"},
			{store.RoleEntity, both, "arn:p", "ann", "/", 9, "bob"},
			{store.RoleEntity, boundary, "arn:p", "", "/", 9, "bob"},
			{store.RoleEntity, boundary, "arn:q", "", "/", 9, "ann"},
			{store.RoleEntity, attached, "arn:q", "", "/", 9, ""},
			{store.RoleEntity, store.Use{}, "arn:p", "", "/", 9, ""},
		} {
			view(t, db, func(tx *store.Tx) error {
				found, err := tx.PolicyEntities(c.of, c.use, account, c.arn, c.after, c.prefix, c.limit)
				got := ""
				for i, e := range found {
					if i > 0 {
						got += " "
					}
					got += e.NameKey
					if e.ID == "" || e.Name == "" {
						t.Errorf("%+v", e)
					}
				}
				if got != c.want {
					t.Errorf("%+v: %q, want %q", c, got, c.want)
				}
				return err
			})
		}
	})
}
