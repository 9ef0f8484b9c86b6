package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"rollcall/internal/server"
)

// defaultListen is the address of the API without --listen.
const defaultListen = "127.0.0.1:8585"

// listenHints say what to do about an address that cannot be opened.
var listenHints = []struct {
	err  error
	hint string
}{
	{syscall.EADDRINUSE, "another process listens there: stop it, or name another address with --%s"},
	{syscall.EADDRNOTAVAIL, "this machine has no such address: name another one with --%s"},
	{syscall.EACCES, "this user may not open that port: name one above 1023 with --%s"},
}

// listen opens the address of a flag.
func listen(flag, addr string, cert *server.Certificate, plainAnywhere bool) (net.Listener, error) {
	l, err := server.Listen(addr, cert, plainAnywhere)
	var wrong *net.AddrError
	var unknown *net.DNSError
	switch {
	case err == nil || errors.Is(err, server.ErrPlainHTTP):
		return l, err
	case errors.As(err, &wrong):
		return nil, usageError("--%s %q is not an address such as %s: %s", flag, addr, defaultListen, wrong.Err)
	case errors.As(err, &unknown):
		return nil, usageError("--%s %q is not an address of this machine: %s", flag, addr, unknown.Err)
	}
	for _, h := range listenHints {
		if errors.Is(err, h.err) {
			// The error is not wrapped, because hints about paths do not help here.
			return nil, fmt.Errorf("%v ("+h.hint+")", err, flag)
		}
	}
	return nil, fmt.Errorf("%w (see --%s)", err, flag)
}
