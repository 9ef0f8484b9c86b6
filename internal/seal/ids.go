package seal

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strconv"
)

// The functions for identifiers are here because the randomness is.

const base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// NewID returns an identifier with a total of length characters: the prefix,
// then random upper-case base32. AWS: AIDA and ACCA identifiers have 21
// characters, APKA ones 20. It panics if no room is left after the prefix.
func NewID(prefix string, length int) string {
	if length <= len(prefix) {
		panic(fmt.Sprintf("seal: an identifier of %d characters has no room after %q", length, prefix))
	}
	b := randomBytes(length)
	copy(b, prefix)
	for i := len(prefix); i < length; i++ {
		b[i] = base32Alphabet[b[i]&31]
	}
	return string(b)
}

// An access key id is four characters of prefix and sixteen of base32, which
// are 80 bits: the mark bit, 40 bits of account number, and 39 random bits. The
// public decoders of AWS's ids compute the account as
//
//	(first 48 bits & 0x7fffffffff80) >> 7
//
// and take a clear mark bit for an id of the old kind, which names no account.
const (
	keyIDLength   = 20
	keyPrefixLen  = 4
	accountDigits = 12
	maxAccount    = 999_999_999_999
	accountShift  = 80 - 1 - 40 - 32 // within the first 48 bits: 7
)

// NewAccessKeyID returns a new access key id for account, with a prefix such as
// AKIA or ASIA. Two ids of one account collide with a chance of 1 in 2^39. The
// store's unique index finds the collision, and the caller tries again. It
// fails if account is not an account number or the prefix does not have four
// characters.
func NewAccessKeyID(prefix, account string) (string, error) {
	n, ok := accountNumber(account)
	if !ok || len(prefix) != keyPrefixLen {
		return "", fmt.Errorf("make access key id: prefix %q, account %q", prefix, account)
	}
	raw := randomBytes(10)
	low := binary.BigEndian.Uint64(raw[:8]) >> 16 & (1<<accountShift - 1)
	top := uint64(1)<<47 | n<<accountShift | low
	var first [8]byte
	binary.BigEndian.PutUint64(first[:], top<<16)
	copy(raw[:6], first[:6])
	return prefix + base32.StdEncoding.EncodeToString(raw), nil
}

// AccountOfKeyID returns the account whose number an access key id contains. It
// only calculates: the key or the account may not exist. ok is false for ids of
// another form and for those that contain no account.
func AccountOfKeyID(id string) (account string, ok bool) {
	if len(id) != keyIDLength {
		return "", false
	}
	var raw [10]byte
	if n, err := base32.StdEncoding.Decode(raw[:], []byte(id[keyPrefixLen:])); err != nil || n != len(raw) {
		return "", false
	}
	top := binary.BigEndian.Uint64(raw[:8]) >> 16
	n := top & 0x7fffffffff80 >> accountShift
	if top>>47 == 0 || n > maxAccount {
		return "", false
	}
	return fmt.Sprintf("%0*d", accountDigits, n), true
}

// accountNumber reads an account number: exactly twelve decimal digits.
func accountNumber(account string) (uint64, bool) {
	if len(account) != accountDigits {
		return 0, false
	}
	for _, c := range []byte(account) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(account, 10, 64)
	return n, err == nil
}
