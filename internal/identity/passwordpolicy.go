package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// minimumLength is the length in a policy without MinimumPasswordLength. It is
// 6 and not the 8 of an account without a policy (recorded).
const minimumLength = 6

// UpdateAccountPasswordPolicy sets the account's password policy. Missing
// values get their defaults: there is no partial update.
func (s *Service) UpdateAccountPasswordPolicy(
	ctx context.Context, in *iam.UpdateAccountPasswordPolicyInput,
) (*iam.UpdateAccountPasswordPolicyOutput, error) {
	c := principal.Of(ctx)
	p := store.PasswordPolicy{
		MinimumLength:  minimumLength,
		RequireSymbols: in.RequireSymbols, RequireNumbers: in.RequireNumbers,
		RequireUpper: in.RequireUppercaseCharacters, RequireLower: in.RequireLowercaseCharacters,
		AllowChange: in.AllowUsersToChangePassword,
		MaxAge:      int(number(in.MaxPasswordAge)), Reuse: int(number(in.PasswordReusePrevention)),
		HardExpiry: store.HardExpiryUnset,
	}
	if in.MinimumPasswordLength != nil {
		p.MinimumLength = int(*in.MinimumPasswordLength)
	}
	if in.HardExpiry != nil {
		p.HardExpiry = store.HardExpiryFalse
		if *in.HardExpiry {
			p.HardExpiry = store.HardExpiryTrue
		}
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.SetPasswordPolicy(c.Account(), p) })
	return &iam.UpdateAccountPasswordPolicyOutput{}, err
}

// number reads an optional number of an input.
func number(p *int32) int32 {
	if p == nil {
		return 0
	}
	return *p
}

// GetAccountPasswordPolicy returns the policy. MaxPasswordAge,
// PasswordReusePrevention and HardExpiry are only present if they were set
// (recorded).
func (s *Service) GetAccountPasswordPolicy(
	ctx context.Context, _ *iam.GetAccountPasswordPolicyInput,
) (*iam.GetAccountPasswordPolicyOutput, error) {
	c := principal.Of(ctx)
	var p store.PasswordPolicy
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		p, err = tx.PasswordPolicy(c.Account())
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, fail("NoSuchEntity", "The Password Policy with domain name %s cannot be found.", c.Account())
	}
	if err != nil {
		return nil, err
	}
	out := &types.PasswordPolicy{
		MinimumPasswordLength: ptr(int32(p.MinimumLength)),
		RequireSymbols:        p.RequireSymbols, RequireNumbers: p.RequireNumbers,
		RequireUppercaseCharacters: p.RequireUpper, RequireLowercaseCharacters: p.RequireLower,
		AllowUsersToChangePassword: p.AllowChange,
		ExpirePasswords:            p.MaxAge > 0,
	}
	if p.MaxAge > 0 {
		out.MaxPasswordAge = ptr(int32(p.MaxAge))
	}
	if p.Reuse > 0 {
		out.PasswordReusePrevention = ptr(int32(p.Reuse))
	}
	if p.HardExpiry != store.HardExpiryUnset {
		out.HardExpiry = ptr(p.HardExpiry == store.HardExpiryTrue)
	}
	return &iam.GetAccountPasswordPolicyOutput{PasswordPolicy: out}, nil
}

// DeleteAccountPasswordPolicy restores IAM's default policy for the account.
func (s *Service) DeleteAccountPasswordPolicy(
	ctx context.Context, _ *iam.DeleteAccountPasswordPolicyInput,
) (*iam.DeleteAccountPasswordPolicyOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.DeletePasswordPolicy(c.Account()) })
	if errors.Is(err, store.ErrNotFound) {
		err = fail("NoSuchEntity", "The account policy with name PasswordPolicy cannot be found.")
	}
	return &iam.DeleteAccountPasswordPolicyOutput{}, err
}

// UsersMayChangePasswords says whether the caller's account has a policy with
// AllowUsersToChangePassword. Such a policy grants every user ChangePassword
// and GetAccountPasswordPolicy.
func (s *Service) UsersMayChangePasswords(ctx context.Context) (bool, error) {
	c := principal.Of(ctx)
	var p store.PasswordPolicy
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		p, err = absent(tx.PasswordPolicy(c.Account()))
		return err
	})
	return p.AllowChange, err
}
