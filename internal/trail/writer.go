package trail

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"rollcall/internal/ownfile"
)

// work runs the writer. It writes batches until there are no more.
func (t *Trail) work(ended chan struct{}) {
	defer close(ended)
	for {
		t.mu.Lock()
		b, failing, given := t.next, t.failing, t.given
		t.next = nil
		if t.closed {
			failing.attempt = time.Time{} // the last attempt is not postponed
		}
		if b == nil {
			t.ended = nil
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		if given {
			b.err = os.ErrClosed
			close(b.done)
			continue
		}
		t.round(b, failing)
	}
}

// round writes the data of an earlier failure and then a batch, and returns the
// results to the callers.
func (t *Trail) round(b *batch, failing failure) {
	if b.reopen {
		b.reopened = t.reopen()
	}
	did := t.attempt(b, failing)
	b.written, b.err = did.written, did.err
	t.mu.Lock()
	defer t.mu.Unlock()
	now := &t.failing
	if did.told {
		now.lost -= failing.lost
	}
	now.drop(did.kept)
	if did.caughtUp {
		// The failure in failing has been reported. A stall in this round has
		// not.
		now.since, now.err = now.stalled, nil
	}
	now.stalled = time.Time{}
	if did.err != nil {
		if now.since.IsZero() {
			now.since = time.Now()
		}
		now.err = did.err
	}
	if did.err != nil && did.tried {
		now.attempt = time.Now()
	}
	now.keep(b)
	well := now.since.IsZero() && now.keptN == 0 && now.lost == 0
	t.healthy.Store(well)
	t.remind()
	if did.err == nil && !well {
		t.gather() // reports the stall immediately
	}
	close(b.done)
}

// keep keeps the lines of a batch that were not written. Their changes
// happened, although they were not acknowledged, so there must be a record of
// them.
func (f *failure) keep(b *batch) {
	start := 0
	for _, l := range b.lines {
		text := b.buf[start:l.end]
		start = l.end
		switch {
		case l.end <= b.written:
		case len(f.kept)+len(text) > room(l.change):
			f.lost++
		default:
			f.kept = append(f.kept, text...)
			f.keptN++
		}
	}
}

// drop removes the first bytes of the kept records, as far as they are complete
// lines.
func (f *failure) drop(written int) {
	whole := bytes.LastIndexByte(f.kept[:written], '\n') + 1
	f.keptN -= bytes.Count(f.kept[:whole], []byte{'\n'})
	f.kept = append([]byte(nil), f.kept[whole:]...)
}

// progress holds the result of an attempt to write.
type progress struct {
	tried    bool  // the sink was tried
	told     bool  // the event that reports a failure is written
	kept     int   // bytes of the kept records that count as written
	caughtUp bool  // everything before the new lines counts as written
	written  int   // bytes of the new lines that count as written
	err      error // nil: all is written
}

// attempt writes what an earlier failure left and then the batch. If not all of
// it fits, the written part is not written again: a backlog may need several
// attempts.
func (t *Trail) attempt(b *batch, failing failure) progress {
	down := !failing.since.IsZero()
	if down && time.Since(failing.attempt) < t.retryEvery {
		return progress{err: failing.err}
	}
	if err := t.prepare(down); err != nil {
		return progress{tried: true, err: err}
	}
	behind := down || failing.keptN > 0 || failing.lost > 0
	if !behind && len(b.buf) == 0 && !b.checkpoint {
		return progress{tried: true, told: true, caughtUp: true}
	}
	release, err := t.hold()
	if err != nil {
		return progress{tried: true, err: err}
	}
	defer release()
	out := outgoing{chain: &t.chain, head: t.chain.head}
	if t.broken {
		out.text = append(out.text, '\n')
	}
	out.torn = t.chain.tornHash(t.broken)
	out.add(partResumed, t.resumed(failing))
	out.add(partKept, failing.kept)
	out.add(partNew, b.buf)
	sign := t.sign()
	if n := len(out.ends) + t.chain.open; sign != nil && n > 0 && (b.checkpoint || n >= checkpointRecords) {
		out.checkpoint(sign, "")
	}
	if len(out.ends) == 0 {
		return progress{tried: true, told: true, caughtUp: true}
	}
	n, err := t.write(out.text)
	lines := t.settle(&out, n)
	return progress{
		tried:    true,
		told:     out.through(partResumed, lines),
		kept:     out.bytes(partKept, lines),
		caughtUp: out.through(partKept, lines),
		written:  out.bytes(partNew, lines),
		err:      err,
	}
}

// prepare makes the sink ready. After a failure it opens the file again, and
// from time to time it checks whether the path still names it.
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
	t.leave(f)
	// Every line in it was written or reported. Flush only knows the new file.
	_ = syncTo(t.sink)
	t.mu.Lock()
	old := t.sink
	if t.given {
		old = f
	} else {
		t.sink = f
	}
	t.mu.Unlock()
	if c, ok := old.(io.Closer); ok {
		_ = c.Close()
	}
	t.checked = time.Now()
	t.broken, t.pipe = endsWithinLine(f), isPipe(f)
	return nil
}

// openFile never waits: a named pipe without a reader is an error. A file is
// also read, to continue its chain.
func openFile(path string) (*os.File, error) {
	how := os.O_RDWR
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		how = os.O_WRONLY
	}
	return ownfile.Open(path, how|os.O_APPEND|syscall.O_NONBLOCK)
}

// endsWithinLine reports whether the file ends within a line, because a process
// ended there.
func endsWithinLine(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err != nil || last[0] != '\n' // an empty line does less harm than a broken one
}

// write writes out, to a file in one call. n is the number of bytes that count
// as written.
func (t *Trail) write(out []byte) (n int, err error) {
	for err == nil && n < len(out) {
		part := out[n:]
		if t.pipe {
			part = wholeLines(part)
		}
		var m int
		if m, err = t.sink.Write(part); err == nil && m < len(part) {
			err = io.ErrShortWrite
		}
		if n += m; m > 0 {
			t.broken = out[n-1] != '\n'
		}
	}
	if n > 0 && t.Sync {
		if lost := syncTo(t.sink); lost != nil {
			return 0, errors.Join(err, lost) // it is unknown how much of it is on disk
		}
	}
	return n, err
}

func syncTo(sink io.Writer) error {
	s, ok := sink.(interface{ Sync() error })
	if !ok {
		return nil
	}
	err := s.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // a pipe or a terminal
	}
	return err
}

// atomicWrite is the largest write that POSIX writes to a pipe as a whole. An
// abandoned write of that size leaves no half line, and writers do not mix.
const atomicWrite = 4096

func isPipe(sink io.Writer) bool {
	f, ok := sink.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// wholeLines returns the beginning of out that is written to a pipe in one
// write: as many lines as fit, or one longer line.
func wholeLines(out []byte) []byte {
	if len(out) <= atomicWrite {
		return out
	}
	if i := bytes.LastIndexByte(out[:atomicWrite], '\n'); i >= 0 {
		return out[:i+1]
	}
	if i := bytes.IndexByte(out, '\n'); i >= 0 {
		return out[:i+1]
	}
	return out
}

// resumed returns the line of the event that reports a failure, nil if there
// was none.
func (t *Trail) resumed(f failure) []byte {
	if f.since.IsZero() && f.lost == 0 {
		return nil
	}
	data := append([]byte(nil), `{"failedSince":"`...)
	data = f.since.UTC().AppendFormat(data, "2006-01-02T15:04:05Z")
	data = append(data, `","recordsDelayed":`...)
	data = strconv.AppendInt(data, int64(f.keptN), 10)
	data = append(data, `,"recordsLost":`...)
	data = strconv.AppendInt(data, int64(f.lost), 10)
	resumed := serviceEvent("TrailResumed", append(data, '}'), time.Now())
	return append(resumed.AppendJSON(nil), '\n')
}

// serviceEvent returns the record of an event that the service caused itself.
func serviceEvent(name string, data []byte, now time.Time) *Record {
	return &Record{
		UserIdentity:        Identity{Type: AWSService, InvokedBy: "rollcall"},
		EventTime:           now,
		EventSource:         "iam.amazonaws.com",
		EventName:           name,
		AWSRegion:           "us-east-1",
		SourceIPAddress:     "rollcall",
		UserAgent:           "rollcall",
		AdditionalEventData: data,
		EventID:             NewEventID(),
		EventType:           ServiceEvent,
	}
}
