package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"rollcall/internal/ownfile"
)

// ErrDiffers says that the folder has another report of the same account and
// second.
var ErrDiffers = errors.New("the folder has a different report of the same second")

// Save saves a report in the folder. If the same report exists already, it and
// its metadata do not change; that is not an error. Save sets m.SHA256 from the
// content. Account and GeneratedAt are required.
func (f *Folder) Save(m Meta, content []byte) (Snapshot, error) {
	if !IsAccountID(m.Account) || m.GeneratedAt.IsZero() {
		return Snapshot{}, fmt.Errorf("save report: account %q and time %s do not identify it",
			m.Account, m.GeneratedAt)
	}
	m.GeneratedAt, m.FetchedAt, m.SHA256 = m.GeneratedAt.UTC(), m.FetchedAt.UTC(), checksum(content)
	s := Snapshot{Meta: m, Path: f.path(m.Account, Name(m.GeneratedAt)+csvSuffix)}
	if err := f.accountFolder(m.Account); err != nil {
		return Snapshot{}, err
	}
	// Write the report first: the process that creates it also writes its
	// metadata.
	made, err := createFile(s.Path, content)
	if err != nil {
		return Snapshot{}, fmt.Errorf("save report: %w", err)
	}
	if !made {
		was, err := f.snapshot(m.Account, m.GeneratedAt)
		if err != nil || was.Verifiable() {
			return was, err
		}
	}
	return s, f.writeJSON(m, true, m.Account, Name(m.GeneratedAt)+metaSuffix)
}

// SetOutcome records the outcome of an account. It replaces the previous one.
func (f *Folder) SetOutcome(o Outcome) error {
	name := o.folder()
	if !IsAccountID(name) && (o.Account != "" || o.Profile == "" || o.Status.HasReport()) {
		return fmt.Errorf("save outcome: %q is not an account", o.Account)
	}
	if err := f.accountFolder(name); err != nil {
		return err
	}
	o.GeneratedAt, o.At, o.Run = o.GeneratedAt.UTC(), o.At.UTC(), o.Run.UTC()
	// The outcome is not synced to the disk. A power cut may damage it, but a
	// damaged outcome is never read as a success.
	return f.writeJSON(o, false, name, outcomeFile)
}

// profilePrefix begins the name of the folder of a profile whose account is
// unknown.
const profilePrefix = "profile-"

// folder returns the name of the folder that contains the outcome.
func (o Outcome) folder() string {
	if o.Account != "" {
		return o.Account
	}
	return profilePrefix + url.QueryEscape(o.Profile) // escapes everything that a file system may refuse
}

// ForgetProfile removes the outcome of a profile whose account was unknown.
func (f *Folder) ForgetProfile(profile string) error {
	name := Outcome{Profile: profile}.folder()
	err := os.Remove(f.path(name, outcomeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	os.Remove(f.path(name)) // fails if the folder contains other files
	return err
}

func (f *Folder) accountFolder(account string) error {
	return ownfile.MkdirAll(f.path(account))
}

func (f *Folder) writeJSON(v any, durable bool, elements ...string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	path := f.path(elements...)
	temporary, err := writeTemporary(path, b.Bytes(), durable)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		os.Remove(temporary)
		return err
	}
	if !durable {
		return nil
	}
	return ownfile.SyncDir(filepath.Dir(path))
}

// createFile creates a file whose whole content appears at once. If a file with
// the same content exists, it changes nothing. If it differs the error is
// ErrDiffers.
func createFile(path string, content []byte) (made bool, err error) {
	temporary, err := writeTemporary(path, content, true)
	if err != nil {
		return false, err
	}
	defer os.Remove(temporary)
	// A link, unlike a rename, never replaces a file.
	err = os.Link(temporary, path)
	if err == nil {
		return true, ownfile.SyncDir(filepath.Dir(path))
	}
	there, readErr := os.ReadFile(path)
	switch {
	case errors.Is(readErr, fs.ErrNotExist):
		// No file exists: this file system does not support links.
		if err := os.Rename(temporary, path); err != nil {
			return true, err
		}
		return true, ownfile.SyncDir(filepath.Dir(path))
	case readErr != nil:
		return false, readErr
	case !bytes.Equal(there, content):
		return false, fmt.Errorf("%s: %w", path, ErrDiffers)
	}
	return false, nil
}

func writeTemporary(path string, content []byte, durable bool) (name string, err error) {
	f, err := ownfile.CreateTemp(path)
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if durable {
		err = errors.Join(err, f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
