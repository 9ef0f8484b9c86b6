package store

import "time"

// ServerCertificate is a certificate of an account with its private key.
type ServerCertificate struct {
	Account    string
	NameKey    string // the name in lower case: names are unique without regard to case
	Name       string
	Path       string
	ID         string // begins with ASCA
	Body       string // unchanged from the upload
	Chain      string // unchanged from the upload, "" for none
	PrivateKey []byte // sealed
	Uploaded   time.Time
	Expires    time.Time
}

const (
	serverCertificateMetadata = "account, name_key, name, path, certificate_id, uploaded, expires"
	serverCertificateColumns  = serverCertificateMetadata + ", body, chain, private_key"
)

func serverCertificateMetadataFields(c *ServerCertificate) []any {
	return []any{&c.Account, &c.NameKey, &c.Name, &c.Path, &c.ID, &c.Uploaded, &c.Expires}
}

// InsertServerCertificate adds a certificate, or fails with ErrExists.
func (tx *Tx) InsertServerCertificate(c ServerCertificate) error {
	tx.made(c.ID)
	return tx.insert(`INSERT INTO server_certificates (`+serverCertificateColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		c.Account, c.NameKey, c.Name, c.Path, c.ID, c.Uploaded, c.Expires, c.Body, c.Chain, c.PrivateKey)
}

// ServerCertificate reads a certificate by folded name, without its private
// key.
func (tx *Tx) ServerCertificate(account, nameKey string) (c ServerCertificate, err error) {
	err = tx.one(append(serverCertificateMetadataFields(&c), &c.Body, &c.Chain),
		`SELECT `+serverCertificateMetadata+
			`, body, chain FROM server_certificates WHERE account = $1 AND name_key = $2`, account, nameKey)
	return c, err
}

// ServerCertificates reads up to limit certificates, without bodies, chains
// and keys, in order of name_key, from the first after the given one, whose
// path begins with prefix.
func (tx *Tx) ServerCertificates(account, after, prefix string, limit int) ([]ServerCertificate, error) {
	return list(tx, serverCertificateMetadataFields, `SELECT `+serverCertificateMetadata+` FROM server_certificates
		WHERE account = $1 AND name_key > $2 AND substr(path, 1, $3) = $4
		ORDER BY name_key LIMIT $5`, account, after, len([]rune(prefix)), prefix, limit)
}

// CountServerCertificates counts an account's certificates.
func (tx *Tx) CountServerCertificates(account string) (n int, err error) {
	err = tx.one([]any{&n}, `SELECT COUNT(*) FROM server_certificates WHERE account = $1`, account)
	return n, err
}

// RenameServerCertificate gives a certificate another name and path. Its tags
// follow. ErrExists: the name is taken.
func (tx *Tx) RenameServerCertificate(account, nameKey string, to ServerCertificate) error {
	return tx.change(
		`UPDATE server_certificates SET name_key = $1, name = $2, path = $3 WHERE account = $4 AND name_key = $5`,
		to.NameKey, to.Name, to.Path, account, nameKey)
}

// DeleteServerCertificate deletes a certificate with its key and tags.
func (tx *Tx) DeleteServerCertificate(account, nameKey string) error {
	return tx.change(`DELETE FROM server_certificates WHERE account = $1 AND name_key = $2`, account, nameKey)
}
