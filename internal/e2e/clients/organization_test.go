package clients

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awscli"
	"rollcall/internal/e2e/e2etest"
)

// TestOrganization lists an organization's accounts with the AWS CLI, and gets their
// reports with 'rollcall report --org', by the role that each account was created
// with.
func TestOrganization(t *testing.T) {
	t.Parallel()
	const management, member, last = "123456789012", "222222222222", "333333333333"
	flags := []string{"--data", e2etest.DataDir(t)}
	acc := e2etest.CreateAccount(t, append(flags, "--id", management)...)
	theirs := e2etest.CreateAccount(t, append(flags, "--id", member, "--alias", "payments", "--in-organization",
		management)...)
	e2etest.CreateAccount(t, append(flags, "--id", last, "--in-organization", management)...)
	node := e2etest.Serve(t, flags...)

	cli, err := awscli.Find()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	run := func(acc e2etest.Account, command string, args ...string) (string, int) {
		t.Helper()
		cmd := exec.Command(command, args...)
		cmd.Env = e2etest.Environment(t)
		cmd.Dir = home
		for name, value := range e2etest.ClientEnvironment(home, acc) {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	listAccounts := []string{"--endpoint-url", node.URL, "organizations", "list-accounts", "--output", "json"}
	out, code := run(acc, cli.Path, append(listAccounts, "--page-size", "1")...)
	var list struct {
		Accounts []struct{ Id, Name, Status, JoinedMethod string }
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 {
		t.Fatalf("%d: %s", code, out)
	}
	if len(list.Accounts) != 3 || list.Accounts[1].Name != "payments" || list.Accounts[1].JoinedMethod != "CREATED" {
		t.Errorf("%+v", list)
	}
	out, code = run(theirs, cli.Path, listAccounts...)
	if code != cli.ServiceError() || !strings.Contains(out, "(AccessDeniedException) when calling the ListAccounts "+
		"operation: You don't have permissions to access this resource.") {
		t.Errorf("%d: %s", code, out)
	}

	// Root may not assume roles.
	key := e2etest.CreateKey(t, node, acc, "auditor")
	_, err = node.IAM(acc.Root()).AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{
		UserName: aws.String("auditor"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	e2etest.Must(t, err)
	_, err = node.IAM(acc.Root()).EnableOrganizationsRootCredentialsManagement(t.Context(),
		&iam.EnableOrganizationsRootCredentialsManagementInput{})
	e2etest.Must(t, err)
	auditor := e2etest.Account{AccountID: management, AccessKeyID: key.ID, SecretAccessKey: key.Secret}
	out, code = run(auditor, e2etest.Binary, "report", "--org", "--endpoint-url", node.URL, "--output", "jsonl")
	if code != 0 || strings.Count(out, `"status":"ok"`) != 3 {
		t.Fatalf("%d: %s", code, out)
	}
	for _, id := range []string{management, member, last} {
		found, err := filepath.Glob(filepath.Join(home, "reports", id, "*.csv"))
		e2etest.Must(t, err)
		if len(found) != 1 {
			t.Errorf("%d reports of %s", len(found), id)
			continue
		}
		content, err := os.ReadFile(found[0])
		e2etest.Must(t, err)
		if !strings.Contains(string(content), "arn:aws:iam::"+id+":root") {
			t.Errorf("the report of %s: %s", id, content)
		}
	}
	// The facts of the organization decide C18: each member's root has a key.
	out, code = run(auditor, e2etest.Binary, "audit", "reports", "--benchmark", "cis-7.0", "--control", "C18",
		"--status", "all", "--output", "jsonl")
	if code != 0 || strings.Count(out, `"status":"WARN"`) != 2 || strings.Count(out, `"status":"NOT_APPLICABLE"`) != 1 {
		t.Errorf("%d: %s", code, out)
	}
}
