package server

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// pending reports whether a client waits to be accepted. Without a descriptor,
// accept fails before it looks.
func pending(l net.Listener) bool {
	waits := true
	c, ok := l.(syscall.Conn)
	if !ok {
		return waits
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return waits
	}
	_ = raw.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		waits = n > 0 || err != nil
	})
	return waits
}
