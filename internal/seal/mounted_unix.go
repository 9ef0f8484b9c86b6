//go:build unix

package seal

import "syscall"

// errMounted is what a rename onto a file that is itself a mount gives.
const errMounted = syscall.EBUSY
