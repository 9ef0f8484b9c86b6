package e2e

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/e2e/e2etest"
)

// strangers is the number of simultaneous connections that hold as much as they
// can.
var strangers = flag.Int("strangers", 300, "how many connections of strangers hold what they can")

// mostResident limits the memory of the service with any number of them.
const mostResident = 200 << 20

// Connections of unknown clients, each of which holds as much as it may, use
// little memory, and clients with a key still get answers.
func TestStrangersHoldLittle(t *testing.T) {
	t.Parallel()
	data := e2etest.DataDir(t)
	a := e2etest.CreateAccount(t, "--data", data)
	const post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	length := func(n int) string { return "Content-Length: " + strconv.Itoa(n) + "\r\n\r\n" }
	signed := func(id string) string {
		at := time.Now().UTC()
		return post + "X-Amz-Date: " + at.Format("20060102T150405Z") +
			"\r\nAuthorization: AWS4-HMAC-SHA256 Credential=" + id +
			"/" + at.Format("20060102") + "/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
			strings.Repeat("0", 64) + "\r\n"
	}
	const most = 1 << 20
	body := strings.Repeat("a", most-10)
	for i, kind := range []struct{ name, sent string }{
		{"unsigned bodies", post + length(most) + body},
		{"unsigned bodies as for SAML",
			post + length(384<<10) + "Action=AssumeRoleWithSAML&Version=2011-06-15&SAMLAssertion=" + body[:383<<10]},
		{"bodies of an unknown key", signed("AKIAIOSFODNN7EXAMPLE") + length(most) + body},
		{"bodies of a known key", signed(a.AccessKeyID) + length(most) + body},
		{"tiny headers", "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("a:\r\n", 55<<8) + "\r\n"},
		{"unfinished tiny headers", "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("a:\r\n", 55<<8)},
		{"99 headers", "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("a:"+strings.Repeat("b", 600)+"\r\n", 98)},
		{"long headers", "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 63<<10)},
		{"nothing", ""},
	} {
		t.Run(kind.name, func(t *testing.T) {
			p := e2etest.Serve(t, "--data", data)
			before := resident(t, p, "VmRSS")
			closeAll := hold(p.URL, *strangers, kind.sent)
			defer closeAll()
			// A usual client retries.
			patient := e2etest.Config(p.URL, a.Root(), e2etest.Transport(t))
			patient.Retryer = nil
			for range 5 + *strangers/100 {
				time.Sleep(50 * time.Millisecond)
				if _, err := sts.NewFromConfig(patient).GetCallerIdentity(t.Context(),
					&sts.GetCallerIdentityInput{}); err != nil {
					t.Fatalf("beside %d strangers: %v", *strangers, err)
				}
			}
			// A client whose body is large, on a new connection.
			long := aws.String("/" + strings.Repeat("a", 510) + "/")
			many := make([]types.Tag, 40)
			for i := range many {
				many[i] = types.Tag{Key: aws.String("key" + strconv.Itoa(i)),
					Value: aws.String(strings.Repeat("v", 200))}
			}
			name := aws.String("u" + strconv.Itoa(i))
			patient.HTTPClient = e2etest.Transport(t)
			_, err := iam.NewFromConfig(patient).CreateUser(t.Context(),
				&iam.CreateUserInput{UserName: name, Path: long, Tags: many})
			if err != nil {
				t.Errorf("a large call beside %d strangers: %v", *strangers, err)
			}
			metrics, err := http.Get(p.Admin + "/metrics")
			if err != nil {
				t.Fatal(err)
			}
			metrics.Body.Close()
			most := resident(t, p, "VmHWM")
			t.Logf("%d connections: %d MiB before, %d MiB at most", *strangers, before>>20, most>>20)
			if most > mostResident && !e2etest.RaceEnabled {
				t.Errorf("%d MiB, want at most %d", most>>20, mostResident>>20)
			}
		})
	}
}

// hold opens connections, each of which sends as much of text as it can and
// reads nothing.
func hold(url string, n int, text string) (closeAll func()) {
	var conns sync.WaitGroup
	done := make(chan struct{})
	for range n {
		conns.Go(func() {
			c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				return // refused: no room
			}
			defer c.Close()
			io.WriteString(c, text)
			<-done
		})
	}
	return func() {
		close(done)
		conns.Wait()
	}
}

// resident returns the memory of a process in bytes, as the kernel counts it.
func resident(t *testing.T, p *e2etest.Process, field string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	if err != nil {
		t.Skipf("no /proc: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no %s in %s", field, text)
	return 0
}

// readers is the number of clients that read a report slowly, and readersUsers
// the number of its users.
var (
	readers      = flag.Int("readers", 20, "how many clients read a report and stop")
	readersUsers = flag.Int("readers-users", 20_000, "how many users that report has")
)

// mostOfReader limits the cost of a stopped reader, whatever the report's size.
// garbage is the additional garbage that the collector may leave.
const mostOfReader, garbage = 256 << 10, 48 << 20

// Clients that request a report and stop reading it each hold little of it.
func TestSlowReadersHoldLittle(t *testing.T) {
	t.Parallel()
	flags := []string{"--data", e2etest.DataDir(t)}
	a := e2etest.CreateAccount(t, flags...)
	e2etest.Seed(t, flags, a, *readersUsers)
	p := e2etest.Serve(t, append(flags, "--report-max-age", "1h")...)
	whole := e2etest.Report(t, p, a)
	before := resident(t, p, "VmRSS")

	const ask = "Action=GetCredentialReport&Version=2010-05-08"
	var conns []net.Conn
	for range *readers {
		c, rest := e2etest.SendHalf(t, p, a.Root(), ask)
		if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, rest)
		if _, err := io.ReadFull(c, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	time.Sleep(2 * time.Second)
	most := resident(t, p, "VmHWM")
	t.Logf("%d readers of %d KiB: %d MiB before, %d MiB at most", *readers, len(whole.Content)>>10, before>>20,
		most>>20)
	if most > before+int64(*readers)*mostOfReader+garbage && !e2etest.RaceEnabled {
		t.Errorf("%d readers cost %d MiB", *readers, (most-before)>>20)
	}
	for _, c := range conns {
		c.Close()
	}
}
