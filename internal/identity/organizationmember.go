package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// Organization describes an organisation of accounts.
type Organization struct {
	ID         string // begins with o-
	Management string // the account that manages it
	// Members are the other accounts, in order.
	Members []string
	// Features are the enabled features for the members' root users.
	Features []string
}

// readOrganization reads the organisation that an account manages, without its
// members.
func readOrganization(tx *store.Tx, management string) (o Organization, err error) {
	o.Management = management
	if o.ID, err = setting(tx, management, settingOrganizationID); err != nil {
		return o, err
	}
	for _, feature := range rootFeatures {
		value, err := setting(tx, management, feature)
		if err != nil {
			return o, err
		}
		if value == Enabled {
			o.Features = append(o.Features, feature)
		}
	}
	return o, nil
}

// members returns the accounts of an organisation except the one that manages
// it.
func members(tx *store.Tx, management string) ([]string, error) {
	all, err := tx.AccountsSetTo(SettingManagementAccount, management)
	return slices.DeleteFunc(all, func(id string) bool { return id == management }), err
}

// OrganizationOf reads the organisation that an account belongs to, without its
// members. ok is false for an account that belongs to none.
func (s *Service) OrganizationOf(ctx context.Context, account string) (o Organization, ok bool, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		management, err := organization(tx, account)
		if err != nil || management == "" {
			return err
		}
		ok = true
		o, err = readOrganization(tx, management)
		return err
	})
	return o, ok && err == nil, err
}

// Organization returns the organisation that an account belongs to.
func (s *Service) Organization(ctx context.Context, account string) (o Organization, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if _, err := tx.Account(account); err != nil {
			return errNoAccount(account, err)
		}
		management, err := organization(tx, account)
		if err == nil && management == "" {
			err = fmt.Errorf("account %s belongs to no organization", account)
		}
		if err != nil {
			return err
		}
		if o, err = readOrganization(tx, management); err != nil {
			return err
		}
		o.Members, err = members(tx, management)
		return err
	})
	return o, err
}

// ManagedAccounts returns the members of the organisation that an account
// manages. It returns nil if the account manages none.
func (s *Service) ManagedAccounts(ctx context.Context, management string) (all []string, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		by, err := organization(tx, management)
		if err != nil || by != management {
			return err
		}
		all, err = members(tx, management)
		return err
	})
	return all, err
}

// ManageAccounts makes an account the management account of others. If it
// manages no organisation yet, it gets a new one. Accounts that are members
// already do not change.
func (s *Service) ManageAccounts(ctx context.Context, management string, accounts []string) error {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		manager, err := tx.Account(management)
		if err != nil {
			return errNoAccount(management, err)
		}
		if err := manage(tx, management); err != nil {
			return err
		}
		for _, id := range accounts {
			if err := join(tx, manager, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("manage accounts: %w", err)
	}
	return nil
}

// manage makes an account the management account of an organisation.
func manage(tx *store.Tx, account string) error {
	have, err := organization(tx, account)
	switch {
	case err != nil || have == account:
		return err
	case have != "":
		return fmt.Errorf("account %s is a member of the organization that account %s manages", account, have)
	}
	// Ten characters of o-[a-z0-9]{10,32}.
	id := strings.ToLower(seal.NewID("o-", 12))
	return errors.Join(enter(tx, account, account, invited), tx.SetSetting(account, settingOrganizationID, id))
}

// join adds an account to the organisation that another account manages.
func join(tx *store.Tx, manager store.Account, id string) error {
	a, err := tx.Account(id)
	if err != nil {
		return errNoAccount(id, err)
	}
	have, err := organization(tx, id)
	switch {
	case err != nil || have == manager.ID:
		return err
	case have != "":
		return fmt.Errorf("account %s belongs to the organization that account %s manages", id, have)
	case a.Partition != manager.Partition:
		return fmt.Errorf("account %s is of partition %s, and account %s of %s", id, a.Partition,
			manager.ID, manager.Partition)
	}
	return enter(tx, id, manager.ID, invited)
}

// LeaveOrganization removes an account from its organisation. The management
// account leaves last, which ends the organisation.
func (s *Service) LeaveOrganization(ctx context.Context, account string) error {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Account(account); err != nil {
			return errNoAccount(account, err)
		}
		management, err := organization(tx, account)
		switch {
		case err != nil:
			return err
		case management == "":
			return fmt.Errorf("account %s belongs to no organization", account)
		case management == account:
			left, err := members(tx, account)
			if err == nil && len(left) > 0 {
				err = fmt.Errorf("account %s still manages %s", account, strings.Join(left, ", "))
			}
			if err != nil {
				return err
			}
		}
		for _, name := range append([]string{SettingManagementAccount, settingOrganizationID, settingJoined},
			rootFeatures...) {
			if err := tx.DeleteSetting(account, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("leave organization: %w", err)
	}
	return nil
}
