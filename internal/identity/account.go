package identity

import (
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

// This file is for the operator of an installation and for the edge.
// No client can call it: there is no caller, nothing is authorized, and
// errors are sentences for the operator and not those of an API.

// AccountSpec says which account to make. The zero value is a good one.
type AccountSpec struct {
	// ID is the account's twelve digits; "" draws a number that is free.
	ID string
	// Alias is the account's alias, "" for none.
	Alias string
	// Partition is aws, aws-cn or aws-us-gov; "" means aws.
	Partition string
	// Limits are quotas other than IAM's, as SetLimits takes them.
	Limits map[string]int
	// RootKeyID and RootSecret, given together, are the root access key
	// instead of a random one: emulators have well-known credentials.
	RootKeyID  string
	RootSecret seal.Secret
}

// AccountInfo holds what an operator sees of an account.
type AccountInfo struct {
	store.Account
	Alias  string         // "" for none
	Limits map[string]int // those that differ from IAM's
	// Reported says when the newest credential report was generated, zero for
	// never.
	Reported time.Time
}

// NewAccount is an account with the root access key that was made with it.
type NewAccount struct {
	AccountInfo
	RootKey RootKey
}

// CreateAccount makes an account, its root user and a root access key in one
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

// instancePrefix begins what tells an account from one that had its number
// before: see store.Account.
const instancePrefix = "ACCT"

func (s *Service) createAccount(ctx context.Context, spec AccountSpec) (NewAccount, error) {
	n := NewAccount{AccountInfo: AccountInfo{
		Account: store.Account{ID: spec.ID, Partition: spec.Partition}, Alias: spec.Alias, Limits: spec.Limits,
	}}
	if n.Partition == "" {
		n.Partition = "aws"
	}
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
		err := tx.InsertAccessKey(key)
		if errors.Is(err, store.ErrExists) {
			if spec.RootKeyID == "" {
				return errDrawAgain
			}
			return fmt.Errorf("access key id %s is taken", key.ID)
		}
		return err
	})
	n.RootKey = RootKey{ID: key.ID, Secret: secret, Status: key.Status, Created: key.Created}
	return n, err
}

// rootKeyOf is the root access key that the spec gives, or a new one.
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

// Check says what is wrong with a spec, whatever accounts there are.
func (spec AccountSpec) Check() error {
	if spec.ID != "" {
		if err := checkAccountID(spec.ID); err != nil {
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
	// A slash or a control character in the id could not be signed with.
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

// newAccountID draws a number of twelve digits. It begins with no zero:
// spreadsheets and YAML would lose it.
func newAccountID() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(900_000_000_000))
	if err != nil {
		return "", err
	}
	return n.Add(n, big.NewInt(100_000_000_000)).String(), nil
}

// second is a time as the store keeps it.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// Bounds of what an operator may set. Lists of what belongs to one entity are
// read whole, so those quotas stay small; documents are bounded by the model.
const (
	maxPerAccountLimit = 1_000_000_000
	maxPerEntityLimit  = 1000
	maxSizeLimit       = 131072
)

// most is the largest value that an operator may set.
func most(q api.Quota) int {
	switch {
	case strings.HasSuffix(q.Name, "PerAccount"):
		return maxPerAccountLimit
	case q.Value > maxPerEntityLimit: // no number of things is that large
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

// LimitNames returns the names of the quotas that an account may have other
// values of, in their order.
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
// reports. Nothing of it can be had back.
func (s *Service) DeleteAccount(ctx context.Context, id string) error {
	err := s.db.Update(store.Patiently(ctx, 0), func(tx *store.Tx) error {
		// Its members must not belong to a later account with its number.
		left, err := members(tx, id)
		for _, member := range left {
			err = errors.Join(err, tx.DeleteSetting(member, SettingManagementAccount))
		}
		return errors.Join(err, errNoAccount(id, tx.DeleteAccount(id)))
	})
	if err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	return nil
}

// noAccount gives a row that is not there the operator's words.
func errNoAccount(id string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no account %s", id)
	}
	return err
}

// DefaultLimit, as the value of a limit, gives an account IAM's own back.
const DefaultLimit = -1

// SetLimits sets quotas of an account by the names LimitExceeded has for
// them, such as AccessKeysPerUser. What an account has beyond a lower quota
// stays; only what is new is refused.
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
