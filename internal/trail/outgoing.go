package trail

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"time"
)

// The parts of what an attempt writes, in their order.
const (
	partResumed = iota // the event that reports a failure
	partKept           // records that an earlier failure left
	partNew            // those of the batch
	partCheckpoint
)

// outgoing is the text of an attempt: whole lines with their links.
type outgoing struct {
	chain *chain
	text  []byte
	ends  []lineEnd
	head  Head   // of the last line
	torn  string // what the first line says
}

// lineEnd says where a line ends, in the text and in the part that it comes
// from.
type lineEnd struct {
	text, part, source int
	head               Head
}

// add adds the lines of a part.
func (o *outgoing) add(part int, lines []byte) {
	for at := 0; at < len(lines); {
		n := bytes.IndexByte(lines[at:], '\n')
		o.line(part, lines[at:at+n], &Link{}, nil)
		at += n + 1
		o.ends[len(o.ends)-1].source = at
	}
}

// checkpoint adds a checkpoint. end says that it is the last line of its file.
func (o *outgoing) checkpoint(sign Signer, end string) {
	event := serviceEvent(checkpointEvent, nil, time.Now())
	o.line(partCheckpoint, event.AppendJSON(nil), &Link{End: end}, sign)
}

// line adds a line, and completes its link.
func (o *outgoing) line(part int, line []byte, l *Link, sign Signer) {
	start := len(o.text)
	if o.chain.on {
		if o.head.Chain == "" {
			o.head.Chain = newChainID()
			l.Started = o.chain.started
		}
		if len(o.ends) == 0 {
			l.Follows, l.Torn = o.chain.follows, o.torn
		}
		l.Chain, l.Seq, l.Prev = o.head.Chain, o.head.Seq+1, o.head.Hash
		o.text = appendLinked(o.text, line, l, sign)
		o.head.Seq, o.head.Hash = l.Seq, hashLine(o.text[start:])
	} else {
		o.text = append(o.text, line...)
	}
	o.text = append(o.text, '\n')
	o.ends = append(o.ends, lineEnd{text: len(o.text), part: part, head: o.head})
}

// settle notes in the chain that the first n bytes were written, and returns
// the number of whole lines among them.
func (o *outgoing) settle(n int) (lines int) {
	for lines < len(o.ends) && o.ends[lines].text-1 <= n { // its line break may come later
		lines++
	}
	c, start := o.chain, 0
	c.size += int64(n)
	c.open += lines
	if lines > 0 {
		last := o.ends[lines-1]
		start = last.text
		c.head, c.torn, c.started, c.follows, c.ended = last.head, nil, "", nil, false
		if last.part == partCheckpoint {
			c.open = 0
		}
	}
	if c.on && n > start {
		if c.torn == nil {
			c.torn = sha256.New()
		}
		c.torn.Write(o.text[start:n])
	}
	return lines
}

// settle notes in the trail and its chain that the first n bytes were written.
func (t *Trail) settle(out *outgoing, n int) (lines int) {
	lines = out.settle(n)
	if lines > 0 && t.place.Place != "" {
		head := t.chain.head
		t.written.Store(&head)
	}
	return lines
}

// through says whether so many lines include all up to a part.
func (o *outgoing) through(part, lines int) bool {
	return lines == len(o.ends) || o.ends[lines].part > part
}

// bytes returns how many bytes of a part the first lines include.
func (o *outgoing) bytes(part, lines int) (n int) {
	for _, end := range o.ends[:lines] {
		if end.part == part {
			n = end.source
		}
	}
	return n
}

// begin makes the chain one of this process alone, for sinks that others do not
// continue.
func (c *chain) begin() { c.on, c.known, c.started = true, true, startedNew }

// shared returns the sink if it is a file, whose chain other processes may
// continue.
func (t *Trail) shared() (*os.File, bool) {
	f, ok := t.sink.(*os.File)
	if !ok || t.path == "" || !t.chain.on {
		return nil, false
	}
	info, err := f.Stat()
	return f, err == nil && info.Mode().IsRegular()
}

// mostMoves bounds the files that are tried, one after the other was moved away.
const mostMoves = 8

var errMoves = errors.New("the trail's file is moved away again and again")

// hold takes the lock of the file and learns how it ends. release drops the
// lock.
func (t *Trail) hold() (release func(), err error) {
	for range mostMoves {
		f, shared := t.shared()
		if !shared {
			return func() {}, nil
		}
		release = lockFile(f)
		changed, moved, err := t.chain.follow(f)
		if changed {
			t.broken = endsWithinLine(f)
		}
		if err == nil && !moved {
			return release, nil
		}
		release()
		if err != nil {
			return nil, err
		}
		before, _ := f.Stat()
		if err := t.reopen(); err != nil {
			return nil, err
		}
		if f, shared = t.shared(); shared {
			if now, err := f.Stat(); err == nil && before != nil && os.SameFile(before, now) {
				t.chain.restart(startedNew) // it was moved back
			}
		}
	}
	return nil, errMoves
}

// leave ends the file that the trail has, where next is another one, with a
// checkpoint that tells other processes not to append to it.
func (t *Trail) leave(next *os.File) {
	old, shared := t.shared()
	if !t.chain.on || !shared {
		return
	}
	mine, err1 := old.Stat()
	there, err2 := next.Stat()
	if err1 != nil || err2 != nil || os.SameFile(mine, there) {
		return
	}
	defer func() { t.chain.fresh = true }()
	if !t.chain.known {
		return
	}
	defer lockFile(old)()
	changed, _, err := t.chain.follow(old)
	if changed {
		t.broken = endsWithinLine(old)
	}
	if err != nil || t.chain.ended || t.chain.head.Chain == "" {
		return
	}
	out := outgoing{chain: &t.chain, head: t.chain.head}
	if t.broken {
		out.text = append(out.text, '\n')
	}
	out.torn = t.chain.tornHash(t.broken)
	out.checkpoint(t.sign(), endRotated)
	// Where it cannot be written, the chain continues from the previous record.
	n, _ := t.write(out.text)
	t.settle(&out, n)
}

// remind makes a checkpoint due, where nothing else will. t.mu is held.
func (t *Trail) remind() {
	if t.closed || t.reminder != nil || t.sign() == nil {
		return
	}
	t.reminder = time.AfterFunc(checkpointTime, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.reminder = nil
		if !t.closed {
			t.gather().checkpoint = true
		}
	})
}
