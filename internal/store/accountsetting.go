package store

// Setting reads a setting of an account by name, or returns ErrNotFound.
func (tx *Tx) Setting(account, name string) (value string, err error) {
	err = tx.one([]any{&value}, `SELECT value FROM account_settings WHERE account = $1 AND name = $2`, account, name)
	return value, err
}

// SetSetting sets a setting of an account. ErrConflict: there is no such
// account.
func (tx *Tx) SetSetting(account, name, value string) error {
	_, err := tx.exec(`INSERT INTO account_settings (account, name, value) VALUES ($1, $2, $3)
		ON CONFLICT (account, name) DO UPDATE SET value = excluded.value`, account, name, value)
	return err
}

// DeleteSetting deletes a setting of an account, if it exists.
func (tx *Tx) DeleteSetting(account, name string) error {
	_, err := tx.exec(`DELETE FROM account_settings WHERE account = $1 AND name = $2`, account, name)
	return err
}

// AccountsSetTo reads the ids of all accounts that have a setting at a value,
// in order. It reads the settings of every account: it is for operators.
func (tx *Tx) AccountsSetTo(name, value string) ([]string, error) {
	return list(tx, func(id *string) []any { return []any{id} },
		`SELECT account FROM account_settings WHERE name = $1 AND value = $2 ORDER BY account`, name, value)
}
