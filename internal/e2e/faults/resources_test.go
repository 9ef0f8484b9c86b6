package faults

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rollcall/internal/e2e/e2etest"
	"rollcall/internal/sdkhttp"
	"rollcall/internal/storetest"
)

// TestNoDescriptors lets the service open no further file descriptor. Clients that
// are connected are served, and an idle connection gives way to a new client.
// With descriptors everything continues without a restart.
func TestNoDescriptors(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		acc := e2etest.CreateAccount(t, flags...)
		node := e2etest.Serve(t, flags...)
		e2etest.CreateKey(t, node, acc, "before")
		connected := e2etest.Config(node.URL, acc.Root(), e2etest.Transport(t))
		e2etest.Must(t, e2etest.SignsWith(t.Context(), connected))

		pid := node.Cmd.Process.Pid
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		e2etest.Must(t, err)
		var before unix.Rlimit
		e2etest.Must(t, unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &before))
		none := unix.Rlimit{Cur: uint64(len(open)), Max: before.Max}
		e2etest.Must(t, unix.Prlimit(pid, unix.RLIMIT_NOFILE, &none, nil))
		for range 10 {
			if err := e2etest.SignsWith(t.Context(), connected); err != nil {
				t.Errorf("a client that is connected: %v", err)
			}
			if err := e2etest.Signs(t.Context(), node.URL, acc.Root(), e2etest.Transport(t)); err != nil {
				t.Errorf("a new client: %v", err)
			}
		}
		e2etest.Must(t, unix.Prlimit(pid, unix.RLIMIT_NOFILE, &before, nil))
		e2etest.CreateKey(t, node, acc, "afterwards")
		e2etest.Report(t, node, acc)
		node.Stop()
	})
}

// TestNamesDoNotResolve lets the name of the database's host become unknown while
// the service runs. Open connections stay in use. When they end, calls are refused
// without details. When the name is known again, everything continues.
func TestNamesDoNotResolve(t *testing.T) {
	t.Parallel()
	server, err := storetest.StartServer(t.Context(), false)
	e2etest.Must(t, err)
	t.Cleanup(func() { server.Stop() })
	proxy := storetest.NewProxy(t, server)
	dir := t.TempDir()
	hosts := filepath.Join(dir, "hosts")
	known := func(name string) {
		t.Helper()
		e2etest.Must(t, os.WriteFile(hosts, []byte("127.0.0.1 localhost "+name+"\n"), 0o644))
	}
	known("database.invalid")
	e2etest.Must(t, os.WriteFile(filepath.Join(dir, "resolv.conf"), []byte("nameserver 127.0.0.1\n"), 0o644))
	url := strings.Replace(proxy.URL(), "127.0.0.1", "database.invalid", 1)
	script := fmt.Sprintf(`mount --bind %[1]s/hosts /etc/hosts && mount --bind %[1]s/resolv.conf /etc/resolv.conf && `+
		`export ROLLCALL_DATA=%[1]s/data ROLLCALL_STORE='%[3]s' ROLLCALL_ALLOW_PLAIN_POSTGRES=true && `+
		`%[2]s account create --output json && exec %[2]s serve --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 `+
		`--log-format json --call-timeout 3s`, dir, e2etest.Binary, url)
	node, acc := serveIn(t, script)
	client := node.IAM(acc.Root())
	call := func() error { _, err := client.GetUser(t.Context(), nil); return err }

	known("another.invalid")
	time.Sleep(6 * time.Second) // Go remembers the file for five
	if err := call(); err != nil {
		t.Errorf("over an open connection: %v", err)
	}
	proxy.Break()
	for range 3 {
		checkServerError(t, call())
	}
	if status, text := e2etest.Get(t, node.Admin+"/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d %s", status, text)
	}
	known("database.invalid")
	e2etest.WaitFor(t, "a call after the name is known again", call)
	node.Stop()
}

// serveIn starts the service by a script that sees mounts of its own, and creates
// an account first.
func serveIn(t *testing.T, script string) (*e2etest.Process, e2etest.Account) {
	t.Helper()
	args := []string{"--mount", "sh", "-c", script}
	if os.Getuid() != 0 {
		args = append([]string{"--user", "--map-root-user"}, args...)
	}
	cmd := exec.Command("unshare", args...)
	cmd.Env = e2etest.Environment(t)
	out, err := cmd.StdoutPipe()
	e2etest.Must(t, err)
	node := e2etest.Launch(t, cmd)
	acc := readAccount(t, out)
	node.WaitListening()
	return node, acc
}

// TestCertificateReplaced replaces the TLS certificate again and again while
// clients call, with and without a new connection for each call. No call fails,
// and new connections see the new certificate.
func TestCertificateReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pair := e2etest.NewCertificate(t, dir, "first")
	flags := []string{"--data", e2etest.DataDir(t)}
	acc := e2etest.CreateAccount(t, flags...)
	node := e2etest.Serve(t, append(flags, "--tls-cert", pair.Cert, "--tls-key", pair.Key)...)

	roots := x509.NewCertPool()
	trusting := func(keepAlive bool) *http.Client {
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: !keepAlive}
		t.Cleanup(tr.CloseIdleConnections)
		return &http.Client{Transport: sdkhttp.Transport(tr), Timeout: time.Minute}
	}
	pairs := []*e2etest.Certificate{pair}
	for i := range 5 {
		pairs = append(pairs, e2etest.NewCertificate(t, t.TempDir(), fmt.Sprintf("next-%d", i)))
	}
	for _, p := range pairs { // clients trust all of them from the beginning
		roots.AddCert(p.Parsed)
	}
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 4 {
		cfg := e2etest.Config(node.URL, acc.Root(), trusting(i%2 == 0))
		clients.Go(func() {
			for ctx.Err() == nil {
				if err := e2etest.SignsWith(t.Context(), cfg); err != nil {
					t.Errorf("beside a certificate that is replaced: %v", err)
				}
			}
		})
	}
	for _, next := range pairs[1:] {
		// The file of the key is replaced after that of the certificate, so for a
		// moment they do not fit.
		for from, to := range map[string]string{next.Cert: pair.Cert, next.Key: pair.Key} {
			e2etest.Must(t, os.Rename(from, to))
			node.Signal(syscall.SIGHUP)
		}
		e2etest.WaitFor(t, "the new certificate", func() error { return shows(node, roots, next) })
	}
	stop()
	clients.Wait()
	node.Stop()
}

// shows returns an error unless a new connection sees a certificate.
func shows(node *e2etest.Process, roots *x509.CertPool, want *e2etest.Certificate) error {
	c, err := tls.Dial("tcp", strings.TrimPrefix(node.URL, "https://"), &tls.Config{RootCAs: roots})
	if err != nil {
		return err
	}
	defer c.Close()
	if got := c.ConnectionState().PeerCertificates[0]; !got.Equal(want.Parsed) {
		return fmt.Errorf("the certificate is %s", got.Subject.CommonName)
	}
	return nil
}
