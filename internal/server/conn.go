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

// conn wraps a network connection for net/http. It counts the heads of requests
// while they arrive. It passes net/http no more than the current request, so
// that every byte of a head is counted.
type conn struct {
	net.Conn // the network connection, or TLS over it
	wire     *wire
	g        *guard

	address string
	// Guarded by the guard's mutex: the list that contains an unknown client's
	// connection, and the time at which it was added. Both are zero for a
	// connection with a verified request.
	queued *list.List
	place  *list.Element
	since  time.Time

	known   atomic.Bool
	state   atomic.Int32 // an http.ConnState
	closing sync.Once

	// The fields below belong to the goroutine that reads.
	head    head
	body    int64  // bytes of a body still to come
	rest    []byte // bytes that were read too early
	restErr error

	mu    sync.Mutex
	drawn map[*budget]int64 // memory that the current request holds

	// life ends when no client is left to answer; end ends it.
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

// take returns bytes that were read too early, or reads more.
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

// expect sets the body length of the last read request. A negative length is
// unknown.
func (c *conn) expect(length int64) {
	// Without a body net/http may already be reading the next request.
	switch {
	case length < 0:
		c.body = math.MaxInt64
	case length > 0:
		c.body = length
	}
}

// linger is the time that a refused client has to read the reason before its
// connection is reset.
const linger = 500 * time.Millisecond

// errRefused looks like an error of the network, so that net/http adds no
// answer.
var errRefused error = &net.OpError{Op: "read", Err: errors.New("request is refused")}

// refuse answers a head whose rest net/http must not see, and ends the
// connection.
func (c *conn) refuse(status int) error {
	c.rest, c.restErr = nil, errRefused // for every later read
	text := http.StatusText(status)
	_ = c.SetWriteDeadline(time.Now().Add(linger))
	_, err := io.WriteString(c.Conn, "HTTP/1.1 "+strconv.Itoa(status)+" "+text+
		"\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"+text)
	if err == nil {
		_ = c.CloseWrite()
		_ = c.Conn.SetReadDeadline(time.Now().Add(linger))
		_, _ = io.CopyN(io.Discard, c.Conn, 4*maxHeader)
	}
	return errRefused
}

// CloseWrite tells the client that nothing more will come. net/http calls it.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	if half, ok := c.wire.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// SetReadDeadline shortens the time that connections of unknown clients may
// wait between two requests.
func (c *conn) SetReadDeadline(t time.Time) error {
	if c.in(http.StateIdle) && !c.known.Load() {
		if most := time.Now().Add(strangersIdle); t.IsZero() || t.After(most) {
			t = most
		}
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) in(state http.ConnState) bool { return http.ConnState(c.state.Load()) == state }

// Close may be called several times.
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

// provenOr returns the budget for a request: the one for verified clients if
// the connection has a verified request, or else the given one.
func (c *conn) provenOr(other *budget) *budget {
	if c.known.Load() {
		return &c.g.proven
	}
	return other
}

// draw takes memory for the current request. It is returned when the request is
// over.
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

// release returns the memory that the finished request held.
func (c *conn) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for from, n := range c.drawn {
		from.give(n)
		delete(c.drawn, from)
	}
}

// secureConn is a connection over TLS. It has a ConnectionState method, by
// which net/http recognizes TLS.
type secureConn struct {
	*conn
	tls *tls.Conn
}

// ConnectionState performs the handshake. net/http calls it first, in the
// connection's own goroutine. After a failed handshake every read fails.
func (c secureConn) ConnectionState() tls.ConnectionState {
	if c.tls.ConnectionState().HandshakeComplete {
		return c.tls.ConnectionState()
	}
	_ = c.wire.SetDeadline(time.Now().Add(handshakeTimeout))
	err := c.tls.Handshake()
	_ = c.wire.SetDeadline(time.Time{})
	c.wire.greeting = -1
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &plain) && plain.Conn != nil && looksLikeHTTP(plain.RecordHeader[:]):
		_, _ = io.WriteString(plain.Conn,
			"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
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

// connOf returns the connection that a request came on, or nil if there is
// none, as in tests.
func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}
