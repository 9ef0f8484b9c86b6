package store

import (
	"errors"
	"strings"
)

// Entity is a kind of thing that has policies. It names the tables of the
// policies.
type Entity string

// The kinds.
const (
	UserEntity  Entity = "user"
	GroupEntity Entity = "group"
	RoleEntity  Entity = "role"
)

// InlinePolicy is a policy of only one entity.
type InlinePolicy struct{ Name, Document string }

func inlinePolicyFields(p *InlinePolicy) []any { return []any{&p.Name, &p.Document} }

// PutInlinePolicy adds a policy to an entity. If a policy with this name in any
// case exists, it replaces the document and keeps the spelling. ErrConflict:
// there is no such entity.
func (tx *Tx) PutInlinePolicy(of Entity, account, nameKey string, p InlinePolicy) error {
	kept, err := tx.InlinePolicy(of, account, nameKey, p.Name)
	switch {
	case err == nil:
		p.Name = kept.Name
	case !errors.Is(err, ErrNotFound):
		return err
	}
	_, err = tx.exec(
		`INSERT INTO `+string(of)+`_policies (account, name_key, policy_name, document) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, name_key, policy_name) DO UPDATE SET document = excluded.document`, account, nameKey, p.Name, p.Document)
	return err
}

// InlinePolicy reads one policy of an entity by its name in any case. If older
// policies differ only in case, the one with this very spelling comes first.
func (tx *Tx) InlinePolicy(of Entity, account, nameKey, name string) (p InlinePolicy, err error) {
	err = tx.one(inlinePolicyFields(&p), `SELECT policy_name, document FROM `+string(of)+`_policies
		WHERE account = $1 AND name_key = $2 AND lower(policy_name) = $3
		ORDER BY CASE WHEN policy_name = $4 THEN 0 ELSE 1 END, policy_name LIMIT 1`,
		account, nameKey, strings.ToLower(name), name)
	return p, err
}

// InlinePolicies reads all policies of an entity in the order of their names; a
// quota limits their size.
func (tx *Tx) InlinePolicies(of Entity, account, nameKey string) ([]InlinePolicy, error) {
	return list(tx, inlinePolicyFields, `SELECT policy_name, document FROM `+string(of)+`_policies
		WHERE account = $1 AND name_key = $2 ORDER BY policy_name`, account, nameKey)
}

// DeleteInlinePolicy deletes the policy that InlinePolicy reads.
func (tx *Tx) DeleteInlinePolicy(of Entity, account, nameKey, name string) error {
	kept, err := tx.InlinePolicy(of, account, nameKey, name)
	if err != nil {
		return err
	}
	return tx.change(`DELETE FROM `+string(of)+`_policies WHERE account = $1 AND name_key = $2 AND policy_name = $3`,
		account, nameKey, kept.Name)
}
