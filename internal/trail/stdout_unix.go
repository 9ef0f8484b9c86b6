//go:build unix

package trail

import (
	"os"
	"syscall"
)

// standardOutput returns a copy of descriptor 1. A process that writes into a
// closed pipe through the original is killed by SIGPIPE; through the copy it
// gets an error, and the trail can refuse changes and recover.
func standardOutput() (*os.File, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Dup(1)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "standard output"), nil
}
