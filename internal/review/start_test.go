package review

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/fleet"
	"rollcall/internal/history"
	"rollcall/report"
)

// TestStart freezes every user and credential, the report byte for byte, and says
// how the report was obtained.
func TestStart(t *testing.T) {
	r := newReview(t)
	m := r.Manifest
	if m.Users != 5 || m.Items != 6 || len(m.Accounts) != 1 || m.Accounts[0].State != Reviewed || !m.Complete() {
		t.Fatalf("%+v", m)
	}
	o := m.Accounts[0].Report
	content, err := os.ReadFile(filepath.Join(r.dir, o.File))
	if err != nil || !bytes.Equal(content, csvOf(t, people()...)) || sumOf(content) != o.SHA256 {
		t.Errorf("the report is not the same: %v", err)
	}
	if o.Caller != "arn:aws:iam::"+one+":user/auditor" || o.Command != "rollcall report --org" ||
		!o.GeneratedAt.Equal(frozen) {
		t.Errorf("%+v", o)
	}
	if got := itemFor(t, r, "ana", kindPassword).Reviewer; got != "ben@example.com" {
		t.Errorf("%s reviews ana", got)
	}
	idle := itemFor(t, r, "idle", kindUser)
	if idle.State != stateNone || idle.Reviewer != "ana@example.com" {
		t.Errorf("%+v", idle)
	}
	key := itemFor(t, r, "svc", kindKey)
	if !key.Fails() || *key.AgeDays != 200 || *key.UnusedDays != 1 || key.UsedFrom != "s3 eu-west-1" {
		t.Errorf("%+v", key)
	}
	if bob := itemFor(t, r, "bob", kindPassword); !bob.Fails() || bob.MFA != "no" {
		t.Errorf("%+v", bob)
	}
	if _, err := startOf(t, filepath.Join(r.dir, "reports"), r.dir).Run(t.Context()); err == nil {
		t.Error("a review was started in the folder of another one")
	}
}

// TestStartRefuses tells who has no reviewer, and who would review themselves.
func TestStartRefuses(t *testing.T) {
	dir := t.TempDir()
	saveReport(t, filepath.Join(dir, "reports"), one, frozen, csvOf(t, people()...))
	for owners, want := range map[string]string{
		"reviewer,user\nben,b*\n":                        "nobody reviews ana, =cmd, svc, idle",
		"reviewer\nana@example.com\n":                    "ana@example.com would review ana",
		"version: 1\nrest: ben\npeople: {ben: [svc]}":    "ben would review svc",
		"version: 1\nrest: SVC\ndeputy: svc@example.com": "SVC would review svc",
	} {
		s := startOf(t, filepath.Join(dir, "reports"), filepath.Join(t.TempDir(), "r"))
		s.Owners = mustOwners(t, owners)
		_, err := s.Run(t.Context())
		mustContain(t, err, want)
		if left, err := os.ReadDir(s.Dir); err != nil || len(left) > 0 {
			t.Errorf("%v is left, so the corrected command is refused: %v", left, err)
		}
	}
	s := startOf(t, filepath.Join(dir, "reports"), filepath.Join(t.TempDir(), "r"))
	s.Owners = mustOwners(t, "version: 1\nrest: ana\ndeputy: ben")
	if r := mustStart(t, s); itemFor(t, r, "ana", kindPassword).Reviewer != "ben" {
		t.Error("the deputy does not review the reviewer")
	}
	twice := append(people(), user(one, "bob", withPassword))
	saveReport(t, filepath.Join(dir, "twice"), one, frozen, csvOf(t, twice...))
	_, err := startOf(t, filepath.Join(dir, "twice"), filepath.Join(t.TempDir(), "r")).Run(t.Context())
	mustContain(t, err, "the report has user bob twice")
	for _, name := range []string{"a.csv", "b.csv"} {
		name = filepath.Join(dir, "by hand", name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, csvOf(t, people()...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err = startOf(t, filepath.Join(dir, "by hand"), filepath.Join(t.TempDir(), "r")).Run(t.Context())
	mustContain(t, err, "there are two reports of account "+one)
}

// TestReconcile names the accounts that are missing, inactive, or not listed.
func TestReconcile(t *testing.T) {
	dir := t.TempDir()
	reports := filepath.Join(dir, "reports")
	saveReport(t, reports, one, frozen, csvOf(t, people()...))
	saveReport(t, reports, two, frozen, csvOf(t, user(two, "eve")))
	folder, err := history.Open(reports)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []history.Outcome{
		{Account: "333333333333", Name: "shop", Status: history.Denied, Message: "AccessDenied."},
		{Account: "444444444444", Status: history.Closed},
	} {
		if err := folder.SetOutcome(o); err != nil {
			t.Fatal(err)
		}
	}
	states := func(s *Start) string {
		var all []string
		r := mustStart(t, s)
		for _, a := range r.Manifest.Accounts {
			all = append(all, a.Account[:1]+" "+string(a.State))
		}
		return strings.Join(all, ", ")
	}
	s := startOf(t, reports, filepath.Join(dir, "a"))
	if got := states(s); got != "1 reviewed, 2 reviewed, 3 missing, 4 inactive" {
		t.Error(got)
	}
	s = startOf(t, reports, filepath.Join(dir, "b"))
	s.Expected = []fleet.Member{{Account: one}, {Account: "333333333333"}, {Account: "444444444444"},
		{Account: "555555555555", Name: "new"}, {Account: "666666666666", Inactive: history.Suspended}}
	if got, want := states(s), "1 reviewed, 2 unlisted, 3 missing, 4 missing, 5 missing, 6 inactive"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPrevious compares a review with the previous one: the changes, new and removed
// credentials, and how often in a row one was kept.
func TestPrevious(t *testing.T) {
	first := newReview(t)
	collectAll(t, first, started)
	dir := t.TempDir()
	later := frozen.AddDate(0, 3, 0)
	rows := []report.Row{
		user(one, "ana", withPassword), user(one, "bob", withPassword), user(one, "=cmd", withKey(1, 10)),
		user(one, "svc", withKey(2, 20)), user(one, "new", withKey(1, 1)),
	}
	rows[2].Keys[0].Active = report.False
	saveReport(t, filepath.Join(dir, "reports"), one, later, csvOf(t, rows...))
	s := startOf(t, filepath.Join(dir, "reports"), filepath.Join(dir, "2027-Q1"))
	s.Previous, s.Now = first, later
	r := mustStart(t, s)
	if p := r.Manifest.Previous; p == nil || p.New != 1 || p.GoneItems != 2 || p.Freeze != first.Freeze {
		t.Fatalf("%+v", r.Manifest.Previous)
	}
	cmd := itemFor(t, r, "=cmd", kindKey)
	if got := join(cmd.Changes); !strings.Contains(got, "It was active and is inactive.") {
		t.Error(got)
	}
	bob := itemFor(t, r, "bob", kindPassword)
	if got := join(bob.Changes); !strings.Contains(got, "MFA of the user was no and is yes.") ||
		!strings.Contains(got, "C5 failed and no longer does.") {
		t.Error(got)
	}
	if bob.Before.Decision != Exception || bob.Before.Expires != "2027-01-31" || bob.KeptInARow != 1 {
		t.Errorf("%+v", bob)
	}
	if svc := itemFor(t, r, "svc", kindKey); svc.Before.Decision != Revoke || svc.KeptInARow != 0 {
		t.Errorf("%+v", svc)
	}
	if !itemFor(t, r, "new", kindKey).New {
		t.Error("what is new is not said to be")
	}
	// Decisions for the earlier freeze are refused.
	_, err := r.Collect(t.Context(), "old.csv", good(t, first).text(','), false, later)
	mustContain(t, err, "it is for the review 2026-Q4, which is past: this is 2027-Q1")
}
