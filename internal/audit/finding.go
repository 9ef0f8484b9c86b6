package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"rollcall/report"
)

// Credential is a credential of a user, as far as a report can tell it from
// others: reports give no ids, and a key may move between the two places, so
// that its creation tells it.
type Credential struct {
	Kind CredentialKind
	// Slot is the place in the row, 1 or 2; 0 for a password.
	Slot int
	// Created says when a key was created or a certificate was uploaded.
	Created report.Time
	// Tied means that the other place holds one of the same second, so that
	// only the place tells them apart.
	Tied bool
}

// ID identifies the credential among those of its user in every report:
// "password", "key:2025-03-01T10:00:00Z", "cert:…", with "#1" or "#2" behind it
// where two were made in the same second, "key:#1" where the report does not
// tell when it was created, and "" for none.
func (c Credential) ID() string {
	switch {
	case c.Kind == NoCredential || c.Kind == Password:
		return c.Kind.String()
	case !c.Created.IsPresent():
		return c.Kind.String() + ":#" + strconv.Itoa(c.Slot)
	case c.Tied:
		return c.Kind.String() + ":" + c.Created.String() + "#" + strconv.Itoa(c.Slot)
	default:
		return c.Kind.String() + ":" + c.Created.String()
	}
}

// Class is the kind of user in a row; see [Classes].
type Class uint8

// The classes.
const (
	ClassUnknown Class = iota // the row does not tell
	ClassRoot
	ClassHuman
	ClassMachine
	ClassBreakGlass
)

// String returns unknown, root, human, machine or break-glass.
func (c Class) String() string {
	return [...]string{"unknown", "root", "human", "machine", "break-glass"}[min(c, ClassBreakGlass)]
}

// MarshalText returns the same as String.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Finding is one verdict: of one control, on one credential, row or report. A
// Finding may be kept; what its slices and maps hold is not to be changed.
type Finding struct {
	Control *Control
	Status  Status
	// Severity is that of the benchmark, or the control's own; Info where the
	// Status is Manual, of which nobody knows yet whether anything is wrong.
	Severity Severity

	Account   string
	Partition string
	User      string // as in the report; "" where the report is meant
	ARN       string
	// UserCreated tells a user from an earlier one of the same name.
	UserCreated report.Time
	Class       Class
	Credential  Credential
	// Line says where the row begins in the file, counted from 1; 0 for none.
	Line int

	// Reason says why, in one sentence with the values that decided.
	Reason Reason
	// Columns are the columns to blame for the verdict: those whose cells decided
	// it, the one that weighs most first. None where the report as a whole is.
	Columns []report.Column
	// Since is the moment an age was counted from, and absent where none was;
	// then Age and Limit are 0. Limit is 0 also where nothing limits the age.
	Since report.Time
	Age   time.Duration
	Limit time.Duration
	// Approximate means that a date stood in for one that was never recorded,
	// so that the age is at most Age.
	Approximate bool

	// Suppressed means that the exception of that id excuses it; the status is
	// what it is without.
	Suppressed bool
	Exception  string
	// ExpiredException is the id of one that would have excused it.
	ExpiredException string

	// KeyIDs are the access key ids the finding is about, where enrichment
	// tells: more than one where creation times do not tell them apart.
	KeyIDs []string
	// Note says what enrichment could not settle, "" for nothing.
	Note string
	// Facts is all that enrichment tells of the user, nil for nothing.
	Facts *UserFacts
}

// ColumnNames returns the names of Columns.
func (f *Finding) ColumnNames() []string { return columnNames(f.Columns) }

// Fingerprint identifies the finding from run to run: it depends on account,
// ARN, control and credential, and not on the line, the status or the place of
// a key. It is 32 hexadecimal digits.
func (f *Finding) Fingerprint() string {
	h := sha256.New()
	for _, part := range []string{f.Account, f.ARN, string(f.Control.ID), f.Credential.ID()} {
		h.Write([]byte(part))
		h.Write([]byte{0}) // no part can hold one
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Row is a row of a report with what was found in it.
type Row struct {
	// Line and Report are 0 and nil where the findings are of the report as a
	// whole: that comes last. Report is valid only during the visit.
	Line   int
	Report *report.Row
	Class  Class
	// Findings are those asked for with [Options.Statuses]. The slice is valid
	// only during the visit, its findings beyond it.
	Findings []Finding
}
