// Package show writes comparisons as a table for a terminal, and in forms for
// other programs.
//
// It makes the same promise as package render: no text of a report can affect
// the terminal, the spreadsheet or the page that shows it. The forms json,
// jsonl and csv contain every change, and need memory that does not grow with
// them. table and md show the worst changes and count the rest.
package show

import (
	"bufio"
	"io"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
)

// Output is one form. It receives the accounts in turn: Change for each user,
// then Account. Close is called once at the end.
type Output interface {
	Change(*diff.Change) error
	Account(*diff.Account) error
	Close(*Summary) error
}

// Options say what to show.
type Options struct {
	Program string // name and version of the program
	// Least is the lowest severity of the events and findings that are shown.
	// All are counted.
	Least audit.Severity
	// Open also lists findings that are still open. They are counted in any
	// case.
	Open bool
	// Uses also lists each ordinary use of a credential in table and md. They
	// are counted in any case.
	Uses bool
	// Most limits the events, and the findings of each state, that table and md
	// show; 0 means all.
	Most int
	// Width is the width of the terminal in columns; 0 means that everything is
	// shown.
	Width  int
	Colour bool
}

// Summary is the result of comparing several accounts.
type Summary struct {
	Accounts []*diff.Account
	Counts   diff.Counts
}

// Add adds the result of an account.
func (s *Summary) Add(a *diff.Account) {
	s.Accounts = append(s.Accounts, a)
	s.Counts.Add(&a.Counts)
}

// Complete reports whether there are accounts and all of them were compared.
func (s *Summary) Complete() bool {
	for _, a := range s.Accounts {
		if a.Incomplete() {
			return false
		}
	}
	return len(s.Accounts) > 0
}

// Formats returns the names of the forms.
func Formats() []string { return []string{"table", "json", "jsonl", "md", "csv"} }

// Open returns the Output of that name. ok is false if there is none.
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

// wanted reports whether a finding is listed.
func (o *Options) wanted(f *diff.Finding) bool {
	return f.Severity >= o.Least && (o.Open || f.State != diff.Open)
}

// status returns the verdict on the new report, "" if there is none.
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
