package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// WrappedKey is a data key in its stored form: encrypted by a master key.
type WrappedKey struct {
	ID          string // 16 hexadecimal digits
	MasterKeyID string // of the master key that wraps it
	Wrapped     []byte
	Purpose     Purpose
}

// Purpose names the kind of value that a data key seals. Its default is Rows.
type Purpose string

const (
	// Rows marks the key of secrets at rest, which is needed as long as they
	// exist.
	Rows Purpose = "rows"
	// Tokens marks the key of tokens, which clients hold and which expire; the
	// key expires with them.
	Tokens Purpose = "tokens"
)

// MessagesPerKey is the number of messages that a data key seals before it is
// replaced. Random nonces of 96 bits suffice for 2^32 (NIST SP 800-38D, 8.3). A
// node that crashes loses the count of the messages that it has not reported
// yet, which are far fewer than the remaining ones.
const MessagesPerKey = 1 << 30

// ErrNoDataKey reports a keyring without any data key.
var ErrNoDataKey = errors.New("there is no data key")

// ErrNotOpened reports sealed bytes that were changed, cut, or moved from the
// place that they were sealed for.
var ErrNotOpened = errors.New("sealed value does not open: it was changed, or belongs to another place")

// UnknownDataKeyError reports sealed bytes whose data key is not in the
// keyring. Another node may have created it: Load the keys of the store and try
// again.
type UnknownDataKeyError struct {
	ID string
}

func (e UnknownDataKeyError) Error() string {
	return fmt.Sprintf("sealed value needs data key %s, which is not loaded", e.ID)
}

const (
	dataKeyIDSize = 8
	formatV1      = 1
	headerSize    = 1 + dataKeyIDSize
	gcmOverhead   = 12 + 16 // nonce and tag
)

type dataKeyID [dataKeyIDSize]byte

func (id dataKeyID) String() string { return hex.EncodeToString(id[:]) }

// NewDataKey creates a random data key and wraps it with the current master
// key, which it reads from the file again. Call it inside the transaction that
// stores the key, and let that transaction conflict with the one that rewraps
// (both lock the same row), so that a rotation in another process cannot miss
// the key.
func NewDataKey(master *MasterKeys, purpose Purpose) (WrappedKey, error) {
	if err := master.Reload(); err != nil {
		return WrappedKey{}, fmt.Errorf("make data key: %w", err)
	}
	id := dataKeyID(randomBytes(dataKeyIDSize)).String()
	w := wrap(id, randomBytes(keySize), master.snapshot().current)
	w.Purpose = purpose
	return w, nil
}

// Rewrap wraps a data key with the current master key. It opens a key that is
// already wrapped with it and returns it unchanged, so it never accepts a key
// that the file cannot open.
func Rewrap(old WrappedKey, master *MasterKeys) (WrappedKey, error) {
	set := master.snapshot()
	key, err := unwrap(old, set)
	if err != nil {
		return WrappedKey{}, fmt.Errorf("rewrap: %w", err)
	}
	if old.MasterKeyID == set.current.id {
		return old, nil
	}
	w := wrap(old.ID, key, set.current)
	w.Purpose = old.Purpose
	return w, nil
}

func wrap(id string, key []byte, by masterKey) WrappedKey {
	aead := newAEAD(by.key[:])
	return WrappedKey{ID: id, MasterKeyID: by.id, Wrapped: aead.Seal(nil, nil, key, wrapAAD(id, by.id))}
}

// unwrap opens a data key. The tag of GCM shows whether the master key is the
// right one, so there is no separate check value.
func unwrap(w WrappedKey, set keySet) ([]byte, error) {
	held := set.current.id
	candidates := []masterKey{set.current}
	if set.previous != nil {
		held += " and " + set.previous.id
		candidates = append(candidates, *set.previous)
	}
	for _, mk := range candidates {
		if mk.id != w.MasterKeyID {
			continue
		}
		key, err := newAEAD(mk.key[:]).Open(nil, nil, w.Wrapped, wrapAAD(w.ID, mk.id))
		if err == nil && len(key) == keySize {
			return key, nil
		}
	}
	return nil, fmt.Errorf("data key %s, wrapped by master key %s: %w (it holds %s)",
		w.ID, w.MasterKeyID, ErrWrongMasterKey, held)
}

func wrapAAD(id, masterID string) []byte {
	return appendFields([]byte("rollcall data key 1"), id, masterID)
}

// newAEAD returns AES-256-GCM that draws a random nonce of 96 bits and writes
// it first. Random nonces suffice for 2^32 messages under one key, so keys are
// replaced long before that: see MessagesPerKey.
func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the length is ours
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// Location is the place that a sealed value belongs to. It is not secret.
type Location struct {
	Table  string // "access_key"
	Key    string // the row's primary key, made unambiguous by the caller
	Column string // "secret"
}

// aad binds a sealed value to its header and its place. Every field includes
// its length, so no two places give the same bytes.
func (at Location) aad(dst, header []byte) []byte {
	dst = append(dst, header...)
	return appendFields(dst, at.Table, at.Key, at.Column)
}

func appendFields(dst []byte, fields ...string) []byte {
	for _, f := range fields {
		dst = binary.AppendUvarint(dst, uint64(len(f)))
		dst = append(dst, f...)
	}
	return dst
}

// Keyring holds the opened data keys of an installation, and counts the
// messages that each seals. It is safe for concurrent use. Sealing and opening
// take no lock.
type Keyring struct {
	master *MasterKeys
	mac    []byte // the first data key of rows

	mu   sync.Mutex // serialises changes of keys
	keys atomic.Pointer[ringKeys]
}

// ringKeys is never changed once published.
type ringKeys struct {
	rows, tokens *dataKey     // the keys that seal
	signing      []signingKey // one for each key of rows, in their order
	all          map[dataKeyID]*dataKey
}

type dataKey struct {
	sign   signingKey // nil for keys of tokens
	id     dataKeyID
	aead   cipher.AEAD
	sealed atomic.Int64 // since the count was last reported
}

// NewKeyring opens the data keys of the store, given in the order of their
// creation. The first key of rows must stay the first for the life of the
// installation, because the keys of MAC are derived from it. The last key of
// each purpose seals. The error is ErrNoDataKey for a list without keys of
// rows, and wraps ErrWrongMasterKey if the master keys do not fit.
func NewKeyring(master *MasterKeys, wrapped []WrappedKey) (*Keyring, error) {
	if len(wrapped) == 0 {
		return nil, ErrNoDataKey
	}
	r := &Keyring{master: master}
	r.keys.Store(&ringKeys{})
	if err := r.Load(wrapped); err != nil {
		return nil, err
	}
	first := slices.IndexFunc(wrapped, func(w WrappedKey) bool { return w.Purpose != Tokens })
	_, key, err := r.open(wrapped[first])
	r.mac = key
	return r, err
}

// Load replaces the keys in the keyring by the store's present data keys, given
// in the order of their creation. It does not open again the keys that it
// already holds, and it drops those that no longer exist. If the master keys in
// memory do not open one, it reads the file again, because another process may
// have rotated.
func (r *Keyring) Load(wrapped []WrappedKey) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.keys.Load()
	next := &ringKeys{all: map[dataKeyID]*dataKey{}}
	for _, w := range wrapped {
		id, err := parseDataKeyID(w.ID)
		if err != nil {
			return err
		}
		k := old.all[id]
		if k == nil {
			_, key, err := r.open(w)
			if err != nil {
				return err
			}
			k = &dataKey{id: id, aead: newAEAD(key)}
			if w.Purpose != Tokens {
				k.sign = newSigningKey(key)
			}
		}
		next.all[id] = k
		if w.Purpose == Tokens {
			next.tokens = k
		} else {
			next.rows, next.signing = k, append(next.signing, k.sign)
		}
	}
	if next.rows == nil {
		return ErrNoDataKey
	}
	// Installations began with one key for everything.
	if next.tokens == nil {
		next.tokens = next.rows
	}
	r.keys.Store(next)
	return nil
}

func parseDataKeyID(text string) (id dataKeyID, err error) {
	if n, err := hex.Decode(id[:], []byte(text[:min(len(text), 2*dataKeyIDSize)])); err != nil || n != len(id) ||
		id.String() != text {
		return id, fmt.Errorf("open data key: its id %q is malformed", text)
	}
	return id, nil
}

func (r *Keyring) open(w WrappedKey) (dataKeyID, []byte, error) {
	id, err := parseDataKeyID(w.ID)
	if err != nil {
		return id, nil, err
	}
	key, err := unwrap(w, r.master.snapshot())
	if errors.Is(err, ErrWrongMasterKey) {
		if rerr := r.master.Reload(); rerr != nil {
			return id, nil, errors.Join(err, rerr)
		}
		key, err = unwrap(w, r.master.snapshot())
	}
	if err != nil {
		return id, nil, fmt.Errorf("open %w", err)
	}
	return id, key, nil
}

// Seal encrypts plaintext for the place at, which is a row. The result is a
// version byte, the data key's id, the nonce and the ciphertext: 37 bytes more
// than the plaintext.
func (r *Keyring) Seal(plaintext []byte, at Location) []byte {
	return r.keys.Load().rows.seal(plaintext, at)
}

// SealToken is Seal for a token, which a client holds and which expires.
func (r *Keyring) SealToken(plaintext []byte, at Location) []byte {
	return r.keys.Load().tokens.seal(plaintext, at)
}

func (k *dataKey) seal(plaintext []byte, at Location) []byte {
	k.sealed.Add(1)
	out := make([]byte, headerSize, headerSize+gcmOverhead+len(plaintext))
	out[0] = formatV1
	copy(out[1:], k.id[:])
	var buf [128]byte
	return k.aead.Seal(out, nil, plaintext, at.aad(buf[:0], out))
}

// TakeSealed returns the number of messages that each data key has sealed since
// the last call. GiveSealed adds back a count that could not be stored.
func (r *Keyring) TakeSealed() map[string]int64 {
	counts := map[string]int64{}
	for id, k := range r.keys.Load().all {
		if n := k.sealed.Swap(0); n > 0 {
			counts[id.String()] = n
		}
	}
	return counts
}

// GiveSealed adds back a count that TakeSealed returned.
func (r *Keyring) GiveSealed(counts map[string]int64) {
	for id, k := range r.keys.Load().all {
		k.sealed.Add(counts[id.String()])
	}
}

// Open decrypts a result of Seal for the same place. The error is an
// UnknownDataKeyError if the data key is not loaded, and ErrNotOpened for
// everything else.
func (r *Keyring) Open(sealed []byte, at Location) ([]byte, error) {
	if len(sealed) < headerSize+gcmOverhead || sealed[0] != formatV1 {
		return nil, ErrNotOpened
	}
	id := dataKeyID(sealed[1:headerSize])
	k, ok := r.keys.Load().all[id]
	if !ok {
		return nil, UnknownDataKeyError{ID: id.String()}
	}
	var buf [128]byte
	plain, err := k.aead.Open(nil, nil, sealed[headerSize:], at.aad(buf[:0], sealed[:headerSize]))
	if err != nil {
		return nil, ErrNotOpened
	}
	return plain, nil
}

// SealSecret is Seal for a Secret.
func (r *Keyring) SealSecret(s Secret, at Location) []byte { return r.Seal([]byte(s.Reveal()), at) }

// OpenSecret is Open for a Secret.
func (r *Keyring) OpenSecret(sealed []byte, at Location) (Secret, error) {
	plain, err := r.Open(sealed, at)
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(string(plain)), nil
}

// MAC returns 32 bytes that only this installation can derive from data:
// HMAC-SHA256 under a key derived for the purpose, which is one of our own
// constants. All nodes on one store derive the same bytes.
func (r *Keyring) MAC(purpose string, data []byte) []byte {
	key, err := hkdf.Key(sha256.New, r.mac, nil, "rollcall mac 1 "+purpose, sha256.Size)
	if err != nil {
		panic(err) // only for lengths beyond HKDF's
	}
	h := hmac.New(sha256.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// VerifyMAC reports whether mac is the complete MAC of data for the purpose, in
// constant time.
func (r *Keyring) VerifyMAC(purpose string, data, mac []byte) bool {
	return hmac.Equal(r.MAC(purpose, data), mac)
}
