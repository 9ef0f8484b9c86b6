package identity

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// TagRole adds tags, or replaces those with the same key, which then take the
// new spelling.
func (s *Service) TagRole(ctx context.Context, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	c := principal.Of(ctx)
	tags, err := foldedTagKeys.readSome(in.Tags)
	if err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := role(tx, c.Account(), *in.RoleName)
		if err != nil {
			return err
		}
		return setTags(tags,
			func(t store.Tag) error { return tx.SetRoleTag(r.Account, r.NameKey, t) },
			func(limit int) ([]store.Tag, error) { return tx.RoleTags(r.Account, r.NameKey, limit) })
	})
	return &iam.TagRoleOutput{}, err
}

// UntagRole removes tags, as UntagUser does.
func (s *Service) UntagRole(ctx context.Context, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := role(tx, c.Account(), *in.RoleName)
		if err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			if err := tx.DeleteRoleTag(r.Account, r.NameKey, strings.ToLower(key)); err != nil {
				return err
			}
		}
		return nil
	})
	return &iam.UntagRoleOutput{}, err
}

// ListRoleTags lists a role's tags in order of their keys.
func (s *Service) ListRoleTags(ctx context.Context, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	c := principal.Of(ctx)
	p, err := s.page(c, "ListRoleTags", fold(*in.RoleName), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var tags []store.Tag
	err = s.db.View(ctx, func(tx *store.Tx) error {
		r, err := role(tx, c.Account(), *in.RoleName)
		if err != nil {
			return err
		}
		tags, err = tx.RoleTags(r.Account, r.NameKey, maxTags)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListRoleTagsOutput{}
	tags, out.IsTruncated, out.Marker = cutTags(p, tags)
	out.Tags = append([]types.Tag{}, tagsOut(tags)...)
	return out, nil
}
