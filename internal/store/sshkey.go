package store

import "time"

// SSHPublicKey is an SSH public key of a user.
type SSHPublicKey struct {
	Account     string
	NameKey     string
	ID          string // begins with APKA
	Body        string // ssh-rsa form, without a comment
	Fingerprint string
	// Digest is the hexadecimal SHA-256 of the key in SSH's wire form, which
	// identifies a key in every encoding.
	Digest   string
	Status   string // Active or Inactive
	Uploaded time.Time
}

const sshPublicKeyColumns = "account, name_key, key_id, body, fingerprint, digest, status, uploaded"

func sshPublicKeyFields(k *SSHPublicKey) []any {
	return []any{&k.Account, &k.NameKey, &k.ID, &k.Body, &k.Fingerprint, &k.Digest, &k.Status, &k.Uploaded}
}

// InsertSSHPublicKey adds a key. ErrExists: the user has it already.
func (tx *Tx) InsertSSHPublicKey(k SSHPublicKey) error {
	tx.made(k.ID)
	return tx.insert(`INSERT INTO ssh_public_keys (`+sshPublicKeyColumns+
		`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		k.Account, k.NameKey, k.ID, k.Body, k.Fingerprint, k.Digest, k.Status, k.Uploaded)
}

// SSHPublicKey reads a key by id, whichever user of the account has it.
func (tx *Tx) SSHPublicKey(account, id string) (k SSHPublicKey, err error) {
	err = tx.one(sshPublicKeyFields(&k),
		`SELECT `+sshPublicKeyColumns+` FROM ssh_public_keys WHERE account = $1 AND key_id = $2`, account, id)
	return k, err
}

// SSHPublicKeys reads all keys of a user in order of id.
func (tx *Tx) SSHPublicKeys(account, nameKey string) ([]SSHPublicKey, error) {
	return list(tx, sshPublicKeyFields,
		`SELECT `+sshPublicKeyColumns+` FROM ssh_public_keys WHERE account = $1 AND name_key = $2 ORDER BY key_id`,
		account, nameKey)
}
