package render

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/report"
)

func TestLines(t *testing.T) {
	tests := []struct {
		name, content string
		want          []string
	}{
		{"nothing", "", nil},
		{"no line end after the last", "a\nb", []string{"a", "b"}},
		{"LF after the last", "a\nb\n", []string{"a", "b"}},
		{"CRLF", "a\r\nb\r\n", []string{"a", "b"}},
		{"CR", "a\rb\r", []string{"a", "b"}},
		{"mixed", "a\rb\nc\r\nd", []string{"a", "b", "c", "d"}},
		{"LF CR are two", "a\n\rb", []string{"a", "", "b"}},
		{"CR CRLF are two", "a\r\r\nb", []string{"a", "", "b"}},
		{"empty lines are lines", "\n\na\n\n", []string{"", "", "a", ""}},
		{"only a line end", "\n", []string{""}},
		{"byte order mark", "\xef\xbb\xbfuser,arn\nb", []string{"user,arn", "b"}},
		{"only a byte order mark", "\xef\xbb\xbf", nil},
		{"lines and not rows", "user,arn\n\"a\nb\",c", []string{"user,arn", `"a`, `b",c`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for line := range Lines([]byte(test.content)) {
				got = append(got, string(line))
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("may be left early", func(t *testing.T) {
		for range Lines([]byte("a\nb\nc")) {
			break
		}
	})
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\r\nb\n\rc\r"))
	f.Fuzz(func(t *testing.T, content []byte) {
		// A second implementation: replace all line ends by LF, then split.
		text := strings.TrimPrefix(string(content), "\xef\xbb\xbf")
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
		want := strings.Split(text, "\n")
		if want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		var got []string
		for line := range Lines(content) {
			got = append(got, string(line))
		}
		if !slices.Equal(want, got) {
			t.Errorf("%q: got %q, want %q", content, got, want)
		}
	})
}

const two = "user,arn,mfa_active\n<root_account>,arn:aws:iam::123456789012:root,true\n" +
	"\"a,b\",\"arn:aws:iam::123456789012:user/a,b\",false"

func TestJSON(t *testing.T) {
	const header = "user,arn,mfa_active"
	const first, second = `{"user":"<root_account>","arn":"arn:aws:iam::123456789012:root","mfa_active":true}`,
		`{"user":"a,b","arn":"arn:aws:iam::123456789012:user/a,b","mfa_active":false}`
	tests := []struct{ name, csv, json, lines string }{
		{"rows", two, "[\n" + first + ",\n" + second + "\n]\n", first + "\n" + second + "\n"},
		{"none", header, "[]\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var doc, lines bytes.Buffer
			if err := JSON(&doc, mustReader(t, test.csv).All()); err != nil {
				t.Fatal(err)
			}
			if err := JSONLines(&lines, mustReader(t, test.csv).All()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{test.json, test.lines}, []string{doc.String(), lines.String()}); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("damaged", func(t *testing.T) {
		var b bytes.Buffer
		if err := JSON(&b, mustReader(t, two+"\nx").All()); err == nil {
			t.Error("no error")
		}
	})
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	rd := mustReader(t, "\xef\xbb\xbf"+strings.ReplaceAll(two, "\n", "\r\n")+"\r\n")
	if err := CSV(&b, rd.Columns(), rd.All()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(two, b.String()); d != "" {
		t.Error(d)
	}
}

func mustReader(t *testing.T, csv string) *report.Reader {
	t.Helper()
	rd, err := report.NewReader(strings.NewReader(csv))
	if err != nil {
		t.Fatal(err)
	}
	return rd
}
