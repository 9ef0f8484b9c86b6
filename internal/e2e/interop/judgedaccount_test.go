//go:build interop

package interop

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/pquerna/otp/totp"
	"golang.org/x/crypto/ssh"

	"rollcall/internal/e2e/e2etest"
)

// The names of everything in the judged account say what is right or wrong, so
// that its lines in the table of verdicts can be read without this file.

const (
	management   = "123456789012"
	otherAccount = "210987654321"
	managed      = "arn:aws:iam::aws:policy/"
	local        = "arn:aws:iam::" + management + ":"
	issuer       = "token.actions.githubusercontent.com"
)

func statement(body string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + body + `}]}`)
}

func document(action, resource string) *string {
	return statement(`"Action":"` + action + `","Resource":"` + resource + `"`)
}

// builder fills an account. The first call that is refused ends the test.
type builder struct {
	t   *testing.T
	iam *iam.Client
}

// newJudgedAccount starts a service with the account, which manages an organization.
func newJudgedAccount(t *testing.T) account {
	flags := []string{"--data", e2etest.DataDir(t)}
	acc := e2etest.CreateAccount(t, append(flags, "--id", management)...)
	e2etest.CreateAccount(t, append(flags, "--id", otherAccount, "--in-organization", management)...)
	node := e2etest.Serve(t, flags...)
	a := accountAt(t, node, acc)
	b := &builder{t: t, iam: a.iam}
	b.policies()
	b.groups()
	b.users()
	b.inlinePolicies()
	b.credentials(node)
	b.roles()
	b.attach()
	b.others()
	return a
}

func (b *builder) must(_ any, err error) {
	b.t.Helper()
	e2etest.Must(b.t, err)
}

// groups come before the users, who name them.
func (b *builder) groups() {
	for _, name := range []string{
		"group-admin", "group-inline", "group-inline-roles", "group-without-users", "group-humans", "group-machines",
	} {
		b.must(b.iam.CreateGroup(b.t.Context(), &iam.CreateGroupInput{GroupName: &name}))
	}
	b.must(b.iam.AttachGroupPolicy(b.t.Context(), &iam.AttachGroupPolicyInput{GroupName: aws.String("group-admin"),
		PolicyArn: aws.String(managed + "AdministratorAccess")}))
	b.must(b.iam.PutGroupPolicy(b.t.Context(), &iam.PutGroupPolicyInput{GroupName: aws.String("group-inline"),
		PolicyName: aws.String("inline-read"), PolicyDocument: document("s3:GetObject", "*")}))
	for name, text := range riskyInline() {
		b.must(b.iam.PutGroupPolicy(b.t.Context(), &iam.PutGroupPolicyInput{
			GroupName: aws.String("group-inline-roles"), PolicyName: &name, PolicyDocument: text}))
	}
}

// riskyInline returns the inline policies of one user, one group and one role.
func riskyInline() map[string]*string {
	return map[string]*string{
		"inline-not-action":  statement(`"NotAction":"iam:*","Resource":"*"`),
		"inline-pass-role":   document("iam:PassRole", "*"),
		"inline-assume-role": document("sts:AssumeRole", "*"),
	}
}

// users: each has a tag or not, is in groups, and has managed policies.
func (b *builder) users() {
	for _, u := range []struct{ name, groups, policies, boundary string }{
		{name: "user-attached-admin", policies: "AdministratorAccess"},
		{name: "user-bounded-admin", policies: "AdministratorAccess", boundary: "policy-boundary"},
		{name: "user-console", groups: "group-humans"},
		{name: "user-git"},
		{name: "user-inline-admin"},
		{name: "user-inline-roles"},
		{name: "user-key", groups: "group-machines", policies: "IAMReadOnlyAccess"},
		{name: "user-machine-with-password", groups: "group-machines", policies: "AmazonS3ReadOnlyAccess"},
		{name: "user-marked"},
		{name: "user-mfa", groups: "group-humans", policies: "ReadOnlyAccess"},
		{name: "user-of-group", groups: "group-admin group-inline"},
		{name: "user-of-group-with-mfa", groups: "group-admin"},
		{name: "user-sagemaker", policies: "AmazonSageMakerReadOnly"},
	} {
		in := &iam.CreateUserInput{UserName: &u.name}
		if u.boundary != "" {
			in.PermissionsBoundary = aws.String(local + "policy/" + u.boundary)
		}
		b.must(b.iam.CreateUser(b.t.Context(), in))
		for _, group := range strings.Fields(u.groups) {
			b.must(b.iam.AddUserToGroup(b.t.Context(), &iam.AddUserToGroupInput{GroupName: &group, UserName: &u.name}))
		}
		for _, policy := range strings.Fields(u.policies) {
			b.must(b.iam.AttachUserPolicy(b.t.Context(), &iam.AttachUserPolicyInput{UserName: &u.name,
				PolicyArn: aws.String(managed + policy)}))
		}
	}
}

// inlinePolicies gives users policies of their own, and one a tag.
func (b *builder) inlinePolicies() {
	b.must(b.iam.PutUserPolicy(b.t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("user-inline-admin"),
		PolicyName: aws.String("inline-admin"), PolicyDocument: document("*", "*")}))
	for name, text := range riskyInline() {
		b.must(b.iam.PutUserPolicy(b.t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("user-inline-roles"),
			PolicyName: &name, PolicyDocument: text}))
	}
	b.must(b.iam.TagUser(b.t.Context(), &iam.TagUserInput{UserName: aws.String("user-marked"), Tags: marked()}))
}

// marked is the tag by which Custodian remembers what is due.
func marked() []types.Tag {
	return []types.Tag{{Key: aws.String("custodian_cleanup"),
		Value: aws.String("Resource does not meet policy: delete@2026/01/01")}}
}

// credentials gives users what they sign in and sign with. The key of user-key is
// used.
func (b *builder) credentials(node *e2etest.Process) {
	ctx := b.t.Context()
	for _, name := range []string{"user-console", "user-machine-with-password", "user-mfa"} {
		b.must(b.iam.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: &name,
			Password: aws.String("Correct-horse-1")}))
	}
	b.must(b.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("user-machine-with-password")}))
	made, err := b.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("user-key")})
	e2etest.Must(b.t, err)
	key := e2etest.Key{ID: *made.AccessKey.AccessKeyId, Secret: *made.AccessKey.SecretAccessKey}
	b.must(node.IAM(key).ListUsers(ctx, &iam.ListUsersInput{}))
	b.must(b.iam.CreateServiceSpecificCredential(ctx, &iam.CreateServiceSpecificCredentialInput{
		UserName: aws.String("user-git"), ServiceName: aws.String("codecommit.amazonaws.com")}))
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	e2etest.Must(b.t, err)
	public, err := ssh.NewPublicKey(&private.PublicKey)
	e2etest.Must(b.t, err)
	b.must(b.iam.UploadSSHPublicKey(ctx, &iam.UploadSSHPublicKeyInput{UserName: aws.String("user-git"),
		SSHPublicKeyBody: aws.String(string(ssh.MarshalAuthorizedKey(public)))}))
	for _, name := range []string{"user-mfa", "user-of-group-with-mfa"} {
		b.device(name)
	}
}

// device gives a user a virtual MFA device.
func (b *builder) device(user string) {
	made, err := b.iam.CreateVirtualMFADevice(b.t.Context(), &iam.CreateVirtualMFADeviceInput{
		VirtualMFADeviceName: &user})
	e2etest.Must(b.t, err)
	now := time.Now()
	first, err := totp.GenerateCode(string(made.VirtualMFADevice.Base32StringSeed), now.Add(-30*time.Second))
	e2etest.Must(b.t, err)
	second, err := totp.GenerateCode(string(made.VirtualMFADevice.Base32StringSeed), now)
	e2etest.Must(b.t, err)
	b.must(b.iam.EnableMFADevice(b.t.Context(), &iam.EnableMFADeviceInput{UserName: &user,
		SerialNumber: made.VirtualMFADevice.SerialNumber, AuthenticationCode1: &first, AuthenticationCode2: &second}))
}

// roles have a trust policy each, by its principal and condition.
func (b *builder) roles() {
	trust := func(principal, condition string) *string {
		body := `"Action":"sts:AssumeRole","Principal":` + principal
		if condition != "" {
			body += `,"Condition":` + condition
		}
		return statement(body)
	}
	other := `{"AWS":"arn:aws:iam::` + otherAccount + `:root"}`
	config := `{"Service":"config.amazonaws.com"}`
	for name, text := range map[string]*string{
		"role-for-anybody":                       trust(`{"AWS":"*"}`, ""),
		"role-for-ec2":                           trust(`{"Service":"ec2.amazonaws.com"}`, ""),
		"role-inline-roles":                      trust(`{"Service":"lambda.amazonaws.com"}`, ""),
		"role-marked":                            trust(`{"AWS":"`+local+`root"}`, ""),
		"role-of-github":                         statement(githubTrust),
		"role-of-other-account":                  trust(other, ""),
		"role-of-other-account-with-external-id": trust(other, `{"StringEquals":{"sts:ExternalId":"a1b2c3"}}`),
		"role-of-other-account-with-mfa":         trust(other, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`),
		"role-of-service-for-any-account":        trust(config, `{"StringLike":{"aws:SourceAccount":"*"}}`),
		"role-of-service-for-this-account": trust(config,
			`{"StringEquals":{"aws:SourceAccount":"`+management+`"}}`),
		"role-support": trust(`{"AWS":"`+local+`root"}`, ""),
	} {
		in := &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: text}
		if name == "role-marked" {
			in.Tags, in.PermissionsBoundary = marked(), aws.String(local+"policy/policy-boundary")
		}
		b.must(b.iam.CreateRole(b.t.Context(), in))
	}
	for role, policy := range map[string]string{"role-for-anybody": "AdministratorAccess",
		"role-of-other-account": "ReadOnlyAccess", "role-support": "AWSSupportAccess"} {
		b.must(b.iam.AttachRolePolicy(b.t.Context(), &iam.AttachRolePolicyInput{RoleName: &role,
			PolicyArn: aws.String(managed + policy)}))
	}
	b.must(b.iam.PutRolePolicy(b.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("role-for-ec2"),
		PolicyName: aws.String("inline-kms"), PolicyDocument: document("kms:*", "*")}))
	for name, text := range riskyInline() {
		b.must(b.iam.PutRolePolicy(b.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("role-inline-roles"),
			PolicyName: &name, PolicyDocument: text}))
	}
}

const githubTrust = `"Action":"sts:AssumeRoleWithWebIdentity",` +
	`"Principal":{"Federated":"` + local + `oidc-provider/` + issuer + `"},` +
	`"Condition":{"StringEquals":{"` + issuer + `:aud":"sts.amazonaws.com"},` +
	`"StringLike":{"` + issuer + `:sub":"repo:example/app:*"}}`

// policies of the account. All are attached to role-for-ec2, except the boundary and
// those that say that they are not.
func (b *builder) policies() {
	for name, text := range map[string]*string{
		"policy-admin-attached":   document("*", "*"),
		"policy-admin-unattached": document("*", "*"),
		"policy-agentcore-token":  document("bedrock-agentcore:GetWorkloadAccessToken", "*"),
		"policy-assume-any-role":  document("sts:AssumeRole", "*"),
		"policy-assume-one-role":  document("sts:AssumeRole", local+"role/role-support"),
		"policy-boundary":         document("s3:GetObject", "*"),
		"policy-cloudtrail":       document("cloudtrail:*", "*"),
		"policy-escalation":       document("iam:CreatePolicyVersion", "*"),
		"policy-kms":              document("kms:*", "*"),
		"policy-marketplace":      document("aws-marketplace:Subscribe", "*"),
		"policy-not-action":       statement(`"NotAction":"iam:*","Resource":"*"`),
		"policy-pass-role":        document("iam:PassRole", "*"),
		"policy-read":             document("s3:GetObject", "*"),
		"policy-users-of-group-denied": aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny",` +
			`"Action":"iam:CreateAccessKey","Resource":"` + local + `group/group-humans"}]}`),
	} {
		b.must(b.iam.CreatePolicy(b.t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: text}))
	}
}

// attach follows policies and roles. Ten policies of an account fit one role.
func (b *builder) attach() {
	for role, policies := range map[string]string{
		"role-for-ec2": "policy-admin-attached policy-assume-any-role policy-cloudtrail policy-escalation policy-kms " +
			"policy-marketplace policy-read",
		"role-support": "policy-agentcore-token policy-assume-one-role policy-not-action policy-pass-role " +
			"policy-users-of-group-denied",
	} {
		for _, policy := range strings.Fields(policies) {
			b.must(b.iam.AttachRolePolicy(b.t.Context(), &iam.AttachRolePolicyInput{RoleName: &role,
				PolicyArn: aws.String(local + "policy/" + policy)}))
		}
	}
}
