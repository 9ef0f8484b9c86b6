package seal

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// argonParams is the cost of one argon2id hash.
type argonParams struct {
	memory  uint32 // KiB
	time    uint32 // passes
	threads uint8
}

// owasp holds the parameters for argon2id in the OWASP Password Storage Cheat
// Sheet: 19 MiB, two passes, one lane.
var owasp = argonParams{memory: 19 << 10, time: 2, threads: 1}

// These constants limit the cost of a stored hash. A hash comes from our own
// database, but that includes restored and imported ones, none of which may
// exhaust the machine's memory.
const (
	maxMemory  = 128 << 10 // KiB
	maxTime    = 10
	maxThreads = 4

	saltSize = 16
	hashSize = 32
	maxSalt  = 64
	minHash  = 16
	maxHash  = 64
)

// ErrBadHash reports a stored password hash that is not one of ours, or whose
// cost is beyond the limits.
var ErrBadHash = errors.New("stored password hash is malformed or beyond bounds")

// Derivation is one call of argon2id.
type Derivation struct {
	Password, Salt []byte
	Memory, Time   uint32
	Threads        uint8
	Size           uint32
}

// Key computes the hash.
func (d Derivation) Key() []byte {
	return argon2.IDKey(d.Password, d.Salt, d.Time, d.Memory, d.Threads, d.Size)
}

// Hasher hashes and verifies passwords, a limited number at a time: each needs
// 19 MiB and some 20 ms of one core. It is safe for concurrent use.
type Hasher struct {
	slots  chan struct{}
	derive func(Derivation) []byte
	params argonParams
	dummy  phc
}

// NewHasher returns a Hasher that works on at most n passwords at a time. Zero
// or less means one per core. derive computes the hashes; nil means
// Derivation.Key, in this process.
func NewHasher(n int, derive func(Derivation) []byte) *Hasher { return newHasher(n, derive, owasp) }

func newHasher(n int, derive func(Derivation) []byte, params argonParams) *Hasher {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	if derive == nil {
		derive = Derivation.Key
	}
	return &Hasher{
		slots:  make(chan struct{}, n),
		derive: derive,
		params: params,
		dummy:  phc{argonParams: params, salt: randomBytes(saltSize), hash: randomBytes(hashSize)},
	}
}

// HashPassword returns the PHC string of pw, $argon2id$v=19$m=…,t=…,p=…$salt$hash.
// It fails only if ctx ends before that.
func (h *Hasher) HashPassword(ctx context.Context, pw Secret) (string, error) {
	p := phc{argonParams: h.params, salt: randomBytes(saltSize)}
	hash, err := h.run(ctx, p, hashSize, pw)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	p.hash = hash
	return p.String(), nil
}

// VerifyPassword reports whether the PHC string is a hash of pw. rehash asks
// the caller to store a new hash of pw, because this one was created with other
// parameters; it is set only if ok is. The error is ErrBadHash or that of ctx.
func (h *Hasher) VerifyPassword(ctx context.Context, encoded string, pw Secret) (ok, rehash bool, err error) {
	p, err := parsePHC(encoded)
	if err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	hash, err := h.run(ctx, p, len(p.hash), pw)
	if err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	ok = subtle.ConstantTimeCompare(hash, p.hash) == 1
	stale := p.argonParams != h.params || len(p.salt) != saltSize || len(p.hash) != hashSize
	return ok, ok && stale, nil
}

// VerifyNothing does the work of VerifyPassword if there is no hash to compare
// with, so that an unknown user takes as long as a known one. It never
// succeeds. The error is that of ctx.
func (h *Hasher) VerifyNothing(ctx context.Context, pw Secret) error {
	hash, err := h.run(ctx, h.dummy, len(h.dummy.hash), pw)
	if err != nil {
		return fmt.Errorf("verify password: %w", err)
	}
	subtle.ConstantTimeCompare(hash, h.dummy.hash)
	return nil
}

func (h *Hasher) run(ctx context.Context, p phc, size int, pw Secret) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	derived := make(chan []byte, 1)
	go func() {
		defer func() { <-h.slots }()
		derived <- h.derive(Derivation{Password: []byte(pw.Reveal()), Salt: p.salt, Memory: p.memory, Time: p.time,
			Threads: p.threads, Size: uint32(size)})
	}()
	select {
	case key := <-derived:
		return key, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// phc is a hash in the string form of the Password Hashing Competition.
type phc struct {
	argonParams
	salt, hash []byte
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.memory, p.time, p.threads, b64.EncodeToString(p.salt), b64.EncodeToString(p.hash))
}

// parsePHC accepts exactly the output of String, within limits.
func parsePHC(s string) (phc, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, ErrBadHash
	}
	cost := strings.Split(parts[3], ",")
	if len(cost) != 3 {
		return phc{}, ErrBadHash
	}
	var p phc
	var threads uint32
	for i, f := range []struct {
		name string
		to   *uint32
		max  uint64
	}{{"m=", &p.memory, maxMemory}, {"t=", &p.time, maxTime}, {"p=", &threads, maxThreads}} {
		digits, ok := strings.CutPrefix(cost[i], f.name)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || n == 0 || n > f.max {
			return phc{}, ErrBadHash
		}
		*f.to = uint32(n)
	}
	p.threads = uint8(threads)
	// RFC 9106: at least eight KiB for each lane.
	if p.memory < 8*threads || len(parts[4]) > 2*maxSalt || len(parts[5]) > 2*maxHash {
		return phc{}, ErrBadHash
	}
	var err1, err2 error
	p.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	p.hash, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(p.salt) < 8 || len(p.salt) > maxSalt || len(p.hash) < minHash ||
		len(p.hash) > maxHash {
		return phc{}, ErrBadHash
	}
	// Leading zeros, signs and stray base64 bits are refused, so each hash has
	// one spelling.
	if p.String() != s {
		return phc{}, ErrBadHash
	}
	return p, nil
}
