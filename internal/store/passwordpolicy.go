package store

// PasswordPolicy is an account's own rule for the passwords of its users.
type PasswordPolicy struct {
	MinimumLength  int
	RequireSymbols bool
	RequireNumbers bool
	RequireUpper   bool
	RequireLower   bool
	AllowChange    bool // users may change their own passwords
	MaxAge         int  // days, 0 for no expiry
	Reuse          int  // number of previous passwords that must not be reused, 0 if any may
	HardExpiry     int  // one of the constants
}

// The value of HardExpiry in UpdateAccountPasswordPolicy.
const (
	HardExpiryFalse = 0
	HardExpiryTrue  = 1
	HardExpiryUnset = 2
)

const passwordPolicyColumns = `minimum_length, require_symbols, require_numbers, require_upper, require_lower,
	allow_change, max_age, reuse, hard_expiry`

// PasswordPolicy reads an account's policy, or returns ErrNotFound if it never
// set one.
func (tx *Tx) PasswordPolicy(account string) (p PasswordPolicy, err error) {
	err = tx.one(passwordPolicyFields(&p), passwordPolicySQL, account)
	return p, err
}

const passwordPolicySQL = `SELECT ` + passwordPolicyColumns + ` FROM password_policies WHERE account = $1`

func passwordPolicyFields(p *PasswordPolicy) []any {
	return []any{&p.MinimumLength, &p.RequireSymbols, &p.RequireNumbers, &p.RequireUpper, &p.RequireLower,
		&p.AllowChange, &p.MaxAge, &p.Reuse, &p.HardExpiry}
}

// SetPasswordPolicy replaces an account's whole policy.
func (tx *Tx) SetPasswordPolicy(account string, p PasswordPolicy) error {
	_, err := tx.exec(`INSERT INTO password_policies (account, `+passwordPolicyColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (account) DO UPDATE SET minimum_length = excluded.minimum_length, require_symbols = excluded.require_symbols,
		require_numbers = excluded.require_numbers, require_upper = excluded.require_upper, require_lower = excluded.require_lower,
		allow_change = excluded.allow_change, max_age = excluded.max_age, reuse = excluded.reuse, hard_expiry = excluded.hard_expiry`,
		account, p.MinimumLength, p.RequireSymbols, p.RequireNumbers, p.RequireUpper, p.RequireLower,
		p.AllowChange, p.MaxAge, p.Reuse, p.HardExpiry)
	return err
}

// DeletePasswordPolicy deletes an account's policy.
func (tx *Tx) DeletePasswordPolicy(account string) error {
	return tx.change(`DELETE FROM password_policies WHERE account = $1`, account)
}
