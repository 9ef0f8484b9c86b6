package trail

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// KnownHead is the last record of a file that was certainly on disk. The
// database keeps it, so that it notices when the end of the file is cut off
// while no process watches.
type KnownHead struct {
	// Place identifies the file among those of all machines. Host and Path
	// describe it to people.
	Place, Host, Path string
	Head
	// Proof shows that a holder of the keys wrote the rest.
	Proof []byte
}

// MAC computes a message authentication code under a key for this purpose.
type MAC func(purpose string, data []byte) []byte

// proofPurpose names the purpose of the proof's key.
const proofPurpose = "trail head"

func (h *KnownHead) prove(mac MAC) []byte {
	text, err := json.Marshal([]any{h.Place, h.Host, h.Path, h.Chain, h.Seq, h.Hash})
	if err != nil {
		panic(err) // texts and a number
	}
	return mac(proofPurpose, text)
}

// Proven reports whether a holder of the keys wrote the head.
func (h *KnownHead) Proven(mac MAC) bool { return hmac.Equal(h.Proof, h.prove(mac)) }

// Here describes the file of a trail on this machine, without a head. The
// machine's id tells machines with the same host name apart.
func Here(path string) KnownHead {
	full, err := filepath.Abs(path)
	if err != nil {
		full = path
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(full)); err == nil {
		full = filepath.Join(dir, filepath.Base(full))
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	machine, _ := os.ReadFile("/etc/machine-id") // containers have none, and host names of their own
	return KnownHead{
		Place: hashLine([]byte(strings.TrimSpace(string(machine)) + "\x00" + host + "\x00" + full)), Host: host, Path: full,
	}
}

// HeadOf returns the head of the file at path: the one of this place, or the one
// of the chain that the file ends with, if the file was moved here. It returns
// nil if there is none.
func HeadOf(path string, heads []KnownHead) *KnownHead {
	place := Here(path).Place
	if i := slices.IndexFunc(heads, func(h KnownHead) bool { return h.Place == place }); i >= 0 {
		return &heads[i]
	}
	f, size, err := openRegular(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	last, _, found, err := lastRecord(f, size)
	if err != nil || !found {
		return nil
	}
	if i := slices.IndexFunc(heads, func(h KnownHead) bool { return h.Chain == last.link.Chain }); i >= 0 {
		return &heads[i]
	}
	return nil
}

// Known returns the last record of the trail's file that is on disk: the last
// one before the last Flush or Close. It returns nil if there is none, or if
// the trail is no file.
func (t *Trail) Known(mac MAC) *KnownHead {
	head := t.durable.Load()
	if head == nil {
		return nil
	}
	known := t.place
	known.Head = *head
	known.Proof = known.prove(mac)
	return &known
}

// Path returns the path of the trail's file, "" if the trail is no file.
func (t *Trail) Path() string { return t.place.Path }

// Expect compares the file with a head that was on disk once. If the file lacks
// records up to it, Expect says so, and the next record begins a chain that
// names the head. So the gap stays visible. Call it before the first Write.
func (t *Trail) Expect(want Head) (lacks string, err error) {
	gap, err := Missing(t.path, want)
	if err != nil || gap == nil {
		return "", err
	}
	t.chain.lost = gap
	return gap.String(), nil
}

// Gap says that a file lacks records that were on disk.
type Gap struct {
	// Want is the head that was on disk, and Seen the last record of its chain
	// that was found, 0 for none.
	Want Head
	Seen uint64
}

func (g *Gap) String() string {
	number := strconv.FormatUint(g.Want.Seq, 10)
	switch {
	case g.Seen >= g.Want.Seq:
		return "record " + number + " of chain " + g.Want.Chain + " is another one than the database knows"
	case g.Seen > 0:
		return numbered(g.Seen+1, g.Want.Seq) + " of chain " + g.Want.Chain + ", which the database knows, " +
			isAre(g.Seen+1, g.Want.Seq) + " missing"
	}
	return "the records of chain " + g.Want.Chain + ", up to record " + number +
		", which the database knows, are in no file here that can be read"
}

const (
	// expectBytes bounds the part of a file in which the chain of a head is looked
	// for.
	expectBytes = 256 << 20
	// besideFiles is the number of rotated files in which it is looked for.
	besideFiles = 3
)

// Missing looks for a head in the file at path, and in the files that log rotation
// left beside it if its chain is not there, or only later records are. It returns
// nil if nothing is missing.
func Missing(path string, want Head) (*Gap, error) {
	s := &headSearch{want: want, mark: []byte(`"chain":"` + want.Chain + `"`)}
	err := s.file(path)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	for n, name := range newestBeside(path, math.MaxInt) {
		if s.ended() || s.seen == 0 && n == besideFiles {
			break
		}
		// Nothing is known of a file that cannot be read, which may be there for that
		// purpose.
		_ = s.beside(name)
	}
	switch {
	case s.found:
		return nil, nil
	case s.seen > want.Seq && !s.other:
		s.seen = 0 // anybody can write records that claim to follow the head
	}
	return &Gap{want, s.seen}, nil
}

// headSearch looks for a record.
type headSearch struct {
	want  Head
	mark  []byte // what each record of the chain contains
	seen  uint64 // the highest number of a record of the chain
	found bool
	other bool // another record has the number
}

// ended reports whether no other file can have the record.
func (s *headSearch) ended() bool {
	return s.found || s.other || s.seen > 0 && s.seen <= s.want.Seq
}

// file reads a file backward from its end.
func (s *headSearch) file(path string) error {
	f, size, err := openRegular(path)
	if err != nil {
		return err
	}
	defer f.Close()
	b := backwards{budget: expectBytes, block: func() {}}
	b.line = func(line []byte) bool {
		more := s.line(line)
		if s.seen > 0 {
			b.budget = math.MaxInt64 // the head is older than usual
		}
		return more
	}
	// The break of the last line may be missing.
	_, err = b.read(context.Background(), withBreak{f, size}, size+1)
	return err
}

// line checks a line, and says whether to continue with the previous one.
func (s *headSearch) line(line []byte) bool {
	l := s.link(line)
	if l == nil {
		return true
	}
	s.seen = max(s.seen, l.Seq)
	if l.Seq > s.want.Seq {
		return true
	}
	s.found = l.Seq == s.want.Seq && hashLine(line) == s.want.Hash
	s.other = !s.found && s.seen >= s.want.Seq
	return false
}

// link returns the link of a line, nil if the line is no record of the chain.
func (s *headSearch) link(line []byte) *Link {
	if !bytes.Contains(line, s.mark) {
		return nil
	}
	parsed, _ := parseLink(line)
	if l := parsed.AdditionalEventData.Trail; l != nil && l.Chain == s.want.Chain {
		return l
	}
	return nil
}

// beside reads a rotated file. A compressed one can only be read forward.
func (s *headSearch) beside(path string) error {
	if !compressed(path) {
		return s.file(path)
	}
	r, err := OpenFile(path)
	if err != nil {
		return err
	}
	defer r.Close()
	in := bufio.NewReaderSize(r, lookupBlock)
	for {
		line, _, err := readLine(in)
		if l := s.link(line); l != nil {
			s.seen = max(s.seen, l.Seq)
			if l.Seq == s.want.Seq {
				s.found = hashLine(line) == s.want.Hash
				s.other = !s.found
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func compressed(path string) bool {
	ext := filepath.Ext(path)
	return ext == ".gz" || ext == ".zst"
}

// newestBeside returns the newest files that log rotation left beside path, the
// newest first.
func newestBeside(path string, most int) []string {
	changed := map[string]time.Time{}
	var names []string
	for _, pattern := range []string{path + ".*", path + "-*"} {
		found, _ := filepath.Glob(pattern)
		for _, name := range found {
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				names, changed[name] = append(names, name), info.ModTime()
			}
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return changed[b].Compare(changed[a]) })
	return names[:min(most, len(names))]
}

// withBreak is a file with a line break after its end.
type withBreak struct {
	io.ReaderAt
	size int64
}

// ReadAt reads from the file. The last byte is the line break.
func (f withBreak) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) <= f.size {
		return f.ReaderAt.ReadAt(p, at)
	}
	n, err := f.ReaderAt.ReadAt(p[:f.size-at], at)
	if err == nil || err == io.EOF && int64(n) == f.size-at {
		p[n], n, err = '\n', n+1, nil
	}
	return n, err
}
