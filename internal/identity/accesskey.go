package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// The two states of a key, a certificate or a service password.
const (
	active   = string(types.StatusTypeActive)
	inactive = string(types.StatusTypeInactive)
)

// accessKeyPlace returns the place that a key's secret is sealed for. Key ids
// and accounts never change, so the secret stays readable when the user is
// renamed.
func accessKeyPlace(account, id string) seal.Location {
	return seal.Location{Table: "access_keys", Key: account + "/" + id, Column: "secret"}
}

func (s *Service) sealAccessKey(account, id string, secret seal.Secret) []byte {
	return s.keys.SealSecret(secret, accessKeyPlace(account, id))
}

// errNoAccessKey is recorded for UpdateAccessKey. A key of another user gets the
// same answer as a missing key, so nobody can find out which ids exist.
func errNoAccessKey(id string) error {
	return fail("NoSuchEntity", "The Access Key with id %s cannot be found.", id)
}

// errDrawAgain says that a randomly drawn identifier exists already.
var errDrawAgain = errors.New("drawn before")

// again repeats a change that draws identifiers until all of them are new.
func again(change func() error) error {
	for {
		if err := change(); !errors.Is(err, errDrawAgain) {
			return err
		}
	}
}

// newAccessKey creates a key for a user and seals its secret.
func (s *Service) newAccessKey(account string) (k store.AccessKey, secret seal.Secret, err error) {
	id, err := seal.NewAccessKeyID("AKIA", account)
	if err != nil {
		return k, secret, err
	}
	secret = seal.NewSecretAccessKey()
	return store.AccessKey{Account: account, ID: id, Status: active, Secret: s.sealAccessKey(account, id, secret)},
		secret, nil
}

// insertAccessKey adds a key to a user within the quota. Active and inactive
// keys count alike (recorded).
func insertAccessKey(tx *store.Tx, k store.AccessKey) error {
	have, err := tx.AccessKeys(k.Account, k.NameKey)
	if err != nil {
		return err
	}
	if err := checkQuota(tx, k.Account, accessKeysPerUser, len(have)+1); err != nil {
		return err
	}
	return drawn(tx.InsertAccessKey(k))
}

func drawn(err error) error {
	if errors.Is(err, store.ErrExists) {
		return errDrawAgain
	}
	return err
}

// CreateAccessKey creates an access key. Only this answer contains the secret.
func (s *Service) CreateAccessKey(
	ctx context.Context, in *iam.CreateAccessKeyInput,
) (*iam.CreateAccessKeyOutput, error) {
	c := principal.Of(ctx)
	var out types.AccessKey
	err := again(func() error {
		k, secret, err := s.newAccessKey(c.Account())
		if err != nil {
			return err
		}
		return s.db.Update(ctx, func(tx *store.Tx) error {
			u, err := userOrCaller(tx, c, in.UserName)
			if err != nil {
				return err
			}
			k.NameKey, k.Created = u.NameKey, tx.Now
			out = types.AccessKey{
				UserName: nameOut(u), AccessKeyId: &k.ID, Status: types.StatusTypeActive,
				SecretAccessKey: ptr(secret.Reveal()), CreateDate: when(k.Created),
			}
			return insertAccessKey(tx, k)
		})
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateAccessKeyOutput{AccessKey: &out}, nil
}

// nameOut returns a user's name for an answer. Root has none: GetUser omits
// UserName for root (recorded), and so does every other answer.
func nameOut(u store.User) *string {
	if u.NameKey == "" {
		return nil
	}
	return &u.Name
}

// UpdateAccessKey makes a key Active or Inactive. The change applies from the
// next request on.
func (s *Service) UpdateAccessKey(
	ctx context.Context, in *iam.UpdateAccessKeyInput,
) (*iam.UpdateAccessKeyOutput, error) {
	return &iam.UpdateAccessKeyOutput{}, s.setStatus(ctx, accessKeyCredential, in.UserName, *in.AccessKeyId, in.Status)
}

// DeleteAccessKey deletes a key and the record of its use.
func (s *Service) DeleteAccessKey(
	ctx context.Context, in *iam.DeleteAccessKeyInput,
) (*iam.DeleteAccessKeyOutput, error) {
	return &iam.DeleteAccessKeyOutput{}, s.deleteCredential(ctx, accessKeyCredential, in.UserName, *in.AccessKeyId)
}

// ListAccessKeys lists a user's keys in order of their ids, which is also the
// order of the report's columns.
func (s *Service) ListAccessKeys(ctx context.Context, in *iam.ListAccessKeysInput) (*iam.ListAccessKeysOutput, error) {
	c := principal.Of(ctx)
	nameKey := c.NameKey()
	if in.UserName != nil {
		nameKey = fold(*in.UserName)
	}
	p, err := s.page(c, "ListAccessKeys", nameKey, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var u store.User
	var keys []store.AccessKey
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if u, err = userOrCaller(tx, c, in.UserName); err != nil {
			return err
		}
		keys, err = tx.AccessKeys(u.Account, u.NameKey)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListAccessKeysOutput{}
	keys, out.IsTruncated, out.Marker = cutAll(p, keys, func(k store.AccessKey) string { return k.ID })
	out.AccessKeyMetadata = make([]types.AccessKeyMetadata, len(keys))
	for i, k := range keys {
		out.AccessKeyMetadata[i] = types.AccessKeyMetadata{
			UserName: nameOut(u), AccessKeyId: &k.ID, Status: types.StatusType(k.Status), CreateDate: when(k.Created),
		}
	}
	return out, nil
}

// GetAccessKeyLastUsed says when, where and for what a key was last used.
func (s *Service) GetAccessKeyLastUsed(
	ctx context.Context, in *iam.GetAccessKeyLastUsedInput,
) (*iam.GetAccessKeyLastUsedOutput, error) {
	c := principal.Of(ctx)
	// Uses that this node has noted but not written yet count too.
	if err := s.db.Flush(ctx); err != nil {
		return nil, err
	}
	// A key that was never used has no LastUsedDate (recorded).
	used := types.AccessKeyLastUsed{ServiceName: ptr("N/A"), Region: ptr("N/A")}
	out := &iam.GetAccessKeyLastUsedOutput{AccessKeyLastUsed: &used}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		o, err := tx.KeyOwner(*in.AccessKeyId)
		if errors.Is(err, store.ErrNotFound) || err == nil && o.Key.Account != c.Account() {
			// Recorded. There is no colon after "perform".
			return fail("AccessDenied",
				"User: %s is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key %s",
				c.ARN(), *in.AccessKeyId)
		}
		if err != nil {
			return err
		}
		out.UserName = nameOut(o.User)
		use, err := tx.KeyLastUsed(o.Key.ID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		used = types.AccessKeyLastUsed{ServiceName: &use.Service, Region: &use.Region, LastUsedDate: when(use.At)}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
