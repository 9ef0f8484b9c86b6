package diff_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/report"
)

// day returns a time in days since 2026-01-01. The reports of most tests are of
// days 200 and 230.
func day(n float64) report.Time {
	return report.At(time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC).Add(time.Duration(n * 24 * float64(time.Hour))))
}

func when(n float64) time.Time {
	t, _ := day(n).Value()
	return t
}

func stamp(n float64) string { return day(n).String() }

const account = "123456789012"

// user returns a row without credentials, created on day 1.
func user(name string, change ...func(*report.Row)) report.Row {
	r := report.Row{User: name, ARN: "arn:aws:iam::" + account + ":user/" + name, Created: day(1)}
	for _, c := range change {
		c(&r)
	}
	return r
}

func root(change ...func(*report.Row)) report.Row {
	r := report.Row{
		User: report.RootUser, ARN: "arn:aws:iam::" + account + ":root", Created: day(0),
		PasswordEnabled: report.True, PasswordLastUsed: day(10), PasswordLastChanged: day(0),
		PasswordNextRotation: report.None(report.NotSupported), MFAActive: report.True,
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

// password adds a password that was set on one day and last used on another; 0
// is never.
func password(changed, used float64) func(*report.Row) {
	return func(r *report.Row) {
		r.PasswordEnabled, r.PasswordLastChanged, r.PasswordLastUsed = report.True, day(changed),
			report.None(report.NoInformation)
		if used > 0 {
			r.PasswordLastUsed = day(used)
		}
	}
}

func mfa(r *report.Row) { r.MFAActive = report.True }

func made(n float64) func(*report.Row) { return func(r *report.Row) { r.Created = day(n) } }

// key adds an active key that was created on one day and last used on another;
// 0 is never.
func key(slot int, created, used float64) func(*report.Row) {
	return func(r *report.Row) {
		k := report.Key{Active: report.True, LastRotated: day(created)}
		if used > 0 {
			k.LastUsed, k.LastUsedRegion, k.LastUsedService = day(used), report.TextOf("eu-west-1"), report.TextOf("s3")
		}
		r.Keys[slot-1] = k
	}
}

func off(slot int) func(*report.Row) {
	return func(r *report.Row) { r.Keys[slot-1].Active = report.False }
}

func at(slot int, service, region string) func(*report.Row) {
	return func(r *report.Row) {
		r.Keys[slot-1].LastUsedRegion, r.Keys[slot-1].LastUsedService = report.TextOf(region), report.TextOf(service)
	}
}

func certificate(slot int, created float64, active bool) func(*report.Row) {
	return func(r *report.Row) {
		r.Certificates[slot-1] = report.Certificate{Active: report.BoolOf(active), LastRotated: day(created)}
	}
}

func rows(r ...report.Row) []report.Row { return r }

// file returns a report with these rows, in the order of AWS, generated on a
// day.
func file(t testing.TB, n float64, rows []report.Row) diff.Report {
	return fileOf(t, n, report.Columns22, inOrder(rows))
}

func inOrder(rows []report.Row) []report.Row {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b report.Row) int {
		switch {
		case a.IsRoot() != b.IsRoot() && a.IsRoot():
			return -1
		case a.IsRoot() != b.IsRoot():
			return 1
		}
		return cmp.Compare(strings.ToLower(a.User), strings.ToLower(b.User))
	})
	return rows
}

func fileOf(t testing.TB, n float64, columns report.Columns, rows []report.Row) diff.Report {
	t.Helper()
	var b bytes.Buffer
	w := report.NewWriter(&b, columns)
	for i := range rows {
		must(t, w.WriteRow(&rows[i]))
	}
	must(t, w.Flush())
	return contentOf(n, b.Bytes())
}

func contentOf(n float64, content []byte) diff.Report {
	return diff.Report{
		Source: audit.Source{Generated: when(n), Fetched: when(n)},
		Open:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// compare compares reports and returns all changes.
func compare(t testing.TB, s diff.Series, o diff.Options) (*diff.Account, []*diff.Change) {
	t.Helper()
	var changes []*diff.Change
	out, err := diff.Compare(t.Context(), s, o, func(c *diff.Change) error {
		kept := *c
		kept.Events, kept.Findings = slices.Clone(c.Events), slices.Clone(c.Findings)
		changes = append(changes, &kept)
		return nil
	})
	must(t, err)
	return out, changes
}

// between compares the reports of days 200 and 230 and returns their events, a
// line each: user, kind, credential, was, is.
func between(t testing.TB, old, new []report.Row) []string {
	t.Helper()
	o, n := file(t, 200, old), file(t, 230, new)
	out, changes := compare(t, diff.Series{Old: &o, New: &n}, diff.Options{})
	if out.Status != diff.Compared || out.ProblemCount > 0 {
		t.Fatalf("%v, %v", out.Status, out.Problems)
	}
	return events(changes)
}

func events(changes []*diff.Change) (lines []string) {
	for _, c := range changes {
		for _, e := range c.Events {
			lines = append(lines, c.User+" "+string(e.Kind)+says(" ", e.Credential.ID())+
				says(" was ", e.Was)+says(" is ", e.Is))
		}
	}
	return lines
}

func says(before, s string) string {
	if s == "" {
		return ""
	}
	return before + s
}

// found returns the findings of changes, a line each: state, control, user,
// credential, first seen.
func found(changes []*diff.Change) (lines []string) {
	for _, c := range changes {
		for _, f := range c.Findings {
			l := fmt.Sprintf("%v %s %s%s", f.State, f.Control.ID, c.User, says(" ", f.Credential.ID()))
			l += says(" was ", f.Was) + " since " + f.FirstSeen.Format(time.DateOnly)
			if f.OrEarlier {
				l += " or earlier"
			}
			if !f.Closed.IsZero() {
				l += " till " + f.Closed.Format(time.DateOnly)
			}
			lines = append(lines, l+says(": ", f.How))
		}
	}
	return lines
}
