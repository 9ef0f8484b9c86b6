package store

import "time"

// UserDetails is a user with what is shown of it alone. Boundary is the ARN of its
// permissions boundary, "" for none.
type UserDetails struct {
	User
	Boundary         string
	PasswordLastUsed time.Time
	Tags             []Tag
}

// UserDetails reads a user by folded name, with up to limit tags.
func (tx *Tx) UserDetails(account, nameKey string, limit int) (UserDetails, error) {
	return tx.userDetails("name_key", account, nameKey, limit)
}

// UserDetailsByID is UserDetails by the user's unique id.
func (tx *Tx) UserDetailsByID(account, id string, limit int) (UserDetails, error) {
	return tx.userDetails("user_id", account, id, limit)
}

// userDetails is one statement, so that it needs no transaction.
func (tx *Tx) userDetails(by, account, value string, limit int) (u UserDetails, err error) {
	type row struct {
		UserDetails
		tag Tag
	}
	all, err := list(tx, func(r *row) []any {
		return append(append(userFields(&r.User), &r.Boundary, &r.PasswordLastUsed), tagFields(&r.tag)...)
	}, `SELECT u.account, u.name_key, u.name, u.path, u.user_id, u.created, COALESCE(b.policy_arn, ''),
			COALESCE(p.used, 0), COALESCE(t.key_fold, ''), COALESCE(t.tag_key, ''), COALESCE(t.tag_value, '')
		FROM users u
		LEFT JOIN user_boundaries b ON b.account = u.account AND b.name_key = u.name_key
		LEFT JOIN password_last_used p ON p.account = u.account AND p.name_key = u.name_key
		LEFT JOIN user_tags t ON t.account = u.account AND t.name_key = u.name_key
		WHERE u.account = $1 AND u.`+by+` = $2 ORDER BY t.tag_key LIMIT $3`, account, value, limit)
	if err != nil {
		return u, err
	}
	if len(all) == 0 {
		return u, ErrNotFound
	}
	u = all[0].UserDetails
	for _, r := range all {
		if r.tag.Key != "" {
			u.Tags = append(u.Tags, r.tag)
		}
	}
	return u, nil
}
