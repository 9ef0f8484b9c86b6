package identity

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// This file is for the operator of an installation and for the edge. No client
// can call it: there is no caller, nothing is authorized, and errors are
// sentences for the operator.

// AccountSpec describes the account to create. The zero value is valid.
type AccountSpec struct {
	// ID is the account's number of twelve digits. If it is empty, a free
	// number is drawn.
	ID string
	// Alias is the account's alias, "" for none.
	Alias string
	// Partition is aws, aws-cn or aws-us-gov; "" means aws, or that of Management.
	Partition string
	// Management is the account whose organization the new account becomes a member
	// of, with the role AccessRole; "" means none.
	Management string
	// Limits are the quotas that differ from IAM's, in the form that SetLimits
	// takes.
	Limits map[string]int
	// RootKeyID and RootSecret, if both are given, are used instead of a random
	// root access key. Emulators have well-known credentials.
	RootKeyID  string
	RootSecret seal.Secret
}

// AccountInfo describes an account to an operator.
type AccountInfo struct {
	store.Account
	Alias  string         // empty for none
	Limits map[string]int // the limits that differ from IAM's
	// Reported is the time when the newest credential report was generated,
	// zero for never.
	Reported time.Time
}

// NewAccount is a new account with its first root access key.
type NewAccount struct {
	AccountInfo
	RootKey RootKey
}

// CreateAccount creates an account, its root user and a root access key in one
// transaction.
func (s *Service) CreateAccount(ctx context.Context, spec AccountSpec) (NewAccount, error) {
	if err := spec.Check(); err != nil {
		return NewAccount{}, fmt.Errorf("create account: %w", err)
	}
	var n NewAccount
	err := again(func() (err error) {
		n, err = s.createAccount(ctx, spec)
		return err
	})
	if err != nil {
		return NewAccount{}, fmt.Errorf("create account: %w", err)
	}
	return n, nil
}

// instancePrefix begins the id of an account's instance. Instances distinguish
// accounts that had the same number at different times: see store.Account.
const instancePrefix = "ACCT"

func (s *Service) createAccount(ctx context.Context, spec AccountSpec) (NewAccount, error) {
	n := NewAccount{AccountInfo: AccountInfo{
		Account: store.Account{ID: spec.ID, Partition: spec.Partition}, Alias: spec.Alias, Limits: spec.Limits,
	}}
	n.Instance = seal.NewID(instancePrefix, 28)
	if n.ID == "" {
		id, err := newAccountID()
		if err != nil {
			return n, err
		}
		n.ID = id
	}
	key, secret, err := s.rootKeyOf(n.ID, spec)
	if err != nil {
		return n, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		n.Created, key.Created = second(tx.Now), second(tx.Now)
		manager, err := managerOf(tx, spec)
		if err != nil {
			return err
		}
		n.Partition = cmp.Or(spec.Partition, manager.Partition, "aws")
		if err := tx.InsertAccount(n.Account); err != nil {
			if !errors.Is(err, store.ErrExists) {
				return err
			}
			if spec.ID == "" {
				return errDrawAgain
			}
			return fmt.Errorf("account %s exists already", n.ID)
		}
		// The user id of root is the account's number.
		if err := tx.InsertUser(store.User{Account: n.ID, Path: "/", ID: n.ID, Created: tx.Now}); err != nil {
			return err
		}
		if err := setAlias(tx, n.ID, n.Alias); err != nil {
			return err
		}
		if err := setLimits(tx, n.ID, n.Limits); err != nil {
			return err
		}
		err = tx.InsertAccessKey(key)
		if errors.Is(err, store.ErrExists) {
			if spec.RootKeyID == "" {
				return errDrawAgain
			}
			return fmt.Errorf("access key id %s is taken", key.ID)
		}
		if err != nil || spec.Management == "" {
			return err
		}
		return joinNew(tx, manager, n.Account)
	})
	n.RootKey = RootKey{ID: key.ID, Secret: secret, Status: key.Status, Created: key.Created}
	return n, err
}

// rootKeyOf returns the root access key of the spec, or a new one.
func (s *Service) rootKeyOf(account string, spec AccountSpec) (store.AccessKey, seal.Secret, error) {
	if spec.RootKeyID == "" {
		return s.newAccessKey(account)
	}
	return store.AccessKey{
		Account: account, ID: spec.RootKeyID, Status: active,
		Secret: s.sealAccessKey(account, spec.RootKeyID, spec.RootSecret),
	}, spec.RootSecret, nil
}

func setAlias(tx *store.Tx, account, alias string) error {
	if alias == "" {
		return nil
	}
	err := tx.InsertAlias(account, alias)
	if errors.Is(err, store.ErrExists) {
		return fmt.Errorf("the alias %s belongs to another account", alias)
	}
	return err
}

// Check returns an error if a spec is invalid. It does not look at the existing
// accounts.
func (spec AccountSpec) Check() error {
	if spec.ID != "" {
		if err := checkAccountID(spec.ID); err != nil {
			return err
		}
	}
	if spec.Management != "" {
		if err := checkAccountID(spec.Management); err != nil {
			return err
		}
	}
	switch spec.Partition {
	case "", "aws", "aws-cn", "aws-us-gov":
	default:
		return fmt.Errorf("partition %q is not one of aws, aws-cn, aws-us-gov", spec.Partition)
	}
	if spec.Alias != "" &&
		awsmodel.Check("CreateAccountAlias", &iam.CreateAccountAliasInput{AccountAlias: &spec.Alias}) != nil {
		return fmt.Errorf(
			"alias %q is not 3 to 63 lower-case letters, digits and single hyphens, with no hyphen at either end",
			spec.Alias)
	}
	if (spec.RootKeyID == "") != spec.RootSecret.IsEmpty() {
		return errors.New("a given root access key needs both its id and its secret")
	}
	// A client could not sign requests with a slash or a control character in
	// the id.
	if strings.ContainsFunc(spec.RootKeyID, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' || r == ',' }) {
		return errors.New("the given access key id has characters that no request can carry")
	}
	return checkLimits(spec.Limits, 0)
}

func checkAccountID(id string) error {
	if len(id) != 12 || strings.Trim(id, "0123456789") != "" {
		return fmt.Errorf("account id %q is not twelve digits", id)
	}
	return nil
}

// newAccountID draws a number of twelve digits. The first digit is not zero,
// because spreadsheets and YAML would drop it.
func newAccountID() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(900_000_000_000))
	if err != nil {
		return "", err
	}
	return n.Add(n, big.NewInt(100_000_000_000)).String(), nil
}

// second returns a time in the precision of the store.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// Bounds of the values that an operator may set. Lists that belong to one
// entity are read as a whole, so their quotas stay small. The model bounds the
// size of documents.
const (
	maxPerAccountLimit = 1_000_000_000
	maxPerEntityLimit  = 1000
	maxSizeLimit       = 131072
)

// most returns the largest value that an operator may set.
func most(q api.Quota) int {
	switch {
	case strings.HasSuffix(q.Name, "PerAccount"):
		return maxPerAccountLimit
	case q.Value > maxPerEntityLimit: // no real number of things is that large
		return maxSizeLimit
	}
	return maxPerEntityLimit
}

func checkLimits(limits map[string]int, least int) error {
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		i := slices.IndexFunc(quotas, func(q api.Quota) bool { return q.Name == name })
		if i < 0 {
			return fmt.Errorf("there is no limit %q; the limits are %s", name, strings.Join(LimitNames(), ", "))
		}
		most := most(quotas[i])
		if v := limits[name]; v < least || v > most {
			return fmt.Errorf("limit %s=%d is not between 0 and %d", name, v, most)
		}
	}
	return nil
}

// LimitNames returns the names of the quotas that can be set for an account, in
// order.
func LimitNames() []string {
	names := make([]string, len(quotas))
	for i, q := range quotas {
		names[i] = q.Name
	}
	return names
}

// Accounts lists all accounts in order of their ids.
func (s *Service) Accounts(ctx context.Context) ([]AccountInfo, error) {
	var all []AccountInfo
	err := s.db.View(ctx, func(tx *store.Tx) error {
		all = nil
		for after := ""; ; {
			page, err := tx.Accounts(after, accountsPage)
			if err != nil {
				return err
			}
			for _, a := range page {
				info, err := accountInfo(tx, a)
				if err != nil {
					return err
				}
				all = append(all, info)
			}
			if len(page) < accountsPage {
				return nil
			}
			after = page[len(page)-1].ID
		}
	})
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return all, nil
}

const accountsPage = 1000

func accountInfo(tx *store.Tx, a store.Account) (info AccountInfo, err error) {
	info.Account = a
	if info.Alias, err = absent(tx.Alias(a.ID)); err != nil {
		return info, err
	}
	if info.Limits, err = tx.Limits(a.ID); err != nil {
		return info, err
	}
	report, err := absent(tx.LatestReport(a.ID))
	info.Reported = report.Generated
	return info, err
}

// DeleteAccount deletes an account with its users, their credentials and its
// reports. It cannot be undone.
func (s *Service) DeleteAccount(ctx context.Context, id string) error {
	err := s.db.Update(store.Patiently(ctx, 0), func(tx *store.Tx) error {
		// Its members must not belong to a later account with the same number.
		left, err := members(tx, id)
		for _, member := range left {
			err = errors.Join(err, tx.DeleteSetting(member, SettingManagementAccount))
			err = errors.Join(err, tx.DeleteSetting(member, settingJoined))
		}
		return errors.Join(err, errNoAccount(id, tx.DeleteAccount(id)))
	})
	if err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	return nil
}

// errNoAccount replaces the error for a missing row by a sentence for the
// operator.
func errNoAccount(id string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no account %s", id)
	}
	return err
}

// DefaultLimit, as the value of a limit, restores IAM's own value.
const DefaultLimit = -1

// SetLimits sets quotas of an account by their names in LimitExceeded errors,
// such as AccessKeysPerUser. Existing things beyond a lower quota stay. Only
// new ones are refused.
func (s *Service) SetLimits(ctx context.Context, account string, limits map[string]int) error {
	err := checkLimits(limits, DefaultLimit)
	if err == nil {
		err = s.db.Update(ctx, func(tx *store.Tx) error {
			if _, err := tx.Account(account); err != nil {
				return errNoAccount(account, err)
			}
			return setLimits(tx, account, limits)
		})
	}
	if err != nil {
		return fmt.Errorf("set limits: %w", err)
	}
	return nil
}

func setLimits(tx *store.Tx, account string, limits map[string]int) error {
	for name, value := range limits {
		var err error
		if value == DefaultLimit {
			err = tx.DeleteLimit(account, name)
		} else {
			err = tx.SetLimit(account, name, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
