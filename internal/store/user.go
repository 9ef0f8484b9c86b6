package store

import "time"

// User is a user of an account. The one whose NameKey is empty is root.
type User struct {
	Account string
	NameKey string // the name in lower case: names are unique without regard to case
	Name    string
	Path    string
	ID      string // begins with AIDA, or is the account id for root
	Created time.Time
}

const userColumns = "account, name_key, name, path, user_id, created"

func userFields(u *User) []any {
	return []any{&u.Account, &u.NameKey, &u.Name, &u.Path, &u.ID, &u.Created}
}

// InsertUser adds a user, or fails with ErrExists.
func (tx *Tx) InsertUser(u User) error {
	s := tx.insertUser(u)
	return tx.insert(s.sql, s.args...)
}

func (tx *Tx) insertUser(u User) statement {
	tx.made(u.ID)
	return statement{
		`INSERT INTO users (` + userColumns + `) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		[]any{u.Account, u.NameKey, u.Name, u.Path, u.ID, u.Created},
	}
}

// AddUser adds an IAM user, or fails with ErrExists, and counts it. It returns
// the new number of users and the limit, which is the operator's quota, or
// usual. The caller compares them in the same transaction, and fails if AddUser
// fails.
func (tx *Tx) AddUser(u User, quota string, usual int) (n, limit int, err error) {
	err = tx.oneAfter(tx.insertUser(u), []any{&n, &limit}, countUserSQL+` WHERE account = $2 RETURNING user_count,
		COALESCE((SELECT l.value FROM account_limits l WHERE l.account = accounts.account AND l.name = $3),
			CAST($4 AS BIGINT))`,
		1, u.Account, quota, usual)
	return n, limit, err
}

// User reads a user by folded name; "" is root.
func (tx *Tx) User(account, nameKey string) (u User, err error) {
	err = tx.one(userFields(&u), `SELECT `+userColumns+` FROM users WHERE account = $1 AND name_key = $2`, account,
		nameKey)
	return u, err
}

// UserByID reads a user by its unique id, whatever its name is.
func (tx *Tx) UserByID(account, id string) (u User, err error) {
	err = tx.one(userFields(&u), `SELECT `+userColumns+` FROM users WHERE account = $1 AND user_id = $2`, account, id)
	return u, err
}

// Users reads up to limit IAM users in order of name_key, from the first
// after the given one, whose path begins with prefix.
func (tx *Tx) Users(account, after, prefix string, limit int) ([]User, error) {
	return list(tx, userFields, `SELECT `+userColumns+` FROM users
		WHERE account = $1 AND name_key > $2 AND substr(path, 1, $3) = $4
		ORDER BY name_key LIMIT $5`, account, after, len([]rune(prefix)), prefix, limit)
}

// UsersNamed is Users for those whose folded names begin with name, which only
// has characters of names.
func (tx *Tx) UsersNamed(account, after, name, prefix string, limit int) ([]User, error) {
	const pastNames = "\x7f" // sorts after every character of a name
	return list(tx, userFields, `SELECT `+userColumns+` FROM users
		WHERE account = $1 AND name_key > $2 AND name_key >= $3 AND name_key < $4 AND substr(path, 1, $5) = $6
		ORDER BY name_key LIMIT $7`, account, after, name, name+pastNames, len([]rune(prefix)), prefix, limit)
}

// RenameUser gives a user another name and path. Everything that belongs to the
// user follows. ErrExists: the name is taken.
func (tx *Tx) RenameUser(account, nameKey string, to User) error {
	return tx.change(`UPDATE users SET name_key = $1, name = $2, path = $3 WHERE account = $4 AND name_key = $5`,
		to.NameKey, to.Name, to.Path, account, nameKey)
}

// DeleteUser deletes a user with its tags, password history and last uses.
// ErrConflict: a credential is left.
func (tx *Tx) DeleteUser(account, nameKey string) error {
	if _, err := tx.exec(`DELETE FROM service_last_used WHERE account = $1
		AND principal_id = (SELECT user_id FROM users WHERE account = $1 AND name_key = $2)`, account, nameKey); err != nil {
		return err
	}
	return tx.change(`DELETE FROM users WHERE account = $1 AND name_key = $2`, account, nameKey)
}
