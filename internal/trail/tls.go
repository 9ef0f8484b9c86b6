package trail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"
)

// tlsFiles are the PEM files of a connection with TLS (RFC 5425). They are read
// for each connection, so that they can be replaced.
type tlsFiles struct {
	ca        string // of the collector; "" means the system's authorities
	cert, key string // of this process, if the collector asks for them
}

// parseTLS reads the parameters of a URL syslog+tls://.
func parseTLS(text string) (*tlsFiles, error) {
	query, err := url.ParseQuery(text)
	if err != nil {
		return nil, err
	}
	f := &tlsFiles{query.Get("ca"), query.Get("cert"), query.Get("key")}
	for name, values := range query {
		if name != "ca" && name != "cert" && name != "key" || len(values) != 1 {
			return nil, fmt.Errorf("%s is not ca, cert or key, each once", name)
		}
		if values[0] == "" {
			return nil, fmt.Errorf("%s names no file", name)
		}
	}
	if (f.cert == "") != (f.key == "") {
		return nil, errors.New("cert and key belong together")
	}
	return f, nil
}

// dial connects to a collector, and verifies it and its name.
func (f *tlsFiles) dial(address string) (net.Conn, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.ca != "" {
		text, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s has no certificate in PEM", f.ca)
		}
	}
	own := &tls.Certificate{}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, err
		}
		own = &pair
	}
	asked := false
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		asked = true
		return own, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	c, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil || !asked {
		return c, err
	}
	return accepted(c)
}

// refusalTime is the time within which a collector refuses a certificate.
const refusalTime = 300 * time.Millisecond

// accepted waits for the collector to refuse the certificate of this process. In
// TLS 1.3 it does so after the handshake, when records might have been sent and
// lost.
func accepted(c net.Conn) (net.Conn, error) {
	if err := c.SetReadDeadline(time.Now().Add(refusalTime)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	_, err := c.Read(make([]byte, 1))
	var late net.Error
	if err != nil && (!errors.As(err, &late) || !late.Timeout()) {
		return nil, errors.Join(fmt.Errorf("the collector refused the connection: %w", err), c.Close())
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}
