// Package wireclient sends signed requests over connections of its own. An SDK
// client would cost more than the server, on the same processors.
package wireclient

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
	"time"

	"rollcall/internal/sigv4/sigv4test"
)

// Request returns a signed POST to an address in its wire form.
func Request(addr string, k sigv4test.Credentials, service, form string) []byte {
	r, err := http.NewRequest(http.MethodPost, "http://"+addr+"/", nil)
	if err != nil {
		panic(err)
	}
	body := []byte(form)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sigv4test.Sign(r, body, k, "us-east-1", service, time.Now())
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", addr, len(body))
	_ = r.Header.Write(&b)
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// Client is one connection. It is opened again when the server closes it.
type Client struct {
	Addr string

	conn net.Conn
	r    *bufio.Reader
}

// Close ends the connection.
func (c *Client) Close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// Do sends a request and reads the answer to its end. If to is set, it gets the
// body.
func (c *Client) Do(request []byte, to io.Writer) (status int, n int64, err error) {
	for try := 0; ; try++ {
		fresh := c.conn == nil
		if err = c.Send(request); err == nil {
			if status, n, err = c.Receive(to); err == nil {
				return status, n, nil
			}
		}
		c.Close()
		// A server may close an idle connection, but not a new one.
		if fresh || try > 0 {
			return status, n, err
		}
	}
}

// Send sends one request, or several in a row.
func (c *Client) Send(requests []byte) (err error) {
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.Addr); err != nil {
			return err
		}
		c.r = bufio.NewReaderSize(c.conn, 1<<16)
	}
	_, err = c.conn.Write(requests)
	return err
}

// Receive reads the answer to a request that Send has sent.
func (c *Client) Receive(to io.Writer) (status int, n int64, err error) {
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
		c.Close()
	}
	return status, n, err
}
