package store

import "time"

// FactKind is a kind of facts about users that credential reports do not contain.
type FactKind uint8

// The kinds.
const (
	KeyFacts FactKind = iota
	DeviceFacts
	TagFacts
	SSHKeyFacts
	ServiceCredentialFacts
)

// UserFact is a fact about a user, and nothing secret. Fields that have no meaning
// for the kind are zero.
type UserFact struct {
	NameKey string
	ID      string // the id of a key or credential, the serial of a device, the key of a tag
	Value   string // the service of a credential, the value of a tag
	Status  string
	Created time.Time // when a key or credential was created or uploaded
	Expires time.Time
}

func userFactFields(f *UserFact) []any {
	return []any{&f.NameKey, &f.ID, &f.Value, &f.Status, &f.Created, &f.Expires}
}

const (
	ofUsers = ` WHERE account = $1 AND name_key >= $2 AND name_key <= $3`
	noTime  = `CAST(0 AS BIGINT)`
)

// userFacts are the statements for the kinds. The facts of a user come in the order
// of the lists of IAM.
var userFacts = [...]string{
	KeyFacts: `SELECT name_key, key_id, '', status, created, ` + noTime + ` FROM access_keys` + ofUsers +
		` ORDER BY name_key, key_id`,
	DeviceFacts: `SELECT name_key, serial, '', '', ` + noTime + `, ` + noTime + ` FROM (
		SELECT name_key, serial, device_id FROM mfa_devices` + ofUsers + `
		UNION ALL SELECT name_key, serial, device_id FROM passkeys` + ofUsers + `) AS devices
		ORDER BY name_key, device_id`,
	TagFacts: `SELECT name_key, tag_key, tag_value, '', ` + noTime + `, ` + noTime + ` FROM user_tags` + ofUsers +
		` ORDER BY name_key, tag_key`,
	SSHKeyFacts: `SELECT name_key, key_id, 'ssh', status, uploaded, ` + noTime + ` FROM ssh_public_keys` + ofUsers +
		` ORDER BY name_key, key_id`,
	ServiceCredentialFacts: `SELECT name_key, credential_id, service, status, created, expires
		FROM service_specific_credentials` + ofUsers + ` ORDER BY name_key, credential_id`,
}

// UserFacts reads facts of a kind about the users from first to last, in the order of
// their folded names.
func (tx *Tx) UserFacts(kind FactKind, account, first, last string) ([]UserFact, error) {
	return list(tx, userFactFields, userFacts[kind], account, first, last)
}
