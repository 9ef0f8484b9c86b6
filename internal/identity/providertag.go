package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// What is the same in the tag actions of providers and server certificates.
// find checks that the thing is there and names it as its table does.
type finding = func(tx *store.Tx) (key string, err error)

func (s *Service) tagResource(ctx context.Context, of store.TagsOf, in []types.Tag, find finding) error {
	account := principal.Of(ctx).Account()
	tags, err := exactTagKeys.readSome(in)
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		key, err := find(tx)
		if err != nil {
			return err
		}
		return setTags(tags,
			func(t store.Tag) error { return tx.SetResourceTag(of, account, key, t) },
			func(limit int) ([]store.Tag, error) { return tx.ResourceTags(of, account, key, limit) })
	})
}

// untagResource removes tags. As for users, keys that are not there are no
// error.
func (s *Service) untagResource(ctx context.Context, of store.TagsOf, keys []string, find finding) error {
	account := principal.Of(ctx).Account()
	return s.db.Update(ctx, func(tx *store.Tx) error {
		key, err := find(tx)
		if err != nil {
			return err
		}
		if err := someTagKeys(keys); err != nil {
			return err
		}
		for _, tag := range keys {
			if err := tx.DeleteResourceTag(of, account, key, tag); err != nil {
				return err
			}
		}
		return nil
	})
}

// listResourceTags lists tags in order of their keys.
func (s *Service) listResourceTags(ctx context.Context, action, name string, of store.TagsOf, marker *string, maxItems *int32, find finding) (
	out []types.Tag, truncated bool, next *string, err error) {
	c := principal.Of(ctx)
	p, err := s.page(c, action, name, marker, maxItems)
	if err != nil {
		return nil, false, nil, err
	}
	var tags []store.Tag
	err = s.db.View(ctx, func(tx *store.Tx) error {
		key, err := find(tx)
		if err != nil {
			return err
		}
		tags, err = tx.ResourceTags(of, c.Account(), key, maxTags)
		return err
	})
	if err != nil {
		return nil, false, nil, err
	}
	tags, truncated, next = cutTags(p, tags)
	return someTags(tags), truncated, next, nil
}

// insertTags writes the tags of a new thing.
func insertTags(tx *store.Tx, of store.TagsOf, account, key string, tags []store.Tag) error {
	for _, t := range tags {
		if err := tx.SetResourceTag(of, account, key, t); err != nil {
			return err
		}
	}
	return nil
}

// someTags is tagsOut for the answers that say it where there are none.
func someTags(tags []store.Tag) []types.Tag { return append([]types.Tag{}, tagsOut(tags)...) }
