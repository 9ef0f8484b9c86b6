package seal

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"sync"
)

// signingKey returns a key that signs the trail. It is derived from a data key of
// rows, so that it changes with that key and outlives every master key. The half that
// verifies is only computed when one of them is needed, because that takes longer than
// the rest of a keyring's start.
type signingKey func() ed25519.PrivateKey

func newSigningKey(dataKey []byte) signingKey {
	seed, err := hkdf.Key(sha256.New, dataKey, nil, "rollcall trail signature 1", ed25519.SeedSize)
	if err != nil {
		panic(err) // only for lengths beyond HKDF's
	}
	return sync.OnceValue(func() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(seed) })
}

func (k signingKey) public() ed25519.PublicKey { return k().Public().(ed25519.PublicKey) }

// Sign signs a message with the newest signing key, whose public half it
// returns. All nodes on one store have the same keys.
func (r *Keyring) Sign(message []byte) (ed25519.PublicKey, []byte) {
	k := r.keys.Load().rows.sign
	return k.public(), ed25519.Sign(k(), message)
}

// PublicKeys returns the public halves of all signing keys, the oldest first.
func (r *Keyring) PublicKeys() []ed25519.PublicKey {
	var all []ed25519.PublicKey
	for _, k := range r.keys.Load().signing {
		all = append(all, k.public())
	}
	return all
}
