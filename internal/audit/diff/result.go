package diff

import (
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// Event is something that happened to a user or a credential between two
// reports.
type Event struct {
	Kind     audit.EventKind
	Severity audit.Severity
	// Credential is the one it happened to; the zero one where it happened to
	// the user.
	Credential audit.Credential
	// Was and Is are the values in the two reports, "" if one has none.
	Was, Is string
	// At says when it happened, absent where the reports do not tell.
	At report.Time
	// Note says what is not certain about it, "" for nothing.
	Note string
}

// State is the state of a finding.
type State uint8

// The states, in the order in which to show them.
const (
	// New: it fails or warns in the new report, and did not in the old one or
	// was excused there.
	New State = iota
	// Worse: it fails and was a warning.
	Worse
	// Unknown: it was open, and the new report does not let it be judged.
	Unknown
	// Open: it still fails or warns.
	Open
	// Excused: it was open, and an exception excuses it.
	Excused
	// Fixed: it was open and is not.
	Fixed

	// NumStates says how many there are, for arrays indexed by State.
	NumStates = iota
)

// String returns new, worse, unknown, open, excused or fixed.
func (s State) String() string {
	return [...]string{"new", "worse", "unknown", "open", "excused", "fixed"}[min(s, Fixed)]
}

// MarshalText returns the same as String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Finding is a finding of the audit and what became of it.
type Finding struct {
	State State
	// Finding is that of the new report; of the old one where the new one has
	// none.
	audit.Finding
	// Was is the verdict on the old report, "" where there was none.
	Was string
	// FirstSeen says when the earliest report was generated in which the
	// finding is open, without a break since. OrEarlier means that no report
	// before that one is known.
	FirstSeen time.Time
	OrEarlier bool
	// Closed says when the first report was generated in which it was no longer
	// open; only of what is Fixed.
	Closed time.Time
	// How says why what is Fixed is no longer found, and what is Unknown not
	// judged.
	How string
}

// Change holds the changes of one user, and what is still wrong. Its slices are
// valid only during the visit, their elements beyond it.
type Change struct {
	Account *Account
	// User and ARN are as in the new report, or in the old one where the new
	// one has no such user; "" where the report as a whole is meant.
	User, ARN string
	Class     audit.Class
	Events    []Event
	Findings  []Finding
}

// Status says whether an account could be compared.
type Status uint8

const (
	// NotCompared: see Account.Problems.
	NotCompared Status = iota
	// First: there is no older report.
	First
	// Compared: both reports were.
	Compared
)

// String returns not-compared, first or compared.
func (s Status) String() string {
	return [...]string{"not-compared", "first", "compared"}[min(s, Compared)]
}

// MarshalText returns the same as String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Account is the outcome of comparing one account.
type Account struct {
	Account, Partition, Name string
	Status                   Status
	// Old and New are the reports, zero where there is none.
	Old, New audit.Source
	// History says how many older reports told since when findings are open.
	History int
	// NotCompared are the columns that only one of the reports has.
	NotCompared []string
	// Problems are the reasons why the comparison is incomplete, at most 100;
	// ProblemCount is their number.
	Problems     []audit.Problem
	ProblemCount int
	// Notes say what else a reader must know, in sentences.
	Notes  []string
	Counts Counts
}

// Incomplete reports whether anything is not known that was to be.
func (a *Account) Incomplete() bool { return a.Status == NotCompared || a.ProblemCount > 0 }

const maxProblems = 100

// Problem adds something that is not known, as a sentence.
func (a *Account) Problem(text string) { a.problem(audit.Problem{Text: text}) }

func (a *Account) problem(p audit.Problem) {
	a.ProblemCount++
	if len(a.Problems) < maxProblems {
		a.Problems = append(a.Problems, p)
	}
}

// Failed returns the outcome for an account that cannot be compared.
func Failed(account, name, why string) *Account {
	a := &Account{Account: account, Name: name}
	a.problem(audit.Problem{Text: why})
	return a
}

// Counts say how much there is of everything.
type Counts struct {
	Users  int // with events
	Events map[audit.EventKind]int
	// Severities counts events.
	Severities [audit.NumSeverities]int
	Findings   [NumStates][audit.NumSeverities][audit.NumStatuses]int
	// Suppressed are findings of the new report that an exception excuses and
	// that are in no state, because they were not open before.
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

// State returns how many findings are in a state.
func (c *Counts) State(s State) (n int) {
	for severity := range c.Findings[s] {
		for _, m := range c.Findings[s][severity] {
			n += m
		}
	}
	return n
}

// EventTotal returns how many events there are.
func (c *Counts) EventTotal() (n int) {
	for _, m := range c.Severities {
		n += m
	}
	return n
}

// NewFailures returns how many findings of at least this severity fail that
// did not, excused ones not counted.
func (c *Counts) NewFailures(least audit.Severity) (n int) {
	for severity := least; severity < audit.NumSeverities; severity++ {
		n += c.Findings[New][severity][audit.Fail] + c.Findings[Worse][severity][audit.Fail]
	}
	return n
}
