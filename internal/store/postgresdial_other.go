//go:build !linux

package store

import (
	"syscall"
	"time"
)

// userTimeout does nothing outside Linux; keepalives notice a host that is
// gone.
func userTimeout(time.Duration) func(network, address string, c syscall.RawConn) error { return nil }
