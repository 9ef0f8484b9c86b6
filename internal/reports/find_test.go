package reports_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/enrich"
	"rollcall/internal/history"
	"rollcall/internal/reports"
)

const one, two, three = "111111111111", "222222222222", "333333333333"

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// csvOf returns a report of an account with one user.
func csvOf(account, user string) string {
	return fmt.Sprintf("user,arn,user_creation_time\n%s,arn:aws:iam::%s:user/%s,2026-01-01T00:00:00Z\n", user, account,
		user)
}

// folderOf creates a folder with one report of account one, two reports of
// account two, and none of account three.
func folderOf(t *testing.T) *history.Folder {
	t.Helper()
	folder, err := history.Create(filepath.Join(t.TempDir(), "reports"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		account, user string
		generated     time.Time
	}{{one, "amy", noon}, {two, "bob", noon}, {two, "cyd", noon.Add(time.Hour)}} {
		meta := history.Meta{
			Account: r.account, Partition: "aws", GeneratedAt: r.generated, FetchedAt: r.generated, Source: "generated",
			Endpoint: "https://iam.example.com",
		}
		if _, err := folder.Save(meta, []byte(csvOf(r.account, r.user))); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range []history.Outcome{
		{Account: one, Name: "payments", Status: history.OK, Profile: "ops"},
		{Account: two, Status: history.Denied, Message: "AccessDenied.", At: noon.Add(2 * time.Hour)},
		{Account: three, Status: history.Timeout},
		{Account: "444444444444", Name: "old", Status: history.Closed},
	} {
		if err := folder.SetOutcome(o); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func write(t *testing.T, content string, elements ...string) string {
	t.Helper()
	file := filepath.Join(elements...)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func mustFind(t *testing.T, at time.Time, stdin io.Reader, args ...string) reports.Found {
	t.Helper()
	found, err := reports.Find(args, stdin, at)
	if err != nil {
		t.Fatal(err)
	}
	for i := range found.Reports {
		if err := found.Reports[i].Prepare(false); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func content(t *testing.T, r *reports.Report) string {
	t.Helper()
	from, err := r.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	text, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFolder finds the newest report of each account, and checks the reasons
// for missing ones and other notes.
func TestFolder(t *testing.T) {
	folder := folderOf(t)
	found := mustFind(t, time.Time{}, nil, folder.Dir())
	var got []string
	for i := range found.Reports {
		r := &found.Reports[i]
		got = append(got,
			fmt.Sprint(r.Title(), "|", r.Missing, "|", r.Problem, "|", r.Service, " ", r.Service.Profile, "|",
				r.Source.Generated.Format(time.TimeOnly), "|", len(r.Snapshots)))
	}
	want := []string{
		one + " payments|||https://iam.example.com ops|12:00:00|1",
		two + "||The last run, of 2026-11-23T14:00:00Z, got no report: AccessDenied. This one is older." +
			"|https://iam.example.com |13:00:00|2",
		three + "|timeout||a file that does not name its service |00:00:00|0",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if len(found.Inactive) != 1 || found.Inactive[0].Outcome.Name != "old" {
		t.Errorf("inactive: %+v", found.Inactive)
	}
	if text := content(t, &found.Reports[1]); text != csvOf(two, "cyd") {
		t.Error(text)
	}
	// The report of that time, of the account whose own folder is named.
	then := mustFind(t, noon, nil, filepath.Join(folder.Dir(), two))
	if len(then.Reports) != 1 || content(t, &then.Reports[0]) != csvOf(two, "bob") || then.Reports[0].Problem != "" {
		t.Errorf("%+v", then)
	}
}

// TestFile finds files of every kind, and checks the dates of files without
// one.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	plain := write(t, csvOf(one, "amy"), dir, "a.csv")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, csvOf(two, "bob")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, packed.String(), dir, "b.csv.gz")
	write(t, "not a report", dir, "c.csv")
	write(t, "left alone", dir, "d.txt")
	if err := os.Chtimes(plain, noon, noon); err != nil {
		t.Fatal(err)
	}
	found := mustFind(t, time.Time{}, strings.NewReader(csvOf(three, "cyd")), dir, "-")
	if len(found.Reports) != 4 {
		t.Fatalf("%+v", found.Reports)
	}
	file, gz, none, stdin := &found.Reports[0], &found.Reports[1], &found.Reports[2], &found.Reports[3]
	if file.Guess == nil || file.Guess.From != "when the file was written, 2026-11-23T12:00:00Z" ||
		!file.Source.Generated.Equal(noon) {
		t.Errorf("%+v", file)
	}
	if content(t, gz) != csvOf(two, "bob") || gz.Source.Path != "" || len(gz.Source.SHA256) != 64 {
		t.Errorf("%+v", gz.Source)
	}
	if !strings.Contains(none.Missing, "this is not a credential report") ||
		!strings.HasSuffix(none.Source.Name, "c.csv") {
		t.Errorf("%+v", none)
	}
	if stdin.Guess == nil || stdin.Guess.From != "now" || content(t, stdin) != csvOf(three, "cyd") {
		t.Errorf("%+v", stdin)
	}
	alone, err := reports.Find([]string{filepath.Join(dir, "c.csv")}, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := alone.Reports[0].Prepare(false); err == nil {
		t.Error("a file that is not a report is taken for a missing one where it is alone")
	}
	empty := t.TempDir()
	if _, err := reports.Find([]string{empty}, nil, noon); err == nil ||
		!strings.Contains(err.Error(), "of 2026-11-23T12:00:00Z or before") {
		t.Error(err)
	}
	if _, err := reports.Find([]string{filepath.Join(empty, "gone")}, nil, noon); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// TestFileOfFolder checks that a file has the facts of its folder, including
// damage and the facts next to it.
func TestFileOfFolder(t *testing.T) {
	folder := folderOf(t)
	s, err := folder.Newest(one, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	saved := enrich.Saved{Account: one, Facts: &audit.Enrichment{RootVirtualMFA: audit.Yes}}
	if err := folder.SaveFacts(s, saved); err != nil {
		t.Fatal(err)
	}
	r := mustFind(t, time.Time{}, nil, s.Path).Reports[0]
	if r.Guess != nil || !r.Source.Generated.Equal(noon) || r.Facts == nil || r.Facts.RootVirtualMFA != audit.Yes {
		t.Errorf("%+v", r)
	}
	auditor, err := audit.New(audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.Problem = "Something."
	of, err := r.Audit(t.Context(), auditor, nil)
	if err != nil || of.Stats.Users != 1 || of.Problems[len(of.Problems)-1].Text != "Something." ||
		of.ProblemCount != len(of.Problems) {
		t.Errorf("%v: %+v", err, of)
	}
	write(t, csvOf(one, "eve"), s.Path)
	damaged := mustFind(t, time.Time{}, nil, s.Path).Reports[0]
	if !strings.HasSuffix(damaged.Missing, "is damaged: it is not what was saved") {
		t.Errorf("%+v", damaged)
	}
	if of, err := damaged.Audit(t.Context(), auditor, nil); err != nil || !of.Missing {
		t.Errorf("%v: %+v", err, of)
	}
}

// TestInMemory opens a report several times.
func TestInMemory(t *testing.T) {
	r := reports.InMemory([]byte(csvOf(one, "amy")), audit.Source{Generated: noon})
	if err := r.Prepare(false); err != nil || r.Guess != nil || len(r.Source.SHA256) != 64 {
		t.Errorf("%v: %+v", err, r)
	}
	for range 2 {
		if content(t, &r) != csvOf(one, "amy") {
			t.Error(content(t, &r))
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-23": "2026-11-23T00:00:00Z", "2026-11-23 12:30": "2026-11-23T12:30:00Z",
		"2026-11-23T12:30:05+01:00": "2026-11-23T11:30:05Z", "noon": "",
	} {
		got, ok := reports.ParseTime(text)
		if ok != (want != "") || ok && got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %v %v", text, got, ok)
		}
	}
}

// TestDigest checks that the digest is that of the whole file, whether it is
// asked for before the audit or comes with it, and also if the file is damaged.
func TestDigest(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"whole.csv":   csvOf(one, "amy"),
		"damaged.csv": csvOf(one, "amy") + "too,many,cells,here\n" + strings.Repeat("x\n", 1<<17),
	} {
		sum := sha256.Sum256([]byte(text))
		want := hex.EncodeToString(sum[:])
		for _, first := range []bool{false, true} {
			r := mustFind(t, noon, nil, write(t, text, dir, name)).Reports[0]
			if first {
				if err := r.Digest(t.Context()); err != nil || r.Source.SHA256 != want {
					t.Error(r.Source.SHA256, err)
				}
			}
			auditor, err := audit.New(audit.Options{})
			if err != nil {
				t.Fatal(err)
			}
			of, err := r.Audit(t.Context(), auditor, nil)
			if err != nil || of.Source.SHA256 != want || (of.ProblemCount > 0) != (name == "damaged.csv") {
				t.Errorf("%s: %s, want %s, %v, %v", name, of.Source.SHA256, want, of.Problems, err)
			}
		}
	}
}

// TestFolderOfAnswers finds the answers of get-credential-report in a folder that was
// filled by hand, and no other JSON.
func TestFolderOfAnswers(t *testing.T) {
	dir := t.TempDir()
	answer := func(account string) string {
		return "{\n    \"Content\": \"" + base64.StdEncoding.EncodeToString([]byte(csvOf(account, "bo"))) +
			"\",\n    \"ReportFormat\": \"text/csv\",\n    \"GeneratedTime\": \"2026-11-23T12:00:00+00:00\"\n}\n"
	}
	wide := []byte("\xff\xfe")
	for _, c := range []byte(answer(three)) {
		wide = append(wide, c, 0)
	}
	for name, text := range map[string]string{
		"a.csv": csvOf(one, "amy"), "b.json": answer(two), "c.json": string(wide), "audit.json": `{"benchmark": {"id": "x"}}`,
		"list.json": `[{"Content": 1}]`, "empty.json": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := reports.Find([]string{dir}, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range found.Reports {
		names = append(names, filepath.Base(found.Reports[i].Title()))
		if err := found.Reports[i].Prepare(false); err != nil || found.Reports[i].Missing != "" {
			t.Errorf("%s: %v, %s", names[i], err, found.Reports[i].Missing)
		}
	}
	if got := strings.Join(names, " "); got != "a.csv b.json c.json" {
		t.Error(got)
	}
}
