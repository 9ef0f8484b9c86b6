package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/internal/e2e/e2etest"
	"rollcall/internal/sigv4/sigv4test"
)

// misbehaviour is a kind of harmful caller: it leaves, waits, never reads, or
// floods.
type misbehaviour struct {
	name   string
	atOnce int
	pause  time.Duration // pause after each turn
	turn   func(c *caller)
}

// misbehaviours are kinds that nobody else may notice. The changes of those
// with a key stay within fifty users.
var misbehaviours = []misbehaviour{
	{"hangs up, without a key", 2, 10 * time.Millisecond, func(c *caller) {
		c.hangUp(unknownKey, "Action=ListUsers&Version=2010-05-08")
	}},
	{"hangs up, with a key", 2, 10 * time.Millisecond, func(c *caller) { c.hangUp(c.key, c.anyAction()) }},
	{"closes its sending side", 2, 20 * time.Millisecond, (*caller).halfClose},
	{"says nothing", 20, time.Second, func(c *caller) { c.hold("") }},
	{"ends no body", 20, time.Second, func(c *caller) {
		c.hold("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
			"Content-Length: 1048576\r\n\r\n" + strings.Repeat("a", 1<<20-10))
	}},
	{"ends no headers, all of them tiny", 20, time.Second, func(c *caller) {
		c.hold("GET / HTTP/1.1\r\n" + strings.Repeat("a:\r\n", 13<<10))
	}},
	{"reads no answers", 10, time.Second, func(c *caller) {
		c.hold(strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 20_000))
	}},
	{"reads no answers of the admin port", 2, time.Second, func(c *caller) {
		c.host = strings.TrimPrefix(c.node.Admin, "http://")
		c.hold(strings.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 2000))
	}},
	{"floods, in ugly words", 3, 100 * time.Millisecond, (*caller).flood},
	{"reads a report slowly", 10, time.Second, (*caller).readSlowly},
}

// unknownKey is a key that the service does not know.
var unknownKey = e2etest.Key{ID: "AKIAIOSFODNN7STRANGE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}

// patience is the time for which a caller holds an idle connection.
const patience = 20 * time.Second

// caller is one caller of a kind.
type caller struct {
	ctx  context.Context
	node *e2etest.Process
	key  e2etest.Key // a key of an account
	host string
	// from is the address of all callers of a kind.
	from net.IP
	// turns and wrong count; first is the first wrong answer.
	turns, wrong *atomic.Int64
	first        func(error)
}

// misbehave starts callers of all kinds until the context ends. wait then waits
// for them. A wrong answer to a caller that waits for it is an error.
func misbehave(
	ctx context.Context, t *testing.T, node *e2etest.Process, k e2etest.Key, pace func() time.Duration,
) (report func() string, wait func()) {
	var callers sync.WaitGroup
	turns, wrong := make([]atomic.Int64, len(misbehaviours)), make([]atomic.Int64, len(misbehaviours))
	for i, kind := range misbehaviours {
		var once sync.Once
		for range kind.atOnce {
			c := &caller{
				ctx: ctx, node: node, key: k, host: strings.TrimPrefix(node.URL, "http://"),
				from:  net.IPv4(127, 0, 1, byte(i+1)),
				turns: &turns[i], wrong: &wrong[i],
				first: func(err error) { once.Do(func() { t.Errorf("who %s: %v", kind.name, err) }) },
			}
			callers.Go(func() {
				for ctx.Err() == nil {
					kind.turn(c)
					select {
					case <-ctx.Done():
					case <-time.After(kind.pause + 2*pace()):
					}
				}
			})
		}
	}
	return func() string {
		var b strings.Builder
		for i, kind := range misbehaviours {
			fmt.Fprintf(&b, "%10d times one who %s; %d wrong answers\n", turns[i].Load(), kind.name, wrong[i].Load())
		}
		return b.String()
	}, callers.Wait
}

// dial connects for the caller's remaining time.
func (c *caller) dial() (*net.TCPConn, func()) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: c.from}, Timeout: 5 * time.Second}
	conn, err := d.DialContext(c.ctx, "tcp", c.host)
	if err != nil {
		return nil, func() {} // refused, because there is no room
	}
	stop := context.AfterFunc(c.ctx, func() { conn.Close() })
	return conn.(*net.TCPConn), func() { stop(); conn.Close() }
}

// request returns a signed call in its wire form.
func (c *caller) request(k e2etest.Key, agent, form string) []byte {
	r, err := http.NewRequest(http.MethodPost, c.node.URL+"/", strings.NewReader(form))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if agent != "" {
		r.Header.Set("User-Agent", agent)
	}
	if k.ID != "" {
		service := "iam"
		if strings.Contains(form, "2011-06-15") {
			service = "sts"
		}
		sigv4test.Sign(r, []byte(form), sigv4test.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret},
			"us-east-1", service, time.Now())
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// anyAction returns a call of any kind: a short or long read, a change, a
// report.
func (c *caller) anyAction() string {
	name := fmt.Sprintf("&Version=2010-05-08&UserName=left-%d", rand.N(50))
	actions := []string{
		"Action=CreateUser" + name, "Action=DeleteUser" + name, "Action=GetUser" + name, "Action=ListAccessKeys" + name,
		"Action=TagUser&Tags.member.1.Key=a&Tags.member.1.Value=b" + name,
		"Action=AttachUserPolicy&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess" + name,
		"Action=DetachUserPolicy&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess" + name,
		"Action=ListUsers&MaxItems=1000&Version=2010-05-08",
		"Action=GetAccountAuthorizationDetails&MaxItems=20&Version=2010-05-08",
		"Action=GenerateCredentialReport&Version=2010-05-08", "Action=GetCredentialReport&Version=2010-05-08",
		"Action=GetCallerIdentity&Version=2011-06-15",
	}
	return actions[rand.N(len(actions))]
}

// hangUp resets the connection up to 3 ms after the call was sent.
func (c *caller) hangUp(k e2etest.Key, form string) {
	conn, closed := c.dial()
	defer closed()
	if conn == nil {
		return
	}
	conn.SetLinger(0)
	conn.Write(c.request(k, "", form))
	time.Sleep(rand.N(3 * time.Millisecond))
	c.turns.Add(1)
}

// halfClose sends everything and waits for the answer, which it must get.
func (c *caller) halfClose() {
	conn, closed := c.dial()
	defer closed()
	if conn == nil {
		return
	}
	conn.Write(c.request(c.key, "", []string{
		"Action=GetUser&Version=2010-05-08", "Action=ListUsers&MaxItems=100&Version=2010-05-08",
		"Action=GetCallerIdentity&Version=2011-06-15",
		"Action=UpdateAccountPasswordPolicy&MinimumPasswordLength=14&Version=2010-05-08",
	}[rand.N(4)]))
	conn.CloseWrite()
	conn.SetReadDeadline(time.Now().Add(answerWithin))
	answer, err := io.ReadAll(conn)
	if c.ctx.Err() != nil {
		return
	}
	c.turns.Add(1)
	if status, _, _ := strings.Cut(string(answer), "\r\n"); err != nil || status != "HTTP/1.1 200 OK" {
		c.wrong.Add(1)
		c.first(fmt.Errorf("answered %q, %v", answer, err))
	}
}

// hold sends as much as it can and then does nothing.
func (c *caller) hold(text string) {
	conn, closed := c.dial()
	defer closed()
	if conn == nil {
		return
	}
	c.turns.Add(1)
	conn.SetDeadline(time.Now().Add(patience))
	io.WriteString(conn, text)
	select {
	case <-c.ctx.Done():
	case <-time.After(rand.N(patience)):
	}
}

// flood sends a hundred calls that are refused, with texts that are not UTF-8.
func (c *caller) flood() {
	conn, closed := c.dial()
	defer closed()
	if conn == nil {
		return
	}
	conn.SetDeadline(time.Now().Add(patience))
	const many = 100
	one := c.request(e2etest.Key{}, strings.Repeat("\xff", 1024), "Action=ListUsers&Version=2010-05-08")
	go conn.Write(bytes.Repeat(one, many))
	answers := bufio.NewReader(conn)
	for range many {
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			return
		}
		io.Copy(io.Discard, answer.Body)
		c.turns.Add(1)
	}
}

// readSlowly reads a report in small pieces.
func (c *caller) readSlowly() {
	conn, closed := c.dial()
	defer closed()
	if conn == nil {
		return
	}
	conn.SetReadBuffer(4096)
	conn.Write(c.request(c.key, "", "Action=GetCredentialReport&Version=2010-05-08"))
	c.turns.Add(1)
	bite := make([]byte, 1024)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		conn.SetReadDeadline(end)
		if _, err := conn.Read(bite); err != nil {
			return
		}
	}
}
