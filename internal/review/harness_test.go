package review

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/history"
	"rollcall/internal/reports"
	"rollcall/report"
)

const one, two = "111111111111", "222222222222"

// frozen is the time of the first report, and started that of the first review.
var (
	frozen  = time.Date(2026, 10, 1, 6, 0, 0, 0, time.UTC)
	started = frozen.Add(2 * time.Hour)
)

// user is a row of a report.
func user(account, name string, edit ...func(*report.Row)) report.Row {
	r := report.Row{User: name, ARN: "arn:aws:iam::" + account + ":user/" + name,
		Created: report.At(frozen.AddDate(-1, 0, 0))}
	for _, e := range edit {
		e(&r)
	}
	return r
}

// withPassword gives a row a password that was used yesterday, and MFA.
func withPassword(r *report.Row) {
	r.PasswordEnabled, r.MFAActive = report.True, report.True
	r.PasswordLastUsed, r.PasswordLastChanged = report.At(frozen.AddDate(0, 0, -1)), report.At(frozen.AddDate(0, -1, 0))
}

// withoutMFA makes C5 fail.
func withoutMFA(r *report.Row) {
	withPassword(r)
	r.MFAActive = report.False
}

// withKey gives a row an active key of this many days that was used yesterday.
func withKey(slot, days int) func(*report.Row) {
	return func(r *report.Row) {
		r.Keys[slot-1] = report.Key{Active: report.True, LastRotated: report.At(frozen.AddDate(0, 0, -days)),
			LastUsed: report.At(frozen.AddDate(0, 0, -1)), LastUsedService: report.TextOf("s3"),
			LastUsedRegion: report.TextOf("eu-west-1")}
	}
}

func csvOf(t testing.TB, rows ...report.Row) []byte {
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

// saveReport puts a report into a folder of reports.
func saveReport(t testing.TB, dir, account string, at time.Time, content []byte) {
	t.Helper()
	folder, err := history.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Save(history.Meta{Account: account, Partition: "aws", GeneratedAt: at, FetchedAt: at,
		Source: "generated", Caller: "arn:aws:iam::" + one + ":user/auditor", Command: "rollcall report --org"},
		content); err != nil {
		t.Fatal(err)
	}
	if err := folder.SetOutcome(history.Outcome{Account: account, Status: history.OK, GeneratedAt: at, At: at,
		Run: at}); err != nil {
		t.Fatal(err)
	}
}

// people are the rows of account one in most tests.
func people() []report.Row {
	return []report.Row{
		user(one, "ana", withPassword), user(one, "bob", withoutMFA), user(one, "=cmd", withKey(1, 10)),
		user(one, "svc", withKey(1, 200), withKey(2, 20)), user(one, "idle"),
	}
}

// ownersText makes ana the reviewer, and ben that of ana.
const ownersText = "reviewer,user\nben@example.com,ana\nana@example.com,*\n"

func mustOwners(t testing.TB, text string) Owners {
	t.Helper()
	o, err := ReadOwners(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// startOf returns a start of the newest reports in a folder.
func startOf(t testing.TB, reportsDir, into string) *Start {
	t.Helper()
	found, err := reports.Find([]string{reportsDir}, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return &Start{
		Dir: into, Name: filepath.Base(into), Program: "rollcall test", Command: "rollcall review start reports",
		Now: started, Due: audit.DateOf(started.AddDate(0, 0, 14)), RevokeWithinDays: 14, EveryDays: 92,
		Reports: found.Reports, Inactive: found.Inactive, List: AccountList{Source: "folder", ReadAt: frozen},
		Owners: mustOwners(t, ownersText),
	}
}

func mustStart(t testing.TB, s *Start) *Review {
	t.Helper()
	r, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// newReview starts a review of people.
func newReview(t testing.TB) *Review {
	t.Helper()
	dir := t.TempDir()
	saveReport(t, filepath.Join(dir, "reports"), one, frozen, csvOf(t, people()...))
	return mustStart(t, startOf(t, filepath.Join(dir, "reports"), filepath.Join(dir, "review", "2026-Q4")))
}

// sheet is a CSV sheet in memory.
type sheet struct {
	names []string
	rows  [][]string
}

func readSheet(t testing.TB, r *Review, name string) *sheet {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, sheetsDir, name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return &sheet{all[0], all[1:]}
}

func (s *sheet) column(t testing.TB, name string) int {
	t.Helper()
	for i, n := range s.names {
		if n == name {
			return i
		}
	}
	t.Fatalf("no column %s", name)
	return -1
}

// set fills cells of the rows of a user; "" is every row.
func (s *sheet) set(t testing.TB, user, column, value string) *sheet {
	t.Helper()
	at, who := s.column(t, column), s.column(t, "user")
	for _, row := range s.rows {
		if user == "" || strings.TrimPrefix(row[who], "'") == user {
			row[at] = value
		}
	}
	return s
}

func (s *sheet) text(separator rune) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = separator
	w.Write(s.names)
	w.WriteAll(s.rows)
	return b.Bytes()
}

// good returns ana's sheet with good answers.
func good(t testing.TB, r *Review) *sheet {
	t.Helper()
	s := readSheet(t, r, "ana@example.com")
	s.set(t, "", columnDecision, "keep").set(t, "", columnReason, "needed").set(t, "svc", columnDecision, "revoke")
	s.set(t, "bob", columnDecision, "exception").set(t, "bob", columnExpires, "2027-01-31").
		set(t, "bob", columnTicket, "SEC-1")
	return s.set(t, "=cmd", columnDecision, "change").set(t, "=cmd", columnReason, "=A1 is to be renamed")
}

// goodJSON returns the same as the page writes it.
func goodJSON(t testing.TB, r *Review, edit func(*decisionsJSON)) []byte {
	t.Helper()
	f := decisionsJSON{Kind: decisionsKind, Version: version, Review: r.Manifest.Name, Freeze: r.ShortFreeze(),
		Reviewer: "ana@example.com", DecidedBy: "ana@example.com", WrittenAt: started}
	for n := range r.Items {
		if i := &r.Items[n]; i.Reviewer == "ana@example.com" {
			f.Decisions = append(f.Decisions, decisionJSON{Line: i.Line, Facts: digestOf(i), Decision: Keep, Reason: "needed"})
		}
	}
	if edit != nil {
		edit(&f)
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// collectAll answers for everybody: ana as good has it, and ben keeps.
func collectAll(t testing.TB, r *Review, at time.Time) {
	t.Helper()
	ben := readSheet(t, r, "ben@example.com").set(t, "", columnDecision, "keep")
	for name, s := range map[string]*sheet{"ana.csv": good(t, r), "ben.csv": ben} {
		if _, err := r.Collect(t.Context(), name, s.text(','), false, at); err != nil {
			t.Fatal(err)
		}
	}
}

func itemFor(t testing.TB, r *Review, user, kind string) *Item {
	t.Helper()
	for n := range r.Items {
		if i := &r.Items[n]; i.User == user && i.Kind == kind {
			return i
		}
	}
	t.Fatalf("no %s of %s", kind, user)
	return nil
}

func mustContain(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
