package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// The result contains every policy that applies to a user or a role, and no
// other.
func TestGrants(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "ann", "bob")
		update(t, db, func(tx *store.Tx) error {
			var errs []error
			for _, sql := range []string{
				`INSERT INTO user_groups VALUES ('123456789012', 'g', 'G', '/', 'AGPA1', 1), ('123456789012', ` +
					`'other', 'other', '/', 'AGPA2', 1)`,
				`INSERT INTO group_members VALUES ('123456789012', 'g', 'ann')`,
				`INSERT INTO policies VALUES ('123456789012', 'p', 'P', '/', 'arn:p', 'ANPA1', '', 1, 1, 2, 2), ` +
					`('123456789012', 'q', 'Q', '/', 'arn:q', 'ANPA2', '', 1, 1, 1, 1)`,
				`INSERT INTO policy_versions VALUES ('123456789012', 'p', 1, 'p1', 1), ('123456789012', 'p', 2, ` +
					`'p2', 1), ('123456789012', 'q', 1, 'q1', 1)`,
				`INSERT INTO roles VALUES ('123456789012', 'r', 'R', '/x/', 'AROA1', '', '{}', '', 3600, '', 1)`,
				`INSERT INTO user_policies VALUES ('123456789012', 'ann', 'own', 'd1'), ('123456789012', 'bob', ` +
					`'own', 'd2')`,
				`INSERT INTO group_policies VALUES ('123456789012', 'g', 'ofgroup', 'd3'), ('123456789012', 'other', ` +
					`'ofother', 'd4')`,
				`INSERT INTO role_policies VALUES ('123456789012', 'r', 'ofrole', 'd5')`,
				`INSERT INTO user_attachments VALUES ('123456789012', 'ann', 'arn:p'), ('123456789012', 'bob', ` +
					`'arn:q')`,
				`INSERT INTO group_attachments VALUES ('123456789012', 'g', 'arn:aws:iam::aws:policy/X')`,
				`INSERT INTO role_attachments VALUES ('123456789012', 'r', 'arn:q')`,
				`INSERT INTO user_boundaries VALUES ('123456789012', 'ann', 'arn:q')`,
				`INSERT INTO role_boundaries VALUES ('123456789012', 'r', 'arn:p')`,
				`INSERT INTO control_policies VALUES ('123456789012', 'scp', 'd6')`,
				`INSERT INTO role_tags VALUES ('123456789012', 'r', 'k', 'K', 'v')`,
			} {
				errs = append(errs, tx.Exec(sql))
			}
			return errors.Join(append(errs, tx.SetTag(store.UserTags, account, "ann", store.Tag{Fold: "t", Key: "T",
				Value: "v"}))...)
		})
		control := store.Grant{Kind: store.ControlGrant, Name: "scp", Document: "d6"}
		for name, c := range map[string]struct {
			read func(tx *store.Tx) (store.Grants, error)
			want []store.Grant
			tags []store.Tag
		}{
			"ann": {func(tx *store.Tx) (store.Grants, error) { return tx.UserGrants(account, "ann") }, []store.Grant{
				{Kind: store.BoundaryGrant, ARN: "arn:q", Document: "q1"}, control,
				{Kind: store.InlineGrant, Name: "own", Document: "d1"},
				{Kind: store.InlineGrant, Group: "g", Name: "ofgroup", Document: "d3"},
				{Kind: store.ManagedGrant, ARN: "arn:p", Document: "p2"},
				{Kind: store.ManagedGrant, Group: "g", ARN: "arn:aws:iam::aws:policy/X"},
			}, []store.Tag{{Fold: "t", Key: "T", Value: "v"}}},
			"bob": {func(tx *store.Tx) (store.Grants, error) { return tx.UserGrants(account, "bob") }, []store.Grant{
				control, {Kind: store.InlineGrant, Name: "own", Document: "d2"},
				{Kind: store.ManagedGrant, ARN: "arn:q", Document: "q1"},
			}, nil},
			"root": {func(tx *store.Tx) (store.Grants, error) { return tx.UserGrants(account, "") },
				[]store.Grant{control}, nil},
			"role": {func(tx *store.Tx) (store.Grants, error) { return tx.RoleGrants(account, "r") }, []store.Grant{
				{Kind: store.BoundaryGrant, ARN: "arn:p", Document: "p2"}, control,
				{Kind: store.InlineGrant, Name: "ofrole", Document: "d5"},
				{Kind: store.ManagedGrant, ARN: "arn:q", Document: "q1"},
			}, []store.Tag{{Fold: "k", Key: "K", Value: "v"}}},
		} {
			t.Run(name, func(t *testing.T) {
				view(t, db, func(tx *store.Tx) error {
					g, err := c.read(tx)
					if err != nil {
						return err
					}
					slices.SortFunc(g.Policies, func(a, b store.Grant) int {
						return slices.Compare([]string{string(a.Kind), a.Group, a.Name, a.ARN},
							[]string{string(b.Kind), b.Group, b.Name, b.ARN})
					})
					if diff := cmp.Diff(c.want, g.Policies); diff != "" {
						t.Errorf("policies: -want +got\n%s", diff)
					}
					if diff := cmp.Diff(c.tags, g.Tags); diff != "" {
						t.Errorf("tags: -want +got\n%s", diff)
					}
					return nil
				})
			})
		}
		// For a single call the account's own policies come as the names of
		// versions.
		for name, c := range map[string]struct {
			read func(context.Context, string, string) (*store.Grants, error)
			key  string
			want map[string]string
		}{
			"ann": {db.UserGrants, "ann",
				map[string]string{"arn:p": "ANPA1/2/1", "arn:q": "ANPA2/1/1", "arn:aws:iam::aws:policy/X": ""}},
			"role": {db.RoleGrants, "r", map[string]string{"arn:p": "ANPA1/2/1", "arn:q": "ANPA2/1/1"}},
		} {
			g, err := c.read(t.Context(), account, c.key)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, p := range g.Policies {
				if p.ARN != "" {
					got[p.ARN] = p.Version
				}
				if (p.ARN == "") != (p.Document != "") {
					t.Errorf("%s: %+v", name, p)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("versions of %s: -want +got\n%s", name, diff)
			}
		}
		view(t, db, func(tx *store.Tx) error {
			if _, err := tx.UserGrants(account, "nobody"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("nobody: %v", err)
			}
			if _, err := tx.RoleGrants(account, "ann"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("no role: %v", err)
			}
			for version, want := range map[string]error{"ANPA1/2/1": nil, "ANPA1/3/1": store.ErrNotFound,
				"ANPA9/2/1": store.ErrNotFound, "x": store.ErrNotFound} {
				if text, err := tx.VersionDocument(account, "arn:p", version); !errors.Is(err, want) ||
					err == nil && text != "p2" {
					t.Errorf("version %s: %q, %v", version, text, err)
				}
			}
			if text, err := tx.DefaultDocument(account, "arn:p"); err != nil || text != "p2" {
				t.Errorf("default document %q, %v", text, err)
			}
			return nil
		})
	})
}
