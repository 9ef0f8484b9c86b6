package render

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/report"
)

// auditedReport is a report with the results of its audit.
type auditedReport struct {
	src  audit.Source
	rows []audit.Row
	out  *audit.AccountSummary
}

// hostile is a name that would affect a spreadsheet, a terminal, Markdown, XML
// and a build log if it were not escaped.
const hostile = "=HYPERLINK(\"http://x\")\x1b[31m\u202e|<b>`::error::\r\n::stop-commands::x,]]>\u009b2J\U000e0041"

var (
	control = func(id audit.ControlID) *audit.Control {
		texts := map[audit.ControlID]audit.Control{
			"C1": {Name: "root-no-active-key", Title: "Root has no active access key", Severity: audit.Critical,
				Remediation: "Delete the keys of root."},
			"C3": {Name: "root-hardware-mfa", Title: "Root has a hardware MFA device", Severity: audit.Critical,
				Remediation: "Give root a hardware device."},
			"C5": {Name: "console-mfa", Title: "Users with a password have MFA", Severity: audit.High,
				Remediation: "Enable MFA."},
			"C7": {Name: "password-unused", Title: "Passwords are used", Severity: audit.Medium,
				Remediation: "Delete the password."},
			"C9": {Name: "key-age", Title: "Access keys are rotated", Severity: audit.Medium,
				Remediation: "Make a new key, then delete this one."},
		}
		c := texts[id]
		c.ID, c.Description = id, "Judges whether "+strings.ToLower(c.Title)+"."
		c.Requirements = []audit.Requirement{{Standard: audit.CIS70, ID: "2." + strings.TrimPrefix(string(id), "C")},
			{Standard: audit.SecurityHub, ID: "IAM." + strings.TrimPrefix(string(id), "C")}}
		return &c
	}
	generated  = time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)
	exceptions = []audit.Exception{
		{ID: "EX-1", Control: "C9", Account: "111122223333", User: "svc-erp", Reason: "the vendor cannot",
			Owner: "erp@example.com", Ticket: "SEC-1", Expires: audit.Date{Year: 2027, Month: 1, Day: 31}},
		{ID: "EX-2", Control: "C7", Account: "111122223333", User: "gone", Reason: "leaves soon",
			Owner: "hr@example.com", Ticket: "HR-2", Expires: audit.Date{Year: 2026, Month: 10, Day: 1}},
	}
)

func at(s string) report.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return report.At(t)
}

func columns(names ...string) []report.Column {
	all := make([]report.Column, len(names))
	for i, name := range names {
		all[i], _ = report.FindColumn(name)
	}
	return all
}

// aRun returns a run over three accounts: one with findings of every kind, one
// without findings, and one without a report.
func aRun() ([]auditedReport, *audit.Summary, Options) {
	benchmark := &audit.Benchmark{ID: audit.CIS70, Title: "CIS Amazon Web Services Foundations Benchmark",
		Version: "7.0", Controls: []audit.ControlID{"C1", "C3", "C5", "C7", "C9"}}
	const account, partition = "111122223333", "aws"
	user := func(id audit.ControlID, status audit.Status, name string, line int, reason string) audit.Finding {
		c := control(id)
		return audit.Finding{
			Control: c, Status: status, Severity: c.Severity, Account: account,
			Partition: partition, User: name, Line: line,
			Reason: audit.TextReason(reason),
			ARN:    "arn:aws:iam::" + account + ":user/" + name, UserCreated: at("2024-03-01T08:00:00Z"),
			Class: audit.ClassHuman,
			Since: report.None(report.NotApplicable),
		}
	}
	root := user("C1", audit.Fail, report.RootUser, 2, "Key 1 of root is active.")
	root.ARN, root.Class, root.Columns = "arn:aws:iam::"+account+":root", audit.ClassRoot,
		columns("access_key_1_active")
	root.Credential = audit.Credential{Kind: audit.AccessKey, Slot: 1, Created: at("2020-01-01T00:00:00Z")}
	manual := root
	manual.Control, manual.Status, manual.Credential, manual.Columns, manual.Reason = control("C3"), audit.Manual,
		audit.Credential{}, columns("mfa_active"),
		audit.TextReason("The report does not tell hardware from virtual MFA.")
	manual.Severity = audit.Info
	aged := func(f audit.Finding, slot int, made string, days int) audit.Finding {
		f.Credential, f.Since, f.Age, f.Limit = audit.Credential{Kind: audit.AccessKey, Slot: slot, Created: at(made)},
			at(made), time.Duration(days)*24*time.Hour, 90*24*time.Hour
		f.Columns = columns([]string{"access_key_1_last_rotated", "access_key_2_last_rotated"}[slot-1])
		return f
	}
	old := aged(user("C9", audit.Fail, "Bob", 3, "The key was created 267 days ago, more than 90 days."), 2,
		"2026-03-01T10:15:00Z", 267)
	old.KeyIDs, old.Note = []string{"AKIAIOSFODNN7EXAMPLE"}, "It was last used from another region."
	old.Facts = &audit.UserFacts{Created: time.Date(2024, 3, 1, 8, 0, 0, 0, time.UTC), UserID: "AIDA2EXAMPLE"}
	noMFA := user("C5", audit.Fail, hostile, 4, "The user has a password and no MFA: "+hostile)
	noMFA.Columns = columns("password_enabled", "mfa_active")
	idle := user("C7", audit.Warn, "Bob", 3, "The password was never used, and it is not known since when.")
	idle.Credential, idle.Approximate, idle.ExpiredException = audit.Credential{Kind: audit.Password}, true, "EX-2"
	unread := user("C7", audit.NoData, "Eve", 6, "password_last_used cannot be read: \"soon\".")
	excused := aged(user("C9", audit.Fail, "svc-erp", 7, "The key was created 600 days ago, more than 90 days."), 1,
		"2025-04-02T10:15:00Z", 600)
	excused.Suppressed, excused.Exception, excused.Class = true, "EX-1", audit.ClassMachine
	passed := user("C5", audit.Pass, "Bob", 3, "The user has MFA.")

	one := auditedReport{
		src: audit.Source{Account: account, Name: "payments, production", Partition: partition, Generated: generated,
			Fetched: generated.Add(time.Minute), Origin: "generated", Path: "reports/a b/111122223333.csv",
			SHA256: strings.Repeat("ab", 32)},
		rows: []audit.Row{
			{Line: 2, Findings: []audit.Finding{root, manual}},
			{Line: 3, Findings: []audit.Finding{passed, idle, old}},
			{Line: 4, Findings: []audit.Finding{noMFA}},
			{Line: 6, Findings: []audit.Finding{unread}},
			{Line: 7, Findings: []audit.Finding{excused}},
		},
	}
	for i := range one.rows {
		one.rows[i].Report = &report.Row{User: one.rows[i].Findings[0].User, ARN: one.rows[i].Findings[0].ARN}
	}
	one.out = outcome(one, benchmark, generated)
	one.out.Worst = []audit.Finding{root, noMFA, old, unread, idle}
	one.out.Problems, one.out.ProblemCount = []audit.Problem{
		{Line: 6, Column: "password_last_used", Text: "A cell cannot be read."}}, 1
	one.out.Stats = audit.Stats{Rows: 6, Users: 5, ConsoleUsers: 4, ConsoleUsersMFA: 2, HumanUsers: 4, MachineUsers: 1,
		ActiveKeys: 3, InactiveKeys: 1, UnusedCredentials: 2, OldestKey: at("2020-01-01T00:00:00Z")}
	one.out.Stats.KeyAges[4][0], one.out.Stats.KeyAges[5][3] = 1, 2
	one.out.Stats.Root = audit.RootStats{Seen: true, Password: report.True, MFA: report.True, Keys: 1,
		LastUsed: at("2026-11-20T10:15:00Z")}

	two := auditedReport{src: audit.Source{Account: "222233334444", Partition: "aws-us-gov",
		Generated: generated.Add(-time.Hour), Path: "reports/222233334444.csv"}}
	pass := passed
	pass.Account, pass.ARN, pass.User, pass.Line = "222233334444", "arn:aws-us-gov:iam::222233334444:user/Ann", "Ann", 2
	two.rows = []audit.Row{{Line: 2, Report: &report.Row{User: "Ann", ARN: pass.ARN}, Findings: []audit.Finding{pass}}}
	two.out = outcome(two, benchmark, generated.Add(-time.Hour))
	two.out.Stats = audit.Stats{Rows: 1, Users: 1, ConsoleUsers: 1, ConsoleUsersMFA: 1, HumanUsers: 1,
		OldestKey: report.None(report.NotApplicable)}

	three := auditedReport{src: audit.Source{Account: "333344445555", Name: "sandbox", Partition: "aws"}}
	lost := user("C1", audit.NoData, "", 0, "There is no report: AccessDenied.")
	lost.Account, lost.ARN, lost.Class = "333344445555", "", audit.ClassUnknown
	three.rows = []audit.Row{{Findings: []audit.Finding{lost}}}
	three.out = outcome(three, benchmark, time.Time{})
	three.out.Missing, three.out.Problems, three.out.ProblemCount = true,
		[]audit.Problem{{Text: "There is no report: AccessDenied."}}, 1
	three.out.Worst = []audit.Finding{lost}

	runs := []auditedReport{one, two, three}
	sum := &audit.Summary{
		Benchmark: benchmark, Params: audit.Params{UnusedDays: 45, KeyMaxAgeDays: 90, KeyMaxAgeDaysMachine: 90},
		Counts: counted(runs, benchmark),
		Exceptions: []audit.ExceptionUse{
			{Exception: exceptions[0], State: audit.ExceptionActive, Matched: 1},
			{Exception: exceptions[1], State: audit.ExceptionExpired, Matched: 1},
		},
	}
	for _, r := range runs {
		sum.Accounts = append(sum.Accounts, r.out)
	}
	return runs, sum, Options{
		Program: "rollcall", Version: "1.2.3", Now: generated.Add(2 * time.Hour),
		Benchmark: benchmark, Exceptions: exceptions,
		Skipped: []Skipped{{"444455556666", "old shop", "suspended"}},
	}
}

func outcome(r auditedReport, b *audit.Benchmark, asOf time.Time) *audit.AccountSummary {
	return &audit.AccountSummary{Source: r.src, AsOf: asOf, Counts: counted([]auditedReport{r}, b)}
}

func counted(reports []auditedReport, b *audit.Benchmark) audit.Counts {
	c := audit.Counts{}
	for _, id := range b.Controls {
		c.Controls = append(c.Controls, audit.ControlCounts{Control: control(id)})
	}
	for _, r := range reports {
		for _, row := range r.rows {
			for _, f := range row.Findings {
				of := &c.Controls[slices.Index(b.Controls, f.Control.ID)]
				if f.Suppressed {
					c.Suppressed++
					of.Suppressed++
					continue
				}
				c.Total[f.Status]++
				c.Severities[f.Severity][f.Status]++
				of.Statuses[f.Status]++
			}
		}
	}
	return c
}

func mustFind(t *testing.T, form string) Format {
	t.Helper()
	f, ok := FindFormat(form)
	if !ok {
		t.Fatalf("there is no form %s", form)
	}
	return f
}

// mustRender writes a run to an output and returns the text.
func mustRender(t *testing.T, form string, o Options) string {
	t.Helper()
	runs, sum, _ := aRun()
	return mustRenderRun(t, form, o, runs, sum)
}

func mustRenderRun(t *testing.T, form string, o Options, runs []auditedReport, sum *audit.Summary) string {
	t.Helper()
	var b bytes.Buffer
	f := mustFind(t, form)
	out := f.Open(&b, o)
	for _, r := range runs {
		err := out.Report(r.src)
		for i := range r.rows {
			if err == nil && f.Needs != Summary {
				err = out.Row(&r.rows[i])
			}
		}
		if err == nil {
			err = out.End(r.out)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(sum); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestOutputs compares every form with its golden file.
func TestOutputs(t *testing.T) {
	for _, f := range Formats() {
		form := f.Name
		if form == "html" {
			continue // package html has its own tests
		}
		t.Run(form, func(t *testing.T) {
			_, _, o := aRun()
			var steps bytes.Buffer
			o.StepSummary = &steps
			mustEqualGolden(t, form, mustRender(t, form, o))
			if form == "github" {
				mustEqualGolden(t, "md", steps.String())
			}
		})
	}
	for name, change := range map[string]func(*Options){
		"table-80":        func(o *Options) { o.Width = 80 },
		"table-140":       func(o *Options) { o.Width = 140 },
		"table-80-colour": func(o *Options) { o.Width, o.Colour = 80, true },
		"table-40":        func(o *Options) { o.Width = 40 },
		"json-query":      func(o *Options) { o.Query = "findings[?severity=='critical'].[user,control]" },
		"ocsf-1.8.0":      func(o *Options) { o.OCSF = OCSF180 },
	} {
		t.Run(name, func(t *testing.T) {
			_, _, o := aRun()
			change(&o)
			form, _, _ := strings.Cut(name, "-")
			mustEqualGolden(t, name, mustRender(t, form, o))
		})
	}
}

// TestEveryWidth writes the tables for a terminal of every width.
func TestEveryWidth(t *testing.T) {
	_, _, o := aRun()
	for o.Width = 1; o.Width < 160; o.Width++ {
		if got := mustRender(t, "table", o); !strings.Contains(got, "\ninfo  ") {
			t.Errorf("%d columns: %s", o.Width, got)
		}
	}
}

func mustEqualGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "audit", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}
