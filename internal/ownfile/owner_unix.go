//go:build unix

package ownfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// NoFollow is a flag of Open that refuses a symbolic link.
const NoFollow = syscall.O_NOFOLLOW

var errNotDirectory error = syscall.ENOTDIR

// cannotSync reports whether a file system does not support the requested sync.
func cannotSync(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP)
}

// adopt gives a file that root created to the owner of its directory. It
// ignores a file with another name, because a user who owns the directory could
// have put a link to one of root's files there. Some containers forbid root to
// change owners. Then the file still belongs to root.
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

// keep gives a file that will replace another one the owner of that one, and
// its mode for that owner. Others may not read the new file. If it cannot set
// the owner, the file is not replaced, because its owner could not read the new
// one.
func keep(f *os.File, old os.FileInfo) error {
	was := old.Sys().(*syscall.Stat_t)
	now, err := f.Stat()
	if err != nil {
		return err
	}
	is := now.Sys().(*syscall.Stat_t)
	if was.Uid != is.Uid || was.Gid != is.Gid {
		// A user who is not root can replace the files of others if the
		// directory allows it. The new file then belongs to that user.
		if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil && os.Geteuid() == 0 {
			return err
		}
	}
	return f.Chmod(old.Mode().Perm() & 0o700)
}
