package store

import "time"

// AccessKey is an access key. Secret is sealed.
type AccessKey struct {
	Account string
	NameKey string
	ID      string
	Status  string // Active or Inactive
	Created time.Time
	Secret  []byte
}

const accessKeyColumns = "account, name_key, key_id, status, created, secret"

func accessKeyFields(k *AccessKey) []any {
	return []any{&k.Account, &k.NameKey, &k.ID, &k.Status, &k.Created, &k.Secret}
}

// InsertAccessKey adds a key. ErrExists: the id is taken, in any account.
func (tx *Tx) InsertAccessKey(k AccessKey) error {
	tx.made(k.ID)
	return tx.insert(`INSERT INTO access_keys (`+accessKeyColumns+
		`) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		k.Account, k.NameKey, k.ID, k.Status, k.Created, k.Secret)
}

// AccessKeys reads all keys of a user in order of id.
func (tx *Tx) AccessKeys(account, nameKey string) ([]AccessKey, error) {
	return list(tx, accessKeyFields,
		`SELECT `+accessKeyColumns+` FROM access_keys WHERE account = $1 AND name_key = $2 ORDER BY key_id`, account,
		nameKey)
}

// AccessKey reads a key by id, of any account.
func (tx *Tx) AccessKey(id string) (k AccessKey, err error) {
	err = tx.one(accessKeyFields(&k), `SELECT `+accessKeyColumns+` FROM access_keys WHERE key_id = $1`, id)
	return k, err
}

// Owner is the owner of credentials: a user, or root, and its account. For a role
// only the account of User is set.
type Owner struct {
	User      User
	Partition string
	Instance  string // see Account
}

// KeyOwner is an access key with its owner: all that one signed request needs.
type KeyOwner struct {
	Key AccessKey
	Owner
}

const keyOwnerSQL = `SELECT k.account, k.name_key, k.key_id, k.status, k.created, k.secret, u.name, u.path,
		u.user_id, u.created, a.aws_partition, a.instance
	FROM access_keys k
	JOIN users u ON u.account = k.account AND u.name_key = k.name_key
	JOIN accounts a ON a.account = k.account
	WHERE k.key_id = $1`

func keyOwnerFields(o *KeyOwner) []any {
	return []any{&o.Key.Account, &o.Key.NameKey, &o.Key.ID, &o.Key.Status, &o.Key.Created, &o.Key.Secret,
		&o.User.Name, &o.User.Path, &o.User.ID, &o.User.Created, &o.Partition, &o.Instance}
}

// KeyOwner reads a key by id, with its owner.
func (tx *Tx) KeyOwner(id string) (o KeyOwner, err error) {
	err = tx.one(keyOwnerFields(&o), keyOwnerSQL, id)
	o.User.Account, o.User.NameKey = o.Key.Account, o.Key.NameKey
	return o, err
}
