package store

import "time"

// InstanceProfile makes a role available to instances of EC2.
type InstanceProfile struct {
	Account string
	NameKey string // the name in lower case: names are unique without regard to case
	Name    string
	Path    string
	ID      string // begins with AIPA
	Created time.Time
}

const instanceProfileColumns = "i.account, i.name_key, i.name, i.path, i.profile_id, i.created"

func instanceProfileFields(p *InstanceProfile) []any {
	return []any{&p.Account, &p.NameKey, &p.Name, &p.Path, &p.ID, &p.Created}
}

// InsertInstanceProfile adds a profile without roles, or fails with ErrExists.
func (tx *Tx) InsertInstanceProfile(p InstanceProfile) error {
	tx.made(p.ID)
	return tx.insert(`INSERT INTO instance_profiles (account, name_key, name, path, profile_id, created)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, p.Account, p.NameKey, p.Name, p.Path, p.ID, p.Created)
}

// InstanceProfile reads a profile by folded name.
func (tx *Tx) InstanceProfile(account, nameKey string) (p InstanceProfile, err error) {
	err = tx.one(instanceProfileFields(&p), `SELECT `+instanceProfileColumns+` FROM instance_profiles i
		WHERE i.account = $1 AND i.name_key = $2`, account, nameKey)
	return p, err
}

// InstanceProfiles reads up to limit profiles in order of name_key, from the
// first after the given one, whose path begins with prefix.
func (tx *Tx) InstanceProfiles(account, after, prefix string, limit int) ([]InstanceProfile, error) {
	return list(tx, instanceProfileFields, `SELECT `+instanceProfileColumns+` FROM instance_profiles i
		WHERE i.account = $1 AND i.name_key > $2 AND substr(i.path, 1, $3) = $4
		ORDER BY i.name_key LIMIT $5`, account, after, len([]rune(prefix)), prefix, limit)
}

// RoleInstanceProfiles reads up to limit profiles that have a role, in order of
// name_key, from the first after the given one.
func (tx *Tx) RoleInstanceProfiles(account, roleKey, after string, limit int) ([]InstanceProfile, error) {
	return list(tx, instanceProfileFields, `SELECT `+instanceProfileColumns+` FROM instance_profile_roles r
		JOIN instance_profiles i ON i.account = r.account AND i.name_key = r.profile_key
		WHERE r.account = $1 AND r.role_key = $2 AND r.profile_key > $3
		ORDER BY r.profile_key LIMIT $4`, account, roleKey, after, limit)
}

// CountInstanceProfiles counts an account's profiles.
func (tx *Tx) CountInstanceProfiles(account string) (n int, err error) {
	err = tx.one([]any{&n}, `SELECT COUNT(*) FROM instance_profiles WHERE account = $1`, account)
	return n, err
}

// DeleteInstanceProfile deletes a profile with its tags. ErrConflict: it has a
// role.
func (tx *Tx) DeleteInstanceProfile(account, nameKey string) error {
	return tx.change(`DELETE FROM instance_profiles WHERE account = $1 AND name_key = $2`, account, nameKey)
}

// ProfileRole is a role of an instance profile.
type ProfileRole struct {
	ProfileKey string
	Role
}

// InstanceProfileRoles reads the roles of the profiles from first to last, by
// their folded names, in order of the profile and the role.
func (tx *Tx) InstanceProfileRoles(account, first, last string) ([]ProfileRole, error) {
	fields := func(r *ProfileRole) []any { return append([]any{&r.ProfileKey}, roleFields(&r.Role)...) }
	return list(tx, fields, `SELECT p.profile_key, r.account, r.name_key, r.name, r.path, r.role_id, r.description,
			r.trust_policy, r.trusted_ids, r.max_session, r.service, r.created
		FROM instance_profile_roles p JOIN roles r ON r.account = p.account AND r.name_key = p.role_key
		WHERE p.account = $1 AND p.profile_key >= $2 AND p.profile_key <= $3
		ORDER BY p.profile_key, p.role_key`, account, first, last)
}

// AddInstanceProfileRole gives a profile a role, or fails with ErrExists.
func (tx *Tx) AddInstanceProfileRole(account, profileKey, roleKey string) error {
	return tx.insert(
		`INSERT INTO instance_profile_roles (account, profile_key, role_key) VALUES ($1, $2, $3) ON CONFLICT `+
			`DO NOTHING`,
		account, profileKey, roleKey)
}

// RemoveInstanceProfileRole removes a role from a profile, or fails with
// ErrNotFound.
func (tx *Tx) RemoveInstanceProfileRole(account, profileKey, roleKey string) error {
	return tx.change(`DELETE FROM instance_profile_roles WHERE account = $1 AND profile_key = $2 AND role_key = $3`,
		account, profileKey, roleKey)
}
