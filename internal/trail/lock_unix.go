//go:build unix

package trail

import (
	"os"
	"syscall"
)

// lockFile waits for the lock of an open file. The system drops it when the
// file is closed or the process ends. Where the file system has no locks,
// nobody waits.
func lockFile(f *os.File) (unlock func()) {
	if flock(f, syscall.LOCK_EX) != nil {
		return func() {}
	}
	return func() { _ = flock(f, syscall.LOCK_UN) }
}

func flock(f *os.File, how int) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		for {
			if failed = syscall.Flock(int(fd), how); failed != syscall.EINTR {
				return
			}
		}
	})
	if err == nil {
		err = failed
	}
	return err
}
