package server

import (
	"net"
	"testing"
	"time"
)

// Only a client that waits to be accepted needs room.
func TestPending(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if pending(l) {
		t.Error("somebody waits before anybody came")
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for end := time.Now().Add(10 * time.Second); !pending(l); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the client that waits is not noticed")
		}
	}
}
