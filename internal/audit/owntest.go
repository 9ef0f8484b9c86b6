package audit

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"rollcall/report"
)

// OwnTest is a test in a configuration: rows of a report, and the expected
// verdicts of a custom control.
type OwnTest struct {
	Name string `yaml:"name"`
	// Row is short for Rows with one row. Cells are given by column. The others
	// have the values of a user without any credential.
	Row  map[string]string   `yaml:"row"`
	Rows []map[string]string `yaml:"rows"`
	// Tags are the tags of the user of the only row; nil means that they are
	// unknown.
	Tags map[string]string `yaml:"tags"`
	// Generated is the time of the report, 2026-01-01 by default.
	Generated time.Time `yaml:"generated"`
	// Verdict is short for Verdicts with one verdict.
	Verdict  string   `yaml:"verdict"`
	Verdicts []string `yaml:"verdicts"`
	// Message is the expected reason of the last verdict, if it is given.
	Message string `yaml:"message"`

	line int
}

// UnmarshalYAML also stores the line, and returns an error for unknown keys.
func (t *OwnTest) UnmarshalYAML(node *yaml.Node) error {
	type plain OwnTest
	err := decodeKnown(node, (*plain)(t))
	t.line = node.Line
	return err
}

// OwnResult is the result of an OwnTest.
type OwnResult struct {
	Control ControlID
	Test    string
	// Wrong describes the difference to the expectation, "" for none.
	Wrong string
}

// TestControls runs the tests of the controls of a configuration. untested are
// the controls without tests.
func (c *Config) TestControls(ctx context.Context) (results []OwnResult, untested []ControlID, err error) {
	for _, r := range c.own {
		if len(r.tests) == 0 {
			untested = append(untested, r.control.ID)
		}
		for i := range r.tests {
			wrong, err := r.tests[i].run(ctx, c, r.control.ID)
			if err != nil {
				return nil, nil, fmt.Errorf("line %d: control %s: test %q: %w", r.tests[i].line, r.control.ID,
					r.tests[i].Name, err)
			}
			results = append(results, OwnResult{r.control.ID, r.tests[i].Name, wrong})
		}
	}
	return results, untested, nil
}

// OwnControls returns the controls of the configuration.
func (c *Config) OwnControls() []*Control {
	var all []*Control
	for _, r := range c.own {
		all = append(all, &r.control)
	}
	return all
}

// run judges the rows by one control.
func (t *OwnTest) run(ctx context.Context, c *Config, id ControlID) (wrong string, err error) {
	rows, want := t.Rows, t.Verdicts
	if t.Row != nil {
		rows = append(slices.Clone(rows), t.Row)
	}
	if t.Verdict != "" {
		want = append(slices.Clone(want), t.Verdict)
	}
	if len(rows) == 0 || len(want) == 0 {
		return "", errors.New("it needs row or rows, and verdict or verdicts")
	}
	generated := t.Generated
	if generated.IsZero() {
		generated = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	text, err := testReport(rows, generated)
	if err != nil {
		return "", err
	}
	b, _ := FindBenchmark(DefaultBenchmark)
	a, err := New(Options{Benchmark: b.With(c), Controls: []ControlID{id}, Classes: c.Classes, Statuses: AllStatuses})
	if err != nil {
		return "", err
	}
	var got []string
	var said string
	src := Source{Generated: generated, Fetched: generated}
	_, err = a.Audit(ctx, bytes.NewReader(text), src, t.facts(rows, generated),
		func(row *Row) error {
			for i := range row.Findings {
				got, said = append(got, row.Findings[i].Status.String()), row.Findings[i].Reason.String()
			}
			return nil
		})
	switch {
	case err != nil:
		return "", err
	case !slices.Equal(got, want):
		return fmt.Sprintf("the verdicts are %s, and must be %s; the last reason: %s", strings.Join(got, ", "),
			strings.Join(want, ", "), said), nil
	case t.Message != "" && t.Message != said:
		return fmt.Sprintf("the reason is %q, and must be %q", said, t.Message), nil
	}
	return "", nil
}

// testUserCreated is the default age of users in tests.
const testUserCreated = 400 * 24 * time.Hour

func (t *OwnTest) facts(rows []map[string]string, generated time.Time) *Enrichment {
	if t.Tags == nil {
		return nil
	}
	created, err := time.Parse(time.RFC3339, rows[0]["user_creation_time"])
	if err != nil {
		created = generated.Add(-testUserCreated)
	}
	return &Enrichment{Users: map[string]UserFacts{
		testUser(rows[0]): {Created: created, Tags: t.Tags},
	}}
}

// testReport returns a report with the rows. Missing cells have the values that
// AWS writes for users without credentials.
func testReport(rows []map[string]string, generated time.Time) ([]byte, error) {
	names := report.Columns22.Names()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(names); err != nil {
		return nil, err
	}
	for _, row := range rows {
		for name := range row {
			if !slices.Contains(names, name) {
				return nil, fmt.Errorf("no column of the report is called %q", name)
			}
		}
		cells := make([]string, len(names))
		for i, name := range names {
			cell, given := row[name]
			if !given {
				cell = testCell(name, testUser(row), generated)
			}
			cells[i] = cell
		}
		if err := w.Write(cells); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// testUser returns the name of the user in a row.
func testUser(row map[string]string) string {
	if name, given := row["user"]; given {
		return name
	}
	return "user"
}

func testCell(column, user string, generated time.Time) string {
	switch {
	case column == "user":
		return user
	case column == "arn" && user == report.RootUser:
		return "arn:aws:iam::123456789012:root"
	case column == "arn":
		return "arn:aws:iam::123456789012:user/" + user
	case column == "user_creation_time":
		return generated.Add(-testUserCreated).Format(time.RFC3339)
	case strings.HasSuffix(column, "_active"), column == "password_enabled":
		return "false"
	}
	return "N/A"
}
