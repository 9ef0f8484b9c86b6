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

// newTags checks the tags of a request. Tag keys of users are compared
// without case, and those that begin with aws: are AWS's own (recorded).
func newTags(in []types.Tag) ([]store.Tag, error) {
	tags := make([]store.Tag, 0, len(in))
	seen := map[string]bool{}
	for _, t := range in {
		key := strings.ToLower(*t.Key)
		if strings.HasPrefix(key, "aws:") {
			return nil, fail("InvalidInput", "Tag keys beginning with aws: are reserved for system use.")
		}
		if seen[key] {
			return nil, fail("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[key] = true
		tags = append(tags, store.Tag{Fold: key, Key: *t.Key, Value: *t.Value})
	}
	return tags, nil
}

// tagsOut is nil for no tags: answers then leave the member out.
func tagsOut(tags []store.Tag) []types.Tag {
	var out []types.Tag
	for _, t := range tags {
		out = append(out, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return out
}

// tooManyTags is recorded for TagOpenIDConnectProvider.
func tooManyTags() error {
	return fail("LimitExceeded", "The number of tags has reached the maximum limit.")
}

// TagUser adds tags, or replaces those with the same key, which then take the
// new spelling.
func (s *Service) TagUser(ctx context.Context, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	c := principal.Of(ctx)
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(tags) == 0 {
		// The code is recorded, the text is not.
		return nil, fail("InvalidInput", "At least one tag must be provided.")
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := user(tx, c.Account(), *in.UserName)
		if err != nil {
			return err
		}
		for _, t := range tags {
			if err := tx.SetUserTag(u.Account, u.NameKey, t); err != nil {
				return err
			}
		}
		have, err := tx.UserTags(u.Account, u.NameKey, "", maxTags+1)
		if err == nil && len(have) > maxTags {
			err = tooManyTags()
		}
		return err
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
		tags, err = tx.UserTags(u.Account, u.NameKey, "", maxTags)
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
