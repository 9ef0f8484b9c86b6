package review

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"rollcall/internal/escape"
)

// table is a CSV file from a person. A spreadsheet may have changed its
// separators, its line ends and its encoding.
type table struct {
	names []string // names of the columns, in lower case
	rows  []tableRow
}

// tableRow is a row that is not empty.
type tableRow struct {
	table *table
	line  int // line in the file, counted from 1
	cells []string
}

func (t *table) has(name string) bool { return slices.Contains(t.names, name) }

// cell returns a cell without surrounding space, or "" if there is no such
// column.
func (r *tableRow) cell(name string) string {
	i := slices.Index(r.table.names, name)
	if i < 0 || i >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

// readTable reads a CSV file. It accepts commas, semicolons and tabs, all line
// ends, a byte order mark, UTF-16, and the line "sep=" of Excel.
func readTable(text []byte) (*table, error) {
	plain, err := plainText(text)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(plain, "\n") {
		plain = strings.ReplaceAll(plain, "\r", "\n")
	}
	first, rest, _ := strings.Cut(plain, "\n")
	skipped := 0
	separator := separatorOf(first)
	if after, ok := strings.CutPrefix(strings.TrimRight(first, "\r"), "sep="); ok && utf8.RuneCountInString(after) == 1 {
		separator, _ = utf8.DecodeRuneInString(after)
		plain, skipped = rest, 1
	}
	r := csv.NewReader(strings.NewReader(plain))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = separator, -1, false
	t := &table{}
	for {
		cells, err := r.Read()
		if err == io.EOF {
			break
		}
		var where *csv.ParseError
		if errors.As(err, &where) {
			return nil, fmt.Errorf("line %d: a quotation mark is in the wrong place", where.Line+skipped)
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if err := t.add(cells, line+skipped); err != nil {
			return nil, err
		}
	}
	if len(t.names) == 0 {
		return nil, errors.New("it is empty")
	}
	return t, nil
}

// add adds a line. The first one names the columns.
func (t *table) add(cells []string, line int) error {
	if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
		return nil // spreadsheets leave empty rows behind
	}
	if len(t.names) > 0 {
		t.rows = append(t.rows, tableRow{t, line, cells})
		return nil
	}
	for _, name := range cells {
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" { // and also empty columns
			name = "column " + strconv.Itoa(len(t.names)+1)
		}
		if slices.Contains(t.names, name) {
			return fmt.Errorf("line %d: the column %.50q is there twice", line, name)
		}
		t.names = append(t.names, name)
	}
	return nil
}

// separatorOf returns the separator that the first line uses most.
func separatorOf(line string) rune {
	best, most := ',', 0
	for _, r := range ",;\t" {
		if n := strings.Count(line, string(r)); n > most {
			best, most = r, n
		}
	}
	return best
}

// plainText returns the text of a file as UTF-8.
func plainText(text []byte) (string, error) {
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")):
		text = fromUTF16(text[2:], binary.LittleEndian)
	case bytes.HasPrefix(text, []byte("\xfe\xff")):
		text = fromUTF16(text[2:], binary.BigEndian)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	switch {
	case bytes.HasPrefix(text, []byte("PK\x03\x04")):
		return "", errors.New("it is a workbook or an archive and not a CSV file: save the sheet as 'CSV UTF-8'")
	case bytes.IndexByte(text, 0) >= 0:
		return "", errors.New("it is not a text file")
	case !utf8.Valid(text):
		return "", errors.New("it is not in UTF-8: save the sheet as 'CSV UTF-8'")
	}
	return string(text), nil
}

func fromUTF16(text []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = order.Uint16(text[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// printable reports whether a text has no invisible characters and none that
// control a terminal.
func printable(s string) bool { return escape.Printable(s) == s }
