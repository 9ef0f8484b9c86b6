package seal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"rollcall/internal/ownfile"
)

// keySize is the length in bytes of master keys and data keys: AES-256.
const keySize = 32

// ErrWrongMasterKey reports that no available master key opens a data key. The
// file belongs to another installation, or to another time of this one. Its
// text is for the operator.
var ErrWrongMasterKey = errors.New("the master key file does not match this data")

// ErrMasterKeyFile reports that the file is unreadable, is accessible to
// others, or is not a master key file.
var ErrMasterKeyFile = errors.New("load master key file")

// ErrRotationPending reports that the file still holds the previous master key
// of an unfinished rotation. Finish it first: Rewrap all data keys, then
// DropPrevious.
var ErrRotationPending = errors.New("an earlier rotation has not ended: the previous master key is still in the file")

// ErrMasterKeysChanged reports that the file has changed since it was read:
// another process is rotating. Load it again and start over.
var ErrMasterKeysChanged = errors.New("the master key file was changed by another process")

// MasterKeys holds the master key and, during a rotation, its predecessor. Both
// open data keys. Only the current one wraps. It is safe for concurrent use.
type MasterKeys struct {
	path string // empty: in memory only

	mu  sync.Mutex
	set keySet

	// failAfter is nil except in tests, which stop a write after a named step,
	// as a crash would.
	failAfter func(step string) error
}

type keySet struct {
	current  masterKey
	previous *masterKey
}

func (s keySet) equal(t keySet) bool {
	if (s.previous == nil) != (t.previous == nil) || s.current != t.current {
		return false
	}
	return s.previous == nil || *s.previous == *t.previous
}

type masterKey struct {
	id  string
	key [keySize]byte
}

func newMasterKey() masterKey {
	return masterKey{id: NewID("mk-", 19), key: [keySize]byte(randomBytes(keySize))}
}

// InMemoryMasterKeys returns a new master key that is in no file, for a service
// whose data ends with it.
func InMemoryMasterKeys() *MasterKeys {
	return &MasterKeys{set: keySet{current: newMasterKey()}}
}

// CreateMasterKeys creates a random master key and writes it to path, with mode
// 0600. When it returns, file and directory entry are on disk. After a crash
// there is a complete file or none. It never changes an existing file: the
// error is then fs.ErrExist.
func CreateMasterKeys(ctx context.Context, path string) (*MasterKeys, error) {
	m := &MasterKeys{path: path, set: keySet{current: newMasterKey()}}
	err := withFileLock(ctx, path, func() error {
		if _, err := os.Lstat(path); err == nil {
			return os.ErrExist
		} else if !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return m.write(m.set)
	})
	if err != nil {
		return nil, fmt.Errorf("create master key file %s: %w", path, err)
	}
	return m, nil
}

// CleanMasterKeys removes the file with keys that a crash during a write of the
// master key file has left next to it. It waits for a process that is writing.
func CleanMasterKeys(ctx context.Context, path string) error {
	if _, err := os.Lstat(ownfile.Resolve(path) + ownfile.TemporarySuffix); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	err := withFileLock(ctx, path, func() error { return ownfile.RemoveLeftover(path) })
	if err != nil {
		return fmt.Errorf("remove a copy of the master key that a crash left: %w", err)
	}
	return nil
}

// LoadMasterKeys reads the file at path. It refuses a file that others than its
// owner may read or write.
func LoadMasterKeys(path string) (*MasterKeys, error) {
	set, err := readKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrMasterKeyFile, path, err)
	}
	return &MasterKeys{path: path, set: set}, nil
}

// CurrentID returns the id of the master key that wraps new data keys.
func (m *MasterKeys) CurrentID() string { return m.snapshot().current.id }

// PreviousID returns the id of the master key that a rotation will drop. ok is
// false if no rotation is in progress.
func (m *MasterKeys) PreviousID() (id string, ok bool) {
	s := m.snapshot()
	if s.previous == nil {
		return "", false
	}
	return s.previous.id, true
}

// Reload reads the file again, so that a running service follows a rotation
// made by another process. In memory it does nothing.
func (m *MasterKeys) Reload() error {
	if m.path == "" {
		return nil
	}
	set, err := readKeyFile(m.path)
	if err != nil {
		return fmt.Errorf("reload master key file %s: %w", m.path, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set = set
	return nil
}

// AddNew begins a rotation: a new random key becomes the current one and the
// old one stays as previous. The steps of a rotation are
//
//  1. AddNew: the file holds both keys.
//  2. In one transaction of the store, Rewrap every data key.
//  3. DropPrevious: the file holds only the new key.
//
// If a crash happens after or within a step, the file still opens all data
// keys. To resume, load the file: if PreviousID is set, continue with step 2.
//
// The error is ErrRotationPending if a rotation is already in progress, and
// ErrMasterKeysChanged if another process wrote the file since it was read.
func (m *MasterKeys) AddNew(ctx context.Context) error {
	err := m.change(ctx, func(s keySet) (keySet, error) {
		if s.previous != nil {
			return s, ErrRotationPending
		}
		old := s.current
		return keySet{current: newMasterKey(), previous: &old}, nil
	})
	if err != nil {
		return fmt.Errorf("add master key: %w", err)
	}
	return nil
}

// DropPrevious ends a rotation: it removes the previous key from the file. Call
// it only when every data key in the store is wrapped with the current one,
// because all others are lost. It does nothing if there is no previous key.
func (m *MasterKeys) DropPrevious(ctx context.Context) error {
	err := m.change(ctx, func(s keySet) (keySet, error) {
		return keySet{current: s.current}, nil
	})
	if err != nil {
		return fmt.Errorf("drop previous master key: %w", err)
	}
	return nil
}

func (m *MasterKeys) snapshot() keySet {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set
}

// change replaces the keys in the file, then in memory. It holds the lock of
// the file and first compares the file with the keys in memory. Otherwise two
// concurrent rotations could drop a key that wraps data.
func (m *MasterKeys) change(ctx context.Context, next func(keySet) (keySet, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.path == "" {
		set, err := next(m.set)
		if err == nil {
			m.set = set
		}
		return err
	}
	return withFileLock(ctx, m.path, func() error {
		onDisk, err := readKeyFile(m.path)
		if err != nil {
			return err
		}
		if !onDisk.equal(m.set) {
			return ErrMasterKeysChanged
		}
		set, err := next(m.set)
		if err != nil || set.equal(m.set) {
			return err
		}
		if err := m.write(set); err != nil {
			return err
		}
		m.set = set
		return nil
	})
}

// write writes set to the file, or changes nothing and leaves no key next to
// it. The caller holds the file's lock.
func (m *MasterKeys) write(set keySet) error {
	text, err := encodeKeyFile(set)
	if err != nil {
		return err
	}
	p, err := ownfile.CreateSecret(m.path)
	if err != nil {
		return err
	}
	p.Step = m.failAfter
	if _, err := p.Write(text); err != nil {
		p.Abort()
		return err
	}
	err = p.Commit()
	if errors.Is(err, errMounted) {
		err = fmt.Errorf("%w: the file is mounted by itself and cannot be replaced; mount its directory instead", err)
	}
	return err
}

// withFileLock runs f while no other process runs f for the same file, whatever
// links lead to it. The lock is a separate file, because the file itself is
// replaced.
func withFileLock(ctx context.Context, path string, f func() error) error {
	unlock, err := ownfile.Lock(ctx, ownfile.Resolve(path)+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	return f()
}

// keyFile is the form of the file. Version counts its incompatible changes.
type keyFile struct {
	Version  int      `json:"version"`
	Note     string   `json:"note"`
	Current  fileKey  `json:"current"`
	Previous *fileKey `json:"previous,omitempty"`
}

type fileKey struct {
	ID  string `json:"id"`
	Key []byte `json:"key"` // base64
}

const (
	keyFileVersion = 1
	keyFileLimit   = 16 << 10 // bytes; ours have about 300
	keyFileNote    = "Rollcall master key. Without this file the secrets in the database cannot be read. Keep a copy " +
		"apart from the database."
)

func encodeKeyFile(set keySet) ([]byte, error) {
	f := keyFile{Version: keyFileVersion, Note: keyFileNote, Current: fileKey{set.current.id, set.current.key[:]}}
	if set.previous != nil {
		f.Previous = &fileKey{set.previous.id, set.previous.key[:]}
	}
	text, err := json.MarshalIndent(f, "", "  ")
	return append(text, '\n'), err
}

func readKeyFile(path string) (keySet, error) {
	f, err := os.Open(path)
	if err != nil {
		return keySet{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return keySet{}, err
	}
	if !info.Mode().IsRegular() {
		return keySet{}, errors.New("it is not a regular file")
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 && !lentByRoot(info) {
		return keySet{}, fmt.Errorf("it is open to others (mode %04o): chmod 600 it", info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, keyFileLimit+1))
	if err != nil {
		return keySet{}, err
	}
	return parseKeyFile(text)
}

// parseKeyFile reads the text of a key file. Its errors never repeat the text.
// It drops those of encoding/json, which may.
func parseKeyFile(text []byte) (keySet, error) {
	if len(text) > keyFileLimit {
		return keySet{}, errors.New("it is too long for a master key file")
	}
	var f keyFile
	if err := json.Unmarshal(text, &f); err != nil {
		return keySet{}, errors.New("it is not a master key file")
	}
	if f.Version != keyFileVersion {
		return keySet{}, fmt.Errorf("it has version %d, this program reads version %d", f.Version, keyFileVersion)
	}
	current, err := f.Current.masterKey()
	if err != nil {
		return keySet{}, fmt.Errorf("current key: %w", err)
	}
	set := keySet{current: current}
	if f.Previous != nil {
		previous, err := f.Previous.masterKey()
		if err != nil {
			return keySet{}, fmt.Errorf("previous key: %w", err)
		}
		if previous.id == current.id {
			return keySet{}, errors.New("current and previous key have the same id")
		}
		set.previous = &previous
	}
	return set, nil
}

func (k fileKey) masterKey() (masterKey, error) {
	if k.ID == "" || len(k.ID) > 64 {
		return masterKey{}, errors.New("its id is missing or too long")
	}
	if len(k.Key) != keySize {
		return masterKey{}, fmt.Errorf("it has %d bytes, not %d", len(k.Key), keySize)
	}
	return masterKey{id: k.ID, key: [keySize]byte(k.Key)}, nil
}
