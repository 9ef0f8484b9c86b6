//go:build unix

package seal

import (
	"os"
	"syscall"
)

// withFileLock runs f while no other process runs f for the same path. The
// lock is on a file of its own, since path itself is replaced; the system
// drops it when the process ends, however it ends.
func withFileLock(path string, f func() error) error {
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	for {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		return &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return f()
}
