package diff_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/report"
)

// TestEvents checks each kind of event, and similar changes that are not
// events.
func TestEvents(t *testing.T) {
	tests := map[string]struct {
		old, new []report.Row
		want     []string
	}{
		"nothing": {rows(root(), user("bo", password(2, 190), key(1, 2, 190))),
			rows(root(), user("bo", password(2, 190), key(1, 2, 190))), nil},
		"user added": {nil, rows(user("bo", made(210), key(1, 211, 0), password(212, 0), certificate(1, 213, true))),
			[]string{
				"bo key-added key:" + stamp(211) + " is active, never used",
				"bo certificate-added cert:" + stamp(213) + " is active",
				"bo password-added password",
				"bo user-added is a password, 1 key, 1 certificate",
			}},
		"user gone": {rows(user("bo", key(1, 2, 3), key(2, 4, 5))), nil, []string{"bo user-gone was 2 keys"}},
		"user replaced": {rows(user("bo", key(1, 2, 3))), rows(user("bo", made(220), password(220, 0))),
			[]string{"bo user-replaced was " + stamp(1) + " is " + stamp(220), "bo password-added password"}},
		"path": {rows(user("bo")),
			rows(user("bo", func(r *report.Row) { r.ARN = "arn:aws:iam::" + account + ":user/ops/bo" })), []string{
				"bo user-path-changed was / is /ops/",
			}},
		"letter case": {rows(user("bo")), rows(user("Bo")), []string{"Bo user-renamed was bo is Bo"}},
		"renamed": {rows(user("bo"), user("cy", made(2))),
			rows(user("cy", made(2)), user("zoe", key(1, 210, 0))), []string{
				"bo user-gone was no credentials", "zoe key-added key:" + stamp(210) + " is active, never used",
				"zoe user-added is 1 key", "zoe user-renamed was bo is zoe",
			}},
		"two gone of one second": {rows(user("bo"), user("cy")), rows(user("zoe")),
			[]string{"bo user-gone was no credentials", "cy user-gone was no credentials",
				"zoe user-added is no credentials"}},
		"three new ones": {rows(user("bo")), rows(user("x"), user("y"), user("z")),
			[]string{"bo user-gone was no credentials", "x user-added is no credentials",
				"y user-added is no credentials", "z user-added is no credentials"}},
		"key added": {rows(user("bo")), rows(user("bo", key(2, 210, 215))),
			[]string{"bo key-added key:" + stamp(210) + " is active, used " + stamp(215)}},
		"inactive key added": {rows(user("bo")), rows(user("bo", key(2, 210, 0), off(2))),
			[]string{"bo key-added key:" + stamp(210) + " is inactive, never used"}},
		"key in the other place": {rows(user("bo", key(1, 5, 0))), rows(user("bo", key(2, 5, 0))), nil},
		"keys change places": {rows(user("bo", key(1, 5, 7), key(2, 6, 0))),
			rows(user("bo", key(1, 6, 0), key(2, 5, 7))), nil},
		"key removed": {rows(user("bo", key(1, 5, 0), off(1))), rows(user("bo")),
			[]string{"bo key-removed key:" + stamp(5) + " was inactive, never used"}},
		"key rotated": {rows(user("bo", key(1, 5, 190))), rows(user("bo", key(1, 210, 0))),
			[]string{"bo key-rotated key:" + stamp(210) + " was key:" + stamp(5) + " is key:" + stamp(210)}},
		"second added, first removed": {rows(user("bo", key(1, 5, 0), key(2, 6, 0))),
			rows(user("bo", key(1, 210, 0), key(2, 6, 0))),
			[]string{"bo key-rotated key:" + stamp(210) + " was key:" + stamp(5) + " is key:" + stamp(210)}},
		"both rotated": {rows(user("bo", key(1, 6, 0), key(2, 5, 0))),
			rows(user("bo", key(1, 211, 0), key(2, 210, 0))), []string{
				"bo key-rotated key:" + stamp(210) + " was key:" + stamp(5) + " is key:" + stamp(210),
				"bo key-rotated key:" + stamp(211) + " was key:" + stamp(6) + " is key:" + stamp(211),
			}},
		"key deactivated": {rows(user("bo", key(1, 5, 0))), rows(user("bo", key(2, 5, 0), off(2))),
			[]string{"bo key-deactivated key:" + stamp(5) + " was active, never used is inactive, never used"}},
		"key reactivated": {rows(user("bo", key(1, 5, 0), off(1))), rows(user("bo", key(1, 5, 0))),
			[]string{"bo key-reactivated key:" + stamp(5) + " was inactive, never used is active, never used"}},
		"key first used": {rows(user("bo", key(1, 190, 0))), rows(user("bo", key(1, 190, 210))),
			[]string{"bo key-first-used key:" + stamp(190) + " is s3 eu-west-1"}},
		"key used":          {rows(user("bo", key(1, 5, 190))), rows(user("bo", key(1, 5, 210))), nil},
		"key used, 44 days": {rows(user("bo", key(1, 5, 200-44.9))), rows(user("bo", key(1, 5, 210))), nil},
		"key used, 45 days": {rows(user("bo", key(1, 5, 155))), rows(user("bo", key(1, 5, 210))),
			[]string{"bo key-used-after-long key:" + stamp(5) + " was " + stamp(155) + " is " + stamp(210)}},
		"region": {rows(user("bo", key(1, 5, 190))),
			rows(user("bo", key(1, 5, 210), at(1, "s3", "us-east-1"))),
			[]string{"bo last-used-region-changed key:" + stamp(5) + " was eu-west-1 is us-east-1"}},
		"first region": {rows(user("bo", key(1, 5, 190), at(1, "s3", "N/A"))), rows(user("bo", key(1, 5, 210))),
			[]string{"bo last-used-region-changed key:" + stamp(5) + " was N/A is eu-west-1"}},
		"no region": {rows(user("bo", key(1, 5, 190))),
			rows(user("bo", key(1, 5, 210), at(1, "s3", "N/A"))), nil},
		"region without a use": {rows(user("bo", key(1, 5, 190))),
			rows(user("bo", key(1, 5, 190), at(1, "s3", "us-east-1"))), nil},
		"service": {rows(user("bo", key(1, 5, 190))),
			rows(user("bo", key(1, 5, 210), at(1, "iam", "eu-west-1"))),
			[]string{"bo last-used-service-changed key:" + stamp(5) + " was s3 is iam"}},
		"password set": {rows(user("bo")), rows(user("bo", password(210, 0))),
			[]string{"bo password-added password"}},
		"password of machine": {rows(user("bo", key(1, 5, 190))), rows(user("bo", key(1, 5, 190), password(210, 0))),
			[]string{"bo password-added-to-machine password"}},
		"password removed": {rows(user("bo", password(5, 190))), rows(user("bo")),
			[]string{"bo password-removed password"}},
		"password changed": {rows(user("bo", password(5, 190))), rows(user("bo", password(210, 190))),
			[]string{"bo password-changed password was " + stamp(5) + " is " + stamp(210)}},
		"password used": {rows(user("bo", password(5, 190))), rows(user("bo", password(5, 210))),
			[]string{"bo password-used password was " + stamp(190) + " is " + stamp(210)}},
		"password first used": {rows(user("bo", password(190, 0))), rows(user("bo", password(190, 210))),
			[]string{"bo password-first-used password was no_information is " + stamp(210)}},
		"password used after": {rows(user("bo", password(5, 155))), rows(user("bo", password(5, 210))),
			[]string{"bo password-used-after-long password was " + stamp(155) + " is " + stamp(210)}},
		"MFA gained": {rows(user("bo", password(5, 190))), rows(user("bo", password(5, 190), mfa)),
			[]string{"bo mfa-gained was false is true"}},
		"MFA lost": {rows(user("bo", password(5, 190), mfa)), rows(user("bo", password(5, 190))),
			[]string{"bo mfa-lost was true is false"}},
		"MFA removed": {rows(user("bo", mfa)), rows(user("bo")), []string{"bo mfa-removed was true is false"}},
		"certificates": {rows(user("bo", certificate(1, 5, true), certificate(2, 6, false))),
			rows(user("bo", certificate(1, 6, true), certificate(2, 5, false))), []string{
				"bo certificate-reactivated cert:" + stamp(6), "bo certificate-deactivated cert:" + stamp(5),
			}},
		"certificate replaced": {rows(user("bo", certificate(1, 5, true))),
			rows(user("bo", certificate(1, 210, false))), []string{
				"bo certificate-added cert:" + stamp(210) + " is inactive",
				"bo certificate-removed cert:" + stamp(5) + " was active",
			}},
		"root used": {rows(root(key(1, 2, 3))), rows(root(key(1, 2, 220))),
			[]string{"<root_account> root-used was " + stamp(10) + " is " + stamp(220)}},
		"root's earlier use seen of a key that is gone": {rows(root(key(1, 2, 30))), rows(root()),
			[]string{"<root_account> key-removed key:" + stamp(2) + " was active, used " + stamp(30)}},
		"root key rotated": {rows(root(key(1, 2, 3))), rows(root(key(1, 210, 0))), []string{
			"<root_account> root-key-added key:" + stamp(210) + " is active, never used",
			"<root_account> key-removed key:" + stamp(2) + " was active, used " + stamp(3),
		}},
		"root key, inactive": {rows(root()), rows(root(key(1, 210, 0), off(1))),
			[]string{"<root_account> key-added key:" + stamp(210) + " is inactive, never used"}},
		"root MFA lost": {rows(root()),
			rows(root(func(r *report.Row) { r.MFAActive, r.PasswordEnabled = report.False, report.False })),
			[]string{"<root_account> mfa-lost was true is false", "<root_account> password-removed password"}},
		"root password": {rows(root(func(r *report.Row) { r.PasswordEnabled = report.False })), rows(root()),
			[]string{"<root_account> password-added password"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			old, new := test.old, test.new
			if len(old) == 0 || !old[0].IsRoot() {
				old, new = append(rows(root()), old...), append(rows(root()), new...)
			}
			if d := cmp.Diff(test.want, between(t, old, new)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestSeverities checks the events whose severity differs from that of their
// kind.
func TestSeverities(t *testing.T) {
	tests := map[string]struct {
		old, new []report.Row
		kind     audit.EventKind
		want     audit.Severity
	}{
		"root password": {rows(root(func(r *report.Row) { r.PasswordEnabled = report.False })), rows(root()),
			audit.PasswordAdded, audit.High},
		"user password": {rows(root(), user("bo")), rows(root(), user("bo", password(210, 0))),
			audit.PasswordAdded, audit.Low},
		"first use, young key": {rows(root(), user("bo", key(1, 190, 0))), rows(root(), user("bo", key(1, 190, 210))),
			audit.KeyFirstUsed, audit.Low},
		"first use, old key": {rows(root(), user("bo", key(1, 20, 0))), rows(root(), user("bo", key(1, 20, 210))),
			audit.KeyFirstUsed, audit.Medium},
		"first use, old password": {
			rows(root(), user("bo", password(20, 0))), rows(root(), user("bo", password(20, 210))),
			audit.PasswordFirstUsed, audit.Medium,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, n := file(t, 200, test.old), file(t, 230, test.new)
			_, changes := compare(t, diff.Series{Old: &o, New: &n}, diff.Options{})
			for _, c := range changes {
				for _, e := range c.Events {
					if e.Kind == test.kind {
						if e.Severity != test.want {
							t.Errorf("severity %v, want %v", e.Severity, test.want)
						}
						return
					}
				}
			}
			t.Errorf("no %s in %v", test.kind, events(changes))
		})
	}
}

// TestTies compares two keys that were created in the same second. They are
// matched if possible. Otherwise the event says so.
func TestTies(t *testing.T) {
	const doubt = "Two were created in that second"
	tests := map[string]struct {
		old, new report.Row
		want     []string
		doubt    bool
	}{
		"both stay": {user("bo", key(1, 5, 190), key(2, 5, 0)), user("bo", key(1, 5, 190), key(2, 5, 0)), nil, false},
		"one deactivated": {user("bo", key(1, 5, 190), key(2, 5, 0)),
			user("bo", key(1, 5, 190), key(2, 5, 0), off(2)), []string{
				"bo key-deactivated key:" + stamp(5) + "#2 was active, never used is inactive, never used",
			}, false},
		"the unused one removed": {user("bo", key(1, 5, 190), key(2, 5, 0)), user("bo", key(1, 5, 190)), []string{
			"bo key-removed key:" + stamp(5) + "#2 was active, never used",
		}, true},
		"the used one removed": {user("bo", key(1, 5, 190), key(2, 5, 0)), user("bo", key(1, 5, 0)), []string{
			"bo key-removed key:" + stamp(5) + "#1 was active, used " + stamp(190),
		}, true},
		"by their uses": {user("bo", key(1, 5, 190), key(2, 5, 180)), user("bo", key(1, 5, 185)), []string{
			"bo key-removed key:" + stamp(5) + "#1 was active, used " + stamp(190),
		}, true},
		"both removed": {user("bo", key(1, 5, 190), key(2, 5, 0)), user("bo"), []string{
			"bo key-removed key:" + stamp(5) + "#1 was active, used " + stamp(190),
			"bo key-removed key:" + stamp(5) + "#2 was active, never used",
		}, false},
		"one comes to another": {user("bo", key(1, 5, 0), off(1)),
			user("bo", key(1, 5, 0), key(2, 5, 0), off(2)), []string{
				"bo key-added key:" + stamp(5) + "#1 is active, never used",
			}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, n := file(t, 200, rows(root(), test.old)), file(t, 230, rows(root(), test.new))
			_, changes := compare(t, diff.Series{Old: &o, New: &n}, diff.Options{})
			if d := cmp.Diff(test.want, events(changes)); d != "" {
				t.Fatal(d)
			}
			for _, c := range changes {
				for _, e := range c.Events {
					if strings.Contains(e.Note, doubt) != test.doubt {
						t.Errorf("note %q of %s, doubt %v", e.Note, e.Kind, test.doubt)
					}
				}
			}
		})
	}
}

// TestMoreCredentials compares a user whose keys the report does not show
// completely. A key that appears or disappears may have been hidden.
func TestMoreCredentials(t *testing.T) {
	more := func(r *report.Row) { r.Additional = report.TextOf(report.AdditionalCredentials(1, 0)) }
	old := fileOf(t, 200, report.Columns23, rows(root(), user("bo", key(1, 5, 0), key(2, 6, 0), more)))
	new := fileOf(t, 230, report.Columns23, rows(root(), user("bo", key(1, 5, 0), key(2, 7, 0), more)))
	_, changes := compare(t, diff.Series{Old: &old, New: &new}, diff.Options{})
	if len(events(changes)) != 1 || !strings.Contains(changes[0].Events[0].Note, "more than the report shows") {
		t.Errorf("%+v", changes[0].Events)
	}
}

// TestColumns compares reports of different versions. A value that only one of
// them has is not a change.
func TestColumns(t *testing.T) {
	all := func(n float64) []report.Row {
		return rows(root(key(1, 2, n)), user("bo", password(3, n), key(1, 4, n), key(2, 5, n), certificate(1, 6, true)))
	}
	same := all(190)
	for _, columns := range [][2]report.Columns{
		{report.Columns16, report.Columns22}, {report.Columns22, report.Columns16},
		{report.Columns16, report.Columns23}, {report.Columns22, report.Columns23},
		{report.Columns23, report.Columns22},
	} {
		old, new := fileOf(t, 200, columns[0], same), fileOf(t, 230, columns[1], same)
		out, changes := compare(t, diff.Series{Old: &old, New: &new}, diff.Options{})
		if got := events(changes); got != nil {
			t.Errorf("%d and %d columns: %q", columns[0].Len(), columns[1].Len(), got)
		}
		want := 0
		if columns[0].Len() == 16 || columns[1].Len() == 16 {
			want = 6
		}
		if len(out.NotCompared) != want {
			t.Errorf("%d and %d columns: not compared %q", columns[0].Len(), columns[1].Len(), out.NotCompared)
		}
	}
	// This report only lacks regions.
	var names []string
	for _, name := range report.Columns22.Names() {
		if !strings.HasSuffix(name, "_region") {
			names = append(names, name)
		}
	}
	without, err := report.NewColumns(names...)
	must(t, err)
	used := fileOf(t, 230, report.Columns22, rows(root(), user("bo", key(1, 4, 210))))
	unsaid := fileOf(t, 200, without, rows(root(), user("bo", key(1, 4, 190))))
	if _, changes := compare(t, diff.Series{Old: &unsaid, New: &used}, diff.Options{}); events(changes) != nil {
		t.Errorf("without regions: %q", events(changes))
	}
	// A use that the old report could not show is not a use since then. A later
	// one is.
	old, new := fileOf(t, 200, report.Columns16, all(190)), fileOf(t, 230, report.Columns22, all(190))
	_, changes := compare(t, diff.Series{Old: &old, New: &new}, diff.Options{})
	if got := events(changes); got != nil {
		t.Errorf("%q", got)
	}
	new = fileOf(t, 230, report.Columns22, rows(root(key(1, 2, 220)), all(190)[1]))
	_, changes = compare(t, diff.Series{Old: &old, New: &new}, diff.Options{})
	if d := cmp.Diff([]string{"<root_account> root-used was " + stamp(10) + " is " + stamp(220)},
		events(changes)); d != "" {
		t.Error(d)
	}
}

// TestUnreadable compares unreadable cells. They are not changes, and the
// result is incomplete.
func TestUnreadable(t *testing.T) {
	same := rows(root(), user("bo", mfa, password(3, 4)))
	var b strings.Builder
	w := report.NewWriter(&b, report.Columns22)
	for i := range same {
		must(t, w.WriteRow(&same[i]))
	}
	must(t, w.Flush())
	broken := strings.Replace(b.String(), "N/A,true,false", "N/A,perhaps,false", 1)
	if broken == b.String() {
		t.Fatal("the file has no such cell")
	}
	old, new := file(t, 200, same), contentOf(230, []byte(broken))
	out, changes := compare(t, diff.Series{Old: &old, New: &new}, diff.Options{})
	if got := events(changes); got != nil {
		t.Errorf("%q", got)
	}
	if !out.Incomplete() || !strings.Contains(out.Problems[0].Text, `mfa_active cannot be read, "perhaps"`) {
		t.Errorf("%v", out.Problems)
	}
}
