package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awsmodel"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// RootKey is an access key of an account's root user. Secret is only set when
// the key is created. Lists omit it.
type RootKey struct {
	ID      string
	Secret  seal.Secret
	Status  string // Active or Inactive
	Created time.Time
}

// CreateRootKey adds an access key to an account's root user.
func (s *Service) CreateRootKey(ctx context.Context, account string) (RootKey, error) {
	var out RootKey
	err := again(func() error {
		if err := checkAccountID(account); err != nil {
			return err
		}
		k, secret, err := s.newAccessKey(account)
		if err != nil {
			return err
		}
		return s.db.Update(ctx, func(tx *store.Tx) error {
			if _, err := tx.Account(account); err != nil {
				return errNoAccount(account, err)
			}
			k.Created = second(tx.Now)
			out = RootKey{ID: k.ID, Secret: secret, Status: k.Status, Created: k.Created}
			return insertAccessKey(tx, k)
		})
	})
	if err != nil {
		return RootKey{}, fmt.Errorf("create root access key: %w", plainError(err))
	}
	return out, nil
}

// plainError returns the sentence of an API's error without its code.
func plainError(err error) error {
	var refused *awsmodel.Error
	if errors.As(err, &refused) {
		return errors.New(refused.Message)
	}
	return err
}

// RootKeys lists the access keys of an account's root user in order of their
// ids, without secrets.
func (s *Service) RootKeys(ctx context.Context, account string) ([]RootKey, error) {
	var out []RootKey
	err := s.db.View(ctx, func(tx *store.Tx) error {
		out = nil
		if _, err := tx.Account(account); err != nil {
			return errNoAccount(account, err)
		}
		keys, err := tx.AccessKeys(account, "")
		for _, k := range keys {
			out = append(out, RootKey{ID: k.ID, Status: k.Status, Created: k.Created})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list root access keys: %w", err)
	}
	return out, nil
}

// DeleteRootKey deletes an access key of an account's root user. It may be the
// last one, because the operator can always create another.
func (s *Service) DeleteRootKey(ctx context.Context, account, keyID string) error {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Account(account); err != nil {
			return errNoAccount(account, err)
		}
		err := tx.DeleteCredential(store.AccessKeyCredential, account, "", keyID)
		if errors.Is(err, store.ErrNotFound) {
			err = fmt.Errorf("root of account %s has no access key %s", account, keyID)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("delete root access key: %w", err)
	}
	return nil
}

// SetRootPassword sets the password of an account's root user. It must meet
// IAM's default policy, because the account's own policy applies only to its
// users.
func (s *Service) SetRootPassword(ctx context.Context, account string, pw seal.Secret) error {
	if err := s.setRootPassword(ctx, account, pw); err != nil {
		return fmt.Errorf("set root password: %w", plainError(err))
	}
	return nil
}

func (s *Service) setRootPassword(ctx context.Context, account string, pw seal.Secret) error {
	// For callers of the API, the model has checked this already.
	text := pw.Reveal()
	if err := awsmodel.Check("ChangePassword",
		&iam.ChangePasswordInput{OldPassword: &text, NewPassword: &text}); err != nil {
		return errors.New("the password is not 1 to 128 characters that IAM allows in one")
	}
	hash, err := s.hasher.HashPassword(ctx, pw)
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Account(account); err != nil {
			return errNoAccount(account, err)
		}
		alias, err := absent(tx.Alias(account))
		if err != nil {
			return err
		}
		if err := (passwordRules{alias: alias}).check(pw); err != nil {
			return err
		}
		err = tx.SetPassword(account, "", hash, false)
		if errors.Is(err, store.ErrNotFound) {
			err = tx.InsertLoginProfile(
				store.LoginProfile{Account: account, Hash: hash, Created: tx.Now, Changed: tx.Now})
		}
		return err
	})
}

// DeleteRootPassword removes the password of an account's root user.
func (s *Service) DeleteRootPassword(ctx context.Context, account string) error {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Account(account); err != nil {
			return errNoAccount(account, err)
		}
		err := tx.DeleteLoginProfile(account, "")
		if errors.Is(err, store.ErrNotFound) {
			err = fmt.Errorf("root of account %s has no password", account)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("delete root password: %w", err)
	}
	return nil
}
