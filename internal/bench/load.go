package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"rollcall/internal/sigv4/sigv4test"
)

// target is a server under load.
type target struct {
	addr        string
	credentials sigv4test.Credentials
}

// request returns a signed POST in its wire form. The load generator sends
// these bytes itself: an SDK client would cost more than the server, on the
// same two cores.
func (t target) request(service, form string) []byte {
	r, err := http.NewRequest(http.MethodPost, "http://"+t.addr+"/", nil)
	if err != nil {
		panic(err)
	}
	body := []byte(form)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sigv4test.Sign(r, body, t.credentials, "us-east-1", service, time.Now())
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", t.addr, len(body))
	_ = r.Header.Write(&b)
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// client is one connection. It is opened again when the server closes it.
type client struct {
	addr string
	conn net.Conn
	r    *bufio.Reader
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// do sends a request and reads the answer to its end. If to is set, it gets the
// body.
func (c *client) do(request []byte, to io.Writer) (status int, n int64, err error) {
	for try := 0; ; try++ {
		fresh := c.conn == nil
		if fresh {
			if c.conn, err = net.Dial("tcp", c.addr); err != nil {
				return 0, 0, err
			}
			c.r = bufio.NewReaderSize(c.conn, 1<<16)
		}
		status, n, err = c.once(request, to)
		if err == nil {
			return status, n, nil
		}
		c.close()
		// A server may close an idle connection, but not a new one.
		if fresh || try > 0 {
			return status, n, err
		}
	}
}

func (c *client) once(request []byte, to io.Writer) (status int, n int64, err error) {
	if _, err = c.conn.Write(request); err != nil {
		return 0, 0, err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, 0, err
	}
	if len(line) < 12 {
		return 0, 0, errors.New("no status line")
	}
	status, _ = strconv.Atoi(string(line[9:12]))
	length, last := int64(-1), bytes.HasPrefix(line, []byte("HTTP/1.0"))
	for {
		line, err = c.r.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		if len(line) <= 2 {
			break
		}
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ":")
		switch {
		case strings.EqualFold(name, "Content-Length"):
			length, _ = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		case strings.EqualFold(name, "Connection") && strings.EqualFold(strings.TrimSpace(value), "close"):
			last = true
		}
	}
	if length < 0 {
		return 0, 0, errors.New("answer without a length")
	}
	if to == nil {
		to = io.Discard
	}
	n, err = io.CopyN(to, c.r, length)
	if last {
		c.close()
	}
	return status, n, err
}

// call returns one request that must succeed.
func (t target) call(service, form string) (string, error) {
	c := &client{addr: t.addr}
	defer c.close()
	var body bytes.Buffer
	status, _, err := c.do(t.request(service, form), &body)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, body.String())
	}
	return body.String(), err
}

// rate runs step in a number of clients for a time, and returns the number of
// steps per second.
func (t target) rate(clients int, d time.Duration, step func(c *client, worker, i int) error) (float64, error) {
	var wait sync.WaitGroup
	counts := make([]int, clients)
	errs := make([]error, clients)
	start := time.Now()
	for w := range clients {
		wait.Go(func() {
			c := &client{addr: t.addr}
			defer c.close()
			for time.Since(start) < d && errs[w] == nil {
				errs[w] = step(c, w, counts[w])
				counts[w]++
			}
		})
	}
	wait.Wait()
	took := time.Since(start).Seconds()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / took, errors.Join(errs...)
}

// want returns an error for an answer that is not 200.
func want(status int, _ int64, err error) error {
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d", status)
	}
	return err
}
