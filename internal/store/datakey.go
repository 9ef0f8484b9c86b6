package store

import (
	"time"

	"rollcall/internal/seal"
)

// DataKey is a data key of the installation with the facts that decide when it
// is replaced.
type DataKey struct {
	seal.WrappedKey
	Created time.Time
	Sealed  int64 // messages that the nodes have reported
}

const dataKeyColumns = `id, master_key_id, wrapped, purpose, created, sealed`

// AllDataKeys reads the data keys, oldest first.
func (tx *Tx) AllDataKeys() ([]DataKey, error) {
	return list(tx, func(k *DataKey) []any {
		return []any{&k.ID, &k.MasterKeyID, &k.Wrapped, (*string)(&k.Purpose), &k.Created, &k.Sealed}
	}, `SELECT `+dataKeyColumns+` FROM data_keys ORDER BY created, id`)
}

// DataKeys reads the data keys without the rest, oldest first.
func (tx *Tx) DataKeys() ([]seal.WrappedKey, error) {
	all, err := tx.AllDataKeys()
	keys := make([]seal.WrappedKey, len(all))
	for i, k := range all {
		keys[i] = k.WrappedKey
	}
	return keys, err
}

// InsertDataKey adds a data key.
func (tx *Tx) InsertDataKey(k DataKey) error {
	return tx.insert(
		`INSERT INTO data_keys (id, master_key_id, wrapped, purpose, created, sealed) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`, k.ID, k.MasterKeyID, k.Wrapped, string(k.Purpose), k.Created, k.Sealed)
}

// RewrapDataKey replaces the wrapping of a data key.
func (tx *Tx) RewrapDataKey(k seal.WrappedKey) error {
	return tx.change(`UPDATE data_keys SET master_key_id = $1, wrapped = $2 WHERE id = $3`,
		k.MasterKeyID, k.Wrapped, k.ID)
}

// CountSealed adds to the count of messages that a data key has sealed. It
// ignores a deleted key.
func (tx *Tx) CountSealed(id string, n int64) error {
	_, err := tx.exec(`UPDATE data_keys SET sealed = sealed + $1 WHERE id = $2`, n, id)
	return err
}

// DeleteDataKey deletes a data key. Everything that it sealed can no longer be
// opened.
func (tx *Tx) DeleteDataKey(id string) error {
	return tx.change(`DELETE FROM data_keys WHERE id = $1`, id)
}
