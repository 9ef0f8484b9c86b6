package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"rollcall/report"
)

// Credential identifies a credential of a user as far as a report allows.
// Reports contain no ids, and a key may move between the two places. Therefore
// its creation time identifies it.
type Credential struct {
	Kind CredentialKind
	// Slot is the place in the row, 1 or 2; 0 for a password.
	Slot int
	// Created says when a key was created or a certificate was uploaded.
	Created report.Time
	// Tied means that the other place has one of the same second, so that only
	// the place distinguishes them.
	Tied bool
}

// ID identifies the credential among those of its user in every report:
// "password", "key:2025-03-01T10:00:00Z" or "cert:…". "#1" or "#2" follows if
// two were created in the same second. It is "key:#1" if the report does not
// contain the creation time, and "" for none.
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
	ClassUnknown Class = iota // the row does not show it
	ClassRoot
	ClassHuman
	ClassMachine
	ClassBreakGlass
)

// String returns unknown, root, human, machine or break-glass.
func (c Class) String() string {
	return [...]string{"unknown", "root", "human", "machine", "break-glass"}[min(c, ClassBreakGlass)]
}

// MarshalText returns the text of String.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Finding is one verdict of one control on one credential, row or report. A
// caller may keep a Finding, but must not change its slices and maps.
type Finding struct {
	Control *Control
	Status  Status
	// Severity is the severity in the benchmark, or else the control's own. It
	// is Info if the Status is Manual, because then nobody knows yet whether
	// anything is wrong.
	Severity Severity

	Account   string
	Partition string
	User      string // the name in the report; "" if the finding concerns the whole report
	ARN       string
	// UserCreated distinguishes a user from an earlier one of the same name.
	UserCreated report.Time
	Class       Class
	Credential  Credential
	// Line is the line at which the row begins in the file, counted from 1; 0
	// for none.
	Line int

	// Reason is the reason in one sentence, with the decisive values.
	Reason Reason
	// Columns are the columns whose cells caused the verdict, the most important
	// first. There are none if the finding concerns the whole report.
	Columns []report.Column
	// Since is the time from which an age was counted. It is absent if no age
	// was counted. Then Age and Limit are 0. Limit is also 0 if nothing limits
	// the age.
	Since report.Time
	Age   time.Duration
	Limit time.Duration
	// Approximate means that another date replaced one that was never recorded,
	// so the age is at most Age.
	Approximate bool

	// Suppressed means that the exception with this id excuses it. The status
	// does not change.
	Suppressed bool
	Exception  string
	// ExpiredException is the id of an expired exception that would have
	// excused it.
	ExpiredException string

	// KeyIDs are the ids of the access keys that the finding concerns, if
	// enrichment has them. There are several if creation times do not
	// distinguish them.
	KeyIDs []string
	// Note says what remains unclear after enrichment, "" for nothing.
	Note string
	// Facts are the enrichment of the user, nil for none.
	Facts *UserFacts
}

// ColumnNames returns the names of Columns.
func (f *Finding) ColumnNames() []string { return columnNames(f.Columns) }

// Fingerprint identifies the finding in every run. It depends on account, ARN,
// control and credential, but not on the line, the status or the place of a
// key. It has 32 hexadecimal digits.
func (f *Finding) Fingerprint() string {
	h := sha256.New()
	for _, part := range []string{f.Account, f.ARN, string(f.Control.ID), f.Credential.ID()} {
		h.Write([]byte(part))
		h.Write([]byte{0}) // no part can contain a NUL
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Row is a row of a report with its findings.
type Row struct {
	// Line and Report are 0 and nil for the findings about the whole report,
	// which come last. Report is valid only during the visit.
	Line   int
	Report *report.Row
	Class  Class
	// Findings are the findings that [Options.Statuses] selects. The slice is
	// valid only during the visit. Its findings stay valid.
	Findings []Finding
}
