package audit_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// largeReport creates a report of n users that resemble those of a large account,
// about 250 bytes each.
func largeReport(tb testing.TB, n int) []byte {
	tb.Helper()
	var file bytes.Buffer
	w := report.NewWriter(&file, report.Columns22)
	write := func(row *report.Row) {
		if err := w.WriteRow(row); err != nil {
			tb.Fatal(err)
		}
	}
	write(&report.Row{
		User: report.RootUser, ARN: "arn:aws:iam::123456789012:root", Created: report.AtUnix(1_500_000_000),
		PasswordEnabled: report.True, PasswordNextRotation: report.None(report.NotSupported), MFAActive: report.True,
	})
	for i := range n {
		row := audit.LargeRow(i)
		write(&row)
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

// benchmarkAudit audits a million rows. It repeats a smaller file, so that only
// the audit's memory is measured.
func benchmarkAudit(b *testing.B, o audit.Options, visit func(*audit.Row) error) {
	const rows, part = 1_000_000, 10_000
	file := largeReport(b, part)
	header, body, _ := bytes.Cut(file, []byte("\n"))
	root, users, _ := bytes.Cut(body, []byte("\n"))
	users = append(users, '\n')
	b.SetBytes(int64(len(users)) * rows / part)
	b.ReportAllocs()
	for b.Loop() {
		readers := []io.Reader{bytes.NewReader(header), bytes.NewReader([]byte("\n")), bytes.NewReader(root),
			bytes.NewReader([]byte("\n"))}
		for range rows / part {
			readers = append(readers, bytes.NewReader(users))
		}
		a, err := audit.New(o)
		if err != nil {
			b.Fatal(err)
		}
		src := audit.Source{Generated: time.Unix(1_700_000_000, 0), Fetched: time.Unix(1_700_000_000, 0)}
		got, err := a.Audit(context.Background(), io.MultiReader(readers...), src, nil, visit)
		if err != nil {
			b.Fatal(err)
		}
		if got.Stats.Users != rows || got.Counts.Total[audit.Fail] < rows/2 {
			b.Fatalf("audited %d users, %d fail", got.Stats.Users, got.Counts.Total[audit.Fail])
		}
	}
}

// BenchmarkSummary judges a million rows by every control and summarizes them.
func BenchmarkSummary(b *testing.B) {
	strict, _ := audit.FindBenchmark(audit.Strict)
	benchmarkAudit(b, audit.Options{Benchmark: strict}, nil)
}

// BenchmarkFindings judges a million rows and formats every FAIL and WARN.
func BenchmarkFindings(b *testing.B) {
	benchmarkAudit(b, audit.Options{}, func(*audit.Row) error { return nil })
}
