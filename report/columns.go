package report

import (
	"fmt"
	"slices"
)

// field is one of the columns this package knows, in the order of the report.
type field uint8

const (
	fieldUser field = iota
	fieldARN
	fieldCreated
	fieldPasswordEnabled
	fieldPasswordLastUsed
	fieldPasswordLastChanged
	fieldPasswordNextRotation
	fieldMFAActive
	fieldKey1Active
	fieldKey1LastRotated
	fieldKey1LastUsed
	fieldKey1LastUsedRegion
	fieldKey1LastUsedService
	fieldKey2Active
	fieldKey2LastRotated
	fieldKey2LastUsed
	fieldKey2LastUsedRegion
	fieldKey2LastUsedService
	fieldCert1Active
	fieldCert1LastRotated
	fieldCert2Active
	fieldCert2LastRotated
	fieldAdditional

	fieldUnknown // any other column
)

// kind says what the cells of a column hold.
type kind uint8

const (
	kindName kind = iota // a string that is always there: user and arn
	kindBool
	kindTime
	kindText
	kindAdditional
	kindUnknown
)

// known describes the columns, indexed by field.
var known = [fieldUnknown]struct {
	name string
	kind kind
}{
	fieldUser:                 {"user", kindName},
	fieldARN:                  {"arn", kindName},
	fieldCreated:              {"user_creation_time", kindTime},
	fieldPasswordEnabled:      {"password_enabled", kindBool},
	fieldPasswordLastUsed:     {"password_last_used", kindTime},
	fieldPasswordLastChanged:  {"password_last_changed", kindTime},
	fieldPasswordNextRotation: {"password_next_rotation", kindTime},
	fieldMFAActive:            {"mfa_active", kindBool},
	fieldKey1Active:           {"access_key_1_active", kindBool},
	fieldKey1LastRotated:      {"access_key_1_last_rotated", kindTime},
	fieldKey1LastUsed:         {"access_key_1_last_used_date", kindTime},
	fieldKey1LastUsedRegion:   {"access_key_1_last_used_region", kindText},
	fieldKey1LastUsedService:  {"access_key_1_last_used_service", kindText},
	fieldKey2Active:           {"access_key_2_active", kindBool},
	fieldKey2LastRotated:      {"access_key_2_last_rotated", kindTime},
	fieldKey2LastUsed:         {"access_key_2_last_used_date", kindTime},
	fieldKey2LastUsedRegion:   {"access_key_2_last_used_region", kindText},
	fieldKey2LastUsedService:  {"access_key_2_last_used_service", kindText},
	fieldCert1Active:          {"cert_1_active", kindBool},
	fieldCert1LastRotated:     {"cert_1_last_rotated", kindTime},
	fieldCert2Active:          {"cert_2_active", kindBool},
	fieldCert2LastRotated:     {"cert_2_last_rotated", kindTime},
	fieldAdditional:           {"additional_credentials_info", kindAdditional},
}

func (f field) name() string { return known[f].name }

func (f field) kind() kind {
	if f >= fieldUnknown {
		return kindUnknown
	}
	return known[f].kind
}

// fieldOf finds a column by its exact name.
func fieldOf(name string) field {
	for f := range known {
		if known[f].name == name {
			return field(f)
		}
	}
	return fieldUnknown
}

// form tells the forms AWS has used from any other selection of columns.
type form uint8

const (
	form22 form = iota
	form16
	form23
	formCustom
)

// Columns is the header of a report: which columns, in which order. It does
// not change once made and may be shared. The zero Columns is [Columns22].
type Columns struct {
	form   form
	names  []string // only of formCustom
	fields []field
}

// The forms a report has had. They are data: do not assign to them.
var (
	// Columns16 is the report from 2014 to April 2015, when AWS did not yet
	// keep track of the use of access keys.
	Columns16 = Columns{form: form16}
	// Columns22 is the report as AWS sends it today.
	Columns22 = Columns{form: form22}
	// Columns23 has additional_credentials_info as well, which AWS documents
	// for accounts whose users may hold more than two keys or certificates.
	Columns23 = Columns{form: form23}
)

var (
	names16 = slices.DeleteFunc(namesUpTo(fieldAdditional), func(name string) bool {
		f := fieldOf(name)
		return f >= fieldKey1LastUsed && f <= fieldKey1LastUsedService ||
			f >= fieldKey2LastUsed && f <= fieldKey2LastUsedService
	})
	names22 = namesUpTo(fieldAdditional)
	names23 = namesUpTo(fieldUnknown)
)

func namesUpTo(end field) []string {
	names := make([]string, end)
	for f := range names {
		names[f] = known[f].name
	}
	return names
}

// NewColumns returns a header of the given names. Names this package does not
// know are filled from [Row.Extra]. A name given twice is refused, and so is
// an empty list.
func NewColumns(names ...string) (Columns, error) {
	if len(names) == 0 {
		return Columns{}, fmt.Errorf("make columns: no names")
	}
	if name, ok := repeated(names); ok {
		return Columns{}, fmt.Errorf("make columns: column %.100q stands twice", name)
	}
	return columnsOf(names), nil
}

// columnsOf makes the header of names that are known to differ.
func columnsOf(names []string) Columns {
	for _, c := range []Columns{Columns16, Columns22, Columns23} {
		if slices.Equal(names, c.header()) {
			return c
		}
	}
	fields := make([]field, len(names))
	for i, name := range names {
		fields[i] = fieldOf(name)
	}
	return Columns{form: formCustom, names: slices.Clone(names), fields: fields}
}

// repeated finds a name that stands twice.
func repeated(names []string) (string, bool) {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return name, true
		}
		seen[name] = true
	}
	return "", false
}

// Len returns the number of columns.
func (c Columns) Len() int { return len(c.header()) }

// Names returns a copy of the names in their order.
func (c Columns) Names() []string { return slices.Clone(c.header()) }

// Has reports whether the header has a column of that exact name.
func (c Columns) Has(name string) bool { return slices.Contains(c.header(), name) }

func (c Columns) header() []string {
	switch c.form {
	case form16:
		return names16
	case form23:
		return names23
	case formCustom:
		return c.names
	default:
		return names22
	}
}
