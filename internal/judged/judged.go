// Package judged holds a credential report with the verdicts of an audit, so
// that pages of it can be searched, filtered and sorted at once.
//
// It promises:
//
//   - All verdicts come from package audit. The rows of a page are judged again
//     with the same options when they are requested.
//   - Every figure of the audit's summary has a [Query] that finds the things
//     it counts.
//   - A report needs some 150 bytes of memory for each user, and never changes.
package judged

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"rollcall/internal/audit"
	"rollcall/report"
)

// blockRows is the number of rows that are packed together. A page unpacks at
// most one block for each of its rows.
const blockRows = 64

// Report is a judged report. It is safe for concurrent use.
type Report struct {
	// Account is the result of the audit. Summary is the result of the run.
	Account *audit.AccountSummary
	Summary *audit.Summary
	// Whole are the findings about the whole report, and about a root user
	// without a row.
	Whole []audit.Finding

	options  audit.Options
	columns  report.Columns
	rows     []row
	paths    []string
	findings []verdict // findings of all rows, in order
	blocks   [][]byte  // packed lines
	controls map[audit.ControlID]uint8
}

// row holds the facts of a row that queries need.
type row struct {
	name  string
	path  uint32
	first uint32        // index of its first finding
	times [times]uint32 // seconds since 1970, 0 for none
	class audit.Class
	facts fact
	keys  [2]place
	worst uint16 // weight of its heaviest finding
}

// fact is a set of facts about a row.
type fact uint8

const (
	console    fact = 1 << iota // has a password
	mfa                         // has MFA
	key1Active                  // has an active first key
	key2Active
	key1Inactive
	key2Inactive
	certificate // has an active certificate
)

// place is the element of audit.Stats.KeyAges that counts a key.
type place struct {
	counts    bool
	age, idle uint8
}

// verdict is a short form of a finding.
type verdict struct {
	control  uint8 // its index in the benchmark
	status   audit.Status
	severity audit.Severity
	excused  bool
}

// timeColumns are the columns of times by which rows can be sorted.
var timeColumns = func() (names []string) {
	for _, c := range report.KnownColumns() {
		if c.Kind == report.TimeKind {
			names = append(names, c.Name)
		}
	}
	return names
}()

// times is the number of timeColumns.
const times = 10

// decoder unpacks the blocks of all reports.
var decoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(2))
})

// Read judges a report with the options.
func Read(ctx context.Context, content io.Reader, src audit.Source, o audit.Options) (*Report, error) {
	o.Statuses, o.EveryRow, o.Top = audit.Reported, true, -1
	auditor, err := audit.New(o)
	if err != nil {
		return nil, err
	}
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	defer func() { _ = pack.Close() }() // EncodeAll leaves nothing to write
	r := &reader{
		Report: &Report{options: o, controls: map[audit.ControlID]uint8{}, columns: report.Columns23}, pack: pack,
		paths: map[string]uint32{}, asOf: report.At(src.Generated),
	}
	for i, c := range auditor.Summary().Counts.Controls {
		r.controls[c.Control.ID] = uint8(i)
	}
	r.Account, err = auditor.Audit(ctx, content, src, nil, r.row)
	if err != nil {
		return nil, err
	}
	r.flush()
	r.Summary = auditor.Summary()
	r.rows, r.findings = slices.Clip(r.rows), slices.Clip(r.findings)
	return r.Report, nil
}

// reader builds a Report.
type reader struct {
	*Report
	pack  *zstd.Encoder
	lines []byte // lines of the current block
	held  int    // number of rows in it
	paths map[string]uint32
	asOf  report.Time
}

func (r *reader) row(from *audit.Row) error {
	if from.Report == nil {
		r.Whole = append(r.Whole, from.Findings...)
		return nil
	}
	one := row{
		name: strings.Clone(from.Report.User), path: r.path(from.Report.Path()), first: uint32(len(r.findings)),
		class: from.Class, facts: factsOf(from.Report),
	}
	at := 0
	for _, c := range report.KnownColumns() {
		if c.Kind == report.TimeKind {
			if sec, ok := c.Time(from.Report).Unix(); ok {
				one.times[at] = uint32(max(1, min(sec, 1<<32-1)))
			}
			at++
		}
	}
	for i := range from.Report.Keys {
		age, idle, ok := audit.KeyPlace(&from.Report.Keys[i], r.asOf)
		one.keys[i] = place{ok, uint8(age), uint8(idle)}
	}
	for i := range from.Findings {
		f := &from.Findings[i]
		v := verdict{r.controls[f.Control.ID], f.Status, f.Severity, f.Suppressed}
		one.worst = max(one.worst, v.weight())
		r.findings = append(r.findings, v)
	}
	r.rows = append(r.rows, one)
	r.lines = r.columns.AppendRow(append(r.lines, '\n'), from.Report)
	if r.held++; r.held == blockRows {
		r.flush()
	}
	return nil
}

func (r *reader) flush() {
	if r.held > 0 {
		r.blocks = append(r.blocks, bytes.Clone(r.pack.EncodeAll(r.lines, nil)))
		r.lines, r.held = r.lines[:0], 0
	}
}

func (r *reader) path(path string) uint32 {
	at, ok := r.paths[path]
	if !ok {
		path = strings.Clone(path)
		at = uint32(len(r.Report.paths))
		r.paths[path] = at
		r.Report.paths = append(r.Report.paths, path)
	}
	return at
}

func factsOf(row *report.Row) (all fact) {
	for _, is := range []struct {
		fact fact
		true bool
	}{
		{console, row.PasswordEnabled.IsTrue() && !row.IsRoot()}, {mfa, row.MFAActive.IsTrue()},
		{key1Active, row.Keys[0].Active.IsTrue()}, {key2Active, row.Keys[1].Active.IsTrue()},
		{key1Inactive, inactive(&row.Keys[0])}, {key2Inactive, inactive(&row.Keys[1])},
		{certificate, row.Certificates[0].Active.IsTrue() || row.Certificates[1].Active.IsTrue()},
	} {
		if is.true {
			all |= is.fact
		}
	}
	return all
}

func inactive(k *report.Key) bool { return k.Active.IsFalse() && k.LastRotated.IsPresent() }

// weight returns the order of findings: excused ones are the lightest. The
// others are sorted by status and severity.
func (v verdict) weight() uint16 {
	if v.excused {
		return 1
	}
	of := [...]uint16{audit.Fail: 4, audit.NoData: 3, audit.Warn: 2, audit.Manual: 1}[v.status]
	return of*audit.NumSeverities*2 + uint16(v.severity) + 2
}

// Size estimates the memory of the report in bytes.
func (r *Report) Size() int64 {
	size := int64(cap(r.rows))*(88+24) + int64(cap(r.findings))*4 + 64<<10
	for _, b := range r.blocks {
		size += int64(len(b)) + 24
	}
	for _, p := range r.paths {
		size += int64(len(p)) + 64
	}
	for i := range r.rows {
		size += int64(len(r.rows[i].name)) - 24
	}
	return size
}

// Row is a row of the report with its findings.
type Row struct {
	Report   report.Row
	Class    audit.Class
	Findings []audit.Finding
}

// Rows returns rows by their places. They are judged again.
func (r *Report) Rows(ctx context.Context, places []int32) ([]Row, error) {
	unpack, err := decoder()
	if err != nil {
		return nil, err
	}
	text := r.columns.AppendHeader(nil)
	var block []byte
	last := -1
	for _, at := range places {
		if n := int(at) / blockRows; n != last {
			if block, err = unpack.DecodeAll(r.blocks[n], block[:0]); err != nil {
				return nil, fmt.Errorf("unpack report: %w", err)
			}
			last = n
		}
		text = append(append(text, '\n'), line(block, int(at)%blockRows)...)
	}
	o := r.options
	o.Statuses = audit.AllStatuses
	o.Exceptions = r.options.Exceptions
	auditor, err := audit.New(o)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(places))
	src := r.Account.Source
	_, err = auditor.Audit(ctx, bytes.NewReader(text), src, nil, func(from *audit.Row) error {
		if from.Report != nil {
			one := Row{Report: *from.Report, Class: from.Class}
			for _, f := range from.Findings {
				if audit.Reported.Has(f.Status) {
					one.Findings = append(one.Findings, f)
				}
			}
			slices.SortStableFunc(one.Findings, func(a, b audit.Finding) int { return int(heavy(&b)) - int(heavy(&a)) })
			rows = append(rows, one)
		}
		return nil
	})
	if err == nil && len(rows) != len(places) {
		err = fmt.Errorf("audit rows again: %d of %d were found", len(rows), len(places))
	}
	return rows, err
}

func heavy(f *audit.Finding) uint16 {
	return verdict{status: f.Status, severity: f.Severity, excused: f.Suppressed}.weight()
}

// line returns a line of a block. Each line begins with a line end. Services
// write no line end in a cell.
func line(block []byte, n int) []byte {
	rest := block[1:]
	for range n {
		_, rest, _ = bytes.Cut(rest, []byte{'\n'})
	}
	found, _, _ := bytes.Cut(rest, []byte{'\n'})
	return found
}

// Find returns the place of the row of a user, or -1 if there is none.
func (r *Report) Find(user string) int32 {
	return int32(slices.IndexFunc(r.rows, func(one row) bool { return one.name == user }))
}

// Users returns the number of rows, including root's.
func (r *Report) Users() int { return len(r.rows) }
