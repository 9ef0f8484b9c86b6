package report_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"rollcall/report"
)

// benchRows returns rows like those of a large account: 60 % with keys, half
// with passwords, about 250 bytes each.
func benchRows(n int) []report.Row {
	at := func(i, days int) report.Time {
		return report.AtUnix(1_500_000_000 + int64(i)*7919%100_000_000 + int64(days)*86400)
	}
	rows := make([]report.Row, n)
	for i := range rows {
		r := &rows[i]
		r.User = fmt.Sprintf("firstname.lastname-%07d", i)
		r.ARN = "arn:aws:iam::123456789012:user/division/department/" + r.User
		r.Created = at(i, 0)
		if i%2 == 0 {
			r.PasswordEnabled = report.True
			r.PasswordLastUsed = at(i, 30)
			r.PasswordLastChanged = at(i, 20)
			r.PasswordNextRotation = at(i, 110)
			r.MFAActive = report.BoolOf(i%4 == 0)
		}
		if i%5 < 3 {
			r.Keys[0] = report.Key{
				Active: report.True, LastRotated: at(i, 1), LastUsed: at(i, 400),
				LastUsedRegion: report.TextOf("eu-central-1"), LastUsedService: report.TextOf("dynamodb"),
			}
		}
		if i%5 == 0 {
			r.Keys[1] = report.Key{LastRotated: at(i, 200)}
		}
	}
	return rows
}

// One iteration of a benchmark is one row, so ns/op is ns per row, and a
// thousandth of it is the seconds for a million rows.

func BenchmarkWriter(b *testing.B) {
	rows := benchRows(1 << 12)
	counter := new(countingWriter)
	w := report.NewWriter(counter, report.Columns22)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := w.WriteRow(&rows[i%len(rows)]); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(counter.n / int64(b.N))
}

func BenchmarkReader(b *testing.B) {
	rows := benchRows(1 << 12)
	var file bytes.Buffer
	w := report.NewWriter(&file, report.Columns22)
	for i := range rows {
		must(b, w.WriteRow(&rows[i]))
	}
	must(b, w.Flush())
	header, body, _ := bytes.Cut(file.Bytes(), []byte("\n"))
	body = append(body, '\n')

	r, err := report.NewReader(
		io.MultiReader(bytes.NewReader(header), bytes.NewReader([]byte("\n")), &cycle{data: body}))
	must(b, err)
	b.SetBytes(int64(len(body) / len(rows)))
	b.ReportAllocs()
	var row report.Row
	for b.Loop() {
		if err := r.Read(&row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRowAppendJSON(b *testing.B) {
	rows := benchRows(1 << 12)
	var dst []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dst = rows[i%len(rows)].AppendJSON(dst[:0])
	}
	b.SetBytes(int64(len(dst)))
}

type countingWriter struct{ n int64 }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.n += int64(len(p))
	return len(p), nil
}

// cycle repeats the same bytes without end.
type cycle struct {
	data []byte
	at   int
}

func (c *cycle) Read(p []byte) (int, error) {
	n := copy(p, c.data[c.at:])
	c.at = (c.at + n) % len(c.data)
	return n, nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
