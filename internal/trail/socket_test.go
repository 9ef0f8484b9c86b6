package trail

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// readSyslogTCP reads a message and returns its record.
func readSyslogTCP(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	size, err := r.ReadString(' ')
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(size))
	if err != nil {
		t.Fatal(err)
	}
	message := make([]byte, n)
	if _, err := io.ReadFull(r, message); err != nil {
		t.Fatal(err)
	}
	return recordOfSyslog(t, string(message))
}

var syslogMessage = regexp.MustCompile(
	`^<110>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ rollcall \d+ trail - (\{.*\})$`)

func recordOfSyslog(t *testing.T, message string) string {
	t.Helper()
	m := syslogMessage.FindStringSubmatch(message)
	if m == nil {
		t.Fatalf("no message of RFC 5424: %.200q", message)
	}
	return m[1] + "\n"
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	tr := mustOpen(t, "unix://"+path)
	tr.SignWith(testSigner)
	tr.retryEvery = 0
	c := accept(t, l)
	for _, name := range []string{"A", "B"} {
		mustWrite(t, tr, Record{EventName: name, EventTime: time.Now()})
	}
	r := bufio.NewReader(c)
	var text string
	for range 2 {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		text += line
	}
	// The collector goes away and comes back.
	c.Close()
	l.Close()
	for tr.Write(&Record{EventName: "C", EventTime: time.Now()}) == nil {
		time.Sleep(time.Millisecond) // the first may go into the closed connection
	}
	if tr.Probe() == nil {
		t.Error("nobody listens, and the trail claims to be well")
	}
	if l, err = net.Listen("unix", path); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := tr.Probe(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, tr)
	rest, err := io.ReadAll(accept(t, l))
	if got := names(mustEvents(t, text+string(rest), 0)); err != nil || !strings.HasPrefix(got, "A B TrailResumed C") {
		t.Errorf("events %s, %v", got, err)
	}
}

func TestSyslogTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tr := mustOpen(t, "syslog+tcp://"+l.Addr().String())
	tr.SignWith(testSigner)
	r := bufio.NewReader(accept(t, l))
	for _, name := range []string{"A", "B"} {
		mustWrite(t, tr, Record{EventName: name, EventTime: time.Now()})
	}
	mustClose(t, tr)
	text := readSyslogTCP(t, r) + readSyslogTCP(t, r) + readSyslogTCP(t, r)
	if got := names(mustEvents(t, text, 0)); got != "A B TrailCheckpoint" {
		t.Errorf("events %s", got)
	}
	mustBeWhole(t, text)
}

// A record that fits in no datagram is sent without its parameters.
func TestSyslogDatagrams(t *testing.T) {
	for _, network := range []string{"udp", "unixgram"} {
		address, dest := "127.0.0.1:0", "syslog+udp://"
		if network == "unixgram" {
			address, dest = filepath.Join(t.TempDir(), "s"), "syslog+unix://"
		}
		l, err := net.ListenPacket(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		tr := mustOpen(t, dest+l.LocalAddr().String())
		mustWrite(t, tr, Record{EventName: "A"})
		large := json.RawMessage(`{"x":"` + strings.Repeat("x", 70_000) + `"}`)
		mustWrite(t, tr, Record{EventName: "B", RequestParameters: large})
		rec := Record{EventName: "C", RequestParameters: large}
		mustWrite(t, tr, Record{Line: rec.AppendJSON(nil)})
		buf := make([]byte, 70_000)
		text := ""
		for range 3 {
			if err := l.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			n, _, err := l.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			text += recordOfSyslog(t, string(buf[:n]))
		}
		if got := names(mustEvents(t, text, 0)); got != "A B C" || strings.Count(text, `{"omitted":true}`) != 2 {
			t.Errorf("%s: %s, %d bytes", network, got, len(text))
		}
		if report := verify(t, &Verifier{}, text); len(report.Problems) > 0 {
			t.Errorf("%s: %v", network, report.Problems)
		}
	}
}

// A collector that takes nothing stalls the trail, and nobody waits for it.
func TestSocketStalls(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tr := mustOpen(t, "syslog+tcp://"+l.Addr().String())
	tr.Deadline = 50 * time.Millisecond
	accept(t, l)
	rec := Record{EventName: "A", RequestParameters: json.RawMessage(`{"x":"` + strings.Repeat("x", 100_000) + `"}`)}
	for i := 0; !errors.Is(err, ErrStalled); i++ {
		if err = tr.Write(&rec); i > 1000 {
			t.Fatalf("it takes everything: %v", err)
		}
	}
	begun := time.Now()
	if err := tr.Probe(); !errors.Is(err, ErrStalled) {
		t.Errorf("Probe: %v", err)
	}
	_ = tr.Close()
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %s to end", took)
	}
}

func TestNoSocket(t *testing.T) {
	for _, dest := range []string{
		"unix://host/path", "syslog+tcp://localhost", "syslog+udp:///dev/log", "syslog+unix://", "syslog+tcp://h:1/x",
		"syslog+sctp://h:1", "syslog+tls://h", "syslog+tls://h:1?cert=c", "syslog+tls://h:1?cafile=c",
		"syslog+tcp://h:1?ca=c", "syslog+tls://h:1?ca=", "syslog+tls://h:1?ca=%zz", "syslog+tls://h:1?ca=a;cert=b",
		"syslog+tls://h:1?ca=a&ca=b", "syslog+tcp://u:hunter2@h:1", "syslog+tls://u:hunter2@h:1?x=y",
		"syslog+tls://u:hunter2@[::1:1",
	} {
		if _, ok, err := parseSocket(dest); !ok || err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %t, %v", dest, ok, err)
		}
	}
}

func TestOpenSocketFails(t *testing.T) {
	for _, dest := range []string{
		"syslog+tls://h", "syslog+tls://127.0.0.1:1", "syslog+tls://127.0.0.1:1?ca=none.pem",
		"unix://" + filepath.Join(t.TempDir(), "none"), "syslog+tcp://127.0.0.1:1",
	} {
		if tr, err := Open(dest); err == nil {
			t.Errorf("%s opens", dest)
			_ = tr.Close()
		} else if !strings.Contains(fmt.Sprint(err), "open trail") {
			t.Errorf("%s: %v", dest, err)
		}
	}
}
