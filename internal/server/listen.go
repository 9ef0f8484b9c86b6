package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ErrPlainHTTP reports that an address would allow plain HTTP from other
// machines. Requests are signed, but others could read answers, some with new
// secrets, on the way.
var ErrPlainHTTP = errors.New("plain HTTP beyond loopback")

// Certificate is a TLS certificate with its key. Its files can be read again
// while connections are served.
type Certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

// LoadCertificate reads a PEM certificate chain and its key.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	return c, c.Reload()
}

// Reload reads the files again. On an error the old certificate stays.
func (c *Certificate) Reload() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("load TLS certificate %s: %w", c.certFile, err)
	}
	c.current.Store(&pair)
	return nil
}

// config returns a configuration of TLS 1.2 and later, with Go's own choice of
// suites and curves.
func (c *Certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

// Listen opens a TCP address; "127.0.0.1:0" picks a free port. Without a
// certificate it carries plain HTTP. The error is then ErrPlainHTTP if other
// machines could reach the address, unless plainAnywhere allows that.
func Listen(addr string, cert *Certificate, plainAnywhere bool) (net.Listener, error) {
	at, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, reason(err))
	}
	// A name is resolved once, so that the address that was checked is the one
	// that is opened. An empty host is every address of the machine.
	if cert == nil && !plainAnywhere && !at.IP.IsLoopback() {
		return nil, fmt.Errorf("listen on %s: %w", addr, ErrPlainHTTP)
	}
	l, err := net.ListenTCP("tcp", at)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, reason(err))
	}
	if cert != nil {
		return Secure(l, cert), nil
	}
	return &Listener{Listener: l}, nil
}

// reason returns the system's error for an address, without the prefix of
// package net.
func reason(err error) error {
	var op *net.OpError
	var call *os.SyscallError
	switch {
	case errors.As(err, &call):
		return call.Err
	case errors.As(err, &op):
		return op.Err
	}
	return err
}

// Secure returns l with TLS on its connections.
func Secure(l net.Listener, cert *Certificate) *Listener {
	return &Listener{Listener: l, tls: cert.config()}
}

// These constants limit a connection. There is no limit for a whole answer,
// because a large report may take long. stall limits how long a client may read
// nothing of it.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	idleTimeout   = 120 * time.Second
)

// Serve answers the requests that come in on l until ctx ends. Then it accepts
// no more connections and gives running calls the time grace to end. It closes
// l. The error is nil after a stop by ctx.
//
// The limits set by [Limit] apply to all connections, whatever their handler.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger, grace time.Duration) error {
	own, ok := l.(*Listener)
	if !ok {
		own = Limit(l, Limits{})
	}
	g := newGuard(own.limits, log)
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true) // same as AWS's endpoint; limits belong to a connection
	srv := &http.Server{
		Handler: g.measured(h), Protocols: protocols, DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ConnState: g.changed, ConnContext: g.connContext,
		ErrorLog: stdlog.New(connectionLog{log}, "", 0),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(guarded{own, g}) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	g.shutDown(context.WithoutCancel(ctx), srv, grace)
	<-ended //nolint:errcheck // it is http.ErrServerClosed
	return nil
}

// shutDown lets running calls end.
func (g *guard) shutDown(ctx context.Context, srv *http.Server, grace time.Duration) {
	patience, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	var sweeping sync.WaitGroup
	sweeping.Go(func() {
		tick := time.NewTicker(stopTick)
		defer tick.Stop()
		for ; patience.Err() == nil; <-tick.C {
			g.stop(grace)
		}
	})
	if err := srv.Shutdown(patience); err != nil {
		g.log.Warn("requests did not end in time and were cut off", "waited", grace)
		_ = srv.Close()
	}
	cancel()
	sweeping.Wait()
}

// stopTick is the interval between checks whether the service can end.
const stopTick = 50 * time.Millisecond

// connectionLog receives net/http's messages about failed connections. Mistakes
// of clients are only for debugging. A panic is our mistake.
type connectionLog struct{ log *slog.Logger }

func (c connectionLog) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.HasPrefix(line, []byte("http: panic")) {
		level = slog.LevelError
	}
	c.log.Log(context.Background(), level, string(bytes.TrimSpace(line)))
	return len(line), nil
}
