package html

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// read assembles a reason from its template as the page does in reason() of
// data.js.
func read(t *testing.T, template string, args column) string {
	t.Helper()
	var numbers []int64
	if err := json.Unmarshal([]byte("["+string(args)+"]"), &numbers); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range template {
		switch c {
		case numberMark:
			b.WriteString(strconv.FormatInt(numbers[0], 10))
			numbers = numbers[1:]
		case timeMark:
			b.WriteString(time.Unix(numbers[0], 0).UTC().Format(time.RFC3339))
			numbers = numbers[1:]
		default:
			b.WriteRune(c)
		}
	}
	if len(numbers) > 0 {
		t.Errorf("template %q leaves numbers %v", template, numbers)
	}
	return b.String()
}

func TestTemplate(t *testing.T) {
	const day = 24 * time.Hour
	made := audit.TimeValue(report.At(time.Date(2026, 8, 24, 10, 20, 0, 0, time.UTC)))
	before := audit.TimeValue(report.AtUnix(-1))
	for _, test := range []struct {
		reason         audit.Reason
		template, back string
	}{
		{audit.Reason{
			Template: "The access key is {age} old, created {since}; the limit is {limit}.",
			Values:   []audit.Value{audit.AgeValue(91 * day), made, audit.AgeValue(90 * day)},
		}, "The access key is \x01 days old, created \x02; the limit is \x01 days.",
			"The access key is 91 days old, created 2026-08-24T10:20:00Z; the limit is 90 days."},
		{audit.Reason{Template: "{age}", Values: []audit.Value{audit.AgeValue(day + time.Second)}},
			"\x01 day \x01 second",
			"1 day 1 second"},
		{audit.TextReason("0 007 2026-13-24T10:20:00Z {age}"), "0 007 2026-13-24T10:20:00Z {age}",
			"0 007 2026-13-24T10:20:00Z {age}"},
		{audit.Reason{Template: "{since}", Values: []audit.Value{before}}, "\x02", "1969-12-31T23:59:59Z"},
		{audit.Reason{Template: "{since}", Values: []audit.Value{audit.TimeValue(report.None(report.NotApplicable))}},
			"N/A", "N/A"},
		{audit.TextReason("a\x01b\x02"), `a\x01b\x02`, `a\x01b\x02`},
	} {
		var s rows
		template := s.template(test.reason)
		if template != test.template {
			t.Errorf("%q: template %q, want %q", test.reason, template, test.template)
		}
		if got := read(t, template, s.args); got != test.back {
			t.Errorf("read(template of %q) = %q, want %q", test.reason, got, test.back)
		}
		if got := unmarked.Replace(test.reason.String()); got != test.back {
			t.Errorf("unmarked.Replace(%q) = %q, want %q", test.reason.String(), got, test.back)
		}
	}
}

// FuzzTemplate checks that the page turns a template back into the sentence.
func FuzzTemplate(f *testing.F) {
	f.Add("The access key is ", int64(91*86400), int64(1_787_566_800))
	f.Add("00019999999999999999\x01\x02-1.5e3", int64(0), int64(-1))
	f.Fuzz(func(t *testing.T, text string, age, made int64) {
		var s rows
		reason := audit.Reason{Template: "{text} {age} {since}.", Values: []audit.Value{
			audit.TextValue(text), audit.AgeValue(time.Duration(age)), audit.TimeValue(report.AtUnix(made)),
		}}
		template := s.template(reason)
		want := unmarked.Replace(strings.ToValidUTF8(reason.String(), "\ufffd"))
		if got := read(t, strings.ToValidUTF8(template, "\ufffd"), s.args); got != want {
			t.Errorf("%q came back as %q", reason, got)
		}
	})
}

func TestMoment(t *testing.T) {
	for _, test := range []struct {
		time report.Time
		want int64
	}{
		{report.AtUnix(1_700_000_000), 1_700_000_000},
		{report.AtUnix(0), 0},
		{report.None(report.NotApplicable), -1},
		{report.None(report.NoInformation), -2},
		{report.None(report.NotSupported), -3},
		{report.None(report.MissingColumn), -4},
		{report.None(report.Malformed), -5},
		{report.AtUnix(-1), -6},
		{report.AtUnix(-100), -105},
	} {
		if got := pageTime(test.time); got != test.want {
			t.Errorf("pageTime(%v) = %d, want %d", test.time, got, test.want)
		}
	}
}

func columns(names ...string) []report.Column {
	all := make([]report.Column, len(names))
	for i, name := range names {
		all[i], _ = report.FindColumn(name)
	}
	return all
}

func TestMarkedCell(t *testing.T) {
	for column, want := range map[string]int{
		"":                              userCell,
		"user_creation_time":            userCell,
		"arn":                           userCell,
		"password_enabled":              stateCell,
		"access_key_2_active":           stateCell,
		"cert_1_active":                 stateCell,
		"password_last_changed":         madeCell,
		"password_next_rotation":        madeCell,
		"access_key_1_last_rotated":     madeCell,
		"cert_2_last_rotated":           madeCell,
		"password_last_used":            usedCell,
		"access_key_1_last_used_date":   usedCell,
		"access_key_1_last_used_region": whereCell,
		"mfa_active":                    mfaCell,
		"additional_credentials_info":   credentialCell,
	} {
		var f audit.Finding
		if column != "" {
			f.Columns = columns(column, "user")
		}
		if got := marked(&f); got != want {
			t.Errorf("%q marks cell %d, want %d", column, got, want)
		}
	}
}

// A finding about a whole user is on the line of the credential whose column it
// blames, if the user has that credential.
func TestPlace(t *testing.T) {
	shown := [numWhats]bool{password: true, key2: true, cert1: true}
	for column, want := range map[string]int{
		"mfa_active": password, "password_last_used": password,
		"access_key_1_active": whole, "access_key_2_active": key2,
		"cert_1_active": cert1, "cert_2_active": whole, "user_creation_time": whole,
	} {
		if got := place(&audit.Finding{Columns: columns(column)}, &shown); got != want {
			t.Errorf("%s: line %d, want %d", column, got, want)
		}
	}
	f := &audit.Finding{Columns: columns("mfa_active"), Credential: audit.Credential{Kind: audit.AccessKey, Slot: 1}}
	if got := place(f, &shown); got != key1 {
		t.Errorf("a finding of key 1 is on line %d", got)
	}
	if got := place(&audit.Finding{}, &shown); got != whole {
		t.Errorf("a finding of no column is on line %d", got)
	}
}

func TestRotations(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	b := New(Options{})
	b.History(History{Account: "111122223333", Partition: "aws", Changes: []Change{
		{At: at, Kind: audit.KeyRemoved, User: "a", Text: "Old."},
		{At: at, Kind: audit.KeyAdded, Severity: audit.Medium, User: "a", Text: "New."},
		{At: at, Kind: audit.KeyAdded, Severity: audit.Medium, User: "a", Text: "Newer."},
		{At: at.Add(-time.Hour), Kind: audit.KeyDeactivated, User: "a"},
		{At: at, Kind: audit.KeyRemoved, User: "b"},
		{At: at, Kind: NewlyFailing, Severity: audit.High, User: "b", Control: audit.KeyAge},
	}})
	h := b.history(&audit.AccountSummary{Source: audit.Source{Account: "111122223333", Partition: "aws"}})
	var got []string
	for _, c := range h.Changes {
		got = append(got, string(c.Sort)+" "+c.User+" "+c.Text)
	}
	want := "failing b |added a Newer.|rotated a New. Old.|removed b |changed a "
	if text := strings.Join(got, "|"); text != want {
		t.Errorf("changes are\n%s, want\n%s", text, want)
	}
	if b.history(&audit.AccountSummary{Source: audit.Source{Account: "111122223333", Partition: "aws-cn"}}) != nil {
		t.Error("an account of another partition has this one's history")
	}
}

func TestEveryEventHasASort(t *testing.T) {
	want := map[audit.EventKind]sort{
		audit.UserAdded: added, audit.KeyAdded: added, audit.RootKeyAdded: added, audit.PasswordAdded: added,
		audit.PasswordAddedMachine: added, audit.MFAGained: added, audit.CertificateAdded: added,
		audit.UserGone: removed, audit.KeyRemoved: removed, audit.PasswordRemoved: removed, audit.MFALost: removed,
		audit.CertificateRemoved: removed, NewlyFailing: failing, Fixed: fixed,
		audit.KeyRotated: rotated,
	}
	for _, e := range audit.Events() {
		if _, ok := want[e.Kind]; !ok {
			want[e.Kind] = changed
		}
	}
	for kind, sort := range want {
		if got := sortOf(kind); got != sort {
			t.Errorf("%s is %s, want %s", kind, got, sort)
		}
	}
}

// An account with very many changes keeps the newest. The changes of its newest
// report are all counted.
func TestManyChanges(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	b := New(Options{})
	h := History{Account: "111122223333", Partition: "aws",
		Snapshots: []Snapshot{{Generated: at.Add(-time.Hour)}, {Generated: at}}}
	for i := range 3000 {
		kind := NewlyFailing
		if i%3 == 0 {
			kind = Fixed
		}
		h.Changes = append(h.Changes, Change{At: at.Add(-time.Duration(i/1500) * time.Hour), Kind: kind})
	}
	b.History(h)
	d := b.history(&audit.AccountSummary{Source: audit.Source{Account: "111122223333", Partition: "aws"}})
	if len(d.Changes) != 1000 || d.LeftOut != 2000 || d.Changes[999].At != at.Unix() {
		t.Errorf("%d changes are kept and %d left out", len(d.Changes), d.LeftOut)
	}
	if got := d.Steps[0].Sorts; got[failing] != 1000 || got[fixed] != 500 {
		t.Errorf("the newest report changed %v, want 1000 that fail and 500 that are fixed", got)
	}
	for range 10_000 {
		b.History(History{})
	}
	if got := b.maxChanges(); got != 20 {
		t.Errorf("each of 10,000 accounts keeps %d changes", got)
	}
}
