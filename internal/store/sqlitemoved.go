package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/ncruces/go-sqlite3"
)

// openFiles are the files that a database was opened on, by the names that they
// had. What is written to a file that was moved away or deleted is lost for
// everybody who uses its name.
type openFiles struct {
	names []string
	files []os.FileInfo
}

// rememberFiles is for an open database. It keeps its files until it is closed,
// so another file that gets their names later differs from them. named may be a
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
// commit. nil is a database in memory.
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

// refusals maps what the system says about a file, in the library's words, to
// our own words, which say what to do.
var refusals = []struct {
	code sqlite3.ErrorCode
	is   error
}{
	{sqlite3.FULL, syscall.ENOSPC}, {sqlite3.READONLY, syscall.EACCES}, {sqlite3.CANTOPEN, syscall.EACCES},
}

// withPath names the database whose file the system refuses.
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
