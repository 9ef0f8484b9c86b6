package store

import "time"

// LoginProfile is the password of a user or of root. Times are the profile's
// creation and the last setting of the password.
type LoginProfile struct {
	Account       string
	NameKey       string
	Hash          string // argon2id, in seal's form
	Created       time.Time
	Changed       time.Time
	ResetRequired bool
}

const loginProfileColumns = "account, name_key, password_hash, created, changed, reset_required"

func loginProfileFields(p *LoginProfile) []any {
	return []any{&p.Account, &p.NameKey, &p.Hash, &p.Created, &p.Changed, &p.ResetRequired}
}

// InsertLoginProfile gives a user a password, or fails with ErrExists.
func (tx *Tx) InsertLoginProfile(p LoginProfile) error {
	return tx.insert(`INSERT INTO login_profiles (`+loginProfileColumns+
		`) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		p.Account, p.NameKey, p.Hash, p.Created, p.Changed, p.ResetRequired)
}

// LoginProfile reads a user's password, or ErrNotFound.
func (tx *Tx) LoginProfile(account, nameKey string) (p LoginProfile, err error) {
	err = tx.one(loginProfileFields(&p),
		`SELECT `+loginProfileColumns+` FROM login_profiles WHERE account = $1 AND name_key = $2`, account, nameKey)
	return p, err
}

// SetPassword replaces a user's password now, and ends the sessions that began
// with another one.
func (tx *Tx) SetPassword(account, nameKey, hash string, resetRequired bool) error {
	if err := tx.EndUserSessions(account, nameKey); err != nil {
		return err
	}
	return tx.change(
		`UPDATE login_profiles SET password_hash = $1, changed = $2, reset_required = $3 WHERE account = $4 AND `+
			`name_key = $5`,
		hash, tx.Now, resetRequired, account, nameKey)
}

// ReplacePasswordHash stores another hash of the same password, even in its
// history. Nothing else changes, and no session ends. ErrNotFound: the user's
// hash has changed, or there is none.
func (tx *Tx) ReplacePasswordHash(account, nameKey, old, hash string) error {
	err := tx.change(`UPDATE login_profiles SET password_hash = $1 WHERE account = $2 AND name_key = $3 AND `+
		`password_hash = $4`, hash, account, nameKey, old)
	if err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE password_history SET password_hash = $1 WHERE account = $2 AND name_key = $3 AND `+
		`password_hash = $4`, hash, account, nameKey, old)
	return err
}

// SetPasswordReset says whether the user must choose another password at the
// next sign-in. It does not change the time of the password.
func (tx *Tx) SetPasswordReset(account, nameKey string, required bool) error {
	return tx.change(`UPDATE login_profiles SET reset_required = $1 WHERE account = $2 AND name_key = $3`,
		required, account, nameKey)
}

// DeleteLoginProfile deletes a user's password and ends its sessions. The
// password's history stays.
func (tx *Tx) DeleteLoginProfile(account, nameKey string) error {
	if err := tx.EndUserSessions(account, nameKey); err != nil {
		return err
	}
	return tx.change(`DELETE FROM login_profiles WHERE account = $1 AND name_key = $2`, account, nameKey)
}

// PasswordHistory reads the hashes of a user's passwords, including the present
// one, newest first.
func (tx *Tx) PasswordHistory(account, nameKey string) ([]string, error) {
	return list(tx, func(s *string) []any { return []any{s} },
		`SELECT password_hash FROM password_history WHERE account = $1 AND name_key = $2 ORDER BY seq DESC`, account,
		nameKey)
}

// AddPasswordHistory adds a hash to a user's history, and drops all but the
// newest keep.
func (tx *Tx) AddPasswordHistory(account, nameKey, hash string, keep int) error {
	_, err := tx.exec(`INSERT INTO password_history (account, name_key, seq, password_hash)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), COALESCE(MAX(seq), 0) + 1, CAST($3 AS TEXT)
		FROM password_history WHERE account = $1 AND name_key = $2`, account, nameKey, hash)
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM password_history WHERE account = $1 AND name_key = $2
		AND seq <= (SELECT MAX(seq) FROM password_history WHERE account = $1 AND name_key = $2) - $3`, account, nameKey, keep)
	return err
}
