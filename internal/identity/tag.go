package identity

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// maxTags is the maximum number of tags of a user or a device. IAM quotas.
const maxTags = 50

// tagKeys says how the tag keys of a kind of resource are compared.
type tagKeys struct {
	fold      func(string) string
	duplicate string
	empty     string // the error for an empty list of tags
	emptyKeys string // the error for an empty list of keys to remove; if it is "", such a list is accepted
}

// IAM ignores case when it compares the tag keys of users and roles, but not
// those of other resources. The texts are recorded for users and policies.
// Those for empty lists are recorded for users, server certificates and OpenID
// Connect providers. That the others are the same is a guess.
var (
	foldedTagKeys = tagKeys{
		fold:      strings.ToLower,
		duplicate: "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
		empty:     "Error occurred while validating input. ",
	}
	exactTagKeys = tagKeys{
		fold:      func(key string) string { return key },
		duplicate: "Duplicate tag keys found.",
		empty:     "The provided tag map must not be null/empty.",
		emptyKeys: "The provided tag keys must not be null/empty.",
	}
)

// read checks the tags of a request. Keys that begin with aws:, in any case,
// are reserved for AWS (recorded).
func (k tagKeys) read(in []types.Tag) ([]store.Tag, error) {
	tags := make([]store.Tag, 0, len(in))
	seen := map[string]bool{}
	for _, t := range in {
		if strings.HasPrefix(strings.ToLower(*t.Key), "aws:") {
			return nil, fail("InvalidInput", "Tag keys beginning with aws: are reserved for system use.")
		}
		fold := k.fold(*t.Key)
		if seen[fold] {
			return nil, fail("InvalidInput", "%s", k.duplicate)
		}
		seen[fold] = true
		tags = append(tags, store.Tag{Fold: fold, Key: *t.Key, Value: *t.Value})
	}
	return tags, nil
}

// tagsOut returns tags for an answer. It returns nil if there are none, so
// answers omit the member. Answers to actions that create a thing contain the
// tags in the order of the request (recorded for policies and OpenID Connect
// providers).
func tagsOut(tags []store.Tag) []types.Tag {
	var out []types.Tag
	for _, t := range tags {
		out = append(out, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return out
}

// someTags is tagsOut for answers that contain the member even if it is empty.
func someTags(tags []store.Tag) []types.Tag { return append([]types.Tag{}, tagsOut(tags)...) }

// tagging says how things of a kind have tags.
type tagging struct {
	of   store.TagsOf
	keys tagKeys
	// check returns an error for a name of another kind, before anything is
	// read. It may be nil.
	check func(c principal.Caller, name string, change bool) error
	// find finds the thing that an action names, by its key in its table.
	// change says that the action changes its tags.
	find func(tx *store.Tx, c principal.Caller, name string, change bool) (account, key string, err error)
	// key returns the key of the thing in the table, for authorization, whether
	// or not the thing exists.
	key func(tx *store.Tx, c principal.Caller, name string) (string, error)
}

func (g *tagging) checked(c principal.Caller, name string, change bool) error {
	if g.check == nil {
		return nil
	}
	return g.check(c, name, change)
}

// insertTags writes the tags of a new thing.
func insertTags(tx *store.Tx, of store.TagsOf, account, key string, tags []store.Tag) error {
	for _, t := range tags {
		if err := tx.SetTag(of, account, key, t); err != nil {
			return err
		}
	}
	return nil
}

// tag adds tags to the thing with a name. It replaces tags with the same key,
// which then have the new spelling.
func (k kindOn) tag(ctx context.Context, name string, in []types.Tag) error {
	c, g := principal.Of(ctx), &k.tags
	if len(in) == 0 {
		return fail("InvalidInput", "%s", g.keys.empty)
	}
	tags, err := g.keys.read(in)
	if err != nil {
		return err
	}
	if err := g.checked(c, name, true); err != nil {
		return err
	}
	return k.s.db.Update(ctx, func(tx *store.Tx) error {
		account, key, err := g.find(tx, c, name, true)
		if err != nil {
			return err
		}
		if err := insertTags(tx, g.of, account, key, tags); err != nil {
			return err
		}
		all, err := tx.Tags(g.of, account, key, maxTags+1)
		if err == nil && len(all) > maxTags {
			// Recorded for TagOpenIDConnectProvider.
			err = fail("LimitExceeded", "The number of tags has reached the maximum limit.")
		}
		return err
	})
}

// untag removes tags. Missing keys and AWS's own keys are not errors (recorded
// for users).
func (k kindOn) untag(ctx context.Context, name string, keys []string) error {
	c, g := principal.Of(ctx), &k.tags
	if err := g.checked(c, name, true); err != nil {
		return err
	}
	return k.s.db.Update(ctx, func(tx *store.Tx) error {
		account, key, err := g.find(tx, c, name, true)
		if err != nil {
			return err
		}
		if len(keys) == 0 && g.keys.emptyKeys != "" {
			return fail("InvalidInput", "%s", g.keys.emptyKeys)
		}
		for _, tag := range keys {
			if err := tx.DeleteTag(g.of, account, key, g.keys.fold(tag)); err != nil {
				return err
			}
		}
		return nil
	})
}

// tagPage is a page of a list of tags.
type tagPage struct {
	tags      []types.Tag
	truncated bool
	marker    *string
}

// listTags lists the tags of the thing with a name, in order of their keys.
func (k kindOn) listTags(ctx context.Context, action, name string, marker *string, maxItems *int32) (tagPage, error) {
	c, g := principal.Of(ctx), &k.tags
	if err := g.checked(c, name, false); err != nil {
		return tagPage{}, err
	}
	filter := name
	if k.find != nil {
		filter = fold(name)
	}
	p, err := k.s.page(c, action, filter, marker, maxItems)
	if err != nil {
		return tagPage{}, err
	}
	var tags []store.Tag
	err = k.s.db.View(ctx, func(tx *store.Tx) error {
		account, key, err := g.find(tx, c, name, false)
		if err != nil {
			return err
		}
		tags, err = tx.Tags(g.of, account, key, maxTags)
		return err
	})
	if err != nil {
		return tagPage{}, err
	}
	var out tagPage
	tags, out.truncated, out.marker = cutTags(p, tags)
	out.tags = someTags(tags)
	return out, nil
}
