package review

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit/plan"
	"rollcall/internal/reports"
	"rollcall/report"
)

// revokeAll is a review of people in which ana revokes what she reviews.
func revokeAll(t testing.TB) *Review {
	t.Helper()
	r := newReview(t)
	s := readSheet(t, r, "ana@example.com").set(t, "", columnDecision, "revoke")
	if _, err := r.Collect(t.Context(), "ana.csv", s.text(','), false, started); err != nil {
		t.Fatal(err)
	}
	return r
}

// without returns people without a user.
func without(name string, edit ...func([]report.Row)) []report.Row {
	rows := slices.DeleteFunc(people(), func(r report.Row) bool { return r.User == name })
	for _, e := range edit {
		e(rows)
	}
	return rows
}

func rowOf(rows []report.Row, name string) *report.Row {
	return &rows[slices.IndexFunc(rows, func(r report.Row) bool { return r.User == name })]
}

// verify looks into reports of these days after the freeze.
func verify(t testing.TB, r *Review, days []int, all ...[]report.Row) *Verification {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "reports")
	for n, rows := range all {
		saveReport(t, dir, one, frozen.AddDate(0, 0, days[n]), csvOf(t, rows...))
	}
	found, err := reports.Find([]string{dir}, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Verify(t.Context(), found.Reports, "rollcall review verify", frozen.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// off makes the first key of svc inactive.
func off(rows []report.Row) { rowOf(rows, "svc").Keys[0].Active = report.False }

func checkOf(t testing.TB, v *Verification, r *Review, user, kind string) *Check {
	t.Helper()
	line := itemFor(t, r, user, kind).Line
	i := slices.IndexFunc(v.Checks, func(c Check) bool { return c.Line == line })
	if i < 0 {
		t.Fatalf("nothing is said of %s of %s", kind, user)
	}
	return &v.Checks[i]
}

// TestVerify says of every revocation whether it is done, by when, and in time.
func TestVerify(t *testing.T) {
	for name, test := range map[string]struct {
		days    []int
		rows    [][]report.Row
		user    string
		kind    string
		outcome Outcome
		inTime  Punctual
		how     string
	}{
		"not done, and time left": {[]int{3}, [][]report.Row{people()}, "svc", kindKey, Pending, "", "is still active"},
		"dated in the future": {[]int{400}, [][]report.Row{without("", off)}, "svc", kindKey, Unknown, "",
			"which is in the future"},
		"the newest is of the future": {[]int{3, 400}, [][]report.Row{people(), without("", off)}, "svc", kindKey, Pending,
			"", "is still active"},
		"not done in time": {[]int{3, 20}, [][]report.Row{people(), people()}, "svc", kindKey, Overdue, "",
			"still active"},
		"inactive": {[]int{3, 9}, [][]report.Row{people(), without("", off)}, "svc", kindKey, Done, InTime,
			"The access key is inactive."},
		"late": {[]int{16, 20}, [][]report.Row{people(), without("", off)}, "svc", kindKey, Done, Late, "inactive"},
		"some time around the deadline": {[]int{3, 20}, [][]report.Row{people(), without("", off)}, "svc", kindKey, Done,
			NotShown, "inactive"},
		"active again": {[]int{3, 9}, [][]report.Row{without("", off), people()}, "svc", kindKey, Pending, "",
			"still active"},
		"key gone": {[]int{3}, [][]report.Row{without("", func(rows []report.Row) {
			rowOf(rows, "svc").Keys[0] = report.Key{}
		})}, "svc", kindKey, Done, InTime, "The access key is gone."},
		"replaced by another key": {[]int{3}, [][]report.Row{without("", func(rows []report.Row) {
			rowOf(rows, "svc").Keys[0].LastRotated = report.At(frozen.AddDate(0, 0, 2))
		})}, "svc", kindKey, Done, InTime, "The access key is gone."},
		"in the other place": {[]int{3}, [][]report.Row{without("", func(rows []report.Row) {
			k := &rowOf(rows, "svc").Keys
			k[0], k[1] = k[1], k[0]
		})}, "svc", kindKey, Pending, "", "still active"},
		"nobody can tell": {[]int{3}, [][]report.Row{without("", func(rows []report.Row) {
			rowOf(rows, "svc").Keys[0].LastRotated = report.None(report.Malformed)
		})}, "svc", kindKey, Unknown, "", "without a time of creation"},
		"user gone": {[]int{3}, [][]report.Row{without("svc")}, "svc", kindKey, Done, InTime, "The user is gone."},
		"password gone": {[]int{3}, [][]report.Row{without("", func(rows []report.Row) {
			rowOf(rows, "bob").PasswordEnabled = report.False
		})}, "bob", kindPassword, Done, InTime, "The password is gone."},
		"password set again": {[]int{3}, [][]report.Row{without("", func(rows []report.Row) {
			rowOf(rows, "bob").PasswordLastChanged = report.At(frozen.AddDate(0, 0, 2))
		})}, "bob", kindPassword, Pending, "", "The password was changed on 2026-10-03."},
		"user deleted and created again": {[]int{3}, [][]report.Row{without("", func(rows []report.Row) {
			rowOf(rows, "idle").Created = report.At(frozen.AddDate(0, 0, 2))
		})}, "idle", kindUser, Done, InTime, "another one has the name"},
		"user renamed, and the key with them": {[]int{3}, [][]report.Row{without("", func(rows []report.Row) {
			row := rowOf(rows, "svc")
			row.User, row.ARN = "other", "arn:aws:iam::"+one+":user/other"
		})}, "svc", kindKey, Pending, "", "The user is called other now. The access key is still active."},
		"user without credentials": {[]int{3}, [][]report.Row{people()}, "idle", kindUser, Pending, "", "still there"},
		"no later report":          {[]int{-3}, [][]report.Row{people()}, "svc", kindKey, Unknown, "", "no later report"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := revokeAll(t)
			v := verify(t, r, test.days, test.rows...)
			c := checkOf(t, v, r, test.user, test.kind)
			if c.Outcome != test.outcome || c.InTime != test.inTime || !strings.Contains(c.How, test.how) {
				t.Errorf("%s, in time %q: %s", c.Outcome, c.InTime, c.How)
			}
		})
	}
}

// TestVerifyInactive wants a key that was inactive at the freeze to be gone, and
// says why an inactive one does not do.
func TestVerifyInactive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "reports")
	rows := without("", off)
	saveReport(t, dir, one, frozen, csvOf(t, rows...))
	r := mustStart(t, startOf(t, dir, filepath.Join(t.TempDir(), "2026-Q4")))
	s := readSheet(t, r, "ana@example.com").set(t, "", columnDecision, "revoke")
	if _, err := r.Collect(t.Context(), "ana.csv", s.text(','), false, started); err != nil {
		t.Fatal(err)
	}
	c := checkOf(t, verify(t, r, []int{3}, rows), r, "svc", kindKey)
	if c.Outcome != Pending || c.How != "The access key is inactive, as it was at the freeze." {
		t.Errorf("%s: %s", c.Outcome, c.How)
	}
	gone := without("", func(rows []report.Row) { rowOf(rows, "svc").Keys[0] = report.Key{} })
	if c := checkOf(t, verify(t, r, []int{4}, gone), r, "svc", kindKey); c.Outcome != Done {
		t.Errorf("%s: %s", c.Outcome, c.How)
	}
}

// TestVerifyDecisions says what became of changes and exceptions, and keeps the
// reports that decide.
func TestVerifyDecisions(t *testing.T) {
	r := newReview(t)
	collectAll(t, r, started)
	rows := people()
	rowOf(rows, "=cmd").MFAActive = report.True
	v := verify(t, r, []int{2, 200}, people(), rows)
	change, exception := checkOf(t, v, r, "=cmd", kindKey), checkOf(t, v, r, "bob", kindPassword)
	if change.Outcome != Done || change.InTime != NotShown ||
		!strings.Contains(change.How, "MFA of the user was no and is yes.") {
		t.Errorf("%+v", change)
	}
	if exception.Outcome != Lapsed || exception.Deadline.Format(time.DateOnly) != "2027-01-31" {
		t.Errorf("%+v", exception)
	}
	if failed, unknown := v.Failed(); failed != 3 || unknown != 0 {
		t.Errorf("%d, %d", failed, unknown)
	}
	var page bytes.Buffer // its answer counts what its question names
	if err := r.WriteEvidence(&page, "rollcall test", "x.zip", started); err != nil {
		t.Fatal(err)
	}
	_, answer, _ := strings.Cut(page.String(), "Were revocations and changes carried out, and exceptions ended?")
	if !strings.Contains(answer[:min(200, len(answer))], "Not all: 3 late or not done") {
		t.Errorf("%.200s", answer)
	}
	if len(v.Reports) != 2 {
		t.Errorf("%+v", v.Reports)
	}
	text, err := os.ReadFile(filepath.Join(r.dir, verifiedFile))
	if err != nil {
		t.Fatal(err)
	}
	mustBeValid(t, "review-verified.schema.json", text)
	for n := range r.Items {
		line, err := encode(&r.Items[n])
		if err != nil {
			t.Fatal(err)
		}
		mustBeValid(t, "review-item.schema.json", line)
	}
	manifest, err := os.ReadFile(filepath.Join(r.dir, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	mustBeValid(t, "review.schema.json", manifest)
}

// TestPlan writes the revocations as a plan, and keeps what is in use.
func TestPlan(t *testing.T) {
	r := revokeAll(t)
	for keep, want := range map[int]int{30: 0, 1: 0} {
		p, err := plan.New(plan.Options{Start: started, Now: started, KeepUsedDays: keep})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Plan(t.Context(), p, func(*plan.Service) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if p.Total != want || p.Counts[plan.Kept] != 4 || p.Counts[plan.Person] != 1 || len(p.Problems) != 1 {
			t.Errorf("kept for %d days: %d planned, %v, %v", keep, p.Total, p.Counts, p.Problems)
		}
	}
	dir := t.TempDir()
	idle := user(one, "svc", withKey(1, 200))
	idle.Keys[0].LastUsed = report.At(frozen.AddDate(0, 0, -100))
	saveReport(t, filepath.Join(dir, "reports"), one, frozen, csvOf(t, idle))
	r = mustStart(t, startOf(t, filepath.Join(dir, "reports"), filepath.Join(dir, "r")))
	s := readSheet(t, r, "ana@example.com").set(t, "", columnDecision, "revoke").set(t, "", columnReason, "'; rm -rf /")
	if _, err := r.Collect(t.Context(), "ana.csv", s.text(','), false, started); err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(plan.Options{Start: started, Now: started})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Plan(t.Context(), p, func(*plan.Service) error { return nil }); err != nil {
		t.Fatal(err)
	}
	var script bytes.Buffer
	if err := p.Script(&script, "test"); err != nil || p.Total != 1 {
		t.Fatalf("%d, %v", p.Total, err)
	}
	if !strings.Contains(script.String(), `'\''; rm -rf /`) {
		t.Error("the reason is not quoted")
	}
}

// packOf packs a review.
func packOf(t testing.TB, r *Review, key string) string {
	t.Helper()
	var b bytes.Buffer
	p, err := r.Pack(t.Context(), &b, Packing{Program: "test", Zip: "x.zip", Now: started, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	text, err := encode(p)
	if err != nil {
		t.Fatal(err)
	}
	if tt, ok := t.(*testing.T); ok {
		mustBeValid(tt, "review-pack.schema.json", text)
	}
	file := filepath.Join(t.TempDir(), "x.zip")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// rezip writes a ZIP file again, with entries that edit changes.
func rezip(t testing.TB, file string, edit func(name string, content []byte) (string, []byte),
	more ...*zip.FileHeader) string {
	t.Helper()
	old, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range old.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var content bytes.Buffer
		content.ReadFrom(in)
		name, text := edit(f.Name, content.Bytes())
		if name == "" {
			continue
		}
		out, _ := w.Create(name)
		out.Write(text)
	}
	for _, h := range more {
		out, _ := w.CreateHeader(h)
		out.Write([]byte("/etc/passwd"))
	}
	w.Close()
	again := filepath.Join(t.TempDir(), "again.zip")
	if err := os.WriteFile(again, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return again
}

// altered returns a file with other bytes.
func altered(t *testing.T, file string, edit func([]byte) []byte) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "altered.zip")
	if err := os.WriteFile(again, edit(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return again
}

// TestInspect notices everything that was altered in a pack.
func TestInspect(t *testing.T) {
	r := newReview(t)
	collectAll(t, r, started)
	verify(t, r, []int{2}, people())
	key := filepath.Join(t.TempDir(), "key")
	makeKey := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key)
	if out, err := makeKey.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	signers, others := filepath.Join(t.TempDir(), "signers"), filepath.Join(t.TempDir(), "others")
	os.WriteFile(signers, append([]byte("audit@example.com "), public...), 0o600)
	os.WriteFile(others, []byte("eve ssh-ed25519 "+
		"AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000000\n"), 0o600)
	file := packOf(t, r, key)
	check := func(file string, how Checking) *Checked {
		t.Helper()
		c, err := Inspect(t.Context(), file, how)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := check(file, Checking{AllowedSigners: signers}); len(c.Problems) > 0 || c.Signer != "audit@example.com" ||
		c.Decided != len(r.Items) {
		t.Fatalf("%+v", c)
	}
	if c := check(file, Checking{}); len(c.Problems) > 0 || !c.Signed || c.Signer != "" || c.Signature == "" {
		t.Errorf("%+v", c)
	}
	if c := check(r.dir, Checking{}); len(c.Problems) > 0 || c.Decided != len(r.Items) {
		t.Errorf("%+v", c)
	}
	same := func(name string, content []byte) (string, []byte) { return name, content }
	for name, test := range map[string]struct {
		file string
		how  Checking
		want string
	}{
		"another signer":   {file, Checking{AllowedSigners: others}, "the signature is not good: its key is not in"},
		"a signer by name": {file, Checking{AllowedSigners: signers, Signer: "eve"}, "the signature is not good"},
		"not signed": {rezip(t, file, func(n string, c []byte) (string, []byte) {
			return strings.TrimSuffix(n, signatureFile), c
		}), Checking{AllowedSigners: signers}, "the pack is not signed"},
		"an altered list": {rezip(t, file, func(n string, c []byte) (string, []byte) {
			if n == packFile {
				c = bytes.Replace(c, []byte(`"program": "test"`), []byte(`"program": "rest"`), 1)
			}
			return n, c
		}), Checking{AllowedSigners: signers}, "the signature is not good"},
		"an altered report": {rezip(t, file, func(n string, c []byte) (string, []byte) {
			if strings.HasPrefix(n, "reports/") {
				c = bytes.Replace(c, []byte("true"), []byte("fals"), 1)
			}
			return n, c
		}), Checking{}, "was altered: its SHA-256 is not that in pack.json"},
		"a missing file": {rezip(t, file, func(n string, c []byte) (string, []byte) {
			return strings.Replace(n, collectedFile, "", 1), c
		}), Checking{}, `"collected.json" is in pack.json, and not in the pack`},
		"a bomb": {rezip(t, file, func(n string, c []byte) (string, []byte) {
			if n == evidenceFile {
				c = make([]byte, 2<<20)
			}
			return n, c
		}), Checking{}, "evidence.html unpacks to more than any file of a review does"},
		"a longer file": {rezip(t, file, func(n string, c []byte) (string, []byte) {
			if n == evidenceFile {
				c = append(c, bytes.Repeat([]byte(" "), 1<<10)...)
			}
			return n, c
		}), Checking{}, "it does not have"},
		"another file": {rezip(t, file, same, &zip.FileHeader{Name: "x"}), Checking{}, "x is in the pack, and not in"},
		"a path out": {rezip(t, file, same, &zip.FileHeader{Name: "../../x"}), Checking{},
			`"../../x" is not the name of a file`},
		"a root":  {rezip(t, file, same, &zip.FileHeader{Name: "/etc/x"}), Checking{}, "is not the name of a file"},
		"a drive": {rezip(t, file, same, &zip.FileHeader{Name: `C:\x`}), Checking{}, "is not the name of a file"},
		"twice": {rezip(t, file, same, &zip.FileHeader{Name: "Review.json"}), Checking{},
			"Review.json is there twice"},
		"something before it": {altered(t, file, func(c []byte) []byte {
			hidden, err := os.ReadFile(rezip(t, file, func(n string, c []byte) (string, []byte) { return n, c[:1] }))
			if err != nil {
				t.Fatal(err)
			}
			return append(hidden, c...)
		}), Checking{AllowedSigners: signers}, "the pack has more in it than its files: byte 0 does not begin"},
		"something after it": {altered(t, file, func(c []byte) []byte {
			return append(c, "more"...)
		}), Checking{}, "something follows the directory"},
		"another name for programs that read on": {altered(t, file, func(c []byte) []byte {
			return bytes.Replace(c, []byte("evidence.html"), []byte("Evidence.html"), 1)
		}), Checking{}, "does not begin evidence.html"},
		"a link": {rezip(t, file, same, func() *zip.FileHeader {
			h := &zip.FileHeader{Name: "x"}
			h.SetMode(os.ModeSymlink | 0o777)
			return h
		}()), Checking{}, "x is not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			c := check(test.file, test.how)
			if !strings.Contains(strings.Join(c.Problems, "\n"), test.want) {
				t.Errorf("%q", c.Problems)
			}
		})
	}
	if _, err := Inspect(t.Context(), signers, Checking{}); err == nil {
		t.Error("any file is a pack")
	}
}

// TestFolder refuses what was altered in the folder, and links in it.
func TestFolder(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		edit func(r *Review) error
		want string
	}{
		"population": {func(r *Review) error {
			return os.WriteFile(filepath.Join(r.dir, populationFile), []byte("{}\n"), 0o600)
		}, "population.jsonl is not what was frozen"},
		"decisions": {func(r *Review) error {
			c, err := r.Collected()
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(r.dir, c.Files[0].File), []byte("line"), 0o600)
		}, "is not what was collected: its SHA-256 differs"},
		"report": {func(r *Review) error {
			return os.WriteFile(filepath.Join(r.dir, r.Manifest.Accounts[0].Report.File), []byte("user"), 0o600)
		}, "is not what was frozen: its SHA-256 differs"},
		"a link for a file": {func(r *Review) error {
			os.Remove(filepath.Join(r.dir, collectedFile))
			return os.Symlink(secret, filepath.Join(r.dir, collectedFile))
		}, "collected.json is not a regular file"},
		"a link for a folder": {func(r *Review) error {
			os.Rename(filepath.Join(r.dir, decisionsDir), filepath.Join(r.dir, "x"))
			return os.Symlink("x", filepath.Join(r.dir, decisionsDir))
		}, "decisions is not a folder, or a link"},
		"a name that leads out": {func(r *Review) error {
			text, err := os.ReadFile(filepath.Join(r.dir, collectedFile))
			if err != nil {
				return err
			}
			text = bytes.ReplaceAll(text, []byte(`"decisions/`), []byte(`"decisions/../../`))
			return os.WriteFile(filepath.Join(r.dir, collectedFile), text, 0o600)
		}, "is not a file in decisions"},
		"a sheet that leads out": {func(r *Review) error {
			text, err := os.ReadFile(filepath.Join(r.dir, manifestFile))
			if err != nil {
				return err
			}
			text = bytes.ReplaceAll(text, []byte(`"sheet": "ana`), []byte(`"sheet": "../../ana`))
			return os.WriteFile(filepath.Join(r.dir, manifestFile), text, 0o600)
		}, "the manifest has no such reviewer, or no name of the sheet"},
		"a decision twice": {func(r *Review) error {
			text, err := os.ReadFile(filepath.Join(r.dir, collectedFile))
			if err != nil {
				return err
			}
			at := bytes.Index(text, []byte("    {"))
			end := bytes.Index(text, []byte("    }")) + len("    }")
			again := append([]byte{}, text[at:end]...)
			text = slices.Concat(text[:end], []byte(",\n"), again, text[end:])
			return os.WriteFile(filepath.Join(r.dir, collectedFile), text, 0o600)
		}, "was decided in another file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReview(t)
			collectAll(t, r, started)
			if err := test.edit(r); err != nil {
				t.Fatal(err)
			}
			c, err := Inspect(t.Context(), r.dir, Checking{})
			if err != nil || !strings.Contains(strings.Join(c.Problems, "\n"), test.want) {
				t.Errorf("%v %q", err, c.Problems)
			}
		})
	}
	r := newReview(t)
	if err := os.Symlink(secret, filepath.Join(r.dir, verifiedFile)); err != nil {
		t.Fatal(err)
	}
	if err := r.write(verifiedFile, []byte("x")); err == nil {
		t.Error("a file was written through a link")
	}
	if text, _ := os.ReadFile(secret); string(text) != "secret" {
		t.Errorf("the file behind the link is %q now", text)
	}
}

// TestCompare says what is new, gone, and kept in a row.
func TestCompare(t *testing.T) {
	first := newReview(t)
	collectAll(t, first, started)
	dir := t.TempDir()
	later := frozen.AddDate(0, 3, 0)
	saveReport(t, filepath.Join(dir, "reports"), one, later, csvOf(t, append(without("svc"), user(one, "new"))...))
	s := startOf(t, filepath.Join(dir, "reports"), filepath.Join(dir, "2027-Q1"))
	s.Previous, s.Now = first, later
	second := mustStart(t, s)
	for name, answers := range map[string]*sheet{
		"a": readSheet(t, second, "ana@example.com"), "b": readSheet(t, second, "ben@example.com"),
	} {
		answers.set(t, "", columnDecision, "keep").set(t, "", columnReason, "needed")
		if _, err := second.Collect(t.Context(), name, answers.text(','), false, later); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Compare(first, second)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Added) != 1 || len(c.Gone) != 2 || len(c.Kept) != 3 || c.Kept[0].Times != 2 || c.Kept[2].User != "idle" ||
		len(c.Turned) != 2 {
		t.Errorf("%d new, %d gone, kept %+v, %d turned", len(c.Added), len(c.Gone), c.Kept, len(c.Turned))
	}
	text := c.Text(1)
	for _, want := range []string{"New since 2026-Q4: 1\n  new, no credentials", "Gone since 2026-Q4: 2\n",
		", decision revoke", "  and 1 more", "2 times: ana, password", "although the audit fails it: needed"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if _, err := Compare(second, first); err == nil {
		t.Error("the later review is compared as the earlier one")
	}
}
