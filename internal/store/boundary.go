package store

// SetBoundary sets or replaces the permissions boundary of a user or a role.
// ErrConflict: there is no such entity.
func (tx *Tx) SetBoundary(of Entity, account, nameKey, arn string) error {
	_, err := tx.exec(`INSERT INTO `+string(of)+`_boundaries (account, name_key, policy_arn) VALUES ($1, $2, $3)
		ON CONFLICT (account, name_key) DO UPDATE SET policy_arn = excluded.policy_arn`, account, nameKey, arn)
	return err
}

// Boundary reads the ARN of the permissions boundary of a user or a role, "" if
// it has none.
func (tx *Tx) Boundary(of Entity, account, nameKey string) (arn string, err error) {
	err = tx.one([]any{&arn}, `SELECT COALESCE((SELECT policy_arn FROM `+string(of)+`_boundaries
		WHERE account = $1 AND name_key = $2), '')`, account, nameKey)
	return arn, err
}

// DeleteBoundary deletes the permissions boundary, or returns ErrNotFound.
func (tx *Tx) DeleteBoundary(of Entity, account, nameKey string) error {
	return tx.change(`DELETE FROM `+string(of)+`_boundaries WHERE account = $1 AND name_key = $2`, account, nameKey)
}
