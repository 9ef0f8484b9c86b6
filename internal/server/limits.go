package server

import (
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"
)

// Limits limits the resources of all connections of one listener together. A
// zero field means its default.
//
// A client is unknown until one of its connection's requests has been verified.
// Unknown clients have a separate limit, so that they cannot take the place of
// clients with a key.
type Limits struct {
	// Connections is the largest number of connections at a time. The default
	// is what the process's descriptors allow, but at most 10,000.
	Connections int
	// Strangers is the largest number of unknown clients' connections. The
	// default is a quarter of Connections, but at most 2,000. One more ends the
	// oldest.
	Strangers int
	// PerAddress is the largest number of connections from one address (for
	// IPv6, one /64 network). The default is half of Connections.
	PerAddress int
	// Memory is the number of bytes that requests may hold beyond a few KiB
	// each while they are received. Unknown clients may use a quarter of it,
	// requests that name a known access key another quarter, and connections
	// with a verified request the rest. The default is 64 MiB.
	Memory int64
}

const (
	mostConnections = 10_000
	mostStrangers   = 2_000
	// reservedFiles is the number of descriptors for the store, the trail, the
	// admin listener and outgoing connections.
	reservedFiles = 100
)

// withDefaults fills the zero fields.
func (l Limits) withDefaults() Limits {
	if l.Connections <= 0 {
		l.Connections = mostConnections
	}
	if files := descriptors(); files > 0 {
		l.Connections = min(l.Connections, max(files-reservedFiles, files/2))
	}
	if l.Strangers <= 0 {
		l.Strangers = min(max(1, l.Connections/4), mostStrangers)
	}
	if l.PerAddress <= 0 {
		l.PerAddress = max(1, l.Connections/2)
	}
	if l.Memory <= 0 {
		l.Memory = 64 << 20
	}
	return l
}

// budget is a number of bytes that many users may draw from.
type budget struct{ left atomic.Int64 }

func (b *budget) take(n int64) bool {
	if b.left.Add(-n) < 0 {
		b.left.Add(n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.left.Add(n) }

// Listener accepts connections for [Serve], which enforces limits on them and
// can add TLS.
type Listener struct {
	net.Listener
	limits Limits
	tls    *tls.Config // nil for plain HTTP
}

// Limit returns l with the given limits in place of the defaults.
func Limit(l net.Listener, limits Limits) *Listener {
	own, ok := l.(*Listener)
	if !ok {
		return &Listener{Listener: l, limits: limits}
	}
	return &Listener{Listener: own.Listener, limits: limits, tls: own.tls}
}

// The times below are the same for every listener.
const (
	// stall is the maximum time for which a client may read nothing.
	stall = 30 * time.Second
	// stallTick is the interval between checks of a waiting write.
	stallTick = 5 * time.Second
	// strangersIdle is the maximum time that an unknown client's connection may
	// wait between two requests.
	strangersIdle = 10 * time.Second
	// settled is the minimum age of an unknown client's connection before
	// another may take its place: the time to send one request and have it
	// verified.
	settled = 2 * time.Second
	// handshakeTimeout limits a TLS handshake.
	handshakeTimeout = 10 * time.Second
)
