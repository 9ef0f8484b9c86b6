package store

// PolicyUse counts who uses a managed policy.
type PolicyUse struct {
	ARN         string
	Attachments int // users, groups and roles that it is attached to
	Boundaries  int // users and roles whose permissions boundary it is
}

func policyUseFields(u *PolicyUse) []any { return []any{&u.ARN, &u.Attachments, &u.Boundaries} }

// PolicyUse counts who uses one policy, of the account or of AWS.
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

// PoliciesUsed counts for every policy that anybody of an account uses, by its
// ARN.
func (tx *Tx) PoliciesUsed(account string) (map[string]PolicyUse, error) {
	all, err := list(tx, policyUseFields, `SELECT policy_arn, CAST(SUM(attached) AS BIGINT), CAST(SUM(boundary) AS BIGINT) FROM (
		SELECT policy_arn, 1 AS attached, 0 AS boundary FROM user_attachments WHERE account = $1
		UNION ALL SELECT policy_arn, 1, 0 FROM group_attachments WHERE account = $1
		UNION ALL SELECT policy_arn, 1, 0 FROM role_attachments WHERE account = $1
		UNION ALL SELECT policy_arn, 0, 1 FROM user_boundaries WHERE account = $1
		UNION ALL SELECT policy_arn, 0, 1 FROM role_boundaries WHERE account = $1) AS used
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
type PolicyEntity struct{ NameKey, Name, ID string }

// entityTables are the tables of the entities, and their columns of unique
// ids.
var entityTables = map[Entity][2]string{
	UserEntity: {"users", "user_id"}, GroupEntity: {"user_groups", "group_id"}, RoleEntity: {"roles", "role_id"},
}

// Use is which use of a policy counts.
type Use struct{ Attached, Boundary bool }

// PolicyEntities reads up to limit entities of a kind that use a policy, in
// order of name_key, from the first after the given one, whose path begins
// with prefix.
func (tx *Tx) PolicyEntities(of Entity, use Use, account, arn, after, prefix string, limit int) ([]PolicyEntity, error) {
	uses := ""
	if use.Attached {
		uses = `SELECT name_key FROM ` + string(of) + `_attachments WHERE account = $1 AND policy_arn = $2`
	}
	if use.Boundary && of != GroupEntity { // groups have none
		if uses != "" {
			uses += " UNION "
		}
		uses += `SELECT name_key FROM ` + string(of) + `_boundaries WHERE account = $1 AND policy_arn = $2`
	}
	if uses == "" {
		return nil, nil
	}
	table := entityTables[of]
	return list(tx, func(e *PolicyEntity) []any { return []any{&e.NameKey, &e.Name, &e.ID} },
		`SELECT e.name_key, e.name, e.`+table[1]+` FROM `+table[0]+` e
		WHERE e.account = $1 AND e.name_key IN (`+uses+`) AND e.name_key > $3 AND substr(e.path, 1, $4) = $5
		ORDER BY e.name_key LIMIT $6`, account, arn, after, len([]rune(prefix)), prefix, limit)
}
