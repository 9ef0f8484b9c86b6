package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rollcall/internal/policy"
	"rollcall/internal/store"
)

// Control policies are the service control policies of AWS Organizations. They
// limit the permissions of an account's users, roles and root. The operator
// sets them; no action of IAM does.

// PutControlPolicy adds a control policy to an account, or replaces the one
// with the same name. It applies from the next call on. If an account has
// control policies, any action that none of them allows is refused, even to
// root.
func (s *Service) PutControlPolicy(ctx context.Context, account, name, document string) error {
	err := checkControlPolicy(name, document)
	if err == nil {
		err = s.db.Update(ctx, func(tx *store.Tx) error {
			if _, err := tx.Account(account); err != nil {
				return errNoAccount(account, err)
			}
			return tx.PutControlPolicy(account, store.ControlPolicy{Name: name, Document: document})
		})
	}
	if err != nil {
		return fmt.Errorf("put control policy: %w", err)
	}
	return nil
}

// maxControlPolicyName is the maximum length of a name. AWS Organizations,
// PolicyName.
const maxControlPolicyName = 128

func checkControlPolicy(name, document string) error {
	if name == "" || len(name) > maxControlPolicyName ||
		strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("name %q is not 1 to %d characters of ASCII without blanks", name, maxControlPolicyName)
	}
	if _, err := policy.Parse(document, policy.Control); err != nil {
		return err
	}
	if n := policy.Size(document); n > policy.MaxControlSize {
		return fmt.Errorf("the policy has %d characters, and may have %d", n, policy.MaxControlSize)
	}
	return nil
}

// ControlPolicies lists the control policies of an account in order of their
// names.
func (s *Service) ControlPolicies(ctx context.Context, account string) (all []store.ControlPolicy, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if _, err := tx.Account(account); err != nil {
			return errNoAccount(account, err)
		}
		all, err = tx.ControlPolicies(account)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list control policies: %w", err)
	}
	return all, nil
}

// DeleteControlPolicy removes a control policy from an account. An account
// without control policies has no such limit.
func (s *Service) DeleteControlPolicy(ctx context.Context, account, name string) error {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		err := tx.DeleteControlPolicy(account, name)
		if errors.Is(err, store.ErrNotFound) {
			err = fmt.Errorf("account %s has no control policy %q", account, name)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("delete control policy: %w", err)
	}
	return nil
}
