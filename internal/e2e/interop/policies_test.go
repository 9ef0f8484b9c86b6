//go:build interop

package interop

import (
	"context"
	"flag"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/e2e/e2etest"
)

// policiesFile has a line for each verdict: auditor, check, thing and verdict.
const policiesFile = "testdata/peers/policies.txt"

var recordingPolicies = flag.Bool("record-policies", false, "write the verdicts on policies into "+policiesFile)

func document(action, resource string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"` +
		resource + `"}]}`)
}

func trust(principal string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal +
		`,"Action":"sts:AssumeRole"}]}`)
}

// policies fills the account with policies of every kind that other auditors judge.
// The names say what is right or wrong.
func (a account) policies(t *testing.T) {
	t.Helper()
	ctx, of := context.Background(), "arn:aws:iam::aws:policy/"
	must := func(_ any, err error) {
		t.Helper()
		e2etest.Must(t, err)
	}
	for _, name := range []string{"user-attached-admin", "user-inline-admin", "user-of-group"} {
		must(a.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))
	}
	must(a.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("user-attached-admin"),
		PolicyArn: aws.String(of + "AdministratorAccess")}))
	must(a.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("user-inline-admin"),
		PolicyName: aws.String("inline-admin"), PolicyDocument: document("*", "*")}))
	for _, name := range []string{"group-admin", "group-inline", "group-without-users"} {
		must(a.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &name}))
	}
	must(a.iam.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: aws.String("group-admin"),
		PolicyArn: aws.String(of + "AdministratorAccess")}))
	must(a.iam.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: aws.String("group-inline"),
		PolicyName: aws.String("inline-read"), PolicyDocument: document("s3:GetObject", "*")}))
	for _, group := range []string{"group-admin", "group-inline"} {
		must(a.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &group,
			UserName: aws.String("user-of-group")}))
	}
	for name, principal := range map[string]string{
		"role-for-anybody": `{"AWS":"*"}`, "role-for-ec2": `{"Service":"ec2.amazonaws.com"}`,
		"role-of-other-account": `{"AWS":"arn:aws:iam::210987654321:root"}`,
		"role-support":          `{"AWS":"arn:aws:iam::` + a.AccountID + `:root"}`,
	} {
		must(a.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: trust(principal)}))
	}
	for role, policy := range map[string]string{"role-for-anybody": "AdministratorAccess",
		"role-of-other-account": "ReadOnlyAccess", "role-support": "AWSSupportAccess"} {
		must(a.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: aws.String(of + policy)}))
	}
	must(a.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("role-for-ec2"),
		PolicyName: aws.String("inline-kms"), PolicyDocument: document("kms:*", "*")}))
	for name, action := range map[string]string{"policy-admin-unattached": "*", "policy-admin-attached": "*",
		"policy-kms": "kms:*", "policy-cloudtrail": "cloudtrail:*", "policy-escalation": "iam:CreatePolicyVersion",
		"policy-assume-any-role": "sts:AssumeRole", "policy-read": "s3:GetObject"} {
		made, err := a.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: &name,
			PolicyDocument: document(action, "*")})
		e2etest.Must(t, err)
		if name != "policy-admin-unattached" {
			must(a.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("role-for-ec2"),
				PolicyArn: made.Policy.Arn}))
		}
	}
	must(a.iam.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{
		MinimumPasswordLength: aws.Int32(14), RequireNumbers: true, MaxPasswordAge: aws.Int32(120)}))
}

// notAboutPolicies matches the checks of credentials, which TestPeers compares, and
// those of the last use of services.
var notAboutPolicies = regexp.MustCompile(`root|mfa|key|unused|credential|_used|stale|user_no_setup`)

func (a account) prowlerOnPolicies(t *testing.T) (lines []string) {
	out := a.run(t, filepath.Join(client(t, "prowler"), "bin", "prowler"), "aws", "--service", "iam", "--region",
		"us-east-1", "-z", "-M", "csv", "-o", "prowler", "--no-banner", "--no-color")
	for _, wrong := range regexp.MustCompile(`Something went wrong in (\w+)`).FindAllStringSubmatch(out, -1) {
		if wrong[1] != "iam_avoid_root_usage" { // see TestProwler
			t.Errorf("Prowler's %s went wrong\n%s", wrong[1], out)
		}
	}
	rows, column := prowlerRows(t, a.dir)
	check, status, arn := column("CHECK_ID"), column("STATUS"), column("RESOURCE_UID")
	name := column("RESOURCE_NAME")
	for _, row := range rows {
		if notAboutPolicies.MatchString(strings.TrimPrefix(row[check], "iam_")) {
			continue
		}
		of := path.Base(row[arn])
		if n := path.Base(row[name]); n != of && n != a.AccountID {
			of += " " + n
		}
		lines = append(lines, strings.ReplaceAll(strings.Join([]string{"Prowler", row[check], of, row[status]}, "\t"),
			a.AccountID, "ACCOUNT"))
	}
	return lines
}

// scoutSuiteOnPolicies returns what ScoutSuite flags.
func (a account) scoutSuiteOnPolicies(t *testing.T) (lines []string) {
	bin := filepath.Join(client(t, "scoutsuite"), "bin")
	a.run(t, filepath.Join(bin, "scout"), "aws", "--services", "iam", "--regions", "us-east-1", "--no-browser",
		"--report-dir", "scout", "--result-format", "json")
	out := a.run(t, filepath.Join(bin, "python"), file(t, "peers/scout_policies.py"), "scout")
	for line := range strings.Lines(out) {
		if !notAboutPolicies.MatchString(strings.TrimPrefix(strings.Fields(line)[0], "iam-")) {
			lines = append(lines, "ScoutSuite\t"+strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// TestPeersOnPolicies lets other auditors judge policies, groups, roles and the
// password policy, and compares their verdicts with those in a file that was read
// against what the names of the things say.
func TestPeersOnPolicies(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.policies(t)
	lines := slices.Concat(a.prowlerOnPolicies(t), a.scoutSuiteOnPolicies(t))
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if *recordingPolicies {
		e2etest.Must(t, os.WriteFile(policiesFile, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
		return
	}
	want, err := os.ReadFile(policiesFile)
	e2etest.Must(t, err)
	if diff := cmp.Diff(strings.Split(strings.TrimSuffix(string(want), "\n"), "\n"), lines); diff != "" {
		t.Errorf("other verdicts than in %s; if they are right, run this test with -record-policies\n%s", policiesFile, diff)
	}
}
