package server

import (
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"
)

// Limits bound what the connections of one listener hold together. A zero
// field means its default.
//
// A connection is a stranger's until one of its requests was verified. What a
// listener can hold for strangers is bounded apart, so that they cannot take
// the place of those who have a key.
type Limits struct {
	// Connections is how many there may be at once; the default is what the
	// process's descriptors allow, 10,000 at most.
	Connections int
	// Strangers is how many of them may be strangers'; the default is a
	// quarter, 2,000 at most. One more ends the oldest.
	Strangers int
	// PerAddress is how many may come from one address (of IPv6: from one /64
	// network); the default is half of Connections.
	PerAddress int
	// Memory is how many bytes requests may hold beyond a few KiB each while
	// they are received. Strangers have a quarter of it, requests that name an
	// access key we know another, and the rest is for connections that have
	// proven themselves. The default is 64 MiB.
	Memory int64
}

const (
	mostConnections = 10_000
	mostStrangers   = 2_000
	// reservedFiles are descriptors for the store, the trail, the admin
	// listener and outgoing connections.
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

// budget is a number of bytes that many may draw from.
type budget struct{ left atomic.Int64 }

func (b *budget) take(n int64) bool {
	if b.left.Add(-n) < 0 {
		b.left.Add(n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.left.Add(n) }

// Listener accepts connections for [Serve], which holds them to limits and
// carries TLS over them.
type Listener struct {
	net.Listener
	limits Limits
	tls    *tls.Config // nil for plain HTTP
}

// Limit returns l with limits other than the defaults.
func Limit(l net.Listener, limits Limits) *Listener {
	own, ok := l.(*Listener)
	if !ok {
		return &Listener{Listener: l, limits: limits}
	}
	return &Listener{Listener: own.Listener, limits: limits, tls: own.tls}
}

// Times that are the same for every listener.
const (
	// stall is how long a client may take nothing of what is written to it.
	stall = 30 * time.Second
	// stallTick is how often a write that waits is looked at.
	stallTick = 5 * time.Second
	// strangersIdle is how long a stranger's connection may wait between two
	// requests.
	strangersIdle = 10 * time.Second
	// settled is how old a stranger's connection is before another may take its
	// place: time to send one request and have it verified.
	settled = 2 * time.Second
	// handshakeTimeout bounds a TLS handshake.
	handshakeTimeout = 10 * time.Second
)
