package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/ncruces/go-sqlite3"
)

// openFiles are the files of an open database with their original names. Data
// written to a file that was moved away or deleted is lost for all users of its
// name.
type openFiles struct {
	names []string
	files []os.FileInfo
}

// rememberFiles returns the files of an open database. It keeps them open, so
// that another file with one of their names differs from them. named may be a
// link to path.
func rememberFiles(named, path string) (*openFiles, error) {
	o := &openFiles{names: []string{named}}
	for _, suffix := range walFiles {
		o.names = append(o.names, path+suffix)
	}
	for _, name := range o.names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		o.files = append(o.files, info)
	}
	return o, nil
}

// check reports whether the names still lead to the open files. The error is
// ErrUnavailable. Three system calls cost little compared with the fsync of a
// commit. A nil receiver means a database in memory.
func (o *openFiles) check() error {
	if o == nil {
		return nil
	}
	for i, name := range o.names {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf(
				"%w: the database file that is open is not there any more (%v): put it back, or start again",
				ErrUnavailable, err)
		}
		if !os.SameFile(info, o.files[i]) {
			return fmt.Errorf("%w: %s is another file than the one that is open: put it back, or start again",
				ErrUnavailable, name)
		}
	}
	return nil
}

// refusals maps errors of the system about a file, in the library's words, to
// our own words, which say what to do.
var refusals = []struct {
	code sqlite3.ErrorCode
	is   error
}{
	{sqlite3.FULL, syscall.ENOSPC}, {sqlite3.READONLY, syscall.EACCES}, {sqlite3.CANTOPEN, syscall.EACCES},
}

// withPath adds the name of the database to an error of the system about its
// file.
func withPath(path string, err error) error {
	if err == nil || path == "" {
		return err
	}
	for _, r := range refusals {
		if errors.Is(err, r.code) {
			return fmt.Errorf("%w (%w)", err, &os.PathError{Op: "write", Path: path, Err: r.is})
		}
	}
	return err
}
