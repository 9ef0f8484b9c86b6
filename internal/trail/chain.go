package trail

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"io"
	"math"
	"os"
	"slices"
	"time"
)

const (
	// checkpointRecords and checkpointTime bound the records that no checkpoint
	// covers.
	checkpointRecords = 1000
	checkpointTime    = time.Minute
	// adoptBytes is the length of the end of a file in which its last record is
	// looked for.
	adoptBytes = 1 << 20
)

// chain links the records that go into a sink. Only the writer uses it.
//
// Several processes may append to a file. They take its lock for each write,
// and each continues the chain of the file's last record.
type chain struct {
	on    bool
	known bool // the end of the file is known
	fresh bool // the file is another one than the head was written to
	head  Head // of the last record; its Chain is empty before the first
	size  int64

	torn    hash.Hash // of the text after the last record; nil without one
	started string    // what the next record says
	follows *Head
	lost    *Gap // what the file lacked at the start
	ended   bool // the last record says that the file was moved away
	open    int  // records that no checkpoint of this process covers
}

// follow learns how the file f ends, whose lock is held. changed says that it
// does not end as this process left it; moved, that another process saw the file
// moved away.
func (c *chain) follow(f *os.File) (changed, moved bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return false, false, err
	}
	size := info.Size()
	switch {
	case c.known && !c.fresh && size == c.size:
		return false, false, nil
	case !c.known || c.fresh:
		moved, err = c.adopt(f, size)
	case size < c.size:
		c.restart(startedChanged)
	default:
		moved, err = c.readOn(f, size)
	}
	if err != nil {
		return false, false, err
	}
	c.known, c.fresh, c.size = true, false, size
	if c.lost != nil && !moved {
		c.restartAfter(c.lost)
	}
	return true, moved, nil
}

// restartAfter begins another chain with the next record, which names the head
// that is missing.
func (c *chain) restartAfter(g *Gap) {
	why := startedChanged
	if g.Seen == 0 {
		why = startedMissing
	}
	c.restart(why)
	c.follows, c.lost = &g.Want, nil
}

// restart begins another chain with the next record, which names the head of
// this one.
func (c *chain) restart(why string) {
	if c.head.Chain != "" {
		head := c.head
		c.follows = &head
	}
	c.started, c.head, c.torn, c.ended = why, Head{}, nil, false
}

// adopt continues the chain that the file ends with.
func (c *chain) adopt(f *os.File, size int64) (moved bool, err error) {
	mine := c.head
	if size == 0 {
		c.torn = nil
		switch {
		case mine.Chain == "":
			if c.started = startedNew; c.follows == nil {
				c.follows = lastBeside(f.Name())
			}
		case c.ended: // the process that ended the previous file continues its chain
			c.restart(startedNew)
		}
		return false, nil
	}
	last, rest, found, err := lastRecord(f, size)
	if err != nil {
		return false, err
	}
	c.torn = nil
	if !found {
		c.restart(startedUnchained)
		return false, nil
	}
	c.take(last)
	if len(rest) > 0 {
		c.torn = sha256.New()
		c.torn.Write(rest)
	}
	if mine.Chain != "" && (mine.Chain != c.head.Chain || mine.Seq > c.head.Seq) {
		c.follows = &mine
	}
	if last.link.Signature == "" {
		c.open++
	}
	return c.ended, nil
}

// record is a chained line of a file.
type record struct {
	link Link
	hash string
}

func (c *chain) take(r record) {
	c.head = Head{r.link.Chain, r.link.Seq, r.hash}
	c.torn, c.started, c.ended = nil, "", r.link.End == endRotated
}

// lastRecord returns the last record of a file, and the text after it. found is
// false if that record belongs to no chain.
func lastRecord(f io.ReaderAt, size int64) (last record, rest []byte, found bool, err error) {
	text := make([]byte, min(size, adoptBytes))
	if _, err := f.ReadAt(text, size-int64(len(text))); err != nil && err != io.EOF {
		return last, nil, false, err
	}
	// The last line may lack its break.
	for end := len(bytes.TrimSuffix(text, []byte{'\n'})); end >= 0; {
		start := bytes.LastIndexByte(text[:end], '\n') + 1
		line := text[start:end]
		if c, ok := parseLink(line); ok && (start > 0 || len(text) == int(size)) {
			l := c.AdditionalEventData.Trail
			if l == nil {
				return last, nil, false, nil
			}
			return record{*l, hashLine(line)}, text[min(end+1, len(text)):], true, nil
		}
		end = start - 1
	}
	return last, nil, false, nil
}

// readOn reads what other processes appended since this one wrote last.
func (c *chain) readOn(f *os.File, size int64) (moved bool, err error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, c.size, size-c.size), 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return false, err
		}
		whole := bytes.TrimSuffix(line, []byte{'\n'})
		parsed, ok := parseLink(whole)
		l := parsed.AdditionalEventData.Trail
		switch {
		case len(line) == 0:
		case !ok:
			if c.torn == nil {
				c.torn = sha256.New()
			}
			c.torn.Write(line)
		case l != nil && (l.Started != "" || l.Chain == c.head.Chain && l.Seq == c.head.Seq+1 && l.Prev == c.head.Hash):
			c.take(record{*l, hashLine(whole)})
			c.open++
		default:
			c.restart(startedChanged)
			return false, nil
		}
		if err == io.EOF {
			return c.ended, nil
		}
	}
}

// lastBeside returns the last record of the newest file that log rotation left
// beside path, nil if there is none that can be read.
func lastBeside(path string) *Head {
	names := slices.DeleteFunc(newestBeside(path, math.MaxInt), compressed)
	if len(names) == 0 {
		return nil
	}
	f, size, err := openRegular(names[0])
	if err != nil {
		return nil
	}
	defer f.Close()
	last, _, found, err := lastRecord(f, size)
	if err != nil || !found {
		return nil
	}
	return &Head{last.link.Chain, last.link.Seq, last.hash}
}

// tornHash returns the hash of the text between the last record and the next.
func (c *chain) tornHash(broken bool) string {
	if c.torn == nil {
		return "" // at most the line break of the last record is missing
	}
	h, err := c.torn.(hash.Cloner).Clone()
	if err != nil {
		return "" // not for SHA-256
	}
	if broken {
		h.Write([]byte{'\n'})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
