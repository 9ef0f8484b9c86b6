package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// TagMFADevice adds tags to a virtual device, or replaces those with the same
// key.
func (s *Service) TagMFADevice(ctx context.Context, in *iam.TagMFADeviceInput) (*iam.TagMFADeviceOutput, error) {
	c := principal.Of(ctx)
	tags, err := exactTagKeys.readSome(in.Tags)
	if err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		d, err := device(tx, c.Account(), *in.SerialNumber)
		if err != nil {
			return err
		}
		return setTags(tags,
			func(t store.Tag) error { return tx.SetMFADeviceTag(d.Account, d.Serial, t) },
			func(limit int) ([]store.Tag, error) { return tx.MFADeviceTags(d.Account, d.Serial, limit) })
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
		if err := someTagKeys(in.TagKeys); err != nil {
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
