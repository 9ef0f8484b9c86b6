package server

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// wire is the connection below TLS. Every write on a listener has the same
// deadline: a client that reads nothing for a while is cut off. A client that
// reads a little at a time is not, so a large report may take long.
type wire struct {
	net.Conn
	g *guard
	// until is the requested write deadline, in nanoseconds; 0 is none.
	until atomic.Int64
	// greeting is the number of bytes that may still arrive before the end of
	// the TLS handshake. It is negative if there is no handshake.
	greeting int
}

// maxGreeting limits the bytes that a client may send in a TLS handshake. The
// server requests no certificate, so this is a ClientHello and a little more.
// crypto/tls would buffer 64 KiB.
const maxGreeting = 16 << 10

var errGreeting = errors.New("TLS handshake is too large")

func (w *wire) Read(p []byte) (int, error) {
	if w.greeting < 0 {
		return w.Conn.Read(p)
	}
	if w.greeting == 0 {
		return 0, errGreeting
	}
	n, err := w.Conn.Read(p[:min(len(p), w.greeting)])
	w.greeting -= n
	return n, err
}

func (w *wire) Write(p []byte) (written int, err error) {
	taken := time.Now() // when the client last read something
	for {
		deadline := time.Now().Add(w.g.tick())
		until := w.until.Load()
		if until != 0 && deadline.UnixNano() > until {
			deadline = time.Unix(0, until)
		}
		if err := w.Conn.SetWriteDeadline(deadline); err != nil {
			return written, err
		}
		n, err := w.Conn.Write(p[written:])
		written += n
		now := time.Now()
		if n > 0 {
			taken = now
		}
		over := now.Sub(taken) >= w.g.patience() || until != 0 && now.UnixNano() >= until
		if err == nil || over || !errors.Is(err, os.ErrDeadlineExceeded) {
			return written, err
		}
	}
}

// SetWriteDeadline can make the deadline earlier, never later.
func (w *wire) SetWriteDeadline(t time.Time) error {
	if t.IsZero() {
		w.until.Store(0)
		return nil
	}
	w.until.Store(t.UnixNano())
	return w.Conn.SetWriteDeadline(t)
}

func (w *wire) SetDeadline(t time.Time) error {
	return errors.Join(w.SetReadDeadline(t), w.SetWriteDeadline(t))
}

// wake makes a waiting write check the clock.
func (w *wire) wake() { _ = w.Conn.SetWriteDeadline(time.Now()) }
