package trail

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// searchedFiles writes three files of records, one a minute: plain, gzip and
// zstd.
func searchedFiles(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for i, pack := range []func(io.Writer) io.WriteCloser{
		func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w)
			if err != nil {
				t.Fatal(err)
			}
			return z
		},
		nil,
	} {
		var text bytes.Buffer
		for j := range 4 {
			n := 4*i + j
			rec := getUser()
			rec.EventName, rec.EventTime = fmt.Sprint("Get", n), noon.Add(time.Duration(n)*time.Minute)
			if rec.ErrorCode = ""; n%4 == 3 {
				rec = createAccessKey()
				rec.ErrorCode, rec.EventTime = "LimitExceededException", noon.Add(time.Duration(n)*time.Minute)
			}
			rec.ErrorMessage = ""
			text.Write(append(rec.AppendJSON(nil), '\n'))
		}
		text.WriteString("{\"eventName\":\"torn")
		content := text.Bytes()
		if pack != nil {
			var packed bytes.Buffer
			z := pack(&packed)
			if _, err := z.Write(content); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			content = packed.Bytes()
		}
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func TestSearch(t *testing.T) {
	files := searchedFiles(t)
	minute := func(n int) time.Time { return noon.Truncate(time.Minute).Add(time.Duration(n) * time.Minute) }
	for name, c := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":         {Filter{}, "11 10 9 8 7 6 5 4 3 2 1 0"},
		"most":        {Filter{Most: 6}, "11 10 9 8 7 6"},
		"times":       {Filter{Since: minute(2), Until: minute(9)}, "8 7 6 5 4 3 2"},
		"action":      {Filter{Action: "get5"}, "5"},
		"no part":     {Filter{Action: "Get"}, ""},
		"user":        {Filter{User: "ADMIN"}, "11 7 3"},
		"unique id":   {Filter{User: "AIDAQNZGKIQY56JQ7WMLA"}, "11 7 3"},
		"arn":         {Filter{User: "arn:aws:iam::123456789012:user/admin", Most: 2}, "11 7"},
		"root":        {Filter{User: "root", Most: 2}, "10 9"},
		"nobody":      {Filter{User: "Bob"}, ""},
		"key":         {Filter{Key: "AKIAQNZGKIQY56JQ7WML", Until: minute(1)}, "0"},
		"made key":    {Filter{Key: "AKIAQNZGKIQY56JQ7WMM"}, ""},
		"ok":          {Filter{Outcome: "ok", Most: 2}, "10 9"},
		"failed":      {Filter{Outcome: "failed"}, "11 7 3"},
		"code":        {Filter{Outcome: "LimitExceeded", Exception: "LimitExceededException"}, "11 7 3"},
		"exception":   {Filter{Outcome: "limitExceededException"}, "11 7 3"},
		"other code":  {Filter{Outcome: "AccessDenied"}, ""},
		"account":     {Filter{Account: "123456789012", Most: 1}, "11"},
		"no account":  {Filter{Account: "123456789013"}, ""},
		"two at once": {Filter{Outcome: "ok", User: "admin"}, ""},
	} {
		var got []string
		err := Search(t.Context(), files, c.filter, func(h Hit) error {
			got = append(got, fmt.Sprint(int(h.EventTime.Sub(minute(0)).Minutes())))
			return nil
		})
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s, %v", name, got, c.want, err)
		}
	}
}

// A search for the newest records reads the end of a large file only.
func TestSearchReadsNoMoreThanNeeded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(1 << 40); err != nil { // a hole that takes hours to read
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	rec := getUser()
	mustAppend(t, path, "\n"+string(rec.AppendJSON(nil))+"\n"+string(rec.AppendJSON(nil))+"\n")
	for _, filter := range []Filter{{Most: 2}} {
		n := 0
		err := Search(t.Context(), []string{path}, filter, func(Hit) error { n++; return nil })
		if err != nil || n != 2 {
			t.Errorf("%d records, %v", n, err)
		}
	}
}
