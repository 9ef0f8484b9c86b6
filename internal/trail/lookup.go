package trail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// Limits of a Lookup, which reads the end of the trail while somebody waits for
// a page.
const (
	lookupBytes = 8 << 20
	lookupBlock = 256 << 10
	// lookupsAtOnce is the number of lookups that read at the same time.
	lookupsAtOnce = 2
)

// ErrUnreadable reports that a trail cannot be read: it is not a file, or it
// was moved away.
var ErrUnreadable = errors.New("the trail is not a readable file")

// Query describes the records that Lookup looks for: those of one principal.
type Query struct {
	Account     string
	PrincipalID string // unique id of a user, or the number of the account for root
	Most        int    // maximum number of events
	// NoPageReads omits what pages of the console only read.
	NoPageReads bool
}

// Event is the part of a record that says what a caller did, and from where.
type Event struct {
	EventTime                    time.Time
	EventSource, EventName       string
	ErrorCode, ErrorMessage      string
	RecipientAccountID           string
	AWSRegion                    string
	SourceIPAddress, UserAgent   string
	ReadOnly                     bool
	UserIdentity                 EventIdentity
	SessionCredentialFromConsole string
}

// EventIdentity says who caused an event.
type EventIdentity struct {
	Type, PrincipalID, ARN, AccountID, AccessKeyID, UserName, InvokedBy string
	SessionContext                                                      struct {
		SessionIssuer struct{ PrincipalID, ARN, UserName string }
	}
}

// Failed says whether the call was refused or failed. A sign-in has no code.
func (e *Event) Failed() bool { return e.ErrorCode != "" || e.ErrorMessage != "" }

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
// after 8 MiB or LookupTime. It skips incomplete lines, and lines that no trail
// wrote. If the trail cannot be read, the error is ErrUnreadable.
func (t *Trail) Lookup(ctx context.Context, q Query) (Found, error) {
	if t == nil || t.path == "" {
		return Found{}, ErrUnreadable
	}
	ctx, cancel := context.WithTimeout(ctx, t.LookupTime)
	defer cancel()
	select {
	case t.lookups <- struct{}{}:
		defer func() { <-t.lookups }()
	case <-ctx.Done():
		return Found{}, ctx.Err()
	}
	l := &lookup{Query: q}
	l.reader = backwards{budget: lookupBytes, line: l.line, block: l.since}
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
	mark   []byte // what each of its records contains
	reader backwards
	oldest []byte // the line that was looked at last
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
	return l.reader.read(ctx, f, size)
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

// since notes the time of the oldest line that was looked at.
func (l *lookup) since() {
	if l.oldest == nil {
		return
	}
	if at, err := time.Parse(time.RFC3339, member(l.oldest, "eventTime")); err == nil {
		l.found.Since = at
	}
	l.oldest = nil
}

// line reads a line, and says whether to continue.
func (l *lookup) line(line []byte) bool {
	if len(line) > 0 {
		l.oldest = line
	}
	if !bytes.Contains(line, l.mark) || l.NoPageReads && readByPage(line) {
		return true
	}
	var e Event
	if json.Unmarshal(line, &e) != nil {
		return true
	}
	who := &e.UserIdentity
	if who.AccountID == l.Account && who.PrincipalID == l.PrincipalID {
		l.found.Events = append(l.found.Events, e)
	}
	return len(l.found.Events) < l.Most
}

// readByPage reports whether a line is the record of a page of the console that
// only read. Most lines of a user of the console are, and parsing them would take
// most of a lookup. Inside a text, quotes have a backslash before them.
func readByPage(line []byte) bool {
	return bytes.Contains(line, []byte(`,"readOnly":true,`)) &&
		bytes.Contains(line, []byte(`,"sessionCredentialFromConsole":"true"`))
}
