package report

import (
	"fmt"
	"slices"
	"strings"
)

// cutOff returns an error if the last row was read, no newline ends it, and its
// last cell is the beginning of a value: then the file was cut there. Reports have
// no newline after the last row, so nothing else shows it. A file that was cut
// between two rows, before the last cell's first character, or within a text that
// AWS writes freely, looks whole.
func (rd *Reader) cutOff(record []string) error {
	last := len(record) - 1
	c := rd.cells[last]
	if !rd.rows.unended() || c == nil || !c.begins(record[last]) {
		return nil
	}
	return rd.fail(rd.names[last], fmt.Errorf("the file was cut off in the middle of a cell, %.30q", record[last]))
}

// words are all cells with a fixed text.
var words = map[Kind][]string{
	BoolKind: {wordTrue, wordFalse, wordNotApplicable, wordNoInformation, wordNotSupported},
	TimeKind: {wordNotApplicable, wordNoInformation, wordNotSupported},
}

// begins says whether a text is the beginning of a value of the column, and not
// the whole value.
func (c *cell) begins(text string) bool {
	if text == "" {
		return false
	}
	if c.Kind == TimeKind && beginsDate(text) {
		return true
	}
	return slices.ContainsFunc(words[c.Kind], func(word string) bool {
		return len(text) < len(word) && strings.EqualFold(text, word[:len(text)])
	})
}

// beginsDate says whether a date could continue the text. A day, a minute, or a time
// without a zone may be all that another program has written.
func beginsDate(text string) bool {
	if n := len(text); n == len("2000-01-01") || n == len("2000-01-01T00:00") || n == len("2000-01-01T00:00:00") {
		return false
	}
	for _, rest := range [...]string{"2000-01-01T00:00:00Z", "2000-01-01T00:00:00+00:00"} {
		if len(text) < len(rest) {
			if _, ok := parseDate(text + rest[len(text):]); ok {
				return true
			}
		}
	}
	return false
}
