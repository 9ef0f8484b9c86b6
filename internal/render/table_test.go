package render

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"

	"rollcall/report"
)

var update = flag.Bool("update", false, "write the golden files")

var asOf = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// TestTable compares the tables of every report in testdata, at the widths in
// the golden file, and finally without a width.
func TestTable(t *testing.T) {
	files, err := filepath.Glob("testdata/*.csv")
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			rows := mustRead(t, file)
			var got strings.Builder
			for _, width := range []int{40, 60, 80, 120, 200, 0} {
				fmt.Fprintf(&got, "== %d columns\n", width)
				table := mustTable(t, rows, TableOptions{Width: width, AsOf: asOf})
				for line := range strings.Lines(table) {
					if w := text.StringWidth(strings.TrimSuffix(line, "\n")); width > 0 && w > width &&
						!strings.Contains(line, "ages as of") {
						t.Errorf("%d columns wide: %q", w, line)
					}
				}
				got.WriteString(table)
			}
			golden := strings.TrimSuffix(file, ".csv") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Error(d)
			}
		})
	}
}

func mustRead(t *testing.T, file string) []report.Row {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := report.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func mustTable(t *testing.T, rows []report.Row, o TableOptions) string {
	t.Helper()
	var b strings.Builder
	if err := Table(&b, rows, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTableColour(t *testing.T) {
	rows := mustRead(t, "testdata/states.csv")
	plain := mustTable(t, rows, TableOptions{AsOf: asOf})
	colour := mustTable(t, rows, TableOptions{AsOf: asOf, Colour: true})
	if strings.Contains(plain, "\x1b") {
		t.Error("colour that nobody asked for")
	}
	if !strings.Contains(colour, "\x1b[31mno\x1b[0m") {
		t.Error("a password without MFA does not stand out")
	}
	escapes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	if d := cmp.Diff(plain, escapes.ReplaceAllString(colour, "")); d != "" {
		t.Error("colour moves columns:", d)
	}
}

// No byte of a report may reach the terminal as a control character.
func TestTableOfHostileFile(t *testing.T) {
	name := "\x1b[2J\x07\u202etxt\u200b\n"
	var b bytes.Buffer
	w := report.NewWriter(&b, report.Columns22)
	row := report.Row{User: name, ARN: "arn:aws:iam::123456789012:user/x"}
	row.Keys[0] = report.Key{Active: report.True, LastRotated: report.At(asOf), LastUsed: report.At(asOf),
		LastUsedService: report.TextOf("\x1b]0;x\x07")}
	if err := w.WriteRow(&row); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	rows, err := report.ReadAll(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{0, 80, 30} {
		got := mustTable(t, rows, TableOptions{Width: width, AsOf: asOf})
		if strings.ContainsAny(got, "\x1b\x07\u202e\u200b") || strings.Count(got, "\n") != 4 {
			t.Errorf("%q", got)
		}
	}
}

func TestTableTellsOfAWriterThatFails(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	if err := Table(w, nil, TableOptions{}); err == nil {
		t.Error("no error")
	}
}
