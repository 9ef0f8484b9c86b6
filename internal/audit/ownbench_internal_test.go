package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/report"
)

// LargeRow returns a user of a large account: half of the users have passwords, 60 %
// have keys, and most of the keys fail a control.
func LargeRow(i int) report.Row {
	at := func(days int) report.Time {
		return report.AtUnix(1_500_000_000 + int64(i)*7919%100_000_000 + int64(days)*86400)
	}
	name := fmt.Sprintf("firstname.lastname-%07d", i)
	r := report.Row{User: name, ARN: "arn:aws:iam::123456789012:user/division/department/" + name, Created: at(0)}
	if i%2 == 0 {
		r.PasswordEnabled = report.True
		r.PasswordLastUsed = at(30)
		r.PasswordLastChanged = at(20)
		r.PasswordNextRotation = at(110)
		r.MFAActive = report.BoolOf(i%4 == 0)
	}
	if i%5 < 3 {
		r.Keys[0] = report.Key{
			Active: report.True, LastRotated: at(1), LastUsed: at(400),
			LastUsedRegion: report.TextOf("eu-central-1"), LastUsedService: report.TextOf("dynamodb"),
		}
	}
	if i%5 == 0 {
		r.Keys[1] = report.Key{LastRotated: at(200)}
	}
	return r
}

// besideBuiltIn are custom controls, each with the built-in control that does
// comparable work: it judges the same rows or credentials by as many facts.
var besideBuiltIn = []struct {
	name    string
	builtIn ControlID
	own     string
}{
	{"C5", ConsoleMFA, "scope: user, expression: user.mfa || !password.enabled"},
	{"C6", UserMFA, "scope: user, expression: user.mfa"},
	{"C7", PasswordUnused, "scope: password, expression: password.idle_days < 45"},
	{"C8", KeyUnused, "scope: access_key, expression: key.idle_days < 45, when: key.active"},
	{"C9", KeyAge, "scope: access_key, when: key.active, " +
		"expression: \"key.age_days <= (user.class == 'machine' ? 90 : 90)\""},
	{"path", KeyAge, "scope: access_key, when: user.path.startsWith('/division/') && key.active, " +
		"expression: key.age_days <= 30"},
	{"in", KeyUnused, "scope: access_key, when: has(key.last_used), " +
		"expression: \"key.last_used_service in ['s3', 'ec2']\""},
	{"exists", KeyAge, "scope: user, expression: \"!user.keys.exists(k, k.active && k.age_days > 90)\""},
	{"all", KeyUnused, "scope: user, expression: \"user.keys.all(k, !k.active || k.idle_days < 45)\""},
	{"filter", OneActiveKey, "scope: user, expression: \"user.keys.filter(k, k.active).size() < 2\""},
	{"two", OneActiveKey, "scope: user, expression: \"user.keys.size() < 2 || !user.keys.all(k, k.active)\""},
	{"exists_one", OneActiveKey, "scope: user, " +
		"expression: \"user.keys.size() == 0 || user.keys.exists_one(k, k.active)\""},
	{"class", HumanAndMachine, "scope: user, expression: \"user.class != 'human' || user.keys.size() == 0\""},
	{"tags", UserMFA, "scope: user, expression: \"has(user.tags.team) && user.tags.team in ['a', 'b']\""},
	{"matches", UserMFA, "scope: user, expression: \"user.name.matches('^[a-z]+[.][a-z]+-[0-9]+$')\""},
	{"created", LeftoverUser, "scope: user, expression: \"user.created > timestamp('2016-01-01T00:00:00Z')\""},
}

// BenchmarkOwnBesideBuiltIn compares the processor time that one more custom control
// costs for a row with that of a built-in control. Each pass judges the same million
// rows by C17 alone, by the built-in control in addition, and by the custom control in
// addition, two thousand at a time. The medians of the differences count: other processes
// slow down some passes, and whatever runs beside them.
func BenchmarkOwnBesideBuiltIn(b *testing.B) {
	for _, findings := range []bool{false, true} {
		for _, pair := range besideBuiltIn {
			b.Run(fmt.Sprintf("%s/findings=%t", pair.name, findings), func(b *testing.B) {
				benchmarkBeside(b, pair.builtIn, pair.own, findings)
			})
		}
	}
}

func benchmarkBeside(b *testing.B, builtIn ControlID, own string, findings bool) {
	const distinct, rows = 2_000, 1_000_000
	const head = "version: 1\ncontrols:\n  - { id: OWN, title: t, severity: low, "
	config, err := ReadConfig(strings.NewReader(head+own+" }\n"), false)
	if err != nil {
		b.Fatal(err)
	}
	strict, _ := FindBenchmark(Strict)
	all := make([]report.Row, distinct)
	for i := range all {
		all[i] = LargeRow(i)
	}
	passing := func(more ...ControlID) func() float64 {
		a, err := New(Options{Benchmark: strict.With(config), Controls: append(more, MoreCredentials)})
		if err != nil {
			b.Fatal(err)
		}
		a.uncounted = nil // C7 and C8 are counted even if they are not judged
		return func() float64 { return pass(b, a, all, findings) }
	}
	before, with, instead := passing(), passing(builtIn), passing("OWN")
	var theirs, ours []float64
	for b.Loop() {
		for range rows / distinct {
			base := before()
			theirs, ours = append(theirs, with()-base), append(ours, instead()-base)
		}
	}
	slices.Sort(theirs)
	slices.Sort(ours)
	middle := len(ours) / 2
	b.ReportMetric(theirs[middle], "ns/row-built-in")
	b.ReportMetric(ours[middle], "ns/row-own")
	b.ReportMetric(ours[middle]/theirs[middle], "times")
}

// pass judges rows, and returns the time for each in nanoseconds.
func pass(b *testing.B, a *Auditor, rows []report.Row, findings bool) float64 {
	var visit func(*Row) error
	if findings {
		visit = func(*Row) error { return nil }
	}
	u := a.newRun(Source{Generated: time.Unix(1_700_000_000, 0)}, &Enrichment{}, visit)
	began := time.Now()
	for i := range rows {
		if err := u.judge(&rows[i], i); err != nil {
			b.Fatal(err)
		}
	}
	return float64(time.Since(began)) / float64(len(rows))
}
