package audit

import (
	"fmt"
	"strings"
)

// Status is a verdict. The zero Status is NoData, so a missing verdict is never
// PASS. A lower status outweighs a higher one.
type Status uint8

const (
	// NoData means that the report, the row or the decisive cell is missing or
	// unreadable. A run with such a verdict is incomplete.
	NoData Status = iota
	// Fail means that the rule is broken.
	Fail
	// Warn means that the rule is not broken, or not certainly, but a person
	// should look.
	Warn
	// Manual means that no report can decide it, so a person must.
	Manual
	// NotApplicable means that the rule does not concern this row.
	NotApplicable
	// Pass means that the report shows that the rule is kept.
	Pass

	// NumStatuses is the number of statuses, for arrays indexed by Status.
	NumStatuses = iota
)

var statusNames = [NumStatuses]string{"NO_DATA", "FAIL", "WARN", "MANUAL", "NOT_APPLICABLE", "PASS"}

// String returns the name in every output, such as NO_DATA.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", s)
}

// MarshalText returns the text of String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a text of String.
func (s *Status) UnmarshalText(text []byte) error {
	got, err := ParseStatus(string(text))
	if err == nil {
		*s = got
	}
	return err
}

// ParseStatus reads a text of String.
func ParseStatus(text string) (Status, error) {
	for i, name := range statusNames {
		if name == text {
			return Status(i), nil
		}
	}
	return NoData, fmt.Errorf("read status: %q is not one of %q", text, statusNames)
}

// StatusSet is a set of statuses.
type StatusSet uint8

// Reported are the statuses that people usually want to see: all except PASS
// and NOT_APPLICABLE.
const Reported = StatusSet(1<<NoData | 1<<Fail | 1<<Warn | 1<<Manual)

// AllStatuses contains all statuses.
const AllStatuses = StatusSet(1<<NumStatuses - 1)

// SetOf returns the set of the given statuses.
func SetOf(statuses ...Status) StatusSet {
	var set StatusSet
	for _, s := range statuses {
		set |= 1 << s
	}
	return set
}

// Has reports whether s is in the set.
func (set StatusSet) Has(s Status) bool { return set&(1<<s) != 0 }

// Severity says how much a finding matters. The zero Severity is Info.
type Severity uint8

// The severities in ascending order.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical

	// NumSeverities is the number of severities, for arrays indexed by
	// Severity.
	NumSeverities = iota
)

var severityNames = [NumSeverities]string{"info", "low", "medium", "high", "critical"}

// String returns the name in every output, such as high.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return fmt.Sprintf("Severity(%d)", s)
}

// MarshalText returns the text of String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a text of String.
func (s *Severity) UnmarshalText(text []byte) error {
	got, err := ParseSeverity(string(text))
	if err == nil {
		*s = got
	}
	return err
}

// ParseSeverity reads a text of String.
func ParseSeverity(text string) (Severity, error) {
	for i, name := range severityNames {
		if name == text {
			return Severity(i), nil
		}
	}
	return Info, fmt.Errorf("severity %q is not one of %s", text, strings.Join(severityNames[:], ", "))
}
