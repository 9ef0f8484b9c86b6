package diff_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/report"
)

// textOf returns a report with these rows.
func textOf(t *testing.T, rows []report.Row) string {
	report := file(t, 230, rows)
	f, err := report.Open()
	must(t, err)
	content, err := io.ReadAll(f)
	must(t, err)
	return string(content)
}

// TestRefused compares reports that cannot be compared. There are no partial
// results: the missing rows would look like deleted users.
func TestRefused(t *testing.T) {
	good := rows(root(), user("amy"), user("bo"))
	text := textOf(t, good)
	wrongSum := file(t, 230, good)
	wrongSum.Source.SHA256 = strings.Repeat("0", 64)
	undated := file(t, 230, good)
	undated.Source = audit.Source{}
	tests := map[string]struct {
		new  diff.Report
		want string
	}{
		"cut short": {contentOf(230, []byte(text[:len(text)-30])), "line 4"},
		"no report": {contentOf(230, []byte("hello")), "not a credential report"},
		"empty":     {contentOf(230, nil), "it is empty"},
		"another account": {contentOf(230, []byte(strings.ReplaceAll(text, account, "210987654321"))),
			"different accounts, 123456789012 and 210987654321"},
		"another partition": {contentOf(230, []byte(strings.ReplaceAll(text, "arn:aws:", "arn:aws-cn:"))),
			"of partitions aws and aws-cn"},
		"two accounts": {
			contentOf(230, []byte(strings.Replace(text, account+":user/bo", "210987654321:user/bo", 1))),
			"line 4: a row of account 210987654321"},
		"no ARN": {contentOf(230, []byte(strings.Replace(text, "arn:aws:iam::"+account+":user/bo", "bo", 1))),
			`line 4: the ARN "bo" names no account`},
		"user twice": {contentOf(230, []byte(text+text[strings.Index(text, "\nbo,"):])),
			`line 5: the user "bo" occurs twice`},
		"other case twice": {
			contentOf(230, []byte(text+strings.Replace(text[strings.Index(text, "\nbo,"):], "bo", "BO", 1))),
			`line 5: the user "BO" occurs twice`},
		"twice, unsorted": {contentOf(230, []byte(text+text[strings.Index(text, "\namy,"):])),
			`the user "amy" occurs twice`},
		"other checksum": {wrongSum, "SHA-256"},
		"the older one":  {file(t, 190, good), "is newer than the new one"},
		"no time":        {undated, "the time it was generated is not known"},
		"too long":       {file(t, 230, append(good, user("cy"), user("dan"), user("eve"))), "more than 5 rows"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			old := file(t, 200, good)
			out, changes := compare(t, diff.Series{Old: &old, New: &test.new},
				diff.Options{Audit: audit.Options{MaxRows: 5}})
			if out.Status != diff.NotCompared || !out.Incomplete() || len(changes) > 0 {
				t.Fatalf("%v, %d changes", out.Status, len(changes))
			}
			if got := out.Problems[0].Text; !strings.Contains(got, test.want) {
				t.Errorf("%s", got)
			}
		})
	}
}

// The name of a file is unchanged in the message, whichever pass over the file fails.
func TestRefusedFile(t *testing.T) {
	t.Chdir(t.TempDir())
	twice := textOf(t, rows(root(), user("bo"), user("amy"), user("bo")))
	for _, text := range []string{"hello", twice} {
		must(t, os.WriteFile("new.csv", []byte(text), 0o600))
		new := diff.File(audit.Source{Path: "new.csv", Generated: file(t, 230, nil).Source.Generated})
		out, _ := compare(t, diff.Series{New: &new}, diff.Options{})
		if got := out.Problems[0].Text; !strings.HasPrefix(got, "new.csv: ") {
			t.Error(got)
		}
	}
}

// TestChangedMeanwhile compares a file that becomes shorter between two reads.
func TestChangedMeanwhile(t *testing.T) {
	old, new := file(t, 200, rows(root(), user("bo"))), file(t, 230, rows(root(), user("bo")))
	longer, opened := new.Open, 0
	shorter := file(t, 230, rows(root())).Open
	new.Open = func() (io.ReadCloser, error) {
		if opened++; opened == 1 {
			return longer()
		}
		return shorter()
	}
	if _, err := diff.Compare(t.Context(), diff.Series{Old: &old, New: &new}, diff.Options{}, nil); err == nil ||
		!strings.Contains(err.Error(), "changed while it was read") {
		t.Error(err)
	}
}

// TestChecksum checks the checksum of a saved report.
func TestChecksum(t *testing.T) {
	old, new := file(t, 200, rows(root())), file(t, 230, rows(root()))
	f, err := new.Open()
	must(t, err)
	content, err := io.ReadAll(f)
	must(t, err)
	sum := sha256.Sum256(content)
	new.Source.SHA256 = strings.ToUpper(hex.EncodeToString(sum[:]))
	if out, _ := compare(t, diff.Series{Old: &old, New: &new}, diff.Options{}); out.Status != diff.Compared {
		t.Error(out.Problems)
	}
}

// TestOrder compares reports in other orders than AWS's. The result is the same
// as long as they fit into memory.
func TestOrder(t *testing.T) {
	names := []string{"a-b", "a_b", "aB", "Ab2", "a.b", "zoe", "_x", "=y", "B", "b2", "C_d", "cD"}
	var old, new []report.Row
	old, new = append(old, root()), append(new, root())
	for i, name := range names {
		old = append(old, user(name, password(5, 190)))
		if i%3 > 0 {
			new = append(new, user(name, password(5, 190), mfa))
		}
	}
	want := between(t, old, new)
	if len(want) != len(names) {
		t.Fatalf("%q", want)
	}
	shuffle := func(rows []report.Row) []report.Row {
		rows = append([]report.Row(nil), rows...)
		rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		return rows
	}
	for range 20 {
		o, n := fileOf(t, 200, report.Columns22, shuffle(old)), fileOf(t, 230, report.Columns22, shuffle(new))
		history := fileOf(t, 210, report.Columns22, shuffle(old))
		out, changes := compare(t, diff.Series{Old: &o, New: &n, History: []diff.Report{history}}, diff.Options{})
		if d := cmp.Diff(want, events(changes)); d != "" || out.History != 1 {
			t.Fatal(d, out.History)
		}
		out, _ = compare(t, diff.Series{Old: &o, New: &n}, diff.Options{MaxUnsorted: 15})
		if out.Status != diff.NotCompared ||
			!strings.Contains(out.Problems[0].Text, "more than the 15 rows that can be sorted in memory") {
			t.Fatal(out.Problems)
		}
		// The history is dropped first.
		out, changes = compare(t, diff.Series{Old: &o, New: &n, History: []diff.Report{history}},
			diff.Options{MaxUnsorted: len(old) + len(new)})
		if d := cmp.Diff(want, events(changes)); d != "" || out.History != 0 || len(out.Notes) != 1 {
			t.Fatal(d, out.History, out.Notes)
		}
	}
}

// TestUpperOrder compares a report that is sorted as if all letters were
// capitals. It is read in order and not held in memory.
func TestUpperOrder(t *testing.T) {
	order := rows(root(), user("aB"), user("ac"), user("A_b"))
	o, n := fileOf(t, 200, report.Columns22, order), fileOf(t, 230, report.Columns22, order[:3])
	out, changes := compare(t, diff.Series{Old: &o, New: &n}, diff.Options{MaxUnsorted: 1})
	if d := cmp.Diff([]string{"A_b user-gone was no credentials"}, events(changes)); d != "" ||
		out.Status != diff.Compared {
		t.Error(d, out.Problems)
	}
}

// TestEnds checks a visit with an error and a cancelled context.
func TestEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	enough := errors.New("enough")
	old, new := file(t, 200, rows(root())), file(t, 230, rows(root(), user("amy"), user("bo")))
	_, err := diff.Compare(t.Context(), diff.Series{Old: &old, New: &new}, diff.Options{},
		func(*diff.Change) error { return enough })
	if !errors.Is(err, enough) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := diff.Compare(ctx, diff.Series{Old: &old, New: &new}, diff.Options{},
		nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := diff.Compare(t.Context(), diff.Series{Old: &old, New: &new},
		diff.Options{Audit: audit.Options{Controls: []audit.ControlID{"C99"}}}, nil); err == nil {
		t.Error("a control nobody knows")
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, %d before", after, before)
	}
}

// endless returns a report of n users that is generated while it is read.
func endless(n int, day float64, differ int) diff.Report {
	row := func(i int) string {
		used := stamp(190)
		if differ > 0 && i%differ == 0 {
			used = stamp(day - 1)
		}
		return fmt.Sprintf(
			"\nu%08d,arn:aws:iam::%s:user/u%08d,%s,true,%s,%s,N/A,true,true,%s,%s,eu-west-1,s3,false,N/A,N/A,N/A,N/A,"+
				"false,N/A,false,N/A",
			i, account, i, stamp(1), used, stamp(2), stamp(150), used)
	}
	return diff.Report{
		Source: audit.Source{Generated: when(day), Fetched: when(day)},
		Open: func() (io.ReadCloser, error) {
			r, w := io.Pipe()
			go func() {
				var b bytes.Buffer
				b.Write(report.Columns22.AppendHeader(nil))
				for i := range n {
					b.WriteString(row(i))
					if b.Len() > 1<<16 {
						if _, err := b.WriteTo(w); err != nil {
							return
						}
					}
				}
				b.WriteTo(w)
				w.Close()
			}()
			return r, nil
		},
	}
}

// TestMemory checks that reports of ten times the length need no more memory.
func TestMemory(t *testing.T) {
	used := func(n int) uint64 {
		old, new, earlier := endless(n, 200, 0), endless(n, 230, 1000), endless(n, 150, 0)
		s := diff.Series{Old: &old, New: &new, History: []diff.Report{earlier}}
		var most uint64
		seen := 0
		_, err := diff.Compare(t.Context(), s, judged(audit.KeyAge), func(c *diff.Change) error {
			if seen++; seen%1000 == 0 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			return nil
		})
		must(t, err)
		if seen < n/1000 {
			t.Fatalf("%d changes", seen)
		}
		return most
	}
	few, many := used(3_000), used(30_000)
	if many > few+1<<20 {
		t.Errorf("%d KiB with ten times the users, %d KiB before", many>>10, few>>10)
	}
}
