package store

import "time"

// Account is one AWS account.
type Account struct {
	ID        string // twelve digits
	Partition string // aws, aws-cn or aws-us-gov
	Created   time.Time
	Users     int // IAM users, root not counted
	// Instance differs for each account that is created, even if the account
	// has the number of a deleted one.
	Instance string
}

const accountColumns = "account, aws_partition, created, user_count, instance"

func accountFields(a *Account) []any {
	return []any{&a.ID, &a.Partition, &a.Created, &a.Users, &a.Instance}
}

// InsertAccount adds an account, or fails with ErrExists.
func (tx *Tx) InsertAccount(a Account) error {
	return tx.insert(
		`INSERT INTO accounts (account, aws_partition, created, instance) VALUES ($1, $2, $3, $4) ON CONFLICT `+
			`DO NOTHING`,
		a.ID, a.Partition, a.Created, a.Instance)
}

// Account reads one account.
func (tx *Tx) Account(id string) (a Account, err error) {
	err = tx.one(accountFields(&a), accountSQL, id)
	return a, err
}

const accountSQL = `SELECT ` + accountColumns + ` FROM accounts WHERE account = $1`

// Accounts reads up to limit accounts whose ids come after the given one.
func (tx *Tx) Accounts(after string, limit int) ([]Account, error) {
	return list(tx, accountFields,
		`SELECT `+accountColumns+` FROM accounts WHERE account > $1 ORDER BY account LIMIT $2`, after, limit)
}

// CountUser adds delta to the number of an account's users and returns the
// new number. AddUser counts by itself.
func (tx *Tx) CountUser(account string, delta int) (n int, err error) {
	err = tx.one([]any{&n}, countUserSQL+` WHERE account = $2 RETURNING user_count`, delta, account)
	return n, err
}

const countUserSQL = `UPDATE accounts SET user_count = user_count + $1`

// accountTables hold rows of an account that no cascade deletes, in an order in
// which they can be deleted.
var accountTables = []string{
	"report_recordings", "report_marks", // first, so that nothing is marked by what follows
	"access_keys", "login_profiles", "mfa_devices", "passkeys", "signing_certificates", "ssh_public_keys",
	"service_specific_credentials", "group_members", "instance_profile_roles",
	"user_policies", "group_policies", "role_policies", "user_attachments", "group_attachments", "role_attachments",
	"user_groups", "roles", "instance_profiles", "users",
}

// DeleteAccount deletes an account and everything in it.
func (tx *Tx) DeleteAccount(id string) error {
	for _, table := range accountTables {
		if _, err := tx.exec("DELETE FROM "+table+" WHERE account = $1", id); err != nil {
			return err
		}
	}
	return tx.change("DELETE FROM accounts WHERE account = $1", id)
}

// Alias reads the alias of an account, or ErrNotFound.
func (tx *Tx) Alias(account string) (alias string, err error) {
	err = tx.one([]any{&alias}, `SELECT alias FROM account_aliases WHERE account = $1`, account)
	return alias, err
}

// InsertAlias gives an account its alias. ErrExists: another account, or
// this one, has it.
func (tx *Tx) InsertAlias(account, alias string) error {
	return tx.insert(`INSERT INTO account_aliases (account, alias) VALUES ($1, $2) ON CONFLICT DO NOTHING`, account,
		alias)
}

// AliasOwner reads which account has an alias, or ErrNotFound.
func (tx *Tx) AliasOwner(alias string) (account string, err error) {
	err = tx.one([]any{&account}, `SELECT account FROM account_aliases WHERE alias = $1`, alias)
	return account, err
}

// DeleteAlias deletes an account's alias, if it is this one.
func (tx *Tx) DeleteAlias(account, alias string) error {
	return tx.change(`DELETE FROM account_aliases WHERE account = $1 AND alias = $2`, account, alias)
}

// Limits reads the quotas that an operator has set for an account, by IAM's
// names, for example AccessKeysPerUser. All others have IAM's default.
func (tx *Tx) Limits(account string) (limits map[string]int, err error) {
	err = tx.together([]exchange{limitsOf(account, &limits)})
	return limits, err
}

func limitsOf(account string, limits *map[string]int) exchange {
	return exchange{statement{`SELECT name, value FROM account_limits WHERE account = $1`, []any{account}},
		func(r rows) error {
			type limit struct {
				name  string
				value int
			}
			all, err := scanList(r, func(l *limit) []any { return []any{&l.name, &l.value} })
			*limits = make(map[string]int, len(all))
			for _, l := range all {
				(*limits)[l.name] = l.value
			}
			return err
		}}
}

// SetLimit sets one quota of an account.
func (tx *Tx) SetLimit(account, name string, value int) error {
	_, err := tx.exec(`INSERT INTO account_limits (account, name, value) VALUES ($1, $2, $3)
		ON CONFLICT (account, name) DO UPDATE SET value = excluded.value`, account, name, value)
	return err
}

// DeleteLimit restores IAM's default of one quota of an account, if it has
// another value.
func (tx *Tx) DeleteLimit(account, name string) error {
	_, err := tx.exec(`DELETE FROM account_limits WHERE account = $1 AND name = $2`, account, name)
	return err
}
