package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// event holds the parts of a line that the tests read.
type event struct {
	EventName, RequestID, EventID string
	AdditionalEventData           struct {
		RecordsDelayed, RecordsLost int
		FailedSince                 time.Time
	}
}

// mustEvents reads lines. A number of them, broken, are not JSON.
func mustEvents(t *testing.T, text string, broken int) []event {
	t.Helper()
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Errorf("the trail ends within a line: %q", text)
	}
	var events []event
	for line := range strings.Lines(text) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			broken--
			continue
		}
		events = append(events, e)
	}
	if broken != 0 {
		t.Errorf("%d more broken lines than expected in %q", -broken, text)
	}
	return events
}

func names(events []event) string {
	var s []string
	for _, e := range events {
		s = append(s, e.EventName+e.RequestID)
	}
	return strings.Join(s, " ")
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func mustOpen(t *testing.T, dest string) *Trail {
	t.Helper()
	tr, err := Open(dest)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Close() })
	return tr
}

func mustWrite(t *testing.T, tr *Trail, rec Record) {
	t.Helper()
	if err := tr.Write(&rec); err != nil {
		t.Fatal(err)
	}
}

// flaky is a sink that accepts a number of bytes and then fails. It records
// each write.
type flaky struct {
	mu      sync.Mutex
	room    int
	err     error
	syncErr error
	syncs   int
	writes  int
	text    bytes.Buffer
}

func (f *flaky) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	if f.err == nil {
		return f.text.Write(p)
	}
	n := min(len(p), f.room)
	f.room -= n
	f.text.Write(p[:n])
	if n < len(p) {
		return n, f.err
	}
	return n, nil
}

func (f *flaky) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.syncs++
	return f.syncErr
}

func (f *flaky) set(err error, room int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err, f.room = err, room
}

func TestWriteFailure(t *testing.T) {
	f := &flaky{}
	tr := New(f)
	tr.retryEvery = 0
	mustWrite(t, tr, Record{EventName: "A"})
	boom := errors.New("boom")
	for _, room := range []int{0, 1, 17} {
		f.set(boom, room)
		before := f.text.String()
		if err := tr.Write(&Record{EventName: "Change"}); !errors.Is(err, boom) {
			t.Fatalf("room %d: %v", room, err)
		}
		for _, lost := range []Record{{EventName: "Read", ReadOnly: true}, {EventName: "Refused", ErrorCode: "X"}} {
			if err := tr.Write(&lost); !errors.Is(err, boom) {
				t.Fatalf("room %d: %v", room, err)
			}
		}
		if tr.Healthy() || !errors.Is(tr.Probe(), boom) {
			t.Fatalf("room %d: the trail claims to be well", room)
		}
		f.set(nil, 0)
		if err := tr.Probe(); err != nil || !tr.Healthy() {
			t.Fatalf("room %d, after the sink came back: %v", room, err)
		}
		mustWrite(t, tr, Record{EventName: "B"})

		broken := 0
		if room > 0 {
			broken = 1
		}
		// All of them are there, late.
		events := mustEvents(t, strings.TrimPrefix(f.text.String(), before), broken)
		if got := names(events); got != "TrailResumed Change Read Refused B" {
			t.Fatalf("room %d: events %s in %s", room, got, f.text.String())
		}
		if d := events[0].AdditionalEventData; d.RecordsDelayed != 3 || d.RecordsLost != 0 ||
			time.Since(d.FailedSince) > time.Minute {
			t.Errorf("room %d: %+v", room, d)
		}
	}
	if f.syncs != 0 {
		t.Error("synced without being asked")
	}
}

func TestWriteRecoversByItself(t *testing.T) {
	f := &flaky{err: errors.New("boom"), room: 5}
	tr := New(f)
	tr.retryEvery = 0
	if err := tr.Write(&Record{EventName: "A"}); err == nil {
		t.Fatal("written into a failing sink")
	}
	f.set(nil, 0)
	mustWrite(t, tr, Record{EventName: "B"})
	if got := names(mustEvents(t, f.text.String(), 1)); got != "TrailResumed A B" {
		t.Errorf("events %s", got)
	}
	if !tr.Healthy() || f.writes != 2 {
		t.Errorf("healthy %v after %d writes", tr.Healthy(), f.writes)
	}
}

func TestFailureWhileCatchingUp(t *testing.T) {
	boom := errors.New("boom")
	f := &flaky{err: boom}
	tr := New(f)
	tr.retryEvery = 0
	if err := tr.Write(&Record{EventName: "A"}); err == nil {
		t.Fatal("written into a failing sink")
	}
	f.set(boom, 700) // TrailResumed goes through, A is cut
	if err := tr.Probe(); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	f.set(nil, 0)
	if err := tr.Probe(); err != nil {
		t.Fatal(err)
	}
	if got := names(mustEvents(t, f.text.String(), 1)); got != "TrailResumed TrailResumed A" {
		t.Errorf("events %s", got)
	}
}

func TestKeptRecordsAreBounded(t *testing.T) {
	f := &flaky{err: errors.New("boom")}
	tr := New(f)
	reads, changes := 0, 0
	for i := range 2000 {
		rec := Record{UserAgent: strings.Repeat("x", 1000), ReadOnly: i < 1000}
		if err := tr.Write(&rec); err == nil {
			t.Fatal("written into a failing sink")
		}
	}
	f.set(nil, 0)
	tr.retryEvery = 0
	if err := tr.Probe(); err != nil {
		t.Fatal(err)
	}
	events := mustEvents(t, f.text.String(), 0)
	d := events[0].AdditionalEventData
	if f.text.Len() > maxKept+1000 || d.RecordsDelayed != len(events)-1 || d.RecordsDelayed+d.RecordsLost != 2000 ||
		d.RecordsLost == 0 {
		t.Errorf("%d bytes, %+v", f.text.Len(), d)
	}
	for line := range strings.Lines(f.text.String()) {
		if strings.Contains(line, `"readOnly":true`) {
			reads++
		} else {
			changes++
		}
	}
	if reads < 200 || changes < reads-20 { // reads leave room for changes
		t.Errorf("%d reads and %d changes were kept", reads, changes)
	}
}

func TestFailingSinkIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{err: errors.New("boom")}
		tr := New(f)
		for range 100 {
			if err := tr.Write(&Record{}); !errors.Is(err, f.err) {
				t.Fatal(err)
			}
			if err := tr.Probe(); !errors.Is(err, f.err) {
				t.Fatal(err)
			}
		}
		if f.writes != 1 {
			t.Errorf("%d writes", f.writes)
		}
		time.Sleep(101 * time.Millisecond)
		_ = tr.Probe()
		if f.writes != 2 {
			t.Errorf("%d writes after a pause", f.writes)
		}
	})
}

// gate blocks its first write until it is told to continue, so that a batch
// gathers behind it.
type gate struct {
	flaky
	entered, goOn chan struct{}
	once          sync.Once
}

func (g *gate) Write(p []byte) (int, error) {
	g.once.Do(func() {
		close(g.entered)
		<-g.goOn
	})
	return g.flaky.Write(p)
}

func TestBatchTellsEachCallerItsOwn(t *testing.T) {
	g := &gate{entered: make(chan struct{}), goOn: make(chan struct{})}
	tr := New(g)
	tr.retryEvery = 0
	first := make(chan error)
	go func() { first <- tr.Write(&Record{RequestID: "first"}) }()
	<-g.entered
	results := make([]error, 10)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i] = tr.Write(&Record{RequestID: fmt.Sprint(i)}) })
	}
	for joined := 0; joined < len(results); time.Sleep(time.Millisecond) {
		tr.mu.Lock()
		if tr.next != nil {
			joined = bytes.Count(tr.next.buf, []byte("\n"))
		}
		tr.mu.Unlock()
	}
	one := len((&Record{RequestID: "0", EventID: strings.Repeat("x", 36)}).AppendJSON(nil)) + 1
	g.set(errors.New("boom"), one+4+3*one+10) // "first" is 4 longer; three of ten fit
	close(g.goOn)
	if err := <-first; err != nil {
		t.Error(err)
	}
	wg.Wait()
	if g.writes != 2 {
		t.Errorf("%d writes for one record and ten that came together", g.writes)
	}
	failed := 0
	for i, err := range results {
		written := strings.Contains(g.text.String(), fmt.Sprintf(`"requestID":"%d"`, i)+`,"eventID"`)
		if err != nil {
			failed++
		}
		if err == nil && !written {
			t.Errorf("record %d: told it was written", i)
		}
	}
	if failed != 7 {
		t.Errorf("%d of ten failed, want 7", failed)
	}
	g.set(nil, 0)
	if err := tr.Probe(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, e := range mustEvents(t, g.text.String(), 1) {
		seen[e.RequestID]++
	}
	for i := range results {
		if seen[fmt.Sprint(i)] != 1 {
			t.Errorf("record %d is there %d times", i, seen[fmt.Sprint(i)])
		}
	}
}

func TestSync(t *testing.T) {
	f := &flaky{}
	tr := New(f)
	tr.Sync = true
	tr.retryEvery = 0
	mustWrite(t, tr, Record{EventName: "A"})
	if f.syncs != 1 {
		t.Errorf("%d syncs", f.syncs)
	}
	f.syncErr = syscall.EIO
	if err := tr.Write(&Record{EventName: "B"}); !errors.Is(err, syscall.EIO) || tr.Healthy() {
		t.Errorf("sync failed, Write said %v", err)
	}
	f.syncErr = nil
	if err := tr.Probe(); err != nil {
		t.Fatal(err)
	}
	// B may be there twice, with the same event id.
	if got := names(mustEvents(t, f.text.String(), 0)); got != "A B TrailResumed B" {
		t.Errorf("events %s", got)
	}
	f.syncErr = syscall.EINVAL // the answer of a pipe
	mustWrite(t, tr, Record{EventName: "C"})
}

func TestConcurrentWriters(t *testing.T) {
	for _, sync := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "trail.jsonl")
		tr := mustOpen(t, path)
		tr.Sync = sync
		mustWriteMany(t, tr, 16, 200)
		seen := map[string]bool{}
		for _, e := range mustEvents(t, mustRead(t, path), 0) {
			seen[e.RequestID] = true
		}
		if len(seen) != 16*200 {
			t.Errorf("%d different records, want %d", len(seen), 16*200)
		}
	}
}

func mustWriteMany(t *testing.T, tr *Trail, writers, each int) {
	t.Helper()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := tr.Write(&Record{RequestID: fmt.Sprintf("%d-%d", w, i)}); err != nil {
					t.Error(err)
				}
				if err := tr.Probe(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// Sinks fail and recover at random, under many writers: in the end each change
// is in the trail, whatever result its caller got.
func TestNoChangeIsLost(t *testing.T) {
	f := &flaky{}
	tr := New(f)
	tr.retryEvery = 0
	stop := make(chan struct{})
	flips := make(chan struct{})
	go func() {
		defer close(flips)
		for i := 0; ; i++ {
			select {
			case <-stop:
				f.set(nil, 0)
				return
			default:
			}
			if f.set(nil, 0); i%2 == 0 {
				f.set(errors.New("boom"), i%1500)
			}
			time.Sleep(50 * time.Microsecond)
		}
	}()
	told := sync.Map{}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 100 {
				rec := Record{RequestID: fmt.Sprintf("%d-%d", w, i)}
				told.Store(rec.RequestID, tr.Write(&rec) == nil)
			}
		})
	}
	wg.Wait()
	close(stop)
	<-flips
	if err := tr.Probe(); err != nil {
		t.Fatal(err)
	}
	lost := 0
	seen := map[string]int{}
	for line := range strings.Lines(f.text.String()) {
		var e event
		if json.Unmarshal([]byte(line), &e) == nil {
			seen[e.RequestID]++
			lost += e.AdditionalEventData.RecordsLost
		}
	}
	told.Range(func(id, ok any) bool {
		if n := seen[id.(string)]; n != 1 {
			t.Errorf("%s is in the trail %d times, its caller was told %v", id, n, ok)
		}
		return true
	})
	if lost != 0 || !tr.Healthy() {
		t.Errorf("%d lost, healthy %v", lost, tr.Healthy())
	}
}

func BenchmarkWriteGetUser(b *testing.B) {
	tr, err := Open(filepath.Join(b.TempDir(), "trail.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		rec := *getUser()
		for pb.Next() {
			rec.EventID = ""
			if err := tr.Write(&rec); err != nil {
				b.Fatal(err)
			}
		}
	})
}
