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

// Save puts a report into the folder. One that is there already with the same
// bytes stays as it is, with its metadata; that is not an error. m.SHA256 is
// set from the content. Account and GeneratedAt must be given.
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
	// The report first: whoever puts it there is the one to describe it.
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

// SetOutcome records how it went with an account, in place of what is there.
func (f *Folder) SetOutcome(o Outcome) error {
	name := o.folder()
	if !IsAccountID(name) && (o.Account != "" || o.Profile == "" || o.Status.HasReport()) {
		return fmt.Errorf("save outcome: %q is not an account", o.Account)
	}
	if err := f.accountFolder(name); err != nil {
		return err
	}
	o.GeneratedAt, o.At, o.Run = o.GeneratedAt.UTC(), o.At.UTC(), o.Run.UTC()
	// Not on the disk yet when this returns: a power cut may damage it, and
	// what is damaged does not look good.
	return f.writeJSON(o, false, name, outcomeFile)
}

// profilePrefix begins the folder of a profile whose account is not known.
const profilePrefix = "profile-"

// folder is the name of the folder that the outcome is in.
func (o Outcome) folder() string {
	if o.Account != "" {
		return o.Account
	}
	return profilePrefix + url.QueryEscape(o.Profile) // leaves nothing that a file system refuses
}

// ForgetProfile takes away the outcome of a profile whose account was not
// known.
func (f *Folder) ForgetProfile(profile string) error {
	name := Outcome{Profile: profile}.folder()
	err := os.Remove(f.path(name, outcomeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	os.Remove(f.path(name)) // stays where there is more in it
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

// createFile makes a file that is whole from the moment it is there. Where
// there is one with the same content it changes nothing; one that differs is
// ErrDiffers.
func createFile(path string, content []byte) (made bool, err error) {
	temporary, err := writeTemporary(path, content, true)
	if err != nil {
		return false, err
	}
	defer os.Remove(temporary)
	// A link, unlike a rename, replaces nothing.
	err = os.Link(temporary, path)
	if err == nil {
		return true, ownfile.SyncDir(filepath.Dir(path))
	}
	there, readErr := os.ReadFile(path)
	switch {
	case errors.Is(readErr, fs.ErrNotExist):
		// No file is in the way: this file system has no links.
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
