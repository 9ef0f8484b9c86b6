//go:build unix

package store

import (
	"os"
	"syscall"
)

// lockFile waits for the file's lock, which closing the file gives back.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }
