package review

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/plan"
	"rollcall/internal/enrich"
	"rollcall/internal/history"
	"rollcall/report"
)

// TestFacts takes reviewers from tags, and key ids from the facts beside the
// report. It keeps the facts unchanged in the review.
func TestFacts(t *testing.T) {
	dir := t.TempDir()
	row := user(one, "svc", withKey(1, 200))
	row.Keys[0].LastUsed = report.At(frozen.AddDate(0, 0, -100))
	saveReport(t, filepath.Join(dir, "reports"), one, frozen, csvOf(t, row, user(one, "again")))
	folder, err := history.Open(filepath.Join(dir, "reports"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := folder.Newest(one, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	made, _ := row.Created.Value()
	facts := &audit.Enrichment{Users: map[string]audit.UserFacts{
		"svc": {Created: made, Tags: map[string]string{"owner": "ana@example.com"}, Keys: []audit.KeyFact{
			{ID: "AKIAIOSFODNN7EXAMPLE", Created: frozen.AddDate(0, 0, -200), Active: true},
		}},
		// A user of that name who was created later is somebody else.
		"again": {Created: made.AddDate(0, 0, 1), Tags: map[string]string{"owner": "eve"}},
	}}
	if err := folder.SaveFacts(s, enrich.Saved{Account: one, Facts: facts}); err != nil {
		t.Fatal(err)
	}
	start := startOf(t, filepath.Join(dir, "reports"), filepath.Join(dir, "r"))
	start.Owners = Owners{Tag: "owner", Rest: "ben"}
	r := mustStart(t, start)
	key := itemFor(t, r, "svc", kindKey)
	if key.Reviewer != "ana@example.com" || key.KeyID != "AKIAIOSFODNN7EXAMPLE" {
		t.Errorf("%+v", key)
	}
	if again := itemFor(t, r, "again", kindUser); again.Reviewer != "ben" {
		t.Errorf("%+v", again)
	}
	sheet := readSheet(t, r, "ana@example.com").set(t, "", columnDecision, "revoke")
	if _, err := r.Collect(t.Context(), "ana.csv", sheet.text(','), false, started); err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(plan.Options{Start: started, Now: started})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Plan(t.Context(), p, func(*plan.Service) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if p.Total != 1 || p.Accounts[0].Items[0].KeyID != "AKIAIOSFODNN7EXAMPLE" {
		t.Errorf("%+v", p.Accounts[0])
	}
	file := filepath.Join(r.dir, r.Manifest.Accounts[0].Report.Facts.File)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	altered := strings.Replace(string(text), "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7ELPMAXE", 1)
	if err := os.WriteFile(file, []byte(altered), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Inspect(t.Context(), r.dir, Checking{})
	if err != nil || !strings.Contains(strings.Join(c.Problems, "\n"), ".facts.json is not what was frozen") {
		t.Errorf("%v %q", err, c.Problems)
	}
}
