package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/awsquery"
	"rollcall/internal/server"
)

// echo answers with the length of the body.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	fmt.Fprint(w, n, " ", err)
})

// talk sends text and reads the statuses of all answers until the connection is
// closed or idle.
func talk(c net.Conn, text string) (statuses []int) {
	go io.WriteString(c, text)
	in := bufio.NewReader(c)
	for {
		c.SetReadDeadline(time.Now().Add(time.Second))
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			return statuses
		}
		io.Copy(io.Discard, r.Body)
		statuses = append(statuses, r.StatusCode)
	}
}

// Only the lines and bytes of a head count, for every request on a connection, and
// in pieces of any size. A body may have any number.
func TestHeads(t *testing.T) {
	const get = "GET /" + anyHost
	lines := func(n int) string { return strings.Repeat("a:\r\n", n) }
	post := func(body string) string {
		return fmt.Sprintf("POST /%sContent-Length: %d\r\n\r\n%s", anyHost, len(body), body)
	}
	for name, c := range map[string]struct {
		sent string
		want []int
	}{
		"100 lines":        {get + lines(98) + "\r\n", []int{200}},
		"101 lines":        {get + lines(99) + "\r\n", []int{431}},
		"unfinished":       {get + lines(200), []int{431}},
		"64 KiB":           {get + "A: " + strings.Repeat("a", 64<<10-40) + "\r\n\r\n", []int{200}},
		"more than 64 KiB": {get + "A: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", []int{431}},
		"long first line":  {"GET /?" + strings.Repeat("a", 64<<10) + anyHost + "\r\n", []int{431}},
		"pipelined":        {strings.Repeat(get+lines(90)+"\r\n", 5), []int{200, 200, 200, 200, 200}},
		"the second":       {get + "\r\n" + get + lines(200) + "\r\n", []int{200, 431}},
		"bare line feeds": {strings.ReplaceAll(get+lines(98)+"\r\n"+get+lines(99)+"\r\n", "\r", ""),
			[]int{200, 431}},
		"body of lines": {post(strings.Repeat("\r\n", 5000)) + post(strings.Repeat("\n\n", 100_000)) + get +
			"\r\n", []int{200, 200, 200}},
		"head after a body":   {post(strings.Repeat("\n", 300)) + get + lines(99) + "\r\n", []int{200, 431}},
		"empty lines between": {post("a") + "\r\n" + get + "\r\n", []int{200, 200}},
		"chunks": {"POST /" + anyHost + "Transfer-Encoding: chunked\r\n\r\n3\r\n\n\n\n\r\n0\r\n\r\n" +
			get + "\r\n", []int{200}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1 << 20, 1, 7} {
				synctest.Test(t, func(t *testing.T) {
					p, stop := servePipes(t, echo, server.Limits{})
					conn := p.dial()
					got := talk(inPieces{conn, size}, c.sent)
					conn.Close()
					stop()
					if fmt.Sprint(got) != fmt.Sprint(c.want) {
						t.Errorf("in pieces of %d bytes: %d, want %d", size, got, c.want)
					}
				})
			}
		})
	}
}

// inPieces writes in pieces.
type inPieces struct {
	net.Conn
	size int
}

func (c inPieces) Write(p []byte) (n int, err error) {
	for len(p) > 0 && err == nil {
		var m int
		m, err = c.Conn.Write(p[:min(c.size, len(p))])
		n, p = n+m, p[m:]
	}
	return n, err
}

// Unknown clients' connections end to make room for later ones, first those
// that have sent a request. A connection with a key stays.
func TestStrangersGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEdgeWith(t, awsquery.Blob{}, server.Limits{Connections: 40, Strangers: 4}, time.Second)
		known := e.dial()
		if got := talk(known, request(t, whoAmI)); len(got) != 1 || got[0] != 200 {
			t.Fatalf("statuses %d", got)
		}
		var silent, refused [2]net.Conn
		for i := range silent {
			silent[i] = e.dial()
		}
		for i := range refused {
			refused[i] = e.dial()
			if got := talk(refused[i], unread["unsigned"]); len(got) != 1 || got[0] != 403 {
				t.Fatalf("statuses %d", got)
			}
		}
		time.Sleep(3 * time.Second)
		late := e.dial()
		synctest.Wait()
		for name, c := range map[string]struct {
			conn net.Conn
			ends bool
		}{
			"known": {known, false}, "late": {late, false}, "silent": {silent[0], false},
			"also silent":   {silent[1], false},
			"first refused": {refused[0], true}, "second refused": {refused[1], false},
		} {
			if ended := isClosed(c.conn); ended != c.ends {
				t.Errorf("%s: closed %t", name, ended)
			}
		}
		if got := talk(known, request(t, whoAmI)); len(got) != 1 || got[0] != 200 {
			t.Errorf("statuses %d of the one with a key", got)
		}
		for _, c := range append(append(silent[:], refused[:]...), known, late) {
			c.Close()
		}
		e.stop()
	})
}

func isClosed(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return err == io.EOF
}

// At the limit of all connections, the connection with a key that was idle
// longest ends. At the limit of one address, an unknown client's connection
// from that address ends, or the new one.
func TestConnections(t *testing.T) {
	for name, limits := range map[string]server.Limits{
		"in all":      {Connections: 3, Strangers: 3, PerAddress: 3},
		"per address": {Connections: 30, PerAddress: 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEdgeWith(t, awsquery.Blob{}, limits, time.Second)
				var conns []net.Conn
				open := 0
				for range 6 {
					c := e.dial()
					conns = append(conns, c)
					talk(c, request(t, whoAmI))
					time.Sleep(3 * time.Second)
				}
				for _, c := range conns {
					if !isClosed(c) {
						open++
					}
					c.Close()
				}
				if open != 3 {
					t.Errorf("%d connections are open", open)
				}
				e.stop()
			})
		})
	}
}

// The memory of unknown clients is limited. The memory of clients with a known
// key is limited separately. All memory is returned.
func TestMemoryOfBodies(t *testing.T) {
	const form = "Content-Type: application/x-www-form-urlencoded\r\n"
	synctest.Test(t, func(t *testing.T) {
		e := newEdgeWith(t, awsquery.Blob{}, server.Limits{Memory: 4 << 20}, time.Second)
		saml := fmt.Sprintf("POST /%s%sContent-Length: %d\r\n\r\n%s", anyHost, form, 384<<10,
			strings.Repeat("a", 384<<10-10))
		var holding []net.Conn
		hold := func(text string) (held bool) {
			c := e.dial()
			holding = append(holding, c)
			_, err := io.WriteString(c, text)
			// A refused client has five seconds to send the rest.
			c.SetReadDeadline(time.Now().Add(7 * time.Second))
			if err == nil {
				_, err = c.Read(make([]byte, 1))
			}
			return strings.Contains(fmt.Sprint(err), "timeout")
		}
		// Unknown clients have 1 MiB, and a body counts twice.
		if one, two := hold(saml), hold(saml); !one || two {
			t.Errorf("the memory of strangers holds one: %t, two: %t", one, two)
		}
		// Clients with a key have their own budget.
		c := e.dial()
		if got := talk(c, request(t, whoAmI+"&Padding="+strings.Repeat("x", 200<<10))); len(got) != 1 || got[0] != 200 {
			t.Errorf("statuses %d of a large signed call", got)
		}
		c.Close()
		for _, c := range holding {
			c.Close()
		}
		synctest.Wait()
		if !hold(saml) {
			t.Error("memory was not given back")
		}
		holding[len(holding)-1].Close()
		e.stop()
	})
}

// The server does not wait for a body that the client may not send.
func TestBodyNobodyReads(t *testing.T) {
	for name, c := range map[string]struct {
		head string
		want string
	}{
		"unsigned":    {"", "MissingAuthenticationToken"},
		"no signer":   {"Authorization: Bearer x\r\n", "IncompleteSignature"},
		"unknown key": {authorization("AKIAUNKNOWN"), "InvalidClientTokenId"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, awsquery.Blob{}, func(t *testing.T, e *edge) {
				conn, begin := e.dial(), time.Now()
				var sending sync.WaitGroup
				sending.Go(func() {
					io.WriteString(conn, "POST /"+anyHost+"Content-Type: application/x-www-form-urlencoded\r\n"+c.head+
						"Content-Length: 1048576\r\n\r\n"+strings.Repeat("a", 10<<10))
				})
				status, body, err := whole(t, conn)
				if status < 400 || err != nil || !strings.Contains(body, "<Code>"+c.want+"</Code>") {
					t.Errorf("%d, %v: %s", status, err, body)
				}
				if took := time.Since(begin); took > 6*time.Second {
					t.Errorf("after %v", took)
				}
				sending.Wait()
				conn.Close()
			})
		})
	}
}

// authorization returns a header that names a key as a signature does.
func authorization(id string) string {
	// The time at which a bubble begins.
	return "X-Amz-Date: 20000101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=" + id +
		"/20000101/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("0", 64) +
		"\r\n"
}
