package store

import "time"

// SigningCertificate is an X.509 certificate of a user.
type SigningCertificate struct {
	Account  string
	NameKey  string
	ID       string
	Body     string // unchanged from the upload
	Status   string // Active or Inactive
	Uploaded time.Time
}

const signingCertificateColumns = "account, name_key, certificate_id, body, status, uploaded"

func signingCertificateFields(c *SigningCertificate) []any {
	return []any{&c.Account, &c.NameKey, &c.ID, &c.Body, &c.Status, &c.Uploaded}
}

// InsertSigningCertificate adds a certificate. ErrExists: the account has it.
func (tx *Tx) InsertSigningCertificate(c SigningCertificate) error {
	tx.made(c.ID)
	return tx.insert(`INSERT INTO signing_certificates (`+signingCertificateColumns+
		`) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		c.Account, c.NameKey, c.ID, c.Body, c.Status, c.Uploaded)
}

// SigningCertificate reads a certificate by id, whichever user of the account
// has it.
func (tx *Tx) SigningCertificate(account, id string) (c SigningCertificate, err error) {
	err = tx.one(signingCertificateFields(&c),
		`SELECT `+signingCertificateColumns+` FROM signing_certificates WHERE account = $1 AND certificate_id = $2`,
		account, id)
	return c, err
}

// SigningCertificates reads all certificates of a user in order of id.
func (tx *Tx) SigningCertificates(account, nameKey string) ([]SigningCertificate, error) {
	return list(tx, signingCertificateFields, `SELECT `+signingCertificateColumns+` FROM signing_certificates
		WHERE account = $1 AND name_key = $2 ORDER BY certificate_id`, account, nameKey)
}
