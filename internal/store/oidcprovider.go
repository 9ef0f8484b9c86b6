package store

import "time"

// OIDCProvider is an OpenID Connect provider of an account.
type OIDCProvider struct {
	Account     string
	URL         string // without https://
	Thumbprints string // separated by spaces, in their order
	Created     time.Time
}

const oidcProviderColumns = "account, url, thumbprints, created"

func oidcProviderFields(p *OIDCProvider) []any {
	return []any{&p.Account, &p.URL, &p.Thumbprints, &p.Created}
}

// InsertOIDCProvider adds a provider, or fails with ErrExists.
func (tx *Tx) InsertOIDCProvider(p OIDCProvider) error {
	return tx.insert(`INSERT INTO oidc_providers (`+oidcProviderColumns+
		`) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		p.Account, p.URL, p.Thumbprints, p.Created)
}

// OIDCProvider reads a provider by its URL.
func (tx *Tx) OIDCProvider(account, url string) (p OIDCProvider, err error) {
	err = tx.one(oidcProviderFields(&p),
		`SELECT `+oidcProviderColumns+` FROM oidc_providers WHERE account = $1 AND url = $2`, account, url)
	return p, err
}

// OIDCProviders reads all providers of an account in order of their URLs.
func (tx *Tx) OIDCProviders(account string) ([]OIDCProvider, error) {
	return list(tx, oidcProviderFields,
		`SELECT `+oidcProviderColumns+` FROM oidc_providers WHERE account = $1 ORDER BY url`, account)
}

// SetOIDCThumbprints replaces a provider's thumbprints.
func (tx *Tx) SetOIDCThumbprints(account, url, thumbprints string) error {
	return tx.change(`UPDATE oidc_providers SET thumbprints = $1 WHERE account = $2 AND url = $3`,
		thumbprints, account, url)
}

// DeleteOIDCProvider deletes a provider with its client ids and tags.
func (tx *Tx) DeleteOIDCProvider(account, url string) error {
	return tx.change(`DELETE FROM oidc_providers WHERE account = $1 AND url = $2`, account, url)
}

// OIDCClientIDs reads the client ids of a provider in the order of their
// addition.
func (tx *Tx) OIDCClientIDs(account, url string) ([]string, error) {
	return list(tx, func(id *string) []any { return []any{id} },
		`SELECT client_id FROM oidc_client_ids WHERE account = $1 AND url = $2 ORDER BY seq, client_id`, account, url)
}

// AddOIDCClientID adds a client id to a provider, if it is not there.
func (tx *Tx) AddOIDCClientID(account, url, id string) error {
	_, err := tx.exec(`INSERT INTO oidc_client_ids (account, url, client_id, seq)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), COALESCE(MAX(seq), 0) + 1 FROM oidc_client_ids
		WHERE account = $1 AND url = $2 ON CONFLICT DO NOTHING`, account, url, id)
	return err
}

// RemoveOIDCClientID removes a client id from a provider, if it is there.
func (tx *Tx) RemoveOIDCClientID(account, url, id string) error {
	_, err := tx.exec(`DELETE FROM oidc_client_ids WHERE account = $1 AND url = $2 AND client_id = $3`, account, url,
		id)
	return err
}
