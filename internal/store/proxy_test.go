package store_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy is between the store and PostgreSQL, and cuts the connection of the
// next commit.
type proxy struct {
	url, server string
	mu          sync.Mutex
	next        cut
	closed      bool
	cutDone     chan struct{}
	trips       atomic.Int64 // round trips of clients
}

type cut int

const (
	cutNone    cut = iota
	cutBefore      // the COMMIT does not arrive
	cutAfter       // its answer does not arrive
	cutDelayed     // it arrives long after the connection was lost
	cutForGood     // nothing arrives any more
)

func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	p := &proxy{server: filepath.Join(query.Get("host"), ".s.PGSQL.5432"), cutDone: make(chan struct{})}
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	p.url = u.String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) arm(c cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = c
}

// take decides what happens to a chunk.
func (p *proxy) take(chunk []byte) cut {
	// pgx names the statements that it prepares.
	name := fmt.Appendf(nil, "stmtcache_%x", sha256.Sum256([]byte("COMMIT")))[:len("stmtcache_")+48]
	if !bytes.Contains(chunk, name) || bytes.Contains(chunk, []byte("COMMIT")) {
		return cutNone
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.next
	p.next = cutNone
	p.closed = p.closed || c == cutForGood
	return c
}

func (p *proxy) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	var mute sync.Mutex // held to delay answers
	answered := make(chan struct{}, 1)
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			select {
			case answered <- struct{}{}:
			default:
			}
			mute.Lock()
			client.Write(buf[:n])
			mute.Unlock()
			if err != nil {
				client.Close()
				return
			}
		}
	}()
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		if p.isClosed() {
			return
		}
		p.trips.Add(1)
		c := p.take(buf[:n])
		if c == cutNone {
			server.Write(buf[:n])
			continue
		}
		defer close(p.cutDone)
		mute.Lock()
		if c == cutAfter {
			select { // the earlier answers
			case <-answered:
			default:
			}
			server.Write(buf[:n])
			<-answered
		}
		client.Close()
		if c == cutDelayed {
			time.Sleep(500 * time.Millisecond) // until the store has looked
			server.Write(buf[:n])
		}
		mute.Unlock()
		if c != cutBefore && c != cutForGood {
			time.Sleep(500 * time.Millisecond) // the server does its part
		}
		return
	}
}

// wait waits until the connection was cut and the server has done its part.
func (p *proxy) wait(t *testing.T) {
	t.Helper()
	select {
	case <-p.cutDone:
	case <-time.After(2 * time.Minute):
		t.Fatal("no connection was cut")
	}
}
