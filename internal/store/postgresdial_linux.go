package store

import (
	"syscall"
	"time"

	sys "golang.org/x/sys/unix"
)

// userTimeout makes a TCP connection fail if sent bytes are not acknowledged
// for that long: RFC 5482. So a host that disappears is noticed, although it
// sends nothing.
func userTimeout(d time.Duration) func(network, address string, c syscall.RawConn) error {
	return func(network, _ string, c syscall.RawConn) error {
		if network == "unix" {
			return nil
		}
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = sys.SetsockoptInt(int(fd), sys.IPPROTO_TCP, sys.TCP_USER_TIMEOUT, int(d.Milliseconds()))
		})
		if err != nil {
			return err
		}
		return failed
	}
}
