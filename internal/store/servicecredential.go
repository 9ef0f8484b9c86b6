package store

import "time"

// ServiceCredential is a user's credential for one AWS service. Secret is
// sealed.
type ServiceCredential struct {
	Account string
	NameKey string
	ID      string // begins with ACCA
	Service string // codecommit.amazonaws.com
	// ServiceUser is the user name for the service. It is generated once and
	// does not change when the user is renamed.
	ServiceUser string
	Secret      []byte
	Status      string // Active or Inactive
	Created     time.Time
	Expires     time.Time // zero for never
}

const serviceCredentialColumns = "account, name_key, credential_id, service, service_user, secret, status, " +
	"created, expires"

func serviceCredentialFields(c *ServiceCredential) []any {
	return []any{&c.Account, &c.NameKey, &c.ID, &c.Service, &c.ServiceUser, &c.Secret,
		&c.Status, &c.Created, &c.Expires}
}

// InsertServiceCredential adds a credential. ErrExists: the account has one
// with this name for the service.
func (tx *Tx) InsertServiceCredential(c ServiceCredential) error {
	tx.made(c.ID)
	return tx.insert(`INSERT INTO service_specific_credentials (`+serviceCredentialColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		c.Account, c.NameKey, c.ID, c.Service, c.ServiceUser, c.Secret, c.Status, c.Created, c.Expires)
}

// ServiceCredential reads a credential by id, whichever user of the account has
// it.
func (tx *Tx) ServiceCredential(account, id string) (c ServiceCredential, err error) {
	err = tx.one(serviceCredentialFields(&c),
		`SELECT `+serviceCredentialColumns+
			` FROM service_specific_credentials WHERE account = $1 AND credential_id = $2`, account, id)
	return c, err
}

// ServiceCredentials reads all credentials of a user, or those for one service
// if it is not "", in the order of ids.
func (tx *Tx) ServiceCredentials(account, nameKey, service string) ([]ServiceCredential, error) {
	return list(tx, serviceCredentialFields, `SELECT `+serviceCredentialColumns+` FROM service_specific_credentials
		WHERE account = $1 AND name_key = $2 AND (service = $3 OR $3 = '') ORDER BY credential_id`, account, nameKey, service)
}

// OwnedServiceCredential is a credential with its user.
type OwnedServiceCredential struct {
	ServiceCredential
	User string // the name
}

// AccountServiceCredentials reads up to limit credentials of all users, or
// those for one service if it is not "", in the order of ids from the first
// after the given one.
func (tx *Tx) AccountServiceCredentials(account, after, service string, limit int) ([]OwnedServiceCredential, error) {
	fields := func(c *OwnedServiceCredential) []any {
		return append(serviceCredentialFields(&c.ServiceCredential), &c.User)
	}
	return list(tx, fields,
		`SELECT c.account, c.name_key, c.credential_id, c.service, c.service_user, c.secret,
			c.status, c.created, c.expires, u.name
		FROM service_specific_credentials c JOIN users u ON u.account = c.account AND u.name_key = c.name_key
		WHERE c.account = $1 AND c.credential_id > $2 AND (c.service = $3 OR $3 = '') ORDER BY c.credential_id LIMIT $4`,
		account, after, service, limit)
}

// SetServiceCredentialSecret gives a credential another secret.
func (tx *Tx) SetServiceCredentialSecret(account, nameKey, id string, secret []byte) error {
	return tx.change(
		`UPDATE service_specific_credentials SET secret = $1 WHERE account = $2 AND name_key = $3 AND `+
			`credential_id = $4`,
		secret, account, nameKey, id)
}
