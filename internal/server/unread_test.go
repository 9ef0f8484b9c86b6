package server_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"rollcall/internal/awsquery"
	"rollcall/internal/server"
)

const anyHost = " HTTP/1.1\r\nHost: x\r\n"

// unread holds requests whose answers come from every source: the API, answers
// outside of the API, and net/http itself.
var unread = map[string]string{
	"documentation": "GET /" + anyHost + "\r\n",
	"other path":    "GET /metrics" + anyHost + "\r\n",
	"other method":  "DELETE /" + anyHost + "\r\n",
	"OPTIONS *":     "OPTIONS *" + anyHost + "\r\n",
	"other type":    "POST /" + anyHost + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
	"unsigned": "POST /" + anyHost +
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n\r\nAction=GetUser",
	"no HTTP":        "\x16\x03\x01\x02\r\n\r\n",
	"no host":        "GET / HTTP/1.1\r\n\r\n",
	"version":        "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
	"many headers":   "GET /" + anyHost + strings.Repeat("a:\r\n", 200) + "\r\n",
	"large headers":  "GET /" + anyHost + "A: " + strings.Repeat("a", 80<<10) + "\r\n\r\n",
	"strange coding": "POST /" + anyHost + "Transfer-Encoding: gzip\r\n\r\n",
	"expectation":    "POST /" + anyHost + "Expect: rain\r\nContent-Length: 2\r\n\r\n{}",
}

// A client that never reads is cut off after the same time, whatever its
// request.
func TestUnread(t *testing.T) {
	for name, asked := range unread {
		t.Run(name, func(t *testing.T) {
			bubble(t, awsquery.Blob{}, func(t *testing.T, e *edge) { cutOff(t, e.dial(), asked) })
		})
	}
	t.Run("signed", func(t *testing.T) {
		bubble(t, awsquery.Blob{}, func(t *testing.T, e *edge) { cutOff(t, e.dial(), request(t, whoAmI)) })
	})
}

// cutOff sends a request without an end and reads nothing. Its peer cannot
// write more than it reads, because a pipe has no buffer.
func cutOff(t *testing.T, c net.Conn, asked string) {
	t.Helper()
	begin := time.Now()
	var sending sync.WaitGroup
	sending.Go(func() {
		for {
			if _, err := io.WriteString(c, asked); err != nil {
				return
			}
		}
	})
	sending.Wait()
	if took := time.Since(begin); took > 40*time.Second {
		t.Errorf("it was cut off after %v", took)
	}
	c.Close()
}

// The admin listener has the same deadlines.
func TestUnreadAdmin(t *testing.T) {
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/other"} {
		synctest.Test(t, func(t *testing.T) {
			registry := metrics.NewSet()
			server.NewMetrics(registry)
			p, stop := servePipes(t, server.Admin(nil, registry, slog.New(slog.DiscardHandler)), server.Limits{})
			cutOff(t, p.dial(), "GET "+path+anyHost+"\r\n")
			stop()
		})
	}
}

func TestUnreadTLS(t *testing.T) {
	dir := t.TempDir()
	cert, err := server.LoadCertificate(certificate(t, dir, "x"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]func(t *testing.T, c net.Conn){
		"answers": func(t *testing.T, c net.Conn) {
			over := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
			if err := over.Handshake(); err != nil {
				t.Fatal(err)
			}
			cutOff(t, over, "GET /"+anyHost+"\r\n")
		},
		"no handshake": func(t *testing.T, c net.Conn) { unfinished(t, c, "") },
		"half a hello": func(t *testing.T, c net.Conn) {
			unfinished(t, c, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
		},
		"hello of 65 KB": largeHello,
		"plain HTTP": func(t *testing.T, c net.Conn) {
			go io.WriteString(c, "GET /"+anyHost+"\r\n")
			answer, err := io.ReadAll(c)
			if !strings.Contains(string(answer), "HTTP request to an HTTPS server") {
				t.Errorf("%q, %v", answer, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes()
				stop := serveUntil(t, server.Secure(p, cert), hello, time.Second)
				c := p.dial()
				test(t, c)
				c.Close()
				stop()
			})
		})
	}
}

// unfinished begins a TLS handshake and waits.
func unfinished(t *testing.T, c net.Conn, sent string) {
	begin := time.Now()
	go io.WriteString(c, sent)
	if _, err := io.ReadAll(c); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 11*time.Second {
		t.Errorf("it was cut off after %v", took)
	}
}

// largeHello sends a ClientHello of 65,000 bytes, record by record.
func largeHello(t *testing.T, c net.Conn) {
	record := "\x16\x03\x01\x40\x00"
	begin := time.Now()
	_, err := io.WriteString(c, record+"\x01\x00\xfd\xe8"+strings.Repeat("a", 1<<14-4)+
		strings.Repeat(record+strings.Repeat("a", 1<<14), 2))
	if err == nil || time.Since(begin) > time.Second {
		t.Errorf("48 KiB of a handshake were read: %v", err)
	}
}

// Clients that read nothing or send nothing do not delay the end.
func TestStopWithoutClients(t *testing.T) {
	const grace = 30 * time.Second
	var wrote int
	for name, asked := range map[string]string{
		"nothing": "", "half a head": "GET / HT", "unread": unread["documentation"], "unread report": getReport,
		"half a body": "POST /" + anyHost +
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n\r\nAct",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEdgeFor(t, pieces(50, &wrote), grace)
				c := e.dial()
				if asked == getReport {
					asked = request(t, getReport)
				}
				go func() {
					for n := 0; n < 100 && asked != ""; n++ {
						if _, err := io.WriteString(c, asked); err != nil {
							return
						}
					}
				}()
				time.Sleep(2 * time.Second)
				begin := time.Now()
				e.stop()
				if took := time.Since(begin); took > grace/2 {
					t.Errorf("the end took %v of %v", took, grace)
				}
				c.Close()
			})
		})
	}
}

// serveUntil serves in a bubble; stop ends it.
func serveUntil(t *testing.T, l net.Listener, h http.Handler, grace time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l, h, slog.New(slog.DiscardHandler), grace) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func servePipes(t *testing.T, h http.Handler, limits server.Limits) (*pipes, func()) {
	p := newPipes()
	return p, serveUntil(t, server.Limit(p, limits), h, time.Second)
}
