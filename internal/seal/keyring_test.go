package seal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func mustDataKey(t testing.TB, m *MasterKeys) WrappedKey {
	t.Helper()
	w, err := NewDataKey(m, Rows)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func mustKeyring(t testing.TB, m *MasterKeys, keys ...WrappedKey) *Keyring {
	t.Helper()
	r, err := NewKeyring(m, keys)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var here = Location{Table: "access_key", Key: "123456789012/AKIAQNZGKIQY56JQ7WML", Column: "secret"}

func TestSealOpen(t *testing.T) {
	m := InMemoryMasterKeys()
	r := mustKeyring(t, m, mustDataKey(t, m))
	for _, plain := range []string{"", "x", strings.Repeat("long", 1000)} {
		sealed := r.Seal([]byte(plain), here)
		if len(sealed) != len(plain)+37 || (len(plain) > 3 && bytes.Contains(sealed, []byte(plain))) {
			t.Errorf("sealed form of %d bytes has %d", len(plain), len(sealed))
		}
		got, err := r.Open(sealed, here)
		if err != nil || string(got) != plain {
			t.Errorf("opened %q, %v", got, err)
		}
		if bytes.Equal(sealed, r.Seal([]byte(plain), here)) {
			t.Error("sealed twice, same bytes: the nonce repeats")
		}
	}
	s, err := r.OpenSecret(r.SealSecret(NewSecret("pw"), here), here)
	if err != nil || s.Reveal() != "pw" {
		t.Errorf("opened secret %q, %v", s.Reveal(), err)
	}
}

func TestOpenRefusesOtherPlaces(t *testing.T) {
	m := InMemoryMasterKeys()
	r := mustKeyring(t, m, mustDataKey(t, m))
	sealed := r.Seal([]byte("secret"), Location{"ab", "c", "d"})
	for _, at := range []Location{
		{"ab", "c", "e"}, {"ab", "x", "d"}, {"ax", "c", "d"},
		// The same letters with other field borders differ, because the fields
		// include their lengths.
		{"a", "bc", "d"}, {"abc", "", "d"}, {"ab", "cd", ""}, {"", "abc", "d"}, {"ab", "", "cd"},
		{"ab\x01", "c", "d"}, {},
	} {
		if got, err := r.Open(sealed, at); !errors.Is(err, ErrNotOpened) {
			t.Errorf("%+v: opened %q, %v", at, got, err)
		}
	}
}

func TestOpenRefusesChangedBytes(t *testing.T) {
	m := InMemoryMasterKeys()
	first, second := mustDataKey(t, m), mustDataKey(t, m)
	r := mustKeyring(t, m, first, second)
	sealed := r.Seal([]byte("secret"), here)
	for i := range sealed {
		for bit := range 8 {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1 << bit
			if got, err := r.Open(changed, here); err == nil {
				t.Fatalf("byte %d bit %d changed: opened %q", i, bit, got)
			}
		}
		if got, err := r.Open(sealed[:i], here); err == nil {
			t.Fatalf("cut to %d bytes: opened %q", i, got)
		}
	}
	if _, err := r.Open(append(bytes.Clone(sealed), 0), here); !errors.Is(err, ErrNotOpened) {
		t.Errorf("a byte more: %v", err)
	}
	// The header is bound too: a header that names another loaded key must not
	// open it.
	other := mustKeyring(t, m, second, first).Seal([]byte("secret"), here)
	copy(other[1:headerSize], sealed[1:headerSize])
	if _, err := r.Open(other, here); !errors.Is(err, ErrNotOpened) {
		t.Errorf("other key named: %v", err)
	}
}

func TestOpenUnknownDataKey(t *testing.T) {
	m := InMemoryMasterKeys()
	first, second := mustDataKey(t, m), mustDataKey(t, m)
	node1, node2 := mustKeyring(t, m, first), mustKeyring(t, m, first, second)
	sealed := node2.Seal([]byte("secret"), here)
	_, err := node1.Open(sealed, here)
	var unknown UnknownDataKeyError
	if !errors.As(err, &unknown) || unknown.ID != second.ID {
		t.Fatalf("error %v, want unknown data key %s", err, second.ID)
	}
	if err := node1.Load([]WrappedKey{first, second}); err != nil {
		t.Fatal(err)
	}
	if got, err := node1.Open(sealed, here); err != nil || string(got) != "secret" {
		t.Fatalf("after Load: %q, %v", got, err)
	}
	// Both now seal with the newest key.
	if sealed := node1.Seal(nil, here); !bytes.Equal(sealed[:headerSize], node2.Seal(nil, here)[:headerSize]) {
		t.Error("nodes seal with different keys")
	}
}

// Rows and tokens have separate keys, whose messages are counted separately.
// Keys that are no longer in the store are dropped, and no MAC changes.
func TestPurposes(t *testing.T) {
	m := InMemoryMasterKeys()
	row := mustDataKey(t, m)
	var tokens [2]WrappedKey
	for i := range tokens {
		k, err := NewDataKey(m, Tokens)
		if err != nil {
			t.Fatal(err)
		}
		tokens[i] = k
	}
	// An installation that is older than the keys for tokens.
	r := mustKeyring(t, m, row)
	mac, old := r.MAC("m", nil), r.SealToken([]byte("old"), here)
	if err := r.Load([]WrappedKey{tokens[0], row}); err != nil {
		t.Fatal(err)
	}
	one := r.SealToken([]byte("one"), here)
	for range 3 {
		r.Seal(nil, here)
	}
	if got := r.TakeSealed(); len(got) != 2 || got[row.ID] != 4 || got[tokens[0].ID] != 1 {
		t.Errorf("counted %v", got)
	}
	r.GiveSealed(map[string]int64{row.ID: 4})
	if got := r.TakeSealed(); len(got) != 1 || got[row.ID] != 4 {
		t.Errorf("counted %v", got)
	}
	if err := r.Load([]WrappedKey{row, tokens[1]}); err != nil {
		t.Fatal(err)
	}
	var unknown UnknownDataKeyError
	if _, err := r.Open(one, here); !errors.As(err, &unknown) {
		t.Errorf("a token of a key that is gone: %v", err)
	}
	if got, err := r.Open(old, here); err != nil || string(got) != "old" {
		t.Errorf("%q, %v", got, err)
	}
	if !r.VerifyMAC("m", nil, mac) || !mustKeyring(t, m, tokens[1], row).VerifyMAC("m", nil, mac) {
		t.Error("a MAC changed with the keys of tokens")
	}
	if err := r.Load(tokens[:]); !errors.Is(err, ErrNoDataKey) {
		t.Errorf("no key of rows: %v", err)
	}
}

func TestNewKeyringErrors(t *testing.T) {
	m, other := InMemoryMasterKeys(), InMemoryMasterKeys()
	w := mustDataKey(t, m)
	if _, err := NewKeyring(m, nil); !errors.Is(err, ErrNoDataKey) {
		t.Errorf("no keys: %v", err)
	}
	_, err := NewKeyring(other, []WrappedKey{w})
	if !errors.Is(err, ErrWrongMasterKey) ||
		!strings.Contains(err.Error(), "the master key file does not match this data") ||
		!strings.Contains(err.Error(), m.CurrentID()) || !strings.Contains(err.Error(), other.CurrentID()) {
		t.Errorf("other installation's file: %v", err)
	}
	forged := w
	forged.MasterKeyID = other.CurrentID()
	if _, err := NewKeyring(other, []WrappedKey{forged}); !errors.Is(err, ErrWrongMasterKey) {
		t.Errorf("same id, other key: %v", err)
	}
	renamed := w
	renamed.ID = "0123456789abcdef"
	if _, err := NewKeyring(m, []WrappedKey{renamed}); !errors.Is(err, ErrWrongMasterKey) {
		t.Errorf("renamed data key: %v", err)
	}
	for _, id := range []string{"", "xyz", strings.ToUpper("abcdefabcdefabcd"), "0123456789abcdef00"} {
		bad := w
		bad.ID = id
		if _, err := NewKeyring(m, []WrappedKey{bad}); err == nil {
			t.Errorf("id %q accepted", id)
		}
	}
}

func TestMAC(t *testing.T) {
	m := InMemoryMasterKeys()
	first, second := mustDataKey(t, m), mustDataKey(t, m)
	node1, node2 := mustKeyring(t, m, first), mustKeyring(t, m, first, second)
	mac := node1.MAC("marker", []byte("data"))
	if !node2.VerifyMAC("marker", []byte("data"), mac) {
		t.Error("two nodes disagree, or a newer data key changed the MAC")
	}
	if node1.VerifyMAC("other", []byte("data"), mac) || node1.VerifyMAC("marker", []byte("datb"), mac) ||
		node1.VerifyMAC("marker", []byte("data"), mac[:16]) || node1.VerifyMAC("marker", []byte("data"), nil) {
		t.Error("accepted for another purpose, other data, or cut")
	}
	if mustKeyring(t, m, second).VerifyMAC("marker", []byte("data"), mac) {
		t.Error("another installation makes the same MAC")
	}
}

func TestKeyringConcurrentUse(t *testing.T) {
	m := InMemoryMasterKeys()
	first, last := mustDataKey(t, m), mustDataKey(t, m)
	r := mustKeyring(t, m, first, last)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if err := r.Load([]WrappedKey{first, mustDataKey(t, m), last}); err != nil {
					t.Error(err)
				}
				if got, err := r.Open(r.Seal([]byte("s"), here), here); err != nil || string(got) != "s" {
					t.Error(err)
				}
				r.MAC("m", nil)
			}
		})
	}
	wg.Wait()
}

// store simulates the database: data keys, and values sealed with them.
type store struct {
	keys   []WrappedKey
	sealed map[Location][]byte
}

func newStore(t *testing.T, m *MasterKeys) *store {
	s := &store{keys: []WrappedKey{mustDataKey(t, m), mustDataKey(t, m)}, sealed: map[Location][]byte{}}
	for i := range s.keys {
		at := Location{"t", s.keys[i].ID, "c"}
		s.sealed[at] = mustKeyring(t, m, s.keys[i]).Seal([]byte("secret "+s.keys[i].ID), at)
	}
	return s
}

func (s *store) rewrapAll(m *MasterKeys) error {
	next := make([]WrappedKey, len(s.keys))
	for i, w := range s.keys {
		var err error
		if next[i], err = Rewrap(w, m); err != nil {
			return err
		}
	}
	s.keys = next // the commit
	return nil
}

func (s *store) mustOpenAll(t *testing.T, path string) {
	t.Helper()
	m, err := LoadMasterKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	r := mustKeyring(t, m, s.keys...)
	for at, sealed := range s.sealed {
		if got, err := r.Open(sealed, at); err != nil || string(got) != "secret "+at.Key {
			t.Fatalf("%+v: %q, %v", at, got, err)
		}
	}
}

// rotate does what `masterkey rotate` does, and resumes an interrupted
// rotation.
func rotate(path string, s *store, crash func(step string) error) error {
	m, err := LoadMasterKeys(path)
	if err != nil {
		return err
	}
	phase := "add: "
	m.failAfter = func(step string) error { return crash(phase + step) }
	if _, pending := m.PreviousID(); !pending {
		if err := m.AddNew(context.Background()); err != nil {
			return err
		}
	}
	if err := crash("added"); err != nil {
		return err
	}
	if err := s.rewrapAll(m); err != nil {
		return err
	}
	if err := crash("rewrapped"); err != nil {
		return err
	}
	phase = "drop: "
	return m.DropPrevious(context.Background())
}

func TestRotationSurvivesCrashAfterEveryStep(t *testing.T) {
	crashed := errors.New("crash")
	steps := []string{
		"add: temporary file written", "add: renamed", "added", "rewrapped",
		"drop: temporary file written", "drop: renamed", "none",
	}
	for _, stop := range steps {
		t.Run(stop, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "master.key")
			m, err := CreateMasterKeys(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			s := newStore(t, m)
			before := m.CurrentID()
			err = rotate(path, s, func(step string) error {
				if step == stop {
					return crashed
				}
				return nil
			})
			if want := stop != "none"; errors.Is(err, crashed) != want {
				t.Fatalf("rotate: %v", err)
			}
			s.mustOpenAll(t, path)

			if err := rotate(path, s, func(string) error { return nil }); err != nil {
				t.Fatal(err)
			}
			s.mustOpenAll(t, path)
			after, err := LoadMasterKeys(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, pending := after.PreviousID(); pending || after.CurrentID() == before {
				t.Error("rotation did not end")
			}
			// The previous key is useless now.
			if _, err := NewKeyring(m.frozen(), s.keys); !errors.Is(err, ErrWrongMasterKey) {
				t.Errorf("old master key still opens: %v", err)
			}
		})
	}
}

// frozen returns m without its file: a copy of the keys that somebody took.
func (m *MasterKeys) frozen() *MasterKeys { return &MasterKeys{set: m.snapshot()} }

func TestRewrap(t *testing.T) {
	m := InMemoryMasterKeys()
	w := mustDataKey(t, m)
	same, err := Rewrap(w, m)
	if err != nil || !bytes.Equal(same.Wrapped, w.Wrapped) {
		t.Errorf("under the current key: %v, %v", same, err)
	}
	if err := m.AddNew(context.Background()); err != nil {
		t.Fatal(err)
	}
	next, err := Rewrap(w, m)
	if err != nil || next.ID != w.ID || next.MasterKeyID != m.CurrentID() || next.MasterKeyID == w.MasterKeyID {
		t.Errorf("%v, %v", next, err)
	}
	if _, err := Rewrap(w, InMemoryMasterKeys()); !errors.Is(err, ErrWrongMasterKey) {
		t.Errorf("foreign master key: %v", err)
	}
	w.Wrapped[3] ^= 1
	if _, err := Rewrap(w, m); !errors.Is(err, ErrWrongMasterKey) {
		t.Errorf("changed bytes: %v", err)
	}
}

func TestCreateMasterKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	m, err := CreateMasterKeys(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("file: %v, %v", info, err)
	}
	text, _ := os.ReadFile(path)
	if _, err := CreateMasterKeys(context.Background(), path); !errors.Is(err, os.ErrExist) {
		t.Errorf("second create: %v", err)
	}
	if again, _ := os.ReadFile(path); !bytes.Equal(text, again) {
		t.Error("second create changed the file")
	}
	loaded, err := LoadMasterKeys(path)
	if err != nil || !loaded.snapshot().equal(m.snapshot()) {
		t.Errorf("loaded %v, %v", loaded, err)
	}
	if _, err := CreateMasterKeys(context.Background(), filepath.Join(path, "below")); err == nil {
		t.Error("created below a file")
	}
}

func TestLoadMasterKeysRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	if _, err := LoadMasterKeys(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := CreateMasterKeys(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadMasterKeys(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if _, err := LoadMasterKeys(dir); err == nil {
		t.Error("a directory loads")
	}
	key := strings.Repeat("A", 43) + "="
	for name, text := range map[string]string{
		"empty":       ``,
		"not JSON":    `canary`,
		"other JSON":  `[]`,
		"version 2":   `{"version":2,"current":{"id":"a","key":"` + key + `"}}`,
		"no key":      `{"version":1,"current":{"id":"a"}}`,
		"short key":   `{"version":1,"current":{"id":"a","key":"AAAA"}}`,
		"no id":       `{"version":1,"current":{"key":"` + key + `"}}`,
		"bad base64":  `{"version":1,"current":{"id":"a","key":"canary!"}}`,
		"half backup": `{"version":1,"current":{"id":"a","key":"` + key,
		"same ids": `{"version":1,"current":{"id":"a","key":"` + key + `"},"previous":{"id":"a","key":"` + key +
			`"}}`,
		"too long": `{"version":1,"current":{"id":"a","key":"` + key + `"}}` + strings.Repeat(" ", keyFileLimit),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadMasterKeys(path)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRotationsDoNotCross(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	a, err := CreateMasterKeys(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := LoadMasterKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.AddNew(context.Background()); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	if err := b.AddNew(context.Background()); !errors.Is(err, ErrMasterKeysChanged) {
		t.Errorf("second rotation over the first: %v", err)
	}
	if err := a.AddNew(context.Background()); !errors.Is(err, ErrRotationPending) {
		t.Errorf("second rotation within the first: %v", err)
	}
	if err := b.DropPrevious(context.Background()); !errors.Is(err, ErrMasterKeysChanged) {
		t.Errorf("drop of what was not read: %v", err)
	}
	if again, _ := os.ReadFile(path); !bytes.Equal(text, again) {
		t.Error("a refused step changed the file")
	}
	if err := a.DropPrevious(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := a.DropPrevious(context.Background()); err != nil {
		t.Errorf("nothing to drop: %v", err)
	}
}

func TestRunningServiceFollowsRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	server, err := CreateMasterKeys(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(t, server)
	ring := mustKeyring(t, server, s.keys...)
	if err := rotate(path, s, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	operator, err := LoadMasterKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Load(append(slices.Clone(s.keys), mustDataKey(t, operator))); err != nil {
		t.Errorf("data key under the new master key: %v", err)
	}
	// A data key that the server creates now must not be wrapped with the
	// dropped key.
	server, err = LoadMasterKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := rotate(path, s, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	w := mustDataKey(t, server)
	if operator, err = LoadMasterKeys(path); err != nil {
		t.Fatal(err)
	}
	mustKeyring(t, operator, w)
}

func FuzzOpen(f *testing.F) {
	m := InMemoryMasterKeys()
	r := mustKeyring(f, m, mustDataKey(f, m))
	good := r.Seal([]byte("secret"), here)
	f.Add(good)
	f.Add([]byte{formatV1})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if got, err := r.Open(sealed, here); err == nil && !bytes.Equal(sealed, good) {
			t.Errorf("opened %q from %x", got, sealed)
		}
	})
}

func FuzzParseKeyFile(f *testing.F) {
	m := InMemoryMasterKeys()
	_ = m.AddNew(context.Background())
	text, err := encodeKeyFile(m.snapshot())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := parseKeyFile(text)
		if err != nil {
			return
		}
		again, err := encodeKeyFile(set)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseKeyFile(again); err != nil || !got.equal(set) || !json.Valid(again) {
			t.Errorf("%q does not survive writing: %v", text, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	m := InMemoryMasterKeys()
	r := mustKeyring(b, m, mustDataKey(b, m))
	plain := make([]byte, 40)
	b.ReportAllocs()
	for b.Loop() {
		r.Seal(plain, here)
	}
}

func BenchmarkOpen(b *testing.B) {
	m := InMemoryMasterKeys()
	r := mustKeyring(b, m, mustDataKey(b, m))
	sealed := r.Seal(make([]byte, 40), here)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Open(sealed, here); err != nil {
			b.Fatal(err)
		}
	}
}
