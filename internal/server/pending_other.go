//go:build !linux

package server

import "net"

func pending(net.Listener) bool { return true }
