package identity

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// newDeviceTags checks the tags of a request about a device. Unlike those of
// users, its tag keys differ by case: IAM compares without case for users and
// roles only. The texts are recorded for policies and for users.
func newDeviceTags(in []types.Tag) ([]store.Tag, error) {
	tags := make([]store.Tag, 0, len(in))
	seen := map[string]bool{}
	for _, t := range in {
		if strings.HasPrefix(strings.ToLower(*t.Key), "aws:") {
			return nil, fail("InvalidInput", "Tag keys beginning with aws: are reserved for system use.")
		}
		if seen[*t.Key] {
			return nil, fail("InvalidInput", "Duplicate tag keys found.")
		}
		seen[*t.Key] = true
		tags = append(tags, store.Tag{Fold: *t.Key, Key: *t.Key, Value: *t.Value})
	}
	return tags, nil
}

// TagMFADevice adds tags to a virtual device, or replaces those with the same
// key.
func (s *Service) TagMFADevice(ctx context.Context, in *iam.TagMFADeviceInput) (*iam.TagMFADeviceOutput, error) {
	c := principal.Of(ctx)
	tags, err := newDeviceTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(tags) == 0 {
		// Recorded for server certificates.
		return nil, fail("InvalidInput", "The provided tag map must not be null/empty.")
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		d, err := device(tx, c.Account(), *in.SerialNumber)
		if err != nil {
			return err
		}
		for _, t := range tags {
			if err := tx.SetMFADeviceTag(d.Account, d.Serial, t); err != nil {
				return err
			}
		}
		have, err := tx.MFADeviceTags(d.Account, d.Serial, maxTags+1)
		if err == nil && len(have) > maxTags {
			err = tooManyTags()
		}
		return err
	})
	return &iam.TagMFADeviceOutput{}, err
}

// UntagMFADevice removes tags. As for users, keys that are not there are no
// error.
func (s *Service) UntagMFADevice(ctx context.Context, in *iam.UntagMFADeviceInput) (*iam.UntagMFADeviceOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		d, err := device(tx, c.Account(), *in.SerialNumber)
		if err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			if err := tx.DeleteMFADeviceTag(d.Account, d.Serial, key); err != nil {
				return err
			}
		}
		return nil
	})
	return &iam.UntagMFADeviceOutput{}, err
}

// ListMFADeviceTags lists a device's tags in order of their keys.
func (s *Service) ListMFADeviceTags(ctx context.Context, in *iam.ListMFADeviceTagsInput) (*iam.ListMFADeviceTagsOutput, error) {
	c := principal.Of(ctx)
	p, err := s.page(c, "ListMFADeviceTags", *in.SerialNumber, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var tags []store.Tag
	err = s.db.View(ctx, func(tx *store.Tx) error {
		d, err := device(tx, c.Account(), *in.SerialNumber)
		if err != nil {
			return err
		}
		tags, err = tx.MFADeviceTags(d.Account, d.Serial, maxTags)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListMFADeviceTagsOutput{}
	tags, out.IsTruncated, out.Marker = cutTags(p, tags)
	out.Tags = append([]types.Tag{}, tagsOut(tags)...)
	return out, nil
}
