package store

import "strings"

// PolicyUse counts the users of a managed policy.
type PolicyUse struct {
	ARN         string
	Attachments int // users, groups and roles that it is attached to
	Boundaries  int // users and roles whose permissions boundary it is
}

func policyUseFields(u *PolicyUse) []any { return []any{&u.ARN, &u.Attachments, &u.Boundaries} }

// PolicyUse counts the uses of one policy, of the account or of AWS.
func (tx *Tx) PolicyUse(account, arn string) (u PolicyUse, err error) {
	u.ARN = arn
	err = tx.one([]any{&u.Attachments, &u.Boundaries}, `SELECT
		(SELECT COUNT(*) FROM user_attachments WHERE account = $1 AND policy_arn = $2)
		+ (SELECT COUNT(*) FROM group_attachments WHERE account = $1 AND policy_arn = $2)
		+ (SELECT COUNT(*) FROM role_attachments WHERE account = $1 AND policy_arn = $2),
		(SELECT COUNT(*) FROM user_boundaries WHERE account = $1 AND policy_arn = $2)
		+ (SELECT COUNT(*) FROM role_boundaries WHERE account = $1 AND policy_arn = $2)`, account, arn)
	return u, err
}

// PoliciesUsed counts the uses of every policy that an account uses, by its
// ARN.
func (tx *Tx) PoliciesUsed(account string) (map[string]PolicyUse, error) {
	all, err := list(tx, policyUseFields,
		`SELECT policy_arn, CAST(SUM(attached) AS BIGINT), CAST(SUM(boundary) AS BIGINT) FROM (
		SELECT policy_arn, COUNT(*) AS attached, 0 AS boundary FROM user_attachments WHERE account = $1 GROUP BY policy_arn
		UNION ALL SELECT policy_arn, COUNT(*), 0 FROM group_attachments WHERE account = $1 GROUP BY policy_arn
		UNION ALL SELECT policy_arn, COUNT(*), 0 FROM role_attachments WHERE account = $1 GROUP BY policy_arn
		UNION ALL SELECT policy_arn, 0, COUNT(*) FROM user_boundaries WHERE account = $1 GROUP BY policy_arn
		UNION ALL SELECT policy_arn, 0, COUNT(*) FROM role_boundaries WHERE account = $1 GROUP BY policy_arn) AS used
		GROUP BY policy_arn`, account)
	if err != nil {
		return nil, err
	}
	used := make(map[string]PolicyUse, len(all))
	for _, u := range all {
		used[u.ARN] = u
	}
	return used, nil
}

// PolicyEntity is a user, group or role that uses a policy.
type PolicyEntity struct{ NameKey, Name, Path, ID string }

// entityTables are the tables of the entities, and their columns of unique ids.
var entityTables = map[Entity][2]string{
	UserEntity: {"users", "user_id"}, GroupEntity: {"user_groups", "group_id"}, RoleEntity: {"roles", "role_id"},
}

// Use says which uses of a policy count.
type Use struct{ Attached, Boundary bool }

// PolicyEntities reads up to limit entities of a kind that use a policy, in
// order of name_key, from the first after the given one, whose path begins
// with prefix.
//
// The keys come from an index, the entities by their keys. Without statistics,
// PostgreSQL would take quadratic time for a join.
func (tx *Tx) PolicyEntities(
	of Entity, use Use, account, arn, after, prefix string, limit int,
) ([]PolicyEntity, error) {
	keysSQL := policyKeysSQL(of, use)
	if keysSQL == "" {
		return nil, nil
	}
	table := entityTables[of]
	var found []PolicyEntity
	for more := true; more && len(found) < limit; {
		want := min(keyBatch, limit-len(found))
		keys, err := list(tx, func(key *string) []any { return []any{key} }, keysSQL, account, arn, after, want)
		if err != nil || len(keys) == 0 {
			return found, err
		}
		more, after = len(keys) == want, keys[len(keys)-1]
		args := padded([]any{account, len([]rune(prefix)), prefix}, keys)
		page, err := list(tx, func(e *PolicyEntity) []any { return []any{&e.NameKey, &e.Name, &e.Path, &e.ID} },
			`SELECT name_key, name, path, `+table[1]+` FROM `+table[0]+`
			WHERE account = $1 AND substr(path, 1, $2) = $3 AND name_key IN (`+places(4, len(args)-3)+`) ORDER BY name_key`, args...)
		if err != nil {
			return nil, err
		}
		found = append(found, page...)
	}
	return found, nil
}

// policyKeysSQL reads the keys of the entities of a kind that use a policy; ""
// if none can.
func policyKeysSQL(of Entity, use Use) string {
	var uses []string
	add := func(table string) {
		uses = append(uses,
			`SELECT name_key FROM `+string(of)+table+` WHERE account = $1 AND policy_arn = $2 AND name_key > $3`)
	}
	if use.Attached {
		add("_attachments")
	}
	if use.Boundary && of != GroupEntity { // groups have none
		add("_boundaries")
	}
	if len(uses) == 0 {
		return ""
	}
	return `SELECT name_key FROM (` + strings.Join(uses, " UNION ") + `) AS used ORDER BY name_key LIMIT $4`
}

// keyBatch is the number of keys in one statement.
const keyBatch = 200

// padded adds keys to the arguments of a statement. It repeats the last one
// until their number is one of a few: every other number would need another
// prepared statement.
func padded(args []any, keys []string) []any {
	size := 1
	if len(keys) > 1 {
		size = (len(keys) + keyBatch - 1) / keyBatch * keyBatch
	}
	for i := range size {
		args = append(args, keys[min(i, len(keys)-1)])
	}
	return args
}
