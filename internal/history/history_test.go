package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const one, two = "111111111111", "222222222222"

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newFolder(t *testing.T) *Folder {
	t.Helper()
	f, err := Create(filepath.Join(t.TempDir(), "a", "reports"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func meta(account string, generated time.Time) Meta {
	return Meta{
		Account: account, Partition: "aws-cn", GeneratedAt: generated, FetchedAt: generated.Add(time.Minute),
		Source: "generated", Endpoint: "https://iam.example.com",
	}
}

func mustSave(t *testing.T, f *Folder, account string, generated time.Time, content string) Snapshot {
	t.Helper()
	s, err := f.Save(meta(account, generated), []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSet(t *testing.T, f *Folder, o Outcome) {
	t.Helper()
	if err := f.SetOutcome(o); err != nil {
		t.Fatal(err)
	}
}

func mustWrite(t *testing.T, f *Folder, content string, elements ...string) {
	t.Helper()
	path := f.path(elements...)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSaveAndRead(t *testing.T) {
	f := newFolder(t)
	content := "user,arn\r\n\xef\xbb\xbf\x00\xff"
	zone := time.FixedZone("", 3*60*60)
	saved := mustSave(t, f, one, noon.In(zone), content)
	want := meta(one, noon)
	want.SHA256 = checksum([]byte(content))
	got, err := f.Newest(one, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Snapshot{want, f.path(one, "2026-11-23T120000Z.csv")}, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(saved, got); d != "" {
		t.Errorf("saved and read: %s", d)
	}
	if bytes, err := got.Read(); err != nil || string(bytes) != content {
		t.Errorf("%q, %v", bytes, err)
	}
	for _, path := range []string{f.dir, f.path(one), got.Path, f.path(one, "2026-11-23T120000Z.json")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestSave(t *testing.T) {
	t.Run("the same again changes nothing", func(t *testing.T) {
		f := newFolder(t)
		first := mustSave(t, f, one, noon, "a")
		m := meta(one, noon)
		m.Source, m.FetchedAt = "cached", noon.Add(time.Hour)
		again, err := f.Save(m, []byte("a"))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(first, again); d != "" {
			t.Error(d)
		}
	})
	t.Run("one that differs is refused", func(t *testing.T) {
		f := newFolder(t)
		first := mustSave(t, f, one, noon, "a")
		if _, err := f.Save(meta(one, noon.Add(999*time.Millisecond)), []byte("b")); !errors.Is(err, ErrDiffers) {
			t.Error(err)
		}
		if got, err := first.Read(); err != nil || string(got) != "a" {
			t.Errorf("%q, %v", got, err)
		}
	})
	t.Run("one put there by hand gets its metadata", func(t *testing.T) {
		f := newFolder(t)
		mustWrite(t, f, "a", one, "2026-11-23T120000Z.csv")
		mustSave(t, f, one, noon, "a")
		if s, err := f.Newest(one, time.Time{}); err != nil || !s.Verifiable() || s.Partition != "aws-cn" {
			t.Errorf("%+v, %v", s, err)
		}
	})
	t.Run("of many that differ one wins, and is described", func(t *testing.T) {
		f := newFolder(t)
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() { f.Save(meta(one, noon), fmt.Append(nil, i)) })
		}
		all.Wait()
		s, err := f.Newest(one, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(); err != nil || !s.Verifiable() {
			t.Error(err)
		}
		files, _ := os.ReadDir(f.path(one))
		if len(files) != 2 {
			t.Errorf("left over: %v", files)
		}
	})
	t.Run("of nobody", func(t *testing.T) {
		for _, m := range []Meta{meta("../etc", noon), meta("", noon), meta(one, time.Time{})} {
			if _, err := newFolder(t).Save(m, nil); err == nil {
				t.Errorf("%+v was saved", m)
			}
		}
		for _, o := range []Outcome{{Account: ".."}, {}, {Account: "..", Profile: "p"}, {Profile: "p", Status: OK}} {
			if err := newFolder(t).SetOutcome(o); err == nil {
				t.Errorf("%+v was saved", o)
			}
		}
	})
}

func TestReadRefuses(t *testing.T) {
	const sum = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" // the SHA-256 of "a"
	good := `{"account":"` + one + `","generated_at":"2026-11-23T12:00:00Z","sha256":"` + sum + `"}`
	tests := []struct{ name, content, meta string }{
		{"changed bytes", "b", good},
		{"another account", "a",
			`{"account":"` + two + `","generated_at":"2026-11-23T12:00:00Z","sha256":"` + sum + `"}`},
		{"another time", "a", `{"account":"` + one + `","generated_at":"2026-11-23T12:00:01Z","sha256":"` + sum + `"}`},
		{"no checksum", "a", `{"account":"` + one + `","generated_at":"2026-11-23T12:00:00Z"}`},
		{"no JSON", "a", `{`},
		{"more JSON", "a", good + good},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFolder(t)
			mustWrite(t, f, test.content, one, "2026-11-23T120000Z.csv")
			mustWrite(t, f, test.meta, one, "2026-11-23T120000Z.json")
			s, err := f.Newest(one, time.Time{})
			if err == nil {
				_, err = s.Read()
			}
			if !errors.Is(err, ErrDamaged) {
				t.Error(err)
			}
		})
	}
	t.Run("not what is good", func(t *testing.T) {
		f := newFolder(t)
		mustWrite(t, f, "a", one, "2026-11-23T120000Z.csv")
		mustWrite(t, f, good, one, "2026-11-23T120000Z.json")
		s, err := f.Newest(one, time.Time{})
		if err == nil {
			_, err = s.Read()
		}
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("an outcome of another", func(t *testing.T) {
		f := newFolder(t)
		for _, text := range []string{`{"account":"` + two + `","status":"ok"}`,
			`{"account":"` + one + `","status":"fine"}`, ``} {
			mustWrite(t, f, text, one, outcomeFile)
			if _, err := f.Outcome(one); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
}

func TestOrder(t *testing.T) {
	f := newFolder(t)
	times := []time.Time{noon.Add(-time.Hour), noon, noon.AddDate(0, 1, 0), noon.AddDate(1, 0, 0)}
	for _, i := range []int{2, 0, 3, 1} {
		mustSave(t, f, one, times[i], fmt.Sprint(i))
	}
	// Files that are not reports are ignored.
	for _, name := range []string{".2026-11-23T120000Z.csv.1", "2026-11-23T12:00:00Z.csv", "2026-02-30T120000Z.csv",
		"notes.csv", "2027-01-01T000000Z.json"} {
		mustWrite(t, f, "x", one, name)
	}
	all, err := f.Snapshots(one)
	if err != nil {
		t.Fatal(err)
	}
	var got []time.Time
	for _, s := range all {
		got = append(got, s.GeneratedAt)
	}
	if d := cmp.Diff(times, got); d != "" {
		t.Error(d)
	}
	for _, test := range []struct {
		at   time.Time
		want int // -1 means none
	}{
		{time.Time{}, 3},
		{noon.Add(-time.Hour - time.Second), -1},
		{noon.Add(-time.Hour), 0},
		{noon.Add(-time.Second), 0},
		{noon, 1},
		{noon.In(time.FixedZone("", -3600)), 1},
		{noon.AddDate(0, 2, 0), 2},
		{noon.AddDate(9, 0, 0), 3},
	} {
		s, err := f.Newest(one, test.at)
		switch {
		case test.want < 0 && !errors.Is(err, ErrNone):
			t.Errorf("%s: %v", test.at, err)
		case test.want >= 0 && (err != nil || !s.GeneratedAt.Equal(times[test.want])):
			t.Errorf("%s: %s, %v, want %s", test.at, s.GeneratedAt, err, times[test.want])
		}
	}
	if none, err := f.Snapshots(two); err != nil || len(none) > 0 {
		t.Errorf("an unknown account: %v, %v", none, err)
	}
}

func TestState(t *testing.T) {
	const three, four, five, six = "333333333333", "444444444444", "555555555555", "666666666666"
	f := newFolder(t)
	a := mustSave(t, f, one, noon, "a")
	ok := Outcome{Account: one, Status: OK, GeneratedAt: noon, At: noon, Run: noon, Name: "one",
		Partition: "aws", Organization: "o-1"}
	mustSet(t, f, Outcome{Account: one, Status: Unfinished, At: noon})
	mustSet(t, f, ok) // replaces the first
	b := mustSave(t, f, two, noon.Add(-time.Hour), "b")
	denied := Outcome{Account: two, Status: Denied, Message: "no", At: noon, Run: noon}
	mustSet(t, f, denied)
	suspended := Outcome{Account: three, Status: Suspended, At: noon, Run: noon}
	mustSet(t, f, suspended)
	unfinished := Outcome{Account: four, Status: Unfinished, At: noon, Run: noon}
	mustSet(t, f, unfinished)
	mustWrite(t, f, "by hand", five, "2026-11-23T120000Z.csv")
	hand := Snapshot{Meta{Account: five, GeneratedAt: noon}, f.path(five, "2026-11-23T120000Z.csv")}
	mustWrite(t, f, "{", six, outcomeFile)
	mustWrite(t, f, "", "777777777777", "empty")
	mustWrite(t, f, "", "README", "x")

	got, err := f.State(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for i, account := range got {
		missing[account.ID] = account.Missing()
		if account.ID == six && errors.Is(account.Err, ErrDamaged) {
			got[i].Err = nil
		}
	}
	want := []Account{
		{one, &a, &ok, nil}, {two, &b, &denied, nil}, {three, nil, &suspended, nil},
		{four, nil, &unfinished, nil}, {five, &hand, nil, nil}, {six, nil, nil, nil},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]bool{one: false, two: true, three: false, four: true, five: false, six: true},
		missing); d != "" {
		t.Errorf("missing: %s", d)
	}

	got, err = f.State(noon.Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Account{{two, &b, nil, nil}}, got); d != "" {
		t.Errorf("before noon: %s", d)
	}

	if _, err := f.Missing(); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	os.RemoveAll(f.path(six))
	none, err := f.Missing()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Outcome{denied, suspended, unfinished}, none); d != "" {
		t.Errorf("missing: %s", d)
	}
}

func TestProfileWithoutAccount(t *testing.T) {
	f := newFolder(t)
	o := Outcome{Profile: "../über uns:*", Status: Failed, Message: "no credentials", At: noon, Run: noon}
	mustSet(t, f, o)
	mustSet(t, f, Outcome{Account: one, Profile: "other", Status: Denied, At: noon, Run: noon})
	state, err := f.State(time.Time{})
	if err != nil || len(state) != 2 || !state[1].Missing() {
		t.Fatalf("%+v, %v", state, err)
	}
	if d := cmp.Diff(Account{ID: "profile ../über uns:*", Outcome: &o}, state[1]); d != "" {
		t.Error(d)
	}
	if missing, err := f.Missing(); err != nil || len(missing) != 2 || missing[1] != o {
		t.Errorf("%+v, %v", missing, err)
	}
	if ids, err := f.Accounts(); err != nil || len(ids) != 1 {
		t.Errorf("%v, %v", ids, err)
	}
	entries, _ := os.ReadDir(f.dir)
	if name := entries[1].Name(); name != "profile-..%2F%C3%BCber+uns%3A%2A" {
		t.Error(name)
	}
	for range 2 {
		if err := f.ForgetProfile(o.Profile); err != nil {
			t.Error(err)
		}
	}
	if missing, err := f.Missing(); err != nil || len(missing) != 1 {
		t.Errorf("%+v, %v", missing, err)
	}
}

func TestStatusIsOneOfThree(t *testing.T) {
	for _, s := range Statuses {
		n := 0
		for _, is := range []bool{s.HasReport(), s.Inactive(), s.Incomplete()} {
			if is {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is %d of report, inactive, incomplete", s, n)
		}
	}
}

func TestOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	for _, path := range []string{file, filepath.Join(t.TempDir(), "none")} {
		if _, err := Open(path); err == nil {
			t.Errorf("%s was opened", path)
		}
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("2026-11-23T101500Z.csv")
	f.Add("0000-01-01T000000Z.csv")
	f.Fuzz(func(t *testing.T, file string) {
		at, ok := parseName(file)
		if !ok {
			return
		}
		if Name(at)+csvSuffix != file || len(file) != len("2026-11-23T101500Z.csv") {
			t.Errorf("%q is %s", file, at)
		}
	})
}
