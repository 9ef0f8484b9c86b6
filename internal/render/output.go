package render

import (
	"bufio"
	"cmp"
	"io"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/html"
)

// Output is one form in which an audit leaves. It is told of the reports one
// after the other: Report, then Row for each row the audit visits, then End;
// an account without a report the same. Close comes once, after the last, and
// also flushes. After an error an Output is not to be used any more.
type Output interface {
	// Report begins the next report.
	Report(src audit.Source) error
	// Row takes the findings of a row. It keeps nothing of it.
	Row(row *audit.Row) error
	// End ends the report with its outcome.
	End(a *audit.AccountSummary) error
	// Close takes the outcome of the run.
	Close(s *audit.Summary) error
}

// Options say how outputs are to look, and what they tell of the run.
type Options struct {
	Program string // what made them, such as rollcall
	Version string
	// Now says when the run takes place.
	Now time.Time
	// AsOf is the moment asked for to judge for; zero means that of each
	// report.
	AsOf      time.Time
	Benchmark *audit.Benchmark
	// Exceptions are those given to the audit, which findings name by their id.
	Exceptions []audit.Exception
	// Skipped are accounts whose reports nobody expected.
	Skipped []Skipped
	// Histories are the known earlier reports, for the HTML page.
	Histories []html.History

	// Width says how many columns the terminal of the table has; 0 means that
	// all is shown.
	Width  int
	Colour bool
	// Query is a JMESPath expression that chooses what of the JSON is written.
	Query string
	// OCSF is the version of the OCSF schema, "" for DefaultOCSF.
	OCSF string
	// Region is the region of the Security Hub that ASFF is for; "" means the
	// first of the partition.
	Region string
	// StepSummary takes the summary of the step of a GitHub workflow; nil for
	// none.
	StepSummary io.Writer
}

// Skipped is an account that is not audited, and need not be.
type Skipped struct {
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	Status  string `json:"status"` // such as suspended
}

// Format is a form that is one stream of bytes. What writes a folder is not
// one: see package lake.
type Format struct {
	Name  string
	About string // in a few words
	Needs Needs
	open  func(w *bufio.Writer, o *Options) Output
}

// Needs says what a form is made from.
type Needs int

// What a form may need: each needs what is before it as well.
const (
	Summary  Needs = iota // the summary alone: the audit need not visit anything
	Findings              // the findings, row by row
	EveryRow              // all rows, which audit.Options.EveryRow visits
)

// Open returns an Output of the form, which writes to w.
func (f Format) Open(w io.Writer, o Options) Output {
	return f.open(bufio.NewWriterSize(w, 64<<10), &o)
}

// Formats are all of them, in the order in which to name them.
func Formats() []Format {
	return []Format{
		{Name: "table", About: "for a terminal", open: newTable},
		{Name: "json", About: "the summary and the worst findings, one document", open: newJSON},
		{Name: "jsonl", About: "every finding, one JSON object on a line", open: newJSONLines, Needs: Findings},
		{Name: "csv", About: "every finding, safe to open in a spreadsheet", open: newCSV, Needs: Findings},
		{Name: "md", About: "the summary and the worst findings, Markdown", open: newMarkdown},
		{Name: "html", About: "one file for a browser, with every credential", open: newHTML, Needs: EveryRow},
		{Name: "sarif", About: "SARIF 2.1.0, for code scanning", open: newSARIF, Needs: Findings},
		{Name: "ocsf", About: "OCSF compliance findings, one per line", open: newOCSF, Needs: Findings},
		{Name: "asff", About: "findings for AWS Security Hub", open: newASFF, Needs: Findings},
		{Name: "junit", About: "JUnit XML, for continuous integration", open: newJUnit, Needs: Findings},
		{Name: "prometheus", About: "metrics, for a textfile collector", open: newPrometheus},
		{Name: "github", About: "annotations and step summary of GitHub Actions", open: newGitHub},
	}
}

// FindFormat returns the form of a name.
func FindFormat(name string) (Format, bool) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// stream holds the common part of the forms that write each finding as it
// comes.
type stream struct {
	b   *bufio.Writer
	o   *Options
	src audit.Source
	n   int // findings written
}

func (s *stream) Report(src audit.Source) error {
	s.src = src
	return nil
}

func (s *stream) End(*audit.AccountSummary) error { return nil }

// asOf is the moment the findings of this report are judged for; zero where it
// is not known.
func (s *stream) asOf() time.Time {
	if !s.o.AsOf.IsZero() {
		return s.o.AsOf
	}
	return s.src.Generated
}

// when is the moment to date a finding with that must have one.
func (s *stream) when() time.Time {
	if t := s.asOf(); !t.IsZero() {
		return t.UTC()
	}
	return s.o.Now.UTC()
}

// late holds the common part of the forms that are written only from the
// summary.
type late struct {
	b *bufio.Writer
	o *Options
}

func (late) Report(audit.Source) error       { return nil }
func (late) Row(*audit.Row) error            { return nil }
func (late) End(*audit.AccountSummary) error { return nil }

// exception returns the exception of an id.
func (o *Options) exception(id string) *audit.Exception {
	for i := range o.Exceptions {
		if o.Exceptions[i].ID == id {
			return &o.Exceptions[i]
		}
	}
	return nil
}

// generator returns the name and version of the program that found the
// findings.
func (o *Options) generator() string {
	if o.Version == "" {
		return o.Program
	}
	return o.Program + " " + o.Version
}

// called is the account's number with its name, as far as they are known.
func called(src *audit.Source) string {
	id := cmp.Or(src.Account, "unknown account")
	if src.Name != "" && src.Name != id {
		return id + " " + src.Name
	}
	return id
}
