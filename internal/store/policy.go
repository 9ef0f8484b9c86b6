package store

import "time"

// Policy is a managed policy of an account.
type Policy struct {
	Account        string
	NameKey        string // the name in lower case: names are unique without case
	Name           string
	Path           string
	ARN            string
	ID             string // ANPA…
	Description    string
	Created        time.Time
	Updated        time.Time // the creation of the newest version
	DefaultVersion int
	LastVersion    int // the last number: numbers are not used again
}

const policyColumns = "account, name_key, name, path, arn, policy_id, description, created, updated, " +
	"default_version, last_version"

func policyFields(p *Policy) []any {
	return []any{&p.Account, &p.NameKey, &p.Name, &p.Path, &p.ARN, &p.ID, &p.Description, &p.Created, &p.Updated,
		&p.DefaultVersion, &p.LastVersion}
}

// InsertPolicy adds a policy, or fails with ErrExists.
func (tx *Tx) InsertPolicy(p Policy) error {
	tx.made(p.ID)
	return tx.insert(`INSERT INTO policies (`+policyColumns+
		`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
		p.Account, p.NameKey, p.Name, p.Path, p.ARN, p.ID, p.Description, p.Created, p.Updated,
		p.DefaultVersion, p.LastVersion)
}

// Policy reads a policy by ARN.
func (tx *Tx) Policy(account, arn string) (p Policy, err error) {
	err = tx.one(policyFields(&p),
		`SELECT `+policyColumns+` FROM policies WHERE account = $1 AND arn = $2`, account, arn)
	return p, err
}

// PolicyNamed reads a policy by its name, folded, whatever its path.
func (tx *Tx) PolicyNamed(account, nameKey string) (p Policy, err error) {
	err = tx.one(policyFields(&p),
		`SELECT `+policyColumns+` FROM policies WHERE account = $1 AND name_key = $2`, account, nameKey)
	return p, err
}

// Policies reads up to limit policies in order of name_key, from the first
// after the given one, whose path begins with prefix.
func (tx *Tx) Policies(account, after, prefix string, limit int) ([]Policy, error) {
	return list(tx, policyFields, `SELECT `+policyColumns+` FROM policies
		WHERE account = $1 AND name_key > $2 AND substr(path, 1, $3) = $4
		ORDER BY name_key LIMIT $5`, account, after, len([]rune(prefix)), prefix, limit)
}

// CountPolicies counts an account's policies.
func (tx *Tx) CountPolicies(account string) (n int, err error) {
	err = tx.one([]any{&n}, `SELECT COUNT(*) FROM policies WHERE account = $1`, account)
	return n, err
}

// UpdatePolicy writes what changes in a policy: the default version, the last
// number and the time of the update.
func (tx *Tx) UpdatePolicy(p Policy) error {
	return tx.change(
		`UPDATE policies SET updated = $1, default_version = $2, last_version = $3 WHERE account = $4 AND `+
			`name_key = $5`,
		p.Updated, p.DefaultVersion, p.LastVersion, p.Account, p.NameKey)
}

// DeletePolicy deletes a policy with its versions and tags. The caller checks
// that it is not attached.
func (tx *Tx) DeletePolicy(account, nameKey string) error {
	return tx.change(`DELETE FROM policies WHERE account = $1 AND name_key = $2`, account, nameKey)
}

// PolicyVersion is one text of a managed policy.
type PolicyVersion struct {
	Version  int
	Document string
	Created  time.Time
}

func policyVersionFields(v *PolicyVersion) []any { return []any{&v.Version, &v.Document, &v.Created} }

// InsertPolicyVersion adds a version to a policy.
func (tx *Tx) InsertPolicyVersion(account, nameKey string, v PolicyVersion) error {
	return tx.insert(`INSERT INTO policy_versions (account, name_key, version, document, created) VALUES ($1, $2, `+
		`$3, $4, $5) ON CONFLICT DO NOTHING`,
		account, nameKey, v.Version, v.Document, v.Created)
}

// PolicyVersion reads one version of a policy.
func (tx *Tx) PolicyVersion(account, nameKey string, version int) (v PolicyVersion, err error) {
	err = tx.one(policyVersionFields(&v), `SELECT version, document, created FROM policy_versions
		WHERE account = $1 AND name_key = $2 AND version = $3`, account, nameKey, version)
	return v, err
}

// PolicyVersions reads all versions of a policy, the newest first.
func (tx *Tx) PolicyVersions(account, nameKey string) ([]PolicyVersion, error) {
	return list(tx, policyVersionFields, `SELECT version, document, created FROM policy_versions
		WHERE account = $1 AND name_key = $2 ORDER BY version DESC`, account, nameKey)
}

// DeletePolicyVersion deletes one version of a policy.
func (tx *Tx) DeletePolicyVersion(account, nameKey string, version int) error {
	return tx.change(`DELETE FROM policy_versions WHERE account = $1 AND name_key = $2 AND version = $3`,
		account, nameKey, version)
}
