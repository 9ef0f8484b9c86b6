package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// ManagedRoot reads the root user of a member of the organisation that an
// account manages. ok is false unless the organisation's feature is enabled. A
// management account is not a member of its own organisation.
func (s *Service) ManagedRoot(
	ctx context.Context, management, member, feature string,
) (root store.Owner, ok bool, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		by, err := organization(tx, member)
		if err != nil || by != management || member == management {
			return err
		}
		value, err := setting(tx, management, feature)
		if err != nil || value != Enabled {
			return err
		}
		account, err := tx.Account(member)
		if err != nil {
			return err
		}
		root.Partition, root.Instance = account.Partition, account.Instance
		root.User, err = tx.User(member, "")
		ok = err == nil
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return root, false, nil
	}
	return root, ok, err
}

// inRootSession says whether the caller is a member account's root user in a
// session of AssumeRoot.
func inRootSession(c principal.Caller) bool {
	return c.IsRoot() && c.Session() != nil && c.Session().TaskPolicy != ""
}

// createRootProfile makes root's password recoverable. On AWS the reader of
// root's mail then sets a password. Here the operator does, so the new password
// is one that nobody knows. IAM CreateLoginProfile: a session of AssumeRoot
// names neither a user nor a password.
func (s *Service) createRootProfile(
	ctx context.Context, in *iam.CreateLoginProfileInput,
) (*iam.CreateLoginProfileOutput, error) {
	c := principal.Of(ctx)
	if in.Password != nil || in.UserName != nil {
		// a guess
		return nil, fail("ValidationError", "UserName and Password must be omitted in a session of AssumeRoot.")
	}
	hash, err := s.hasher.HashPassword(ctx, seal.NewServicePassword())
	if err != nil {
		return nil, err
	}
	out := &iam.CreateLoginProfileOutput{}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		root, err := userOrCaller(tx, c, nil)
		if err != nil {
			return err
		}
		p := store.LoginProfile{Account: root.Account, Hash: hash, Created: tx.Now,
			Changed: tx.Now, ResetRequired: true}
		if err := tx.InsertLoginProfile(p); errors.Is(err, store.ErrExists) {
			return fail("EntityAlreadyExists", "Login Profile for user %s already exists.", root.Account)
		} else if err != nil {
			return err
		}
		out.LoginProfile = loginProfileOut(root, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
