package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

type digest = [sha256.Size]byte

// signingKey derives the key of one day, region and service from a secret.
// SigV4, "Derive a signing key".
func signingKey(secret []byte, date, region, service string) digest {
	buf := make([]byte, 0, 64)
	buf = append(buf, "AWS4"...)
	buf = append(buf, secret...)
	k := hmacSHA256(buf, []byte(date))
	k = hmacSHA256(k[:], []byte(region))
	k = hmacSHA256(k[:], []byte(service))
	return hmacSHA256(k[:], []byte(terminator))
}

func hmacSHA256(key, data []byte) (sum digest) {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	h.Sum(sum[:0])
	return sum
}

// keyCache caches signing keys, at most 2*generation of them.
//
// Entries are found by the secret itself (hashed), not by the access key id. If
// a key is revoked, or its id gets another secret, an old entry can never
// verify it, because no caller passes the old secret any more. For the same
// reason an entry needs no account in its id.
//
// There are two generations instead of a list of recent uses. When the young
// generation is full it becomes the old one, and the old one is dropped.
type keyCache struct {
	mu         sync.Mutex
	young, old map[digest]digest
}

const generation = 2048

// cacheID hashes the inputs of a derivation, each after its length.
func cacheID(secret []byte, date, region, service string) digest {
	buf := make([]byte, 0, 128)
	buf = binary.AppendUvarint(buf, uint64(len(secret)))
	buf = append(buf, secret...)
	for _, s := range [...]string{date, region, service} {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	return sha256.Sum256(buf)
}

func (c *keyCache) get(id digest) (key digest, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key, ok = c.young[id]; ok {
		return key, true
	}
	if key, ok = c.old[id]; ok {
		c.insert(id, key)
	}
	return key, ok
}

func (c *keyCache) put(id, key digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.insert(id, key)
}

func (c *keyCache) insert(id, key digest) {
	if c.young == nil || len(c.young) >= generation {
		c.old, c.young = c.young, make(map[digest]digest)
	}
	c.young[id] = key
}
