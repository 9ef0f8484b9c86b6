package store

// InsertGroupMember makes a user a member of a group. ErrExists: the user is
// one.
func (tx *Tx) InsertGroupMember(account, groupKey, userKey string) error {
	return tx.insert(
		`INSERT INTO group_members (account, group_key, user_key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		account, groupKey, userKey)
}

// DeleteGroupMember removes a user from a group.
func (tx *Tx) DeleteGroupMember(account, groupKey, userKey string) error {
	return tx.change(`DELETE FROM group_members WHERE account = $1 AND group_key = $2 AND user_key = $3`,
		account, groupKey, userKey)
}

// GroupMembers reads up to limit users of a group in order of name_key, from
// the first after the given one.
func (tx *Tx) GroupMembers(account, groupKey, after string, limit int) ([]User, error) {
	return list(tx, userFields, `SELECT u.account, u.name_key, u.name, u.path, u.user_id, u.created FROM group_members m
		JOIN users u ON u.account = m.account AND u.name_key = m.user_key
		WHERE m.account = $1 AND m.group_key = $2 AND m.user_key > $3 ORDER BY m.user_key LIMIT $4`, account, groupKey, after, limit)
}

// GroupsOfUser reads up to limit groups of a user in order of name_key, from
// the first after the given one.
func (tx *Tx) GroupsOfUser(account, userKey, after string, limit int) ([]Group, error) {
	return list(tx, groupFields,
		`SELECT g.account, g.name_key, g.name, g.path, g.group_id, g.created FROM group_members m
		JOIN user_groups g ON g.account = m.account AND g.name_key = m.group_key
		WHERE m.account = $1 AND m.user_key = $2 AND m.group_key > $3 ORDER BY m.group_key LIMIT $4`, account, userKey, after, limit)
}

// CountGroupsOfUser counts the groups of a user.
func (tx *Tx) CountGroupsOfUser(account, userKey string) (n int, err error) {
	err = tx.one([]any{&n}, `SELECT COUNT(*) FROM group_members WHERE account = $1 AND user_key = $2`, account, userKey)
	return n, err
}
