package diff

import (
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// Event is a change of a user or a credential between two reports.
type Event struct {
	Kind     audit.EventKind
	Severity audit.Severity
	// Credential is the changed credential. It is zero if the user changed.
	Credential audit.Credential
	// Was and Is are the values in the two reports, "" if a report has none.
	Was, Is string
	// At is the time of the event, absent if the reports do not show it.
	At report.Time
	// Note says what is uncertain, "" for nothing.
	Note string
}

// State is the state of a finding.
type State uint8

// The states in the order for display.
const (
	// New: it fails or warns in the new report. In the old one it did not, or
	// was excused.
	New State = iota
	// Worse: it fails now and was a warning.
	Worse
	// Unknown: it was open, and the new report does not allow to judge it.
	Unknown
	// Open: it still fails or warns.
	Open
	// Excused: it was open, and an exception excuses it.
	Excused
	// Fixed: it was open and no longer is.
	Fixed

	// NumStates is the number of states, for arrays indexed by State.
	NumStates = iota
)

// String returns new, worse, unknown, open, excused or fixed.
func (s State) String() string {
	return [...]string{"new", "worse", "unknown", "open", "excused", "fixed"}[min(s, Fixed)]
}

// MarshalText returns the text of String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Finding is a finding of the audit and its state.
type Finding struct {
	State State
	// Finding is the finding of the new report, or of the old one if the new
	// one has none.
	audit.Finding
	// Was is the verdict on the old report, "" if there was none.
	Was string
	// FirstSeen is the time of the earliest report from which the finding has
	// been open without a break. OrEarlier means that no report before that one
	// is known.
	FirstSeen time.Time
	OrEarlier bool
	// Closed is the time of the first report in which a Fixed finding was no
	// longer open.
	Closed time.Time
	// How says why a Fixed finding is gone, or why an Unknown one cannot be
	// judged.
	How string
}

// Change holds the changes of one user, and the open findings. Its slices are
// valid only during the visit. Their elements stay valid.
type Change struct {
	Account *Account
	// User and ARN are the names in the new report, or in the old one if the
	// new one has no such user. They are "" for the whole report.
	User, ARN string
	Class     audit.Class
	Events    []Event
	Findings  []Finding
}

// Status says whether an account could be compared.
type Status uint8

const (
	// NotCompared: Account.Problems contains the reasons.
	NotCompared Status = iota
	// First: there is no older report.
	First
	// Compared: both reports were compared.
	Compared
)

// String returns not-compared, first or compared.
func (s Status) String() string {
	return [...]string{"not-compared", "first", "compared"}[min(s, Compared)]
}

// MarshalText returns the text of String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Account is the result of comparing one account.
type Account struct {
	Account, Partition, Name string
	Status                   Status
	// Old and New are the reports, zero if there is none.
	Old, New audit.Source
	// History is the number of older reports that were read to find out since
	// when findings are open.
	History int
	// NotCompared are the columns that only one of the reports has.
	NotCompared []string
	// Problems are the reasons why the comparison is incomplete, at most 100.
	// ProblemCount is their full number.
	Problems     []audit.Problem
	ProblemCount int
	// Notes are further sentences for the reader.
	Notes  []string
	Counts Counts
}

// Incomplete reports whether a part of the comparison is missing.
func (a *Account) Incomplete() bool { return a.Status == NotCompared || a.ProblemCount > 0 }

const maxProblems = 100

// Problem adds a reason why the comparison is incomplete, as a sentence.
func (a *Account) Problem(text string) { a.problem(audit.Problem{Text: text}) }

func (a *Account) problem(p audit.Problem) {
	a.ProblemCount++
	if len(a.Problems) < maxProblems {
		a.Problems = append(a.Problems, p)
	}
}

// Failed returns the result for an account that cannot be compared.
func Failed(account, name, why string) *Account {
	a := &Account{Account: account, Name: name}
	a.problem(audit.Problem{Text: why})
	return a
}

// Counts are the numbers of events, findings and users.
type Counts struct {
	Users  int // users with events
	Events map[audit.EventKind]int
	// Severities counts events by severity.
	Severities [audit.NumSeverities]int
	Findings   [NumStates][audit.NumSeverities][audit.NumStatuses]int
	// Suppressed counts the findings of the new report that are excused and
	// have no state, because they were not open before.
	Suppressed int
}

func (c *Counts) add(change *Change) {
	if len(change.Events) > 0 {
		c.Users++
	}
	for i := range change.Events {
		e := &change.Events[i]
		if c.Events == nil {
			c.Events = map[audit.EventKind]int{}
		}
		c.Events[e.Kind]++
		c.Severities[e.Severity]++
	}
	for i := range change.Findings {
		f := &change.Findings[i]
		c.Findings[f.State][f.Severity][f.Status]++
	}
}

// Add adds the counts of another account.
func (c *Counts) Add(d *Counts) {
	c.Users += d.Users
	for kind, n := range d.Events {
		if c.Events == nil {
			c.Events = map[audit.EventKind]int{}
		}
		c.Events[kind] += n
	}
	for i, n := range d.Severities {
		c.Severities[i] += n
	}
	for state := range d.Findings {
		for severity := range d.Findings[state] {
			for status, n := range d.Findings[state][severity] {
				c.Findings[state][severity][status] += n
			}
		}
	}
	c.Suppressed += d.Suppressed
}

// State returns the number of findings in a state.
func (c *Counts) State(s State) (n int) {
	for severity := range c.Findings[s] {
		for _, m := range c.Findings[s][severity] {
			n += m
		}
	}
	return n
}

// EventTotal returns the number of events.
func (c *Counts) EventTotal() (n int) {
	for _, m := range c.Severities {
		n += m
	}
	return n
}

// NewFailures counts the findings of at least this severity that fail now and
// did not before. Excused findings do not count.
func (c *Counts) NewFailures(least audit.Severity) (n int) {
	for severity := least; severity < audit.NumSeverities; severity++ {
		n += c.Findings[New][severity][audit.Fail] + c.Findings[Worse][severity][audit.Fail]
	}
	return n
}
