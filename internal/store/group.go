package store

import "time"

// Group is a group of users.
type Group struct {
	Account string
	NameKey string // the name in lower case: names are unique without regard to case
	Name    string
	Path    string
	ID      string // begins with AGPA
	Created time.Time
}

const groupColumns = "account, name_key, name, path, group_id, created"

func groupFields(g *Group) []any {
	return []any{&g.Account, &g.NameKey, &g.Name, &g.Path, &g.ID, &g.Created}
}

// InsertGroup adds a group, or fails with ErrExists.
func (tx *Tx) InsertGroup(g Group) error {
	tx.made(g.ID)
	return tx.insert(`INSERT INTO user_groups (`+groupColumns+
		`) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		g.Account, g.NameKey, g.Name, g.Path, g.ID, g.Created)
}

// Group reads a group by folded name.
func (tx *Tx) Group(account, nameKey string) (g Group, err error) {
	err = tx.one(groupFields(&g), `SELECT `+groupColumns+` FROM user_groups WHERE account = $1 AND name_key = $2`,
		account, nameKey)
	return g, err
}

// Groups reads up to limit groups in order of name_key, from the first after
// the given one, whose path begins with prefix.
func (tx *Tx) Groups(account, after, prefix string, limit int) ([]Group, error) {
	return list(tx, groupFields, `SELECT `+groupColumns+` FROM user_groups
		WHERE account = $1 AND name_key > $2 AND substr(path, 1, $3) = $4
		ORDER BY name_key LIMIT $5`, account, after, len([]rune(prefix)), prefix, limit)
}

// CountGroups counts an account's groups.
func (tx *Tx) CountGroups(account string) (n int, err error) {
	err = tx.one([]any{&n}, `SELECT COUNT(*) FROM user_groups WHERE account = $1`, account)
	return n, err
}

// RenameGroup gives a group another name and path. Its members and policies
// follow. ErrExists: the name is taken.
func (tx *Tx) RenameGroup(account, nameKey string, to Group) error {
	return tx.change(`UPDATE user_groups SET name_key = $1, name = $2, path = $3 WHERE account = $4 AND name_key = $5`,
		to.NameKey, to.Name, to.Path, account, nameKey)
}

// DeleteGroup deletes a group. ErrConflict: a member or a policy is left.
func (tx *Tx) DeleteGroup(account, nameKey string) error {
	return tx.change(`DELETE FROM user_groups WHERE account = $1 AND name_key = $2`, account, nameKey)
}

// GroupReferences counts what prevents the deletion of a group.
type GroupReferences struct{ Members, Policies, Attachments int }

// GroupReferences counts what prevents the deletion of a group.
func (tx *Tx) GroupReferences(account, nameKey string) (r GroupReferences, err error) {
	err = tx.one([]any{&r.Members, &r.Policies, &r.Attachments}, `SELECT
		(SELECT COUNT(*) FROM group_members WHERE account = $1 AND group_key = $2),
		(SELECT COUNT(*) FROM group_policies WHERE account = $1 AND name_key = $2),
		(SELECT COUNT(*) FROM group_attachments WHERE account = $1 AND name_key = $2)`, account, nameKey)
	return r, err
}
