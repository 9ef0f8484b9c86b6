package trail

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"
)

// Verifier finds the records of trails that were changed, inserted, moved or
// taken away. It reads files in the order in which they were written.
//
// Hashes join each record to the previous one, and only the holder of a key can
// sign a checkpoint. So a person who can write the files, and has no key, can change
// only what comes after the last checkpoint, or give a shorter trail that was
// true once. Expect finds the latter.
type Verifier struct {
	// Keys are the keys of the installation, by KeyID. Without any, signatures
	// are not checked.
	Keys map[string]ed25519.PublicKey
	// Expect are heads that were noted earlier: their chains must go so far.
	Expect []Head
	// Known are the heads that the database knows, and MAC verifies them.
	Known []KnownHead
	MAC   MAC
	// Part says that the files are a part of the trail. Chains may begin before
	// it.
	Part bool

	problems []Finding
	notes    []Finding
	left     int // problems that are not kept
	chains   map[string]*ChainReport
	order    []*ChainReport
	claims   []following // that are compared at the end
	records  int
	files    []string
}

// Finding is something about a place in the files.
type Finding struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"` // 0: about no line
	Text string `json:"text"`
}

// ChainReport describes a chain as far as the files show it.
type ChainReport struct {
	Chain   string    `json:"chain"`
	First   uint64    `json:"first"`
	Head    Head      `json:"head"`
	Begun   time.Time `json:"begun"`
	Ended   time.Time `json:"ended"`
	Records int       `json:"records"`
	Seen    string    `json:"file"` // the file of the head
	// Proven is the number of the last record that a checkpoint covers, 0
	// without one, ProvenAt its time and Unproven the number of records since.
	Proven   uint64    `json:"proven"`
	ProvenAt time.Time `json:"provenAt,omitzero"`
	Unproven int       `json:"unproven"`

	since  time.Time // of the first record that is not proven
	line   int
	moved  bool              // the last record says that the file was moved away
	recent map[uint64]string // hashes of the last records
}

// VerifyReport is the result of a verification.
type VerifyReport struct {
	Records  int            `json:"records"`
	Problems []Finding      `json:"problems"`
	More     int            `json:"moreProblems,omitempty"` // that are not listed
	Notes    []Finding      `json:"notes"`
	Chains   []*ChainReport `json:"chains"`
}

const (
	maxFindings = 1000
	// recentHashes is the number of hashes that are kept of each chain.
	recentHashes = 4096
	// latestCheckpoint is the time after which a checkpoint is missing.
	latestCheckpoint = 5 * time.Minute
)

func (v *Verifier) problem(file string, line int, format string, args ...any) {
	if len(v.problems) >= maxFindings {
		v.left++
		return
	}
	v.problems = append(v.problems, Finding{file, line, fmt.Sprintf(format, args...)})
}

func (v *Verifier) note(file string, line int, format string, args ...any) {
	if len(v.notes) < maxFindings {
		v.notes = append(v.notes, Finding{file, line, fmt.Sprintf(format, args...)})
	}
}

// fileCheck is the check of one file.
type fileCheck struct {
	*Verifier
	name string
	line int
	// between hashes the lines between the last record and the next, which are
	// no records of a chain.
	between hash.Hash
	strange int  // the number of the first of these lines
	ended   bool // the last of them has a line break
	chained bool
	last    *ChainReport // of the last record
}

// File reads the next file. The error is that of the reader.
func (v *Verifier) File(name string, r io.Reader) error {
	if v.chains == nil {
		v.chains = map[string]*ChainReport{}
	}
	v.files = append(v.files, name)
	f := &fileCheck{Verifier: v, name: name}
	in := bufio.NewReaderSize(r, 256<<10)
	for {
		line, whole, err := readLine(in)
		if err != nil && err != io.EOF {
			return err
		}
		if len(line) > 0 || whole {
			f.line++
			f.check(line, whole)
		}
		if err == io.EOF {
			f.end()
			return nil
		}
	}
}

// readLine reads a line without its break. Of a line that is too long to be a
// record it returns the beginning.
func readLine(in *bufio.Reader) (line []byte, whole bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if n := bytes.TrimSuffix(part, []byte{'\n'}); len(n) < len(part) {
			part, whole = n, true
		}
		if room := maxLine + 1 - len(line); room > 0 {
			line = append(line, part[:min(room, len(part))]...)
		}
		if err != bufio.ErrBufferFull {
			return line, whole, err
		}
	}
}

func (f *fileCheck) check(line []byte, whole bool) {
	parsed, object := parseLink(line)
	l := parsed.AdditionalEventData.Trail
	if !object || l == nil || len(line) > maxLine {
		f.unchained(line, whole, object)
		return
	}
	f.records++
	f.torn(l)
	c := f.chains[l.Chain]
	if c == nil {
		c = f.begin(l, parsed.EventTime)
	} else {
		f.next(c, l)
	}
	if l.Follows != nil {
		f.follows(l)
	}
	c.Head = Head{l.Chain, l.Seq, hashLine(line)}
	c.Ended, c.Seen, c.line, c.moved = parsed.EventTime, f.name, f.line, l.End == endRotated
	c.Records++
	if c.Unproven++; c.Unproven == 1 {
		c.since = parsed.EventTime
	}
	c.recent[l.Seq] = c.Head.Hash
	delete(c.recent, l.Seq-recentHashes)
	if parsed.EventName == checkpointEvent && l.Key != "" {
		f.checkpoint(c, l, line, parsed.EventTime)
	}
	f.chained, f.last = true, c
}

// unchained notes a line that is no record of a chain.
func (f *fileCheck) unchained(line []byte, whole, object bool) {
	if f.between == nil {
		f.between, f.strange = sha256.New(), f.line
	}
	f.between.Write(line)
	if f.ended = whole; whole {
		f.between.Write([]byte{'\n'})
	}
	if object && f.chained {
		f.problem(f.name, f.line, "this record belongs to no chain: it was inserted, or its link was changed")
	}
}

// torn compares the text before a record with what the record says of it.
func (f *fileCheck) torn(l *Link) {
	found := ""
	if f.between != nil {
		found = base64.RawURLEncoding.EncodeToString(f.between.Sum(nil))
	}
	switch {
	case found == "" && l.Torn != "" && l.Started == "":
		f.problem(f.name, f.line, "the rest of a write that was cut, which this record names, is missing before it")
	case found == "":
	case !f.chained && l.Started != "":
		f.note(f.name, f.strange, "the lines before line %d belong to no chain and prove nothing", f.line)
	case l.Torn != found && l.Started == "":
		f.problem(f.name, f.strange, "the text up to line %d is not what its writer left: it was inserted or changed", f.line)
	default:
		f.note(f.name, f.strange, "a write was cut here, as the next record says; nothing is missing")
	}
	f.between = nil
}

// begin notes the first record of a chain.
func (f *fileCheck) begin(l *Link, at time.Time) *ChainReport {
	c := &ChainReport{Chain: l.Chain, First: l.Seq, Begun: at, recent: map[uint64]string{}}
	f.chains[l.Chain] = c
	f.order = append(f.order, c)
	switch {
	case l.Started == startedChanged:
		f.problem(f.name, f.line, "the service found here that the file had been changed behind it")
	case l.Started == startedMissing && l.Follows != nil:
		f.missing(l.Follows)
	case l.Started == startedUnchained && f.line > 1 && f.chained:
		f.problem(f.name, f.line, "the previous record belonged to no chain when the service began")
	case l.Seq == 1:
		f.note(f.name, f.line, "chain %s begins here (%s)", l.Chain, cmp.Or(l.Started, "unknown"))
	case len(f.order) > 1 && !f.Part:
		f.problem(f.name, f.line, "records 1 to %d of chain %s are missing", l.Seq-1, l.Chain)
	default:
		f.note(f.name, f.line, "chain %s continues here: its records 1 to %d are in none of the files", l.Chain, l.Seq-1)
	}
	return c
}

// missing looks for the chain that the service did not find.
func (f *fileCheck) missing(want *Head) {
	if other := f.chains[want.Chain]; other != nil && other.First <= want.Seq && other.Head.Seq >= want.Seq {
		f.note(f.name, f.line, "the service did not find the file with record %d of chain %s", want.Seq, want.Chain)
		return
	}
	f.problem(f.name, f.line, "when the service began, records of chain %s, up to %d, were in no file", want.Chain,
		want.Seq)
}

// next compares a record with the head of its chain.
func (f *fileCheck) next(c *ChainReport, l *Link) {
	switch want := c.Head.Seq + 1; {
	case l.Seq == want && l.Prev == c.Head.Hash:
	case l.Seq == want:
		f.problem(c.Seen, c.line, "this record was changed, or the one that follows it, line %d of %s", f.line, f.name)
	case l.Seq > want:
		f.problem(f.name, f.line, "%s of chain %s %s missing before this record",
			numbered(want, l.Seq-1), l.Chain, isAre(want, l.Seq-1))
	default:
		f.problem(f.name, f.line, "this is record %d of chain %s, where %d must be: it was moved or repeated",
			l.Seq, l.Chain, want)
	}
}

func numbered(from, to uint64) string {
	if from == to {
		return fmt.Sprintf("record %d", from)
	}
	return fmt.Sprintf("records %d to %d", from, to)
}

func isAre(from, to uint64) string {
	if from == to {
		return "is"
	}
	return "are"
}

// follows notes what a record says of the end of another chain. A file may be moved
// away, and another one be begun, before the first record of the file is written. So
// the other chain may be in a later file, and Report compares.
func (f *fileCheck) follows(l *Link) {
	other := f.chains[l.Follows.Chain]
	if other == nil && (!f.chained && len(f.order) < 2 || f.Part) {
		f.note(f.name, f.line, "this record follows record %d of chain %s, which is in none of the files",
			l.Follows.Seq, l.Follows.Chain)
		return
	}
	claim := following{f.name, f.line, *l.Follows}
	if other != nil && other.Head.Seq >= l.Follows.Seq || len(f.claims) >= maxFindings {
		f.follow(claim)
		return
	}
	f.claims = append(f.claims, claim)
}

// following says of which record a record is the successor.
type following struct {
	file string
	line int
	head Head
}

// follow compares the end of another chain with what a record says of it.
func (v *Verifier) follow(r following) {
	other := v.chains[r.head.Chain]
	switch {
	case other == nil:
		v.problem(r.file, r.line, "chain %s, which continues here, is in none of the files", r.head.Chain)
	case other.Head.Seq < r.head.Seq:
		v.problem(other.Seen, other.line, "%s of chain %s %s missing after this record: line %d of %s knows them",
			numbered(other.Head.Seq+1, r.head.Seq), other.Chain, isAre(other.Head.Seq+1, r.head.Seq), r.line, r.file)
	case other.recent[r.head.Seq] != "" && other.recent[r.head.Seq] != r.head.Hash:
		v.problem(r.file, r.line, "record %d of chain %s is not the one that this record follows", r.head.Seq, r.head.Chain)
	}
}

// checkpoint checks a signature.
func (f *fileCheck) checkpoint(c *ChainReport, l *Link, line []byte, at time.Time) {
	if len(f.Keys) == 0 {
		return
	}
	key, known := f.Keys[l.Key]
	message, signature, ok := signedText(line, l)
	switch {
	case !known:
		f.problem(f.name, f.line, "this checkpoint is signed by %s, which is no key of the installation", l.Key)
	case !ok || !ed25519.Verify(key, message, signature):
		f.problem(f.name, f.line, "the signature does not fit: something between this checkpoint and the previous one, "+
			"at record %d, was changed", c.Proven)
	default:
		c.Proven, c.ProvenAt, c.Unproven = l.Seq, at, 0
	}
}

// end looks at what is left at the end of a file.
func (f *fileCheck) end() {
	switch {
	case f.between == nil:
	case !f.chained:
		f.note(f.name, f.strange, "no line of this file belongs to a chain")
	case f.ended:
		f.problem(f.name, f.strange, "the file ends with lines that are no records")
	default:
		f.note(f.name, f.strange, "the file ends with a text that is not a record: a write was cut off, or is in progress")
	}
}

// Report ends the verification.
func (v *Verifier) Report() *VerifyReport {
	for _, r := range v.claims {
		v.follow(r)
	}
	for _, c := range v.order {
		v.unproven(c)
	}
	for _, want := range v.Expect {
		v.expected(want)
	}
	for _, h := range v.Known {
		v.known(h)
	}
	chains := append([]*ChainReport{}, v.order...) // an empty list in JSON
	return &VerifyReport{v.records, v.problems, v.left, v.notes, chains}
}

// unproven looks at the records of a chain that no checkpoint covers.
func (v *Verifier) unproven(c *ChainReport) {
	span := c.Ended.Sub(c.since)
	switch {
	case len(v.Keys) == 0 || c.Unproven == 0:
	case c.Unproven > checkpointRecords+100 || c.Unproven > 1 && span > latestCheckpoint:
		v.problem(c.Seen, c.line, "no checkpoint covers the last %d records of chain %s: the service signs every minute",
			c.Unproven, c.Chain)
	default:
		v.note(c.Seen, c.line, "the last %d records of chain %s are not signed yet", c.Unproven, c.Chain)
	}
}

// expected compares a chain with a head that was noted earlier.
func (v *Verifier) expected(want Head) {
	c := v.chains[want.Chain]
	switch {
	case c == nil:
		v.problem("", 0, "chain %s, which must go to record %d, is in none of the files", want.Chain, want.Seq)
	case c.Head.Seq < want.Seq:
		v.problem(c.Seen, c.line, "%s of chain %s %s missing after this record", numbered(c.Head.Seq+1, want.Seq),
			want.Chain, isAre(c.Head.Seq+1, want.Seq))
	case c.recent[want.Seq] == "":
		v.note(c.Seen, c.line, "record %d of chain %s is too old to be compared with the expected one", want.Seq,
			want.Chain)
	case c.recent[want.Seq] != want.Hash:
		v.problem(c.Seen, c.line, "record %d of chain %s is not the expected one", want.Seq, want.Chain)
	}
}

// Sorted returns the findings by file and line, in the order of the files.
func Sorted(findings []Finding) []Finding {
	files := map[string]int{}
	for _, f := range findings {
		if _, known := files[f.File]; !known {
			files[f.File] = len(files)
		}
	}
	sorted := append([]Finding{}, findings...) // an empty list in JSON
	slices.SortStableFunc(sorted, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(files[a.File], files[b.File]), cmp.Compare(a.Line, b.Line))
	})
	return sorted
}
