package store

// InsertAttachment attaches a managed policy to an entity. ErrExists: it is
// attached. The caller checks that the policy exists.
func (tx *Tx) InsertAttachment(to Entity, account, nameKey, arn string) error {
	return tx.insert(`INSERT INTO `+string(to)+
		`_attachments (account, name_key, policy_arn) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		account, nameKey, arn)
}

// DeleteAttachment detaches a policy.
func (tx *Tx) DeleteAttachment(from Entity, account, nameKey, arn string) error {
	return tx.change(`DELETE FROM `+string(from)+
		`_attachments WHERE account = $1 AND name_key = $2 AND policy_arn = $3`, account, nameKey, arn)
}

// Attachments reads the ARNs of all policies that are attached to an entity; a
// quota limits their number.
func (tx *Tx) Attachments(of Entity, account, nameKey string) ([]string, error) {
	return list(tx, func(arn *string) []any { return []any{arn} },
		`SELECT policy_arn FROM `+string(of)+`_attachments WHERE account = $1 AND name_key = $2 ORDER BY policy_arn`,
		account, nameKey)
}
