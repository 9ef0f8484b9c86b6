package seal

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
)

// signingKey is a key that signs the trail. It is derived from a data key of
// rows, so that it changes with that key and outlives every master key.
type signingKey struct {
	private ed25519.PrivateKey
	public  ed25519.PublicKey
}

func newSigningKey(dataKey []byte) *signingKey {
	seed, err := hkdf.Key(sha256.New, dataKey, nil, "rollcall trail signature 1", ed25519.SeedSize)
	if err != nil {
		panic(err) // only for lengths beyond HKDF's
	}
	k := &signingKey{private: ed25519.NewKeyFromSeed(seed)}
	k.public = k.private.Public().(ed25519.PublicKey)
	return k
}

// Sign signs a message with the newest signing key, whose public half it
// returns. All nodes on one store have the same keys.
func (r *Keyring) Sign(message []byte) (ed25519.PublicKey, []byte) {
	k := r.keys.Load().rows.sign
	return k.public, ed25519.Sign(k.private, message)
}

// PublicKeys returns the public halves of all signing keys, the oldest first.
func (r *Keyring) PublicKeys() []ed25519.PublicKey {
	var all []ed25519.PublicKey
	for _, k := range r.keys.Load().signing {
		all = append(all, k.public)
	}
	return all
}
