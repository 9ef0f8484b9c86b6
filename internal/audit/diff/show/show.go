// Package show holds how a comparison leaves: as a table that fits a terminal,
// and in forms other programs read.
//
// It promises what package render promises: nothing in a report can act upon
// the terminal, the spreadsheet or the page it is shown on. The forms json,
// jsonl and csv have every change and take memory that does not grow with them;
// table and md show the worst, and say how many more there are.
package show

import (
	"bufio"
	"io"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
)

// Output is one form. It is told of the accounts one after the other: Change
// for each user, then Account. Close comes once, after the last.
type Output interface {
	Change(*diff.Change) error
	Account(*diff.Account) error
	Close(*Summary) error
}

// Options say what to show.
type Options struct {
	Program string // what made it, with its version
	// Least is the least severity of the events and findings shown. All are
	// counted.
	Least audit.Severity
	// Open makes findings be listed that are still open; they are counted in
	// any case.
	Open bool
	// Uses makes each ordinary use of a credential be listed by table and md;
	// they are counted in any case.
	Uses bool
	// Most says how many events, and how many findings of each state, table and
	// md show; 0 means all.
	Most int
	// Width says how many columns the terminal has; 0 means that all is shown.
	Width  int
	Colour bool
}

// Summary is the outcome of comparing several accounts.
type Summary struct {
	Accounts []*diff.Account
	Counts   diff.Counts
}

// Add adds the outcome of an account.
func (s *Summary) Add(a *diff.Account) {
	s.Accounts = append(s.Accounts, a)
	s.Counts.Add(&a.Counts)
}

// Complete reports whether all accounts were compared, and there were any.
func (s *Summary) Complete() bool {
	for _, a := range s.Accounts {
		if a.Incomplete() {
			return false
		}
	}
	return len(s.Accounts) > 0
}

// Formats are the names of the forms.
func Formats() []string { return []string{"table", "json", "jsonl", "md", "csv"} }

// Open returns the Output of that name; ok is false where there is none.
func Open(name string, w io.Writer, o Options) (out Output, ok bool) {
	b := bufio.NewWriterSize(w, 64<<10)
	switch name {
	case "table":
		return &table{gatherer: gatherer{options: o}, b: b}, true
	case "md":
		return &markdown{gatherer: gatherer{options: o}, b: b}, true
	case "json":
		return &document{lines: lines{b: b, options: o}}, true
	case "jsonl":
		return &lines{b: b, options: o}, true
	case "csv":
		return newSheet(b, o), true
	}
	return nil, false
}

// wanted reports whether a finding is to be listed.
func (o *Options) wanted(f *diff.Finding) bool {
	return f.Severity >= o.Least && (o.Open || f.State != diff.Open)
}

// status is the verdict on the new report, "" where there is none.
func status(f *diff.Finding) string {
	switch f.State {
	case diff.Fixed:
		return ""
	case diff.Unknown:
		return audit.NoData.String()
	}
	return f.Status.String()
}

// Titles returns the titles of the kinds of events.
func Titles() map[audit.EventKind]string {
	m := map[audit.EventKind]string{}
	for _, e := range audit.Events() {
		m[e.Kind] = e.Title
	}
	return m
}
