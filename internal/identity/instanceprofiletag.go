package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// findProfile names a profile for the tag actions.
func findProfile(ctx context.Context, name string) finding {
	account := principal.Of(ctx).Account()
	return func(tx *store.Tx) (string, error) {
		p, err := instanceProfile(tx, account, name)
		return p.NameKey, err
	}
}

// TagInstanceProfile adds tags, or replaces those with the same key.
func (s *Service) TagInstanceProfile(ctx context.Context, in *iam.TagInstanceProfileInput) (*iam.TagInstanceProfileOutput, error) {
	return &iam.TagInstanceProfileOutput{}, s.tagResource(ctx, store.InstanceProfileTags, in.Tags, findProfile(ctx, *in.InstanceProfileName))
}

// UntagInstanceProfile removes tags.
func (s *Service) UntagInstanceProfile(ctx context.Context, in *iam.UntagInstanceProfileInput) (*iam.UntagInstanceProfileOutput, error) {
	return &iam.UntagInstanceProfileOutput{}, s.untagResource(ctx, store.InstanceProfileTags, in.TagKeys, findProfile(ctx, *in.InstanceProfileName))
}

// ListInstanceProfileTags lists a profile's tags in order of their keys.
func (s *Service) ListInstanceProfileTags(ctx context.Context, in *iam.ListInstanceProfileTagsInput) (*iam.ListInstanceProfileTagsOutput, error) {
	tags, truncated, marker, err := s.listResourceTags(ctx, "ListInstanceProfileTags", fold(*in.InstanceProfileName), store.InstanceProfileTags,
		in.Marker, in.MaxItems, findProfile(ctx, *in.InstanceProfileName))
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfileTagsOutput{Tags: tags, IsTruncated: truncated, Marker: marker}, nil
}
