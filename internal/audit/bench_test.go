package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// largeReport creates a report of n users that resemble those of a large
// account, about 250 bytes each: half have passwords, 60 % have keys, and most
// of the keys fail a control.
func largeReport(tb testing.TB, n int) []byte {
	tb.Helper()
	at := func(i, days int) report.Time {
		return report.AtUnix(1_500_000_000 + int64(i)*7919%100_000_000 + int64(days)*86400)
	}
	var file bytes.Buffer
	w := report.NewWriter(&file, report.Columns22)
	write := func(row *report.Row) {
		if err := w.WriteRow(row); err != nil {
			tb.Fatal(err)
		}
	}
	write(&report.Row{
		User: report.RootUser, ARN: "arn:aws:iam::123456789012:root", Created: at(0, 0),
		PasswordEnabled: report.True, PasswordNextRotation: report.None(report.NotSupported), MFAActive: report.True,
	})
	for i := range n {
		name := fmt.Sprintf("firstname.lastname-%07d", i)
		r := report.Row{User: name, ARN: "arn:aws:iam::123456789012:user/division/department/" + name,
			Created: at(i, 0)}
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
		write(&r)
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

// BenchmarkOwnControls judges a million rows by C6, by C8 and C9 in addition, and by the
// same rules as custom controls.
func BenchmarkOwnControls(b *testing.B) {
	strict, _ := audit.FindBenchmark(audit.Strict)
	config, err := audit.ReadConfig(strings.NewReader(`version: 1
controls:
  - { id: OWN-UNUSED, title: t, severity: low, scope: access_key, expression: key.idle_days < 45, when: key.active }
  - { id: OWN-AGE, title: t, severity: low, scope: access_key, expression: key.age_days <= 90, when: key.active }
  - { id: OWN-EXISTS, title: t, severity: low, scope: user, expression: "!user.keys.exists(k, k.active && k.age_days > 90)" }
  - { id: OWN-FILTER, title: t, severity: low, scope: user, expression: "user.keys.filter(k, k.active).size() < 2" }
  - { id: OWN-IN, title: t, severity: low, scope: access_key, expression: "key.last_used_service in ['s3', 'ec2']", when: has(key.last_used) }
`), false)
	if err != nil {
		b.Fatal(err)
	}
	for name, ids := range map[string][]audit.ControlID{
		"C6": {audit.UserMFA}, "C6, C8, C9": {audit.UserMFA, audit.KeyUnused, audit.KeyAge},
		"C6, own":    {audit.UserMFA, "OWN-UNUSED", "OWN-AGE"},
		"C6, exists": {audit.UserMFA, "OWN-EXISTS"}, "C6, filter": {audit.UserMFA, "OWN-FILTER"},
		"C6, in": {audit.UserMFA, "OWN-IN"},
	} {
		b.Run(name, func(b *testing.B) {
			benchmarkAudit(b, audit.Options{Benchmark: strict.With(config), Controls: ids}, nil)
		})
	}
}
