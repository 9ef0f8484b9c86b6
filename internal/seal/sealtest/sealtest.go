// Package sealtest makes hashing passwords cheap in tests.
package sealtest

import "rollcall/internal/seal"

// Derive computes a hash in a thousandth of the time of a Derivation. The result
// also depends on the password and the salt. It is only useful if all hashes
// come from here.
func Derive(d seal.Derivation) []byte {
	d.Memory, d.Time = 8*uint32(d.Threads), 1
	return d.Key()
}
