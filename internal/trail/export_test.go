package trail

import (
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// exported returns the names of the events in each file of a folder, by the
// file's path without its unique part.
func exported(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		var content struct{ Records []struct{ EventName string } }
		if err := json.NewDecoder(z).Decode(&content); err != nil {
			return err
		}
		var names []string
		for _, r := range content.Records {
			names = append(names, r.EventName)
		}
		short, err := filepath.Rel(dir, path)
		short = short[:strings.LastIndexByte(short, '_')]
		found[short] = strings.TrimPrefix(found[short]+" "+strings.Join(names, " "), " ")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func hit(t *testing.T, change func(*Record)) Hit {
	t.Helper()
	r := getUser()
	change(r)
	h := Hit{Line: r.AppendJSON(nil)}
	if err := json.Unmarshal(h.Line, &h.Event); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestExport(t *testing.T) {
	midnight := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	hits := []Hit{
		hit(t, func(r *Record) { r.EventName, r.EventTime = "Third", midnight.Add(90*time.Second) }),
		hit(t, func(r *Record) { r.EventName, r.EventTime = "Second", midnight.Add(-time.Second) }),
		hit(t, func(r *Record) { r.EventName, r.EventTime = "First", midnight.Add(-time.Hour) }),
		hit(t, func(r *Record) {
			r.EventName, r.EventTime, r.RecipientAccountID, r.AWSRegion = "Other", midnight, "210987654321", "eu-west-1"
		}),
		hit(t, func(r *Record) {
			r.EventName, r.EventTime, r.RecipientAccountID, r.UserIdentity = "Nobody", midnight, "../../x", Identity{}
			r.AWSRegion = "../y"
		}),
	}
	want := map[string]string{}
	for _, file := range []struct{ account, region, day, at, names string }{
		{"123456789012", "us-east-1", "2026/12/01", "20261201T0002Z", "Second Third"},
		{"123456789012", "us-east-1", "2026/11/30", "20261130T2300Z", "First"},
		{"210987654321", "eu-west-1", "2026/12/01", "20261201T0000Z", "Other"},
		{"000000000000", "us-east-1", "2026/12/01", "20261201T0000Z", "Nobody"},
	} {
		path := "AWSLogs/" + file.account + "/CloudTrail/" + file.region + "/" + file.day + "/" + file.account +
			"_CloudTrail_" + file.region + "_" + file.at
		want[filepath.FromSlash(path)] = file.names
	}
	dir := t.TempDir()
	for range 2 { // the second export replaces the files of the first
		x := NewExport(dir)
		for _, h := range hits {
			if err := x.Add(h); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.Close(); err != nil || x.Files != 4 || x.Stored != 5 {
			t.Errorf("%d files, %d records, %v", x.Files, x.Stored, err)
		}
		got := exported(t, dir)
		for path, names := range want {
			if got[path] != names {
				t.Errorf("%s holds %q, want %q", path, got[path], names)
			}
		}
		if len(got) != len(want) {
			t.Errorf("got %v", got)
		}
	}
}

// A trail of any size needs little memory: records go to a file before there
// are too many.
func TestExportInPieces(t *testing.T) {
	dir := t.TempDir()
	x := NewExport(dir)
	x.most = 1
	for _, name := range []string{"B", "A"} {
		if err := x.Add(hit(t, func(r *Record) { r.EventName, r.EventTime = name, noon })); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Close(); err != nil || x.Files != 2 || x.held != 0 {
		t.Errorf("%d files, %d bytes are held, %v", x.Files, x.held, err)
	}
	for _, names := range exported(t, dir) {
		got := strings.Fields(names)
		if slices.Sort(got); !slices.Equal(got, []string{"A", "B"}) {
			t.Errorf("the files hold %v", got)
		}
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
	unwritable := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(unwritable, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	x = NewExport(unwritable)
	x.most = 1
	if err := x.Add(hit(t, func(r *Record) { r.EventTime = noon })); err == nil {
		t.Error("no error for a folder that is a file")
	}
}
