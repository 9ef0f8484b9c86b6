package trail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// Limits of a Lookup, which reads the end of the trail while somebody waits for
// a page.
const (
	lookupBytes = 8 << 20
	lookupTime  = 100 * time.Millisecond
	lookupBlock = 256 << 10
	// lookupsAtOnce is the number of lookups that read at the same time.
	lookupsAtOnce = 2
)

// ErrUnreadable reports that a trail cannot be read: it is not a file, or it
// was moved away.
var ErrUnreadable = errors.New("the trail is no file that can be read")

// Query describes the records that Lookup looks for: those of one principal.
type Query struct {
	Account     string
	PrincipalID string // unique id of a user, or the number of the account for root
	Most        int    // maximum number of events
	// Leave selects the events to omit; nil omits none.
	Leave func(*Event) bool
}

// Event is the part of a record that says what a caller did, and from where.
type Event struct {
	EventTime                    time.Time
	EventSource, EventName       string
	ErrorCode, ErrorMessage      string
	SourceIPAddress, UserAgent   string
	ReadOnly                     bool
	UserIdentity                 EventIdentity
	SessionCredentialFromConsole string
}

// EventIdentity says who caused an event.
type EventIdentity struct{ Type, PrincipalID, AccountID, AccessKeyID string }

// FromConsole says whether a page of the console made the call.
func (e *Event) FromConsole() bool { return e.SessionCredentialFromConsole == "true" }

// Found holds the result of a Lookup.
type Found struct {
	Events []Event // the newest first
	// Since is the time of the oldest record that was read.
	Since time.Time
	// All says that there are no older records.
	All bool
}

// Lookup finds the newest records of a principal. It reads the file backward
// from its end, and then the file that log rotation keeps as path.1. It ends
// after 8 MiB or 100 ms. It skips incomplete lines, and lines that no trail
// wrote. If the trail cannot be read, the error is ErrUnreadable.
func (t *Trail) Lookup(ctx context.Context, q Query) (Found, error) {
	if t == nil || t.path == "" {
		return Found{}, ErrUnreadable
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	select {
	case t.lookups <- struct{}{}:
		defer func() { <-t.lookups }()
	case <-ctx.Done():
		return Found{}, ctx.Err()
	}
	l := &lookup{Query: q, budget: lookupBytes}
	l.mark, _ = json.Marshal(q.PrincipalID)
	l.mark = append([]byte(`"principalId":`), l.mark...)
	more, err := l.file(ctx, t.path)
	if err != nil {
		return Found{}, errors.Join(ErrUnreadable, err)
	}
	if more {
		if more, err = l.file(ctx, t.path+".1"); errors.Is(err, fs.ErrNotExist) {
			more, err = true, nil
		}
	}
	l.found.All = more && err == nil
	return l.found, nil
}

// lookup is a Lookup in progress.
type lookup struct {
	Query
	mark   []byte // a text that each of its records contains
	budget int64  // number of bytes that may still be read
	oldest []byte // the last line that was read
	found  Found
}

// file reads a file backward from its end. more says that the start of the file
// was reached and earlier records may be elsewhere.
func (l *lookup) file(ctx context.Context, path string) (more bool, err error) {
	f, size, err := openRegular(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return l.backward(ctx, f, size)
}

// openRegular opens a regular file for reading. A pipe would give its content
// to the first reader.
func openRegular(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = ErrUnreadable
	}
	if err != nil {
		return nil, 0, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = ErrUnreadable
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// over says whether the time for a search is over. That is not an error: the
// answer contains the records so far.
func over(ctx context.Context) bool { return ctx.Err() != nil }

// backward reads the lines of a file, the last one first. It ignores the text
// after the last line break, which may be half a line.
func (l *lookup) backward(ctx context.Context, f io.ReaderAt, size int64) (more bool, err error) {
	// text begins with the end of a line whose beginning has not been read yet.
	text := make([]byte, 0, lookupBlock+maxRecord)
	torn := true // the end of that line is missing
	for size > 0 {
		n := min(size, lookupBlock, l.budget)
		if n == 0 || over(ctx) {
			return false, nil
		}
		rest := len(text)
		text = text[:rest+int(n)]
		copy(text[n:], text[:rest])
		if _, err := f.ReadAt(text[:n], size-n); err != nil {
			return false, err
		}
		size, l.budget = size-n, l.budget-n
		l.oldest = nil
		for i := bytes.LastIndexByte(text, '\n'); i >= 0; i = bytes.LastIndexByte(text, '\n') {
			line := text[i+1:]
			text = text[:i]
			if !torn && !l.line(line) {
				l.since()
				return false, nil
			}
			torn = false
		}
		l.since()
		if len(text) > maxRecord {
			text, torn = text[:0], true // no record is that long
		}
	}
	more = torn || l.line(text)
	l.since()
	return more, nil
}

// since notes the time of the oldest line so far.
func (l *lookup) since() {
	_, after, _ := bytes.Cut(l.oldest, []byte(`"eventTime":"`))
	text, _, _ := bytes.Cut(after, []byte{'"'})
	if at, err := time.Parse(time.RFC3339, string(text)); err == nil {
		l.found.Since = at
	}
}

// line reads a line, and says whether to continue.
func (l *lookup) line(line []byte) bool {
	if len(line) > 0 {
		l.oldest = line
	}
	var e Event
	if !bytes.Contains(line, l.mark) || json.Unmarshal(line, &e) != nil {
		return true
	}
	who := &e.UserIdentity
	if who.AccountID == l.Account && who.PrincipalID == l.PrincipalID && (l.Leave == nil || !l.Leave(&e)) {
		l.found.Events = append(l.found.Events, e)
	}
	return len(l.found.Events) < l.Most
}
