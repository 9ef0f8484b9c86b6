package report

import (
	"fmt"
	"slices"
)

// form distinguishes AWS's forms from any other selection of columns.
type form uint8

const (
	form22 form = iota
	form16
	form23
	formCustom
)

// Columns is the header of a report: the columns and their order. It does not
// change and may be shared. The zero Columns is [Columns22].
type Columns struct {
	form   form
	names  []string // only for formCustom
	fields []field
}

// The forms of reports so far. They are data: do not assign to them.
var (
	// Columns16 is the report from 2014 to April 2015, when AWS did not track
	// the use of access keys yet.
	Columns16 = Columns{form: form16}
	// Columns22 is the report that AWS returns today.
	Columns22 = Columns{form: form22}
	// Columns23 also has additional_credentials_info, which AWS documents for
	// accounts whose users may have more than two keys or certificates.
	Columns23 = Columns{form: form23}
)

var (
	names16 = slices.DeleteFunc(namesUpTo(fieldAdditional), func(name string) bool {
		f := fieldOf(name)
		return f >= fieldKey1LastUsed && f <= fieldKey1LastUsedService ||
			f >= fieldKey2LastUsed && f <= fieldKey2LastUsedService
	})
	names22 = namesUpTo(fieldAdditional)
	names23 = namesUpTo(fieldAdditional + 1)
)

func namesUpTo(end field) []string {
	names := make([]string, end)
	for f := range names {
		names[f] = known[f].Name
	}
	return names
}

// NewColumns returns a header with the given names. Cells for unknown names
// come from [Row.Extra]. An empty list or a repeated name is an error.
func NewColumns(names ...string) (Columns, error) {
	if len(names) == 0 {
		return Columns{}, fmt.Errorf("make columns: no names")
	}
	if name, ok := repeated(names); ok {
		return Columns{}, fmt.Errorf("make columns: column %.100q occurs twice", name)
	}
	return columnsOf(names), nil
}

// columnsOf returns the header for names that are known to differ.
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

// repeated finds a name that occurs twice.
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

// Names returns a copy of the names in order.
func (c Columns) Names() []string { return slices.Clone(c.header()) }

// Has reports whether the header has a column with exactly this name.
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
