package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// eavesdropper is a server without TLS. It asks for the password in plain text
// if the client continues.
type eavesdropper struct {
	net.Listener
	mu    sync.Mutex
	heard bytes.Buffer
}

func newEavesdropper(t *testing.T) *eavesdropper {
	t.Helper()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	e := &eavesdropper{Listener: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go e.serve(c)
		}
	}()
	return e
}

func (e *eavesdropper) serve(c net.Conn) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		if binary.BigEndian.Uint32(head[4:]) == 80877103 { // SSLRequest
			c.Write([]byte("N"))
			continue
		}
		c.Write([]byte{'R', 0, 0, 0, 8, 0, 0, 0, 3}) // AuthenticationCleartextPassword
		e.mu.Lock()
		e.heard.Write(head)
		e.mu.Unlock()
		buf := make([]byte, 1024)
		for {
			n, err := c.Read(buf)
			e.mu.Lock()
			e.heard.Write(buf[:n])
			e.mu.Unlock()
			if err != nil {
				return
			}
			if bytes.Contains(buf[:n], []byte("hunter2")) {
				return
			}
		}
	}
}

// No password and no name is sent to another machine in plain text, unless that
// is requested explicitly and allowed.
func TestPlainText(t *testing.T) {
	t.Parallel()
	// 0.0.0.0 is this machine, although it does not look like it.
	for _, c := range []struct {
		hosts, sslmode string
		allow          bool
		plain, refused bool
	}{
		{"0.0.0.0", "", false, false, false},
		{"0.0.0.0", "prefer", false, false, false},
		{"0.0.0.0", "allow", false, false, false},
		{"0.0.0.0", "require", false, false, false},
		{"0.0.0.0", "verify-full", false, false, false},
		{"0.0.0.0", "disable", false, false, true},
		{"0.0.0.0", "disable", true, true, false},
		{"0.0.0.0", "prefer", true, false, false},
		{"0.0.0.0,0.0.0.0", "prefer", false, false, false},
		{"0.0.0.0,127.0.0.1", "disable", false, false, true},
		{"127.0.0.1,0.0.0.0", "disable", false, false, true},
		{"127.0.0.1", "", false, true, false},
		{"127.0.0.1", "disable", false, true, false},
		{"localhost", "prefer", false, true, false},
	} {
		t.Run(fmt.Sprintf("%s %s %t", c.hosts, c.sslmode, c.allow), func(t *testing.T) {
			t.Parallel()
			e := newEavesdropper(t)
			_, port, _ := net.SplitHostPort(e.Addr().String())
			var at []string
			for _, host := range strings.Split(c.hosts, ",") {
				at = append(at, host+":"+port)
			}
			url := "postgres://eve:hunter2@" + strings.Join(at, ",") + "/db?connect_timeout=5"
			if c.sslmode != "" {
				url += "&sslmode=" + c.sslmode
			}
			db, err := store.Open(t.Context(), store.Config{URL: url, AllowPlain: c.allow})
			if err == nil {
				db.Close()
				t.Fatal("opened")
			}
			if got := errors.Is(err, store.ErrPlainPostgres); got != c.refused {
				t.Errorf("%v", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error contains the password: %v", err)
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			if got := strings.Contains(e.heard.String(), "hunter2"); got != c.plain {
				t.Errorf("the password went out: %t, want %t", got, c.plain)
			}
			if !c.plain && e.heard.Len() > 0 {
				t.Errorf("%q went out", e.heard.String())
			}
		})
	}
}

// With fewer connections a report could wait for itself.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	for _, few := range []string{"1", "2"} {
		_, err := store.Open(t.Context(), store.Config{URL: "postgres://localhost:1/x?pool_max_conns=" + few})
		if err == nil || !strings.Contains(err.Error(), "pool_max_conns="+few+" is too small") {
			t.Errorf("%s: %v", few, err)
		}
	}
}

// Only the uses of credentials are committed without waiting for the disk.
func TestCommitsWait(t *testing.T) {
	t.Parallel()
	cfg := storetest.Postgres(t)
	cfg.URL += "&synchronous_commit=on"
	db := storetest.Open(t, cfg)
	for want, update := range map[string]func(context.Context, func(*store.Tx) error) error{
		"on": db.Update, "off": db.UpdateSoon,
	} {
		var got [][2]string
		err := update(t.Context(), func(tx *store.Tx) (err error) {
			got, err = tx.Pairs("SELECT current_setting('synchronous_commit'), ''")
			return err
		})
		if err != nil || len(got) != 1 || got[0][0] != want {
			t.Errorf("synchronous_commit is %v, want %s: %v", got, want, err)
		}
	}
}
