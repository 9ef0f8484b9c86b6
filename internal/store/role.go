package store

import "time"

// Role is a role of an account.
type Role struct {
	Account     string
	NameKey     string // the name in lower case: names are unique without regard to case
	Name        string
	Path        string
	ID          string // begins with AROA
	Description string
	Trust
	MaxSession int    // seconds
	Service    string // the service of a service-linked role, "" for others
	Created    time.Time
}

// Trust is the trust policy of a role.
type Trust struct {
	TrustPolicy string
	// TrustedIDs has a line for each user and role that TrustPolicy names: its
	// unique id at the time it was named, a space, and its ARN.
	TrustedIDs string
}

const roleColumns = "account, name_key, name, path, role_id, description, trust_policy, trusted_ids, max_session, " +
	"service, created"

func roleFields(r *Role) []any {
	return []any{&r.Account, &r.NameKey, &r.Name, &r.Path, &r.ID, &r.Description, &r.TrustPolicy, &r.TrustedIDs,
		&r.MaxSession, &r.Service, &r.Created}
}

// InsertRole adds a role, or fails with ErrExists.
func (tx *Tx) InsertRole(r Role) error {
	tx.made(r.ID)
	return tx.insert(`INSERT INTO roles (`+roleColumns+
		`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
		r.Account, r.NameKey, r.Name, r.Path, r.ID, r.Description, r.TrustPolicy, r.TrustedIDs,
		r.MaxSession, r.Service, r.Created)
}

// Role reads a role by folded name.
func (tx *Tx) Role(account, nameKey string) (r Role, err error) {
	err = tx.one(roleFields(&r),
		`SELECT `+roleColumns+` FROM roles WHERE account = $1 AND name_key = $2`, account, nameKey)
	return r, err
}

// Roles reads up to limit roles in order of name_key, from the first after the
// given one, whose path begins with prefix.
func (tx *Tx) Roles(account, after, prefix string, limit int) ([]Role, error) {
	return list(tx, roleFields, `SELECT `+roleColumns+` FROM roles
		WHERE account = $1 AND name_key > $2 AND substr(path, 1, $3) = $4
		ORDER BY name_key LIMIT $5`, account, after, len([]rune(prefix)), prefix, limit)
}

// CountRoles counts an account's roles.
func (tx *Tx) CountRoles(account string) (n int, err error) {
	err = tx.one([]any{&n}, `SELECT COUNT(*) FROM roles WHERE account = $1`, account)
	return n, err
}

// UpdateRole replaces the description and the maximum session duration of a
// role.
func (tx *Tx) UpdateRole(account, nameKey, description string, maxSession int) error {
	return tx.change(`UPDATE roles SET description = $1, max_session = $2 WHERE account = $3 AND name_key = $4`,
		description, maxSession, account, nameKey)
}

// SetTrust replaces the trust policy of a role.
func (tx *Tx) SetTrust(account, nameKey string, t Trust) error {
	return tx.change(`UPDATE roles SET trust_policy = $1, trusted_ids = $2 WHERE account = $3 AND name_key = $4`,
		t.TrustPolicy, t.TrustedIDs, account, nameKey)
}

// DeleteRole deletes a role with its tags, its boundary and its last uses.
// ErrConflict: a policy or an instance profile still has it.
func (tx *Tx) DeleteRole(account, nameKey string) error {
	if _, err := tx.exec(`DELETE FROM service_last_used WHERE account = $1
		AND principal_id = (SELECT role_id FROM roles WHERE account = $1 AND name_key = $2)`, account, nameKey); err != nil {
		return err
	}
	return tx.change(`DELETE FROM roles WHERE account = $1 AND name_key = $2`, account, nameKey)
}

// RoleReferences counts what prevents the deletion of a role.
type RoleReferences struct {
	InstanceProfiles, Policies, Attachments int
}

// RoleReferences counts what prevents the deletion of a role.
func (tx *Tx) RoleReferences(account, nameKey string) (r RoleReferences, err error) {
	err = tx.one([]any{&r.InstanceProfiles, &r.Policies, &r.Attachments}, `SELECT
		(SELECT COUNT(*) FROM instance_profile_roles WHERE account = $1 AND role_key = $2),
		(SELECT COUNT(*) FROM role_policies WHERE account = $1 AND name_key = $2),
		(SELECT COUNT(*) FROM role_attachments WHERE account = $1 AND name_key = $2)`, account, nameKey)
	return r, err
}
