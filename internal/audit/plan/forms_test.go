package plan

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/report"
)

// everyKind returns a plan with something of every kind.
func everyKind(t *testing.T) *Plan {
	made, _ := ago(80).Value()
	facts := &audit.Enrichment{Users: map[string]audit.UserFacts{
		"amy": {Created: made.AddDate(0, 0, -320), Keys: []audit.KeyFact{{ID: keyOne, Created: made, Active: true}}},
		"bo":  {Created: made.AddDate(0, 0, -320)}, "cy": {Created: made.AddDate(0, 0, -320)},
		"di": {Created: made.AddDate(0, 0, -320)}, "eve": {Created: made.AddDate(0, 0, -320)},
	}}
	o := only(audit.KeyUnused, audit.PasswordUnused, audit.ConsoleMFA, audit.LeftoverKey,
		audit.HumanAndMachine, audit.RootUsed)
	o.Exceptions = []audit.Exception{{
		ID: "EX-1", Control: "C5", Account: account, User: "eve", Reason: "r", Owner: "o", Ticket: "t",
		Expires: audit.Date{Year: 2027, Month: 1, Day: 1},
	}}
	window, err := ParseWindow("Tue 09:00-12:00")
	must(t, err)
	return planned(t, Options{Windows: []Window{window}}, o, facts, report.Columns22,
		report.Row{User: report.RootUser, ARN: "arn:aws:iam::" + account + ":root", Created: ago(900),
			PasswordEnabled: report.True, PasswordLastUsed: ago(1),
			PasswordLastChanged: ago(900), MFAActive: report.True},
		user("amy", key(1, 80, 60)), user("bo", key(1, 200, 0), off(1)), user("cy", password(300, 40)),
		user("di", password(300, 3), key(1, 50, 2)), user("eve", password(300, 3)), user("fred`|<b>", key(1, 80, 60)))
}

var block = regexp.MustCompile("(?s)```bash\n(.*?)```")

// TestMarkdown runs the commands on the page: they do the same as the script,
// and nothing if there is no such key, or two.
func TestMarkdown(t *testing.T) {
	p := everyKind(t)
	var b bytes.Buffer
	must(t, p.Markdown(&b))
	page := b.String()
	for _, want := range []string{
		"### amy, access key " + keyOne, "**deactivate**, not before Tue 2026-11-17 09:00",
		"**delete**, not before Tue 2026-12-22 09:00",
		"Final warning. ", "## Of root, for a person", "## Kept", "fred\\`\\|&lt;b&gt;",
		"The exception EX-1 excuses it.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	w := newWorld(t, p)
	w.key("amy", keyOne, ago(80), "Active")
	w.key("bo", keyTwo, ago(200), "Inactive")
	w.write("user.cy", ago(400).String()+" 2026-09-22T12:00:00Z\n")
	w.write("login.cy", "")
	var steps []string // the checks and the change
	for i, b := range block.FindAllStringSubmatch(page, -1) {
		if i%2 == 0 {
			if out, _ := w.bash("-c", b[1]); w.changes() != nil {
				t.Errorf("to look changes something: %s\n%s", b[1], out)
			}
			steps = append(steps, b[1])
		} else {
			steps[i/2] += b[1]
		}
	}
	if len(steps) != 4 {
		t.Fatalf("%d steps", len(steps))
	}
	for _, commands := range steps {
		if out, code := w.bash("-c", commands); code != 0 {
			t.Errorf("%d: %s\n%s", code, commands, out)
		}
	}
	want := []string{
		"iam update-access-key --user-name=amy --access-key-id=" + keyOne + " --status Inactive",
		"iam delete-access-key --user-name=amy --access-key-id=" + keyOne,
		"iam delete-access-key --user-name=bo --access-key-id=" + keyTwo, "iam delete-login-profile --user-name=cy",
	}
	if d := cmp.Diff(want, w.changes()); d != "" {
		t.Error(d)
	}
	for _, keys := range []int{0, 2} {
		w.write("keys", "")
		for range keys {
			w.key("bo", keyTwo, ago(200), "Inactive")
		}
		w.bash("-c", steps[2])
		if got := w.changes(); got != nil {
			t.Errorf("with %d keys of that second: %q", keys, got)
		}
	}
}

// TestJSON checks that the document is complete.
func TestJSON(t *testing.T) {
	p := everyKind(t)
	var b bytes.Buffer
	must(t, p.JSON(&b, "rollcall test"))
	var doc struct {
		Version  int
		Complete bool
		Planned  int
		Windows  []string
		Left     map[string]int
		Accounts []struct {
			Account string
			Cutoff  string `json:"unused_since"`
			Items   []struct {
				User, Credential string
				KeyID            string `json:"key_id"`
				Inactive         bool
				Findings         []struct{ Control string }
				Steps            []struct {
					Stage, Message string
					NotBefore      string `json:"not_before"`
					Command        string
				}
			}
			Left []struct{ Reason, User, Why string }
		}
	}
	must(t, json.Unmarshal(b.Bytes(), &doc))
	if doc.Version != 1 || !doc.Complete || doc.Planned != 3 || len(doc.Windows) != 1 {
		t.Errorf("%+v", doc)
	}
	if d := cmp.Diff(map[string]int{"root": 1, "person": 1, "kept": 2, "excused": 1}, doc.Left); d != "" {
		t.Error(d)
	}
	a := doc.Accounts[0]
	if a.Account != account || a.Cutoff != "2026-10-02T12:00:00Z" || len(a.Items) != 3 || len(a.Left) != 5 {
		t.Fatalf("%+v", a)
	}
	amy := a.Items[0]
	if amy.KeyID != keyOne || amy.Credential != "key:"+ago(80).String() || len(amy.Steps) != 4 ||
		amy.Steps[0].Message == "" || amy.Steps[2].NotBefore != "2026-11-17T09:00:00Z" {
		t.Errorf("%+v", amy)
	}
	if last := amy.Steps[3].Command; last != "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true aws iam delete-access-key "+
		"--user-name=amy --access-key-id="+keyOne {
		t.Error(last)
	}
}

// TestScriptSays checks that comments of the script list everything that is not
// planned, and that no text leaves the comments.
func TestScriptSays(t *testing.T) {
	w := newWorld(t, everyKind(t))
	_, tail, ok := strings.Cut(w.read("plan.sh"), "\nend\n")
	if !ok {
		t.Fatal("the script has no end")
	}
	w.want(tail, "# Of root, for a person:", "di, password (C5 console-user-mfa)", "fred`|<b>, access key", "EX-1")
	for line := range strings.Lines(tail) {
		if line != "\n" && !strings.HasPrefix(line, "#") {
			t.Errorf("%q is not a comment", line)
		}
	}
	if out, code := w.bash("-n", w.script); code != 0 {
		t.Error(out)
	}
}

// TestUndated checks that a key without a creation time is named by its place,
// and that sentences are complete.
func TestUndated(t *testing.T) {
	made := report.None(report.MissingColumn)
	for want, c := range map[string]audit.Credential{
		"access key 2, of an unknown date":      {Kind: audit.AccessKey, Slot: 2, Created: made},
		"certificate 1, of an unknown date":     {Kind: audit.Certificate, Slot: 1, Created: made},
		"password":                              {Kind: audit.Password},
		"access key created " + ago(3).String(): {Kind: audit.AccessKey, Slot: 1, Created: ago(3)},
	} {
		if got := what(c, ""); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
