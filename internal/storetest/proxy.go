package storetest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy is a TCP address in front of PostgreSQL servers, such as a cluster has
// for its primary.
type Proxy struct {
	listener net.Listener
	mu       sync.Mutex
	socket   string
	hung     *atomic.Bool // of the server that socket leads to
	conns    []net.Conn
}

// NewProxy listens on loopback until the end of the test.
func NewProxy(t testing.TB, s *Server) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l}
	p.LeadTo(s)
	go p.run()
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.conns {
			c.Close()
		}
	})
	return p
}

// URL returns the URL of the server behind the proxy.
func (p *Proxy) URL() string {
	return (&url.URL{
		Scheme: "postgres", User: url.User("postgres"), Host: p.listener.Addr().String(), Path: "/postgres",
		RawQuery: "sslmode=disable",
	}).String()
}

// Hang makes the server behind the proxy silent: all connections, including new
// ones, stay open without answers.
func (p *Proxy) Hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hung.Store(true)
}

// Break ends all connections.
func (p *Proxy) Break() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
}

// LeadTo sends new connections to a server. Open connections do not change.
func (p *Proxy) LeadTo(s *Server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.socket, p.hung = s.dir+"/.s.PGSQL.5432", &atomic.Bool{}
}

func (p *Proxy) run() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.conns = append(p.conns, c)
		socket, hung := p.socket, p.hung
		p.mu.Unlock()
		go p.serve(c, socket, hung)
	}
}

func (p *Proxy) serve(c net.Conn, socket string, hung *atomic.Bool) {
	defer c.Close()
	up, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		pass(up, c, hung)
		up.Close()
	}()
	pass(c, up, hung)
}

// pass copies until either side ends. Through a hung proxy nothing arrives, and
// nothing ends.
func pass(to, from net.Conn, hung *atomic.Bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if hung.Load() {
			_, _ = io.Copy(io.Discard, from)
			return
		}
		if err != nil {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
