package diff_test

import (
	"fmt"
	"testing"

	"rollcall/internal/audit/diff"
	"rollcall/report"
)

// monthLater returns a report a month after another one: one user in ten used a key,
// one in a hundred rotated one, one in a thousand left and one in a thousand is
// new.
func monthLater(rows []report.Row) []report.Row {
	var all []report.Row
	for i, r := range rows {
		switch {
		case i%1000 == 2:
			continue
		case i%1000 == 3:
			all = append(all, user(r.User+"-2", made(210)))
		case i%100 == 1:
			r.Keys[0].LastRotated = day(205)
		case i%10 == 0:
			r.Keys[0].LastUsed = day(206)
		}
		all = append(all, r)
	}
	return all
}

// BenchmarkCompare compares two reports of 100,000 users. Half of them have
// passwords, 60 % have keys, and most of the keys fail a control in both.
func BenchmarkCompare(b *testing.B) {
	const n = 100_000
	old := rows(root())
	for i := range n {
		r := user(fmt.Sprintf("firstname.lastname-%07d", i), made(float64(i%300)-300))
		if i%2 == 0 {
			password(float64(i%300)-200, float64(i%200))(&r)
			r.MFAActive = report.BoolOf(i%4 == 0)
		}
		if i%5 < 3 {
			key(1, float64(i%400)-300, float64(i%150)+1)(&r)
		}
		old = append(old, r)
	}
	before, after := file(b, 200, old), file(b, 230, monthLater(old))
	b.ReportAllocs()
	for b.Loop() {
		events := 0
		out, err := diff.Compare(b.Context(), diff.Series{Old: &before, New: &after}, diff.Options{},
			func(c *diff.Change) error {
				events += len(c.Events)
				return nil
			})
		must(b, err)
		if out.Counts.State(diff.Open) < n/2 || events < n/100 || out.ProblemCount > 0 {
			b.Fatalf("%d open, %d events, %v", out.Counts.State(diff.Open), events, out.Problems)
		}
	}
}
