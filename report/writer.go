package report

import (
	"fmt"
	"io"
	"strings"
)

// flushAt is the number of bytes that a Writer collects before it writes them.
const flushAt = 64 << 10

// Writer writes a report row by row. It allocates no memory for a row.
type Writer struct {
	w       io.Writer
	columns Columns
	buf     []byte
	started bool
	err     error
}

// NewWriter returns a Writer of a report with the given columns. The zero
// Columns means the 22 of today.
func NewWriter(w io.Writer, columns Columns) *Writer {
	return &Writer{w: w, columns: columns, buf: make([]byte, 0, flushAt+4096)}
}

// WriteRow writes a row, and the header before the first. Rows keep the given
// order: AWS has root first, then the users by name without regard to case. The
// bytes may stay in the Writer until Flush. Once writing has failed, every call
// returns that error.
func (w *Writer) WriteRow(row *Row) error {
	if w.err != nil {
		return w.err
	}
	w.start()
	w.buf = append(w.buf, '\n')
	w.buf = w.columns.AppendRow(w.buf, row)
	if len(w.buf) >= flushAt {
		return w.write()
	}
	return nil
}

// Flush writes the collected bytes. A report without rows is its header. Call
// it after the last row. No newline follows that row, as on AWS. A Writer can
// continue after Flush.
func (w *Writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	w.start()
	return w.write()
}

func (w *Writer) start() {
	if !w.started {
		w.started = true
		w.buf = w.columns.AppendHeader(w.buf)
	}
}

func (w *Writer) write() error {
	if len(w.buf) == 0 {
		return nil
	}
	n, err := w.w.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	w.buf = w.buf[:0]
	if err != nil {
		w.err = fmt.Errorf("write credential report: %w", err)
	}
	return w.err
}

// AppendHeader appends the header line, without a line end.
func (c Columns) AppendHeader(dst []byte) []byte {
	for i, name := range c.header() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, name)
	}
	return dst
}

// AppendRow appends the line of a row, without a line end: in a report every
// row follows an LF, and none follows the last row. A column that the row's
// report did not have, and a Malformed value without its text, are written as
// an empty cell.
func (c Columns) AppendRow(dst []byte, row *Row) []byte {
	if c.form != formCustom {
		return row.appendForm(dst, c.form)
	}
	for i, f := range c.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		switch f.kind() {
		case NameKind:
			dst = appendQuoted(dst, *row.nameAt(f))
		case BoolKind:
			dst = row.appendBool(dst, f, *row.boolAt(f))
		case TimeKind:
			dst = row.appendTime(dst, f, *row.timeAt(f))
		case TextKind:
			dst = row.appendText(dst, f, row.textAt(f))
		default:
			text, _ := row.Cell(c.names[i])
			dst = appendQuoted(dst, text)
		}
	}
	return dst
}

// appendForm writes one of AWS's own forms. It gives the same result as the
// loop of AppendRow and is written out because a service writes millions of
// these.
func (r *Row) appendForm(dst []byte, form form) []byte {
	dst = appendQuoted(dst, r.User)
	dst = append(dst, ',')
	dst = appendQuoted(dst, r.ARN)
	dst = append(dst, ',')
	dst = r.appendTime(dst, fieldCreated, r.Created)
	dst = append(dst, ',')
	dst = r.appendBool(dst, fieldPasswordEnabled, r.PasswordEnabled)
	dst = append(dst, ',')
	dst = r.appendTime(dst, fieldPasswordLastUsed, r.PasswordLastUsed)
	dst = append(dst, ',')
	dst = r.appendTime(dst, fieldPasswordLastChanged, r.PasswordLastChanged)
	dst = append(dst, ',')
	dst = r.appendTime(dst, fieldPasswordNextRotation, r.PasswordNextRotation)
	dst = append(dst, ',')
	dst = r.appendBool(dst, fieldMFAActive, r.MFAActive)
	for i := range r.Keys {
		dst = r.appendKey(dst, &r.Keys[i], fieldKey1Active+field(i)*(fieldKey2Active-fieldKey1Active), form)
	}
	for i := range r.Certificates {
		c, f := &r.Certificates[i], fieldCert1Active+field(i)*(fieldCert2Active-fieldCert1Active)
		dst = append(dst, ',')
		dst = r.appendBool(dst, f, c.Active)
		dst = append(dst, ',')
		dst = r.appendTime(dst, f+1, c.LastRotated)
	}
	if form == form23 {
		dst = append(dst, ',')
		text, _ := r.cellAt(fieldAdditional)
		dst = appendQuoted(dst, text)
	}
	return dst
}

// noKey is the most common group of cells: no key in this place.
const noKey = ",false,N/A,N/A,N/A,N/A"

// appendKey writes a comma and the cells of a key. The first of them is f.
func (r *Row) appendKey(dst []byte, k *Key, f field, form form) []byte {
	if form != form16 && *k == (Key{}) {
		return append(dst, noKey...)
	}
	dst = append(dst, ',')
	dst = r.appendBool(dst, f, k.Active)
	dst = append(dst, ',')
	dst = r.appendTime(dst, f+1, k.LastRotated)
	if form == form16 {
		return dst
	}
	dst = append(dst, ',')
	dst = r.appendTime(dst, f+2, k.LastUsed)
	dst = append(dst, ',')
	dst = r.appendText(dst, f+3, &k.LastUsedRegion)
	dst = append(dst, ',')
	return r.appendText(dst, f+4, &k.LastUsedService)
}

func (r *Row) appendBool(dst []byte, f field, b Bool) []byte {
	switch b {
	case False:
		return append(dst, "false"...)
	case True:
		return append(dst, "true"...)
	default:
		return r.appendAbsence(dst, f, b.Absence())
	}
}

func (r *Row) appendTime(dst []byte, f field, t Time) []byte {
	if t.absence == Present {
		return appendDate(dst, t.sec)
	}
	return r.appendAbsence(dst, f, t.absence)
}

func (r *Row) appendText(dst []byte, f field, t *Text) []byte {
	if t.absence == Present {
		return appendQuoted(dst, t.value)
	}
	return r.appendAbsence(dst, f, t.absence)
}

func (r *Row) appendAbsence(dst []byte, f field, a Absence) []byte {
	switch a {
	case NotApplicable:
		return append(dst, wordNotApplicable...)
	case Malformed:
		text, _ := find(r.Unreadable, f.name())
		return appendQuoted(dst, text)
	default:
		return append(dst, a.word()...)
	}
}

// appendQuoted appends s as a cell, in quotes only if RFC 4180 requires them. It
// does not change a text that looks like a formula: tools find users by name, so
// names must not change.
func appendQuoted(dst []byte, s string) []byte {
	// Four passes are faster than one, because each processes many bytes at a
	// time.
	if strings.IndexByte(s, ',') < 0 && strings.IndexByte(s, '"') < 0 &&
		strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 {
		return append(dst, s...)
	}
	return appendInQuotes(dst, s)
}

func appendInQuotes(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		if s[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}
