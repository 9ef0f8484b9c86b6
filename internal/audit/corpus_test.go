package audit_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"rollcall/internal/audit"
)

// update writes docs/verdicts.md and the reasons in the corpus. It never
// changes a status in the corpus, because the statuses test the engine.
var update = flag.Bool("update", false, "write docs/verdicts.md and the reasons of the corpus")

// corpusCase is a file of testdata/corpus. The README there describes its form.
type corpusCase struct {
	name     string
	title    string
	about    string
	bugs     []string
	settings map[string]string
	archive  *txtar.Archive
}

func readCorpus(t testing.TB) []*corpusCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("corpus: %d files, %v", len(paths), err)
	}
	var cases []*corpusCase
	for _, path := range paths {
		cases = append(cases, readCase(t, path))
	}
	return cases
}

func readCase(t testing.TB, path string) *corpusCase {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &corpusCase{
		name: strings.TrimSuffix(filepath.Base(path), ".txtar"), archive: archive, settings: map[string]string{},
	}
	var about []string
	title, rest, _ := strings.Cut(string(archive.Comment), "\n")
	c.title = title
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, ": ")
		switch {
		case ok && slices.Contains(corpusSettings, key):
			c.settings[key] = value
		case line != "":
			about = append(about, line)
		}
	}
	c.about = strings.Join(about, " ")
	if bugs := c.settings["bugs"]; bugs != "" {
		c.bugs = strings.Fields(bugs)
	}
	return c
}

var corpusSettings = []string{
	"bugs", "benchmark", "controls", "generated", "as-of", "fetched", "now", "source",
	"account", "partition", "missing",
}

func (c *corpusCase) section(name string) (string, bool) {
	for _, f := range c.archive.Files {
		if f.Name == name {
			return string(f.Data), true
		}
	}
	return "", false
}

func (c *corpusCase) moment(t *testing.T, setting string) time.Time {
	t.Helper()
	text := c.settings[setting]
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// report returns the CSV: unchanged, or decoded from quoted strings if it
// contains bytes that a text file should not have.
func (c *corpusCase) report(t *testing.T) io.Reader {
	t.Helper()
	if text, ok := c.section("report.csv"); ok {
		return strings.NewReader(strings.TrimSuffix(text, "\n")) // AWS sends no line end at the end
	}
	text, _ := c.section("report.quoted")
	var b strings.Builder
	for line := range strings.Lines(text) {
		s, err := strconv.Unquote(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		b.WriteString(s)
	}
	return strings.NewReader(b.String())
}

// options returns the options of a case.
func (c *corpusCase) options(t *testing.T) audit.Options {
	t.Helper()
	o := audit.Options{Statuses: audit.AllStatuses, AsOf: c.moment(t, "as-of"), Now: c.moment(t, "now")}
	profile := audit.Standard(c.settings["benchmark"])
	if text, ok := c.section("config.yaml"); ok {
		config, err := audit.ReadConfig(strings.NewReader(text), false)
		if err != nil {
			t.Fatal(err)
		}
		if config.Profile != "" {
			profile = config.Profile
		}
		o.Benchmark = mustBenchmark(t, profile)
		params, err := config.Params(o.Benchmark)
		if err != nil {
			t.Fatal(err)
		}
		o.Params, o.Classes, o.Exceptions = &params, config.Classes, config.Exceptions
	}
	o.Benchmark = mustBenchmark(t, profile)
	for _, id := range strings.Fields(c.settings["controls"]) {
		o.Controls = append(o.Controls, audit.ControlID(id))
	}
	return o
}

func mustBenchmark(t testing.TB, id audit.Standard) *audit.Benchmark {
	t.Helper()
	b, ok := audit.FindBenchmark(id)
	if !ok {
		t.Fatalf("there is no benchmark %q", id)
	}
	return b
}

// run audits the report of a case.
func (c *corpusCase) run(t *testing.T) ([]audit.Finding, *audit.Summary) {
	t.Helper()
	a, err := audit.New(c.options(t))
	if err != nil {
		t.Fatal(err)
	}
	var facts *audit.Enrichment
	if text, ok := c.section("enrichment.json"); ok {
		facts = new(audit.Enrichment)
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(facts); err != nil {
			t.Fatal(err)
		}
	}
	src := audit.Source{
		Account: c.settings["account"], Partition: c.settings["partition"], Origin: c.settings["source"],
		Generated: c.moment(t, "generated"), Fetched: c.moment(t, "fetched"), Path: "report.csv",
	}
	var findings []audit.Finding
	visit := func(row *audit.Row) error {
		findings = append(findings, row.Findings...)
		return nil
	}
	if why := c.settings["missing"]; why != "" {
		_, err = a.Missing(src, why, visit)
	} else {
		_, err = a.Audit(context.Background(), c.report(t), src, facts, visit)
	}
	if err != nil {
		t.Fatal(err)
	}
	return findings, a.Summary()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// key returns the beginning of a verdict line: control, user, credential,
// status. For an excused finding, "(excused by ID)" follows the status.
func key(f *audit.Finding) string {
	status := f.Status.String()
	if f.Suppressed {
		status += " (excused by " + f.Exception + ")"
	}
	return fmt.Sprintf("%s %s %s %s", f.Control.ID, orDash(f.User), orDash(f.Credential.ID()), status)
}

// lines returns the lines of a section, with single blanks.
func (c *corpusCase) lines(section string) []string {
	text, _ := c.section(section)
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestCorpus(t *testing.T) {
	for _, c := range readCorpus(t) {
		t.Run(c.name, func(t *testing.T) {
			findings, summary := c.run(t)
			if *update {
				c.update(t, findings)
			}
			var got []string
			for i := range findings {
				got = append(got, key(&findings[i])+" "+findings[i].Reason.String())
			}
			want := c.lines("verdicts")
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("verdicts, -want +got:\n%s", diff)
			}
			c.checkMore(t, findings, summary)
		})
	}
}

// checkMore checks the sections that only some cases have.
func (c *corpusCase) checkMore(t *testing.T, findings []audit.Finding, summary *audit.Summary) {
	t.Helper()
	for section, describe := range map[string]func(f *audit.Finding) string{
		"lines":   func(f *audit.Finding) string { return strconv.Itoa(f.Line) },
		"columns": func(f *audit.Finding) string { return strings.Join(f.ColumnNames(), " ") },
		"key ids": func(f *audit.Finding) string {
			return strings.TrimSpace(strings.Join(f.KeyIDs, " ") + " " + f.Note)
		},
	} {
		if _, ok := c.section(section); !ok {
			continue
		}
		var got []string
		for i := range findings {
			if text := describe(&findings[i]); text != "" {
				got = append(got, key(&findings[i])+" "+text)
			}
		}
		if diff := cmp.Diff(c.lines(section), got); diff != "" {
			t.Errorf("%s, -want +got:\n%s", section, diff)
		}
	}
	for _, line := range c.lines("requirements") {
		words := strings.Fields(line)
		control, _ := audit.FindControl(words[0])
		if diff := cmp.Diff(words[2:], control.RequirementIDs(audit.Standard(words[1]))); diff != "" {
			t.Errorf("requirements of %s in %s, -want +got:\n%s", words[0], words[1], diff)
		}
	}
	if want := c.lines("exceptions"); len(want) > 0 {
		var got []string
		for _, use := range summary.Exceptions {
			got = append(got, fmt.Sprintf("%s %s %d", use.Exception.ID, use.State, use.Matched))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("exceptions, -want +got:\n%s", diff)
		}
	}
	if want := c.lines("exit"); len(want) > 0 {
		got := strconv.Itoa(audit.ExitCode(summary, audit.ExitPolicy{FailOn: audit.High}))
		if diff := cmp.Diff(want, []string{got}); diff != "" {
			t.Errorf("exit code, -want +got:\n%s", diff)
		}
	}
}

// update writes the reasons into the verdicts of a case, each after the line
// with its status. If a status differs it changes nothing.
func (c *corpusCase) update(t *testing.T, findings []audit.Finding) {
	t.Helper()
	var statuses, lines, old []string
	for i := range findings {
		statuses = append(statuses, key(&findings[i]))
		lines = append(lines, key(&findings[i])+" "+findings[i].Reason.String())
	}
	for _, line := range c.lines("verdicts") {
		old = append(old, statusOf(line))
	}
	want := slices.Clone(statuses)
	slices.Sort(old)
	slices.Sort(want)
	if diff := cmp.Diff(old, want); diff != "" {
		t.Fatalf("not updated: the statuses differ, -want +got:\n%s", diff)
	}
	for i := range c.archive.Files {
		if c.archive.Files[i].Name == "verdicts" {
			c.archive.Files[i].Data = []byte(strings.Join(lines, "\n") + "\n")
		}
	}
	if err := os.WriteFile("testdata/corpus/"+c.name+".txtar", txtar.Format(c.archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// statusOf removes the reason from a verdict line.
func statusOf(line string) string {
	words := strings.SplitN(line, " ", 5)
	if len(words) < 5 {
		return line
	}
	if rest, ok := strings.CutPrefix(words[4], "(excused by "); ok {
		id, _, _ := strings.Cut(rest, ")")
		return strings.Join(words[:4], " ") + " (excused by " + id + ")"
	}
	return strings.Join(words[:4], " ")
}

// TestEveryControlIsInTheCorpus checks that a case judges each control. Package
// diff tests the controls that need two reports.
func TestEveryControlIsInTheCorpus(t *testing.T) {
	judged := map[string]bool{}
	for _, c := range readCorpus(t) {
		text, _ := c.section("verdicts")
		for line := range strings.Lines(text) {
			id, _, _ := strings.Cut(line, " ")
			judged[id] = true
		}
	}
	for _, c := range audit.Controls() {
		if !judged[string(c.ID)] && c.Subject != audit.SubjectChange {
			t.Errorf("no case has a verdict of %s", c.ID)
		}
	}
}
