package ownfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Pending is a file that gets its name when it is complete.
type Pending struct {
	*os.File
	path string // empty: written in place, such as /dev/stdout
	// Step is nil except in tests. Commit calls it for each step, and its error
	// stops Commit there as a crash would.
	Step func(step string) error
}

// These are the steps of Commit.
const (
	StepSynced    = "temporary file written"
	StepRenamed   = "renamed"
	StepDirSynced = "directory synced"
)

// Create begins a file that will replace path, or be new there. It is created
// next to path and moved there by Commit, so that readers of an old file
// continue to read the old one. If path is not a regular file, such as a pipe,
// it is written in place.
//
// A link is followed if nobody else can have put it there.
func Create(path string) (*Pending, error) {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && trusted(path) {
		path = Resolve(path)
	}
	return create(path, CreateTemp)
}

// CreateTemp creates a hidden file next to path, for a caller that moves it
// into place in another way. Most callers use Create and Commit.
func CreateTemp(path string) (*os.File, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, renamed(err, path)
	}
	adopt(f, f.Name())
	return f, nil
}

// TemporarySuffix ends the name that a file of CreateSecret has before Commit.
const TemporarySuffix = ".tmp"

// CreateSecret is Create for a file that holds keys. Its temporary name is
// always the same, so that CreateSecret can find and remove the remains of a
// crash. Only one process at a time may call it for a path.
func CreateSecret(path string) (*Pending, error) {
	return create(Resolve(path), func(path string) (*os.File, error) {
		if err := RemoveLeftover(path); err != nil {
			return nil, err
		}
		return os.OpenFile(path+TemporarySuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, private)
	})
}

// RemoveLeftover removes the file that a crash within CreateSecret left behind.
func RemoveLeftover(path string) error {
	err := os.Remove(Resolve(path) + TemporarySuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func create(path string, temporary func(path string) (*os.File, error)) (*Pending, error) {
	old, err := os.Stat(path)
	switch {
	case err == nil && old.IsDir():
		return nil, &os.PathError{Op: "write", Path: path, Err: errIsDirectory}
	case err == nil && !old.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		return &Pending{File: f}, err
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		old = nil
	}
	f, err := temporary(path)
	if err != nil {
		return nil, renamed(err, path)
	}
	p := &Pending{File: f, path: path}
	if old == nil {
		adopt(f, f.Name())
	} else if err := keep(f, old); err != nil {
		p.Abort()
		return nil, renamed(err, path)
	}
	return p, nil
}

// errIsDirectory reports that there is a directory in place of a file to write.
var errIsDirectory = errors.New("it is a directory: name a file in it")

// trusted reports whether only the owner of a directory can put links into it.
func trusted(path string) bool {
	info, err := os.Stat(filepath.Dir(path))
	return err == nil && info.Mode().Perm()&0o022 == 0
}

// renamed replaces the name of a temporary file in an error by the name that
// the caller knows.
func renamed(err error, path string) error {
	var of *os.PathError
	if errors.As(err, &of) {
		return &os.PathError{Op: "write", Path: path, Err: of.Err}
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return &os.PathError{Op: "replace", Path: path, Err: link.Err}
	}
	return fmt.Errorf("write %s: %w", path, err)
}

// Commit moves the file into its place. When it returns nil, file and name are
// on disk; otherwise the previous file is still there.
func (p *Pending) Commit() error {
	if p.path == "" {
		return p.Close()
	}
	err := errors.Join(p.Sync(), p.Close())
	if err == nil {
		if err := p.step(StepSynced); err != nil {
			return err
		}
		err = os.Rename(p.Name(), p.path)
	}
	if err != nil {
		os.Remove(p.Name())
		return renamed(err, p.path)
	}
	if err := p.step(StepRenamed); err != nil {
		return err
	}
	return p.syncName()
}

// syncName makes the name durable.
func (p *Pending) syncName() error {
	if err := SyncDir(filepath.Dir(p.path)); err != nil {
		return fmt.Errorf("write %s: %w", p.path, err)
	}
	return p.step(StepDirSynced)
}

func (p *Pending) step(name string) error {
	if p.Step == nil {
		return nil
	}
	return p.Step(name)
}

// Abort removes an unfinished file.
func (p *Pending) Abort() {
	p.Close()
	if p.path != "" {
		os.Remove(p.Name())
	}
}

// Write creates or replaces a file with the output of write. If write fails,
// its error is returned unchanged, and the previous file remains.
func Write(path string, write func(io.Writer) error) error {
	p, err := Create(path)
	if err != nil {
		return err
	}
	if err := write(p.File); err != nil {
		p.Abort()
		if strings.Contains(err.Error(), p.Name()) {
			err = renamed(err, path)
		}
		return err // the error already names the file
	}
	return p.Commit()
}
