package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// endless returns a header, then the same rows without end, with other names
// each time.
type endless struct {
	n    int
	rest []byte
	row  func(n int) string
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		e.rest = []byte(e.row(e.n))
		e.n++
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

const shortHeader = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active," +
	"access_key_1_last_rotated\n"

func TestEndlessReports(t *testing.T) {
	rows := func(n int) string {
		return fmt.Sprintf(
			"user%d,arn:aws:iam::123456789012:user/user%d,2020-01-01T00:00:00Z,true,false,true,2021-01-01T00:00:00Z\n",
			n, n)
	}
	foreign := func(n int) string {
		return fmt.Sprintf("user%d,arn:aws:iam::%012d:user/user%d,odd,odd,odd,odd,odd\n", n, n, n)
	}
	for _, c := range []struct {
		name    string
		row     func(n int) string
		problem string
	}{
		{"rows", rows, "more than 100000 rows"},
		{"rows of other accounts", foreign, "more than 100000 rows"},
		{"a row without end", func(int) string { return "aaaaaaaaaaaaaaaa" }, "too long"},
		{"a quote without end", func(n int) string {
			if n == 0 {
				return `"`
			}
			return "line\n"
		}, "too long"},
		{"empty cells without end", func(int) string { return ",,,,,,," }, "too long"},
		{"NULs", func(int) string { return "\x00\x00\x00" }, "too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := heap()
			src := io.MultiReader(strings.NewReader(shortHeader), &endless{row: c.row})
			var peak uint64
			rows := 0
			a := newAuditor(t, audit.Options{MaxRows: 100_000})
			got, err := a.Audit(context.Background(), src, fresh, nil, func(*audit.Row) error {
				if rows++; rows%25_000 == 0 {
					peak = max(peak, heap())
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if peak > before+16<<20 {
				t.Errorf("the heap grew from %d to %d bytes", before, peak)
			}
			if len(got.Problems) > 100 || len(got.Worst) > audit.DefaultTop {
				t.Errorf("%d problems, %d worst", len(got.Problems), len(got.Worst))
			}
			texts := ""
			for _, p := range got.Problems {
				texts += p.Text + "\n"
			}
			if c.problem != "" && !strings.Contains(texts, c.problem) && got.ProblemCount <= 100 {
				t.Errorf("problems %q", texts)
			}
			if code := audit.ExitCode(a.Summary(),
				audit.ExitPolicy{FailOn: audit.Critical}); code != audit.ExitIncomplete {
				t.Errorf("exit code %d", code)
			}
		})
	}
	t.Run("ends with its context", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		src := io.MultiReader(strings.NewReader(shortHeader), &endless{row: rows})
		if _, err := newAuditor(t, audit.Options{}).Audit(ctx, src, fresh, nil, nil); !errors.Is(err,
			context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestDamagedReports(t *testing.T) {
	good := string(csvOf(t, rootRow(account1), userRow(account1, "jo")))
	lines := strings.Split(good, "\n")
	with := func(n int, line string) string {
		changed := append([]string(nil), lines...)
		changed[n] = line
		return strings.Join(changed, "\n")
	}
	for _, c := range []struct {
		name, file string
		line       int
		text       string
	}{
		{"nothing", "", 1, "it is empty"},
		{"a column twice", with(0, lines[0]+",arn"), 1, "occurs twice"},
		{"no column arn", strings.Replace(good, "arn,", "name,", 1), 1, "the column is missing"},
		{"NUL", with(2, strings.Replace(lines[2], "jo", "j\x00o", 1)), 3, "NUL byte"},
		{"invalid UTF-8", with(2, strings.Replace(lines[2], "jo", "j\xffo", 1)), 3, "invalid UTF-8"},
		{"a cell too few", with(2, strings.TrimSuffix(lines[2], ",N/A")), 3, "21 cells"},
		{"a cell too many", with(1, lines[1]+",N/A"), 2, "23 cells"},
		{"a huge cell", with(2, strings.Replace(lines[2], "N/A", strings.Repeat("x", 70_000), 1)), 3, "too long"},
		{"a huge row", with(2, strings.Replace(lines[2], "N/A", strings.Repeat("x", 2<<20), 1)), 3, "too long"},
		{"an open quote", with(1, `"`+lines[1]), 2, "quote"},
		{"too many columns", strings.Repeat("x,", 1001) + "y\n", 1, "too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAuditor(t, audit.Options{})
			got, findings := mustAudit(t, a, []byte(c.file), fresh)
			if len(got.Problems) != 1 || got.Problems[0].Line != c.line ||
				!strings.Contains(got.Problems[0].Text, c.text) {
				t.Errorf("problems %+v, want one of line %d with %q", got.Problems, c.line, c.text)
			}
			for _, control := range got.Counts.Controls {
				judged := control.Statuses[audit.NoData] > 0
				if control.Control.Subject == audit.SubjectRoot && c.line > 2 {
					judged = true // root's row has been read
				}
				if !judged {
					t.Errorf("%s is not NO_DATA: %v", control.Control.ID, control.Statuses)
				}
			}
			for i := range findings {
				if len(findings[i].Reason.String()) > 2000 {
					t.Errorf("a reason of %d bytes", len(findings[i].Reason.String()))
				}
			}
			if code := audit.ExitCode(a.Summary(),
				audit.ExitPolicy{FailOn: audit.Critical}); code != audit.ExitIncomplete {
				t.Errorf("exit code %d", code)
			}
		})
	}
	t.Run("a reader that fails", func(t *testing.T) {
		src := io.MultiReader(strings.NewReader(lines[0]+"\n"+lines[1]+"\n"), errReader{})
		got, err := newAuditor(t, audit.Options{}).Audit(context.Background(), src, fresh, nil, nil)
		if err != nil || len(got.Problems) != 1 || !strings.Contains(got.Problems[0].Text, "the disk is gone") {
			t.Errorf("got %+v, %v", got.Problems, err)
		}
	})
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// FuzzAudit checks that no file causes a panic, that unreadable parts are
// incomplete, and that the findings agree with the counts.
func FuzzAudit(f *testing.F) {
	for _, c := range readCorpus(f) {
		if text, ok := c.section("report.csv"); ok {
			f.Add([]byte(text), asOf.Unix())
		}
	}
	f.Add(csvOf(f, rootRow(account1), userRow(account1, "jo")), int64(0))
	strict := mustBenchmark(f, audit.Strict)
	f.Fuzz(func(t *testing.T, file []byte, generated int64) {
		src := audit.Source{}
		if generated != 0 {
			src.Generated = time.Unix(generated, 0)
			src.Fetched = src.Generated
		}
		a := newAuditor(t, audit.Options{Benchmark: strict, Statuses: audit.AllStatuses})
		got, findings := mustAudit(t, a, file, src)
		checkCounts(t, &got.Counts)
		var total [audit.NumStatuses]int
		lines := bytes.Count(file, []byte("\n")) + 1
		for i := range findings {
			fi := &findings[i]
			total[fi.Status]++
			if fi.Reason.String() == "" || fi.Line > lines || fi.Line < 0 || len(fi.Fingerprint()) != 32 {
				t.Errorf("finding %+v", fi)
			}
			if fi.Status == audit.Pass && fi.Age < -time.Hour {
				t.Errorf("PASS of an age of %s: %+v", fi.Age, fi)
			}
		}
		if total != got.Counts.Total {
			t.Errorf("findings %v, counted %v", total, got.Counts.Total)
		}
		rows, err := report.ReadAll(bytes.NewReader(file))
		if err != nil && !got.Incomplete() {
			t.Errorf("a damaged report is complete: %v", err)
		}
		if err == nil && got.Stats.Rows != len(rows) {
			t.Errorf("%d of %d rows judged", got.Stats.Rows, len(rows))
		}
	})
}
