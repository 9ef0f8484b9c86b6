package render

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/words"
)

// junitLines is the maximum number of findings in the text of a case.
const junitLines = 100

// junit writes a suite for each account with a case for each control, in the
// form that most continuous integration systems read.
type junit struct {
	stream
	all   junitSuites
	lines map[audit.ControlID][]string // for the current report
}

func newJUnit(b *bufio.Writer, o *Options) Output {
	return &junit{stream: stream{b: b, o: o}, all: junitSuites{Name: o.Program + " " + string(o.Benchmark.ID)}}
}

type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string          `xml:"name,attr"`
		Tests     int             `xml:"tests,attr"`
		Failures  int             `xml:"failures,attr"`
		Errors    int             `xml:"errors,attr"`
		Skipped   int             `xml:"skipped,attr"`
		Timestamp string          `xml:"timestamp,attr,omitempty"`
		Props     []junitProperty `xml:"properties>property"`
		Cases     []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitOutcome `xml:"failure"`
		Error   *junitOutcome `xml:"error"`
		Skipped *junitOutcome `xml:"skipped"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitOutcome struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

func (j *junit) Report(src audit.Source) error {
	j.lines = map[audit.ControlID][]string{}
	return j.stream.Report(src)
}

func (j *junit) Row(row *audit.Row) error {
	for i := range row.Findings {
		f := &row.Findings[i]
		if f.Status == audit.Pass || f.Status == audit.NotApplicable {
			continue
		}
		if lines := j.lines[f.Control.ID]; len(lines) < junitLines {
			j.lines[f.Control.ID] = append(lines, j.text(f))
		}
	}
	return nil
}

// text returns a finding as a line in the text of a case.
func (j *junit) text(f *audit.Finding) string {
	said := f.Status.String()
	if f.Suppressed {
		said += " (excused by " + f.Exception + ")"
	}
	if f.Line > 0 && j.src.Path != "" {
		said += fmt.Sprintf(" %s:%d", j.src.Path, f.Line)
	}
	return escape.Printable(said + " " + subject(f) + ": " + why(f))
}

func (j *junit) End(a *audit.AccountSummary) error {
	suite := junitSuite{
		Name: escape.Printable(called(&a.Source)), Timestamp: strings.TrimSuffix(words.Time(a.AsOf),
			"Z"), // the schema of JUnit has no zone
		Props: []junitProperty{{"benchmark", string(j.o.Benchmark.ID)}},
	}
	for _, p := range []junitProperty{{"report", a.Source.Path}, {"sha256", a.Source.SHA256},
		{"generated_at", words.Time(a.Source.Generated)}, {"as_of", words.Time(a.AsOf)}} {
		if p.Value != "" {
			suite.Props = append(suite.Props, junitProperty{p.Name, escape.Printable(p.Value)})
		}
	}
	for i := range a.Counts.Controls {
		suite.add(j.outcome(&a.Counts.Controls[i], a))
	}
	if len(a.Problems) > 0 {
		var text []string
		for _, p := range a.Problems {
			text = append(text, escape.Printable(where(a, p)+p.Text))
		}
		suite.add(junitCase{Class: suite.Name, Name: "the report can be read", Error: &junitOutcome{
			Message: words.Count(a.ProblemCount, "problem"), Type: audit.NoData.String(),
			Text: strings.Join(text, "\n"),
		}})
	}
	j.all.Suites = append(j.all.Suites, suite)
	j.all.Tests += suite.Tests
	j.all.Failures += suite.Failures
	j.all.Errors += suite.Errors
	j.all.Skipped += suite.Skipped
	return nil
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// outcome returns the case of a control: failed if anything fails, an error if
// anything could not be judged, skipped if a program had nothing to judge.
func (j *junit) outcome(n *audit.ControlCounts, a *audit.AccountSummary) junitCase {
	c := junitCase{Class: escape.Printable(called(&a.Source)), Name: named(n.Control, j.o.Benchmark)}
	lines := j.lines[n.Control.ID]
	found := n.Suppressed
	for _, status := range shownStatuses {
		found += n.Statuses[status]
	}
	text := strings.Join(lines, "\n")
	if more := found - len(lines); more > 0 && len(lines) == junitLines {
		text += fmt.Sprintf("\n… and %d more", more)
	}
	severity := j.o.Benchmark.Severity(n.Control).String()
	switch {
	case n.Statuses[audit.Fail] > 0:
		c.Failure = &junitOutcome{fmt.Sprintf("%s, %s", words.Count(n.Statuses[audit.Fail], "failure"), severity),
			audit.Fail.String(), text}
	case n.Statuses[audit.NoData] > 0:
		c.Error = &junitOutcome{fmt.Sprintf("%d could not be judged", n.Statuses[audit.NoData]),
			audit.NoData.String(), text}
	case n.Statuses[audit.Manual] > 0:
		c.Skipped = &junitOutcome{Message: "a person must judge it", Text: text}
	case n.Statuses[audit.Pass]+n.Statuses[audit.Warn] == 0 && n.Suppressed > 0:
		c.Skipped = &junitOutcome{Message: words.Count(n.Suppressed, "finding") + verb(n.Suppressed) + " excused",
			Text: text}
	case n.Statuses[audit.Pass]+n.Statuses[audit.Warn] == 0:
		c.Skipped = &junitOutcome{Message: "not applicable"}
	default:
		c.Out = text
	}
	return c
}

func (j *junit) Close(*audit.Summary) error {
	slices.SortStableFunc(j.all.Suites, func(a, b junitSuite) int { return strings.Compare(a.Name, b.Name) })
	j.b.WriteString(xml.Header)
	e := xml.NewEncoder(j.b)
	e.Indent("", "  ")
	if err := e.Encode(j.all); err != nil {
		return err
	}
	j.b.WriteByte('\n')
	return j.b.Flush()
}
