package service_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/jackc/pgx/v5"
	"github.com/ncruces/go-sqlite3"

	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// leftRecord is part of the record of a call whose client has left.
const leftRecord = `"errorCode":"ClientDisconnected"`

// Clients reset their connections while their changes wait for the account's
// turn. They keep no place, no goroutine and no descriptor, and none of their
// changes happens. Clients that only close their sending side continue to wait
// and get an answer.
func TestLeaversKeepNoPlaceInAQueue(t *testing.T) {
	// It does not run in parallel with others, because it counts the resources
	// of the process.
	const leavers, polite = 200, 20
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		if cfg.Memory {
			t.Skip("no other process can hold the writer")
		}
		cfg.Now = time.Now
		// No call times out here, so a call that ends early was left by its
		// client.
		w := newWorld(t, service.Config{Store: cfg, CallTimeout: time.Minute})
		over := w.overTLS(t)
		dials := []func() (net.Conn, error){
			func() (net.Conn, error) { return net.Dial("tcp", strings.TrimPrefix(w.url, "http://")) },
			func() (net.Conn, error) { return tls.Dial("tcp", over.Addr, over.TLS) },
		}
		sent := func(kind string, n int) []net.Conn {
			conns := make([]net.Conn, n)
			for i := range conns {
				c, err := dials[i%2]()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				c.SetDeadline(time.Now().Add(time.Minute))
				io.WriteString(c, w.signedBytes(t, call("CreateUser", fmt.Sprintf("UserName=%s-%d", kind, i))))
				conns[i] = c
			}
			return conns
		}
		w.user(t, "Ann")
		before := w.use(t, use{})
		release := holdWriter(t, cfg)
		// The first one does not leave. Those behind it must not wait for it.
		first := sent("first", 1)
		until(t, "the first change waits", func() bool { return runtime.NumGoroutine() >= before.goroutines+2 })
		time.Sleep(100 * time.Millisecond) // its transaction has begun
		leaving := sent("left", leavers)
		// A goroutine serves each, and another one of net/http reads on.
		until(t, "the changes wait", func() bool { return runtime.NumGoroutine() >= before.goroutines+2*(leavers+1) })
		waiting := sent("polite", polite)
		for _, c := range waiting {
			c.(interface{ CloseWrite() error }).CloseWrite()
		}
		start := time.Now()
		for _, c := range leaving {
			if over, ok := c.(*tls.Conn); ok {
				c = over.NetConn()
			}
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
		until(t, "those who left are gone", func() bool {
			if strings.Count(w.trail.String(), leftRecord) < leavers {
				return false
			}
			files, err := os.ReadDir("/proc/self/fd")
			return err == nil && runtime.NumGoroutine() <= before.goroutines+4*polite &&
				len(files) <= before.files+4*polite
		})
		t.Logf("they were gone after %s", time.Since(start))
		release()
		for i, c := range append(waiting, first...) {
			if a := (wire{c, bufio.NewReader(c)}).answer(t); a.status != 200 {
				t.Errorf("polite %d: %+v", i, a)
			}
		}
		w.onlyPolite(t, leavers, polite)
	})
}

// onlyPolite compares the data, the trail and the log with the results of the
// changes.
func (w *world) onlyPolite(t *testing.T, leavers, polite int) {
	t.Helper()
	made := 0
	for _, u := range must(t, w.root.ListUsers, &iam.ListUsersInput{MaxItems: ptr(int32(1000))}).Users {
		if strings.HasPrefix(*u.UserName, "left-") {
			t.Errorf("%s was made", *u.UserName)
		}
		if strings.HasPrefix(*u.UserName, "polite-") {
			made++
		}
	}
	if made != polite {
		t.Errorf("%d users of those who waited, want %d", made, polite)
	}
	left := 0
	until(t, "those who left are recorded", func() bool {
		for _, line := range w.trail.lines() {
			switch {
			case !strings.Contains(line, `"left-`):
			case strings.Contains(line, leftRecord):
				left++
			default:
				t.Errorf("recorded: %s", line)
			}
		}
		return left >= leavers
	})
	if left != leavers {
		t.Errorf("%d records of those who left, want %d", left, leavers)
	}
	if said := w.log.String(); strings.Contains(said, `"level":"ERROR"`) || strings.Contains(said, `"level":"WARN"`) {
		t.Errorf("the log: %.2000s", said)
	}
}

// holdWriter lets another process hold the lock for all changes until release
// is called.
func holdWriter(t *testing.T, cfg store.Config) (release func()) {
	t.Helper()
	if cfg.URL != "" {
		return holdTurns(t, cfg.URL)
	}
	db, err := sqlite3.Open("file:" + cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Exec("PRAGMA busy_timeout(2000); BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := db.Exec("ROLLBACK"); err != nil {
			t.Error(err)
		}
	}
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			files, _ := os.ReadDir("/proc/self/fd")
			t.Fatalf("not in time: %s; %d goroutines, %d files", what, runtime.NumGoroutine(), len(files))
		}
	}
}

// holdTurns holds the turns of all accounts.
func holdTurns(t *testing.T, url string) (release func()) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(context.Background()) })
	if _, err := db.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		if _, err := db.Exec(t.Context(), fmt.Sprintf("LOCK TABLE turns_%d IN EXCLUSIVE MODE", i)); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if _, err := db.Exec(t.Context(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
	}
}
