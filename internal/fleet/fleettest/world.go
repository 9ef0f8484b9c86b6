package fleettest

import (
	"net"
	"strings"
)

// RefuseAll starts a proxy between a test and the network that refuses every
// request. end ends it and returns the requests that it got. Go uses no proxy for
// loopback addresses.
func RefuseAll() (url string, end func() (requests []string)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	var seen []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 200)
			n, _ := c.Read(b)
			line, _, _ := strings.Cut(string(b[:n]), "\r\n")
			seen = append(seen, line)
			c.Close()
		}
	}()
	return "http://" + l.Addr().String(), func() []string {
		l.Close()
		<-done
		return seen
	}
}
