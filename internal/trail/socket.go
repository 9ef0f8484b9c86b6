package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"rollcall/internal/escape"
)

const (
	// dialTimeout is below the Deadline, so that callers learn the reason.
	dialTimeout = 2 * time.Second
	// maxDatagram is the length of a record that fits in a datagram with
	// syslog's header.
	maxDatagram = 60_000
	// syslogPriority is facility 13, log audit, with severity 6, informational.
	syslogPriority = 13*8 + 6
)

// socket is a sink that sends lines to a collector: as they are, or each as a
// message of syslog (RFC 5424). After an error the next Write connects again.
type socket struct {
	network, address string
	syslog           bool
	tls              *tlsFiles // nil without TLS
	header           string    // of syslog, without the time

	mu     sync.Mutex // guards what follows; it is not held during a write
	conn   *connection
	closed bool
}

// connection is a connection that knows when the other side has closed it.
type connection struct {
	net.Conn
	gone atomic.Bool
}

// parseSocket returns the sink that a URL names. ok is false for what is no URL
// of a socket.
func parseSocket(dest string) (s *socket, ok bool, err error) {
	scheme, _, isURL := strings.Cut(dest, "://")
	if !isURL || scheme != "unix" && !strings.HasPrefix(scheme, "syslog+") {
		return nil, false, nil
	}
	u, err := url.Parse(dest)
	dest = escape.Userless(dest)
	if err != nil {
		return nil, true, fmt.Errorf("%s is not a URL", dest)
	}
	s = &socket{address: u.Host}
	switch u.Scheme {
	case "unix":
		s.network, s.address = "unix", u.Path
	case "syslog+unix":
		s.network, s.address, s.syslog = "unixgram", u.Path, true
	case "syslog+udp", "syslog+tcp":
		s.network, s.syslog = u.Scheme[len("syslog+"):], true
	case "syslog+tls":
		s.network, s.syslog = "tcp", true
		if s.tls, err = parseTLS(u.RawQuery); err != nil {
			return nil, true, fmt.Errorf("%s: %w", dest, err)
		}
	}
	isUnix := u.Host == "" && u.Path != ""
	if s.network == "" || isUnix != (u.Scheme == "unix" || u.Scheme == "syslog+unix") ||
		!isUnix && (u.Port() == "" || u.Path != "") || u.User != nil || u.RawQuery != "" && s.tls == nil {
		return nil, true, fmt.Errorf("%s is not a socket such as unix:///run/trail.sock, syslog+unix:///dev/log, "+
			"syslog+udp://HOST:514, syslog+tcp://HOST:601 or syslog+tls://HOST:6514?ca=FILE", dest)
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "-"
	}
	s.header = " " + host + " rollcall " + strconv.Itoa(os.Getpid()) + " trail - "
	return s, true, nil
}

// datagrams says whether each line is a datagram of its own.
func (s *socket) datagrams() bool { return s.network == "udp" || s.network == "unixgram" }

// connect returns the connection, which it opens if there is none that works.
func (s *socket) connect() (*connection, error) {
	s.mu.Lock()
	c, closed := s.conn, s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return nil, os.ErrClosed
	case c != nil && !c.gone.Load():
		return c, nil
	case c != nil:
		c.Close()
	}
	raw, err := s.dial()
	if err != nil {
		return nil, err
	}
	c = &connection{Conn: raw}
	if !s.datagrams() {
		go func() { // a collector sends nothing: the read ends with the connection
			_, _ = io.Copy(io.Discard, raw)
			c.gone.Store(true)
		}()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(os.ErrClosed, raw.Close())
	}
	s.conn = c
	return c, nil
}

func (s *socket) dial() (net.Conn, error) {
	if s.tls != nil {
		return s.tls.dial(s.address)
	}
	return net.DialTimeout(s.network, s.address, dialTimeout)
}

// Write sends whole lines. n counts those that were sent as a whole.
func (s *socket) Write(lines []byte) (n int, err error) {
	c, err := s.connect()
	if err != nil {
		return 0, err
	}
	for n < len(lines) && err == nil {
		end := n + bytes.IndexByte(lines[n:], '\n') + 1
		if !s.syslog {
			end = len(lines) // as many as there are
		}
		var sent int
		if sent, err = c.Write(s.frame(lines[n:end])); err == nil {
			n = end
		} else if !s.syslog {
			n += bytes.LastIndexByte(lines[n:n+sent], '\n') + 1
		}
	}
	if err != nil {
		c.gone.Store(true) // a message may have been cut
	}
	return n, err
}

// frame returns the message that carries a line.
func (s *socket) frame(line []byte) []byte {
	if !s.syslog {
		return line
	}
	var b []byte
	b = append(b, '<')
	b = strconv.AppendInt(b, syslogPriority, 10)
	b = append(b, ">1 "...)
	b = time.Now().UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = append(b, s.header...)
	b = append(b, bytes.TrimSuffix(line, []byte{'\n'})...)
	if s.network != "tcp" {
		return b
	}
	// Octet counting, as RFC 6587 calls it.
	return append(append(strconv.AppendInt(nil, int64(len(b)), 10), ' '), b...)
}

// Close closes the connection, also under a Write that does not end.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}

// openSocket returns a trail that writes to a socket, to which it connects.
func openSocket(s *socket) (*Trail, error) {
	if _, err := s.connect(); err != nil {
		return nil, fmt.Errorf("open trail: %w", err)
	}
	t := New(s)
	if s.datagrams() {
		t.most = maxDatagram
	}
	t.chain.begin()
	return t, nil
}

// short returns a record without what makes it long.
func short(text []byte) []byte {
	var record map[string]json.RawMessage
	if json.Unmarshal(text, &record) != nil {
		return text
	}
	for _, name := range []string{"requestParameters", "responseElements"} {
		if len(record[name]) > len(omitted) {
			record[name] = omitted
		}
	}
	delete(record, "resources")
	if less, err := json.Marshal(record); err == nil {
		return less
	}
	return text
}

// Reach returns an error if a trail to dest could not be opened, or could not be
// written. It creates and writes nothing. A collector sees a connection that
// ends.
func Reach(dest string) error {
	if dest == "-" || dest == "off" {
		return nil
	}
	s, ok, err := parseSocket(dest)
	if err != nil {
		return err
	}
	if ok {
		if _, err := s.connect(); err != nil {
			return err
		}
		return s.Close()
	}
	if dest == "" {
		return errors.New("no destination")
	}
	f, err := os.OpenFile(dest, os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return writableFolder(filepath.Dir(dest))
	}
	if err != nil {
		return err
	}
	return f.Close()
}
