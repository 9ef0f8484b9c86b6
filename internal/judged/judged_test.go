package judged_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/judged"
	"rollcall/report"
)

const account = "123456789012"

var made = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// someRows returns root and n users of every kind.
func someRows(n int) []report.Row {
	ago := func(days int) report.Time { return report.At(made.AddDate(0, 0, -days)) }
	rows := []report.Row{{
		User: report.RootUser, ARN: "arn:aws:iam::" + account + ":root", Created: ago(4000),
		PasswordEnabled: report.True,
		PasswordNextRotation: report.None(
			report.NotSupported,
		), Keys: [2]report.Key{{Active: report.True, LastRotated: ago(700)}},
	}}
	for i := range n {
		name := fmt.Sprintf("user-%06d", i)
		path := []string{"/", "/People/", "/machines/build/"}[i%3]
		r := report.Row{
			User: name, ARN: "arn:aws:iam::" + account + ":user" + path + name, Created: ago(i % 900),
			MFAActive: report.BoolOf(i%4 == 0),
		}
		if i%2 == 0 {
			r.PasswordEnabled, r.PasswordLastUsed = report.True, ago(i%120)
			r.PasswordLastChanged = ago(i % 300)
		}
		if i%5 < 3 {
			r.Keys[0] = report.Key{Active: report.True, LastRotated: ago(i % 500), LastUsed: ago(i % 100)}
		}
		if i%5 == 0 {
			r.Keys[1] = report.Key{Active: report.BoolOf(i%10 == 0), LastRotated: ago(i % 400)}
		}
		rows = append(rows, r)
	}
	return rows
}

func text(t testing.TB, rows []report.Row) []byte {
	t.Helper()
	var b bytes.Buffer
	w := report.NewWriter(&b, report.Columns22)
	for i := range rows {
		if err := w.WriteRow(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t testing.TB, content []byte) *judged.Report {
	t.Helper()
	r, err := judged.Read(
		t.Context(),
		bytes.NewReader(content),
		audit.Source{Account: account, Generated: made},
		audit.Options{},
	)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestFigures searches for every figure of the audit's summary, and compares the
// number of rows, keys or findings.
func TestFigures(t *testing.T) {
	r := read(t, text(t, someRows(1000)))
	st := &r.Account.Stats
	rows := func(q judged.Query) int { return len(r.Search(q).Rows) }
	keys := func(q judged.Query) int { return r.Search(q).Keys }
	findings := func(q judged.Query) int { return r.Search(q).Findings }
	check := func(what string, got, want int) {
		t.Helper()
		if got != want || want == 0 {
			t.Errorf("%s: %d are found of %d", what, got, want)
		}
	}
	check("rows", rows(judged.Query{}), st.Rows)
	check("people", rows(judged.Query{Class: "human"}), st.HumanUsers)
	check("machines", rows(judged.Query{Class: "machine"}), st.MachineUsers)
	check("console users", rows(judged.Query{MFA: "console"}), st.ConsoleUsers)
	check("with MFA", rows(judged.Query{MFA: "yes"}), st.ConsoleUsersMFA)
	check("without MFA", rows(judged.Query{MFA: "no"}), st.ConsoleUsers-st.ConsoleUsersMFA)
	check("active keys", keys(judged.Query{Keys: "active"}), st.ActiveKeys)
	check("inactive keys", keys(judged.Query{Keys: "inactive"}), st.InactiveKeys)
	for age, of := range st.KeyAges {
		for idle, want := range of {
			got := keys(judged.Query{Age: age + 1, Idle: idle + 1})
			if got != want {
				t.Errorf("keys %d %d: %d are found of %d", age, idle, got, want)
			}
		}
	}
	for _, c := range r.Account.Counts.Controls {
		for status := range audit.Status(audit.NumStatuses) {
			if !audit.Reported.Has(status) {
				continue
			}
			got := findings(judged.Query{Control: c.Control.ID, Status: status.String()})
			if want := c.Statuses[status]; got != want {
				t.Errorf("%s %v: %d are found of %d", c.Control.ID, status, got, want)
			}
		}
	}
	for severity := range audit.Severity(audit.NumSeverities) {
		got := findings(judged.Query{Severity: severity.String(), Status: "FAIL"})
		if want := r.Account.Counts.Severities[severity][audit.Fail]; got != want {
			t.Errorf("%v: %d are found of %d", severity, got, want)
		}
	}
	clean, found := rows(judged.Query{Status: "none"}), rows(judged.Query{Status: "found"})
	check("rows with findings and without", clean+found, st.Rows)
}

// TestRows checks that rows come back unchanged, with the findings of an audit.
func TestRows(t *testing.T) {
	all := someRows(300)
	content := text(t, all)
	r := read(t, content)
	want := map[string][]string{}
	auditor, err := audit.New(audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	brief := func(f *audit.Finding) string {
		return fmt.Sprint(f.Control.ID, f.Status, f.Severity, f.Credential.ID(), f.Reason.String())
	}
	_, err = auditor.Audit(t.Context(), bytes.NewReader(content), r.Account.Source, nil, func(row *audit.Row) error {
		for i := range row.Findings {
			if row.Report != nil {
				want[row.Report.User] = append(want[row.Report.User], brief(&row.Findings[i]))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := r.Rows(t.Context(), r.Search(judged.Query{}).Rows)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]report.Row{}
	for _, row := range all {
		byName[row.User] = row
	}
	for _, row := range rows {
		was := byName[row.Report.User]
		is := report.Columns22.AppendRow(nil, &row.Report)
		if want := report.Columns22.AppendRow(nil, &was); !bytes.Equal(is, want) {
			t.Fatalf("%s\nwant %s", is, want)
		}
		var got []string
		for i := range row.Findings {
			got = append(got, brief(&row.Findings[i]))
		}
		slices.Sort(got)
		slices.Sort(want[row.Report.User])
		if !slices.Equal(got, want[row.Report.User]) {
			t.Fatalf("%s has %q, want %q", row.Report.User, got, want[row.Report.User])
		}
	}
	if len(rows) != len(all) {
		t.Errorf("%d rows of %d", len(rows), len(all))
	}
}

func TestSearch(t *testing.T) {
	r := read(t, text(t, someRows(300)))
	names := func(q judged.Query) (names []string) {
		t.Helper()
		rows, err := r.Rows(t.Context(), r.Search(q).Rows)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			names = append(names, row.Report.User)
		}
		return names
	}
	if got := names(judged.Query{Text: "USER-00001", Prefix: true, Sort: "user"}); len(got) != 10 ||
		got[0] != "user-000010" {
		t.Errorf("%q", got)
	}
	if got := names(judged.Query{Text: "00001", Prefix: true}); len(got) != 0 {
		t.Errorf("%q begin with it", got)
	}
	if got := names(judged.Query{Text: "00001"}); len(got) != 11 {
		t.Errorf("%q", got)
	}
	if got := names(judged.Query{Text: "people"}); len(got) != 100 {
		t.Errorf("%d are in the path", len(got))
	}
	if got := names(judged.Query{Sort: "user", Turned: true}); got[0] != "user-000299" || got[300] != report.RootUser {
		t.Errorf("%q", got[:2])
	}
	if got := names(judged.Query{Sort: "access_key_1_last_rotated"}); got[0] != report.RootUser ||
		!strings.HasPrefix(got[300], "user-") {
		t.Errorf("%q", got[:2])
	}
	if got := names(judged.Query{Sort: "password_last_used", Turned: true}); got[0] != "user-000000" ||
		got[1] != "user-000120" {
		t.Errorf("%q", got[:2])
	}
	if r.Find("user-000007") != 8 || r.Find("nobody") != -1 {
		t.Error("rows are not found by their users")
	}
}

// TestSize checks the promised memory of a report.
func TestSize(t *testing.T) {
	const n = 20_000
	if got := read(t, text(t, someRows(n))).Size() / n; got > 170 {
		t.Errorf("%d bytes for each user", got)
	}
}

// BenchmarkSearch does the work for a page of a large account.
func BenchmarkSearch(b *testing.B) {
	const n = 100_000
	content := text(b, someRows(n))
	r := read(b, content)
	for name, q := range map[string]judged.Query{
		"worst": {}, "text": {Text: "99"}, "time": {Sort: "password_last_used"},
		"control": {Control: audit.KeyAge, Status: "FAIL"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := r.Rows(b.Context(), r.Search(q).Rows[:50]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			read(b, content)
		}
	})
}
