package server

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// guard enforces the limits of one listener on its connections.
type guard struct {
	limits Limits
	log    *slog.Logger

	strange, keyed, proven budget

	stopping atomic.Int64 // the maximum time that a write may stall once the service stops; 0 before

	mu    sync.Mutex
	conns map[*conn]struct{}
	// fresh holds the connections of unknown clients that have not sent a whole
	// head yet. spent holds the others, which a client with a key would have
	// left already. The oldest are in front.
	fresh, spent *list.List // of *conn
	addresses    map[string]int
}

func newGuard(limits Limits, log *slog.Logger) *guard {
	g := &guard{
		limits: limits.withDefaults(), log: log,
		conns: map[*conn]struct{}{}, fresh: list.New(), spent: list.New(), addresses: map[string]int{},
	}
	g.strange.give(g.limits.Memory / 4)
	g.keyed.give(g.limits.Memory / 4)
	g.proven.give(g.limits.Memory / 2)
	return g
}

// patience returns how long a client may read nothing.
func (g *guard) patience() time.Duration {
	if less := g.stopping.Load(); less > 0 {
		return time.Duration(less)
	}
	return stall
}

func (g *guard) tick() time.Duration { return min(stallTick, g.patience()) }

// guarded is a listener that enforces limits on its connections.
type guarded struct {
	*Listener
	g *guard
}

// acceptPause is the time to wait while nothing can be accepted.
const acceptPause = 10 * time.Millisecond

// Accept waits for a connection for which there is room.
func (l guarded) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if outOfResources(err) {
			// This is not a reason to end: an unknown client's connection makes
			// room, if somebody needs it.
			if pending(l.Listener.Listener) {
				l.g.log.Warn("cannot accept a connection", "error", err)
				l.g.makeRoom()
			}
			time.Sleep(acceptPause)
			continue
		}
		if err != nil {
			return nil, err
		}
		c := l.g.newConn(raw)
		verdict := l.g.admit(c)
		for ; verdict == later; verdict = l.g.admit(c) {
			time.Sleep(acceptPause)
		}
		if verdict == refused {
			c.end()
			raw.Close()
			continue
		}
		if l.tls == nil {
			return c, nil
		}
		c.wire.greeting = maxGreeting
		over := tls.Server(c.wire, l.tls)
		c.Conn = over
		return secureConn{c, over}, nil
	}
}

func outOfResources(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (g *guard) newConn(raw net.Conn) *conn {
	w := &wire{Conn: raw, g: g, greeting: -1}
	life, end := context.WithCancel(context.Background())
	return &conn{Conn: w, wire: w, g: g, address: network(raw.RemoteAddr()), life: life, end: end}
}

// network returns the address under which a peer is counted.
func network(peer net.Addr) string {
	host, _, err := net.SplitHostPort(peer.String())
	if err != nil {
		return peer.String()
	}
	return networkOf(host)
}

// networkOf does the same for an IP address. One owner of IPv6 addresses has a
// whole /64 network.
func networkOf(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip.WithZone(""), 64).Masked().Addr().String()
}

// verdict says what happens to a new connection.
type verdict int

const (
	admitted verdict = iota
	refused
	later // there will be room soon
)

// admit makes room for a connection, if necessary by ending another one.
func (g *guard) admit(c *conn) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	var victim *conn
	strangers := g.fresh.Len() + g.spent.Len()
	switch full := len(g.conns) >= g.limits.Connections; {
	case g.addresses[c.address] >= g.limits.PerAddress:
		if victim = g.stranger(c.address, 0); victim == nil {
			return refused
		}
	case full && strangers == 0:
		if victim = g.idlest(); victim == nil {
			return refused
		}
	case full, strangers >= g.limits.Strangers:
		// Very new connections may be about to send a verified request. Others
		// wait in the system's queue in the meantime.
		if victim = g.stranger("", settled); victim == nil {
			return later
		}
	}
	if victim != nil {
		g.end(victim)
	}
	g.conns[c] = struct{}{}
	g.addresses[c.address]++
	g.queue(c, g.fresh)
	return admitted
}

// queue adds an unknown client's connection to the end of a list.
func (g *guard) queue(c *conn, at *list.List) {
	g.unqueue(c)
	c.since, c.queued, c.place = time.Now(), at, at.PushBack(c)
}

func (g *guard) unqueue(c *conn) {
	if c.place != nil {
		c.queued.Remove(c.place)
		c.queued, c.place = nil, nil
	}
}

// stranger returns the unknown client's connection that should end first, of at
// least an age: of one address, or of any address if it is "".
func (g *guard) stranger(address string, age time.Duration) *conn {
	for _, all := range []*list.List{g.spent, g.fresh} {
		for e := all.Front(); e != nil; e = e.Next() {
			c := e.Value.(*conn)
			if time.Since(c.since) < age {
				break
			}
			if address == "" || c.address == address {
				return c
			}
		}
	}
	return nil
}

// idlest returns the connection that has waited longest between two requests.
func (g *guard) idlest() (found *conn) {
	for c := range g.conns {
		if c.in(http.StateIdle) && (found == nil || c.since.Before(found.since)) {
			found = c
		}
	}
	return found
}

// makeRoom ends the least useful connection.
func (g *guard) makeRoom() {
	g.mu.Lock()
	defer g.mu.Unlock()
	victim := g.stranger("", 0)
	if victim == nil {
		victim = g.idlest()
	}
	if victim != nil {
		g.end(victim)
	}
}

// end closes a connection while a handler may still use it. TLS sends no
// close_notify, which could block.
func (g *guard) end(c *conn) {
	g.forget(c)
	c.end()
	c.wire.Conn.Close()
}

func (g *guard) forget(c *conn) {
	if _, there := g.conns[c]; !there {
		return
	}
	delete(g.conns, c)
	if g.addresses[c.address]--; g.addresses[c.address] == 0 {
		delete(g.addresses, c.address)
	}
	g.unqueue(c)
}

func (g *guard) remove(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(c)
}

// trust removes a connection from the lists of unknown clients, because a
// request on it was verified.
func (c *conn) trust() {
	if c == nil || c.known.Swap(true) {
		return
	}
	g := c.g
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unqueue(c)
}

// stop makes sure that only running calls delay the end of the service. It
// closes connections without a call, and shortens the time for clients that
// read nothing or send nothing. It must be called repeatedly until all have
// ended.
func (g *guard) stop(grace time.Duration) {
	first := g.stopping.CompareAndSwap(0, int64(max(grace/6, time.Millisecond)))
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.conns {
		switch {
		case c.in(http.StateNew):
			g.end(c)
		case first:
			c.wire.wake()
			if !c.known.Load() {
				_ = c.wire.SetReadDeadline(time.Now().Add(grace / 3))
			}
		}
	}
}

// changed follows the states of a connection in net/http.
func (g *guard) changed(nc net.Conn, state http.ConnState) {
	c := connIn(nc)
	c.state.Store(int32(state))
	switch {
	case state == http.StateIdle:
		c.release()
	case state == http.StateActive && !c.known.Load():
		g.mu.Lock()
		if c.queued == g.fresh {
			g.queue(c, g.spent)
		}
		g.mu.Unlock()
	}
}

// connContext gives handlers access to the connection.
func (g *guard) connContext(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, connIn(nc))
}

func connIn(nc net.Conn) *conn {
	if s, ok := nc.(secureConn); ok {
		return s.conn
	}
	return nc.(*conn)
}

// measured tells the connection where a request's body ends. If that is
// unknown, it closes the connection after the request.
func (g *guard) measured(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The preface of HTTP/2 has no body and no known length.
		if c := connOf(r.Context()); c != nil && (r.ContentLength >= 0 || r.Body != http.NoBody) {
			c.expect(r.ContentLength)
		}
		if r.ContentLength < 0 {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}
