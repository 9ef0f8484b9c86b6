package store

import "time"

// MFADevice is a virtual MFA device. Seed is sealed.
type MFADevice struct {
	Account string
	Serial  string // the device's ARN
	// ID orders the devices of an account by age. A new device with an old
	// serial has another ID.
	ID       string
	Assigned bool
	NameKey  string // the owner, if it is assigned
	Seed     []byte
	Created  time.Time
	Enabled  time.Time // zero if it is not assigned
	// LastStep is the time step of the second code of the newest accepted pair.
	// Drift is the number of steps that the device's clock is ahead of ours.
	LastStep, Drift int64
}

const mfaDeviceColumns = `d.account, d.serial, d.device_id, CASE WHEN d.name_key IS NULL THEN 0 ELSE 1 END,
	COALESCE(d.name_key, ''), d.seed, d.created, d.enabled, d.last_step, d.drift`

func mfaDeviceFields(d *MFADevice) []any {
	return []any{&d.Account, &d.Serial, &d.ID, &d.Assigned, &d.NameKey, &d.Seed, &d.Created,
		&d.Enabled, &d.LastStep, &d.Drift}
}

// InsertMFADevice adds an unassigned device. ErrExists: the serial is taken.
func (tx *Tx) InsertMFADevice(d MFADevice) error {
	return tx.insert(`INSERT INTO mfa_devices (account, serial, device_id, seed, created) VALUES ($1, $2, $3, $4, `+
		`$5) ON CONFLICT DO NOTHING`,
		d.Account, d.Serial, d.ID, d.Seed, d.Created)
}

// MFADevice reads a device by its serial.
func (tx *Tx) MFADevice(account, serial string) (d MFADevice, err error) {
	err = tx.one(mfaDeviceFields(&d),
		`SELECT `+mfaDeviceColumns+` FROM mfa_devices d WHERE d.account = $1 AND d.serial = $2`,
		account, serial)
	return d, err
}

// UserMFADevices reads all devices of a user in order of their age.
func (tx *Tx) UserMFADevices(account, nameKey string) ([]MFADevice, error) {
	return list(tx, mfaDeviceFields, `SELECT `+mfaDeviceColumns+` FROM mfa_devices d
		WHERE d.account = $1 AND d.name_key = $2 ORDER BY d.device_id`, account, nameKey)
}

// Assignment selects devices.
type Assignment string

// The zero Assignment means all devices.
const (
	AnyDevice        Assignment = ""
	AssignedDevice   Assignment = " AND d.name_key IS NOT NULL"
	UnassignedDevice Assignment = " AND d.name_key IS NULL"
)

// OwnedMFADevice is a device with its user, who is empty if it has none.
type OwnedMFADevice struct {
	MFADevice
	User User
}

// MFADevices reads up to limit devices of an account in order of their age,
// from the first after the given id.
func (tx *Tx) MFADevices(account, after string, which Assignment, limit int) ([]OwnedMFADevice, error) {
	fields := func(d *OwnedMFADevice) []any {
		u := &d.User
		return append(mfaDeviceFields(&d.MFADevice), &u.Account, &u.NameKey, &u.Name, &u.Path, &u.ID, &u.Created)
	}
	return list(tx, fields,
		`SELECT `+mfaDeviceColumns+`, COALESCE(u.account, ''), COALESCE(u.name_key, ''), COALESCE(u.name, ''),
			COALESCE(u.path, ''), COALESCE(u.user_id, ''), COALESCE(u.created, 0)
		FROM mfa_devices d LEFT JOIN users u ON u.account = d.account AND u.name_key = d.name_key
		WHERE d.account = $1 AND d.device_id > $2`+string(which)+` ORDER BY d.device_id LIMIT $3`, account, after, limit)
}

// AssignMFADevice assigns a device to its NameKey, enabled at Enabled, with the
// LastStep and Drift of the codes that proved it.
func (tx *Tx) AssignMFADevice(d MFADevice) error {
	return tx.change(
		`UPDATE mfa_devices SET name_key = $1, enabled = $2, last_step = $3, drift = $4 WHERE account = $5 AND `+
			`serial = $6`,
		d.NameKey, d.Enabled, d.LastStep, d.Drift, d.Account, d.Serial)
}

// MFACodesUsed reads the steps of a device's used codes, from first to last.
func (tx *Tx) MFACodesUsed(account, serial string, first, last int64) ([]int64, error) {
	return list(tx, func(step *int64) []any { return []any{step} }, `SELECT step FROM mfa_used_codes
		WHERE account = $1 AND serial = $2 AND step >= $3 AND step <= $4 ORDER BY step`, account, serial, first, last)
}

// UseMFACode stores that a code was used, and deletes codes of steps before
// oldest. ErrExists: it was used before. ErrConflict: there is no such device.
func (tx *Tx) UseMFACode(account, serial string, step, oldest int64) error {
	_, err := tx.exec(`DELETE FROM mfa_used_codes WHERE account = $1 AND serial = $2 AND step < $3`, account, serial,
		oldest)
	if err != nil {
		return err
	}
	return tx.insert(`INSERT INTO mfa_used_codes (account, serial, step) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		account, serial, step)
}

// UnassignMFADevice removes a device from its user. The device keeps its seed,
// its drift and its used codes, so no old code works again.
func (tx *Tx) UnassignMFADevice(account, serial string) error {
	return tx.change(`UPDATE mfa_devices SET name_key = NULL, enabled = 0 WHERE account = $1 AND serial = $2`, account,
		serial)
}

// DeleteMFADevice deletes a device with its tags.
func (tx *Tx) DeleteMFADevice(account, serial string) error {
	return tx.change(`DELETE FROM mfa_devices WHERE account = $1 AND serial = $2`, account, serial)
}
