package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/internal/words"
	"rollcall/report"
)

// outcome returns a plan in lines: the planned items with their days, and the
// others with the reason.
func outcome(p *Plan) (lines []string) {
	for _, a := range p.Accounts {
		for _, i := range a.Items {
			var ids []string
			for _, f := range i.Findings {
				ids = append(ids, string(f.Control.ID))
			}
			lines = append(lines,
				fmt.Sprintf("%s %s %s: %s", i.User, i.Credential.ID(), strings.Join(ids, " "), i.days()))
		}
		for _, l := range a.Left {
			var ids []string
			for _, f := range l.Findings {
				ids = append(ids, string(f.Control.ID))
			}
			why, _, _ := strings.Cut(l.Why, ".")
			lines = append(lines,
				fmt.Sprintf("%s %s %s %s: %s", l.Reason, l.User, l.Credential.ID(), strings.Join(ids, " "), why))
		}
	}
	return lines
}

const days = "warn 2026-11-02, final 2026-11-09, deactivate 2026-11-16, delete 2026-12-16"

// only returns options for these controls.
func only(controls ...audit.ControlID) audit.Options {
	return audit.Options{Controls: controls}
}

// TestDecide checks the decision for each finding.
func TestDecide(t *testing.T) {
	k := func(made int) string { return "key:" + ago(made).String() }
	keys := only(audit.KeyUnused, audit.KeyAge, audit.OneActiveKey, audit.KeyAtSetup, audit.LeftoverKey)
	passwords := only(audit.PasswordUnused, audit.ConsoleMFA)
	tests := map[string]struct {
		options audit.Options
		row     report.Row
		want    []string
	}{
		"unused key":     {keys, user("bo", key(1, 80, 60)), []string{"bo " + k(80) + " C8: " + days}},
		"unused and old": {keys, user("bo", key(2, 200, 60)), []string{"bo " + k(200) + " C8 C9: " + days}},
		"never used":     {keys, user("bo", key(1, 80, 0)), []string{"bo " + k(80) + " C8: " + days}},
		"young and never used": {only(audit.KeyAtSetup),
			user("bo", func(r *report.Row) { r.Created = ago(5) }, password(5, 1), key(1, 5, 0)),
			[]string{"kept bo " + k(5) + " C11: It was created on 2026-10-27, less than 30 days before the report"}},
		"password just set": {passwords, user("bo", password(5, 0)),
			[]string{"kept bo password C5: It was set on 2026-10-27, less than 30 days before the report"}},
		"old and in use": {keys, user("bo", key(1, 200, 3)),
			[]string{"kept bo " + k(200) + " C9: It was used on 2026-10-29, less than 30 days before the report"}},
		"old, unused for 29 days": {keys, user("bo", key(1, 200, 29)),
			[]string{"kept bo " + k(200) + " C9: It was used on 2026-10-03, less than 30 days before the report"}},
		"old, unused for 31 days": {keys, user("bo", key(1, 200, 31)), []string{"bo " + k(200) + " C9: " + days}},
		"two keys, one unused": {keys, user("bo", key(1, 50, 40), key(2, 60, 2)),
			[]string{"bo " + k(50) + " C10: " + days}},
		"two keys, the other": {keys, user("bo", key(1, 50, 2), key(2, 60, 0)),
			[]string{"bo " + k(60) + " C8 C10: " + days}},
		"two keys, both in use": {keys, user("bo", key(1, 50, 2), key(2, 60, 5)),
			[]string{"kept bo " + k(60) + " C10: It was used on 2026-10-27, less than 30 days before the report"}},
		"two keys, used alike": {keys, user("bo", key(1, 50, 40), key(2, 60, 40)),
			[]string{"person bo  C10: The report does not say which of the two keys is in use"}},
		"two keys, in rotation": {keys, user("bo", key(1, 50, 2), key(2, 3, 1)),
			[]string{"person bo  C10: The user's keys seem to be in rotation: see that it comes to an end"}},
		"two keys, old one in use": {keys, user("bo", key(1, 200, 2), key(2, 60, 40)),
			[]string{"bo " + k(60) + " C10: " + days,
				"kept bo " + k(200) + " C9: It was used on 2026-10-30, less than 30 days before the report"}},
		"made in the same second": {keys, user("bo", key(1, 80, 60), key(2, 80, 1)),
			[]string{"kept bo " + k(80) + "#1 C8 C10: The user's two keys were created in the same second: the report " +
				"does not say which one is meant"}},
		"left over, inactive": {keys, user("bo", key(1, 200, 0), off(1)),
			[]string{"bo " + k(200) + " C16: warn 2026-11-02, final 2026-11-09, delete 2026-12-02"}},
		"left over, just used": {keys, user("bo", key(1, 200, 2), off(1)),
			[]string{"kept bo " + k(200) + " C16: It was used on 2026-10-30, less than 30 days before the report"}},
		"created at set-up": {only(audit.KeyAtSetup), user("bo", password(10, 1), key(1, 400, 0)),
			[]string{"bo " + k(400) + " C11: " + days}},
		"unused password": {passwords, user("bo", mfa, password(300, 60)),
			[]string{"bo password C7: warn 2026-11-02, final 2026-11-09, deactivate 2026-11-16"}},
		"password without MFA": {passwords, user("bo", password(300, 40)),
			[]string{"bo password C5: warn 2026-11-02, final 2026-11-09, deactivate 2026-11-16"}},
		"in use without MFA": {passwords, user("bo", password(300, 4)),
			[]string{"kept bo password C5: It was used on 2026-10-28, less than 30 days before the report"}},
		"unused and without MFA": {passwords, user("bo", password(300, 0)),
			[]string{"bo password C5 C7: warn 2026-11-02, final 2026-11-09, deactivate 2026-11-16"}},
		"certificate": {only(audit.SigningCertificate), user("bo", func(r *report.Row) {
			r.Certificates[0] = report.Certificate{Active: report.True, LastRotated: ago(500)}
		}), []string{"person bo cert:" + ago(500).String() +
			" C13: A report does not say when a signing certificate was last used"}},
		"human and machine": {only(audit.HumanAndMachine), user("bo", password(3, 1), key(1, 3, 1)),
			[]string{"person bo  C14: Give the program a role, or a user of its own; or have the person use " +
				"short-lived credentials"}},
		"not a name of IAM's": {keys, user("$(touch x)", key(1, 80, 60)),
			[]string{"kept $(touch x) " + k(80) +
				" C8: IAM allows no user to have this name: somebody changed the report, or it is damaged"}},
		"root": {only(audit.RootActiveKey),
			report.Row{User: report.RootUser, ARN: "arn:aws:iam::" + account + ":root", Created: ago(900),
				Keys: user("", key(1, 200, 0)).Keys},
			[]string{"root <root_account>  C1: Nothing of root is automated"}},
		"nothing": {keys, user("bo", key(1, 50, 2)), nil},
		"no date of the key": {keys, user("bo", func(r *report.Row) { r.Keys[0] = report.Key{Active: report.True} }),
			nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(test.want,
				outcome(planned(t, Options{}, test.options, nil, report.Columns22, test.row))); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestUseNotKnown uses a report without dates of use, in which only the age is
// wrong.
func TestUseNotKnown(t *testing.T) {
	p := planned(t, Options{}, only(audit.KeyAge), nil, report.Columns16, user("bo", key(1, 200, 0)))
	if d := cmp.Diff(
		[]string{"kept bo key:" + ago(200).String() + " C9: The report does not say when it was last used"},
		outcome(p)); d != "" {
		t.Error(d)
	}
}

// TestExcepted checks that exactly the excused findings are left.
func TestExcepted(t *testing.T) {
	o := only(audit.KeyUnused, audit.KeyAge)
	o.Exceptions = []audit.Exception{{
		ID: "EX-1", Control: "C8", Account: account, User: "bo", Reason: "r", Owner: "o", Ticket: "t",
		Expires: audit.Date{Year: 2027, Month: 1, Day: 1},
	}}
	p := planned(t, Options{}, o, nil, report.Columns22, user("bo", key(1, 80, 60)), user("cy", key(1, 80, 60)),
		user("di", key(1, 200, 60)))
	want := []string{
		"cy key:" + ago(80).String() + " C8: " + days, "di key:" + ago(200).String() + " C8 C9: " + days,
		"excused bo key:" + ago(80).String() + " C8: The exception EX-1 excuses it",
	}
	if d := cmp.Diff(want, outcome(p)); d != "" {
		t.Error(d)
	}
}

// TestEnriched checks that known ids are named, and that credentials that have
// changed since the report are kept.
func TestEnriched(t *testing.T) {
	made := func(days int) time.Time { at, _ := ago(days).Value(); return at }
	fact := func(days int, id string) audit.KeyFact {
		return audit.KeyFact{ID: id, Created: made(days), Active: true}
	}
	facts := &audit.Enrichment{Users: map[string]audit.UserFacts{
		"amy": {Created: made(400),
			Keys: []audit.KeyFact{fact(80, "AKIAEXAMPLEEXAMPLE01"), fact(3, "AKIAEXAMPLEEXAMPLE02")}},
		"bo": {Created: made(400), Keys: []audit.KeyFact{}},
		"cy": {Created: made(400),
			Keys: []audit.KeyFact{fact(80, "AKIAEXAMPLEEXAMPLE03"), fact(80, "AKIAEXAMPLEEXAMPLE04")}},
		"di":   {Created: made(5), Keys: []audit.KeyFact{fact(80, "AKIAEXAMPLEEXAMPLE05")}},
		"eve":  {Created: made(400)},
		"fred": {Created: made(400), Keys: []audit.KeyFact{fact(80, "$(touch x)")}},
		"gus": {Created: made(400),
			Keys: []audit.KeyFact{fact(80, "AKIAEXAMPLEEXAMPLE06"), fact(50, "AKIAEXAMPLEEXAMPLE07")}},
	}}
	var rows []report.Row
	for _, name := range []string{"amy", "bo", "cy", "di", "eve", "fred"} {
		rows = append(rows, user(name, key(1, 80, 60)))
	}
	rows = append(rows, user("gus", key(1, 80, 31), key(2, 50, 1)), user("hal", key(1, 80, 60)))
	p := planned(t, Options{}, only(audit.KeyUnused, audit.OneActiveKey), facts, report.Columns22, rows...)
	ids := map[string]string{}
	for _, i := range p.Accounts[0].Items {
		ids[i.User] = i.KeyID
	}
	if d := cmp.Diff(map[string]string{"amy": "AKIAEXAMPLEEXAMPLE01", "eve": "", "gus": "AKIAEXAMPLEEXAMPLE06"},
		ids); d != "" {
		t.Error(d)
	}
	var left []string
	for _, l := range p.Accounts[0].Left {
		left = append(left, l.User+": "+l.Why)
	}
	want := []string{
		"bo: It was deleted after the report was generated.",
		"cy: The keys AKIAEXAMPLEEXAMPLE03 and AKIAEXAMPLEEXAMPLE04 were created in the same second: the report does " +
			"not say which one is meant.",
		"di: The account's user of this name was created " + ago(5).String() + " and is a different user.",
		"fred: Its id is not valid.",
		"hal: The account no longer has this user.",
	}
	if d := cmp.Diff(want, left); d != "" {
		t.Error(d)
	}
}

// TestMost checks that the plan has a limited number of items and counts the
// rest.
func TestMost(t *testing.T) {
	var rows []report.Row
	for i := range 10 {
		rows = append(rows, user(fmt.Sprintf("u%d", i), key(1, 80, 60)), user(fmt.Sprintf("v%d", i), password(100, 1)))
	}
	p := planned(t, Options{Most: 3}, only(audit.KeyUnused, audit.ConsoleMFA), nil, report.Columns22, rows...)
	if len(p.Accounts[0].Items) != 3 || p.More != 7 || len(p.Accounts[0].Left) != 3 ||
		p.Counts[Kept] != 10 || p.beyond(Kept) != 7 {
		t.Errorf("%d items, %d more, %d left of %d", len(p.Accounts[0].Items), p.More,
			len(p.Accounts[0].Left), p.Counts[Kept])
	}
}

// TestTwice checks that a plan contains a credential once, even if the report has
// two rows of its user, and that it takes one report of an account.
func TestTwice(t *testing.T) {
	p := planned(t, Options{}, only(audit.KeyUnused), nil, report.Columns22,
		user("bo", key(1, 80, 60)), user("al", key(1, 80, 60)), user("bo", key(1, 80, 60)))
	if len(p.Accounts[0].Items) != 2 || p.Total != 2 || p.Counts[Kept] != 1 || len(p.Problems) != 1 {
		t.Errorf("%d items of %d, %d kept, problems %q", len(p.Accounts[0].Items), p.Total, p.Counts[Kept], p.Problems)
	}
	p.Begin(p.Accounts[0].Source, atAWS, generated)
	if err := p.End(&audit.AccountSummary{Source: p.Accounts[0].Source}); err == nil ||
		!strings.Contains(err.Error(), "two reports of account "+account) {
		t.Errorf("a second report of the account: %v", err)
	}
}

// TestOptions checks that invalid options are refused.
func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"no start": {}, "final after deactivation": {Start: start, FinalDays: 14, DeactivateDays: 14},
		"negative": {Start: start, KeepUsedDays: -1}, "forever": {Start: start, DeleteDays: 100_000},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestDays checks that changes are in windows, in the local time of the zone.
func TestDays(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Zurich")
	must(t, err)
	window, err := ParseWindow("Tue 09:00-12:00")
	must(t, err)
	p := planned(t, Options{Start: time.Date(2026, 3, 10, 23, 0, 0, 0, zone), Windows: []Window{window}},
		only(audit.KeyUnused), nil, report.Columns22, user("bo", key(1, 80, 60)))
	item := p.Accounts[0].Items[0]
	if got := item.days(); got != "warn 2026-03-10, final 2026-03-17, deactivate Tue 2026-03-24 09:00, delete Tue "+
		"2026-04-28 09:00" {
		t.Error(got)
	}
	// Summer time began in between.
	off, _ := item.step(Deactivate)
	gone, _ := item.step(Delete)
	if words.Time(off.NotBefore) != "2026-03-24T08:00:00Z" || words.Time(gone.NotBefore) != "2026-04-28T07:00:00Z" {
		t.Error(words.Time(off.NotBefore), words.Time(gone.NotBefore))
	}
}

// TestBreakGlass checks that nothing is planned for users who look like users
// for emergencies until they are classified.
func TestBreakGlass(t *testing.T) {
	matcher := func(s string) []audit.Matcher {
		m, err := audit.ParseMatcher(s)
		must(t, err)
		return []audit.Matcher{m}
	}
	inPath := func(path string) func(*report.Row) {
		return func(r *report.Row) { r.ARN = "arn:aws:iam::" + account + ":user" + path + r.User }
	}
	const person, kept = "person", "kept"
	for _, test := range []struct {
		name, path string
		classes    audit.Classes
		want       string // "" means planned
	}{
		{"break-glass-1", "/", audit.Classes{}, person},
		{"BreakGlass", "/", audit.Classes{}, person},
		{"break_glass", "/", audit.Classes{}, person},
		{"emergency.admin", "/", audit.Classes{}, person},
		{"bo", "/break-glass/", audit.Classes{}, person},
		{"bo", "/ops/firecall/", audit.Classes{}, person},
		{"bo", "/ops/", audit.Classes{}, ""},
		{"glass-breaker", "/", audit.Classes{}, ""},
		{"break-glass-1", "/", audit.Classes{BreakGlass: matcher("user:break-*")}, kept},
		{"bo", "/", audit.Classes{BreakGlass: matcher("user:bo")}, kept},
		{"break-glass-1", "/", audit.Classes{Human: matcher("password_enabled")}, person},
		{"break-glass-1", "/", audit.Classes{Machine: matcher("user~^break")}, ""},
		{"bo", "/break-glass/", audit.Classes{Human: matcher("path:/break-glass/*")}, ""},
	} {
		p := planned(t, Options{Classes: test.classes},
			only(audit.KeyUnused, audit.PasswordUnused), nil, report.Columns22,
			user(test.name, inPath(test.path), key(1, 80, 60), password(300, 60), mfa))
		want := map[Reason]int{}
		if test.want != "" {
			want[Reason(test.want)] = 2
		}
		if d := cmp.Diff(want, p.Counts); d != "" {
			t.Errorf("%s%s %+v: %s", test.path, test.name, test.classes, d)
		}
		if asked := slices.Contains(p.Unclassified, test.name); asked != (test.want == person) ||
			len(p.Unclassified) > 1 {
			t.Errorf("%s%s: asked about %q", test.path, test.name, p.Unclassified)
		}
	}
}

// TestCutoff checks that times count from the earliest of the requested time,
// the report and now.
func TestCutoff(t *testing.T) {
	day := func(n int) time.Time { return generated.AddDate(0, 0, n) }
	for _, test := range []struct{ asOf, report, now, want time.Time }{
		{day(0), day(0), day(5), day(-30)},
		{day(900), day(0), day(5), day(-30)},
		{day(900), time.Time{}, day(5), day(-25)},
		{day(-3), day(0), day(5), day(-33)},
	} {
		p, err := New(Options{Start: start, Now: test.now})
		must(t, err)
		p.Begin(audit.Source{Generated: test.report}, Service{}, test.asOf)
		if got := p.account().Cutoff; !got.Equal(test.want) {
			t.Errorf("%+v: %s", test, got)
		}
	}
}
