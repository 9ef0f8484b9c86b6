package html

import (
	"cmp"
	"sync"
	"time"

	"rollcall/internal/audit"
)

// DefaultMaxCredentials is the number of credentials that a page holds if
// Options.MaxCredentials does not say so.
const DefaultMaxCredentials = 250_000

// maxBytes limits the size of the rows of a page. A browser needs about a second to
// read that much.
const maxBytes = 22 << 20

// Options are the title, the origin and the limits of a page. The zero Options are
// valid.
type Options struct {
	// Title is the title of the page; "" means "Credential audit".
	Title string
	// Made is the time when the page is created; zero omits it.
	Made time.Time
	// Program is the program that creates it, such as "rollcall 1.0.0"; "" omits it.
	Program string
	// Organizations are the ids of the known organizations of the accounts.
	Organizations []string
	// Skipped are accounts that nobody audited, because they are not active.
	Skipped []Skipped
	// MaxCredentials limits the number of credentials that the page lists; 0 means
	// DefaultMaxCredentials. Credentials of users without findings are omitted
	// first, and then those of the last reports. The page says how many it omits,
	// and all counts include them.
	MaxCredentials int
}

// Skipped is an account that did not need an audit.
type Skipped struct {
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	Status  string `json:"status"` // such as suspended
}

// Builder collects the content of a page while an audit runs. It needs about 200
// bytes for a credential:
//
//	b := html.New(html.Options{})
//	for each account {
//		r := b.Report()
//		summary, err := auditor.Audit(ctx, file, source, facts, r.Row) // or Missing
//		…
//		r.End(summary)
//	}
//	err := b.Write(w, auditor.Summary())
//
// Without [audit.Options.EveryRow], the page only lists credentials with findings.
// Several reports may be gathered at the same time.
type Builder struct {
	options Options

	mu          sync.Mutex
	reports     []*Report
	histories   []History
	found, fine room
}

// New returns an empty Builder.
func New(o Options) *Builder {
	o.Title = cmp.Or(o.Title, "Credential audit")
	o.MaxCredentials = cmp.Or(o.MaxCredentials, DefaultMaxCredentials)
	return &Builder{options: o}
}

// Report begins the next report, or an account without one. An account of the
// summary without a Report is shown without its findings.
func (b *Builder) Report() *Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &Report{builder: b}
	b.reports = append(b.reports, r)
	return r
}

// Report collects the credentials of one report. Its methods are not safe for
// concurrent use.
type Report struct {
	builder *Builder
	summary *audit.AccountSummary
	// found are the users with findings, and fine are those without. The page
	// contains those that fit.
	found, fine []*rows
	keys        []agedKey
	people      []person
}

// End ends the report with the result of Audit. Without End, as for an audit that
// failed, the credentials are not shown.
func (r *Report) End(s *audit.AccountSummary) { r.summary = s }

// History holds the known earlier reports of an account.
type History struct {
	Partition, Account string
	// Snapshots are the compared reports including the newest, oldest first.
	Snapshots []Snapshot
	// Changes are the changes between them, in any order.
	Changes []Change
}

// Snapshot holds the results of a report of an account.
type Snapshot struct {
	Generated time.Time
	// Findings that nothing excuses, by status.
	Findings [audit.NumStatuses]int
	// Failing counts those that FAIL by severity.
	Failing [audit.NumSeverities]int
	Users   int
	Keys    int // active ones
}

// SnapshotOf returns the Snapshot of an audited report.
func SnapshotOf(s *audit.AccountSummary) Snapshot {
	shot := Snapshot{
		Generated: s.Source.Generated,
		Findings:  s.Counts.Total,
		Users:     s.Stats.Users,
		Keys:      s.Stats.ActiveKeys,
	}
	for severity := range shot.Failing {
		shot.Failing[severity] = s.Counts.Severities[severity][audit.Fail]
	}
	return shot
}

// The kinds of [Change] in addition to those of [audit.EventKind].
const (
	NewlyFailing audit.EventKind = "newly-failing"
	Fixed        audit.EventKind = "fixed"
)

// Change is something that happened between two reports of an account.
type Change struct {
	// At is the time when the later report was generated, and Since is that of the
	// earlier one.
	At, Since time.Time
	// Kind is an event of [audit.Events], NewlyFailing or Fixed.
	Kind     audit.EventKind
	Severity audit.Severity
	// Control is the control of NewlyFailing and Fixed, and "" for other kinds.
	Control audit.ControlID
	// User is the user's name in the report, "" for the whole report.
	User string
	// Credential is its [audit.Credential.ID], "" for none.
	Credential string
	// Text says in a sentence what happened.
	Text string
	// Usual is the name under which the page counts the change instead of showing
	// it, "" for one to show.
	Usual string
}

// History adds the earlier reports of an account. It is called once for an account.
// The page holds the newest 1,000 changes of an account at most, and says how many
// it omits.
func (b *Builder) History(h History) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.histories = append(b.histories, h)
}
