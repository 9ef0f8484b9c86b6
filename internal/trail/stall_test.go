package trail

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A sink that accepts nothing delays no call beyond the deadline. When it
// continues, every record of a change is there, complete and once.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{entered: make(chan struct{}), goOn: make(chan struct{})}
		tr := New(g)
		begin := time.Now()
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				if err := tr.Write(&Record{RequestID: fmt.Sprint(i)}); !errors.Is(err, ErrStalled) {
					t.Errorf("Write: %v", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begin); took != defaultDeadline {
			t.Errorf("the calls under way were held for %v", took)
		}
		// From now on nobody waits.
		begin = time.Now()
		if err := tr.Probe(); !errors.Is(err, ErrStalled) || tr.Healthy() {
			t.Errorf("Probe: %v", err)
		}
		if err := tr.Write(&Record{RequestID: "late"}); !errors.Is(err, ErrStalled) {
			t.Errorf("Write: %v", err)
		}
		const floods, size = 1000, 1500
		for range floods {
			_ = tr.Write(&Record{
				ReadOnly: true, EventName: "Read", UserAgent: strings.Repeat("x", 1024),
				ErrorMessage: strings.Repeat("x", size),
			})
		}
		if err := tr.Write(&Record{RequestID: "change after reads"}); !errors.Is(err, ErrStalled) {
			t.Errorf("Write: %v", err)
		}
		tr.mu.Lock()
		waiting := len(tr.next.buf)
		tr.mu.Unlock()
		if took := time.Since(begin); took != 0 || waiting > maxKept {
			t.Errorf("%v, %d bytes wait", took, waiting)
		}
		close(g.goOn)
		synctest.Wait()
		if !tr.Healthy() || tr.Probe() != nil {
			t.Error("the trail does not come back by itself")
		}
		mustWrite(t, tr, Record{RequestID: "after"})
		seen := map[string]int{}
		resumed, lost := 0, 0
		for _, e := range mustEvents(t, g.text.String(), 0) {
			seen[e.EventName+e.RequestID]++
			lost += e.AdditionalEventData.RecordsLost
			if e.EventName == "TrailResumed" {
				resumed++
			}
		}
		for i := range 10 {
			if seen[fmt.Sprint(i)] != 1 {
				t.Errorf("record %d is there %d times", i, seen[fmt.Sprint(i)])
			}
		}
		if seen["late"] != 1 || seen["change after reads"] != 1 || seen["after"] != 1 || resumed != 1 ||
			seen["Read"]+lost != floods || lost == 0 {
			t.Errorf("%d resumed, %d lost, %d reads, %+v", resumed, lost, seen["Read"], seen)
		}
	})
}

// Close ends even if the sink never accepts anything again.
func TestCloseWhileStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{entered: make(chan struct{}), goOn: make(chan struct{})}
		tr := New(g)
		if err := tr.Write(&Record{}); !errors.Is(err, ErrStalled) {
			t.Errorf("Write: %v", err)
		}
		begin := time.Now()
		if err := tr.Reopen(); !errors.Is(err, ErrStalled) {
			t.Errorf("Reopen: %v", err)
		}
		if err := tr.Close(); !errors.Is(err, ErrStalled) {
			t.Errorf("Close: %v", err)
		}
		if took := time.Since(begin); took > 2*defaultDeadline {
			t.Errorf("closed after %v", took)
		}
		if err := tr.Write(&Record{}); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Write: %v", err)
		}
		close(g.goOn)
	})
}

// A collector stops reading its pipe under load, and continues later. No line
// is torn, lost or repeated. Another process that writes to the same pipe does
// not mix with them.
func TestPipeWhoseReaderStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	trails := []*Trail{mustOpen(t, path), mustOpen(t, path)}
	trails[0].Deadline, trails[1].Deadline = 200*time.Millisecond, 200*time.Millisecond
	var stalled, sent atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range 8 {
		tr := trails[w%2]
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				// Callers do this: no change while the trail is down.
				if tr.Probe() != nil {
					time.Sleep(time.Millisecond)
					continue
				}
				sent.Add(1)
				rec := Record{RequestID: fmt.Sprintf("%d-%d", w, i), UserAgent: strings.Repeat("x", 900)}
				if err := tr.Write(&rec); errors.Is(err, ErrStalled) {
					stalled.Add(1)
				}
			}
		})
	}
	for deadline := time.Now().Add(2 * time.Minute); stalled.Load() < 8; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the calls hang")
		}
	}
	if trails[0].Probe() == nil || trails[1].Probe() == nil {
		t.Error("a trail whose reader stopped says that it is well")
	}
	done := make(chan []string)
	go func() {
		var lines []string
		for s := bufio.NewScanner(reader); s.Scan(); {
			if s.Text() == "end" {
				break
			}
			lines = append(lines, s.Text())
		}
		done <- lines
	}()
	for deadline := time.Now().Add(2 * time.Minute); trails[0].Probe() != nil || trails[1].Probe() != nil; {
		if time.Sleep(5 * time.Millisecond); time.Now().After(deadline) {
			t.Fatal("the trail does not come back")
		}
	}
	time.Sleep(50 * time.Millisecond)
	close(stop)
	wg.Wait()
	for _, tr := range trails {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := reader.WriteString("end\n"); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, e := range mustEvents(t, strings.Join(<-done, "\n")+"\n", 0) {
		if e.EventName != "TrailResumed" {
			seen[e.RequestID]++
		}
	}
	if int64(len(seen)) != sent.Load() {
		t.Errorf("%d records of %d", len(seen), sent.Load())
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
}

// The data of an abandoned write in a pipe ends with a complete line.
func TestPipeGetsWholeLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	tr := mustOpen(t, path)
	tr.Deadline = 100 * time.Millisecond
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() { _ = tr.Write(&Record{RequestID: fmt.Sprint(i), UserAgent: strings.Repeat("x", 900)}) })
	}
	wg.Wait()
	// Make room for part of the waiting data.
	buf := make([]byte, 1<<20)
	n, err := reader.Read(buf[:20_000])
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); !errors.Is(err, ErrStalled) {
		t.Errorf("Close: %v", err)
	}
	for n < len(buf) {
		if err := reader.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		m, err := reader.Read(buf[n:])
		if n += m; err != nil {
			break
		}
	}
	if events := mustEvents(t, string(buf[:n]), 0); len(events) < 10 || len(events) >= 300 {
		t.Errorf("%d events", len(events))
	}
}
