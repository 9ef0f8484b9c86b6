package report

import (
	"strings"
	"time"
)

// Absence says whether a cell has a value and, if not, why.
type Absence uint8

const (
	// NotApplicable is "N/A": there is no value, for example no last use of a
	// key that does not exist or was never used. It is the zero Absence, so a
	// zero [Row] is a user without credentials.
	NotApplicable Absence = iota
	// Present means that the cell has a value.
	Present
	// NoInformation is "no_information": the password exists, but was not used
	// since AWS began to track uses on 2014-10-20.
	NoInformation
	// NotSupported is "not_supported": the report never has this value for this
	// row, as in most of the root row's password columns before 2024.
	NotSupported
	// MissingColumn means that the file has no such column.
	MissingColumn
	// Malformed means that the cell contains a text that is not a value of its
	// column. [Row.Unreadable] keeps the text.
	Malformed
)

// The words in cells without a value.
const (
	wordNotApplicable = "N/A"
	wordNoInformation = "no_information"
	wordNotSupported  = "not_supported"
)

// The words in cells that are true or false.
const (
	wordFalse = "false"
	wordTrue  = "true"
)

// String returns the name of the absence. For three of them it is the word in
// the report.
func (a Absence) String() string {
	switch a {
	case Present:
		return "present"
	case NotApplicable:
		return wordNotApplicable
	case NoInformation:
		return wordNoInformation
	case NotSupported:
		return wordNotSupported
	case MissingColumn:
		return "missing column"
	default:
		return "malformed"
	}
}

// word returns the text of a cell for the absence. It is empty for a missing
// column or a cell whose text is lost.
func (a Absence) word() string {
	switch a {
	case NotApplicable, NoInformation, NotSupported:
		return a.String()
	default:
		return ""
	}
}

// absent returns a, unless a is Present, which is not an absence.
func absent(a Absence) Absence {
	if a == Present || a > Malformed {
		return Malformed
	}
	return a
}

// parseAbsence reads one of the three words, without regard to case: audit
// guides and tools that rewrite reports also use No_Information and n/a.
func parseAbsence(cell string) (Absence, bool) {
	switch {
	case cell == "" || cell[0] != 'N' && cell[0] != 'n':
		return Malformed, false
	case cell == wordNotApplicable || strings.EqualFold(cell, wordNotApplicable):
		return NotApplicable, true
	case strings.EqualFold(cell, wordNoInformation):
		return NoInformation, true
	case strings.EqualFold(cell, wordNotSupported):
		return NotSupported, true
	default:
		return Malformed, false
	}
}

// Bool is a cell that is true, false or absent. The zero Bool is False.
type Bool uint8

// The two values of a present Bool. [NoBool] returns the absent ones.
const (
	False Bool = iota
	True

	firstAbsentBool
)

// BoolOf returns True or False.
func BoolOf(v bool) Bool {
	if v {
		return True
	}
	return False
}

// NoBool returns a Bool that is absent for the given reason.
func NoBool(a Absence) Bool { return firstAbsentBool + Bool(absent(a)) }

// IsTrue reports whether b is known to be true.
func (b Bool) IsTrue() bool { return b == True }

// IsFalse reports whether b is known to be false. It is not the opposite of
// IsTrue: an absent Bool is neither.
func (b Bool) IsFalse() bool { return b == False }

// Absence returns Present for True and False, and otherwise the reason.
func (b Bool) Absence() Absence {
	if b < firstAbsentBool {
		return Present
	}
	return absent(Absence(b - firstAbsentBool))
}

// String returns the text of the cell, empty for MissingColumn and Malformed.
func (b Bool) String() string {
	switch b {
	case False:
		return wordFalse
	case True:
		return wordTrue
	default:
		return b.Absence().word()
	}
}

// parseBool reads a cell. Live reports have lower case, and AWS's guide has
// upper case. Both are accepted.
func parseBool(cell string) Bool {
	switch cell {
	case wordFalse:
		return False
	case wordTrue:
		return True
	}
	switch {
	case strings.EqualFold(cell, wordFalse):
		return False
	case strings.EqualFold(cell, wordTrue):
		return True
	}
	a, _ := parseAbsence(cell)
	return NoBool(a)
}

// Time is a time in whole seconds, or the reason why there is none. The zero
// Time is "N/A". Times can be compared with ==.
type Time struct {
	sec     int64 // since 1970-01-01T00:00:00Z; 0 when absent
	absence Absence
}

// At returns t without fractions of a second. A report has four digits for the
// year: outside the years 0 to 9999 UTC the result is Malformed.
func At(t time.Time) Time { return AtUnix(t.Unix()) }

// AtUnix returns the time sec seconds after 1970-01-01T00:00:00Z, with the
// limits of [At].
func AtUnix(sec int64) Time {
	if sec < minUnix || sec > maxUnix {
		return Time{absence: Malformed}
	}
	return Time{sec: sec, absence: Present}
}

// None returns a Time that is absent for the given reason.
func None(a Absence) Time { return Time{absence: absent(a)} }

// IsPresent reports whether t has a value.
func (t Time) IsPresent() bool { return t.absence == Present }

// Absence returns Present for a time, and otherwise the reason.
func (t Time) Absence() Absence { return t.absence }

// Value returns the time in UTC. Without one it returns the zero time.Time and
// false.
func (t Time) Value() (time.Time, bool) {
	if t.absence != Present {
		return time.Time{}, false
	}
	return time.Unix(t.sec, 0).UTC(), true
}

// Unix returns the time in seconds since 1970-01-01T00:00:00Z, or 0 and false.
func (t Time) Unix() (int64, bool) { return t.sec, t.absence == Present }

// Equal reports whether t and u are the same time or the same absence.
func (t Time) Equal(u Time) bool { return t == u }

// String returns the text of the cell, empty for MissingColumn and Malformed.
func (t Time) String() string {
	if t.absence == Present {
		return string(appendDate(nil, t.sec))
	}
	return t.absence.word()
}

// parseTime reads a cell.
func parseTime(cell string) Time {
	if cell == wordNotApplicable {
		return Time{}
	}
	if sec, ok := parseDate(cell); ok {
		return AtUnix(sec)
	}
	a, _ := parseAbsence(cell)
	return None(a)
}

// Text is a region, a service, or the reason why there is none. The zero Text
// is "N/A". Texts can be compared with ==.
type Text struct {
	value   string
	absence Absence
}

// TextOf returns the text s. If s is empty there is no value, so the result is
// NotApplicable. If s is one of the words for an absence, it is that absence.
func TextOf(s string) Text {
	if s == "" {
		return Text{}
	}
	if a, ok := parseAbsence(s); ok {
		return Text{absence: a}
	}
	return Text{value: s, absence: Present}
}

// NoText returns a Text that is absent for the given reason.
func NoText(a Absence) Text { return Text{absence: absent(a)} }

// IsPresent reports whether t has a text.
func (t Text) IsPresent() bool { return t.absence == Present }

// Absence returns Present for a text, and otherwise the reason.
func (t Text) Absence() Absence { return t.absence }

// Value returns the text, or "" and false.
func (t Text) Value() (string, bool) { return t.value, t.absence == Present }

// Equal reports whether t and u are the same text or the same absence.
func (t Text) Equal(u Text) bool { return t == u }

// String returns the text of the cell, empty for MissingColumn and Malformed.
func (t Text) String() string {
	if t.absence == Present {
		return t.value
	}
	return t.absence.word()
}
