package seal

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// cheap makes tests fast that do not concern the cost.
var cheap = argonParams{memory: 64, time: 1, threads: 1}

func TestHashPassword(t *testing.T) {
	ctx := context.Background()
	h := NewHasher(0, nil)
	pw := NewSecret("correct horse ä")
	first, err := h.HashPassword(ctx, pw)
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.HashPassword(ctx, pw)
	if err != nil {
		t.Fatal(err)
	}
	// The OWASP parameters, in PHC form.
	if !strings.HasPrefix(first, "$argon2id$v=19$m=19456,t=2,p=1$") || first == second {
		t.Errorf("%s, %s", first, second)
	}
	for _, c := range []struct {
		pw string
		ok bool
	}{{"correct horse ä", true}, {"correct horse a", false}, {"correct horse ä ", false}, {"", false}} {
		ok, rehash, err := h.VerifyPassword(ctx, first, NewSecret(c.pw))
		if ok != c.ok || rehash || err != nil {
			t.Errorf("%q: %v, %v, %v", c.pw, ok, rehash, err)
		}
	}
}

func TestVerifyPasswordKnownAnswer(t *testing.T) {
	// From the test vectors of the reference implementation (argon2id, v=19).
	const known = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	ok, rehash, err := NewHasher(1, nil).VerifyPassword(context.Background(), known, NewSecret("password"))
	if !ok || !rehash || err != nil {
		t.Errorf("%v, %v, %v; want a match that asks for new parameters", ok, rehash, err)
	}
	ok, rehash, err = NewHasher(1, nil).VerifyPassword(context.Background(), known, NewSecret("differentpassword"))
	if ok || rehash || err != nil {
		t.Errorf("wrong password: %v, %v, %v", ok, rehash, err)
	}
}

func TestVerifyPasswordRefusesHash(t *testing.T) {
	const salt, hash = "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	h := newHasher(1, nil, cheap)
	for name, s := range map[string]string{
		"empty":           "",
		"plain text":      "password",
		"bcrypt":          "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"argon2i":         "$argon2i$v=19$m=256,t=2,p=1$" + salt + "$" + hash,
		"old version":     "$argon2id$v=16$m=256,t=2,p=1$" + salt + "$" + hash,
		"much memory":     "$argon2id$v=19$m=131073,t=2,p=1$" + salt + "$" + hash,
		"huge memory":     "$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + hash,
		"overflow":        "$argon2id$v=19$m=99999999999999999999,t=2,p=1$" + salt + "$" + hash,
		"many passes":     "$argon2id$v=19$m=256,t=11,p=1$" + salt + "$" + hash,
		"many lanes":      "$argon2id$v=19$m=256,t=2,p=5$" + salt + "$" + hash,
		"no passes":       "$argon2id$v=19$m=256,t=0,p=1$" + salt + "$" + hash,
		"little memory":   "$argon2id$v=19$m=15,t=2,p=2$" + salt + "$" + hash,
		"sign":            "$argon2id$v=19$m=+256,t=2,p=1$" + salt + "$" + hash,
		"leading zero":    "$argon2id$v=19$m=0256,t=2,p=1$" + salt + "$" + hash,
		"other order":     "$argon2id$v=19$t=2,m=256,p=1$" + salt + "$" + hash,
		"short salt":      "$argon2id$v=19$m=256,t=2,p=1$c29t$" + hash,
		"long salt":       "$argon2id$v=19$m=256,t=2,p=1$" + strings.Repeat("AAAA", 25) + "$" + hash,
		"empty hash":      "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$",
		"short hash":      "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$c29tZXNhbHQ",
		"long hash":       "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.Repeat("AAAA", 25),
		"padded":          "$argon2id$v=19$m=256,t=2,p=1$" + salt + "=$" + hash,
		"stray bits":      "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + hash[:len(hash)-1] + "5",
		"newline":         "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + hash + "\n",
		"another field":   "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + hash + "$",
		"parameter twice": "$argon2id$v=19$m=256,t=2,p=1,p=1$" + salt + "$" + hash,
	} {
		if ok, _, err := h.VerifyPassword(context.Background(), s, NewSecret("password")); ok ||
			!errors.Is(err, ErrBadHash) {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

func TestHasherBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(2, nil, cheap)
		h.slots <- struct{}{} // two at work
		h.slots <- struct{}{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.VerifyNothing(ctx, NewSecret("x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a third began: %v", err)
		}
		if _, err := h.HashPassword(ctx, NewSecret("x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("began after its context ended: %v", err)
		}
		done := make(chan error)
		go func() { done <- h.VerifyNothing(t.Context(), NewSecret("x")) }()
		synctest.Wait()
		select {
		case <-done:
			t.Error("did not wait for its turn")
		default:
		}
		<-h.slots
		if err := <-done; err != nil {
			t.Error(err)
		}
		if len(h.slots) != 1 {
			t.Errorf("%d slots in use, want the one still held", len(h.slots))
		}
	})
}

// Threat T6: the time of an answer must not reveal whether a user exists. Both
// paths run the same function with the same cost. The test checks that, because
// a clock would make it flaky.
func TestVerifyNothingDoesTheSameWork(t *testing.T) {
	h := NewHasher(1, nil)
	encoded, err := h.HashPassword(t.Context(), NewSecret("x"))
	if err != nil {
		t.Fatal(err)
	}
	real, err := parsePHC(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if real.argonParams != h.dummy.argonParams || len(real.salt) != len(h.dummy.salt) ||
		len(real.hash) != len(h.dummy.hash) {
		t.Errorf("real %+v, dummy %+v", real.argonParams, h.dummy.argonParams)
	}
	if err := h.VerifyNothing(t.Context(), NewSecret("x")); err != nil {
		t.Error(err)
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Add("$argon2id$v=19$m=0256,t=2,p=1$c29tZXNhbHQ$nf65")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err != nil {
			return
		}
		if p.String() != s || p.memory > maxMemory || p.time > maxTime || p.threads > maxThreads || p.threads == 0 ||
			p.time == 0 {
			t.Errorf("%q parsed as %+v", s, p)
		}
	})
}

func BenchmarkHashPassword(b *testing.B) {
	h := NewHasher(0, nil)
	for b.Loop() {
		if _, err := h.HashPassword(b.Context(), NewSecret("password")); err != nil {
			b.Fatal(err)
		}
	}
}
