// Package sealtest saves tests the time that passwords cost.
package sealtest

import "rollcall/internal/seal"

// Derive computes a hash in a thousandth of the time that a Derivation asks for.
// The result depends on the password and the salt as well, and it is of use only
// where all hashes come from here.
func Derive(d seal.Derivation) []byte {
	d.Memory, d.Time = 8*uint32(d.Threads), 1
	return d.Key()
}
