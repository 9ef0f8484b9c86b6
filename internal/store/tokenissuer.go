package store

import (
	"context"
	"errors"
	"time"
)

// TokenIssuer is the issuer of an account's web identity tokens.
type TokenIssuer struct {
	Account string
	ID      string // a UUID, the last part of the issuer's URL
	Enabled bool   // whether it issues tokens
	Created time.Time
}

// TokenKey is a key that signs an account's web identity tokens.
type TokenKey struct {
	Account   string
	Algorithm string // RS256 or ES384
	Serial    int    // 0 for the first of its algorithm
	Public    []byte // PKIX, DER
	Private   []byte // sealed
	Signs     time.Time
	// Ends is the time at which the key is no longer published. It is zero
	// until another key replaces it.
	Ends time.Time
}

const (
	tokenIssuerColumns = "account, issuer_id, enabled, created"
	tokenKeyColumns    = "account, algorithm, serial, public_key, private_key, signs, ends"
)

func tokenIssuerFields(i *TokenIssuer) []any {
	return []any{&i.Account, &i.ID, &i.Enabled, &i.Created}
}

func tokenKeyFields(k *TokenKey) []any {
	return []any{&k.Account, &k.Algorithm, &k.Serial, &k.Public, &k.Private, &k.Signs, &k.Ends}
}

// InsertTokenIssuer adds the issuer of an account. ErrExists: it has one.
func (tx *Tx) InsertTokenIssuer(i TokenIssuer) error {
	return tx.insert(`INSERT INTO token_issuers (`+tokenIssuerColumns+`) VALUES ($1, $2, $3, $4)
		ON CONFLICT DO NOTHING`,
		i.Account, i.ID, i.Enabled, i.Created)
}

// TokenIssuer reads the issuer of an account, or ErrNotFound.
func (tx *Tx) TokenIssuer(account string) (i TokenIssuer, err error) {
	err = tx.one(tokenIssuerFields(&i), `SELECT `+tokenIssuerColumns+` FROM token_issuers WHERE account = $1`, account)
	return i, err
}

// TokenIssuerByID reads an issuer by its id, which no other account has, or
// ErrNotFound.
func (tx *Tx) TokenIssuerByID(id string) (i TokenIssuer, err error) {
	err = tx.one(tokenIssuerFields(&i), `SELECT `+tokenIssuerColumns+` FROM token_issuers WHERE issuer_id = $1`, id)
	return i, err
}

// EnableTokenIssuer says whether an account's issuer issues tokens.
func (tx *Tx) EnableTokenIssuer(account string, enabled bool) error {
	return tx.change(`UPDATE token_issuers SET enabled = $1 WHERE account = $2`, enabled, account)
}

// TokenKeys reads the keys of an account's issuer, RSA's first, in the order of
// their numbers.
func (tx *Tx) TokenKeys(account string) ([]TokenKey, error) {
	return list(tx, tokenKeyFields,
		`SELECT `+tokenKeyColumns+` FROM token_keys WHERE account = $1 ORDER BY algorithm DESC, serial`, account)
}

// InsertTokenKey adds a key to an account's issuer. ErrExists: there is one
// with its number. ErrConflict: there is no issuer.
func (tx *Tx) InsertTokenKey(k TokenKey) error {
	return tx.insert(`INSERT INTO token_keys (`+tokenKeyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`,
		k.Account, k.Algorithm, k.Serial, k.Public, k.Private, k.Signs, k.Ends)
}

// EndTokenKey sets the time at which a key is no longer published.
func (tx *Tx) EndTokenKey(account, algorithm string, serial int, ends time.Time) error {
	return tx.change(`UPDATE token_keys SET ends = $1 WHERE account = $2 AND algorithm = $3 AND serial = $4`,
		ends, account, algorithm, serial)
}

// DeleteTokenKey deletes a key.
func (tx *Tx) DeleteTokenKey(account, algorithm string, serial int) error {
	return tx.change(`DELETE FROM token_keys WHERE account = $1 AND algorithm = $2 AND serial = $3`,
		account, algorithm, serial)
}

// ForgetTokenKeys deletes the keys of all accounts that have not been published
// since before a time. Each account has at most a few keys.
func (db *DB) ForgetTokenKeys(ctx context.Context, before time.Time) error {
	var old []TokenKey
	err := db.View(ctx, func(tx *Tx) (err error) {
		old, err = tx.EndedTokenKeys(before)
		return err
	})
	if err != nil || len(old) == 0 {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		for _, k := range old {
			if err := tx.DeleteTokenKey(k.Account, k.Algorithm, k.Serial); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		return nil
	})
}

// EndedTokenKeys reads the keys of all accounts that have not been published
// since before a time.
func (tx *Tx) EndedTokenKeys(before time.Time) ([]TokenKey, error) {
	return list(tx, tokenKeyFields, `SELECT `+tokenKeyColumns+` FROM token_keys WHERE ends > 0 AND ends < $1
		ORDER BY account, algorithm, serial`, before)
}
