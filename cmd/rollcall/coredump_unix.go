//go:build unix

package main

import "syscall"

// noCoreDumps keeps a crash from writing the secrets in memory to disk.
func noCoreDumps() {
	// If the limit cannot be lowered, nothing can be done.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}
