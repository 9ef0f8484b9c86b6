//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package hashing

import "syscall"

// stepBack gives this process the lowest priority.
func stepBack() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, lowest) }
