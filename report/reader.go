package report

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrNotReport is the cause of an error for a file that is not a credential
// report: it has no header, or no columns user and arn.
var ErrNotReport = errors.New("this is not a credential report")

// ErrTooLong is the cause of an error for a row or a cell that is longer than
// this package accepts: 1 MiB for a row, 64 KiB for a cell, 1000 columns.
var ErrTooLong = errors.New("too long")

var (
	errNUL   = errors.New("NUL byte")
	errUTF8  = errors.New("invalid UTF-8")
	errTwice = errors.New("column occurs twice in the header")
)

// Error is an error at a position in a damaged report.
type Error struct {
	Line   int    // counted from 1; the line on which the row begins
	Column string // name of the column, "" if the error does not concern one
	Err    error
}

func (e *Error) Error() string {
	where := fmt.Sprintf("line %d", e.Line)
	if e.Column != "" {
		where += fmt.Sprintf(", column %.100q", e.Column)
	}
	return fmt.Sprintf("read credential report: %s: %v", where, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Reader reads a report row by row. It accepts LF and CRLF, a newline after the
// last row or none, and a byte order mark. Within a quoted cell it reads CRLF
// as LF.
type Reader struct {
	rows    *rows
	columns Columns
	names   []string
	cells   []*cell // nil for a column this package does not know
	missing []*cell // the known columns that the report does not have

	user, arn int // the indexes of these cells
	err       error
}

// NewReader reads the header. It fails with [ErrNotReport] if there is none
// with the columns user and arn, and refuses a column that occurs twice. Errors
// of the file are *[Error]. Errors of r are wrapped.
func NewReader(r io.Reader) (*Reader, error) {
	rd := &Reader{rows: newRows(r)}
	if err := rd.rows.skipByteOrderMark(); err != nil {
		return nil, rd.fail("", err)
	}
	header, err := rd.rows.next()
	if err == io.EOF {
		return nil, rd.fail("", fmt.Errorf("%w: it is empty", ErrNotReport))
	}
	if err != nil {
		return nil, err
	}
	if err := rd.header(header); err != nil {
		return nil, err
	}
	return rd, nil
}

// header sets the columns.
func (rd *Reader) header(header []string) error {
	if len(header) > maxColumns {
		return rd.fail("", fmt.Errorf("%w: %d columns", ErrTooLong, len(header)))
	}
	for _, name := range header {
		if err := checkText(name); err != nil {
			return rd.fail("", fmt.Errorf("header: %w", err))
		}
	}
	if name, ok := repeated(header); ok {
		return rd.fail(name, errTwice)
	}
	for _, need := range []field{fieldUser, fieldARN} {
		if !slices.Contains(header, need.name()) {
			return rd.fail(need.name(), fmt.Errorf("%w: the column is missing", ErrNotReport))
		}
	}
	rd.columns = columnsOf(header)
	rd.names = rd.columns.Names()
	rd.cells = make([]*cell, len(rd.names))
	for i, name := range rd.names {
		if f := fieldOf(name); f != fieldUnknown {
			rd.cells[i] = &known[f]
		}
	}
	rd.user, rd.arn = slices.Index(rd.names, fieldUser.name()), slices.Index(rd.names, fieldARN.name())
	rd.missing = missingFrom(rd.columns)
	return nil
}

// missingFrom returns the known columns that are not in c.
func missingFrom(c Columns) (missing []*cell) {
	for f := range known {
		if !c.Has(known[f].Name) {
			missing = append(missing, &known[f])
		}
	}
	return missing
}

// clear resets everything that the cells of a line do not overwrite. Assigning
// a whole empty row would cost a tenth of the time of an audit.
func (rd *Reader) clear(row *Row) {
	row.Extra, row.Unreadable = nil, nil
	for _, c := range rd.missing {
		switch c.Kind {
		case BoolKind:
			*c.boolAt(row) = NoBool(MissingColumn)
		case TimeKind:
			*c.timeAt(row) = None(MissingColumn)
		case TextKind, AdditionalKind:
			*c.textAt(row) = NoText(MissingColumn)
		}
	}
}

// Columns returns the header. A [Writer] with these columns writes the same
// file again, with its unknown columns and its order.
func (rd *Reader) Columns() Columns { return rd.columns }

// Line returns the line on which the row last read begins; the header is
// line 1.
func (rd *Reader) Line() int { return rd.rows.line }

// Read reads the next row into row. It overwrites the whole row; earlier copies
// of it do not change. At the end it returns io.EOF. For a damaged file it
// returns an *[Error], and from then on every call returns the same one. A cell
// that cannot be understood is not an error: see [Malformed].
func (rd *Reader) Read(row *Row) error {
	if rd.err != nil {
		return rd.err
	}
	if err := rd.read(row); err != nil {
		rd.err = err
		return err
	}
	return nil
}

// ReadNames reads the next row as Read does, with the same errors, but returns
// only two of its cells. That takes a fraction of the time.
func (rd *Reader) ReadNames() (user, arn string, err error) {
	if rd.err != nil {
		return "", "", rd.err
	}
	line, plain := rd.rows.nextPlain()
	if plain && rd.rows.clean && rd.user == 0 && rd.arn == 1 && strings.Count(line, ",") == len(rd.cells)-1 {
		user, line, _ = strings.Cut(line, ",")
		arn, _, _ = strings.Cut(line, ",")
		return user, arn, nil
	}
	var record []string
	if plain {
		record, err = rd.whole(rd.rows.split(line))
	} else if record, err = rd.rows.quoted(); err == nil {
		record, err = rd.whole(record)
	}
	if err == nil {
		err = rd.cutOff(record)
	}
	for i := 0; i < len(record) && err == nil && !rd.rows.clean; i++ {
		if err = checkText(record[i]); err != nil {
			err = rd.fail(rd.names[i], err)
		}
	}
	if err != nil {
		rd.err = err
		return "", "", err
	}
	return record[rd.user], record[rd.arn], nil
}

// whole returns the cells of a row, one for each column.
func (rd *Reader) whole(record []string) ([]string, error) {
	if len(record) != len(rd.cells) {
		var ok bool
		if record, ok = rd.rejoin(record); !ok {
			return nil, rd.wrongCount(record)
		}
	}
	return record, nil
}

func (rd *Reader) read(row *Row) error {
	line, plain := rd.rows.nextPlain()
	var record []string
	var err error
	switch {
	case plain && rd.rows.clean && rd.readPlain(row, line):
		return nil
	case plain:
		record = rd.rows.split(line)
	default:
		if record, err = rd.rows.quoted(); err != nil {
			return err
		}
	}
	if record, err = rd.whole(record); err != nil {
		return err
	}
	if err := rd.cutOff(record); err != nil {
		return err
	}
	rd.clear(row)
	for i, cell := range record {
		if rd.set(row, i, cell) {
			continue
		}
		if err := rd.check(cell); err != nil {
			return rd.fail(rd.names[i], err)
		}
	}
	return nil
}

// readPlain reads a line that checkText accepts. It returns false if the line
// does not have exactly one cell for each column.
func (rd *Reader) readPlain(row *Row, line string) bool {
	rd.clear(row)
	for i, c := range rd.cells {
		n := 0
		if c != nil {
			n = c.usual(row, line)
		}
		if n == 0 {
			if n = strings.IndexByte(line, ','); n < 0 {
				n = len(line)
			}
			rd.set(row, i, line[:n])
		}
		if n == len(line) {
			return i == len(rd.cells)-1
		}
		line = line[n+1:]
	}
	return false
}

// set sets the cell of a column in a row. It reports whether the cell is one of
// the texts that its column expects, which need no check.
func (rd *Reader) set(row *Row, column int, cell string) (expected bool) {
	malformed := false
	switch c := rd.cells[column]; {
	case c == nil:
		row.Extra = append(row.Extra, Cell{rd.names[column], cell})
	case c.timeAt != nil:
		t := parseTime(cell)
		*c.timeAt(row) = t
		malformed = t.absence == Malformed
		expected = !malformed
	case c.boolAt != nil:
		b := parseBool(cell)
		*c.boolAt(row) = b
		malformed = b.Absence() == Malformed
		expected = !malformed
	case c.nameAt != nil:
		*c.nameAt(row) = cell
	default:
		t := TextOf(cell)
		if cell == "" && c.Kind == TextKind {
			t, malformed = NoText(Malformed), true
		}
		*c.textAt(row) = t
	}
	if malformed {
		row.Unreadable = append(row.Unreadable, Cell{rd.names[column], cell})
	}
	return expected
}

// check is checkText for a cell of the current row.
func (rd *Reader) check(cell string) error {
	if rd.rows.clean {
		return nil
	}
	return checkText(cell)
}

// All returns the remaining rows. The next row overwrites the row; a copy of it
// (*row) may be kept. An error ends the rows and comes with a nil row.
func (rd *Reader) All() iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		var row Row
		for {
			err := rd.Read(&row)
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&row, nil) {
				return
			}
		}
	}
}

// ReadAll reads a whole report into memory, about 700 bytes for a row.
func ReadAll(r io.Reader) ([]Row, error) {
	rd, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for row, err := range rd.All() {
		if err != nil {
			return nil, err
		}
		rows = append(rows, *row)
	}
	return rows, nil
}

func (rd *Reader) fail(column string, err error) error {
	return &Error{Line: rd.rows.line, Column: column, Err: err}
}

func (rd *Reader) wrongCount(record []string) error {
	column := ""
	if len(record) < len(rd.names) {
		column = rd.names[len(record)] // the first without a cell
	}
	return rd.fail(column, fmt.Errorf("row has %d cells, the header has %d columns", len(record), len(rd.names)))
}

// rejoin corrects a row whose user name or path has commas without quotes.
// Names may contain commas, and AWS's quoting was never observed, so both forms
// are accepted. It only corrects unambiguous rows: user and arn are the first
// columns, and the ARN begins like one and ends with the user's name.
func (rd *Reader) rejoin(record []string) ([]string, bool) {
	extra := len(record) - len(rd.cells)
	if extra < 1 || rd.cells[0] != &known[fieldUser] || rd.cells[1] != &known[fieldARN] {
		return record, false
	}
	// A name cannot contain a colon, so the first cell of this form ends it.
	n := slices.IndexFunc(record[1:extra+2], func(cell string) bool { return strings.HasPrefix(cell, "arn:") })
	if n < 0 {
		return record, false
	}
	user := strings.Join(record[:n+1], ",")
	arn := strings.Join(record[n+1:extra+2], ",")
	if !strings.HasSuffix(arn, "/"+user) {
		return record, false
	}
	return append([]string{user, arn}, record[extra+2:]...), true
}

// checkText returns an error for a text that no report contains and that would
// break its users. Cells that were understood need no check.
func checkText(s string) error {
	if len(s) > maxCell {
		return fmt.Errorf("cell of %d bytes: %w", len(s), ErrTooLong)
	}
	if strings.IndexByte(s, 0) >= 0 {
		return errNUL
	}
	if !utf8.ValidString(s) {
		return errUTF8
	}
	return nil
}
