//go:build interop

package interop

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/demo"
	"rollcall/internal/e2e/e2etest"
)

// eventful causes every kind of record: calls that succeed, fail and are refused, a
// wrong signature, a role that is assumed and used, and sign-ins that succeed and
// fail. It returns the role.
func (a account) eventful(t *testing.T, node *e2etest.Process) (role string) {
	t.Helper()
	ctx := t.Context()
	a.people(t)
	_, err := a.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("Carol")})
	if code := e2etest.CodeOf(err); code != "EntityAlreadyExists" {
		t.Fatal(code)
	}
	erin := e2etest.CreateKey(t, node, a.Account, "Erin")
	_, err = node.IAM(erin).ListUsers(ctx, &iam.ListUsersInput{})
	if code := e2etest.CodeOf(err); code != "AccessDenied" {
		t.Fatal(code)
	}
	_, err = node.IAM(e2etest.Key{ID: erin.ID, Secret: "wrong"}).ListUsers(ctx, &iam.ListUsersInput{})
	if code := e2etest.CodeOf(err); code != "SignatureDoesNotMatch" {
		t.Fatal(code)
	}
	made, err := a.iam.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String("Audit"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
			"Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::` + a.AccountID + `:user/Erin"}}]}`),
	})
	e2etest.Must(t, err)
	session, err := node.STS(erin).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: made.Role.Arn, RoleSessionName: aws.String("erin"),
	})
	e2etest.Must(t, err)
	cfg := e2etest.Config(node.URL, e2etest.Key{}, e2etest.Transport(t))
	cfg.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		c := session.Credentials
		return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey,
			SessionToken: *c.SessionToken}, nil
	})
	e2etest.Must(t, e2etest.SignsWith(ctx, cfg))
	for _, password := range []string{davePassword, "wrong"} {
		b, err := demo.NewBrowser(strings.Replace(node.URL, "127.0.0.1", "localhost", 1))
		e2etest.Must(t, err)
		_, err = b.Send(ctx, "/console/sign-in", "do", "sign-in", "account", a.AccountID, "user", "Dave",
			"password", password)
		if (err == nil) != (password == davePassword) {
			t.Fatalf("sign in with %s: %v", password, err)
		}
	}
	return *made.Role.Arn
}

// record is the part of a record that the parser passes on and the test reads.
type record struct {
	EventName, ErrorCode string
	UserIdentity         struct{ Type, UserName string }
	ResponseElements     map[string]any
}

// String returns the kind of caller, its name, the event and its outcome.
func (r record) String() string {
	words := []string{r.UserIdentity.Type, r.UserIdentity.UserName, r.EventName, r.ErrorCode}
	if of, ok := r.ResponseElements[r.EventName].(string); ok { // a sign-in
		words = append(words, of)
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// TestTrailscraper reads the exported trail with a parser of CloudTrail's files.
// It must load each record, tell sessions of a role from the rest, and make a
// policy of what was called, which the service must accept.
func TestTrailscraper(t *testing.T) {
	t.Parallel()
	scraper := filepath.Join(client(t, "trailscraper"), "bin", "trailscraper")
	file := filepath.Join(t.TempDir(), "trail.jsonl")
	a, node := newAccountWith(t, "--trail", file)
	role := a.eventful(t, node)
	a.run(t, e2etest.Binary, "trail", "query", "--into", "bucket", file)
	ours := strings.Count(a.run(t, e2etest.Binary, "trail", "query", "--output", "json", "--limit", "0", file),
		`"eventID"`)

	run := func(input string, args ...string) string {
		t.Helper()
		cmd := exec.Command(scraper, args...)
		cmd.Dir, cmd.Env, cmd.Stdin = a.dir, append(a.env, "TZ=UTC"), strings.NewReader(input)
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil || strings.Contains(said.String(), "Could not") || strings.Contains(said.String(), "Invalid") {
			t.Fatalf("trailscraper %v: %v\n%s", args, err, said.String())
		}
		return string(out)
	}
	selected := func(args ...string) (text string, lines []string) {
		t.Helper()
		day := time.Now().UTC()
		text = run("", append([]string{"select", "--log-dir", "bucket",
			"--from", day.Add(-48 * time.Hour).Format(time.DateOnly),
			"--to", day.Add(48 * time.Hour).Format(time.DateOnly)}, args...)...)
		var found struct{ Records []record }
		e2etest.Must(t, json.Unmarshal([]byte(text), &found))
		for _, r := range found.Records {
			lines = append(lines, r.String())
		}
		return text, lines
	}
	text, lines := selected()
	if len(lines) != ours || ours == 0 {
		t.Errorf("trailscraper reads %d records of %d", len(lines), ours)
	}
	for _, want := range []string{
		"Root CreateUser", "Root CreateUser EntityAlreadyExistsException", "IAMUser Erin ListUsers AccessDenied",
		"IAMUser Erin AssumeRole", "AssumedRole GetCallerIdentity", "IAMUser Dave ConsoleLogin Success",
		"IAMUser Dave ConsoleLogin Failure",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no record %q in\n%s", want, strings.Join(lines, "\n"))
		}
	}
	_, lines = selected("--filter-assumed-role-arn", role)
	if !slices.Equal(lines, []string{"AssumedRole GetCallerIdentity"}) {
		t.Errorf("records of the role: %q", lines)
	}

	policy := run(text, "generate")
	for _, want := range []string{`"iam:CreateUser"`, `"sts:AssumeRole"`, `"signin:ConsoleLogin"`} {
		if !strings.Contains(policy, want) {
			t.Errorf("no %s in the policy\n%s", want, policy)
		}
	}
	_, err := a.iam.CreatePolicy(t.Context(), &iam.CreatePolicyInput{
		PolicyName: aws.String("Scraped"), PolicyDocument: &policy,
	})
	e2etest.Must(t, err)
}
