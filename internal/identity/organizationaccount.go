package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// AccessRole is the role that Organizations creates in each account that it creates.
// The management account may assume it, and it may do everything.
const AccessRole = "OrganizationAccountAccessRole"

// How an account joined its organisation.
const (
	invited = string(types.AccountJoinedMethodInvited)
	created = string(types.AccountJoinedMethodCreated)
)

// enter makes an account a member of the organisation that management manages.
func enter(tx *store.Tx, account, management, how string) error {
	return errors.Join(tx.SetSetting(account, SettingManagementAccount, management),
		tx.SetSetting(account, settingJoined, how+" "+second(tx.Now).Format(time.RFC3339)))
}

// managerOf reads the management account that a spec names. It is zero if the spec
// names none.
func managerOf(tx *store.Tx, spec AccountSpec) (store.Account, error) {
	if spec.Management == "" {
		return store.Account{}, nil
	}
	manager, err := tx.Account(spec.Management)
	if err != nil {
		return manager, errNoAccount(spec.Management, err)
	}
	if spec.Partition != "" && spec.Partition != manager.Partition {
		return manager, fmt.Errorf("account %s is of partition %s", manager.ID, manager.Partition)
	}
	return manager, manage(tx, manager.ID)
}

// joinNew makes a new account a member of an organisation, and creates AccessRole in
// it. AWS Organizations, CreateAccount.
func joinNew(tx *store.Tx, manager, a store.Account) error {
	if err := enter(tx, a.ID, manager.ID, created); err != nil {
		return err
	}
	trust, err := newTrust(tx, a.ID, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+
		principal.RootARN(a.Partition, manager.ID)+`"},"Action":"sts:AssumeRole"}]}`)
	if err != nil {
		return err
	}
	r := store.Role{
		Account: a.ID, NameKey: fold(AccessRole), Name: AccessRole, Path: "/", ID: seal.NewID("AROA", 21),
		MaxSession: defaultMaxSession, Trust: trust, Created: tx.Now,
	}
	if err := insertRole(tx, r, nil); err != nil {
		return err
	}
	return tx.InsertAttachment(store.RoleEntity, a.ID, r.NameKey,
		"arn:"+a.Partition+":iam::aws:policy/AdministratorAccess")
}

// OrganizationAccount is an account as its organisation lists it.
type OrganizationAccount struct {
	ID, Name string // the name is the alias, or the number if there is none
	Method   types.AccountJoinedMethod
	Joined   time.Time
}

// OrganizationAccounts lists accounts of the organisation that management manages,
// itself included, in order of their numbers: at most limit of those after a number.
// It lists none if the account manages no organisation.
func (s *Service) OrganizationAccounts(
	ctx context.Context, management, after string, limit int,
) (all []OrganizationAccount, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		all = nil
		by, err := organization(tx, management)
		if err != nil || by != management {
			return err
		}
		ids, err := tx.AccountsSetTo(SettingManagementAccount, management)
		if err != nil {
			return err
		}
		from, found := slices.BinarySearch(ids, after)
		if found {
			from++
		}
		for _, id := range ids[from:min(len(ids), from+limit)] {
			a, err := organizationAccount(tx, id)
			if err != nil {
				return err
			}
			all = append(all, a)
		}
		return nil
	})
	return all, err
}

// OrganizationAccount reads one account of the organisation that management manages.
// ok is false for every other account.
func (s *Service) OrganizationAccount(
	ctx context.Context, management, id string,
) (a OrganizationAccount, ok bool, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		by, err := organization(tx, id)
		if ok = err == nil && by == management; !ok {
			return err
		}
		a, err = organizationAccount(tx, id)
		return err
	})
	return a, ok && err == nil, err
}

func organizationAccount(tx *store.Tx, id string) (a OrganizationAccount, err error) {
	a.ID = id
	alias, err := absent(tx.Alias(id))
	if err != nil {
		return a, err
	}
	if a.Name = alias; alias == "" {
		a.Name = id
	}
	joined, err := setting(tx, id, settingJoined)
	if err != nil {
		return a, err
	}
	method, at, ok := strings.Cut(joined, " ")
	if !ok { // it joined before this was noted
		of, err := tx.Account(id)
		a.Method, a.Joined = types.AccountJoinedMethodInvited, of.Created
		return a, err
	}
	a.Method = types.AccountJoinedMethod(method)
	a.Joined, err = time.Parse(time.RFC3339, at)
	return a, err
}

// ListToken returns a token that continues a list of another service after an
// item. It is valid only for the caller's account and this list.
func (s *Service) ListToken(c principal.Caller, list, after string) (string, error) {
	p, err := s.page(c, list, "", nil, nil)
	if err != nil {
		return "", err
	}
	return *p.marker(after), nil
}

// ReadListToken returns the item that a token continues after. ok is false for
// a token that ListToken did not return.
func (s *Service) ReadListToken(c principal.Caller, list, token string) (after string, ok bool) {
	p, err := s.page(c, list, "", &token, nil)
	return p.after, err == nil
}
