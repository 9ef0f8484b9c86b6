package audit_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/report"
)

const goodException = `  - id: EX-1
    control: C9
    account: "123456789012"
    user: svc
    credential: key:2025-03-01T10:00:00Z
    reason: vendor cannot rotate
    owner: erp-team@example.com
    ticket: SEC-4711
    expires: 2027-01-31
`

func TestReadExceptions(t *testing.T) {
	want := audit.Exception{
		ID: "EX-1", Control: "C9", Account: "123456789012", User: "svc", Credential: "key:2025-03-01T10:00:00Z",
		Reason: "vendor cannot rotate", Owner: "erp-team@example.com", Ticket: "SEC-4711",
		Expires: audit.Date{Year: 2027, Month: time.January, Day: 31},
	}
	for _, c := range []struct {
		name, old, new string
		wildcards      bool
		err            string // "" for none
	}{
		{name: "as it is"},
		{"quoted date", "2027-01-31", `"2027-01-31"`, false, ""},
		{"number as account", `"123456789012"`, "123456789012", false, ""},
		{"no id", "id: EX-1", "id: ''", false, "id is missing"},
		{"no owner", "    owner: erp-team@example.com\n", "", false, "owner is missing"},
		{"blank owner", "owner: erp-team@example.com", `owner: "  "`, false, "owner is missing"},
		{"no ticket", "    ticket: SEC-4711\n", "", false, "ticket is missing"},
		{"no reason", "    reason: vendor cannot rotate\n", "", false, "reason is missing"},
		{"no expiry", "    expires: 2027-01-31\n", "", false, "expires is missing"},
		{"no control", "    control: C9\n", "", false, "control is missing"},
		{"no account", "    account: \"123456789012\"\n", "", false, "account is missing"},
		{"no user", "    user: svc\n", "", false, "one of user, arn and path"},
		{"user and path", "user: svc", "user: svc\n    path: /x/", false, "one of user, arn and path"},
		{"unknown key", "ticket: SEC-4711", "ticket: SEC-4711\n    tickets: 2", false,
			"line 11: key tickets is not known; did you mean ticket?"},
		{"key twice", "ticket: SEC-4711", "ticket: SEC-4711\n    ticket: SEC-4712", false, "already defined at line"},
		{"unknown control", "C9", "C99", false, `there is no control "C99"`},
		{"control by name", "C9", "key-age", false, `there is no control "key-age"`},
		{"other case", "C9", "c9", false, "there is no control"},
		{"the evidence", "C9", "C19", false, "C19 cannot be excused"},
		{"short account", "123456789012", "12345", false, "not a number of 12 digits"},
		{"impossible day", "2027-01-31", "2027-02-31", false, `line 11: read day: "2027-02-31"`},
		{"time of day", "2027-01-31", "2027-01-31T10:00:00Z", false, "read day"},
		{"credential", "key:2025-03-01T10:00:00Z", "AKIAIOSFODNN7EXAMPLE", false, "not password, key:TIME or cert:TIME"},
		{"path without end", "user: svc", "path: /vendor", false, "does not begin and end with /"},
		{"wildcard in user", "user: svc", `user: "svc-*"`, false, "wildcards are not allowed"},
		{"wildcard in control", "control: C9", `control: "C*"`, false, "wildcards are not allowed"},
		{"wildcard in account", `"123456789012"`, `"*"`, false, "wildcards are not allowed"},
		{"wildcard in arn", "user: svc", `arn: "arn:aws:iam::123456789012:user/?"`, false, "wildcards are not allowed"},
		{"wildcard allowed", "user: svc", `user: "svc-*"`, true, ""},
		{"two documents", "expires: 2027-01-31\n", "expires: 2027-01-31\n---\nversion: 1\n", false,
			"more than one document"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "version: 1\nexceptions:\n" + strings.Replace(goodException, c.old, c.new, 1)
			if c.old != "" && !strings.Contains(goodException, c.old) {
				t.Fatalf("%q is not there to be changed", c.old)
			}
			got, err := audit.ReadExceptions(strings.NewReader(text), c.wildcards)
			switch {
			case c.err == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("error %v, want one with %q", err, c.err)
			case c.err == "" && !c.wildcards:
				if diff := cmp.Diff([]audit.Exception{want}, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
		})
	}
	for name, text := range map[string]string{
		"empty":            "",
		"no version":       "exceptions: []\n",
		"other version":    "version: 2\nexceptions: []\n",
		"a profile":        "version: 1\nprofile: strict\n",
		"id twice":         "version: 1\nexceptions:\n" + goodException + goodException,
		"no YAML":          "\x00\x01",
		"a list":           "- 1\n- 2\n",
		"too long":         "version: 1 #" + strings.Repeat("x", 17<<20),
		"an alias as bomb": "version: 1\nexceptions: &a [*a, *a]\n",
	} {
		if _, err := audit.ReadExceptions(strings.NewReader(text), true); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestWriteExceptions(t *testing.T) {
	list, err := audit.ReadExceptions(strings.NewReader("version: 1\nexceptions:\n"+goodException), false)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := audit.WriteExceptions(&file, list); err != nil {
		t.Fatal(err)
	}
	again, err := audit.ReadExceptions(bytes.NewReader(file.Bytes()), false)
	if diff := cmp.Diff(list, again); diff != "" || err != nil {
		t.Errorf("%v, -written +read:\n%s\n%s", err, diff, file.String())
	}
	text, err := json.Marshal(list[0])
	if err != nil || !strings.Contains(string(text), `"expires":"2027-01-31"`) {
		t.Errorf("JSON %s, %v", text, err)
	}
	var back audit.Exception
	if err := json.Unmarshal(text, &back); err != nil || back != list[0] {
		t.Errorf("read back %+v, %v", back, err)
	}
}

// TestWildcardExceptions checks that patterns match whole names.
func TestWildcardExceptions(t *testing.T) {
	e := audit.Exception{
		ID: "EX-1", Control: "C?", Account: "*", User: "svc-*", Reason: "r", Owner: "o", Ticket: "t",
		Expires: audit.Date{Year: 2030, Month: 1, Day: 1},
	}
	rows := []report.Row{rootRow(account1)}
	for _, name := range []string{"svc-1", "svc-", "my-svc-1", "SVC-1"} {
		rows = append(rows, withKey(userRow(account1, name), 0, 100, 100))
	}
	a := newAuditor(t, audit.Options{Exceptions: []audit.Exception{e}})
	_, findings := mustAudit(t, a, csvOf(t, rows...), fresh)
	got := map[string]int{}
	for _, f := range findings {
		if f.Suppressed {
			got[f.User]++
		}
		if f.Status != audit.Fail && f.Suppressed {
			t.Errorf("%s of %s is %s and suppressed", f.Control.ID, f.User, f.Status)
		}
	}
	if diff := cmp.Diff(map[string]int{"svc-1": 2, "svc-": 2}, got); diff != "" { // C8 and C9
		t.Errorf("suppressed, -want +got:\n%s", diff)
	}
	s := a.Summary()
	if s.Counts.Suppressed != 4 || s.Exceptions[0].Matched != 4 || s.Exceptions[0].State != audit.ExceptionActive {
		t.Errorf("suppressed %d, %+v", s.Counts.Suppressed, s.Exceptions[0])
	}
	checkCounts(t, &s.Counts)
	if s.Counts.Total[audit.Fail] != 4 { // those of the other two users
		t.Errorf("%d FAIL are left", s.Counts.Total[audit.Fail])
	}
}

// TestExceptionsOfARun checks that an exception without a match in one account
// may match in another.
func TestExceptionsOfARun(t *testing.T) {
	exception := func(id, account, user string) audit.Exception {
		return audit.Exception{
			ID: id, Control: "C9", Account: account, User: user, Reason: "r", Owner: "o", Ticket: "t",
			Expires: audit.Date{Year: 2026, Month: 10, Day: 1},
		}
	}
	a := newAuditor(t, audit.Options{Exceptions: []audit.Exception{
		exception("matched", account2, "svc"), exception("unmatched", account1, "nobody"),
		exception("not-audited", "999999999999", "svc"), exception("missing", "888888888888", "svc"),
	}})
	mustAudit(t, a, csvOf(t, rootRow(account1), withKey(userRow(account1, "svc"), 0, 100, 1)), fresh)
	mustAudit(t, a, csvOf(t, rootRow(account2), withKey(userRow(account2, "svc"), 0, 100, 1)), fresh)
	if _, err := a.Missing(audit.Source{Account: "888888888888"}, "AccessDenied", nil); err != nil {
		t.Fatal(err)
	}
	states := func() (got []string) {
		for _, use := range a.Summary().Exceptions {
			got = append(got, use.Exception.ID+" "+string(use.State))
		}
		return got
	}
	want := []string{"matched active", "unmatched unmatched", "not-audited untested", "missing untested"}
	if diff := cmp.Diff(want, states()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// A later report decides which exceptions are about to expire.
	later := fresh
	later.Generated = time.Date(2026, 9, 17, 23, 59, 59, 0, time.UTC)
	mustAudit(t, a, csvOf(t, rootRow(account1)), later)
	if got := states()[0]; got != "matched active" {
		t.Errorf("15 days before the end of the last day: %s", got)
	}
	later.Generated = later.Generated.Add(time.Second)
	mustAudit(t, a, csvOf(t, rootRow(account1)), later)
	if got := states()[0]; got != "matched expiring" {
		t.Errorf("14 days before the last day: %s", got)
	}
	later.Generated = time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC)
	mustAudit(t, a, csvOf(t, rootRow(account1)), later)
	if got := states()[0]; got != "matched expired" {
		t.Errorf("the day after: %s", got)
	}
}

// TestExpiredExceptionOnFinding checks that the finding is back, and names the
// expired exception.
func TestExpiredExceptionOnFinding(t *testing.T) {
	e := audit.Exception{
		ID: "EX-1", Control: "C9", Account: account1, User: "svc", Reason: "r", Owner: "o", Ticket: "t",
		Expires: audit.Date{Year: 2026, Month: 8, Day: 31},
	}
	inForce := e
	inForce.ID, inForce.Expires.Year = "EX-2", 2027
	file := csvOf(t, rootRow(account1), withKey(userRow(account1, "svc"), 0, 100, 1))
	find := func(list ...audit.Exception) audit.Finding {
		t.Helper()
		_, findings := mustAudit(t, newAuditor(t, audit.Options{Exceptions: list}), file, fresh)
		for _, f := range findings {
			if f.Control.ID == audit.KeyAge {
				return f
			}
		}
		t.Fatal("there is no finding of C9")
		return audit.Finding{}
	}
	second := e
	second.ID = "EX-1b"
	f := find(e, second)
	if f.Suppressed || f.Exception != "" || f.ExpiredException != "EX-1" ||
		!strings.HasSuffix(f.Reason.String(), "Exception EX-1 has expired.") {
		t.Errorf("finding %+v", f)
	}
	if f = find(e, inForce); !f.Suppressed || f.Exception != "EX-2" || f.ExpiredException != "" {
		t.Errorf("with one in force as well: %+v", f)
	}
}

// TestEvidenceIsNotExcused checks that not even an exception for everything
// excuses the evidence.
func TestEvidenceIsNotExcused(t *testing.T) {
	e := audit.Exception{
		ID: "EX-1", Control: "*", Account: "*", ARN: "*", Reason: "r", Owner: "o", Ticket: "t",
		Expires: audit.Date{Year: 2030, Month: 1, Day: 1},
	}
	src := fresh
	src.Origin = "stale"
	a := newAuditor(t,
		audit.Options{Exceptions: []audit.Exception{e}, Controls: []audit.ControlID{audit.Evidence, audit.RootUsed}})
	_, findings := mustAudit(t, a, csvOf(t, withKey(rootRow(account1), 0, 10, 5)), src)
	for _, f := range findings {
		if f.Status != audit.Warn || f.Suppressed != (f.Control.ID == audit.RootUsed) {
			t.Errorf("%s is %s, suppressed %v", f.Control.ID, f.Status, f.Suppressed)
		}
	}
	if len(findings) != 2 {
		t.Errorf("%d findings", len(findings))
	}
}
