package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// TagPolicy adds tags to a policy, or replaces those with the same key. That
// AWS's policies answer as SetDefaultPolicyVersion does is a guess.
func (s *Service) TagPolicy(ctx context.Context, in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	c := principal.Of(ctx)
	tags, err := exactTagKeys.readSome(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := ownPolicyARN(c, *in.PolicyArn, "update policies"); err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Policy(c.Account(), *in.PolicyArn)
		if err != nil {
			return policyFound(err, *in.PolicyArn)
		}
		return setTags(tags,
			func(t store.Tag) error { return tx.SetPolicyTag(p.Account, p.NameKey, t) },
			func(limit int) ([]store.Tag, error) { return tx.PolicyTags(p.Account, p.NameKey, limit) })
	})
	return &iam.TagPolicyOutput{}, err
}

// UntagPolicy removes tags of a policy. Keys that are not there are no error.
func (s *Service) UntagPolicy(ctx context.Context, in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	c := principal.Of(ctx)
	if err := ownPolicyARN(c, *in.PolicyArn, "update policies"); err != nil {
		return nil, err
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Policy(c.Account(), *in.PolicyArn)
		if err != nil {
			return policyFound(err, *in.PolicyArn)
		}
		if err := someTagKeys(in.TagKeys); err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			if err := tx.DeletePolicyTag(p.Account, p.NameKey, key); err != nil {
				return err
			}
		}
		return nil
	})
	return &iam.UntagPolicyOutput{}, err
}

// ListPolicyTags lists the tags of a policy; AWS's have none.
func (s *Service) ListPolicyTags(ctx context.Context, in *iam.ListPolicyTagsInput) (*iam.ListPolicyTagsOutput, error) {
	c := principal.Of(ctx)
	if err := checkPolicyARN(*in.PolicyArn); err != nil {
		return nil, err
	}
	p, err := s.page(c, "ListPolicyTags", *in.PolicyArn, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var tags []store.Tag
	err = s.db.View(ctx, func(tx *store.Tx) error {
		of, err := findPolicy(tx, c, *in.PolicyArn)
		if err != nil {
			return policyFound(err, *in.PolicyArn)
		}
		tags, err = tx.PolicyTags(of.Account, of.NameKey, maxTags)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListPolicyTagsOutput{}
	tags, out.IsTruncated, out.Marker = cutTags(p, tags)
	out.Tags = append([]types.Tag{}, tagsOut(tags)...)
	return out, nil
}
