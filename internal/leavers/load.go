// Package leavers sends calls whose clients leave: they reset the connection,
// close their sending side, or end their context at a random moment. Afterwards
// it compares the data with the trail. It is for tests and for generating load.
//
// Every change is requested once: each call acts on a user with the run and a
// number in its name. So that call caused the final state, and its record must
// be a success.
package leavers

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"rollcall/internal/sigv4/sigv4test"
)

// Load describes a number of clients that leave.
type Load struct {
	// Addr is the address of the service; TLS is nil for plain HTTP. If Handler
	// is set, it is called in process instead, and contexts end.
	Addr    string
	TLS     *tls.Config
	Handler http.Handler
	// Credentials have full permissions in their account.
	Credentials sigv4test.Credentials
	Now         func() time.Time // nil means time.Now
	// Name begins the names of the created users: no two runs on one account
	// may share it.
	Name    string
	Clients int // the number of clients at the same time; 0 means 8
	Calls   int // the total number of calls; 0 means until the context ends
	// Patience is the maximum time that a client waits before it leaves; 0
	// means 3 ms.
	Patience time.Duration
}

// Result counts the results of the calls.
type Result struct {
	Calls    int
	Left     int // calls whose clients read no answer
	Answered int
	// Faults lists at most twenty answers that no client should see, and
	// missing answers to waiting clients.
	Faults []string
	faulty int
}

// Run makes the calls.
func (l Load) Run(ctx context.Context) Result {
	if l.Clients <= 0 {
		l.Clients = 8
	}
	if l.Patience <= 0 {
		l.Patience = 3 * time.Millisecond
	}
	if l.Now == nil {
		l.Now = time.Now
	}
	var all Result
	var mu sync.Mutex
	var wait sync.WaitGroup
	for i := range l.Clients {
		wait.Go(func() {
			c := &client{Load: l, name: fmt.Sprintf("%s-%d", l.Name, i)}
			for n := i; (l.Calls == 0 || n < l.Calls) && ctx.Err() == nil; n += l.Clients {
				c.call(c.next())
			}
			mu.Lock()
			defer mu.Unlock()
			all.add(c.result)
		})
	}
	wait.Wait()
	return all
}

func (r *Result) add(more Result) {
	r.Calls += more.Calls
	r.Left += more.Left
	r.Answered += more.Answered
	r.faulty += more.faulty
	r.Faults = append(r.Faults, more.Faults...)
	r.Faults = r.Faults[:min(len(r.Faults), 20)]
}

func (r Result) String() string {
	text := fmt.Sprintf("%d calls, %d answered, %d left, %d faults", r.Calls, r.Answered, r.Left, r.faulty)
	return strings.Join(append([]string{text}, r.Faults...), "\n")
}

// client sends calls one after the other.
type client struct {
	Load
	result   Result
	name     string
	subjects int       // users of this client
	plan     []request // the next calls
}

func (c *client) fault(r request, way, format string, args ...any) {
	c.result.faulty++
	if len(c.result.Faults) < 20 {
		c.result.Faults = append(c.result.Faults, fmt.Sprintf("%s (%s): %s", r.form, way, fmt.Sprintf(format, args...)))
	}
}

// call sends one call and leaves.
func (c *client) call(r request) {
	c.result.Calls++
	if c.Handler != nil {
		c.inProcess(r)
		return
	}
	raw := c.wire(r)
	conn, err := c.dial()
	if err != nil {
		c.fault(r, "dial", "%v", err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	switch way := rand.IntN(10); {
	case way < 4:
		_, _ = conn.Write(raw)
		c.reset(conn)
	case way < 5:
		_, _ = conn.Write(raw[:rand.IntN(len(raw))])
		c.reset(conn)
	case way < 6:
		_, _ = conn.Write(raw)
		time.Sleep(rand.N(c.Patience))
		c.result.Left++
	case way < 9:
		if _, err := conn.Write(raw); err != nil {
			c.fault(r, "half-close", "%v", err)
			return
		}
		time.Sleep(rand.N(c.Patience))
		_ = conn.(interface{ CloseWrite() error }).CloseWrite() // over TLS this is close_notify
		c.read(r, "half-close", conn)
	default:
		if _, err := conn.Write(raw); err != nil {
			c.fault(r, "stay", "%v", err)
			return
		}
		c.read(r, "stay", conn)
	}
}

func (c *client) dial() (net.Conn, error) {
	if c.TLS != nil {
		return tls.Dial("tcp", c.Addr, c.TLS)
	}
	return net.Dial("tcp", c.Addr)
}

// reset ends the connection without notice to the other side.
func (c *client) reset(conn net.Conn) {
	time.Sleep(rand.N(c.Patience))
	if over, ok := conn.(*tls.Conn); ok {
		conn = over.NetConn()
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
	c.result.Left++
}

func (c *client) read(r request, way string, from io.Reader) {
	answer, err := http.ReadResponse(bufio.NewReader(from), nil)
	if err != nil {
		c.fault(r, way, "no answer: %v", err)
		return
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		c.fault(r, way, "half an answer: %v", err)
		return
	}
	c.judge(r, way, answer.StatusCode, body)
}

func (c *client) judge(r request, way string, status int, body []byte) {
	c.result.Answered++
	if status >= 500 || !r.stranger && (status == http.StatusForbidden || status == http.StatusBadRequest) {
		c.fault(r, way, "%d %s", status, body[:min(len(body), 300)])
	}
}

// inProcess ends the context of a call that a handler answers.
func (c *client) inProcess(r request) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	in := c.request(r).WithContext(ctx)
	out := httptest.NewRecorder()
	defer time.AfterFunc(rand.N(c.Patience), cancel).Stop()
	c.Handler.ServeHTTP(out, in)
	c.judge(r, "context", out.Code, out.Body.Bytes())
}
