package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// CreateAccountAlias gives the account an alias that no other account has. An
// account has one alias: a new alias replaces it (IAM User Guide, account
// alias). An alias that the account has already gets an error.
func (s *Service) CreateAccountAlias(
	ctx context.Context, in *iam.CreateAccountAliasInput,
) (*iam.CreateAccountAliasOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		// Check first, so that the account gives up its alias only if it can
		// have the new one.
		if _, err := tx.AliasOwner(*in.AccountAlias); !errors.Is(err, store.ErrNotFound) {
			if err != nil {
				return err
			}
			return fail("EntityAlreadyExists", "The account alias %s already exists.", *in.AccountAlias)
		}
		have, err := absent(tx.Alias(c.Account()))
		if err == nil && have != "" {
			err = tx.DeleteAlias(c.Account(), have)
		}
		if err != nil {
			return err
		}
		return tx.InsertAlias(c.Account(), *in.AccountAlias)
	})
	return &iam.CreateAccountAliasOutput{}, err
}

// DeleteAccountAlias removes the account's alias.
func (s *Service) DeleteAccountAlias(
	ctx context.Context, in *iam.DeleteAccountAliasInput,
) (*iam.DeleteAccountAliasOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.DeleteAlias(c.Account(), *in.AccountAlias) })
	if errors.Is(err, store.ErrNotFound) {
		// The code is the model's. The sentence is not recorded. An alias of
		// another account gets the same answer.
		err = fail("NoSuchEntity", "The account alias %s cannot be found.", *in.AccountAlias)
	}
	return &iam.DeleteAccountAliasOutput{}, err
}

// ListAccountAliases lists the account's alias, if it has one.
func (s *Service) ListAccountAliases(
	ctx context.Context, in *iam.ListAccountAliasesInput,
) (*iam.ListAccountAliasesOutput, error) {
	c := principal.Of(ctx)
	p, err := s.page(c, "ListAccountAliases", "", in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	aliases := []string{}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		alias, err := absent(tx.Alias(c.Account()))
		if alias != "" {
			aliases = append(aliases, alias)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListAccountAliasesOutput{}
	out.AccountAliases, out.IsTruncated, out.Marker = cutAll(p, aliases, func(a string) string { return a })
	return out, nil
}
