//go:build !linux

package store

import (
	"syscall"
	"time"
)

// userTimeout is Linux's; elsewhere keepalives notice a host that is gone.
func userTimeout(time.Duration) func(network, address string, c syscall.RawConn) error { return nil }
