package render

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"rollcall/internal/audit"
)

const smallReport = `user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,` +
	`password_next_rotation,mfa_active
<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00Z,true,2025-01-01T00:00:00Z,2020-01-01T00:00:00Z,not_supported,true
Bob,arn:aws:iam::111122223333:user/Bob,2026-01-01T00:00:00Z,true,2026-11-20T10:15:00Z,2026-10-01T00:00:00Z,N/A,false
`

// everyFormat writes the audit of smallReport by some controls in every form.
func everyFormat(t *testing.T, o audit.Options, check func(t *testing.T, text string)) {
	t.Helper()
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			o := o
			o.EveryRow = f.Needs == EveryRow
			auditor, err := audit.New(o)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			benchmark := auditor.Summary().Benchmark
			out := f.Open(&b, Options{Program: "rollcall", Now: generated, Benchmark: benchmark, StepSummary: &b})
			src := audit.Source{Generated: generated, Fetched: generated}
			if err := out.Report(src); err != nil {
				t.Fatal(err)
			}
			of, err := auditor.Audit(t.Context(), strings.NewReader(smallReport), src, nil, out.Row)
			if err != nil {
				t.Fatal(err)
			}
			if err := out.End(of); err != nil {
				t.Fatal(err)
			}
			if err := out.Close(auditor.Summary()); err != nil {
				t.Fatal(err)
			}
			check(t, b.String())
		})
	}
}

// Every form contains the benchmark's name of a control.
func TestItems(t *testing.T) {
	everyFormat(t, audit.Options{Controls: []audit.ControlID{audit.ConsoleMFA}}, func(t *testing.T, text string) {
		c, _ := audit.FindControl(string(audit.ConsoleMFA))
		for _, want := range append(c.RequirementIDs(audit.DefaultBenchmark), c.Title) {
			if !strings.Contains(text, want) {
				t.Errorf("there is no %q:\n%s", want, text)
			}
		}
	})
}

// Security Hub refuses findings without the number of an account.
func TestASFFNeedsAccount(t *testing.T) {
	auditor, err := audit.New(audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	benchmark := auditor.Summary().Benchmark
	f, _ := FindFormat("asff")
	out := f.Open(&b, Options{Now: generated, Benchmark: benchmark})
	for _, account := range []string{"", "123456789012", ""} {
		src := audit.Source{Account: account, Name: "a.csv"}
		if _, err := auditor.Missing(src, "it is damaged", out.Row); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(auditor.Summary()); err != nil {
		t.Fatal(err)
	}
	var found []struct{ AwsAccountId string }
	if err := json.Unmarshal(b.Bytes(), &found); err != nil || len(found) != len(benchmark.Controls) {
		t.Errorf("%d findings, %v:\n%s", len(found), err, b.String())
	}
}

// A finding that a person must judge is never critical, however severe the
// control.
func TestManualIsNoAlarm(t *testing.T) {
	c, _ := audit.FindControl(string(audit.RootHardwareMFA))
	if c.Severity != audit.Critical {
		t.Fatalf("the control is %v", c.Severity)
	}
	everyFormat(t, audit.Options{Controls: []audit.ControlID{c.ID}}, func(t *testing.T, text string) {
		// Texts about controls, and not about findings, come before and after.
		for _, part := range []struct{ from, to string }{{`"results":[`, `"artifacts"`}, {`"findings": [`, "]\n}"},
			{`"rows"`, "</script>"}} {
			if _, after, ok := strings.Cut(text, part.from); ok {
				text, _, _ = strings.Cut(after, part.to)
			}
		}
		for line := range strings.Lines(text) {
			if strings.Contains(strings.ToLower(line), "critical") && strings.Contains(line, "MANUAL") &&
				!strings.HasPrefix(line, "critical ") {
				t.Errorf("%s", line)
			}
		}
		if strings.Contains(text, `"ruleId":"C3",`) {
			t.Errorf("the result is under the rule of failures: %s", text)
		}
	})
}
