//go:build interop

package interop

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/e2e/e2etest"
)

var installed = flag.String("clients", "", "the folder that scripts/install-interop has filled")

func TestMain(m *testing.M) { e2etest.Main(m) }

// client returns the directory of one client.
func client(t *testing.T, name string) string {
	t.Helper()
	if reason, err := os.ReadFile(filepath.Join(*installed, name+".missing")); err == nil {
		t.Skipf("NOT SHOWN: %s could not be installed: %s", name, reason)
	}
	dir, err := filepath.Abs(filepath.Join(*installed, name))
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "installed"))
	}
	if err != nil {
		t.Fatalf("%v: run 'make interop'", err)
	}
	return dir
}

// account is an account of a service, and the environment of its clients.
type account struct {
	e2etest.Account
	url string
	env []string
	iam *iam.Client
	dir string // where clients run
}

func newAccount(t *testing.T) account {
	a, _ := newAccountWith(t)
	return a
}

// newAccountWith starts the emulator with flags.
func newAccountWith(t *testing.T, flags ...string) (account, *e2etest.Process) {
	node, acc := e2etest.Dev(t, flags...)
	return accountAt(t, node, acc), node
}

// accountAt returns an account of a running service. Its client tries again, as
// others do: where many clients run at one time, a password can wait too long.
func accountAt(t *testing.T, node *e2etest.Process, acc e2etest.Account) account {
	cfg := e2etest.Config(node.URL, acc.Root(), e2etest.Transport(t))
	cfg.Retryer = nil
	a := account{Account: acc, url: node.URL, iam: iam.NewFromConfig(cfg), dir: t.TempDir()}
	for name, value := range e2etest.ClientEnvironment(t.TempDir(), acc) {
		a.env = append(a.env, name+"="+value)
	}
	a.env = append(a.env, "AWS_ENDPOINT_URL="+node.URL, "AWS_REGION=us-east-1", "PATH="+os.Getenv("PATH"))
	return a
}

// run runs a client's command and returns its whole output.
func (a account) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = a.dir, a.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// file returns the path of a file in testdata.
func file(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// people creates a user with a key and one with a password.
func (a account) people(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	for _, name := range []string{"Carol", "Dave"} {
		_, err := a.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
		e2etest.Must(t, err)
	}
	_, err := a.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("Carol")})
	e2etest.Must(t, err)
	_, err = a.iam.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{
		UserName: aws.String("Dave"), Password: aws.String("Correct-horse-1"),
	})
	e2etest.Must(t, err)
}

// empty fails the test if anything of IAM remains.
func (a account) empty(t *testing.T) {
	t.Helper()
	out, err := a.iam.GetAccountSummary(context.Background(), &iam.GetAccountSummaryInput{})
	e2etest.Must(t, err)
	for _, name := range []string{
		"Users", "Groups", "Roles", "Policies", "InstanceProfiles", "MFADevices", "ServerCertificates", "Providers",
	} {
		if n := out.SummaryMap[name]; n != 0 {
			t.Errorf("%d %s are left", n, name)
		}
	}
}

// TestScripts runs programs in other languages that use IAM through a client's
// library.
func TestScripts(t *testing.T) {
	for name, interpreter := range map[string]string{
		"boto2": "/usr/bin/python3", "ruby": "ruby", "fog": "ruby", "javascript": "node",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := client(t, name)
			scripts, err := filepath.Glob(filepath.Join(file(t, name), "client.*"))
			if err != nil || len(scripts) != 1 {
				t.Fatal(scripts, err)
			}
			if name == "javascript" { // it looks for packages next to the script
				scripts[0] = filepath.Join(dir, "client.mjs")
			}
			a := newAccount(t)
			t.Log(a.run(t, interpreter, scripts[0]))
			a.empty(t)
		})
	}
}

// TestAnsible runs a playbook twice: the second run changes nothing.
func TestAnsible(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(client(t, "ansible"), "bin")
	a := newAccount(t)
	play := func(name string, vars ...string) string {
		python := filepath.Join(bin, "python")
		args := []string{"-i", "localhost,", "-e", "ansible_python_interpreter=" + python, "-e",
			"account=" + a.AccountID}
		for _, v := range vars {
			args = append(args, "-e", v)
		}
		return a.run(t, filepath.Join(bin, "ansible-playbook"), append(args, file(t, "ansible/"+name+".yml"))...)
	}
	changes := regexp.MustCompile(`\bchanged=(\d+)`)
	for _, step := range []struct {
		name, vars, changed string
	}{{"site", "{}", "7"}, {"site", "{}", "0"}, {"away", "{first: true}", "7"}, {"away", "{first: false}", "0"}} {
		out := play(step.name, step.vars)
		if got := changes.FindStringSubmatch(out); got == nil || got[1] != step.changed {
			t.Errorf("%s changed %v, want %s\n%s", step.name, got, step.changed, out)
		}
	}
	a.empty(t)
}

// TestCustodian finds users by their data in the credential report.
func TestCustodian(t *testing.T) {
	t.Parallel()
	dir := client(t, "custodian")
	a := newAccount(t)
	a.people(t)
	policies := file(t, "custodian/policy.yml")
	a.run(t, filepath.Join(dir, "bin", "custodian"), "run", "-s", "out", "--region", "us-east-1", policies)
	for policy, want := range map[string]string{"keys": "Carol", "passwords-without-mfa": "Dave",
		"account": a.AccountID} {
		text, err := os.ReadFile(filepath.Join(a.dir, "out", policy, "resources.json"))
		e2etest.Must(t, err)
		var found []struct {
			UserName  string
			AccountID string `json:"account_id"`
		}
		e2etest.Must(t, json.Unmarshal(text, &found))
		if len(found) != 1 || found[0].UserName+found[0].AccountID != want {
			t.Errorf("%s found %+v, want %s", policy, found, want)
		}
	}
}

// TestProwler runs its checks of IAM. One of them cannot read the report of a
// root user without a password (password_last_used is N/A, as AWS documents).
func TestProwler(t *testing.T) {
	t.Parallel()
	dir := client(t, "prowler")
	a := newAccount(t)
	a.people(t)
	out := a.run(t, filepath.Join(dir, "bin", "prowler"), "aws", "--service", "iam", "--region", "us-east-1",
		"-z", "-M", "csv", "-o", "out", "--no-banner", "--no-color")
	wrong := regexp.MustCompile(`Something went wrong in (\w+)`).FindAllStringSubmatch(out, -1)
	if len(wrong) != 1 || wrong[0][1] != "iam_avoid_root_usage" {
		t.Errorf("checks that went wrong: %v\n%s", wrong, out)
	}
	results, err := filepath.Glob(filepath.Join(a.dir, "out", "*.csv"))
	if err != nil || len(results) != 1 {
		t.Fatal(results, err, out)
	}
	text, err := os.ReadFile(results[0])
	e2etest.Must(t, err)
	for _, want := range [][]string{
		{"iam_user_mfa_enabled_console_access", "FAIL", ":user/Dave"},
		{"iam_user_mfa_enabled_console_access", "PASS", ":user/Carol"},
		{"iam_no_root_access_key", "FAIL", "<root_account>"},
	} {
		if !slices.ContainsFunc(strings.Split(string(text), "\n"), func(line string) bool {
			return !slices.ContainsFunc(want, func(part string) bool { return !strings.Contains(line, part) })
		}) {
			t.Errorf("no result %v in\n%s", want, text)
		}
	}
}

// TestNuke empties an account.
func TestNuke(t *testing.T) {
	t.Parallel()
	dir := client(t, "aws-nuke")
	a := newAccount(t)
	a.people(t)
	text, err := os.ReadFile(file(t, "nuke/config.yml.tmpl"))
	e2etest.Must(t, err)
	config := filepath.Join(a.dir, "config.yml")
	e2etest.Must(t, os.WriteFile(config, []byte(strings.ReplaceAll(string(text), "ENDPOINT", a.url)), 0o600))
	a.env = slices.DeleteFunc(a.env, func(v string) bool { return strings.HasPrefix(v, "AWS_ENDPOINT_URL=") })
	t.Log(a.run(t, filepath.Join(dir, "aws-nuke"), "run", "-c", config, "--default-region", "rollcall",
		"--access-key-id", a.AccessKeyID, "--secret-access-key", a.SecretAccessKey, "--no-dry-run", "--no-prompt"))
	a.empty(t)
}
