package trail

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Filter describes the records that Search looks for. Empty fields match all.
type Filter struct {
	User    string // the name, unique id or ARN of the caller, or of its session's role
	Key     string // the access key
	Action  string
	Account string
	// Outcome is "ok", "failed" or an error code. Exception is another name of that
	// code, or "": the API has codes, NoSuchEntity, and the trail has the names of
	// exceptions, NoSuchEntityException.
	Outcome      string
	Exception    string
	Since, Until time.Time // from, and before
	Most         int       // records; 0 is no limit
}

// Hit is a record that Search found.
type Hit struct {
	Event
	Line []byte // the whole record
}

// late is the time by which a record may come after later ones: those that
// another node writes after a crash.
const late = time.Hour

// Search calls found with the records in the files that match, the newest
// first. The files are in the order in which they were written. Plain ones are
// read from their end on, no further than needed; compressed ones as a whole.
// Lines that are no records are passed over, and so are checkpoints, unless they
// are asked for.
func Search(ctx context.Context, files []string, f Filter, found func(Hit) error) error {
	s := &search{Filter: f, found: found}
	for _, file := range slices.Backward(files) {
		if more, err := s.file(ctx, file); err != nil || !more {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

type search struct {
	Filter
	found func(Hit) error
	hits  int
	err   error
}

// file searches a file, and says whether to continue with the previous one.
func (s *search) file(ctx context.Context, path string) (more bool, err error) {
	if f, size, err := openRegular(path); err == nil {
		defer f.Close()
		if packed, err := isPacked(bufio.NewReader(f)); err == nil && !packed {
			b := backwards{budget: math.MaxInt64, line: s.line, block: func() {}}
			more, err := b.read(ctx, f, size)
			if s.err != nil {
				return false, s.err
			}
			return more, err
		}
	}
	r, err := OpenFile(path)
	if err != nil {
		return false, err
	}
	defer r.Close()
	return s.forward(ctx, r)
}

// forward looks through a text that cannot be read from its end on.
func (s *search) forward(ctx context.Context, r io.Reader) (more bool, err error) {
	var last [][]byte // that match
	in := bufio.NewReaderSize(r, 256<<10)
	for {
		line, _, err := readLine(in)
		if err != nil && err != io.EOF {
			return false, err
		}
		if _, ok := s.match(line); ok {
			if last = append(last, line); s.Most > 0 && len(last) > s.Most {
				last = last[1:]
			}
		}
		if err == io.EOF {
			break
		}
		if over(ctx) {
			return false, ctx.Err()
		}
	}
	for _, line := range slices.Backward(last) {
		if !s.line(line) {
			return false, s.err
		}
	}
	return true, nil
}

// line checks a line, and says whether to continue.
func (s *search) line(line []byte) bool {
	e, ok := s.match(line)
	if !ok {
		return s.Since.IsZero() || !eventTime(line).Before(s.Since.Add(-late))
	}
	if s.err = s.found(Hit{e, bytes.Clone(line)}); s.err != nil {
		return false
	}
	s.hits++
	return s.Most == 0 || s.hits < s.Most
}

// eventTime returns the time of a record; of other lines a time far ahead.
func eventTime(line []byte) time.Time {
	at, err := time.Parse(time.RFC3339, member(line, "eventTime"))
	if err != nil {
		return time.Unix(1<<40, 0)
	}
	return at
}

// match says whether a line is a record that is looked for.
func (s *search) match(line []byte) (e Event, ok bool) {
	// Most lines need no parsing.
	if s.Action != "" && !strings.EqualFold(member(line, "eventName"), s.Action) ||
		!bytes.Contains(line, []byte(s.Key)) || !bytes.Contains(line, []byte(s.Account)) {
		return e, false
	}
	if json.Unmarshal(line, &e) != nil || e.EventName == "" || e.EventName == checkpointEvent && s.Action == "" {
		return e, false
	}
	who := &e.UserIdentity
	switch {
	case !s.Since.IsZero() && e.EventTime.Before(s.Since),
		!s.Until.IsZero() && !e.EventTime.Before(s.Until),
		s.Key != "" && who.AccessKeyID != s.Key,
		s.Account != "" && who.AccountID != s.Account && e.RecipientAccountID != s.Account,
		s.User != "" && !who.is(s.User):
		return e, false
	}
	return e, s.Outcome == "" || s.Outcome == "ok" && !e.Failed() || s.Outcome == "failed" && e.Failed() ||
		strings.EqualFold(s.Outcome, e.ErrorCode) || s.Exception != "" && s.Exception == e.ErrorCode
}

// member returns the first member of a name whose text needs no escaping.
func member(line []byte, name string) string {
	_, after, _ := bytes.Cut(line, []byte(`"`+name+`":"`))
	text, _, _ := bytes.Cut(after, []byte{'"'})
	return string(text)
}

// is says whether the identity is the one that somebody names.
func (i *EventIdentity) is(name string) bool {
	issuer := &i.SessionContext.SessionIssuer
	for _, known := range []string{i.UserName, i.PrincipalID, i.ARN, issuer.UserName, issuer.PrincipalID, issuer.ARN} {
		if known != "" && strings.EqualFold(known, name) {
			return true
		}
	}
	return i.Type == Root && strings.EqualFold(name, "root")
}

// OpenFile opens a file of a trail to read it. It unpacks gzip and zstd.
func OpenFile(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := Unpacked(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{r, f}, nil
}

// isPacked says whether a text begins as one of gzip or zstd.
func isPacked(in *bufio.Reader) (bool, error) {
	head, err := in.Peek(4)
	if err == io.EOF {
		err = nil
	}
	return bytes.HasPrefix(head, []byte{0x1f, 0x8b}) || bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), err
}

// maxWindow bounds the memory that a file of zstd can ask for.
const maxWindow = 128 << 20

// Unpacked returns the text of a stream that may be packed by gzip or zstd.
func Unpacked(r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(r)
	packed, err := isPacked(in)
	if err != nil || !packed {
		return in, err
	}
	if head, err := in.Peek(1); err == nil && head[0] == 0x1f {
		return gzip.NewReader(in)
	}
	return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxWindow))
}
