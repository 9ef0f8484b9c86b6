package store

// ControlPolicy is a policy that an organisation imposes on an account.
type ControlPolicy struct {
	Name     string
	Document string
}

func controlPolicyFields(p *ControlPolicy) []any { return []any{&p.Name, &p.Document} }

// PutControlPolicy sets a control policy of an account, or replaces the one
// with the same name. ErrConflict: there is no such account.
func (tx *Tx) PutControlPolicy(account string, p ControlPolicy) error {
	_, err := tx.exec(`INSERT INTO control_policies (account, name, document) VALUES ($1, $2, $3)
		ON CONFLICT (account, name) DO UPDATE SET document = excluded.document`, account, p.Name, p.Document)
	return err
}

// ControlPolicies reads the control policies of an account in order of their
// names.
func (tx *Tx) ControlPolicies(account string) ([]ControlPolicy, error) {
	return list(tx, controlPolicyFields, `SELECT name, document FROM control_policies WHERE account = $1 ORDER BY name`,
		account)
}

// DeleteControlPolicy deletes a control policy of an account.
func (tx *Tx) DeleteControlPolicy(account, name string) error {
	return tx.change(`DELETE FROM control_policies WHERE account = $1 AND name = $2`, account, name)
}
