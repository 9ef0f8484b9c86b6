package plan

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/internal/audit"
	"rollcall/report"
)

const keyOne, keyTwo = "AKIAEXAMPLEEXAMPLE01", "AKIAEXAMPLEEXAMPLE02"

// oneKey returns the environment of a plan for a key of bo that was not used
// for 60 days.
func oneKey(t *testing.T, o Options) *world {
	w := newWorld(t, planned(t, o, only(audit.KeyUnused), nil, report.Columns22, user("bo", key(1, 80, 60))))
	w.key("bo", keyOne, ago(80), "Active")
	w.key("bo", keyTwo, ago(3), "Active")
	w.key("other", "AKIAEXAMPLEEXAMPLE03", ago(80), "Active")
	return w
}

// TestStages runs a plan day by day.
func TestStages(t *testing.T) {
	t.Parallel()
	w := oneKey(t, Options{})
	w.want(w.run(0), "account 123456789012, user bo, access key created "+ago(80).String(),
		"warn 2026-11-02, final 2026-11-09, deactivate 2026-11-16, delete 2026-12-16", "Nothing was done")
	if calls := w.read("calls"); calls != "" || w.read("plan.sh.record") != "" {
		t.Fatalf("without a stage it called %s", calls)
	}
	steps := []struct {
		day, stage string
		code       int
		want       string
		changes    []string
	}{
		{"2026-11-01", "warn", 0, "not before 2026-11-02T00:00:00Z", nil},
		{"2026-11-02", "final", 0, "not before 2026-11-09T00:00:00Z", nil},
		{"2026-11-20", "final", 1, "the stage warn was not done", nil},
		{"2026-11-04", "warn", 0, "will be deactivated on 2026-11-16, and deleted on 2026-12-16", nil},
		{"2026-11-05", "warn", 0, "done before", nil},
		{"2026-11-10", "final", 0, "the stage warn was less than 7 days ago", nil},
		{"2026-11-12", "deactivate", 0, "not before 2026-11-16T00:00:00Z", nil},
		{"2026-11-20", "deactivate", 1, "the stage final was not done", nil},
		{"2026-11-12", "final", 0, "Final warning. The access key", nil},
		{"2026-11-18", "deactivate", 0, "the stage final was less than 7 days ago", nil},
		{"2026-11-20", "delete", 0, "not before 2026-12-16T00:00:00Z", nil},
		{"2026-11-20", "deactivate", 0, "aws iam update-access-key --user-name=bo --access-key-id=" + keyOne, []string{
			"iam update-access-key --user-name=bo --access-key-id=" + keyOne + " --status Inactive",
		}},
		{"2026-11-21", "deactivate", 0, "done before", nil},
		{"2026-12-17", "delete", 0, "the stage deactivate was less than 30 days ago", nil},
		{"2026-12-21", "delete", 0, "aws iam delete-access-key",
			[]string{"iam delete-access-key --user-name=bo --access-key-id=" + keyOne}},
		{"2026-12-22", "delete", 0, "done before", nil},
	}
	for _, step := range steps {
		w.now = step.day + " 10:00 UTC"
		w.want(w.run(step.code, "--stage", step.stage), step.want)
		if d := cmp.Diff(step.changes, w.changes()); d != "" {
			t.Fatalf("%s on %s: %s", step.stage, step.day, d)
		}
	}
	if keys := w.read("keys"); strings.Contains(keys, keyOne) || !strings.Contains(keys, keyTwo) ||
		!strings.Contains(keys, "EXAMPLE03") {
		t.Errorf("left are %s", keys)
	}
	record := w.read("plan.sh.record")
	for _, want := range []string{" 2026-11-20T10:00:00Z deactivate ", " begun\n", " 2026-12-21T10:00:00Z delete "} {
		if !strings.Contains(record, want) {
			t.Errorf("%q is not in the record\n%s", want, record)
		}
	}
}

// warned moves a plan to the day of a stage.
func (w *world) warned(stage Stage) {
	w.t.Helper()
	for _, s := range Stages {
		if s == stage {
			w.changes()
			return
		}
		w.run(0, "--stage", string(s), "--ignore-dates")
	}
}

// TestLooksAgain changes the account after the report. The plan then does
// nothing to a credential that has changed.
func TestLooksAgain(t *testing.T) {
	t.Parallel()
	replace := func(old, new string) func(*world) {
		return func(w *world) { w.write("keys", strings.Replace(w.read("keys"), old, new, 1)) }
	}
	made := strings.Replace(ago(80).String(), "Z", "+00:00", 1)
	tests := map[string]struct {
		stage  Stage
		change func(*world)
		want   string
	}{
		"used since": {Deactivate, func(w *world) {
			w.write("used."+keyOne, "2026-11-03T08:00:00+00:00\n")
		}, "it was used at 2026-11-03T08:00:00+00:00"},
		"used on the last day": {Deactivate, func(w *world) { w.write("used."+keyOne, "2026-10-02T12:00:00Z\n") },
			"it was used at 2026-10-02T12:00:00Z"},
		"use in another zone": {Deactivate, func(w *world) {
			w.write("used."+keyOne, "2026-09-01T08:00:00+02:00\n")
		}, "is not a time in UTC"},
		"use is nonsense": {Deactivate, func(w *world) {
			w.write("used."+keyOne, "$(touch x)\n")
		}, "is not a time in UTC"},
		"gone": {Deactivate, replace("bo "+keyOne, "bill "+keyOne),
			"there is no access key created"},
		"two of that second": {Deactivate, replace(strings.Replace(ago(3).String(), "Z", "+00:00", 1), made),
			"there are several access keys created"},
		"another account": {Deactivate, func(w *world) { w.write("account", "210987654321\n") },
			"these credentials are of account 210987654321"},
		"no account": {Deactivate, func(w *world) {
			w.write("account", "")
		}, "these credentials are of account"},
		"active again": {Delete, replace("Inactive", "Active"), "it is Active"},
		"used between": {Delete, func(w *world) {
			w.write("used."+keyOne, "2026-11-17T08:00:00+00:00\n")
		}, "it was used at 2026-11-17"},
		"the record is lost": {Delete, func(w *world) { w.write("plan.sh.record", "") },
			"the stage deactivate was not done"},
		"the record cannot be added": {Deactivate, func(w *world) {
			must(w.t, exec.Command("chmod", "400", filepath.Join(w.dir, "plan.sh.record")).Run())
		}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := oneKey(t, Options{})
			w.warned(test.stage)
			test.change(w)
			if test.want == "" {
				// A superuser who runs the tests may still be allowed to write.
				w.want(w.run(0, "--stage", string(test.stage), "--ignore-dates", "--dry-run"),
					"aws iam update-access-key")
				w.run(1, "--stage", string(test.stage), "--ignore-dates", "--record", "/nowhere/record")
			} else {
				w.want(w.run(1, "--stage", string(test.stage), "--ignore-dates"), test.want)
			}
			if got := w.changes(); got != nil {
				t.Errorf("it did %q", got)
			}
		})
	}
}

// TestNamedKey runs a plan that contains the key's id. It does not act on
// another key that was created in the same second.
func TestNamedKey(t *testing.T) {
	at, _ := ago(80).Value()
	facts := &audit.Enrichment{
		Users: map[string]audit.UserFacts{
			"bo": {Created: at.AddDate(0, 0, -320), Keys: []audit.KeyFact{{ID: keyOne, Created: at, Active: true}}}}}
	w := newWorld(t, planned(t, Options{}, only(audit.KeyUnused), facts, report.Columns22, user("bo", key(1, 80, 60))))
	if script := w.read("plan.sh"); !strings.Contains(script,
		"run aws iam update-access-key --user-name=bo --access-key-id="+keyOne+" --status Inactive") {
		t.Fatal(script)
	}
	w.key("bo", keyTwo, ago(80), "Active")
	w.warned(Deactivate)
	w.want(w.run(1, "--stage", "deactivate", "--ignore-dates"), "is "+keyTwo+" and not "+keyOne)
	w.write("keys", "")
	w.key("bo", keyOne, ago(80), "Active")
	w.run(0, "--stage", "deactivate", "--ignore-dates")
	if d := cmp.Diff([]string{"iam update-access-key --user-name=bo --access-key-id=" + keyOne + " --status Inactive"},
		w.changes()); d != "" {
		t.Error(d)
	}
}

// TestUndo activates keys again. After that, all warnings must be repeated.
func TestUndo(t *testing.T) {
	w := oneKey(t, Options{})
	w.run(0, "--stage", "undo")
	w.warned(Delete)
	if !strings.Contains(w.read("keys"), keyOne+" "+strings.Replace(ago(80).String(), "Z", "+00:00", 1)+" Inactive") {
		t.Fatal(w.read("keys"))
	}
	w.want(w.run(0, "--stage", "undo"), "account "+account+", user bo, access key created "+
		ago(80).String(), "C8 key-unused FAIL")
	w.run(1, "--stage", "delete", "--ignore-dates")
	w.run(1, "--stage", "deactivate", "--ignore-dates")
	w.run(0, "--stage", "undo")
	if d := cmp.Diff([]string{"iam update-access-key --user-name=bo --access-key-id=" + keyOne + " --status Active"},
		w.changes()); d != "" {
		t.Error(d)
	}
}

// status sets the status of the planned key, as a person would.
func (w *world) status(s string) {
	w.t.Helper()
	lines := strings.SplitAfter(w.read("keys"), "\n")
	for i, line := range lines {
		if strings.Contains(line, keyOne) {
			lines[i] = line[:strings.LastIndex(line, " ")] + " " + s + "\n"
		}
	}
	w.write("keys", strings.Join(lines, ""))
}

// TestUndoLeavesOthersDeeds checks that undo only reverts changes of the plan.
func TestUndoLeavesOthersDeeds(t *testing.T) {
	t.Parallel()
	const deactivate = "deactivate"
	tests := map[string]struct {
		do   func(w *world, id string)
		code int
		want string
		undo bool
	}{
		"a person made it inactive before the deadline": {do: func(w *world, _ string) {
			w.status("Inactive")
			w.want(w.run(0, "--stage", deactivate, "--ignore-dates"), "somebody else deactivated it: undo leaves it inactive")
		}},
		"a person did and a run after that saw it": {do: func(w *world, _ string) {
			w.status("Inactive")
			w.run(0, "--stage", deactivate, "--ignore-dates")
			w.run(0, "--stage", deactivate, "--ignore-dates")
		}},
		"nobody did anything": {do: func(*world, string) {}},
		"the plan did": {do: func(w *world, _ string) {
			w.run(0, "--stage", deactivate, "--ignore-dates")
		}, undo: true},
		"the plan did and was interrupted": {do: func(w *world, id string) {
			w.write("plan.sh.record", w.read("plan.sh.record")+"1 x deactivate "+id+" begun\n")
			w.status("Inactive")
			w.want(w.run(0, "--stage", deactivate, "--ignore-dates"), "a run of this plan that was interrupted deactivated it")
		}, undo: true},
		"the command failed and a person did": {do: func(w *world, id string) {
			w.write("plan.sh.record", w.read("plan.sh.record")+"1 x deactivate "+id+
				" begun\n1 x deactivate "+id+" failed\n")
			w.status("Inactive")
		}},
		"a person made it active again": {do: func(w *world, _ string) {
			w.run(0, "--stage", deactivate, "--ignore-dates")
			w.status("Active")
		}, want: "it is active already"},
		"it was deleted": {do: func(w *world, _ string) {
			w.run(0, "--stage", deactivate, "--ignore-dates")
			w.run(0, "--stage", "delete", "--ignore-dates")
		}, code: 1, want: "deleted, which cannot be undone"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := planned(t, Options{}, only(audit.KeyUnused), nil, report.Columns22, user("bo", key(1, 80, 60)))
			w := newWorld(t, p)
			w.key("bo", keyOne, ago(80), "Active")
			w.warned(Deactivate)
			test.do(w, p.Accounts[0].Items[0].ID)
			w.changes()
			want := test.want
			if want == "" && !test.undo {
				want = "there is nothing to undo: this plan did not deactivate it"
			}
			w.want(w.run(test.code, "--stage", "undo"), want)
			if got := len(w.changes()) > 0; got != test.undo {
				t.Errorf("undone: %v\n%s", got, w.read("plan.sh.record"))
			}
		})
	}
}

// TestUndoPassword checks the message that a password cannot be restored.
func TestUndoPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		planned(t, Options{}, only(audit.PasswordUnused), nil, report.Columns22, user("bo", password(300, 60), mfa)))
	w.write("user.bo", ago(400).String()+" 2026-09-02T12:00:00Z\n")
	w.write("login.bo", "")
	w.want(w.run(0, "--stage", "undo"), "there is nothing to undo: this plan did not remove it")
	w.warned(Deactivate)
	w.run(0, "--stage", "deactivate", "--ignore-dates")
	w.want(w.run(1, "--stage", "undo"), "the password was removed, which cannot be undone")
}

// TestUsers runs a stage for the named users only.
func TestUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, planned(t, Options{}, only(audit.KeyUnused), nil, report.Columns22,
		user("amy", key(1, 80, 60)), user("bo", key(1, 80, 60)), user("bob", key(1, 80, 60))))
	for i, name := range []string{"amy", "bo", "bob"} {
		w.key(name, fmt.Sprintf("AKIAEXAMPLEEXAMPLE0%d", i), ago(80), "Active")
	}
	w.warned(Deactivate)
	w.run(0, "--stage", "deactivate", "--ignore-dates", "--user", "bo", "--user", "amy")
	if got := w.changes(); len(got) != 2 {
		t.Errorf("made inactive: %q", got)
	}
	w.run(0, "--stage", "undo", "--user", "bo")
	if d := cmp.Diff(
		[]string{"iam update-access-key --user-name=bo --access-key-id=AKIAEXAMPLEEXAMPLE01 --status Active"},
		w.changes()); d != "" {
		t.Error(d)
	}
	w.want(w.run(1, "--stage", "undo", "--user", "nobody"), "there is nothing here for a user nobody")
	if out := w.run(0, "--user", "bob"); strings.Contains(out, "user amy") || !strings.Contains(out, "user bob") {
		t.Error(out)
	}
}

// TestAgainstNow checks that uses right before the run count, whatever time the
// plan was created for.
func TestAgainstNow(t *testing.T) {
	t.Parallel()
	build := func(t *testing.T) *world {
		p := planned(t, Options{}, only(audit.KeyUnused, audit.PasswordUnused), nil, report.Columns22,
			user("amy", password(300, 60), mfa), user("bo", key(1, 80, 60)))
		p.Accounts[0].Cutoff = generated.AddDate(80, 0, 0)
		w := newWorld(t, p)
		w.key("bo", keyOne, ago(80), "Active")
		w.write("user.amy", ago(400).String()+" 2026-09-02T12:00:00Z\n")
		w.write("login.amy", "")
		w.warned(Deactivate)
		return w
	}
	w := build(t)
	w.run(0, "--stage", "deactivate", "--ignore-dates")
	if got := w.changes(); len(got) != 2 {
		t.Fatalf("it did %q", got)
	}
	for name, change := range map[string]func(*world){
		"used": func(w *world) {
			w.write("used."+keyOne, "2026-11-27T08:00:00+00:00\n")
			w.write("user.amy", ago(400).String()+" 2026-11-27T08:00:00Z\n")
		},
		"set": func(w *world) {
			w.now = "2026-09-10 10:00 UTC" // 28 days after the key was created
			w.write("used."+keyOne, "None\n")
			w.write("user.amy", ago(400).String()+" None\n")
			w.write("login.amy", "2026-09-01T08:00:00Z\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := build(t)
			change(w)
			w.want(w.run(1, "--stage", "deactivate", "--ignore-dates"), "user amy, password", "user bo, access key")
			if got := w.changes(); got != nil {
				t.Errorf("it did %q", got)
			}
		})
	}
}

// TestService checks that the script uses the report's service and profile, and
// no others.
func TestService(t *testing.T) {
	t.Parallel()
	const there = "https://iam.example.com:8443"
	for _, test := range []struct {
		service Service
		options []string
		code    int
		want    string // the beginning of calls
		says    string
	}{
		{Service{Known: true, Endpoint: there, Profile: "audit"}, nil, 0,
			"--profile audit --endpoint-url " + there + " iam", ""},
		{Service{Known: true, Endpoint: there, Profile: "audit"}, []string{"--profile", "ops"}, 0,
			"--profile ops --endpoint-url " + there + " iam", ""},
		{Service{Known: true, Endpoint: there}, []string{"--endpoint-url=" + there + "/"}, 0,
			"--endpoint-url " + there + " iam", ""},
		{Service{Known: true, Endpoint: there}, []string{"--endpoint-url", "https://iam.amazonaws.com"},
			1, "", "calls no other service"},
		{Service{Known: true, Endpoint: there}, []string{"--endpoint-ur=https://x"}, 1, "", "calls no other service"},
		{Service{Known: true}, []string{"--endpoint-url", there}, 1, "",
			"its report came from AWS, and this plan calls no other service, such as " + there},
		{Service{Known: true, Profile: "audit"}, nil, 0, "--profile audit iam", ""},
		{Service{}, []string{"--endpoint-url", there}, 0, "--endpoint-url " + there + " iam", ""},
	} {
		p := planned(t, Options{}, only(audit.KeyUnused), nil, report.Columns22, user("bo", key(1, 80, 60)))
		p.Accounts[0].Service = test.service
		w := newWorld(t, p)
		w.key("bo", keyOne, ago(80), "Active")
		w.warned(Deactivate)
		w.want(w.run(test.code, append([]string{"--stage", "deactivate", "--ignore-dates", "--"}, test.options...)...),
			test.says)
		calls := strings.Join(w.changes(), "\n")
		if (calls != "") != (test.code == 0) || !strings.Contains(calls, test.want) ||
			strings.Contains(calls, "--profile audit --profile") {
			t.Errorf("%+v %q: %q", test.service, test.options, calls)
		}
	}
}

// TestDryRun checks that a dry run changes nothing, not even the record.
func TestDryRun(t *testing.T) {
	w := oneKey(t, Options{})
	w.want(w.run(0, "--stage", "warn", "--ignore-dates", "--dry-run"), "will be deactivated")
	if w.read("plan.sh.record") != "" {
		t.Error("a dry run is in the record")
	}
	w.warned(Deactivate)
	record := w.read("plan.sh.record")
	w.want(w.run(0, "--stage", "deactivate", "--ignore-dates", "--dry-run", "--", "--profile", "ops"),
		"aws iam update-access-key")
	if got := w.changes(); got != nil || w.read("plan.sh.record") != record {
		t.Errorf("%q", got)
	}
	if !strings.Contains(w.run(0, "--stage", "deactivate", "--ignore-dates", "--", "--profile", "ops")+w.read("calls"),
		"--profile ops iam update-access-key") {
		t.Error("the options for the AWS CLI do not reach it")
	}
}

// TestScriptWindow checks that changes only happen within the windows.
func TestScriptWindow(t *testing.T) {
	t.Parallel()
	first, err := ParseWindow("Tue,Thu 09:00-12:00")
	must(t, err)
	second, err := ParseWindow("Sat 08:00-24:00")
	must(t, err)
	for zone, tests := range map[string]map[string]bool{
		"UTC": {
			"2027-01-05 08:59 UTC": false, "2027-01-05 09:00 UTC": true, "2027-01-05 11:59 UTC": true,
			"2027-01-05 12:00 UTC": false,
			"2027-01-06 10:00 UTC": false, "2027-01-07 10:00 UTC": true, "2027-01-09 23:59 UTC": true,
			"2027-01-10 00:00 UTC": false,
		},
		"Asia/Kolkata": {"2027-01-05 03:29 UTC": false, "2027-01-05 03:30 UTC": true, "2027-01-05 06:29 UTC": true,
			"2027-01-05 06:30 UTC": false},
	} {
		loc, err := time.LoadLocation(zone)
		must(t, err)
		w := oneKey(t, Options{Start: time.Date(2026, 11, 2, 0, 0, 0, 0, loc), Windows: []Window{first, second}})
		for _, stage := range []string{"warn", "final"} {
			w.now = map[string]string{"warn": "2026-11-02 10:00 UTC", "final": "2026-11-10 10:00 UTC"}[stage]
			w.run(0, "--stage", stage)
		}
		for now, open := range tests {
			w.now = now
			out := w.run(0, "--stage", "deactivate", "--dry-run")
			if strings.Contains(out, "aws iam update-access-key") != open ||
				strings.Contains(out, "this is outside the change windows") == open {
				t.Errorf("%s at %s, want %v: %s", zone, now, open, out)
			}
		}
	}
}

// TestPassword removes passwords, but not one of another user, one that is
// used, or one of a user who has MFA now.
func TestPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, planned(t, Options{}, only(audit.PasswordUnused, audit.ConsoleMFA), nil, report.Columns22,
		user("amy", password(300, 40)), user("bo", password(300, 60), mfa), user("cy", password(300, 0)),
		user("di", password(300, 60), mfa), user("eve", password(300, 60), mfa)))
	made := ago(400).String()
	for name, used := range map[string]string{"amy": "2026-09-22T12:00:00Z", "bo": "2026-09-02T12:00:00Z", "cy": "None",
		"di": "2026-11-02T12:00:00Z", "eve": "None"} {
		at := made
		if name == "eve" {
			at = ago(2).String()
		}
		w.write("user."+name, at+" "+used+"\n")
		w.write("login."+name, "")
	}
	w.write("mfa.amy", "1\n")
	w.warned(Deactivate)
	w.want(w.run(1, "--stage", "deactivate", "--ignore-dates"), "the user has MFA now",
		"it was used at 2026-11-02T12:00:00Z", "the user of that name was created "+ago(2).String())
	if d := cmp.Diff([]string{"iam delete-login-profile --user-name=bo", "iam delete-login-profile --user-name=cy"},
		w.changes()); d != "" {
		t.Error(d)
	}
}

// TestFailures checks that the script continues after a failed step, and exits
// with 1.
func TestFailures(t *testing.T) {
	w := newWorld(t, planned(t, Options{}, only(audit.KeyUnused, audit.PasswordUnused), nil, report.Columns22,
		user("amy", password(300, 60), mfa), user("bo", key(1, 80, 60))))
	w.key("bo", keyOne, ago(80), "Active")
	w.write("user.amy", ago(400).String()+" None\n")
	w.write("login.amy", "")
	w.write("fail.amy", "")
	w.warned(Deactivate)
	w.want(w.run(1, "--stage", "deactivate", "--ignore-dates"), "the command failed", "aws iam update-access-key")
	if !strings.Contains(w.read("plan.sh.record"), " failed\n") {
		t.Error(w.read("plan.sh.record"))
	}
	w.run(1, "--stage", "deactivate", "--ignore-dates") // again, but the key is already inactive
	if n := strings.Count(strings.Join(w.changes(), "\n"), "update-access-key"); n != 1 {
		t.Errorf("the key was made inactive %d times", n)
	}
}

// TestNotify sends messages to a program.
func TestNotify(t *testing.T) {
	w := oneKey(t, Options{})
	w.write("mail", "#!/bin/sh\n{ echo \"to $2 of $1\"; cat; } >> mails\n")
	must(t, exec.Command("chmod", "+x", filepath.Join(w.dir, "mail")).Run())
	w.run(0, "--stage", "warn", "--ignore-dates", "--notify", "./mail")
	w.want(w.read("mails"), "to bo of "+account+"\nThe access key created "+ago(80).String()+" of user bo in account "+
		account+" was last used on 2026-09-02.")
	w.write("mail", "#!/bin/sh\nexit 1\n")
	w.run(1, "--stage", "final", "--ignore-dates", "--notify", "./mail")
	w.want(w.run(1, "--stage", "deactivate", "--ignore-dates"), "the stage final was not done")
}

// TestUsage checks that invalid arguments are refused and nothing is done.
func TestUsage(t *testing.T) {
	w := oneKey(t, Options{})
	for _, args := range [][]string{{"--stage"}, {"--stage", "now"}, {"warn"}, {"--force"}, {"--record"}} {
		w.want(w.run(64, args...), "usage: bash ")
	}
	w.want(w.run(0, "--help"), "--stage deactivate", "Exit codes")
	if w.read("calls") != "" {
		t.Error(w.read("calls"))
	}
}

// TestNobody runs an empty plan.
func TestNobody(t *testing.T) {
	w := newWorld(t, planned(t, Options{}, only(audit.KeyUnused), nil, report.Columns22))
	w.run(0)
	w.run(0, "--stage", "warn")
	w.run(1, "--stage", "deactivate")
}

// hostile are names that a shell or the AWS CLI could misinterpret. IAM accepts
// the first ones.
var hostile = []string{
	"-x", "--help", "=x", "+1", "@home", "a@example.com", "a=b,c", "-", "a.b+c",
	"'", "''", `"`, "$(touch pwned)", "`touch pwned`", "a b", "a;touch pwned", "a\ntouch pwned", "${HOME}",
	"a'$(touch pwned)'b", `\`, "*", "~", "!x", "a#b", "<x", "é", "\x1b[31m", "&", "a\\'b",
}

// TestHostileNames plans for names of all kinds. Names that IAM accepts reach
// the AWS CLI unchanged. For the others there is only a line that says so.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	var rows []report.Row
	for _, name := range hostile {
		rows = append(rows, user(name, key(1, 80, 60)))
	}
	p := planned(t, Options{}, only(audit.KeyUnused), nil, report.Columns22, rows...)
	if n := len(p.Accounts[0].Items); n != 9 || p.Counts[Kept] != len(hostile)-9 {
		t.Fatalf("%d items, %d kept", n, p.Counts[Kept])
	}
	carriedOut(t, p, hostile[:9])
}

// TestHostileQuoted passes the same names to the script without the check. They
// are still single words.
func TestHostileQuoted(t *testing.T) {
	t.Parallel()
	p := planned(t, Options{Most: 100}, only(audit.KeyUnused), nil, report.Columns22, user("bo", key(1, 80, 60)))
	item := p.Accounts[0].Items[0]
	p.Accounts[0].Items, p.Total = nil, 0
	for _, name := range hostile[9:] {
		i := item
		i.User, i.ARN = name, "arn:aws:iam::"+account+":user/"+name
		p.add(i)
	}
	carriedOut(t, p, hostile[9:])
}

// carriedOut deactivates the key of each user and compares the arguments of the
// AWS CLI.
func carriedOut(t *testing.T, p *Plan, names []string) {
	t.Helper()
	w := newWorld(t, p)
	// One key answers for all, because the substitute does not support such
	// names.
	w.write("keys", "")
	aws := "#!/usr/bin/env bash\ncase \"$1 $2\" in\n'sts get-caller-identity') echo " + account + " ;;\n" +
		"'iam list-access-keys') printf '" + keyOne +
		"\\tActive\\n' ;;\n'iam get-access-key-last-used') echo None ;;\n" +
		"'iam update-access-key') printf '%s\\0' \"$3\" >> given ;;\n*) exit 9 ;;\nesac\n"
	must(t, exec.Command("mkdir", filepath.Join(w.dir, "bin")).Run())
	w.write("bin/aws", aws)
	must(t, exec.Command("chmod", "+x", filepath.Join(w.dir, "bin/aws")).Run())
	for _, stage := range []string{"warn", "final", "deactivate"} {
		out, code := w.bash("-c", `PATH=$PWD/bin:$PATH exec bash "$@"`, "bash", w.script,
			"--stage", stage, "--ignore-dates")
		if code != 0 {
			t.Fatalf("%s ended with %d:\n%s", stage, code, out)
		}
	}
	var want []string
	for _, name := range names {
		want = append(want, "--user-name="+name)
	}
	if d := cmp.Diff(want, strings.Split(strings.TrimSuffix(w.read("given"), "\x00"), "\x00")); d != "" {
		t.Error(d)
	}
	if out, _ := w.bash("-c", "ls"); strings.Contains(out, "pwned") {
		t.Error("a name was run")
	}
}

// TestQuote checks that bash reads a quoted text as one unchanged word.
func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(hostile), rapid.StringMatching(`[^\x00]{0,20}`)), 1,
			40).Draw(t, "words")
		line := "printf '%s\\0'"
		for _, word := range words {
			line += " " + quote(word)
		}
		out, err := exec.Command("bash", "-c", line).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s\n%s", err, out, line)
		}
		if got := strings.Join(words, "\x00") + "\x00"; got != string(out) {
			t.Fatalf("%q became %q", got, out)
		}
	})
}
