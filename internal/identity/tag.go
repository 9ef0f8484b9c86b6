package identity

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// maxTags is how many tags a user or a device may have. IAM quotas.
const maxTags = 50

// tagKeys is how the tag keys of a kind of resource are compared.
type tagKeys struct {
	fold      func(string) string
	duplicate string
	empty     string // what is said of an empty list
}

// IAM compares the tag keys of users and roles without case, those of all
// other resources with it. The texts are recorded for users and policies, those
// of empty lists for users, server certificates and OpenID Connect providers.
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
	}
)

// read checks the tags of a request. Keys that begin with aws:, in any case,
// are AWS's own (recorded).
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

// readSome is read for the actions that must be given a tag.
func (k tagKeys) readSome(in []types.Tag) ([]store.Tag, error) {
	if len(in) == 0 {
		return nil, fail("InvalidInput", "%s", k.empty)
	}
	return k.read(in)
}

// someTagKeys refuses an empty list of tag keys to remove: all resources do
// whose keys are compared exactly, users and roles do not. It is recorded for
// OpenID Connect providers and server certificates; that the others follow is a
// guess.
func someTagKeys(keys []string) error {
	if len(keys) == 0 {
		return fail("InvalidInput", "The provided tag keys must not be null/empty.")
	}
	return nil
}

// setTags writes tags and holds the resource to maxTags.
func setTags(tags []store.Tag, set func(store.Tag) error, have func(limit int) ([]store.Tag, error)) error {
	for _, t := range tags {
		if err := set(t); err != nil {
			return err
		}
	}
	all, err := have(maxTags + 1)
	if err == nil && len(all) > maxTags {
		// Recorded for TagOpenIDConnectProvider.
		err = fail("LimitExceeded", "The number of tags has reached the maximum limit.")
	}
	return err
}

// tagsOut is nil for no tags: answers then leave the member out. The answers to
// what makes a thing have the tags as they were given (recorded for policies
// and OpenID Connect providers).
func tagsOut(tags []store.Tag) []types.Tag {
	var out []types.Tag
	for _, t := range tags {
		out = append(out, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return out
}

// TagUser adds tags, or replaces those with the same key, which then take the
// new spelling.
func (s *Service) TagUser(ctx context.Context, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	c := principal.Of(ctx)
	tags, err := foldedTagKeys.readSome(in.Tags)
	if err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := user(tx, c.Account(), *in.UserName)
		if err != nil {
			return err
		}
		return setTags(tags,
			func(t store.Tag) error { return tx.SetUserTag(u.Account, u.NameKey, t) },
			func(limit int) ([]store.Tag, error) { return tx.UserTags(u.Account, u.NameKey, limit) })
	})
	return &iam.TagUserOutput{}, err
}

// UntagUser removes tags. Keys that are not there, or that are AWS's own,
// are no error (recorded).
func (s *Service) UntagUser(ctx context.Context, in *iam.UntagUserInput) (*iam.UntagUserOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := user(tx, c.Account(), *in.UserName)
		if err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			if err := tx.DeleteUserTag(u.Account, u.NameKey, strings.ToLower(key)); err != nil {
				return err
			}
		}
		return nil
	})
	return &iam.UntagUserOutput{}, err
}

// ListUserTags lists a user's tags in order of their keys.
func (s *Service) ListUserTags(ctx context.Context, in *iam.ListUserTagsInput) (*iam.ListUserTagsOutput, error) {
	c := principal.Of(ctx)
	p, err := s.page(c, "ListUserTags", fold(*in.UserName), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var tags []store.Tag
	err = s.db.View(ctx, func(tx *store.Tx) error {
		u, err := user(tx, c.Account(), *in.UserName)
		if err != nil {
			return err
		}
		tags, err = tx.UserTags(u.Account, u.NameKey, maxTags)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListUserTagsOutput{}
	tags, out.IsTruncated, out.Marker = cutTags(p, tags)
	out.Tags = append([]types.Tag{}, tagsOut(tags)...)
	return out, nil
}
