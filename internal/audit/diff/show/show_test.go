package show_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/audit/diff/show"
	"rollcall/report"
)

var (
	before = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	after  = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

func account(id, name string) *diff.Account {
	return &diff.Account{
		Account: id, Name: name, Status: diff.Compared,
		Old: audit.Source{Account: id, Generated: before}, New: audit.Source{Account: id, Generated: after},
	}
}

func event(kind audit.EventKind, severity audit.Severity) diff.Event {
	return diff.Event{Kind: kind, Severity: severity, At: report.At(after)}
}

func finding(state diff.State, id audit.ControlID, severity audit.Severity, user string) diff.Finding {
	c, _ := audit.FindControl(string(id))
	return diff.Finding{State: state, FirstSeen: before, Finding: audit.Finding{
		Control: c, Status: audit.Fail, Severity: severity, User: user, Reason: audit.TextReason("It is so."),
		Credential: audit.Credential{Kind: audit.AccessKey, Slot: 1, Created: report.At(before)},
	}}
}

// shown writes changes of accounts in a form. Each change counts as compared.
func shown(t *testing.T, form string, o show.Options, accounts []*diff.Account, changes ...*diff.Change) string {
	t.Helper()
	var b bytes.Buffer
	out, ok := show.Open(form, &b, o)
	if !ok {
		t.Fatal(form)
	}
	var summary show.Summary
	for _, a := range accounts {
		for _, c := range changes {
			if c.Account == a {
				if err := out.Change(c); err != nil {
					t.Fatal(err)
				}
			}
		}
		summary.Add(a)
		if err := out.Account(a); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(&summary); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestHostile uses names that would affect the program that shows them. Package
// report accepts them, because a file can contain anything.
func TestHostile(t *testing.T) {
	for _, name := range []string{
		"\x1b[31mred", "=HYPERLINK(1)", "@x", "-1", "a|b\n| c", "<img src=x>", "`x`", "\u202eevil", "a,b", `"`,
		"\x9b1m", "[x](javascript:1)",
	} {
		a := account("123456789012", name)
		a.Problem("User " + name + ".")
		a.Notes = []string{name}
		f := finding(diff.New, audit.KeyUnused, audit.High, name)
		f.Reason = audit.TextReason(name)
		change := &diff.Change{Account: a, User: name,
			ARN: "arn:aws:iam::123456789012:user/" + name, Events: []diff.Event{
				{Kind: audit.UserRenamed, Severity: audit.High, Was: name, Is: name, Note: name},
			}, Findings: []diff.Finding{f}}
		for _, form := range show.Formats() {
			got := shown(t, form, show.Options{}, []*diff.Account{a}, change)
			for _, r := range got {
				if r != '\n' && !unicode.IsGraphic(r) {
					t.Errorf("%s of %q has the character %q", form, name, r)
				}
			}
			switch form {
			case "json":
				var v any
				if err := json.Unmarshal([]byte(got), &v); err != nil {
					t.Errorf("%q: %v\n%s", name, err, got)
				}
			case "csv":
				rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range rows[1:] {
					for _, cell := range row {
						if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@") {
							t.Errorf("csv of %q has the cell %q", name, cell)
						}
					}
				}
			case "md":
				if strings.Contains(got, "<img") || strings.Contains(strings.ReplaceAll(got, `\]`, ""), "](java") ||
					strings.Contains(got, "\n| c") {
					t.Errorf("md of %q: %s", name, got)
				}
			}
		}
	}
}

// TestJSON reads the output: both forms contain the same changes, the counts
// are those of the account, and only selected changes appear.
func TestJSON(t *testing.T) {
	one, two := account("111111111111", "one"), account("222222222222", "")
	two.Problem("Something.")
	one.Counts = diff.Counts{Users: 1, Events: map[audit.EventKind]int{audit.MFALost: 1}}
	one.Counts.Severities[audit.High] = 1
	one.Counts.Findings[diff.New][audit.High][audit.Fail] = 2
	changes := []*diff.Change{
		{Account: one, User: "amy",
			Events: []diff.Event{event(audit.MFALost, audit.High), event(audit.PasswordUsed, audit.Info)},
			Findings: []diff.Finding{
				finding(diff.New, audit.ConsoleMFA, audit.High, "amy"),
				finding(diff.Open, audit.KeyAge, audit.Medium, "amy"),
				finding(diff.Fixed, audit.KeyUnused, audit.Medium, "amy"),
			}},
		{Account: two, User: "bo", Events: []diff.Event{event(audit.KeyAdded, audit.Medium)}},
	}
	var doc struct {
		Version  int
		Complete bool
		Counts   struct{ Findings map[string]map[string]int }
		Accounts []struct {
			Account  string
			Complete bool
			Changes  []map[string]any
			Counts   struct {
				Events map[string]int `json:"events"`
			}
		}
	}
	o := show.Options{Least: audit.Low}
	if err := json.Unmarshal([]byte(shown(t, "json", o, []*diff.Account{one, two}, changes...)), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Version != 1 || doc.Complete || len(doc.Accounts) != 2 || !doc.Accounts[0].Complete ||
		doc.Accounts[1].Complete {
		t.Errorf("%+v", doc)
	}
	if doc.Counts.Findings["new"]["high"] != 2 || doc.Counts.Findings["fixed"]["total"] != 0 ||
		doc.Accounts[0].Counts.Events["mfa-lost"] != 1 {
		t.Errorf("counts %+v", doc.Counts)
	}
	var of []string
	for _, a := range doc.Accounts {
		for _, c := range a.Changes {
			of = append(of, fmt.Sprint(a.Account[:1], " ", c["user"], " ", c["event"], c["control"], " ", c["state"],
				" ", c["status"], " ", c["first_seen"]))
		}
	}
	want := "1 amy mfa-lost<nil> <nil> <nil> <nil>; 1 amy <nil>C5 new FAIL 2026-10-01T00:00:00Z; 1 amy <nil>C8 fixed " +
		"<nil> 2026-10-01T00:00:00Z; 2 bo key-added<nil> <nil> <nil> <nil>"
	if got := strings.Join(of, "; "); got != want {
		t.Errorf("%s", got)
	}
	lines := strings.Split(strings.TrimSpace(shown(t, "jsonl", o, []*diff.Account{one, two}, changes...)), "\n")
	if len(lines) != 6 || !strings.HasPrefix(lines[3], `{"type":"account","account":"111111111111"`) {
		t.Errorf("%q", lines)
	}
	o.Open = true
	if got := shown(t, "jsonl", o, []*diff.Account{one}, changes...); !strings.Contains(got, `"state":"open"`) {
		t.Error("what is open is not listed")
	}
	if got := shown(t, "json", o, nil); !json.Valid([]byte(got)) {
		t.Errorf("nothing: %s", got)
	}
}

// TestTable checks that the table fits the terminal, with the worst first and
// the omitted ones counted.
func TestTable(t *testing.T) {
	one := account("111111111111", "payments")
	var changes []*diff.Change
	for i := range 40 {
		name := fmt.Sprintf("user-with-a-rather-long-name-%02d@example.com", i)
		c := &diff.Change{Account: one, User: name, Events: []diff.Event{event(audit.PasswordUsed, audit.Info)}}
		if i == 33 {
			c.Events = append(c.Events, event(audit.MFALost, audit.High))
			c.Findings = append(c.Findings, finding(diff.New, audit.ConsoleMFA, audit.High, name))
		}
		c.Findings = append(c.Findings, finding(diff.Fixed, audit.KeyUnused, audit.Medium, name),
			finding(diff.New, audit.KeyAge, audit.Medium, name))
		kept := *c
		kept.Events, kept.Findings = slices.Clone(c.Events), slices.Clone(c.Findings)
		changes = append(changes, &kept)
	}
	for _, width := range []int{60, 80, 99, 120, 160} {
		got := shown(t, "table", show.Options{Width: width, Most: 5, Uses: true}, []*diff.Account{one}, changes...)
		if n := strings.Count(got, "user-with-a-rather-long-name-33@example.com"); n < 2 {
			t.Errorf("%d columns: the user's name is whole %d times:\n%s", width, n, got)
		}
		for line := range strings.Lines(got) {
			if n := text.StringWidth(strings.TrimRight(line, "\n")); n > width {
				t.Errorf("%d columns: a line of %d: %s", width, n, line)
			}
		}
		high, info := strings.Index(got, "A user or root lost MFA"), strings.Index(got, "Info: what happened")
		if high < 0 || info < high {
			t.Errorf("%d columns: not the worst first:\n%s", width, got)
		}
		if !strings.Contains(got, "36 more events not shown") || !strings.Contains(got, "35 more findings not shown") {
			t.Errorf("%d columns: what is left out is not counted:\n%s", width, got)
		}
	}
	colour := shown(t, "table", show.Options{Width: 80, Most: 5, Colour: true}, []*diff.Account{one}, changes...)
	if !strings.Contains(colour, "\x1b[") {
		t.Error("no colour")
	}
}

// TestUsual checks that ordinary uses are counted, and that new findings come
// first.
func TestUsual(t *testing.T) {
	one := account("111111111111", "payments")
	var changes []*diff.Change
	for i := range 40 {
		c := &diff.Change{Account: one, User: fmt.Sprintf("user-%02d", i),
			Events: []diff.Event{event(audit.PasswordUsed, audit.Info)}}
		if i == 33 {
			c.Events = append(c.Events, event(audit.KeyFirstUsed, audit.Low), event(audit.KeyFirstUsed, audit.Medium),
				event(audit.MFALost, audit.High))
			c.Findings = append(c.Findings, finding(diff.New, audit.ConsoleMFA, audit.Low, c.User),
				finding(diff.Fixed, audit.KeyAge, audit.High, c.User))
		}
		kept := *c
		kept.Events, kept.Findings = slices.Clone(c.Events), slices.Clone(c.Findings)
		changes = append(changes, &kept)
	}
	for _, form := range []string{"table", "md"} {
		got := shown(t, form, show.Options{}, []*diff.Account{one}, changes...)
		last := -1
		for _, want := range []string{"New findings", "A user or root lost MFA", "A key was used for the first time",
			"1 × key used for the first time, 40 × password used", "Fixed"} {
			at := strings.Index(got, want)
			if at <= last {
				t.Errorf("%s: %q is not there in its place:\n%s", form, want, got)
			}
			last = at
		}
		if strings.Contains(got, "A password was used") {
			t.Errorf("%s lists ordinary uses:\n%s", form, got)
		}
	}
}

// TestNothing checks the words for no changes, and that the table names those
// accounts that have changes.
func TestNothing(t *testing.T) {
	one, two, three := account("111111111111", ""), account("222222222222", ""), diff.Failed("333333333333", "lost",
		"The account has no report.")
	if got := shown(t, "table", show.Options{}, []*diff.Account{one}); !strings.Contains(got, "no change") {
		t.Error(got)
	}
	two.Counts.Findings[diff.New][audit.High][audit.Fail] = 1
	got := shown(t, "table", show.Options{}, []*diff.Account{one, two, three})
	for _, want := range []string{"1 account without a change", "222222222222\n", "findings: 1 new",
		"333333333333 lost: The account has no report.", "not compared"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "111111111111") {
		t.Error("an account without a change is named")
	}
}

// TestFails uses a writer that fails.
func TestFails(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	for _, form := range show.Formats() {
		out, _ := show.Open(form, w, show.Options{})
		a := account("111111111111", "")
		a.Problem("Something.")
		var summary show.Summary
		summary.Add(a)
		out.Account(a)
		if err := out.Close(&summary); err == nil {
			t.Errorf("%s: no error", form)
		}
	}
	if _, ok := show.Open("xml", w, show.Options{}); ok {
		t.Error("xml is known")
	}
}
