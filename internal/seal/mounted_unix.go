//go:build unix

package seal

import "syscall"

// errMounted is the error of a rename onto a file that is itself a mount.
const errMounted = syscall.EBUSY
