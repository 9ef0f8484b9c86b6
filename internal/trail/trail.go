// Package trail is the audit trail: one line of JSON for each call, in the
// shape of a CloudTrail record, so that what reads CloudTrail reads it.
//
// What it promises:
//
//   - Write returns nil only after the whole line went to the sink (and, with
//     Sync, to the disk). A caller that gets an error must not acknowledge the
//     call.
//   - No call waits longer than the Deadline, whatever the sink does. A sink
//     that takes nothing for so long has stalled: Probe says so at once, and
//     the lines that wait go out, in order and whole, when it takes them again.
//   - Each line goes out within one write(2); lines of callers that come at
//     the same time share one, and each caller learns the fate of its own. No
//     text a client chose can break a line.
//   - After a write that was cut short the next one begins with a line break,
//     so that only the cut line is unreadable. Into a pipe lines of up to
//     4 KiB are never cut.
//   - While the sink fails, Probe says so before a change is made. Records that
//     cannot be written are kept in memory, changes longest, and written when
//     the sink is back, after a TrailResumed event that tells of the gap and
//     counts those that were lost.
//   - What strangers write is bounded; see Budget.
//   - No secret: inputs and outputs pass [Members], which keeps named members
//     only.
package trail

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxKept bounds the bytes of records kept while the sink fails or has
	// stalled. Changes are refused then, so only those under way at the start
	// need room. Calls that change nothing get half of it.
	maxKept = 1 << 20

	// defaultDeadline is below the timeouts of the SDKs, and of those who
	// watch /readyz.
	defaultDeadline = 5 * time.Second

	// recheckEvery is how often the file is compared with what its path names,
	// so that a trail that was moved away or deleted does not go on unseen.
	recheckEvery = time.Second
)

// ErrStalled says that the sink has taken nothing for longer than the Deadline.
var ErrStalled = errors.New("the trail has stalled: a write into it does not end")

// Trail writes records. Safe for concurrent use.
type Trail struct {
	// Sync makes Write wait until its line is on disk (fsync). Callers that
	// come together share one. Set it before the first Write; it has no effect
	// on sinks that cannot sync, such as pipes.
	Sync bool

	// Strangers bounds the records of those. Set it before the first Write.
	Strangers Budget

	// Deadline is how long Write, Probe, Reopen and Close may take. Set it
	// before the first Write. New sets five seconds.
	Deadline time.Duration

	strangers strangers
	summary   sync.Mutex // held while they are told of

	path string // empty unless the sink is a file named by path
	off  bool

	// retryEvery is the least time between two attempts on a failing sink.
	retryEvery time.Duration

	// The writer alone uses these. It is one goroutine, which lives while there
	// is something to do: it may be held up by the sink for any time.
	broken  bool // the sink ends within a line
	pipe    bool // the sink is one
	checked time.Time

	// mu guards the batch callers may join, and the record of failure. It is
	// never held while something is written.
	mu      sync.Mutex
	sink    io.Writer // changed by the writer alone
	next    *batch
	ended   chan struct{} // closed when the writer ends; nil without one
	failing failure
	closed  bool
	given   bool // the sink was closed under the writer

	healthy atomic.Bool // failing is zero
}

// failure is what happened since the last write that succeeded.
type failure struct {
	since   time.Time // zero: the last write succeeded
	err     error
	attempt time.Time // the last one that failed
	stalled time.Time // since when it is known that the writer does not come back; zero: it does
	kept    []byte    // whole lines, to be written later
	keptN   int
	lost    int // records that no one will see
}

// batch is the lines of callers that came together.
type batch struct {
	buf    []byte
	lines  []line
	reopen bool          // open the file anew first
	done   chan struct{} // closed when the rest is set

	written  int   // bytes of buf that are on the sink
	err      error // for those whose line is not
	reopened error
}

// line is one record of a batch.
type line struct {
	end    int // in the batch
	change bool
}

// Open returns a trail that appends to the file dest, which it creates with
// mode 0600; "-" is standard output, "off" is a trail that keeps nothing. An
// empty dest is refused, so that no forgotten setting switches the trail off.
func Open(dest string) (*Trail, error) {
	switch dest {
	case "":
		return nil, errors.New("open trail: no destination; give a file, - for standard output, or off")
	case "off":
		t := New(io.Discard)
		t.off = true
		return t, nil
	case "-":
		out, err := standardOutput()
		if err != nil {
			return nil, fmt.Errorf("open trail on standard output: %w", err)
		}
		return New(out), nil
	}
	f, err := openFile(dest)
	if err != nil {
		return nil, fmt.Errorf("open trail: %w", err)
	}
	t := New(f)
	t.path = dest
	t.broken = endsWithinLine(f)
	return t, nil
}

// New returns a trail that writes to w. If w has a method Sync() error, Sync
// uses it; if w has Close, Close does.
func New(w io.Writer) *Trail {
	t := &Trail{sink: w, Deadline: defaultDeadline, retryEvery: 100 * time.Millisecond, checked: time.Now()}
	t.pipe = isPipe(w)
	t.healthy.Store(true)
	return t
}

// Off says that the trail keeps nothing.
func (t *Trail) Off() bool { return t.off }

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// Write appends the record as one line and returns when it is written. It
// gives the record an EventID if it has none. On an error the line is not, or
// not surely, on the sink: it may be kept for later. A failing sink is tried at
// most ten times a second; between, Write and Probe return the last error.
//
// The record of a Stranger beyond the Budget is counted and not written.
func (t *Trail) Write(rec *Record) error {
	if t.off {
		return nil
	}
	if rec.Stranger {
		ok, first := t.strangers.admit(t.Strangers, rec, time.Now())
		if first {
			time.AfterFunc(summaryEvery, t.summarize)
		}
		if !ok {
			return nil
		}
	}
	b, end, err := t.append(rec)
	if err == nil {
		err = t.wait(b)
	}
	if err == nil && end > b.written {
		err = b.err
	}
	if err != nil {
		return fmt.Errorf("write trail: %w", err)
	}
	return nil
}

// summarize has the writer tell of the strangers whose records were left out.
// Where that cannot be written it is kept, as the records of changes are.
func (t *Trail) summarize() {
	t.summary.Lock() // Close must find what was taken
	defer t.summary.Unlock()
	if left := t.strangers.take(); left.calls > 0 {
		_, _, _ = t.append(left.record(time.Now()))
	}
}

// append adds the record's line to the next batch, and says where it ends. The
// error says that it cannot be waited for.
func (t *Trail) append(rec *Record) (b *batch, end int, err error) {
	if rec.EventID == "" {
		rec.EventID = NewEventID()
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	text := append(rec.AppendJSON((*buf)[:0]), '\n')
	*buf = text
	change := !rec.ReadOnly && rec.ErrorCode == "" && !rec.Stranger

	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, 0, os.ErrClosed
	}
	b = t.gather()
	if !t.failing.stalled.IsZero() {
		err = ErrStalled
		if len(b.buf)+len(text) > room(change) {
			t.failing.lost++
			return nil, 0, err
		}
	}
	b.buf = append(b.buf, text...)
	b.lines = append(b.lines, line{len(b.buf), change})
	return b, len(b.buf), err
}

// room is how many bytes of records are kept for later.
func room(change bool) int {
	if change {
		return maxKept
	}
	return maxKept / 2
}

// gather returns the batch that the writer takes next, and sees to it that
// there is a writer. t.mu is held.
func (t *Trail) gather() *batch {
	if t.next == nil {
		t.next = &batch{done: make(chan struct{})}
	}
	if t.ended == nil {
		t.ended = make(chan struct{})
		go t.work(t.ended)
	}
	return t.next
}

// wait waits for the batch, but not beyond the deadline.
func (t *Trail) wait(b *batch) error {
	timer := time.NewTimer(t.Deadline)
	defer timer.Stop()
	select {
	case <-b.done:
		return nil
	case <-timer.C:
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-b.done:
		return nil
	default:
	}
	if t.failing.stalled.IsZero() {
		t.failing.stalled = time.Now().Add(-t.Deadline)
	}
	t.healthy.Store(false)
	return ErrStalled
}

// Healthy reports whether the last write succeeded. It does not try.
func (t *Trail) Healthy() bool { return t.healthy.Load() }

// Probe returns nil if a record can be expected to be written. Call it before
// a change is made. After a failed write it tries the sink again and returns
// the error if it still fails.
func (t *Trail) Probe() error {
	if t.healthy.Load() {
		return nil
	}
	t.mu.Lock()
	stalled := !t.failing.stalled.IsZero()
	b := t.gather()
	t.mu.Unlock()
	err := ErrStalled
	if !stalled {
		err = t.wait(b)
	}
	if err == nil {
		err = b.err
	}
	if err != nil {
		return fmt.Errorf("trail is down: %w", err)
	}
	return nil
}

// Flush returns when what was written is on disk, if the sink has one. Unlike
// the others it has no deadline: the disk may hang.
func (t *Trail) Flush() error {
	if t.Sync || t.off {
		return nil
	}
	t.mu.Lock()
	sink := t.sink
	t.mu.Unlock()
	err := syncTo(sink)
	if errors.Is(err, os.ErrClosed) {
		return nil // by Reopen, which has seen to it, or by Close
	}
	return err
}

// Reopen opens the file anew, for log rotation. On an error the trail goes on
// with the file it has. It does nothing for other sinks.
func (t *Trail) Reopen() error {
	t.mu.Lock()
	b := t.gather()
	b.reopen = true
	t.mu.Unlock()
	if err := t.wait(b); err != nil {
		return fmt.Errorf("reopen trail: %w", err)
	}
	return b.reopened
}

// Close writes what waits and ends the trail. Writes after it fail. The error
// tells of records that could not be written.
func (t *Trail) Close() error {
	t.summarize()
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.closed = true
	b := t.gather()
	t.mu.Unlock()
	stalled := t.wait(b)

	t.mu.Lock()
	defer t.mu.Unlock()
	t.given = true
	var err error
	if c, ok := t.sink.(io.Closer); ok {
		err = c.Close()
	}
	missing := t.failing.keptN + t.failing.lost
	if stalled != nil {
		missing += len(b.lines)
		err = errors.Join(stalled, err)
	} else if missing > 0 {
		err = errors.Join(b.err, err)
	}
	if missing > 0 {
		err = fmt.Errorf("%d or more records were not written: %w", missing, err)
	}
	return err
}
