// Package ownfile creates the files of an installation, so that they are
// durable and the right users can read them. It creates all files of the
// program.
//
// It promises:
//
//   - When the call returns, a created or replaced file is on disk, and so is
//     its name: first the file is synced, then its directory.
//   - A replaced file keeps its owner, and nobody else may read it. A new file
//     gets mode 0600 and, if root creates it, the owner of its directory. So a
//     command that root runs creates no file that the service's own user cannot
//     read.
//   - If a file could not be written completely, neither the file nor a part of
//     it under another name remains.
//   - A symbolic link is followed to the file that it names, and not replaced.
//
// It cannot give a new file another owner if the system forbids that even to
// root, as some containers do.
package ownfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// private is the mode of new files: only their owner can read them.
const private = 0o600

// Open opens a file for writing, and creates it if there is none. flag adds to
// os.O_CREATE, such as os.O_RDWR. An existing file is opened unchanged, but a
// file that root creates in a directory of another owner is given to that
// owner.
func Open(path string, flag int) (*os.File, error) {
	f, made, err := open(path, flag)
	if err != nil || !made {
		return f, err
	}
	if err := SyncDir(filepath.Dir(Resolve(path))); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// OpenScratch is Open for a file that may be lost in a power cut and created
// again.
func OpenScratch(path string, flag int) (*os.File, error) {
	f, _, err := open(path, flag)
	return f, err
}

func open(path string, flag int) (f *os.File, made bool, err error) {
	// A link that leads to no file is followed to the place where the file will
	// be.
	for range 8 {
		f, err := os.OpenFile(path, flag&^os.O_CREATE, 0)
		if err == nil {
			adopt(f, path)
			return f, false, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, false, err
		}
		f, err = os.OpenFile(path, flag|os.O_CREATE|os.O_EXCL, private)
		if err == nil {
			adopt(f, path)
			return f, true, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, false, err
		}
		if target, err := os.Readlink(path); err == nil {
			path = beside(path, target)
		}
	}
	return nil, false, &os.PathError{Op: "open", Path: path, Err: errors.New("too many links")}
}

// beside resolves the target of a link.
func beside(link, target string) string {
	if filepath.IsAbs(target) {
		return target
	}
	return filepath.Join(filepath.Dir(link), target)
}

// Resolve follows the links of a path to the file that it names. A path that
// names no file is returned unchanged.
func Resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// Adopt makes sure that a file next to the database, which a library created,
// is private and belongs to the owner of the directory. It follows no link.
func Adopt(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|NoFollow, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	adopt(f, path)
	info, err := f.Stat()
	if err != nil || info.Mode().Perm() == private {
		return err
	}
	return f.Chmod(private)
}

// MkdirAll creates a directory for its owner only, and its parents. They belong
// to the owner of the directory above.
func MkdirAll(dir string) error {
	info, err := os.Stat(dir)
	if err == nil {
		if !info.IsDir() {
			return &os.PathError{Op: "mkdir", Path: dir, Err: errNotDirectory}
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(filepath.Clean(dir))
	if above != filepath.Clean(dir) {
		if err := MkdirAll(above); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil // another process was faster
		}
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	adopt(d, dir)
	if err := d.Close(); err != nil {
		return err
	}
	return SyncDir(above)
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be flushed there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !cannotSync(err) {
		return err
	}
	return nil
}
