// Package trail writes the audit trail. It has one line of JSON for each call,
// in the form of a CloudTrail record, so programs for CloudTrail can read it.
//
// It promises:
//
//   - Write returns nil only after the sink (and, with Sync, the disk) has the
//     whole line. A caller that gets an error must not acknowledge the call.
//   - No call waits longer than the Deadline, whatever the sink does. A sink
//     that accepts nothing for that long has stalled: Probe says so
//     immediately, and the waiting lines are written, in order and complete,
//     when it accepts them again.
//   - Each line is written within one write(2). Simultaneous callers share one
//     write, and each gets the result of its own line. No text from a client
//     can break a line.
//   - After a write that was cut short the next one begins with a line break,
//     so that only the cut line is unreadable. In a pipe, lines of up to 4 KiB
//     are never cut.
//   - While the sink fails, Probe says so before a change is made. Records that
//     cannot be written are kept in memory, those of changes longest. They are
//     written when the sink is back, after a TrailResumed event that reports
//     the gap and counts the records that were lost.
//   - The records of unauthenticated callers are limited; see Budget.
//   - Each line carries the hash of the previous one, and checkpoints sign them,
//     so that a [Verifier] finds what was changed or taken away. Lines of
//     several processes in one file form one chain.
//   - No secret is written: inputs and outputs pass [Members], which keeps only
//     named members.
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
	// maxKept limits the bytes of records that are kept while the sink fails or
	// has stalled. Changes are then refused, so only those that have already
	// begun need space. Calls that change nothing get half of it.
	maxKept = 1 << 20

	// defaultDeadline is below the timeouts of the SDKs, and of the monitors of
	// /readyz.
	defaultDeadline = 5 * time.Second

	// recheckEvery is the time between two checks that the path still names the
	// open file, so that the trail does not continue in a moved or deleted
	// file.
	recheckEvery = time.Second
)

// ErrStalled reports that the sink has accepted nothing for longer than the
// Deadline.
var ErrStalled = errors.New("the trail has stalled: a write into it does not end")

// Trail writes records. It is safe for concurrent use.
type Trail struct {
	// Sync makes Write wait until its line is on disk (fsync). Simultaneous
	// callers share one fsync. Set it before the first Write. It has no effect
	// on sinks that cannot sync, such as pipes.
	Sync bool

	// Strangers limits the records of unauthenticated callers. Set it before
	// the first Write.
	Strangers Budget

	// Deadline is the maximum time of Write, Probe, Reopen and Close. Set it
	// before the first Write. New sets five seconds.
	Deadline time.Duration

	// LookupTime is the maximum time of Lookup, which returns what it has found by
	// then. New sets a tenth of a second.
	LookupTime time.Duration

	signer atomic.Pointer[Signer]

	strangers strangers
	summary   sync.Mutex // held while a summary of their records is written

	// place describes the file. It is empty for other sinks. written is the last
	// record in it, and durable the last one that is on disk; nil before the first.
	place            KnownHead
	written, durable atomic.Pointer[Head]

	most int    // bytes of a record that the sink takes; 0 is no limit of its own
	path string // empty unless the sink is a file named by path
	// lookups has a place for each Lookup that is reading.
	lookups chan struct{}
	off     bool

	// retryEvery is the minimum time between two attempts on a failing sink.
	retryEvery time.Duration

	// Only the writer uses these. It is one goroutine, which exists while there
	// is work. The sink may block it for any time.
	chain   chain
	broken  bool // the content of the sink ends within a line
	pipe    bool // the sink is a pipe
	checked time.Time

	// mu guards the batch that callers may join, and the failure. It is never
	// held during a write.
	mu    sync.Mutex
	sink  io.Writer // only the writer changes it
	next  *batch
	ended chan struct{} // closed when the writer ends; nil without one
	// reminder makes the next checkpoint; nil where none is due.
	reminder *time.Timer
	failing  failure
	closed   bool
	given    bool // the sink was closed under the writer

	healthy atomic.Bool // failing is zero
}

// failure describes the time since the last successful write.
type failure struct {
	since   time.Time // zero: the last write succeeded
	err     error
	attempt time.Time // the last failed write
	stalled time.Time // the time since which the writer has not returned; zero if it has
	kept    []byte    // complete lines, to be written later
	keptN   int
	lost    int // number of lost records
}

// batch holds the lines of simultaneous callers.
type batch struct {
	buf    []byte
	lines  []line
	reopen bool // open the file again first
	// checkpoint asks for one after the lines.
	checkpoint bool
	done       chan struct{} // closed when the rest is set

	written  int   // number of bytes of buf that the sink has
	err      error // for the callers whose line was not written
	reopened error
}

// line is one record of a batch.
type line struct {
	end    int // in the batch
	change bool
}

// Open returns a trail that appends to the file dest, which it creates with
// mode 0600. "-" is standard output, "unix:///path" and "syslog+tcp://host:port"
// are sockets (see parseSocket), and "off" is a trail that keeps nothing.
// An empty dest is an error, so that a missing setting does not turn off the
// trail.
func Open(dest string) (*Trail, error) {
	switch dest {
	case "":
		return nil, errors.New("open trail: no destination; give a file, a socket, - for standard output, or off")
	case "off":
		t := New(io.Discard)
		t.off = true
		return t, nil
	case "-":
		out, err := standardOutput()
		if err != nil {
			return nil, fmt.Errorf("open trail on standard output: %w", err)
		}
		t := New(out)
		t.chain.begin()
		return t, nil
	}
	if s, ok, err := parseSocket(dest); err != nil {
		return nil, fmt.Errorf("open trail: %w", err)
	} else if ok {
		return openSocket(s)
	}
	f, err := openFile(dest)
	if err != nil {
		return nil, fmt.Errorf("open trail: %w", err)
	}
	t := New(f)
	t.path, t.broken = dest, endsWithinLine(f)
	t.chain.on = true
	if _, shared := t.shared(); shared {
		t.place = Here(dest)
	} else {
		t.chain.begin()
	}
	return t, nil
}

// New returns a trail that writes to w. If w has a method Sync() error, Sync
// uses it; if w has Close, Close does.
func New(w io.Writer) *Trail {
	t := &Trail{sink: w, Deadline: defaultDeadline, retryEvery: 100 * time.Millisecond, checked: time.Now()}
	t.LookupTime = 100 * time.Millisecond
	t.pipe, t.lookups = isPipe(w), make(chan struct{}, lookupsAtOnce)
	t.healthy.Store(true)
	return t
}

// SignWith makes the trail sign checkpoints: after each thousand records, a
// minute after a record, and at the end. Without it the chain has no signature.
func (t *Trail) SignWith(sign Signer) { t.signer.Store(&sign) }

// sign returns the signer, nil without one.
func (t *Trail) sign() Signer {
	if s := t.signer.Load(); s != nil && t.chain.on {
		return *s
	}
	return nil
}

// Off reports whether the trail keeps nothing.
func (t *Trail) Off() bool { return t.off }

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// Write appends the record as one line and returns when it is written. It gives
// the record an EventID if it has none. After an error the line is not, or not
// certainly, on the sink: it may be kept for later. A failing sink is tried at
// most ten times a second. Between attempts, Write and Probe return the last
// error.
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

// summarize makes the writer report omitted records. If the report cannot be
// written it is kept, like the records of changes.
func (t *Trail) summarize() {
	t.summary.Lock() // Close must find the taken counts
	defer t.summary.Unlock()
	if left := t.strangers.take(); left.calls > 0 {
		_, _, _ = t.append(left.record(time.Now()))
	}
}

// append adds the record's line to the next batch, and returns where the line
// ends. The error says that the caller cannot wait for it.
func (t *Trail) append(rec *Record) (b *batch, end int, err error) {
	if rec.EventID == "" {
		rec.EventID = NewEventID()
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	text := rec.AppendJSON((*buf)[:0])
	if t.most > 0 && len(text) > t.most {
		text = short(text)
	}
	text = append(text, '\n')
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

// room returns how many bytes of records may be kept for later.
func room(change bool) int {
	if change {
		return maxKept
	}
	return maxKept / 2
}

// gather returns the batch that the writer takes next, and makes sure that
// there is a writer. The caller holds t.mu.
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

// Probe returns nil if a record can probably be written. Call it before a
// change. After a failed write it tries the sink again and returns the error if
// it still fails.
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

// Flush returns when the written records are on disk, if the sink has one.
// Unlike the other methods it has no deadline, because the disk may hang.
func (t *Trail) Flush() error {
	head := t.written.Load()
	if t.off || head != nil && head == t.durable.Load() {
		return nil
	}
	if !t.Sync {
		t.mu.Lock()
		sink := t.sink
		t.mu.Unlock()
		err := syncTo(sink)
		if errors.Is(err, os.ErrClosed) {
			return nil // by Reopen, which has synced it, or by Close
		}
		if err != nil {
			return err
		}
	}
	t.durable.Store(head)
	return nil
}

// Reopen opens the file again, for log rotation. On an error the trail
// continues with the old file. It does nothing for other sinks.
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

// Close writes the waiting records and ends the trail. Later writes fail. The
// error reports records that could not be written.
func (t *Trail) Close() error {
	t.summarize()
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.closed = true
	if t.reminder != nil {
		t.reminder.Stop()
	}
	b := t.gather()
	b.checkpoint = true
	t.mu.Unlock()
	stalled := t.wait(b)
	if stalled == nil && t.place.Place != "" {
		t.flushInTime()
	}

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

// flushInTime is Flush, but it does not wait beyond the deadline.
func (t *Trail) flushInTime() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = t.Flush() // Known then returns an earlier head
	}()
	select {
	case <-done:
	case <-time.After(t.Deadline):
	}
}
