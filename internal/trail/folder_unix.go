//go:build unix

package trail

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// writableFolder returns an error if this process may not create files in dir.
func writableFolder(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "write", Path: dir, Err: err}
	}
	return nil
}
