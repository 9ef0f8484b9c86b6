package store

import "time"

// SAMLProvider is a SAML provider of an account.
type SAMLProvider struct {
	Account    string
	Name       string
	ID         string // begins with SAMLSP; GetSAMLProvider calls it the provider's UUID
	Metadata   string // unchanged from the request
	Encryption string // Required or Allowed
	ValidUntil time.Time
	Created    time.Time
}

// SAMLPrivateKey is a key that decrypts assertions of a provider.
type SAMLPrivateKey struct {
	Account string
	Name    string // the provider's
	ID      string
	Key     []byte // sealed
	Created time.Time
}

const (
	samlProviderColumns   = "account, name, provider_id, metadata, encryption, valid_until, created"
	samlPrivateKeyColumns = "account, name, key_id, private_key, created"
)

func samlProviderFields(p *SAMLProvider) []any {
	return []any{&p.Account, &p.Name, &p.ID, &p.Metadata, &p.Encryption, &p.ValidUntil, &p.Created}
}

func samlPrivateKeyFields(k *SAMLPrivateKey) []any {
	return []any{&k.Account, &k.Name, &k.ID, &k.Key, &k.Created}
}

// InsertSAMLProvider adds a provider, or fails with ErrExists.
func (tx *Tx) InsertSAMLProvider(p SAMLProvider) error {
	return tx.insert(`INSERT INTO saml_providers (`+samlProviderColumns+
		`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		p.Account, p.Name, p.ID, p.Metadata, p.Encryption, p.ValidUntil, p.Created)
}

// SAMLProvider reads a provider by its name.
func (tx *Tx) SAMLProvider(account, name string) (p SAMLProvider, err error) {
	err = tx.one(samlProviderFields(&p),
		`SELECT `+samlProviderColumns+` FROM saml_providers WHERE account = $1 AND name = $2`, account, name)
	return p, err
}

// SAMLProviders reads all providers of an account in the order of their names,
// without their metadata, which may have megabytes.
func (tx *Tx) SAMLProviders(account string) ([]SAMLProvider, error) {
	return list(tx, samlProviderFields, `SELECT account, name, provider_id, '', encryption, valid_until, created
		FROM saml_providers WHERE account = $1 ORDER BY name`, account)
}

// UpdateSAMLProvider replaces a provider's metadata, encryption and end.
func (tx *Tx) UpdateSAMLProvider(p SAMLProvider) error {
	return tx.change(
		`UPDATE saml_providers SET metadata = $1, encryption = $2, valid_until = $3 WHERE account = $4 AND name = $5`,
		p.Metadata, p.Encryption, p.ValidUntil, p.Account, p.Name)
}

// DeleteSAMLProvider deletes a provider with its keys and tags.
func (tx *Tx) DeleteSAMLProvider(account, name string) error {
	return tx.change(`DELETE FROM saml_providers WHERE account = $1 AND name = $2`, account, name)
}

// SAMLPrivateKeys reads the keys of a provider, the oldest first.
func (tx *Tx) SAMLPrivateKeys(account, name string) ([]SAMLPrivateKey, error) {
	return list(tx, samlPrivateKeyFields, `SELECT `+samlPrivateKeyColumns+` FROM saml_private_keys
		WHERE account = $1 AND name = $2 ORDER BY created, key_id`, account, name)
}

// InsertSAMLPrivateKey adds a key to a provider. ErrExists: the id is taken.
func (tx *Tx) InsertSAMLPrivateKey(k SAMLPrivateKey) error {
	return tx.insert(`INSERT INTO saml_private_keys (`+samlPrivateKeyColumns+
		`) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		k.Account, k.Name, k.ID, k.Key, k.Created)
}

// DeleteSAMLPrivateKey removes a key from a provider.
func (tx *Tx) DeleteSAMLPrivateKey(account, name, id string) error {
	return tx.change(`DELETE FROM saml_private_keys WHERE account = $1 AND name = $2 AND key_id = $3`, account, name,
		id)
}
