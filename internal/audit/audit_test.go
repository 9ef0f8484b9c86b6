package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/report"
)

var asOf = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func daysAgo(n int) report.Time { return report.At(asOf.AddDate(0, 0, -n)) }

const (
	account1 = "123456789012"
	account2 = "210987654321"
)

func rootRow(account string) report.Row {
	return report.Row{
		User: report.RootUser, ARN: "arn:aws:iam::" + account + ":root", Created: daysAgo(1000),
		PasswordEnabled: report.True, MFAActive: report.True, PasswordLastUsed: daysAgo(300),
	}
}

func userRow(account, name string) report.Row {
	return report.Row{User: name, ARN: "arn:aws:iam::" + account + ":user/" + name, Created: daysAgo(500)}
}

func withKey(row report.Row, slot, made, used int) report.Row {
	row.Keys[slot] = report.Key{Active: report.True, LastRotated: daysAgo(made), LastUsed: daysAgo(used)}
	return row
}

func csvOf(t testing.TB, rows ...report.Row) []byte {
	t.Helper()
	var file bytes.Buffer
	w := report.NewWriter(&file, report.Columns22)
	for i := range rows {
		if err := w.WriteRow(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func newAuditor(t testing.TB, o audit.Options) *audit.Auditor {
	t.Helper()
	a, err := audit.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var fresh = audit.Source{Generated: asOf, Fetched: asOf.Add(time.Minute)}

func mustAudit(t testing.TB, a *audit.Auditor, file []byte, src audit.Source) (*audit.AccountSummary, []audit.Finding) {
	t.Helper()
	var findings []audit.Finding
	got, err := a.Audit(context.Background(), bytes.NewReader(file), src, nil, func(row *audit.Row) error {
		findings = append(findings, row.Findings...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, findings
}

func TestSummary(t *testing.T) {
	a := newAuditor(t, audit.Options{})
	noMFA := userRow(account2, "jo")
	noMFA.PasswordEnabled, noMFA.PasswordLastUsed = report.True, daysAgo(1)
	second, _ := mustAudit(t, a, csvOf(t, rootRow(account2), noMFA), fresh)
	mustAudit(t, a, csvOf(t, rootRow(account1), withKey(userRow(account1, "svc"), 0, 100, 1)), fresh)
	src := audit.Source{Account: "000000000001", Partition: "aws"}
	if _, err := a.Missing(src, "AccessDenied", nil); err != nil {
		t.Fatal(err)
	}

	s := a.Summary()
	var accounts []string
	for _, account := range s.Accounts {
		accounts = append(accounts, fmt.Sprintf("%s %s missing=%v incomplete=%v", account.Source.Partition,
			account.Source.Account, account.Missing, account.Incomplete()))
	}
	want := []string{
		"aws 000000000001 missing=true incomplete=true",
		"aws 123456789012 missing=false incomplete=false",
		"aws 210987654321 missing=false incomplete=false",
	}
	if diff := cmp.Diff(want, accounts); diff != "" {
		t.Errorf("accounts, -want +got:\n%s", diff)
	}
	if second.Source.Account != account2 || second.Source.Partition != "aws" || !second.AsOf.Equal(asOf) {
		t.Errorf("source %+v as of %s", second.Source, second.AsOf)
	}
	// One FAIL of C5 and one of C9, and NO_DATA for each of the 12 controls of
	// the missing account.
	if s.Counts.Total[audit.Fail] != 2 || s.Counts.Total[audit.NoData] != len(s.Benchmark.Controls) {
		t.Errorf("counts %v", s.Counts.Total)
	}
	if s.Counts.Severities[audit.High][audit.Fail] != 1 || s.Counts.Severities[audit.Medium][audit.Fail] != 1 {
		t.Errorf("severities %v", s.Counts.Severities)
	}
	checkCounts(t, &s.Counts)
	for _, c := range s.Counts.Controls {
		if c.Control.ID == audit.ConsoleMFA &&
			(c.Statuses[audit.Fail] != 1 || c.Statuses[audit.NotApplicable] != 1 || c.Statuses[audit.NoData] != 1) {
			t.Errorf("C5 %v", c.Statuses)
		}
	}
}

// checkCounts checks that the three ways of counting agree.
func checkCounts(t testing.TB, c *audit.Counts) {
	t.Helper()
	var bySeverity, byControl [audit.NumStatuses]int
	suppressed := 0
	for _, row := range c.Severities {
		for status, n := range row {
			bySeverity[status] += n
		}
	}
	for _, control := range c.Controls {
		for status, n := range control.Statuses {
			byControl[status] += n
		}
		suppressed += control.Suppressed
	}
	if bySeverity != c.Total || byControl != c.Total || suppressed != c.Suppressed {
		t.Errorf("total %v, by severity %v, by control %v; suppressed %d and %d", c.Total, bySeverity, byControl,
			c.Suppressed, suppressed)
	}
}

func TestStats(t *testing.T) {
	root := withKey(rootRow(account1), 0, 400, 5)
	root.MFAActive = report.False
	root.Keys[1] = report.Key{LastRotated: daysAgo(500), LastUsed: daysAgo(100)}
	jo := withKey(userRow(account1, "jo"), 0, 30, 1)
	jo.PasswordEnabled, jo.MFAActive, jo.PasswordLastUsed = report.True, report.True, daysAgo(50)
	max := userRow(account1, "max")
	max.PasswordEnabled, max.PasswordLastUsed = report.True, daysAgo(1)
	amy := userRow(account1, "amy")
	amy.PasswordEnabled, amy.PasswordLastUsed = report.True, daysAgo(1)
	svc := withKey(userRow(account1, "svc"), 1, 91, 91)
	svc.Keys[0] = report.Key{LastRotated: daysAgo(600)}
	svc.Certificates[1] = report.Certificate{Active: report.True, LastRotated: daysAgo(4)}
	idle := userRow(account1, "idle")
	idle.Keys[0] = report.Key{Active: report.True, LastRotated: daysAgo(366)}
	glass, err := audit.ParseMatcher("user:max")
	if err != nil {
		t.Fatal(err)
	}
	a := newAuditor(t, audit.Options{Classes: audit.Classes{BreakGlass: []audit.Matcher{glass}}})
	got, _ := mustAudit(t, a, csvOf(t, root, jo, max, amy, svc, idle), fresh)
	want := audit.Stats{
		Rows: 6, Users: 5, ConsoleUsers: 3, ConsoleUsersMFA: 1, HumanUsers: 2, MachineUsers: 2, BreakGlassUsers: 1,
		ActiveKeys: 4, InactiveKeys: 2, ActiveCertificates: 1,
		UnusedCredentials: 3, // jo's password, the keys of svc and idle
		OldestKey:         daysAgo(400),
		Root: audit.RootStats{Seen: true, Password: report.True, MFA: report.False,
			Keys: 1, LastUsed: daysAgo(5)},
	}
	want.KeyAges[5][0] = 1 // root's
	want.KeyAges[0][0] = 1
	want.KeyAges[3][2] = 1
	want.KeyAges[5][3] = 1
	if diff := cmp.Diff(want, got.Stats); diff != "" {
		t.Errorf("stats, -want +got:\n%s", diff)
	}
}

func TestWorst(t *testing.T) {
	rows := []report.Row{withKey(rootRow(account1), 0, 10, 5)} // C1
	for i := range 30 {
		rows = append(rows, withKey(userRow(account1, fmt.Sprintf("u%02d", i)), 0, 100+i, 1)) // C9
	}
	got, _ := mustAudit(t, newAuditor(t, audit.Options{Top: 3}), csvOf(t, rows...), fresh)
	var worst []string
	for _, f := range got.Worst {
		worst = append(worst, fmt.Sprintf("%s %s %s %s", f.Control.ID, f.User, f.Status, f.Severity))
	}
	want := []string{"C1 <root_account> FAIL critical", "C4 <root_account> WARN high", "C9 u29 FAIL medium"}
	if diff := cmp.Diff(want, worst); diff != "" {
		t.Errorf("worst, -want +got:\n%s", diff)
	}
	got, _ = mustAudit(t, newAuditor(t, audit.Options{Top: -1}), csvOf(t, rows...), fresh)
	if len(got.Worst) != 0 {
		t.Errorf("%d worst, want none", len(got.Worst))
	}
}

func TestVisit(t *testing.T) {
	file := csvOf(t, rootRow(account1), userRow(account1, "fine"), withKey(userRow(account1, "svc"), 0, 100, 1))
	ctx := context.Background()
	visits := func(o audit.Options) (lines []int) {
		t.Helper()
		_, err := newAuditor(t, o).Audit(ctx, bytes.NewReader(file), fresh, nil, func(row *audit.Row) error {
			if (row.Report == nil) != (row.Line == 0) {
				t.Errorf("line %d, row %v", row.Line, row.Report)
			}
			lines = append(lines, row.Line)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	if got := visits(audit.Options{Statuses: audit.SetOf(audit.Fail)}); !slices.Equal(got, []int{4}) {
		t.Errorf("visits with FAIL: %v", got)
	}
	if got := visits(audit.Options{Statuses: audit.SetOf(audit.Fail), EveryRow: true}); !slices.Equal(got,
		[]int{2, 3, 4}) {
		t.Errorf("visits of every row: %v", got)
	}
	if got := visits(audit.Options{Statuses: audit.AllStatuses}); !slices.Equal(got, []int{2, 3, 4, 0}) {
		t.Errorf("visits with all statuses: %v", got)
	}

	t.Run("an error of it ends the audit", func(t *testing.T) {
		a := newAuditor(t, audit.Options{})
		stop := errors.New("stop")
		if _, err := a.Audit(ctx, bytes.NewReader(file), fresh, nil,
			func(*audit.Row) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
		if got := a.Summary(); len(got.Accounts) != 0 {
			t.Errorf("%d accounts are remembered", len(got.Accounts))
		}
	})
	t.Run("so does the context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := newAuditor(t, audit.Options{}).Audit(ctx, bytes.NewReader(file), fresh, nil,
			nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestFindingsAreKept checks that a finding is still valid when its row is
// gone.
func TestFindingsAreKept(t *testing.T) {
	var rows []report.Row
	for i := range 50 {
		rows = append(rows, withKey(userRow(account1, fmt.Sprintf("u%02d", i)), 0, 100+i, 50))
	}
	_, findings := mustAudit(t, newAuditor(t, audit.Options{}), csvOf(t, rows...), fresh)
	n := 0
	for i := range findings {
		f := &findings[i]
		if f.Control.ID != audit.KeyAge {
			continue
		}
		want := fmt.Sprintf("u%02d key:%s %d", n, rows[n].Keys[0].LastRotated, n+2)
		if got := fmt.Sprintf("%s %s %d", f.User, f.Credential.ID(), f.Line); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if !strings.Contains(f.Reason.String(), fmt.Sprintf("%d days old", 100+n)) ||
			f.Age != time.Duration(100+n)*24*time.Hour || f.Limit != 90*24*time.Hour {
			t.Errorf("%s: %s (%s of %s)", f.User, f.Reason, f.Age, f.Limit)
		}
		n++
	}
	if n != 50 {
		t.Errorf("%d findings of C9", n)
	}
}

func TestConcurrentAudits(t *testing.T) {
	a := newAuditor(t, audit.Options{})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			id := fmt.Sprintf("%012d", i)
			file := csvOf(t, rootRow(id), withKey(userRow(id, "svc"), 0, 100, 1))
			if _, err := a.Audit(context.Background(), bytes.NewReader(file), fresh, nil, nil); err != nil {
				t.Error(err)
			}
			a.Summary()
		})
	}
	wg.Wait()
	s := a.Summary()
	if len(s.Accounts) != 20 || s.Counts.Total[audit.Fail] != 20 {
		t.Errorf("%d accounts, %d FAIL", len(s.Accounts), s.Counts.Total[audit.Fail])
	}
}

func TestNew(t *testing.T) {
	for name, o := range map[string]audit.Options{
		"control of another benchmark": {Controls: []audit.ControlID{audit.OneActiveKey}},
		"threshold out of range":       {Params: &audit.Params{}},
		"exception without owner":      {Exceptions: []audit.Exception{{ID: "x"}}},
	} {
		if _, err := audit.New(o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestFingerprint(t *testing.T) {
	prints := func(rows ...report.Row) map[string]string {
		_, findings := mustAudit(t, newAuditor(t, audit.Options{}), csvOf(t, rows...), fresh)
		m := map[string]string{}
		for i := range findings {
			f := &findings[i]
			if len(f.Fingerprint()) != 32 {
				t.Errorf("fingerprint %q", f.Fingerprint())
			}
			m[f.Fingerprint()] = fmt.Sprintf("%s %s %s", f.Control.ID, f.User, f.Credential.ID())
		}
		if len(m) != len(findings) {
			t.Errorf("%d findings have %d fingerprints", len(findings), len(m))
		}
		return m
	}
	two := withKey(withKey(userRow(account1, "svc"), 0, 100, 60), 1, 200, 60)
	swapped := withKey(withKey(userRow(account1, "svc"), 1, 100, 60), 0, 200, 60)
	before := prints(rootRow(account1), two)
	after := prints(rootRow(account1), userRow(account1, "new"), swapped)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("a line more and keys in other places, -before +after:\n%s", diff)
	}
	if len(before) != 6 { // C3, C18, two of C8, two of C9
		t.Errorf("findings %v", before)
	}
	other := prints(rootRow(account2), withKey(withKey(userRow(account2, "svc"), 0, 100, 60), 1, 200, 60))
	for p := range other {
		if _, same := before[p]; same {
			t.Errorf("another account has the fingerprint of %s", before[p])
		}
	}
}

func TestExitCode(t *testing.T) {
	summary := func(change func(*audit.Summary)) *audit.Summary {
		s := &audit.Summary{Accounts: []*audit.AccountSummary{{}, {}}}
		change(s)
		return s
	}
	count := func(severity audit.Severity, status audit.Status) func(*audit.Summary) {
		return func(s *audit.Summary) { s.Counts.Severities[severity][status]++ }
	}
	high := audit.ExitPolicy{FailOn: audit.High}
	for _, c := range []struct {
		name   string
		s      *audit.Summary
		policy audit.ExitPolicy
		want   int
	}{
		{"clean", summary(func(*audit.Summary) {}), high, audit.ExitClean},
		{"finding at the limit", summary(count(audit.High, audit.Fail)), high, audit.ExitFindings},
		{"finding above", summary(count(audit.Critical, audit.Fail)), high, audit.ExitFindings},
		{"finding below", summary(count(audit.Medium, audit.Fail)), high, audit.ExitClean},
		{"zero policy", summary(count(audit.Info, audit.Fail)), audit.ExitPolicy{}, audit.ExitFindings},
		{"warning", summary(count(audit.Critical, audit.Warn)), high, audit.ExitClean},
		{"warning that counts", summary(count(audit.High, audit.Warn)),
			audit.ExitPolicy{FailOn: audit.High, Warnings: true}, audit.ExitFindings},
		{"manual", summary(count(audit.Critical, audit.Manual)), audit.ExitPolicy{Warnings: true}, audit.ExitClean},
		{"suppressed", summary(func(s *audit.Summary) { s.Counts.Suppressed = 5 }),
			audit.ExitPolicy{}, audit.ExitClean},
		{"no account", &audit.Summary{}, high, audit.ExitIncomplete},
		{"missing account", summary(func(s *audit.Summary) { s.Accounts[1].Missing = true }),
			high, audit.ExitIncomplete},
		{"problem", summary(func(s *audit.Summary) { s.Accounts[1].ProblemCount = 1 }), high, audit.ExitIncomplete},
		{"NO_DATA", summary(func(s *audit.Summary) { s.Accounts[0].Counts.Total[audit.NoData] = 1 }),
			high, audit.ExitIncomplete},
		{"stale", summary(func(s *audit.Summary) { s.Accounts[0].Stale = true }), high, audit.ExitClean},
		{"stale and not allowed", summary(func(s *audit.Summary) { s.Accounts[0].Stale = true }),
			audit.ExitPolicy{FailOn: audit.High, RequireFresh: true}, audit.ExitIncomplete},
		{"incomplete with findings", summary(func(s *audit.Summary) {
			s.Accounts[1].Missing = true
			s.Counts.Severities[audit.Critical][audit.Fail] = 1
		}), high, audit.ExitIncomplete},
	} {
		if got := audit.ExitCode(c.s, c.policy); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestStale(t *testing.T) {
	file := csvOf(t, rootRow(account1))
	for name, c := range map[string]struct {
		src  audit.Source
		now  time.Time
		want bool
	}{
		"fresh": {audit.Source{Generated: asOf, Fetched: asOf.Add(24 * time.Hour)}, time.Time{}, false},
		"a second over": {audit.Source{Generated: asOf, Fetched: asOf.Add(24*time.Hour + time.Second)},
			time.Time{}, true},
		"by the fetcher":       {audit.Source{Generated: asOf, Fetched: asOf, Origin: "stale"}, time.Time{}, true},
		"by today":             {audit.Source{Generated: asOf}, asOf.Add(48 * time.Hour), true},
		"fetched counts first": {audit.Source{Generated: asOf, Fetched: asOf}, asOf.Add(48 * time.Hour), false},
		"nobody knows":         {audit.Source{Generated: asOf}, time.Time{}, false},
	} {
		got, _ := mustAudit(t, newAuditor(t, audit.Options{Now: c.now}), file, c.src)
		if got.Stale != c.want {
			t.Errorf("%s: stale is %v", name, got.Stale)
		}
		if !got.Source.Fetched.Equal(c.src.Fetched) {
			t.Errorf("%s: the source was changed to %s", name, got.Source.Fetched)
		}
	}
}

// TestProblems checks that all problems are counted, and that a hundred are
// described.
func TestProblems(t *testing.T) {
	rows := []report.Row{rootRow(account1)}
	for i := range 150 {
		rows = append(rows, userRow(fmt.Sprintf("%012d", i), fmt.Sprintf("u%d", i)))
	}
	got, _ := mustAudit(t, newAuditor(t, audit.Options{}), csvOf(t, rows...), fresh)
	if got.ProblemCount != 150 || len(got.Problems) != 100 || !got.Incomplete() {
		t.Errorf("%d problems, %d told", got.ProblemCount, len(got.Problems))
	}
	p := got.Problems[1]
	if p.Line != 4 || p.Column != "arn" ||
		p.Text != "The row is of another account: arn:aws:iam::000000000001:user/u1." {
		t.Errorf("problem %+v", p)
	}
}

// TestMissingRoot checks that a finding about a root user without a row names
// root.
func TestMissingRoot(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		src  audit.Source
		arn  string
	}{
		"account of a row": {csvOf(t, userRow(account1, "jo")), fresh, "arn:aws:iam::123456789012:root"},
		"account told": {csvOf(t), audit.Source{Account: account2, Partition: "aws-eusc"},
			"arn:aws-eusc:iam::210987654321:root"},
		"nothing known":         {csvOf(t), audit.Source{}, ""},
		"no partition known":    {csvOf(t), audit.Source{Account: account2}, ""},
		"partition known, only": {csvOf(t), audit.Source{Partition: "aws"}, ""},
	} {
		_, findings := mustAudit(t, newAuditor(t, audit.Options{Controls: []audit.ControlID{audit.RootMFA}}), c.file,
			c.src)
		if len(findings) != 1 {
			t.Fatalf("%s: %d findings", name, len(findings))
		}
		f := findings[0]
		if f.Status != audit.NoData || f.User != report.RootUser || f.ARN != c.arn || f.Line != 0 ||
			f.Class != audit.ClassRoot {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestCredentialID(t *testing.T) {
	at := daysAgo(0)
	for want, c := range map[string]audit.Credential{
		"":                           {},
		"password":                   {Kind: audit.Password},
		"key:2026-09-01T12:00:00Z":   {Kind: audit.AccessKey, Slot: 2, Created: at},
		"key:2026-09-01T12:00:00Z#2": {Kind: audit.AccessKey, Slot: 2, Created: at, Tied: true},
		"key:#1":                     {Kind: audit.AccessKey, Slot: 1},
		"cert:2026-09-01T12:00:00Z":  {Kind: audit.Certificate, Slot: 1, Created: at},
	} {
		if got := c.ID(); got != want {
			t.Errorf("%+v is %q, want %q", c, got, want)
		}
	}
}

// TestLongCells checks that a reason shortens long cells.
func TestLongCells(t *testing.T) {
	row := rootRow(account1)
	file := strings.Replace(string(csvOf(t, row)), ",true,", ","+strings.Repeat("é", 20_000)+",", 1)
	_, findings := mustAudit(t,
		newAuditor(t, audit.Options{Controls: []audit.ControlID{audit.RootMFA, audit.CentralRoot}}), []byte(file),
		fresh)
	for _, f := range findings {
		if len(f.Reason.String()) > 500 {
			t.Errorf("%s: a reason of %d bytes", f.Control.ID, len(f.Reason.String()))
		}
	}
	name := strings.Repeat("x", 200)
	foreign := userRow("999999999999", name)
	_, findings = mustAudit(t, newAuditor(t, audit.Options{}), csvOf(t, row, foreign), fresh)
	for _, f := range findings {
		if f.Control.ID == audit.Evidence && f.User == name && !strings.Contains(f.Reason.String(), "…") {
			t.Errorf("reason %q", f.Reason)
		}
	}
}

// C18 is judged if the options name the account that manages root users centrally.
func TestManagementAccount(t *testing.T) {
	file := func(account string) []byte {
		return []byte("user,arn,user_creation_time,password_enabled,access_key_1_active,access_key_2_active," +
			"cert_1_active,cert_2_active\n" +
			"<root_account>,arn:aws:iam::" + account + ":root,2020-01-01T00:00:00Z,true,false,false,false,false")
	}
	for name, c := range map[string]struct {
		management, account string
		want                audit.Status
	}{
		"member":     {"111111111111", "222222222222", audit.Warn},
		"management": {"111111111111", "111111111111", audit.NotApplicable},
		"not said":   {"", "222222222222", audit.Manual},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuditor(t,
				audit.Options{Controls: []audit.ControlID{audit.CentralRoot}, ManagementAccount: c.management,
					Statuses: audit.AllStatuses})
			_, findings := mustAudit(t, a, file(c.account), fresh)
			if len(findings) != 1 || findings[0].Status != c.want {
				t.Errorf("%+v, want %v", findings, c.want)
			}
		})
	}
}
