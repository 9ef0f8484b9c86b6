package diff_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/report"
)

// judged returns options for these controls.
func judged(controls ...audit.ControlID) diff.Options {
	strict, _ := audit.FindBenchmark(audit.Strict)
	return diff.Options{Audit: audit.Options{Benchmark: strict, Controls: controls}}
}

// TestFindings compares the findings of days 200 and 230. The limit of C8 is 45
// days, that of C9 90 days, and that of C10's grace 7 days.
func TestFindings(t *testing.T) {
	tests := map[string]struct {
		old, new report.Row
		controls []audit.ControlID
		want     []string
	}{
		"new": {user("bo", password(5, 190), mfa), user("bo", password(5, 190)),
			[]audit.ControlID{audit.ConsoleMFA}, []string{"new C5 bo since 2026-08-19"}},
		"still open": {user("bo", password(5, 190)), user("bo", password(5, 210)), []audit.ControlID{audit.ConsoleMFA},
			[]string{"open C5 bo was FAIL since 2026-07-20 or earlier"}},
		"fixed": {user("bo", password(5, 190)), user("bo", password(5, 190), mfa), []audit.ControlID{audit.ConsoleMFA},
			[]string{"fixed C5 bo was FAIL since 2026-07-20 or earlier till 2026-08-19"}},
		"fixed by the key's end": {user("bo", key(1, 5, 190)), user("bo"), []audit.ControlID{audit.KeyAge}, []string{
			"fixed C9 bo key:" + stamp(5) + " was FAIL since 2026-07-20 or earlier till 2026-08-19: It is gone.",
		}},
		"fixed by making it inactive": {user("bo", key(1, 5, 190)), user("bo", key(2, 5, 190), off(2)),
			[]audit.ControlID{audit.KeyAge}, []string{
				"fixed C9 bo key:" + stamp(5) +
					" was FAIL since 2026-07-20 or earlier till 2026-08-19: It is inactive.",
			}},
		"in the other place": {user("bo", key(1, 5, 190)), user("bo", key(2, 5, 190), key(1, 220, 0)),
			[]audit.ControlID{audit.KeyAge}, []string{
				"open C9 bo key:" + stamp(5) + " was FAIL since 2026-07-20 or earlier",
			}},
		"of another key": {user("bo", key(1, 5, 190)), user("bo", key(1, 130, 190)),
			[]audit.ControlID{audit.KeyAge}, []string{
				"new C9 bo key:" + stamp(130) + " since 2026-08-19",
				"fixed C9 bo key:" + stamp(5) + " was FAIL since 2026-07-20 or earlier till 2026-08-19: It is gone.",
			}},
		"worse": {user("bo", key(1, 5, 0), key(2, 195, 0)), user("bo", key(1, 5, 0), key(2, 195, 0)),
			[]audit.ControlID{audit.OneActiveKey}, []string{
				"worse C10 bo was WARN since 2026-07-20 or earlier",
			}},
		"user created again": {user("bo", password(5, 190)), user("bo", password(5, 190), made(220)),
			[]audit.ControlID{audit.ConsoleMFA}, []string{
				"new C5 bo since 2026-08-19",
				"fixed C5 bo was FAIL since 2026-07-20 or earlier till 2026-08-19: The user was created again.",
			}},
		"password gone": {user("bo", password(5, 0)), user("bo"), []audit.ControlID{audit.PasswordUnused}, []string{
			"fixed C7 bo password was FAIL since 2026-07-20 or earlier till 2026-08-19: The password is gone.",
		}},
		"one of two of a second gone": {user("bo", key(1, 5, 190), key(2, 5, 0)), user("bo", key(1, 5, 190)),
			[]audit.ControlID{audit.KeyAge}, []string{
				"open C9 bo key:" + stamp(5) + " was FAIL since 2026-07-20 or earlier",
				"fixed C9 bo key:" + stamp(5) + "#2 was FAIL since 2026-07-20 or earlier till 2026-08-19: It is gone.",
			}},
		"one of two of a second inactive": {user("bo", key(1, 5, 190), key(2, 5, 0)),
			user("bo", key(1, 5, 190), key(2, 5, 0), off(2)), []audit.ControlID{audit.KeyAge}, []string{
				"open C9 bo key:" + stamp(5) + "#1 was FAIL since 2026-07-20 or earlier",
				"fixed C9 bo key:" + stamp(5) +
					"#2 was FAIL since 2026-07-20 or earlier till 2026-08-19: It is inactive.",
			}},
		"by the age": {user("bo", key(1, 180, 0)), user("bo", key(1, 180, 0)),
			[]audit.ControlID{audit.KeyUnused}, []string{
				"new C8 bo key:" + stamp(180) + " since 2026-08-19",
			}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, n := file(t, 200, rows(root(), test.old)), file(t, 230, rows(root(), test.new))
			_, changes := compare(t, diff.Series{Old: &o, New: &n}, judged(test.controls...))
			if d := cmp.Diff(test.want, found(changes)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestUnknownIsNotFixed compares a finding that the new report does not allow
// to judge.
func TestUnknownIsNotFixed(t *testing.T) {
	same := rows(root(), user("bo", key(1, 5, 0)))
	old, new := fileOf(t, 200, report.Columns22, same), fileOf(t, 230, report.Columns16, same)
	out, changes := compare(t, diff.Series{Old: &old, New: &new}, judged(audit.KeyUnused))
	want := []string{"unknown C8 bo key:" + stamp(5) +
		" was FAIL since 2026-07-20 or earlier: The report has no column access_key_1_last_used_date."}
	if d := cmp.Diff(want, found(changes)); d != "" {
		t.Error(d)
	}
	if !out.Incomplete() {
		t.Error("it is complete")
	}
	// In the opposite order it is new, because nobody knew it before.
	old, new = fileOf(t, 200, report.Columns16, same), fileOf(t, 230, report.Columns22, same)
	_, changes = compare(t, diff.Series{Old: &old, New: &new}, judged(audit.KeyUnused))
	want = []string{"new C8 bo key:" + stamp(5) + " was NO_DATA since 2026-08-19 or earlier"}
	if d := cmp.Diff(want, found(changes)); d != "" {
		t.Error(d)
	}
}

// TestNoRootRow removes the row of root, which exists in every account.
func TestNoRootRow(t *testing.T) {
	old, new := file(t, 200, rows(root(key(1, 2, 3)), user("bo"))), file(t, 230, rows(user("bo")))
	out, changes := compare(t, diff.Series{Old: &old, New: &new}, judged(audit.RootActiveKey))
	if d := cmp.Diff(
		[]string{"unknown C1 <root_account> was FAIL since 2026-07-20 or earlier: The new report has no row for root."},
		found(changes)); d != "" {
		t.Error(d)
	}
	if events(changes) != nil || !out.Incomplete() {
		t.Errorf("%v %v", events(changes), out.Problems)
	}
}

// TestExcused uses an exception that applies to one of the two reports.
func TestExcused(t *testing.T) {
	same := rows(root(), user("bo", password(5, 190)))
	old, new := file(t, 200, same), file(t, 230, same)
	o := judged(audit.ConsoleMFA)
	o.Audit.Exceptions = []audit.Exception{{
		ID: "EX-1", Control: "C5", Account: account, User: "bo", Reason: "r", Owner: "o", Ticket: "t",
		Expires: dateOf(when(210)),
	}}
	_, changes := compare(t, diff.Series{Old: &old, New: &new}, o)
	if d := cmp.Diff([]string{"new C5 bo was excused since 2026-07-20 or earlier"}, found(changes)); d != "" {
		t.Errorf("expired: %s", d)
	}
	o.Audit.Exceptions[0].Expires = dateOf(when(300))
	out, changes := compare(t, diff.Series{Old: &old, New: &new}, o)
	if found(changes) != nil || out.Counts.Suppressed != 1 {
		t.Errorf("in force: %v, %d", found(changes), out.Counts.Suppressed)
	}
	if out.Counts.NewFailures(audit.Info) != 0 {
		t.Error("what is excused counts as a failure")
	}
}

func dateOf(t time.Time) audit.Date {
	return audit.Date{Year: t.Year(), Month: t.Month(), Day: t.Day()}
}

// TestFirstSeen reads a history.
func TestFirstSeen(t *testing.T) {
	without, with := rows(root(), user("bo", password(5, 190), mfa)), rows(root(), user("bo", password(5, 190)))
	nobody := rows(root())
	tests := map[string]struct {
		history map[float64][]report.Row
		old     []report.Row
		new     []report.Row
		want    string
	}{
		"from before the old one": {map[float64][]report.Row{100: without, 150: with, 160: with}, with, with,
			"open C5 bo was FAIL since 2026-05-31"},
		"with a break": {map[float64][]report.Row{100: with, 150: without, 160: with}, with, with,
			"open C5 bo was FAIL since 2026-06-10"},
		"since ever": {map[float64][]report.Row{100: with, 150: with}, with, with,
			"open C5 bo was FAIL since 2026-04-11 or earlier"},
		"no such user then": {map[float64][]report.Row{100: with, 150: nobody, 160: with}, with, with,
			"open C5 bo was FAIL since 2026-06-10"},
		"another user then": {map[float64][]report.Row{100: rows(root(), user("bo", made(0.5), password(0.6, 2)))},
			with, with, "open C5 bo was FAIL since 2026-07-20"},
		"new, between the two": {map[float64][]report.Row{210: without, 220: with, 225: with}, without, with,
			"new C5 bo since 2026-08-09"},
		"fixed and open again": {map[float64][]report.Row{210: without}, with, with,
			"open C5 bo was FAIL since 2026-08-19"},
		"fixed between the two": {map[float64][]report.Row{100: without, 150: with, 210: with, 220: without}, with,
			without, "fixed C5 bo was FAIL since 2026-05-31 till 2026-08-09"},
		"after the new one": {map[float64][]report.Row{240: without, 150: without}, with, with,
			"open C5 bo was FAIL since 2026-07-20"},
		"the old one is in it": {map[float64][]report.Row{150: without, 200: with}, with, with,
			"open C5 bo was FAIL since 2026-07-20"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			old, new := file(t, 200, test.old), file(t, 230, test.new)
			s := diff.Series{Old: &old, New: &new}
			for n, rows := range test.history {
				s.History = append(s.History, file(t, n, rows))
			}
			out, changes := compare(t, s, judged(audit.ConsoleMFA))
			if d := cmp.Diff([]string{test.want}, found(changes)); d != "" {
				t.Error(d)
			}
			older := 0
			for n := range test.history {
				if n < 230 && n != 200 {
					older++
				}
			}
			if out.History != older {
				t.Errorf("%d reports of the history, want %d", out.History, older)
			}
		})
	}
}

// TestFirstSeenUnjudged has a report in the history that cannot judge a
// finding. It neither ends nor begins the time for which the finding is open.
func TestFirstSeenUnjudged(t *testing.T) {
	idle := rows(root(), user("bo", key(1, 5, 0)))
	old, new := file(t, 200, idle), file(t, 230, idle)
	s := diff.Series{Old: &old, New: &new, History: []diff.Report{
		file(t, 150, idle), fileOf(t, 160, report.Columns16, idle), fileOf(t, 140, report.Columns16, idle),
	}}
	_, changes := compare(t, s, judged(audit.KeyUnused))
	if d := cmp.Diff([]string{"open C8 bo key:" + stamp(5) + " was FAIL since 2026-05-31 or earlier"},
		found(changes)); d != "" {
		t.Error(d)
	}
}

// TestFirst compares an account without an older report. All open findings are
// new, and there are no events.
func TestFirst(t *testing.T) {
	new := file(t, 230, rows(root(), user("bo", password(5, 190))))
	out, changes := compare(t, diff.Series{New: &new}, judged(audit.ConsoleMFA))
	if d := cmp.Diff([]string{"new C5 bo since 2026-08-19 or earlier"}, found(changes)); d != "" ||
		events(changes) != nil {
		t.Error(d, events(changes))
	}
	if out.Status != diff.First || out.Incomplete() || out.Counts.NewFailures(audit.High) != 1 ||
		out.Counts.NewFailures(audit.Critical) != 0 {
		t.Errorf("%v %v %d", out.Status, out.Incomplete(), out.Counts.NewFailures(audit.High))
	}
}
