package server

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection as net/http sees it. It counts the heads of requests
// while they arrive, and hands net/http no more of one request than belongs to
// it, so that no byte of a head goes by uncounted.
type conn struct {
	net.Conn // the wire, or TLS over it
	wire     *wire
	g        *guard

	address string
	// Guarded by the guard's mutex: where a stranger's connection stands, and
	// since when. Both are nil for one that has proven itself.
	queued *list.List
	place  *list.Element
	since  time.Time

	known   atomic.Bool
	state   atomic.Int32 // an http.ConnState
	closing sync.Once

	// What follows belongs to the goroutine that reads.
	head    head
	body    int64  // bytes still to come of a body
	rest    []byte // what was read too far
	restErr error

	mu    sync.Mutex
	drawn map[*budget]int64 // what the request under way holds

	// life ends when nobody is left to answer; end ends it.
	life context.Context
	end  context.CancelFunc
}

// Read reads the rest of a body, or more of a head.
func (c *conn) Read(p []byte) (int, error) {
	if c.body > 0 {
		n, err := c.take(p[:min(int64(len(p)), c.body)])
		c.body -= int64(n)
		return n, err
	}
	before := c.head.cost()
	n, err := c.take(p)
	mine, done := c.head.scan(p[:n])
	if mine < n {
		c.rest, c.restErr, err = append([]byte(nil), p[mine:n]...), err, nil
	}
	switch {
	case err == errRefused:
		return 0, err
	case c.head.tooLarge():
		return 0, c.refuse(http.StatusRequestHeaderFieldsTooLarge)
	case !c.draw(c.provenOr(&c.g.strange), c.head.cost()-before):
		return 0, c.refuse(http.StatusServiceUnavailable)
	}
	if done {
		c.head = head{}
	}
	return mine, err
}

// take gives what was read too far before, or reads on.
func (c *conn) take(p []byte) (int, error) {
	if len(c.rest) == 0 {
		if err := c.restErr; err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(p)
		if left(err) {
			c.end()
		}
		return n, err
	}
	n := copy(p, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		c.rest = nil
	}
	return n, nil
}

// expect says how long the body is of the request whose head was read last; a
// length that nobody knows is negative.
func (c *conn) expect(length int64) {
	// Without a body net/http may be reading on already.
	switch {
	case length < 0:
		c.body = math.MaxInt64
	case length > 0:
		c.body = length
	}
}

// linger is how long a refused client has to read why, before the connection
// under it is reset.
const linger = 500 * time.Millisecond

// errRefused looks like the network's own, so that net/http adds no answer.
var errRefused error = &net.OpError{Op: "read", Err: errors.New("request is refused")}

// refuse answers a head that net/http must not see the rest of, and ends the
// connection.
func (c *conn) refuse(status int) error {
	c.rest, c.restErr = nil, errRefused // for every read that follows
	text := http.StatusText(status)
	c.SetWriteDeadline(time.Now().Add(linger))
	_, err := io.WriteString(c.Conn, "HTTP/1.1 "+strconv.Itoa(status)+" "+text+
		"\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"+text)
	if err == nil {
		c.CloseWrite()
		c.Conn.SetReadDeadline(time.Now().Add(linger))
		io.CopyN(io.Discard, c.Conn, 4*maxHeader)
	}
	return errRefused
}

// CloseWrite tells the client that no more will come. net/http calls it.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	if half, ok := c.wire.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// SetReadDeadline lets strangers wait for less time between requests.
func (c *conn) SetReadDeadline(t time.Time) error {
	if c.in(http.StateIdle) && !c.known.Load() {
		if most := time.Now().Add(strangersIdle); t.IsZero() || t.After(most) {
			t = most
		}
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) in(state http.ConnState) bool { return http.ConnState(c.state.Load()) == state }

// Close may be called more than once.
func (c *conn) Close() error {
	err := net.ErrClosed
	c.closing.Do(func() {
		c.end()
		err = c.Conn.Close()
		c.g.remove(c)
		c.release()
	})
	return err
}

// provenOr is what a request draws on: the memory of connections that have
// proven themselves, or another.
func (c *conn) provenOr(other *budget) *budget {
	if c.known.Load() {
		return &c.g.proven
	}
	return other
}

// draw takes memory for the request under way. It is given back when the
// request is over.
func (c *conn) draw(from *budget, n int64) bool {
	if n <= 0 {
		return true
	}
	if !from.take(n) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drawn == nil {
		c.drawn = map[*budget]int64{}
	}
	c.drawn[from] += n
	return true
}

// release gives back what the request that is over held.
func (c *conn) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for from, n := range c.drawn {
		from.give(n)
		delete(c.drawn, from)
	}
}

// secureConn is a connection over TLS. That it tells its state is how net/http
// learns of TLS.
type secureConn struct {
	*conn
	tls *tls.Conn
}

// ConnectionState makes the handshake: it is the first thing that net/http
// asks, in the connection's own goroutine. After a failure every read fails.
func (c secureConn) ConnectionState() tls.ConnectionState {
	if c.tls.ConnectionState().HandshakeComplete {
		return c.tls.ConnectionState()
	}
	c.wire.SetDeadline(time.Now().Add(handshakeTimeout))
	err := c.tls.Handshake()
	c.wire.SetDeadline(time.Time{})
	c.wire.greeting = -1
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &plain) && plain.Conn != nil && looksLikeHTTP(plain.RecordHeader[:]):
		io.WriteString(plain.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
	case err != nil:
		c.g.log.Debug("TLS handshake failed", "from", c.address, "error", err)
	}
	if err != nil {
		c.wire.Close()
	}
	return c.tls.ConnectionState()
}

func looksLikeHTTP(start []byte) bool {
	switch string(start) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}

type connKey struct{}

// connOf returns the connection that a request came on, nil where there is
// none, as in tests.
func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}
