package report

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of the cost of a file. A real row has about 250 bytes. With the
// longest name, path and regions that AWS allows it stays under 2 KiB.
const (
	maxRow     = 1 << 20  // bytes; the limit includes the header
	maxCell    = 64 << 10 // bytes
	maxColumns = 1000
)

// maxBlock is the number of bytes of lines that are checked together.
const maxBlock = 16 << 10

var (
	errQuote     = errors.New("quoted cell without a proper end")
	errBareQuote = errors.New("quote within a cell that is not quoted")
	errUTF16     = errors.New("text is UTF-16, want UTF-8")
)

// rows splits a file into rows and cells. It splits lines without quotes
// itself, which are nearly all. encoding/csv splits the others. It reads from
// the same buffer and takes no byte beyond its row.
type rows struct {
	source *source
	buf    *bufio.Reader
	csv    *csv.Reader
	cells  []string
	block  int  // bytes at the beginning of buf that are whole lines without quotes
	pure   bool // checkText accepts every line of the block
	clean  bool // checkText accepts every cell of the current row
	line   int  // number of the line on which the current row begins, from 1
	plain  int  // number of lines split here, which csv does not count
	ended  int  // number of lines up to the end of the current row
}

func newRows(r io.Reader) *rows {
	src := &source{r: r, left: maxRow}
	buf := bufio.NewReaderSize(src, 64<<10)
	rs := &rows{source: src, buf: buf, csv: csv.NewReader(buf), line: 1}
	rs.csv.ReuseRecord = true
	rs.csv.FieldsPerRecord = -1 // counted by the Reader, for a better error
	return rs
}

// skipByteOrderMark skips the mark that Windows programs write before UTF-8,
// and refuses the output of ">" in Windows PowerShell.
func (rs *rows) skipByteOrderMark() error {
	start, _ := rs.buf.Peek(3) // an error occurs again with the header
	switch {
	case string(start) == "\ufeff":
		_, err := rs.buf.Discard(len(start))
		return err
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return errUTF16
	}
	return nil
}

// next returns the cells of the next row, valid until the following call. It
// skips blank lines. Errors are io.EOF, an *Error, or that of the source.
func (rs *rows) next() ([]string, error) {
	line, ok := rs.nextPlain()
	if !ok {
		return rs.quoted()
	}
	return rs.split(line), nil
}

// nextPlain returns the line of the next row if it has no quote. Otherwise
// quoted must read the next row.
func (rs *rows) nextPlain() (line string, ok bool) {
	rs.source.left = maxRow
	rs.line = rs.ended + 1
	for rs.block > 0 || rs.lookAhead() {
		b, _ := rs.buf.Peek(rs.block)
		end := bytes.IndexByte(b, '\n')
		line = string(bytes.TrimSuffix(b[:end], []byte("\r")))
		_, _ = rs.buf.Discard(end + 1) // it is in the buffer
		rs.block -= end + 1
		rs.plain++
		rs.ended++
		if line != "" {
			rs.line = rs.ended
			rs.clean = rs.pure || checkText(line) == nil
			return line, true
		}
	}
	return "", false
}

// split returns the cells of a line without quotes.
func (rs *rows) split(line string) []string {
	rs.cells = rs.cells[:0]
	for more := true; more; {
		var cell string
		cell, line, more = strings.Cut(line, ",")
		rs.cells = append(rs.cells, cell)
	}
	return rs.cells
}

// lookAhead finds a block of lines in the buffer. It returns false if the next line
// has a quote, does not fit into the buffer, or is the last one of a report, which
// has no newline.
func (rs *rows) lookAhead() bool {
	n := rs.buf.Buffered()
	for {
		b, _ := rs.buf.Peek(n)
		if end := endOfLines(b); end > 0 {
			b = b[:end]
			if quote := bytes.IndexByte(b, '"'); quote >= 0 {
				b = b[:bytes.LastIndexByte(b[:quote], '\n')+1]
			}
			rs.block, rs.pure = len(b), bytes.IndexByte(b, 0) < 0 && utf8.Valid(b)
			return rs.block > 0
		}
		if n == rs.buf.Size() {
			return false
		}
		_, _ = rs.buf.Peek(n + 1) // source repeats an error
		if rs.buf.Buffered() == n {
			return false
		}
		n = rs.buf.Buffered()
	}
}

// endOfLines returns the end of as many lines as fit into a block, but at least
// one, and 0 if there is no whole line.
func endOfLines(b []byte) int {
	if end := bytes.LastIndexByte(b[:min(len(b), maxBlock)], '\n'); end >= 0 {
		return end + 1
	}
	return bytes.IndexByte(b, '\n') + 1
}

// quoted reads a row with encoding/csv.
func (rs *rows) quoted() ([]string, error) {
	record, err := rs.csv.Read()
	rs.clean = false
	if err == nil {
		first, _ := rs.csv.FieldPos(0)
		last, _ := rs.csv.FieldPos(len(record) - 1)
		rs.line = rs.plain + first
		rs.ended = rs.plain + last + strings.Count(record[len(record)-1], "\n")
		return record, nil
	}
	if rs.source.err != nil && rs.source.err != io.EOF {
		// Report this first: a row that it cut off also looks like a badly
		// quoted one.
		err = rs.source.err
	}
	var parse *csv.ParseError
	switch {
	case err == io.EOF:
		return nil, io.EOF
	case errors.Is(err, ErrTooLong):
		return nil, &Error{Line: rs.line, Err: fmt.Errorf("row of more than 1 MiB: %w", err)}
	case !errors.As(err, &parse):
		return nil, fmt.Errorf("read credential report: %w", err)
	}
	rs.line = rs.plain + parse.StartLine
	if errors.Is(err, csv.ErrBareQuote) {
		return nil, &Error{Line: rs.line, Err: errBareQuote}
	}
	return nil, &Error{Line: rs.line, Err: errQuote}
}

// unended reports whether the row that was read last is the end of the file, and no
// newline ends it.
func (rs *rows) unended() bool {
	return rs.source.err == io.EOF && rs.buf.Buffered() == 0 && rs.source.last != '\n'
}

// source returns no more than left bytes before left is set again, which limits
// the memory for one row. It stores its last error, because the CSV reader may
// hide it behind a syntax error.
type source struct {
	r    io.Reader
	left int
	last byte // the last byte that was read
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err == nil && s.left <= 0 {
		s.err = ErrTooLong
	}
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.left -= n
	s.err = err
	if n > 0 {
		s.last = p[n-1]
	}
	return n, err
}
