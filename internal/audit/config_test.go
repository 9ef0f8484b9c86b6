package audit_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/report"
)

const wholeConfig = `version: 1
profile: pci-4.0.1
params: { unused_days: 30, key_max_age_days_machine: 365, key_age_root: false }
classify:
  human: [ password_enabled ]
  machine: [ "user~^svc-", "path:/machines/*" ]
  break_glass: [ "arn:*:user/break-glass/*" ]
exceptions:
` + goodException

func TestReadConfig(t *testing.T) {
	c, err := audit.ReadConfig(strings.NewReader(wholeConfig), false)
	if err != nil {
		t.Fatal(err)
	}
	if c.Profile != audit.PCI401 || len(c.Exceptions) != 1 || len(c.Classes.Machine) != 2 ||
		c.Classes.Machine[0].String() != "user~^svc-" {
		t.Errorf("config %+v", c)
	}
	for _, id := range []audit.Standard{audit.PCI401, audit.Strict} {
		b := mustBenchmark(t, id)
		want := b.Params
		want.UnusedDays, want.KeyMaxAgeDaysMachine, want.KeyAgeRoot = 30, 365, false
		got, err := c.Params(b)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got:\n%s", id, err, diff)
		}
	}
	if b := mustBenchmark(t, audit.PCI401); b.Params.UnusedDays != 90 {
		t.Error("the benchmark itself was changed")
	}
}

func TestReadConfigRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, err string }{
		{"nothing", "", "it is empty"},
		{"no version", "profile: strict\n", "version is 0"},
		{"unknown key", "version: 1\nprofil: strict\n", "line 2: key profil is not known; did you mean profile?"},
		{"unknown threshold", "version: 1\nparams: { unused_day: 3 }\n",
			"line 2: key unused_day is not known; did you mean unused_days?"},
		{"two unknown keys", "versien: 1\nparams: { unusd_days: 3 }\n",
			"line 1: key versien is not known; did you mean version?\n" +
				"line 2: key unusd_days is not known; did you mean unused_days?"},
		{"unknown class", "version: 1\nclassify: { robots: [ no_password ] }\n", "line 2: key robots is not known"},
		{"unknown profile", "version: 1\nprofile: cis-9\n", `there is no profile "cis-9"`},
		{"short profile", "version: 1\nprofile: cis7\n", `there is no profile "cis7"; did you mean cis-7.0?`},
		{"text as threshold", "version: 1\nparams: { unused_days: many }\n",
			"line 2: unused_days must be a whole number"},
		{"fraction as threshold", "version: 1\nparams: { unused_days: 45.9 }\n",
			"line 2: unused_days must be a whole number"},
		{"threshold of zero", "version: 1\nparams: { unused_days: 0 }\n", "unused_days is 0"},
		{"negative threshold", "version: 1\nparams: { rotation_grace_days: -1 }\n", "rotation_grace_days is -1"},
		{"threshold beyond reason", "version: 1\nparams: { key_max_age_days: 100000000 }\n",
			"key_max_age_days is 100000000"},
		{"warn before fail", "version: 1\nparams: { root_used_fail_days: 5, root_used_warn_days: 3 }\n",
			"root_used_warn_days is 3"},
		{"class that is none", "version: 1\nclassify: { human: [ svc ] }\n", `read class "svc"`},
		{"class with a bad expression", "version: 1\nclassify: { human: [ 'user~(' ] }\n", "error parsing regexp"},
		{"bad exception", "version: 1\nexceptions:\n" + strings.Replace(goodException, "C9", "C0", 1),
			"there is no control"},
	} {
		_, err := audit.ReadConfig(strings.NewReader(c.text), false)
		if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "audit.") {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.err)
		}
	}
}

// TestParams checks that each threshold of a file affects its control.
func TestParams(t *testing.T) {
	plain := withKey(userRow(account1, "u"), 0, 50, 20)
	plain.Created = report.At(asOf.AddDate(0, 0, -50).Add(-20 * 60e9))
	plain.Keys[1] = report.Key{LastRotated: daysAgo(52)}
	plain.PasswordEnabled, plain.PasswordLastUsed, plain.PasswordLastChanged = report.True, daysAgo(20), daysAgo(50)
	plain.Certificates[0] = report.Certificate{Active: report.True, LastRotated: daysAgo(50)}
	machine := withKey(withKey(userRow(account1, "m"), 0, 50, 20), 1, 10, 5)
	unused := plain
	unused.User, unused.ARN, unused.Keys[0].LastUsed = "n", "arn:aws:iam::123456789012:user/n", report.Time{}
	leftover := userRow(account1, "z")
	leftover.Created = daysAgo(40)
	root := withKey(rootRow(account1), 0, 200, 100)
	file := csvOf(t, root, plain, machine, unused, leftover)
	for _, c := range []struct {
		params, verdict string // the verdict that appears only with these params
	}{
		{"unused_days: 20", "C7 u password FAIL"},
		{"unused_days: 20", "C8 m key:" + daysAgo(50).String() + " FAIL"},
		{"key_max_age_days: 49", "C9 u key:" + daysAgo(50).String() + " FAIL"},
		{"key_max_age_days_machine: 49", "C9 m key:" + daysAgo(50).String() + " FAIL"},
		{"key_age_root: false", "C9 <root_account> - NOT_APPLICABLE"},
		{"rotation_grace_days: 11", "C10 m - WARN"},
		{"root_used_fail_days: 101, root_used_warn_days: 101", "C4 <root_account> - FAIL"},
		{"root_used_warn_days: 101", "C4 <root_account> - WARN"},
		{"setup_window_minutes: 20", "C11 n key:" + daysAgo(50).String() + " FAIL"},
		{"password_max_age_days: 49", "C12 u password FAIL"},
		{"password_max_age_days: 0", "C12 u password NOT_APPLICABLE"},
		{"certificate_max_age_days: 49", "C13 u cert:" + daysAgo(50).String() + " WARN"},
		{"leftover_days: 39", "C15 z - WARN"},
		{"leftover_key_days: 51", "C16 u key:" + daysAgo(52).String() + " WARN"},
		{"report_max_age_hours: 1", "C19 - - WARN"},
	} {
		verdicts := func(params string) string {
			t.Helper()
			config, err := audit.ReadConfig(strings.NewReader("version: 1\nparams: { "+params+" }\n"), false)
			if err != nil {
				t.Fatal(err)
			}
			strict := mustBenchmark(t, audit.Strict)
			p, err := config.Params(strict)
			if err != nil {
				t.Fatal(err)
			}
			a := newAuditor(t, audit.Options{Benchmark: strict, Params: &p, Statuses: audit.AllStatuses})
			src := fresh
			src.Fetched = asOf.Add(2 * 60 * 60e9)
			_, findings := mustAudit(t, a, file, src)
			var all strings.Builder
			for i := range findings {
				all.WriteString(key(&findings[i]) + "\n")
			}
			return all.String()
		}
		if got := verdicts(c.params); !strings.Contains(got, c.verdict+"\n") {
			t.Errorf("%s: no %s in\n%s", c.params, c.verdict, got)
		}
		if got := verdicts(""); strings.Contains(got, c.verdict+"\n") {
			t.Errorf("%s: %s is there without it", c.params, c.verdict)
		}
	}
}

func TestClasses(t *testing.T) {
	c, err := audit.ReadConfig(strings.NewReader(wholeConfig), false)
	if err != nil {
		t.Fatal(err)
	}
	row := func(name, path string, password report.Bool) report.Row {
		r := userRow(account1, name)
		r.ARN = "arn:aws:iam::123456789012:user" + path + name
		r.PasswordEnabled = password
		return r
	}
	unreadable := report.NoBool(report.Malformed)
	for _, tt := range []struct {
		row  report.Row
		want audit.Class
	}{
		{rootRow(account1), audit.ClassRoot},
		{row("jo", "/", report.True), audit.ClassHuman},
		{row("robot", "/", report.False), audit.ClassMachine},
		{row("svc-web", "/", report.True), audit.ClassMachine},
		{row("my-svc-web", "/", report.True), audit.ClassHuman},
		{row("x", "/machines/a/", report.True), audit.ClassMachine},
		{row("x", "/my/machines/a/", report.True), audit.ClassHuman},
		{row("svc-x", "/break-glass/", report.True), audit.ClassBreakGlass},
		{row("x", "/", unreadable), audit.ClassUnknown},
		{row("svc-x", "/", unreadable), audit.ClassMachine},
	} {
		if got := c.Classes.Of(&tt.row); got != tt.want {
			t.Errorf("%s is %s, want %s", tt.row.ARN, got, tt.want)
		}
	}
	for _, text := range []string{"", "user", "users:x", "machine", "user~["} {
		if _, err := audit.ParseMatcher(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add(wholeConfig)
	f.Add("version: 1\nclassify: { human: [ 'user~a{1000}{1000}', 'user:*?' ] }\n")
	f.Add("a: &a [x]\nb: &b [*a,*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := audit.ReadConfig(strings.NewReader(text), true)
		if err != nil {
			return
		}
		if _, err := c.Params(mustBenchmark(t, audit.Strict)); err != nil {
			t.Logf("params: %v", err)
		}
		if _, err := audit.New(audit.Options{Exceptions: c.Exceptions, Classes: c.Classes}); err != nil {
			t.Errorf("what was read is refused: %v", err)
		}
	})
}
