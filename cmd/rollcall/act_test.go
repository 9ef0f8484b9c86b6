package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// operatorRecord holds the members of an operator's record that the tests read.
type operatorRecord struct {
	EventName, ErrorCode, RecipientAccountID string
	UserIdentity                             struct{ Type, PrincipalID string }
	AdditionalEventData                      map[string]any
}

func operatorRecords(t *testing.T, path string) (all []operatorRecord) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var r operatorRecord
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if r.EventName != "TrailCheckpoint" {
			all = append(all, r)
		}
	}
	return all
}

// operate runs a command of the operator.
func operate(t *testing.T, env map[string]string, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := &process{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs}
	p.env = func(name string) string { return env[name] }
	code = run(t.Context(), p, args)
	return code, out.String(), errs.String()
}

// Every change and export by an operator leaves a record of the operator, the
// act and its result, without secrets.
func TestOperatorActsAreRecorded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, path := filepath.Join(dir, "data"), filepath.Join(dir, "data", "trail.jsonl")
	file := filepath.Join(dir, "b.rollcall")
	policy := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`
	const one, two = "123456789012", "210987654321"
	outputs := ""
	env := map[string]string{"SUDO_USER": "alice", "ROLLCALL_DATA": data}
	for _, c := range []struct {
		stdin, want string // the event, and ! if it failed
		args        []string
	}{
		{"", "CreateAccount", []string{"account", "create", "--id", one}},
		{"", "!CreateAccount", []string{"account", "create", "--id", one}},
		{"", "CreateAccount", []string{"account", "create", "--id", two, "--limit", "UsersPerAccount=7"}},
		{"", "SetAccountLimits", []string{"account", "limits", one, "UsersPerAccount=9"}},
		{"", "CreateRootAccessKey", []string{"account", "root-key", "create", one}},
		{"", "!CreateRootAccessKey", []string{"account", "root-key", "create", "999999999999"}},
		{"Correct-horse-7\n", "SetRootPassword", []string{"account", "root-password", one}},
		{"", "DeleteRootPassword", []string{"account", "root-password", one, "--delete"}},
		{"", "ResetRootMFA", []string{"account", "mfa-reset", one}},
		{"", "!ResetRootMFA", []string{"account", "mfa-reset", "999999999999"}},
		{"", "!DeleteRootAccessKey", []string{"account", "root-key", "delete", one, "AKIANOTHING"}},
		{policy, "PutControlPolicy", []string{"account", "control-policy", "put", one, "all", "-"}},
		{"{", "!PutControlPolicy", []string{"account", "control-policy", "put", one, "bad", "-"}},
		{"", "DeleteControlPolicy", []string{"account", "control-policy", "delete", one, "all"}},
		{"", "ManageAccounts", []string{"account", "organization", "manage", one, two}},
		{"", "LeaveOrganization", []string{"account", "organization", "leave", two}},
		{"", "!ExportCredentialReport", []string{"account", "report", one}},
		{"999999999999", "!ExportCredentialReport", []string{"report", "--data", data, "--accounts", "-", "--into",
			filepath.Join(dir, "reports")}},
		{two, "ExportCredentialReport", []string{"audit", "--data", data, "--accounts", "-", "--exit-zero"}},
		{"", "RotateMasterKey", []string{"masterkey", "rotate"}},
		{"", "BackUp", []string{"backup", file}},
		{"", "Restore", []string{"restore", file, "--force"}},
		{"", "DeleteAccount", []string{"account", "delete", two, "--yes"}},
		{"", "", []string{"account", "list"}},
		{"", "", []string{"account", "limits", one}},
	} {
		_ = os.Remove(path)
		code, stdout, stderr := operate(t, env, c.stdin, c.args...)
		outputs += stdout
		name, failed := strings.CutPrefix(c.want, "!")
		if (code != 0) != failed {
			t.Fatalf("%v: exit code %d: %s", c.args, code, stderr)
		}
		if c.want == "" {
			if _, err := os.Stat(path); err == nil {
				t.Errorf("%v left a record", c.args)
			}
			continue
		}
		all := operatorRecords(t, path)
		if len(all) != 1 {
			t.Fatalf("%v: %d records", c.args, len(all))
		}
		r := all[0]
		if r.EventName != name || (r.ErrorCode != "") != failed || r.UserIdentity.Type != "RollcallOperator" ||
			!strings.HasPrefix(r.UserIdentity.PrincipalID, "uid:") || r.AdditionalEventData["sudoUser"] != "alice" {
			t.Errorf("%v: %+v", c.args, r)
		}
		if r.RecipientAccountID == "" && slices.Contains(c.args, one) {
			t.Errorf("%v: no account: %+v", c.args, r)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(outputs + "\nKEY=Correct-horse-7") {
			_, secret, ok := strings.Cut(strings.TrimSpace(line), "KEY=")
			if ok && secret != "" && strings.Contains(string(text), secret) {
				t.Errorf("%v: a secret is in the trail", c.args)
			}
		}
	}
}

// An act that cannot be recorded does not happen.
func TestOperatorActsNeedTheTrail(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	createAccount(t, data)
	nowhere := filepath.Join(data, "nothing", "trail.jsonl")
	code, _, stderr := operate(t, nil, "", "account", "create", "--data", data, "--id",
		"210987654321", "--trail", nowhere)
	if code != exitIncomplete || !strings.Contains(stderr, "nothing was done") || !strings.Contains(stderr, nowhere) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if _, accounts, _ := operate(t, nil, "", "account", "list", "--data", data); strings.Contains(
		accounts, "210987654321") {
		t.Error("the account was created")
	}
	// The disk is full when the record is written. The service writes it later.
	backup := filepath.Join(t.TempDir(), "backup")
	if code, _, stderr := operate(t, nil, "", "backup", backup, "--data", data); code != 0 {
		t.Fatal(stderr)
	}
	for name, args := range map[string][]string{
		"CreateAccount": {"account", "create", "--id", "333333333333"},
		"Restore":       {"restore", backup, "--force", "--unverified"},
	} {
		code, _, stderr = operate(t, nil, "", append(args, "--data", data, "--trail", "/dev/full")...)
		if code != exitIncomplete || !strings.Contains(stderr, "carried out but could not be recorded") {
			t.Errorf("%s: exit code %d: %s", name, code, stderr)
		}
		path := filepath.Join(data, name+".jsonl")
		stop, _ := command(t, nil, "serve", "--data", data, "--listen", "127.0.0.1:0",
			"--admin-listen", "off", "--trail", path)
		eventually(t, "the record of "+name, func() bool {
			text, err := os.ReadFile(path)
			return err == nil && strings.Contains(string(text), `"recovered":true`)
		})
		stop()
		all := operatorRecords(t, path)
		if r := all[0]; len(all) != 1 || r.EventName != name || name == "CreateAccount" &&
			r.RecipientAccountID != "333333333333" {
			t.Errorf("%+v", all)
		}
		if text, err := os.ReadFile(path); err != nil || name == "Restore" &&
			!strings.Contains(string(text), `"unverified":true`) {
			t.Errorf("%s, %v", text, err)
		}
	}
	env := map[string]string{"ROLLCALL_TRAIL": "-"}
	code, stdout, stderr := operate(t, env, "", "account", "create", "--data", data, "--output", "json")
	if !json.Valid([]byte(stdout)) || !strings.Contains(stderr, `"eventName":"CreateAccount"`) || code != 0 {
		t.Errorf("exit code %d: %s %s", code, stdout, stderr)
	}
}

// Every command that opens an installation leaves a record, except those that
// only show something.
func TestEveryActingCommandHasATrail(t *testing.T) {
	shows := []string{
		"rollcall serve", // its calls leave records
		"rollcall account list", "rollcall account reports", "rollcall account root-key list",
		"rollcall account control-policy list", "rollcall account control-policy get",
		"rollcall account organization show", "rollcall masterkey verify",
		"rollcall trail key", "rollcall trail verify",
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		acts := c.Flags().Lookup("master-key") != nil && !slices.Contains(shows, c.CommandPath())
		if acts && c.Flags().Lookup("trail") == nil {
			t.Errorf("%s leaves no record", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand(&process{env: func(string) string { return "" }}))
}
