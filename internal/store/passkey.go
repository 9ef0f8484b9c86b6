package store

import "time"

// Passkey is a FIDO device of a user or of root: a passkey or a security key.
type Passkey struct {
	Account, NameKey string
	Serial           string // the device's ARN
	// ID orders the devices of a user by age, together with those of MFADevice.
	ID           string
	CredentialID string // base64url
	Credential   []byte // the data that its enrolment proved, as JSON
	SignCount    int64
	Enabled      time.Time
}

const passkeyColumns = "account, name_key, serial, device_id, credential_id, credential, sign_count, enabled"

func passkeyFields(p *Passkey) []any {
	return []any{&p.Account, &p.NameKey, &p.Serial, &p.ID, &p.CredentialID, &p.Credential, &p.SignCount, &p.Enabled}
}

// InsertPasskey adds a device to a user. ErrExists: the serial or the
// credential is taken.
func (tx *Tx) InsertPasskey(p Passkey) error {
	return tx.insert(`INSERT INTO passkeys (`+passkeyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO
		NOTHING`,
		p.Account, p.NameKey, p.Serial, p.ID, p.CredentialID, p.Credential, p.SignCount, p.Enabled)
}

// Passkey reads a device by its serial, or ErrNotFound.
func (tx *Tx) Passkey(account, serial string) (p Passkey, err error) {
	err = tx.one(passkeyFields(&p), `SELECT `+passkeyColumns+` FROM passkeys WHERE account = $1 AND serial = $2`,
		account, serial)
	return p, err
}

// UserPasskeys reads the devices of a user in the order of their age.
func (tx *Tx) UserPasskeys(account, nameKey string) ([]Passkey, error) {
	return list(tx, passkeyFields, `SELECT `+passkeyColumns+` FROM passkeys
		WHERE account = $1 AND name_key = $2 ORDER BY device_id`, account, nameKey)
}

// CountPasskeyUse stores the device's own count of its uses.
func (tx *Tx) CountPasskeyUse(account, serial string, signCount int64) error {
	return tx.change(`UPDATE passkeys SET sign_count = $1 WHERE account = $2 AND serial = $3`,
		signCount, account, serial)
}

// DeletePasskey deletes a device.
func (tx *Tx) DeletePasskey(account, serial string) error {
	return tx.change(`DELETE FROM passkeys WHERE account = $1 AND serial = $2`, account, serial)
}
