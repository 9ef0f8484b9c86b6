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

// profileUser reads the user whose password an action concerns: the named user,
// or the caller. Root has to name a user: these actions reach root's own
// password only from sessions of AssumeRoot.
func profileUser(tx *store.Tx, c principal.Caller, name *string) (store.User, error) {
	if name == nil && c.IsRoot() && !inRootSession(c) {
		return store.User{}, fail("ValidationError", "Must specify userName when calling with non-User credentials")
	}
	return userOrCaller(tx, c, name)
}

func errNoLoginProfile(name string) error {
	if name == "" {
		name = "root" // a guess
	}
	return fail("NoSuchEntity", "Login Profile for User %s cannot be found.", name)
}

func loginProfileOut(u store.User, p store.LoginProfile) *types.LoginProfile {
	return &types.LoginProfile{UserName: nameOut(u), CreateDate: when(p.Created),
		PasswordResetRequired: p.ResetRequired}
}

// CreateLoginProfile gives a user a password. The policy's reuse rule also
// covers the passwords before a login profile was deleted, so deleting the
// profile does not bypass the rule.
func (s *Service) CreateLoginProfile(
	ctx context.Context, in *iam.CreateLoginProfileInput,
) (*iam.CreateLoginProfileOutput, error) {
	c := principal.Of(ctx)
	if inRootSession(c) {
		return s.createRootProfile(ctx, in)
	}
	if in.Password == nil {
		return nil, fail("ValidationError",
			"1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null")
	}
	find := func(tx *store.Tx) (store.User, error) { return profileUser(tx, c, in.UserName) }
	allow := func(st passwordState) error {
		if st.has() {
			return fail("EntityAlreadyExists", "Login Profile for user %s already exists.", st.user.Name)
		}
		return nil
	}
	out := &iam.CreateLoginProfileOutput{}
	err := s.setPassword(ctx, seal.NewSecret(*in.Password), find, allow,
		func(tx *store.Tx, st passwordState, hash string) error {
			p := store.LoginProfile{
				Account: st.user.Account, NameKey: st.user.NameKey, Hash: hash,
				Created: tx.Now, Changed: tx.Now, ResetRequired: in.PasswordResetRequired,
			}
			out.LoginProfile = loginProfileOut(st.user, p)
			return tx.InsertLoginProfile(p)
		})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// GetLoginProfile says that a user has a password, and when it was created.
func (s *Service) GetLoginProfile(
	ctx context.Context, in *iam.GetLoginProfileInput,
) (*iam.GetLoginProfileOutput, error) {
	c := principal.Of(ctx)
	out := &iam.GetLoginProfileOutput{}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		u, err := profileUser(tx, c, in.UserName)
		if err != nil {
			return err
		}
		p, err := tx.LoginProfile(u.Account, u.NameKey)
		if errors.Is(err, store.ErrNotFound) {
			return errNoLoginProfile(u.Name)
		}
		out.LoginProfile = loginProfileOut(u, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateLoginProfile sets a user's password, or whether it must be changed at
// the next sign-in, or both, or nothing. A new password alone does not change
// the flag (recorded).
func (s *Service) UpdateLoginProfile(
	ctx context.Context, in *iam.UpdateLoginProfileInput,
) (*iam.UpdateLoginProfileOutput, error) {
	c := principal.Of(ctx)
	find := func(tx *store.Tx) (store.User, error) { return user(tx, c.Account(), *in.UserName) }
	if in.Password == nil {
		return &iam.UpdateLoginProfileOutput{}, s.setPasswordReset(ctx, find, in.PasswordResetRequired)
	}
	allow := func(st passwordState) error {
		if !st.has() {
			return errNoLoginProfile(st.user.Name)
		}
		return nil
	}
	err := s.setPassword(ctx, seal.NewSecret(*in.Password), find, allow,
		func(tx *store.Tx, st passwordState, hash string) error {
			reset := st.profile.ResetRequired
			if in.PasswordResetRequired != nil {
				reset = *in.PasswordResetRequired
			}
			return tx.SetPassword(st.user.Account, st.user.NameKey, hash, reset)
		})
	return &iam.UpdateLoginProfileOutput{}, err
}

func (s *Service) setPasswordReset(
	ctx context.Context, find func(*store.Tx) (store.User, error), required *bool,
) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := find(tx)
		if err != nil {
			return err
		}
		p, err := tx.LoginProfile(u.Account, u.NameKey)
		if errors.Is(err, store.ErrNotFound) {
			return errNoLoginProfile(u.Name)
		}
		if err != nil || required == nil || *required == p.ResetRequired {
			return err
		}
		return tx.SetPasswordReset(u.Account, u.NameKey, *required)
	})
}

// DeleteLoginProfile removes a user's password. Access keys continue to work.
func (s *Service) DeleteLoginProfile(
	ctx context.Context, in *iam.DeleteLoginProfileInput,
) (*iam.DeleteLoginProfileOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := profileUser(tx, c, in.UserName)
		if err != nil {
			return err
		}
		err = tx.DeleteLoginProfile(u.Account, u.NameKey)
		if errors.Is(err, store.ErrNotFound) {
			err = errNoLoginProfile(u.Name)
		}
		return err
	})
	return &iam.DeleteLoginProfileOutput{}, err
}

// ChangePassword changes the caller's own password. An expired password can be
// changed here too, with or without HardExpiry. That rule concerns signing in
// (IAM User Guide), and the caller has signed with an access key.
func (s *Service) ChangePassword(ctx context.Context, in *iam.ChangePasswordInput) (*iam.ChangePasswordOutput, error) {
	c := principal.Of(ctx)
	if c.IsRoot() {
		// The code is the model's. The sentence is not recorded.
		return nil, fail("InvalidUserType", "The password of the root user cannot be changed by this operation.")
	}
	before, after := seal.NewSecret(*in.OldPassword), seal.NewSecret(*in.NewPassword)
	find := func(tx *store.Tx) (store.User, error) { return userOrCaller(tx, c, nil) }
	allow := func(st passwordState) error {
		if !st.has() {
			return errNoLoginProfile(st.user.Name)
		}
		if err := s.guessPassword(ctx, st.user); err != nil {
			return err
		}
		ok, _, err := s.hasher.VerifyPassword(ctx, st.profile.Hash, before)
		if err != nil {
			return err
		}
		// Both codes are recorded. Their sentences are not.
		if !ok {
			return fail("AccessDenied", "The old password is not correct.")
		}
		if err := s.forgetGuesses(ctx, st.user); err != nil {
			return err
		}
		if after.Equal(before) {
			return fail("AccessDenied", "The new password is the same as the old one.")
		}
		return nil
	}
	err := s.setPassword(ctx, after, find, allow, func(tx *store.Tx, st passwordState, hash string) error {
		return tx.SetPassword(st.user.Account, st.user.NameKey, hash, false)
	})
	return &iam.ChangePasswordOutput{}, err
}
