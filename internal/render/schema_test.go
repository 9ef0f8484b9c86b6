package render

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"rollcall/internal/audit"
)

func mustSchema(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/audit/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustParse(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mustBeValid(t *testing.T, schema *jsonschema.Schema, text string) {
	t.Helper()
	if err := schema.Validate(mustParse(t, text)); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// everyStatus returns a run with findings of every status and severity, excused
// and not.
func everyStatus() ([]auditedReport, *audit.Summary, Options) {
	runs, sum, o := aRun()
	base := runs[0].rows[0].Findings[0]
	row := runs[0].rows[0]
	row.Findings = nil
	for status := range audit.NumStatuses {
		for severity := range audit.NumSeverities {
			for _, suppressed := range []bool{false, true} {
				f := base
				f.Status, f.Severity, f.Suppressed, f.Exception = audit.Status(status),
					audit.Severity(severity), suppressed, ""
				if suppressed {
					f.Exception = "EX-1"
				}
				row.Findings = append(row.Findings, f)
			}
		}
	}
	long := base
	long.Reason, long.User = audit.TextReason(strings.Repeat("é so", 2000)), strings.Repeat("ü", 128)
	whole := base
	whole.User, whole.ARN, whole.Line, whole.Class, whole.Credential, whole.Columns = "", "", 0,
		audit.ClassUnknown, audit.Credential{}, nil
	row.Findings = append(row.Findings, long, whole)
	runs[0].rows = append(runs[0].rows, row)
	return runs, sum, o
}

func TestSARIFSchema(t *testing.T) {
	schema := mustSchema(t, "sarif-2.1.0.schema.json")
	runs, sum, o := everyStatus()
	text := mustRenderRun(t, "sarif", o, runs, sum)
	mustBeValid(t, schema, text)
	if schema.Validate(mustParse(t, strings.Replace(text, `"startLine":2`, `"startLine":0`, 1))) == nil {
		t.Error("the schema takes line 0")
	}
	// Only the kind fail has a level other than none.
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID              string
				RuleIndex           int
				Kind, Level         string
				PartialFingerprints map[string]string
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	for _, r := range log.Runs[0].Results {
		if r.Kind != "fail" && r.Level != "none" {
			t.Errorf("kind %s has level %s", r.Kind, r.Level)
		}
		if rule := log.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID; rule != r.RuleID {
			t.Errorf("rule %s is at the index of %s", r.RuleID, rule)
		}
		if len(r.PartialFingerprints["rollcallFinding/v1"]) != 32 {
			t.Errorf("fingerprints %v", r.PartialFingerprints)
		}
	}
}

func TestSARIFOfNothing(t *testing.T) {
	_, sum, o := aRun()
	sum.Accounts = nil
	text := mustRenderRun(t, "sarif", o, nil, sum)
	mustBeValid(t, mustSchema(t, "sarif-2.1.0.schema.json"), text)
	if !strings.Contains(text, `"executionSuccessful":false`) {
		t.Error("an audit of nothing looks clean")
	}
}

func TestSARIFPlace(t *testing.T) {
	for path, want := range map[string]sarifURI{
		"":                        {"credential-report-1.csv", "%SRCROOT%"},
		"reports/1/x.csv":         {"reports/1/x.csv", "%SRCROOT%"},
		"a b/ü%#?.csv":            {"a%20b/%C3%BC%25%23%3F.csv", "%SRCROOT%"},
		"2026-11-23T10:15:00.csv": {"./2026-11-23T10:15:00.csv", "%SRCROOT%"},
		"/tmp/a b.csv":            {"file:///tmp/a%20b.csv", ""},
	} {
		if got := artifact(&audit.Source{Path: path}, "1"); got != want {
			t.Errorf("%q: got %v, want %v", path, got, want)
		}
	}
}

func TestOCSFSchema(t *testing.T) {
	schema := mustSchema(t, "ocsf-1.6.0.schema.json")
	for _, version := range []string{"", OCSF180} {
		runs, sum, o := everyStatus()
		o.OCSF = version
		text := mustRenderRun(t, "ocsf", o, runs, sum)
		n := 0
		for line := range strings.Lines(text) {
			n++
			mustBeValid(t, schema, line)
			want := `"version":"` + DefaultOCSF + `"`
			if version != "" {
				want = `"version":"` + version + `"`
			}
			if !strings.Contains(line, want) {
				t.Errorf("not %s: %s", want, line)
			}
		}
		if n < 2*audit.NumStatuses*audit.NumSeverities {
			t.Errorf("%d events", n)
		}
		first, _, _ := strings.Cut(text, "\n")
		seconds := strings.Replace(first, `"time":1795428900000`, `"time":1795428900`, 1)
		if first == seconds || schema.Validate(mustParse(t, seconds)) == nil {
			t.Error("the schema takes seconds")
		}
	}
}

func TestASFFSchema(t *testing.T) {
	schema := mustSchema(t, "asff.schema.json")
	runs, sum, o := everyStatus()
	mustBeValid(t, schema, mustRenderRun(t, "asff", o, runs, sum))
	mustBeValid(t, schema, mustRenderRun(t, "asff", o, nil, sum))
}

func TestJUnitCounts(t *testing.T) {
	runs, sum, o := aRun()
	var all junitSuites
	if err := xml.Unmarshal([]byte(mustRenderRun(t, "junit", o, runs, sum)), &all); err != nil {
		t.Fatal(err)
	}
	var whole junitSuites
	for _, s := range all.Suites {
		var of junitSuite
		for _, c := range s.Cases {
			of.add(c)
		}
		if of.Tests != s.Tests || of.Failures != s.Failures || of.Errors != s.Errors || of.Skipped != s.Skipped {
			t.Errorf("%s: counts %+v, cases %+v", s.Name, s, of)
		}
		whole.Tests, whole.Failures, whole.Errors, whole.Skipped = whole.Tests+s.Tests, whole.Failures+
			s.Failures, whole.Errors+s.Errors, whole.Skipped+s.Skipped
	}
	if whole.Tests != all.Tests || whole.Failures != all.Failures || whole.Errors != all.Errors ||
		whole.Skipped != all.Skipped || all.Tests == 0 {
		t.Errorf("counts %+v, suites %+v", all, whole)
	}
	if len(all.Suites) != 3 || all.Suites[2].Errors == 0 {
		t.Error("an account without a report is not an error")
	}
}

func TestPrometheusLint(t *testing.T) {
	runs, sum, o := aRun()
	sum.Accounts = append(sum.Accounts, sum.Accounts[0]) // two reports of an account in one run
	text := mustRenderRun(t, "prometheus", o, runs, sum)
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Error(err, problems)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		series, _, _ := strings.Cut(line, "} ")
		if !strings.HasPrefix(line, "#") && seen[series] {
			t.Errorf("twice: %s", series)
		}
		seen[series] = true
	}
}

func TestCSVIsInert(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(mustRender(t, "csv", optionsOf()))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.ContainsAny(strings.TrimLeft(cell, " ")+" ", "\t\r\n") || cell != "" &&
				strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("%q", cell)
			}
		}
	}
}

func optionsOf() Options {
	_, _, o := aRun()
	return o
}

// TestNothingActs looks for bytes that affect a terminal, in every form.
func TestNothingActs(t *testing.T) {
	for _, f := range Formats() {
		form := f.Name
		if form == "html" {
			continue
		}
		text := mustRender(t, form, optionsOf())
		if !strings.Contains(text, "HYPERLINK") && form != "prometheus" {
			t.Errorf("%s: the hostile name is not in it", form)
		}
		for _, r := range text {
			if r != '\n' && !strconv.IsGraphic(r) || r == utf8.RuneError {
				t.Errorf("%s: %q", form, r)
			}
		}
		if form == "github" && strings.Contains(text, "\n::stop") {
			t.Error("a name became a command")
		}
	}
}

// TestJSONKeepsNames checks that unescaped JSON contains the original
// characters.
func TestJSONKeepsNames(t *testing.T) {
	found := false
	for line := range strings.Lines(mustRender(t, "jsonl", optionsOf())) {
		var f struct{ User string }
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		found = found || f.User == hostile
	}
	if !found {
		t.Error("the name did not come through")
	}
}

func TestQuery(t *testing.T) {
	for expression, want := range map[string]string{
		"complete":                    "false\n",
		"counts.fail":                 "3\n",
		"findings[0].user":            "\"<root_account>\"\n",
		"length(accounts[?missing])":  "1\n",
		"accounts[].statistics.users": "[\n    5,\n    1\n]\n",
		"nothing":                     "null\n",
	} {
		o := optionsOf()
		o.Query = expression
		if got := mustRender(t, "json", o); got != want {
			t.Errorf("%s: got %q, want %q", expression, got, want)
		}
		if err := CheckQuery(expression); err != nil {
			t.Error(err)
		}
	}
	if CheckQuery("findings[") == nil {
		t.Error("no error for half an expression")
	}
}

// failing is a writer that always fails.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// TestErrors checks that every form returns the writer's error.
func TestErrors(t *testing.T) {
	for _, f := range Formats() {
		form := f.Name
		if form == "html" {
			continue
		}
		runs, sum, o := aRun()
		out := f.Open(failing{}, o)
		var err error
		for _, r := range runs {
			for i := 0; i < 500 && err == nil; i++ {
				err = out.Report(r.src)
				for j := 0; j < len(r.rows) && err == nil; j++ {
					err = out.Row(&r.rows[j])
				}
			}
			if err == nil {
				err = out.End(r.out)
			}
		}
		if err == nil {
			err = out.Close(sum)
		}
		if err == nil {
			t.Errorf("%s: no error", form)
		}
	}
	if _, ok := FindFormat("pdf"); ok {
		t.Error("there is a form pdf")
	}
}

// TestConstantMemory checks that findings are not kept after they are written.
func TestConstantMemory(t *testing.T) {
	for _, f := range Formats() {
		form := f.Name
		if form == "html" {
			continue
		}
		runs, sum, o := aRun()
		out := f.Open(io.Discard, o)
		if err := out.Report(runs[0].src); err != nil {
			t.Fatal(err)
		}
		grown := func(n int) uint64 {
			for range n {
				if err := out.Row(&runs[0].rows[1]); err != nil {
					t.Fatal(err)
				}
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before := grown(500)
		after := grown(5000)
		if after > before+300_000 {
			t.Errorf("%s: 15000 findings left %d bytes", form, after-before)
		}
		if err := out.End(runs[0].out); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(sum); err != nil {
			t.Fatal(err)
		}
	}
}
