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

// maxBytes bounds the rows of a page. A browser needs about a second to read as
// much.
const maxBytes = 22 << 20

// Options say what a page is to be called and how much it may hold. The zero
// Options is good.
type Options struct {
	// Title is the title of the page; "" means "Credential audit".
	Title string
	// Made says when the page is made; zero leaves it out.
	Made time.Time
	// Program names what made it, such as "rollcall 1.0.0"; "" leaves it out.
	Program string
	// Organizations are the ids of the organizations of the accounts, where they
	// are known.
	Organizations []string
	// Skipped are accounts that nobody audited, because they are not active.
	Skipped []Skipped
	// MaxCredentials bounds the credentials that the page lists; 0 means
	// DefaultMaxCredentials. Those of users without findings are left out first,
	// then those of the reports that come last. The page says how many it leaves
	// out, and all counts are of everything.
	MaxCredentials int
}

// Skipped is an account that was not audited, and need not be.
type Skipped struct {
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	Status  string `json:"status"` // such as suspended
}

// Builder gathers what a page shows while an audit runs, in about 200 bytes for
// a credential:
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
// The audit must be run with [audit.Options.EveryRow], or the page lists only
// credentials with findings. Reports may be gathered side by side.
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

// Report begins the next report, or the lack of one. An account of the summary
// for which there was no Report is shown without its findings.
func (b *Builder) Report() *Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &Report{builder: b}
	b.reports = append(b.reports, r)
	return r
}

// Report gathers the credentials of one report. One call at a time.
type Report struct {
	builder *Builder
	summary *audit.AccountSummary
	// found are the users with findings, fine those without, of whom those that
	// there is room for are in the page.
	found, fine []*rows
	keys        []agedKey
	people      []person
}

// End ends the report with what Audit returned. Without it the credentials are
// not shown, as for an audit that was given up.
func (r *Report) End(s *audit.AccountSummary) { r.summary = s }

// History holds the known earlier reports of an account.
type History struct {
	Partition, Account string
	// Snapshots are the reports compared, the newest included, oldest first.
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

// Kinds of [Change] beside those of [audit.EventKind].
const (
	NewlyFailing audit.EventKind = "newly-failing"
	Fixed        audit.EventKind = "fixed"
)

// Change is something that happened between two reports of an account.
type Change struct {
	// At says when the later report was generated, Since when the earlier was.
	At, Since time.Time
	// Kind is an event of [audit.Events], NewlyFailing or Fixed.
	Kind     audit.EventKind
	Severity audit.Severity
	// Control is that of NewlyFailing and Fixed, "" for others.
	Control audit.ControlID
	// User is as in the report, "" where the report is meant.
	User string
	// Credential is its [audit.Credential.ID], "" for none.
	Credential string
	// Text says in a sentence what happened.
	Text string
	// Usual is the name under which the page counts the change instead of showing
	// it, "" for one to show.
	Usual string
}

// History adds what is known of an account's earlier reports, once for each
// account. The page holds at most 1,000 changes of an account, the newest, and
// says how many it leaves out.
func (b *Builder) History(h History) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.histories = append(b.histories, h)
}
