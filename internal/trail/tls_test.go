package trail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority certifies the two sides of a connection.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	var der []byte
	der, a.key = sign(t, a.cert, a.cert, nil)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = writePEM(t, "CERTIFICATE", der)
	return a
}

// sign returns a certificate of a new key, signed by a parent's key or its own.
func sign(t *testing.T, template, parent *x509.Certificate, by *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

func writePEM(t *testing.T, kind string, der []byte) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// certify returns the files of a certificate for an address.
func (a *authority) certify(t *testing.T, address string) (cert, key string) {
	t.Helper()
	der, private := sign(t, &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(address)}}, a.cert, a.key)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "CERTIFICATE", der), writePEM(t, "PRIVATE KEY", pkcs8)
}

// collector listens with a certificate for an address.
func (a *authority) collector(t *testing.T, address string, clients tls.ClientAuthType) net.Listener {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.certify(t, address))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: clients, ClientCAs: x509.NewCertPool()}
	config.ClientCAs.AddCert(a.cert)
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// receive accepts connections, and returns those whose handshake has ended.
func receive(l net.Listener) <-chan net.Conn {
	all := make(chan net.Conn, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				if c.(*tls.Conn).Handshake() != nil {
					c.Close()
				}
				all <- c
			}()
		}
	}()
	return all
}

// Records arrive over TLS as one chain, even after the collector has ended the
// connection.
func TestSyslogTLS(t *testing.T) {
	ca := newAuthority(t)
	l := ca.collector(t, "127.0.0.1", tls.NoClientCert)
	connections := receive(l)
	dest := "syslog+tls://" + l.Addr().String() + "?ca=" + ca.file
	tr := mustOpen(t, dest)
	tr.SignWith(testSigner)
	tr.retryEvery = 0
	first := <-connections
	r := bufio.NewReader(first)
	mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
	text := readSyslogTCP(t, r)
	first.Close()
	for !tr.sink.(*socket).conn.gone.Load() {
		time.Sleep(time.Millisecond)
	}
	mustWrite(t, tr, Record{EventName: "B", EventTime: time.Now()})
	mustClose(t, tr)
	r = bufio.NewReader(<-connections)
	text += readSyslogTCP(t, r) + readSyslogTCP(t, r)
	if got := names(mustEvents(t, text, 0)); got != "A B TrailCheckpoint" {
		t.Errorf("events %s", got)
	}
	mustBeWhole(t, text)
	if err := Reach(dest); err != nil {
		t.Error(err)
	}
}

// Nothing is sent to a collector that cannot prove its name.
func TestSyslogTLSVerifies(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	right, wrong := ca.collector(t, "127.0.0.1", tls.NoClientCert), ca.collector(t, "127.0.0.2", tls.NoClientCert)
	receive(right)
	receive(wrong)
	for dest, want := range map[string]string{
		right.Addr().String() + "?ca=" + other.file: "signed by unknown authority",
		right.Addr().String():                       "signed by unknown authority",
		wrong.Addr().String() + "?ca=" + ca.file:    "not 127.0.0.1",
	} {
		tr, err := Open("syslog+tls://" + dest)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dest, err)
		}
		if tr != nil {
			_ = tr.Close()
		}
	}
}

// A collector may ask for a certificate. If it refuses, no record is lost on the
// way.
func TestSyslogTLSOfBothSides(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	l := ca.collector(t, "127.0.0.1", tls.RequireAndVerifyClientCert)
	connections := receive(l)
	base := "syslog+tls://" + l.Addr().String() + "?ca=" + ca.file
	strange, strangeKey := other.certify(t, "127.0.0.1")
	for _, dest := range []string{base, base + "&cert=" + strange + "&key=" + strangeKey} {
		if _, err := Open(dest); err == nil || !strings.Contains(err.Error(), "the collector refused the connection") {
			t.Errorf("%s: %v", dest, err)
		}
		<-connections
	}
	cert, key := ca.certify(t, "127.0.0.1")
	tr := mustOpen(t, base+"&cert="+cert+"&key="+key)
	mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
	text := readSyslogTCP(t, bufio.NewReader(<-connections))
	mustClose(t, tr)
	if got := names(mustEvents(t, text, 0)); got != "A" {
		t.Errorf("events %s", got)
	}
}
