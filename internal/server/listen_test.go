package server_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/server"
)

func TestListen(t *testing.T) {
	for _, c := range []struct {
		addr     string
		anywhere bool
		want     error
	}{
		{addr: "127.0.0.1:0"},
		{addr: "[::1]:0"},
		{addr: "localhost:0"},
		{addr: "127.9.9.9:0"},
		{addr: ":0", want: server.ErrPlainHTTP},
		{addr: "0.0.0.0:0", want: server.ErrPlainHTTP},
		{addr: "[::]:0", want: server.ErrPlainHTTP},
		{addr: "192.0.2.1:0", want: server.ErrPlainHTTP},
		{addr: "0.0.0.0:0", anywhere: true},
	} {
		l, err := server.Listen(c.addr, nil, c.anywhere)
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: error %v, want %v", c.addr, err, c.want)
		}
		if l != nil {
			l.Close()
		}
	}
}

// certificate writes a self-signed certificate for 127.0.0.1.
func certificate(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, &x509.Certificate{SerialNumber: big.NewInt(1)}, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der},
		key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A bug appears in the log, and only ends its own connection.
func TestServeSurvivesPanics(t *testing.T) {
	l := listen(t, nil)
	var log strings.Builder
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- server.Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/bug" {
				panic("a bug")
			}
		}), slog.New(slog.NewTextHandler(&log, nil)), time.Second)
	}()
	if _, err := http.Get("http://" + l.Addr().String() + "/bug"); err == nil {
		t.Error("a panic is answered")
	}
	r, err := http.Get("http://" + l.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "a bug") {
		t.Errorf("log %q", log.String())
	}
}

// serve serves h on l until the test ends; stop ends it earlier and returns the
// result of Serve.
func serve(t *testing.T, l net.Listener, h http.Handler, grace time.Duration) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- server.Serve(ctx, l, h, slog.New(slog.DiscardHandler), grace)
		close(ended)
	}()
	stop = func() error {
		cancel()
		return <-ended
	}
	t.Cleanup(func() { stop() })
	return stop
}

func listen(t *testing.T, cert *server.Certificate) net.Listener {
	t.Helper()
	l, err := server.Listen("127.0.0.1:0", cert, false)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, err := server.LoadCertificate(certificate(t, dir, "first"))
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, cert)
	serve(t, l, hello, time.Second)
	dial := func(maxVersion uint16) (string, error) {
		c, err := tls.Dial("tcp", l.Addr().String(),
			&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: maxVersion})
		if err != nil {
			return "", err
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
	}
	if name, err := dial(tls.VersionTLS13); err != nil || name != "first" {
		t.Errorf("certificate %q, %v", name, err)
	}
	if _, err := dial(tls.VersionTLS12); err != nil {
		t.Errorf("TLS 1.2: %v", err)
	}
	if _, err := dial(tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
	certificate(t, dir, "second")
	if err := cert.Reload(); err != nil {
		t.Fatal(err)
	}
	if name, err := dial(tls.VersionTLS13); err != nil || name != "second" {
		t.Errorf("after Reload: certificate %q, %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cert.Reload(); err == nil {
		t.Error("a broken file is loaded")
	}
	if name, err := dial(tls.VersionTLS13); err != nil || name != "second" {
		t.Errorf("after a Reload that failed: certificate %q, %v", name, err)
	}
	response, err := (&http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true,
	}}).Get("https://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Proto != "HTTP/1.1" {
		t.Errorf("protocol %s", response.Proto)
	}
}

func TestServe(t *testing.T) {
	t.Run("a call under way ends before it does", func(t *testing.T) {
		l := listen(t, nil)
		begun, goOn := make(chan struct{}), make(chan struct{})
		stop := serve(t, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-goOn
			io.WriteString(w, "whole")
		}), 10*time.Second)
		answer := make(chan string, 1)
		go func() {
			r, err := http.Get("http://" + l.Addr().String())
			if err != nil {
				answer <- err.Error()
				return
			}
			defer r.Body.Close()
			body, _ := io.ReadAll(r.Body)
			answer <- string(body)
		}()
		<-begun
		stopped := make(chan error, 1)
		go func() { stopped <- stop() }()
		// The listener is closed first.
		for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				break
			}
			c.Close()
			if time.Now().After(end) {
				t.Fatal("it still accepts")
			}
		}
		select {
		case err := <-stopped:
			t.Fatalf("it ended before the call did: %v", err)
		default:
		}
		close(goOn)
		if got := <-answer; got != "whole" {
			t.Errorf("answer %q", got)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	t.Run("a call that does not end is cut off", func(t *testing.T) {
		l := listen(t, nil)
		begun, forever := make(chan struct{}), make(chan struct{})
		defer close(forever)
		stop := serve(t, l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(begun)
			<-forever
		}), 20*time.Millisecond)
		go http.Get("http://" + l.Addr().String())
		<-begun
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	t.Run("headers beyond 64 KiB are refused", func(t *testing.T) {
		l := listen(t, nil)
		serve(t, l, hello, time.Second)
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("a", 80<<10)+"\r\n\r\n")
		line, err := bufio.NewReader(c).ReadString('\n')
		if !strings.Contains(line, "431") {
			t.Errorf("answer %q, %v", line, err)
		}
	})
}
