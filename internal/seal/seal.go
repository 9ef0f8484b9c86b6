// Package seal protects secrets. It encrypts secrets that must be returned
// later (access key secrets, one-time-code seeds, service passwords), hashes
// those that must only be recognized (passwords), matches one-time codes, and
// generates the random identifiers and secrets of the service. No other package
// uses crypto/cipher, and no other package decides a key length.
//
// It promises:
//
//   - A secret in memory is a [Secret]: it prints as REDACTED in fmt,
//     encoding/json, log/slog and database/sql, and only Reveal returns it.
//   - A secret at rest is sealed with AES-256-GCM under a data key, and bound
//     to its table, row and column ([Location]): a ciphertext that was moved to
//     another row does not open.
//   - Data keys are stored wrapped with a master key, which is in a file
//     outside the database. The wrong file is noticed before the service
//     answers ([ErrWrongMasterKey]).
//   - The master key can be rotated while the service runs, and a crash after
//     any step leaves every secret readable; see [MasterKeys.AddNew].
//
// It refuses a master key file that others may read, sealed bytes that were
// cut, changed or moved, and password hashes whose cost is beyond the limits.
//
// It does not wipe secrets from memory, because the Go runtime may copy them.
// The program that starts the service turns off core dumps.
package seal

import (
	"crypto/rand"
	"crypto/subtle"
	"database/sql/driver"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "REDACTED"

// Secret is text that must not be printed. Its zero value is the empty secret.
//
// The text is behind a pointer, because fmt reads unexported string fields of a
// struct without calling their methods.
type Secret struct {
	_ [0]func() // not comparable, because == would compare pointers
	p *string
}

// NewSecret wraps s.
func NewSecret(s string) Secret { return Secret{p: &s} }

// Reveal returns the text itself. Review each caller.
func (s Secret) Reveal() string {
	if s.p == nil {
		return ""
	}
	return *s.p
}

// IsEmpty reports whether the secret is the empty text.
func (s Secret) IsEmpty() bool { return s.p == nil || *s.p == "" }

// Equal compares two secrets in a time that depends only on their lengths.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(t.Reveal())) == 1
}

// String returns REDACTED.
func (Secret) String() string { return redacted }

// GoString returns REDACTED.
func (Secret) GoString() string { return redacted }

// Format prints REDACTED for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON returns "REDACTED".
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// MarshalText returns REDACTED, even for XML and YAML encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns REDACTED.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Value returns an error, because a secret goes into the database sealed, never
// in clear.
func (Secret) Value() (driver.Value, error) {
	return nil, errors.New("store secret: it is not sealed")
}

// NewSecretAccessKey returns 40 random characters of the base64 alphabet, the
// form of AWS's secret access keys (240 random bits).
func NewSecretAccessKey() Secret { return randomBase64(30) }

// NewServicePassword returns 60 random characters of the base64 alphabet, the
// length of AWS's service-specific passwords (360 random bits).
func NewServicePassword() Secret { return randomBase64(45) }

func randomBase64(bytes int) Secret {
	return NewSecret(base64.StdEncoding.EncodeToString(randomBytes(bytes)))
}

// randomBytes never fails: crypto/rand ends the process if the system has no
// randomness.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
