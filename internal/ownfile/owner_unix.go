//go:build unix

package ownfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// NoFollow is a flag of Open: a symbolic link is refused.
const NoFollow = syscall.O_NOFOLLOW

var errNotDirectory error = syscall.ENOTDIR

// cannotSync says that a file system knows no sync of what it was asked for.
func cannotSync(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP)
}

// adopt gives what root made to the owner of the directory that it is in. It
// leaves alone what has another name, for a user who owns the directory could
// have put a link there to a file of root's. Some containers forbid root to
// change owners; the file is then root's, as it was.
func adopt(f *os.File, path string) {
	if os.Geteuid() != 0 {
		return
	}
	info, err := f.Stat()
	if err != nil {
		return
	}
	named, err := os.Lstat(path)
	if err != nil || !os.SameFile(info, named) {
		return
	}
	file := info.Sys().(*syscall.Stat_t)
	above, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return
	}
	dir := above.Sys().(*syscall.Stat_t)
	alone := info.IsDir() || info.Mode().IsRegular() && file.Nlink == 1
	if file.Uid != 0 || dir.Uid == 0 || !alone || above.Mode()&fs.ModeSticky != 0 {
		return
	}
	_ = f.Chown(int(dir.Uid), int(dir.Gid))
}

// keep gives the file that will replace another one its owner, and its mode
// for that owner; others may not read the new one. A file whose owner cannot be
// kept is not replaced, for its owner could not read the new one.
func keep(f *os.File, old os.FileInfo) error {
	was := old.Sys().(*syscall.Stat_t)
	now, err := f.Stat()
	if err != nil {
		return err
	}
	is := now.Sys().(*syscall.Stat_t)
	if was.Uid != is.Uid || was.Gid != is.Gid {
		// Whoever is not root replaces the files of others as far as the
		// directory lets them; the new file is then their own.
		if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil && os.Geteuid() == 0 {
			return err
		}
	}
	return f.Chmod(old.Mode().Perm() & 0o700)
}
