package server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/access"
	"rollcall/internal/api"
	"rollcall/internal/awsquery"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/server"
	"rollcall/internal/sigv4"
	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
	"rollcall/internal/sts"
	"rollcall/internal/trail"
)

var key = sigv4test.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE",
	SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}

// pipes is a listener whose connections are pipes, so that a synctest bubble
// controls time.
type pipes struct {
	conns chan net.Conn
	close func()
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func newPipes() *pipes {
	done := make(chan struct{})
	return &pipes{conns: make(chan net.Conn), done: done, close: sync.OnceFunc(func() { close(done) })}
}

func (p *pipes) dial() net.Conn {
	mine, theirs := net.Pipe()
	p.conns <- theirs
	return mine
}

// edge is a server in a bubble, with one key and two actions:
// GetCallerIdentity, and a report that stream writes.
type edge struct {
	*pipes
	log  bytes.Buffer
	stop func()
}

func newEdge(t *testing.T, stream awsquery.Blob) *edge { return newEdgeFor(t, stream, time.Second) }

func newEdgeFor(t *testing.T, stream awsquery.Blob, grace time.Duration) *edge {
	return newEdgeWith(t, stream, server.Limits{}, grace)
}

func newEdgeWith(t *testing.T, stream awsquery.Blob, limits server.Limits, grace time.Duration) *edge {
	e := &edge{pipes: newPipes()}
	log := slog.New(slog.NewTextHandler(&e.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	report := func(context.Context, *identity.GetCredentialReportInput) (*identity.GetCredentialReportOutput, error) {
		return &identity.GetCredentialReportOutput{Content: stream}, nil
	}
	root := store.User{Account: "123456789012"}
	db := storetest.Open(t, store.Config{Memory: true})
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.InsertAccount(store.Account{ID: root.Account, Partition: "aws"}), tx.InsertUser(root))
	})
	if err != nil {
		t.Fatal(err)
	}
	actions := append(sts.New(db, nil, sts.Config{}).Actions(), api.Bind(report, api.Reads, api.Free))
	handler := server.New(server.Config{
		API: api.New(actions, access.New(db), trail.New(io.Discard), log, time.Now), Log: log,
		Lookup: func(_ context.Context, id, _ string) ([]byte, principal.Signer, error) {
			if id != key.AccessKeyID {
				return nil, principal.Signer{}, sigv4.ErrUnknownKey
			}
			return []byte(key.SecretAccessKey),
				principal.Signer{Owner: store.Owner{Partition: "aws", User: root}}, nil
		},
		Used: func(string, store.LastUsed) {},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, server.Limit(e, limits), handler, log, grace) }()
	e.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	return e
}

// request returns a signed request in its wire form.
func request(t testing.TB, form string) string {
	t.Helper()
	r, err := http.NewRequest("POST", "http://rollcall/", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	service := "sts"
	if strings.Contains(form, "2010-05-08") {
		service = "iam"
	}
	sigv4test.Sign(r, []byte(form), key, "us-east-1", service, time.Now())
	var out bytes.Buffer
	if err := r.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const whoAmI, getReport = "Action=GetCallerIdentity&Version=2011-06-15", "Action=GetCredentialReport&Version=2010-05-08"

// bubble runs a test with an edge in a bubble of its own.
func bubble(t *testing.T, stream awsquery.Blob, test func(t *testing.T, e *edge)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t, stream)
		test(t, e)
		e.stop()
	})
}

// whole reads an answer and its body.
func whole(t testing.TB, c io.Reader) (status int, body string, err error) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, "", err
	}
	all, err := io.ReadAll(response.Body)
	return response.StatusCode, string(all), err
}

func TestSlowHeaders(t *testing.T) {
	bubble(t, awsquery.Blob{}, func(t *testing.T, e *edge) {
		c, begin := e.dial(), time.Now()
		var sending sync.WaitGroup
		sending.Go(func() {
			for _, b := range []byte(request(t, whoAmI)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		rest, _ := io.ReadAll(c)
		if took := time.Since(begin); took != 10*time.Second || strings.Contains(string(rest), "200 OK") {
			t.Errorf("after %v: %q", took, rest)
		}
		c.Close()
		sending.Wait()
	})
}

func TestSlowBody(t *testing.T) {
	bubble(t, awsquery.Blob{}, func(t *testing.T, e *edge) {
		c, begin := e.dial(), time.Now()
		sent := request(t, whoAmI)
		var sending sync.WaitGroup
		sending.Go(func() {
			head := strings.Index(sent, "\r\n\r\n") + 4
			io.WriteString(c, sent[:head])
			for _, b := range []byte(sent[head:]) {
				time.Sleep(5 * time.Second)
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
			}
		})
		status, body, err := whole(t, c)
		if status != 408 || err != nil ||
			!strings.Contains(body,
				"<Code>RequestTimeout</Code>\n    <Message>The request body did not arrive as announced.</Message>") {
			t.Errorf("%d, %v: %s", status, err, body)
		}
		if took := time.Since(begin); took != 30*time.Second {
			t.Errorf("after %v", took)
		}
		c.Close()
		sending.Wait()
	})
}

func TestIdleConnection(t *testing.T) {
	bubble(t, awsquery.Blob{}, func(t *testing.T, e *edge) {
		c := e.dial()
		go io.WriteString(c, request(t, whoAmI))
		in := bufio.NewReader(c)
		if status, _, err := whole(t, in); status != 200 || err != nil {
			t.Fatalf("%d, %v", status, err)
		}
		begin := time.Now()
		if _, err := in.ReadByte(); !errors.Is(err, io.EOF) || time.Since(begin) != 120*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

// pieces returns a report of n pieces, and counts the pieces that could be
// written.
func pieces(n int, wrote *int) awsquery.Blob {
	piece := bytes.Repeat([]byte("0123456789abcde\n"), 3<<10)
	return awsquery.Blob{Size: int64(n * len(piece)), WriteTo: func(w io.Writer) error {
		for range n {
			if _, err := w.Write(piece); err != nil {
				return err
			}
			*wrote++
		}
		return nil
	}}
}

// A client that stops reading is cut off, and its report is not produced any
// further.
func TestStalledReader(t *testing.T) {
	var wrote int
	bubble(t, pieces(1000, &wrote), func(t *testing.T, e *edge) {
		c := e.dial()
		go io.WriteString(c, request(t, getReport))
		in := bufio.NewReader(c)
		if _, err := in.Peek(1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		n, err := io.Copy(io.Discard, in)
		if wrote > 2 || n > 200<<10 {
			t.Errorf("%d pieces were written, %d bytes read, %v", wrote, n, err)
		}
		synctest.Wait()
		if !strings.Contains(e.log.String(), "answer not delivered") {
			t.Errorf("the log says %s", e.log.String())
		}
	})
}

// A client that reads slowly gets the whole report.
func TestSlowReader(t *testing.T) {
	var wrote int
	const n = 50
	bubble(t, pieces(n, &wrote), func(t *testing.T, e *edge) {
		c, begin := e.dial(), time.Now()
		go io.WriteString(c, request(t, getReport))
		status, body, err := whole(t, slowly{c})
		if status != 200 || err != nil || wrote != n || !strings.HasSuffix(body, "</GetCredentialReportResponse>\n") {
			t.Errorf("%d, %d pieces, %v", status, wrote, err)
		}
		if took := time.Since(begin); took < 10*time.Minute {
			t.Errorf("took %v", took)
		}
		c.Close()
	})
}

// slowly reads 16 KiB every five seconds.
type slowly struct{ io.Reader }

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(5 * time.Second)
	return s.Reader.Read(p[:min(len(p), 16<<10)])
}

// A report that cannot be read to its end breaks the connection: half a report
// must not look like a whole one.
func TestBrokenStream(t *testing.T) {
	for name, stream := range map[string]awsquery.Blob{
		"error": {Size: 1 << 20, WriteTo: func(w io.Writer) error {
			w.Write(make([]byte, 1<<19))
			return errors.New("disk failure")
		}},
		"short": {Size: 1 << 20, WriteTo: func(w io.Writer) error {
			_, err := w.Write(make([]byte, 1<<19))
			return err
		}},
		"long": {Size: 1 << 19, WriteTo: func(w io.Writer) error {
			_, err := w.Write(make([]byte, 1<<20))
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, stream, func(t *testing.T, e *edge) {
				c := e.dial()
				go io.WriteString(c, request(t, getReport))
				if _, body, err := whole(t, c); err == nil {
					t.Errorf("an answer of %d bytes, and no error", len(body))
				}
				c.Close()
			})
		})
	}
}

// Running calls end before the server does. Later ones are refused.
func TestGracefulStop(t *testing.T) {
	var wrote int
	synctest.Test(t, func(t *testing.T) {
		stream := pieces(3, &wrote)
		slow := stream.WriteTo
		stream.WriteTo = func(w io.Writer) error { time.Sleep(900 * time.Millisecond); return slow(w) }
		e := newEdge(t, stream)
		c := e.dial()
		go io.WriteString(c, request(t, getReport))
		time.Sleep(100 * time.Millisecond)
		stopped := make(chan struct{})
		go func() { e.stop(); close(stopped) }()
		status, body, err := whole(t, c)
		if status != 200 || err != nil || !strings.HasSuffix(body, "</GetCredentialReportResponse>\n") {
			t.Errorf("%d, %v", status, err)
		}
		<-stopped
		select {
		case <-e.done:
		default:
			t.Error("the listener is open")
		}
	})
}
