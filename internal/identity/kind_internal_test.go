package identity

import (
	"context"
	"errors"
	"slices"
	"testing"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// A key that a resource cannot have costs no read. The keys that it can have
// are read once.
func TestKeysOfPrincipalsAreReadOnce(t *testing.T) {
	reads := 0
	keys := principalKeys(t.Context(), "123456789012", func(context.Context) (*store.Grants, error) {
		reads++
		return &store.Grants{
			Tags:     []store.Tag{{Fold: "team", Key: "Team", Value: "x"}},
			Policies: []store.Grant{{Kind: store.BoundaryGrant, ARN: "arn:boundary"}},
		}, nil
	})
	for _, c := range []struct {
		key   string
		want  []string
		reads int
	}{
		{"aws:principaltag/team", nil, 0},
		{"aws:resourceaccount", []string{"123456789012"}, 0},
		{"iam:passedtoservice", nil, 0},
		{"iam:resourcetag/team", []string{"x"}, 1},
		{"aws:resourcetag/team", []string{"x"}, 1},
		{"aws:resourcetag/other", nil, 1},
		{"iam:permissionsboundary", []string{"arn:boundary"}, 1},
	} {
		got, err := keys(c.key)
		if err != nil || !slices.Equal(got, c.want) || reads != c.reads {
			t.Errorf("%s: %q, %v after %d reads; want %q after %d", c.key, got, err, reads, c.want, c.reads)
		}
	}
}

// An entity without grants has no tags and no boundary, and is read once.
func TestKeysOfNobody(t *testing.T) {
	reads := 0
	keys := principalKeys(t.Context(), "123456789012", func(context.Context) (*store.Grants, error) {
		reads++
		return nil, store.ErrNotFound
	})
	for _, key := range []string{"iam:resourcetag/team", "iam:permissionsboundary"} {
		if got, err := keys(key); got != nil || err != nil || reads != 1 {
			t.Errorf("%s: %q, %v after %d reads", key, got, err, reads)
		}
	}
}

// The same is true for things that have only tags.
func TestKeysOfThingsAreReadForTags(t *testing.T) {
	db, err := store.Open(t.Context(), store.Config{Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	reads := 0
	s := &Service{db: db}
	var caller principal.Caller // an account without a number
	provider := store.SAMLProvider{Name: "p"}
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		tag := store.Tag{Fold: "team", Key: "Team", Value: "x"}
		return errors.Join(tx.InsertAccount(store.Account{Partition: "aws"}), tx.InsertSAMLProvider(provider),
			tx.SetTag(store.SAMLProviderTags, "", provider.Name, tag))
	})
	if err != nil {
		t.Fatal(err)
	}
	key := func(*store.Tx, principal.Caller, string) (string, error) {
		reads++
		return provider.Name, nil
	}
	of := kind{tags: tagging{of: store.SAMLProviderTags, key: key}}
	keys := of.tagged(t.Context(), s, caller, "arn")
	for key, want := range map[string]int{"aws:principaltag/team": 0, "iam:permissionsboundary": 0} {
		if got, err := keys(key); got != nil || err != nil || reads != want {
			t.Errorf("%s: %q, %v after %d reads", key, got, err, reads)
		}
	}
	if got, err := keys("aws:resourcetag/team"); !slices.Equal(got, []string{"x"}) || err != nil || reads != 1 {
		t.Errorf("%q, %v after %d reads", got, err, reads)
	}
}
