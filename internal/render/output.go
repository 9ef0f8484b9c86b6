package render

import (
	"bufio"
	"cmp"
	"io"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/html"
)

// Output writes an audit in one form. It receives the reports in turn: Report,
// then Row for each row that the audit visits, then End. An account without a
// report is treated the same way. Close is called once at the end and also
// flushes. After an error an Output must not be used any more.
type Output interface {
	// Report begins the next report.
	Report(src audit.Source) error
	// Row writes the findings of a row. It keeps no reference to the row.
	Row(row *audit.Row) error
	// End ends the report with its result.
	End(a *audit.AccountSummary) error
	// Close writes the result of the run.
	Close(s *audit.Summary) error
}

// Options control the form and the content of outputs.
type Options struct {
	Program string // name of the program, such as rollcall
	Version string
	// Now is the time of the run.
	Now time.Time
	// AsOf is the requested time to judge for; zero means the time of each
	// report.
	AsOf      time.Time
	Benchmark *audit.Benchmark
	// Exceptions are the exceptions of the audit. Findings name them by id.
	Exceptions []audit.Exception
	// Skipped are accounts that nobody expects a report of.
	Skipped []Skipped
	// Organizations are the ids of the accounts' organizations, where known.
	Organizations []string
	// Histories are the known earlier reports, for the HTML page.
	Histories []html.History

	// Width is the width of the terminal in columns; 0 means that everything is
	// shown.
	Width  int
	Colour bool
	// Query is a JMESPath expression that selects a part of the JSON.
	Query string
	// OCSF is the version of the OCSF schema, "" for DefaultOCSF.
	OCSF string
	// Region is the region of the Security Hub for ASFF; "" means the first of
	// the partition.
	Region string
	// StepSummary receives the step summary of a GitHub workflow; nil for none.
	StepSummary io.Writer
}

// Skipped is an account that need not be audited.
type Skipped struct {
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	Status  string `json:"status"` // such as suspended
}

// Format is a form that is one stream of bytes. A folder is not one: see
// package lake.
type Format struct {
	Name  string
	About string // in a few words
	Needs Needs
	open  func(w *bufio.Writer, o *Options) Output
}

// Needs says which data a form needs.
type Needs int

// The needs of a form. Each includes the previous one.
const (
	Summary  Needs = iota // only the summary: the audit need not visit any rows
	Findings              // the findings of each row
	EveryRow              // all rows, which audit.Options.EveryRow visits
)

// Open returns an Output of the form, which writes to w.
func (f Format) Open(w io.Writer, o Options) Output {
	return f.open(bufio.NewWriterSize(w, 64<<10), &o)
}

// Formats returns all forms in the order for lists.
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

// FindFormat returns the form with a name.
func FindFormat(name string) (Format, bool) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// stream is the common part of the forms that write each finding as it comes.
type stream struct {
	b   *bufio.Writer
	o   *Options
	src audit.Source
	n   int // number of findings
}

func (s *stream) Report(src audit.Source) error {
	s.src = src
	return nil
}

func (s *stream) End(*audit.AccountSummary) error { return nil }

// asOf returns the time for which the findings of this report are judged, zero
// if it is unknown.
func (s *stream) asOf() time.Time {
	if !s.o.AsOf.IsZero() {
		return s.o.AsOf
	}
	return s.src.Generated
}

// when returns a time for a finding that must have one.
func (s *stream) when() time.Time {
	if t := s.asOf(); !t.IsZero() {
		return t.UTC()
	}
	return s.o.Now.UTC()
}

// late is the common part of the forms that are written from the summary at the
// end.
type late struct {
	b *bufio.Writer
	o *Options
}

func (late) Report(audit.Source) error       { return nil }
func (late) Row(*audit.Row) error            { return nil }
func (late) End(*audit.AccountSummary) error { return nil }

// exception returns the exception with an id.
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

// called returns the account's number with its name, as far as they are known.
func called(src *audit.Source) string {
	id := cmp.Or(src.Account, "unknown account")
	if src.Name != "" && src.Name != id {
		return id + " " + src.Name
	}
	return id
}
