package store

import "rollcall/internal/seal"

// DataKeys reads the data keys of the install, oldest first.
func (tx *Tx) DataKeys() ([]seal.WrappedKey, error) {
	return list(tx, func(k *seal.WrappedKey) []any { return []any{&k.ID, &k.MasterKeyID, &k.Wrapped} },
		`SELECT id, master_key_id, wrapped FROM data_keys ORDER BY created, id`)
}

// InsertDataKey adds a data key.
func (tx *Tx) InsertDataKey(k seal.WrappedKey) error {
	return tx.insert(`INSERT INTO data_keys (id, master_key_id, wrapped, created) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		k.ID, k.MasterKeyID, k.Wrapped, tx.Now)
}

// RewrapDataKey replaces the wrapping of a data key.
func (tx *Tx) RewrapDataKey(k seal.WrappedKey) error {
	return tx.change(`UPDATE data_keys SET master_key_id = $1, wrapped = $2 WHERE id = $3`, k.MasterKeyID, k.Wrapped, k.ID)
}
