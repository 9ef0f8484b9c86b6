package service_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/sdkhttp"
	"rollcall/internal/server"
	"rollcall/internal/service"
)

// The SDK works over TLS, and the trail records the connection.
func TestTLS(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	pair, roots := selfSigned(t)
	l, err := server.Listen("127.0.0.1:0", pair, false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l, w.Handler, w.cfg.Log, time.Second) }()

	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}
	address := l.Addr().String()
	c := iam.New(w.root.Options(), func(o *iam.Options) {
		o.BaseEndpoint, o.HTTPClient = ptr("https://"+address), &http.Client{Transport: sdkhttp.Transport(transport)}
	})
	must(t, c.GetUser, &iam.GetUserInput{})
	lines := w.trail.lines()
	want := `"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"` +
		address + `"}`
	if len(lines) != 1 || !strings.Contains(lines[0], want) {
		t.Errorf("trail %q\nwant %s", lines, want)
	}
	transport.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// selfSigned returns a certificate of this machine, and a pool that trusts it.
func selfSigned(t testing.TB) (*server.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der},
		keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := server.LoadCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(parsed)
	return pair, roots
}

// Metrics count by action and error. Names that a client invents do not become
// labels.
func TestMetrics(t *testing.T) {
	t.Parallel()
	registry := metrics.NewSet()
	w := newWorld(t, service.Config{Metrics: registry})
	must(t, w.root.GetUser, &iam.GetUserInput{})
	w.raw(t, call("GetUser", "UserName=nobody"))
	for _, action := range []string{"made-up-1", "made-up-2", "Unknown"} {
		w.raw(t, call(url.QueryEscape(action), ""))
	}
	w.callAs(t, clients{id: "AKIAIOSFODNN7EXAMPLE", key: "x"}, "GetUser")
	got := map[string]float64{}
	for series, value := range figuresOf(t, registry) {
		name, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
		name, isCount := strings.CutSuffix(name, "_count")
		if !isCount && strings.Contains(name, "_seconds_") { // the sum and the buckets
			continue
		}
		if !strings.HasPrefix(name, "rollcall_request") && !strings.HasPrefix(name, "rollcall_errors") {
			continue
		}
		for _, l := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(labels, -1) {
			name += " " + l[1]
		}
		got[name] = value
	}
	same(t, got, map[string]float64{
		"rollcall_requests_in_flight":                       0,
		"rollcall_request_duration_seconds GetUser ok":      1,
		"rollcall_request_duration_seconds GetUser refused": 1,
		"rollcall_request_duration_seconds Unknown refused": 3,
		"rollcall_request_duration_seconds Unknown denied":  1,
		"rollcall_errors_total NoSuchEntity":                1,
		"rollcall_errors_total InvalidAction":               3,
		"rollcall_errors_total InvalidClientTokenId":        1,
	})
}

// figuresOf returns the values of metrics by name and labels, as Prometheus reads
// them.
func figuresOf(t *testing.T, r *metrics.Set) map[string]float64 {
	t.Helper()
	var text strings.Builder
	r.WritePrometheus(&text)
	values := map[string]float64{}
	for line := range strings.Lines(text.String()) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			t.Fatal(err)
		}
		values[line[:at]] = value
	}
	return values
}
