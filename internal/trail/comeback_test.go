package trail

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// Calls that come faster than the sink is retried do not postpone the next
// attempt: the trail recovers while they come.
func TestComesBackUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{err: syscall.ENOSPC}
		tr := New(f)
		if err := tr.Write(&Record{}); !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		calls := func(span time.Duration) {
			for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(time.Millisecond) {
				if tr.Probe() != nil {
					_ = tr.Write(&Record{ReadOnly: true, ErrorCode: "ServiceUnavailable"})
				}
			}
		}
		calls(time.Second)
		if f.writes < 8 || f.writes > 12 {
			t.Errorf("%d attempts in a second, want ten", f.writes)
		}
		f.set(nil, 0)
		calls(150 * time.Millisecond)
		if !tr.Healthy() {
			t.Error("the sink is back and the trail is not")
		}
	})
}

// A backlog that does not fit in one write is written in parts. No line is
// written twice, and none is lost.
func TestBacklogFitsInParts(t *testing.T) {
	f := &flaky{err: syscall.ENOSPC}
	tr := New(f)
	tr.retryEvery = 0
	const changes = 300
	for i := range changes {
		rec := Record{RequestID: fmt.Sprint(i), UserAgent: strings.Repeat("x", 1000)}
		if err := tr.Write(&rec); !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	attempts := 0
	for f.set(syscall.ENOSPC, 50_000); tr.Probe() != nil; f.set(syscall.ENOSPC, 50_000) {
		if attempts++; attempts > 20 {
			t.Fatalf("%d bytes are written and the backlog is not", f.text.Len())
		}
	}
	seen := map[string]int{}
	for _, e := range mustEvents(t, f.text.String(), attempts) {
		seen[e.RequestID]++
	}
	for i := range changes {
		if n := seen[fmt.Sprint(i)]; n != 1 {
			t.Errorf("record %d is there %d times", i, n)
		}
	}
	if attempts < 5 || !tr.Healthy() {
		t.Errorf("%d attempts failed, healthy %v", attempts, tr.Healthy())
	}
}

// If a batch did not fit, its part that counts as written is on disk too.
func TestSyncOfPartWritten(t *testing.T) {
	f := &flaky{err: syscall.ENOSPC, room: 100_000, syncErr: syscall.EIO}
	tr := New(f)
	tr.Sync, tr.retryEvery = true, 0
	b := &batch{done: make(chan struct{})}
	for range 300 {
		b.buf = append(getUser().AppendJSON(b.buf), '\n')
		b.lines = append(b.lines, line{len(b.buf), true})
	}
	tr.round(b, failure{})
	if b.written != 0 || !errors.Is(b.err, syscall.EIO) {
		t.Errorf("%d bytes count as on disk, %v", b.written, b.err)
	}
}
