// Package trail is the audit trail: one line of JSON for each call, in the
// shape of a CloudTrail record, so that what reads CloudTrail reads it.
//
// What it promises:
//
//   - Write returns nil only after the whole line went to the sink (and, with
//     Sync, to the disk). A caller that gets an error must not acknowledge the
//     call.
//   - Each line goes out within one write(2); lines of callers that come at
//     the same time share one, and each caller learns the fate of its own. No
//     text a client chose can break a line.
//   - After a write that was cut short the next one begins with a line break,
//     so that only the cut line is unreadable.
//   - While the sink fails, Probe says so before a change is made. Records of
//     changes made in the very moment of failure are kept in memory and written
//     when the sink is back, after a TrailResumed event that tells of the gap.
//   - No secret: inputs and outputs pass [Members], which keeps named members
//     only.
//
// What it does not do: guard against a reader of a pipe that stops reading
// without closing it. Writes then block, and with them the calls.
package trail

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
)

const (
	// maxKept bounds the bytes of records kept while the sink fails. Changes
	// are refused then, so only those under way at the start need room.
	maxKept = 1 << 20

	// recheckEvery is how often the file is compared with what its path names,
	// so that a trail that was moved away or deleted does not go on unseen.
	recheckEvery = time.Second
)

// Trail writes records. Safe for concurrent use.
type Trail struct {
	// Sync makes Write wait until its line is on disk (fsync). Callers that
	// come together share one. Set it before the first Write; it has no effect
	// on sinks that cannot sync, such as pipes.
	Sync bool

	// Strangers bounds the records of those. Set it before the first Write.
	Strangers Budget

	strangers strangers

	path string // empty unless the sink is a file named by path
	off  bool

	// retryEvery is the least time between two attempts on a failing sink.
	retryEvery time.Duration

	// io is held while writing; it guards the sink and what is known of it.
	io      sync.Mutex
	sink    io.Writer
	broken  bool // the sink ends within a line
	checked time.Time

	// mu guards the batch callers may join, and the record of failure.
	mu      sync.Mutex
	next    *batch
	failing failure

	healthy atomic.Bool // failing.since is zero and failing.kept empty
}

// failure is what happened since the last write that succeeded.
type failure struct {
	since   time.Time // zero: the last write succeeded
	err     error
	attempt time.Time // the last one that failed
	kept    []byte    // whole lines, to be written later
	keptN   int
	lost    int // records that no one will see
}

// batch is the lines of callers that came together.
type batch struct {
	buf     []byte
	done    sync.WaitGroup // until the two below are set
	written int            // bytes of buf that are on the sink
	err     error          // for those whose line is not
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
	t := &Trail{sink: w, retryEvery: 100 * time.Millisecond, checked: time.Now()}
	t.healthy.Store(true)
	return t
}

// openFile never waits: a named pipe that no one reads is an error.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
}

// endsWithinLine reports whether the file was left within a line by a process
// that ended there.
func endsWithinLine(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	r, err := os.Open(f.Name())
	if err != nil {
		return true // an empty line does less harm than a broken one
	}
	defer r.Close()
	var last [1]byte
	_, err = r.ReadAt(last[:], info.Size()-1)
	return err != nil || last[0] != '\n'
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// Write appends the record as one line and returns when it is written. It
// gives the record an EventID if it has none. On an error the line is not, or
// not surely, on the sink. A failing sink is tried at most ten times a second;
// between, Write and Probe return the last error.
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
	return t.append(rec)
}

// summarize tells of the strangers whose records were left out. Where that
// cannot be written it is kept, as the records of changes are.
func (t *Trail) summarize() {
	if left := t.strangers.take(); left.calls > 0 {
		_ = t.append(left.record(time.Now()))
	}
}

func (t *Trail) append(rec *Record) error {
	if rec.EventID == "" {
		rec.EventID = uuid.NewString()
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	line := append(rec.AppendJSON((*buf)[:0]), '\n')
	*buf = line

	t.mu.Lock()
	b := t.next
	lead := b == nil
	if lead {
		b = &batch{buf: line}
		b.done.Add(1)
		t.next = b
	} else {
		b.buf = append(b.buf, line...)
	}
	end := len(b.buf)
	t.mu.Unlock()

	if lead {
		t.flush(b)
	} else {
		b.done.Wait()
	}
	if end <= b.written {
		return nil
	}
	t.keep(line, rec.ReadOnly || rec.ErrorCode != "")
	return fmt.Errorf("write trail: %w", b.err)
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
	b := &batch{}
	b.done.Add(1)
	t.flush(b)
	if b.err != nil {
		return fmt.Errorf("trail is down: %w", b.err)
	}
	return nil
}

// Reopen opens the file anew, for log rotation. On an error the trail goes on
// with the file it has. It does nothing for other sinks.
func (t *Trail) Reopen() error {
	t.io.Lock()
	defer t.io.Unlock()
	return t.reopen()
}

// Close ends the trail. Writes after it fail.
func (t *Trail) Close() error {
	t.summarize()
	t.io.Lock()
	defer t.io.Unlock()
	sink := t.sink
	t.sink, t.path = closedSink{}, ""
	if c, ok := sink.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

type closedSink struct{}

func (closedSink) Write([]byte) (int, error) { return 0, os.ErrClosed }

// flush writes a batch and tells its callers. Whoever comes while it waits for
// the sink still joins.
func (t *Trail) flush(b *batch) {
	defer b.done.Done()
	t.io.Lock()
	defer t.io.Unlock()
	t.mu.Lock()
	if t.next == b {
		t.next = nil
	}
	failing := t.failing
	t.mu.Unlock()

	down := !failing.since.IsZero()
	if down && time.Since(failing.attempt) < t.retryEvery {
		b.err = failing.err
		return
	}
	if err := t.prepare(down); err != nil {
		b.err = err
		t.failed(err)
		return
	}
	out, before := b.buf, 0
	if t.broken || down || failing.keptN > 0 {
		out = t.catchUp(failing)
		before = len(out)
		out = append(out, b.buf...)
	}
	n, err := t.write(out)
	b.written = max(0, n-before)
	b.err = err
	if n >= before {
		t.caughtUp(failing)
	}
	if err != nil {
		t.failed(err)
	}
}

// prepare makes the sink ready: after a failure it opens the file anew, and
// from time to time it looks whether the file is still the one at its path.
func (t *Trail) prepare(failing bool) error {
	if t.path == "" {
		return nil
	}
	if failing {
		return t.reopen()
	}
	if now := time.Now(); now.Sub(t.checked) >= recheckEvery {
		t.checked = now
		f, ok := t.sink.(*os.File)
		if !ok {
			return nil
		}
		mine, err1 := f.Stat()
		there, err2 := os.Stat(t.path)
		if err1 != nil || err2 != nil || !os.SameFile(mine, there) {
			return t.reopen()
		}
	}
	return nil
}

func (t *Trail) reopen() error {
	if t.path == "" {
		return nil
	}
	f, err := openFile(t.path)
	if err != nil {
		return err
	}
	if c, ok := t.sink.(io.Closer); ok {
		_ = c.Close() // every line in it was written or reported
	}
	t.sink, t.checked = f, time.Now()
	t.broken = endsWithinLine(f)
	return nil
}

// write writes out in one call. n is how much of it counts as written.
func (t *Trail) write(out []byte) (n int, err error) {
	if len(out) == 0 {
		return 0, nil
	}
	n, err = t.sink.Write(out)
	if n > 0 {
		t.broken = out[n-1] != '\n'
	}
	if err == nil && n < len(out) {
		err = io.ErrShortWrite
	}
	if err == nil && t.Sync {
		if s, ok := t.sink.(interface{ Sync() error }); ok {
			if err = s.Sync(); errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
				err = nil // a pipe or a terminal
			}
		}
		if err != nil {
			return 0, err // what of it is on disk, no one knows
		}
	}
	return n, err
}

// catchUp returns what must come before the next line: the end of a broken
// line, and after a failure the event that tells of it and the records kept.
func (t *Trail) catchUp(f failure) []byte {
	var out []byte
	if t.broken {
		out = append(out, '\n')
	}
	if f.since.IsZero() && f.keptN == 0 {
		return out
	}
	data := append([]byte(nil), `{"failedSince":"`...)
	data = f.since.UTC().AppendFormat(data, "2006-01-02T15:04:05Z")
	data = append(data, `","recordsDelayed":`...)
	data = strconv.AppendInt(data, int64(f.keptN), 10)
	data = append(data, `,"recordsLost":`...)
	data = strconv.AppendInt(data, int64(f.lost), 10)
	resumed := serviceEvent("TrailResumed", append(data, '}'), time.Now())
	if !f.since.IsZero() {
		out = append(resumed.AppendJSON(out), '\n')
	}
	return append(out, f.kept...)
}

// serviceEvent is the record of something that the service did by itself.
func serviceEvent(name string, data json.RawMessage, now time.Time) *Record {
	return &Record{
		UserIdentity:        Identity{Type: AWSService, InvokedBy: "rollcall"},
		EventTime:           now,
		EventSource:         "iam.amazonaws.com",
		EventName:           name,
		AWSRegion:           "us-east-1",
		SourceIPAddress:     "rollcall",
		UserAgent:           "rollcall",
		AdditionalEventData: data,
		EventID:             uuid.NewString(),
		EventType:           ServiceEvent,
	}
}

// caughtUp forgets what f told of, which is now written. Records that were kept
// meanwhile stay.
func (t *Trail) caughtUp(f failure) {
	if t.healthy.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := &t.failing
	now.since, now.err = time.Time{}, nil
	now.kept = append([]byte(nil), now.kept[len(f.kept):]...)
	now.keptN -= f.keptN
	now.lost -= f.lost
	t.healthy.Store(now.keptN == 0)
}

func (t *Trail) failed(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failing.since.IsZero() {
		t.failing.since = time.Now()
	}
	t.failing.err = err
	t.failing.attempt = time.Now()
	t.healthy.Store(false)
}

// keep holds on to the record of a change that was not written. The change was
// made, though not acknowledged, so there must be a record of it.
func (t *Trail) keep(line []byte, nothingChanged bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if nothingChanged || len(t.failing.kept)+len(line) > maxKept {
		t.failing.lost++
		return
	}
	t.failing.kept = append(t.failing.kept, line...)
	t.failing.keptN++
	t.healthy.Store(false)
}
