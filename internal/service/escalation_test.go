package service_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// escalation is one way in which a caller gains permissions. It is open exactly
// when a policy opens it.
type escalation struct {
	action, params string
	// opens is the statement that opens it, without its effect.
	opens string
	// near are similar statements that do not open it.
	near []string
}

const adminARN = "arn:aws:iam::aws:policy/AdministratorAccess"

// escalations are the paths published for IAM (Rhino Security Labs, "AWS
// Privilege Escalation: Methods and Mitigation"; Bishop Fox's iam-vulnerable)
// that only need IAM, and the ways to obtain another user's credentials.
var escalations = []escalation{
	{"CreatePolicyVersion", "PolicyArn=" + iamARN + "policy/team/P&SetAsDefault=true&PolicyDocument=" +
		url.QueryEscape(allowAll),
		on("iam:CreatePolicyVersion", iamARN+"policy/team/P"),
		[]string{on("iam:CreatePolicyVersion", iamARN+"policy/P"), on("iam:SetDefaultPolicyVersion", "*"),
			on("iam:CreatePolicy", "*")}},
	{"SetDefaultPolicyVersion", "PolicyArn=" + iamARN + "policy/team/P&VersionId=v2",
		on("iam:SetDefaultPolicyVersion", iamARN+"policy/team/*"),
		[]string{on("iam:SetDefaultPolicyVersion", iamARN+"policy/other/*"), on("iam:CreatePolicyVersion", "*")}},
	{"AttachUserPolicy", "UserName=Mallory&PolicyArn=" + adminARN,
		ifso(on("iam:AttachUserPolicy", iamARN+"user/${aws:username}"), "ArnEquals", "iam:PolicyARN", adminARN),
		[]string{
			ifso(on("iam:AttachUserPolicy", "*"), "ArnEquals", "iam:PolicyARN", iamARN+"policy/team/P"),
			on("iam:AttachUserPolicy", iamARN+"user/bob"), on("iam:AttachUserPolicy", adminARN),
		}},
	{"AttachGroupPolicy", "GroupName=Team&PolicyArn=" + adminARN,
		on("iam:AttachGroupPolicy", iamARN+"group/x/Team"),
		[]string{on("iam:AttachGroupPolicy", iamARN+"group/Team"),
			ifso(on("iam:AttachGroupPolicy", "*"), "ArnLike", "iam:PolicyARN", iamARN+"policy/*")}},
	{"AttachRolePolicy", "RoleName=R&PolicyArn=" + adminARN,
		on("iam:AttachRolePolicy", iamARN+"role/svc/R"),
		[]string{on("iam:AttachRolePolicy", iamARN+"role/R"),
			ifso(on("iam:AttachRolePolicy", "*"), "StringEquals", "iam:PermissionsBoundary", iamARN+"policy/team/P")}},
	{"PutUserPolicy", "UserName=bob&PolicyName=all&PolicyDocument=" + url.QueryEscape(allowAll),
		ifso(on("iam:PutUserPolicy", "*"), "StringEquals", "iam:PermissionsBoundary", iamARN+"policy/Boundary"),
		[]string{ifso(on("iam:PutUserPolicy", "*"), "StringEquals", "iam:PermissionsBoundary", adminARN),
			on("iam:PutUserPolicy", iamARN+"user/${aws:username}")}},
	{"PutGroupPolicy", "GroupName=Team&PolicyName=all&PolicyDocument=" + url.QueryEscape(allowAll),
		on("iam:PutGroupPolicy", "*"),
		[]string{on("iam:PutUserPolicy", "*"), on("iam:PutGroupPolicy", iamARN+"user/*")}},
	{"PutRolePolicy", "RoleName=R&PolicyName=all&PolicyDocument=" + url.QueryEscape(allowAll),
		ifso(on("iam:PutRolePolicy", "*"), "StringEquals", "aws:ResourceTag/team", "x"),
		[]string{ifso(on("iam:PutRolePolicy", "*"), "StringEquals", "iam:ResourceTag/team", "y"),
			on("iam:PutRolePolicy", iamARN+"user/*")}},
	{"AddUserToGroup", "GroupName=Team&UserName=Mallory",
		on("iam:AddUserToGroup", iamARN+"group/x/Team"),
		[]string{on("iam:AddUserToGroup", iamARN+"user/*"), on("iam:AddUserToGroup", iamARN+"group/Other")}},
	{"CreateAccessKey", "UserName=bob",
		on("iam:CreateAccessKey", iamARN+"user/staff/bob"),
		[]string{on("iam:CreateAccessKey", iamARN+"user/${aws:username}"), on("iam:CreateAccessKey", iamARN+"user/bob"),
			on("iam:CreateLoginProfile", "*")}},
	{"UpdateAccessKey", "UserName=bob&AccessKeyId=AKIAIOSFODNN7EXAMPLE&Status=Active",
		on("iam:UpdateAccessKey", iamARN+"user/staff/*"), []string{on("iam:UpdateAccessKey", iamARN+"user/Mallory")}},
	{"CreateLoginProfile", "UserName=bob&Password=" + goodPassword,
		on("iam:CreateLoginProfile", "*"), []string{on("iam:UpdateLoginProfile", "*"), on("iam:ChangePassword", "*")}},
	{"UpdateLoginProfile", "UserName=bob&Password=" + otherPassword,
		on("iam:*LoginProfile", iamARN+"user/staff/b?b"),
		[]string{on("iam:CreateLoginProfile", "*"), on("iam:UpdateLoginProfile", iamARN+"user/b?b")}},
	{"UpdateAssumeRolePolicy", "RoleName=R&PolicyDocument=" + url.QueryEscape(trust(iamARN+"user/Mallory")),
		on("iam:UpdateAssumeRolePolicy", iamARN+"role/svc/R"),
		[]string{on("iam:UpdateRole", "*"), on("sts:AssumeRole", "*"),
			on("iam:UpdateAssumeRolePolicy", iamARN+"role/svc/Other")}},
	{"AddRoleToInstanceProfile", "InstanceProfileName=Empty&RoleName=R",
		`"Action":["iam:AddRoleToInstanceProfile","iam:PassRole"],"Resource":"*",` +
			`"Condition":{"StringEqualsIfExists":{"iam:PassedToService":"ec2.amazonaws.com"}}`,
		[]string{
			on("iam:AddRoleToInstanceProfile", "*"), on("iam:PassRole", "*"),
			`"Action":["iam:AddRoleToInstanceProfile","iam:PassRole"],"Resource":"*",` +
				`"Condition":{"StringEqualsIfExists":{"iam:PassedToService":"lambda.amazonaws.com"}}`,
			`"Action":["iam:AddRoleToInstanceProfile","iam:PassRole"],"Resource":["` + iamARN +
				`instance-profile/*","` + iamARN + `role/svc/Other"]`,
		}},
	{"DeleteUserPermissionsBoundary", "UserName=bob",
		on("iam:DeleteUserPermissionsBoundary", iamARN+"user/staff/bob"),
		[]string{on("iam:PutUserPermissionsBoundary", "*"),
			ifso(on("iam:DeleteUserPermissionsBoundary", "*"), "ArnNotEquals", "iam:PermissionsBoundary",
				iamARN+"policy/Boundary")}},
	{"PutUserPermissionsBoundary", "UserName=bob&PermissionsBoundary=" + adminARN,
		on("iam:PutUserPermissionsBoundary", "*"),
		[]string{ifso(on("iam:PutUserPermissionsBoundary", "*"), "StringEquals", "iam:PermissionsBoundary",
			iamARN+"policy/Boundary")}},
	{"DeleteRolePermissionsBoundary", "RoleName=R", on("iam:DeleteRolePermissionsBoundary", "*"),
		[]string{on("iam:DeleteUserPermissionsBoundary", "*")}},
	{"DeleteUserPolicy", "UserName=bob&PolicyName=deny", on("iam:DeleteUserPolicy", iamARN+"user/staff/bob"),
		[]string{on("iam:DetachUserPolicy", "*")}},
	{"DetachUserPolicy", "UserName=bob&PolicyArn=" + iamARN + "policy/team/P",
		ifso(on("iam:DetachUserPolicy", "*"), "ArnLike", "iam:PolicyARN", iamARN+"policy/team/*"),
		[]string{ifso(on("iam:DetachUserPolicy", "*"), "ArnLike", "iam:PolicyARN", adminARN),
			on("iam:DeleteUserPolicy", "*")}},
	{"CreateUser", "UserName=new&Path=/admins/",
		on("iam:CreateUser", iamARN+"user/admins/*"),
		[]string{on("iam:CreateUser", iamARN+"user/staff/*"),
			ifso(on("iam:CreateUser", "*"), "StringEquals", "iam:PermissionsBoundary", iamARN+"policy/Boundary")}},
	{"CreateUser", "UserName=tagged&Tags.member.1.Key=team&Tags.member.1.Value=x",
		`"Action":["iam:CreateUser","iam:TagUser"],"Resource":"*",` +
			`"Condition":{"StringEquals":{"aws:RequestTag/team":"x"},` +
			`"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}`,
		[]string{
			on("iam:CreateUser", "*"),
			`"Action":["iam:CreateUser","iam:TagUser"],"Resource":"*",` +
				`"Condition":{"StringEquals":{"aws:RequestTag/team":"y"}}`,
			`"Action":["iam:CreateUser","iam:TagUser"],"Resource":"*",` +
				`"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["other"]}}`,
		}},
	{"UpdateUser", "UserName=carol&NewUserName=root2&NewPath=/admins/",
		`"Action":"iam:UpdateUser","Resource":["` + iamARN + `user/carol","` + iamARN + `user/admins/root2"]`,
		[]string{on("iam:UpdateUser", iamARN+"user/carol"), on("iam:UpdateUser", iamARN+"user/admins/*")}},
	{"TagUser", "UserName=Mallory&Tags.member.1.Key=admin&Tags.member.1.Value=yes",
		on("iam:TagUser", iamARN+"user/Mallory"),
		[]string{ifso(on("iam:TagUser", "*"), "ForAllValues:StringNotEquals", "aws:TagKeys", "admin"),
			ifso(on("iam:TagUser", "*"), "StringNotEquals", "aws:RequestTag/admin", "yes")}},
	{"UntagUser", "UserName=Mallory&TagKeys.member.1=restricted",
		on("iam:UntagUser", "*"),
		[]string{ifso(on("iam:UntagUser", "*"), "ForAnyValue:StringNotEquals", "aws:TagKeys", "restricted")}},
	{"TagRole", "RoleName=R&Tags.member.1.Key=open&Tags.member.1.Value=yes", on("iam:TagRole", iamARN+"role/svc/*"),
		[]string{on("iam:TagUser", "*")}},
	{"DeactivateMFADevice", "UserName=bob&SerialNumber=" + mfaARN + "none",
		on("iam:DeactivateMFADevice", iamARN+"user/staff/bob"),
		[]string{on("iam:DeactivateMFADevice", mfaARN+"*"),
			on("iam:DeactivateMFADevice", iamARN+"user/${aws:username}")}},
	{"DeleteVirtualMFADevice", "SerialNumber=" + mfaARN + "none",
		on("iam:DeleteVirtualMFADevice", mfaARN+"none"),
		[]string{on("iam:DeleteVirtualMFADevice", mfaARN+"${aws:username}")}},
	{"EnableMFADevice",
		"UserName=bob&SerialNumber=" + mfaARN + "none&AuthenticationCode1=000000&AuthenticationCode2=111111",
		on("iam:EnableMFADevice", iamARN+"user/staff/bob"), []string{on("iam:EnableMFADevice", iamARN+"user/Mallory")}},
	{"CreateServiceSpecificCredential", "UserName=bob&ServiceName=codecommit.amazonaws.com",
		on("iam:CreateServiceSpecificCredential", iamARN+"user/staff/bob"),
		[]string{on("iam:CreateServiceSpecificCredential", iamARN+"user/${aws:username}")}},
	{"UploadSSHPublicKey", "UserName=bob&SSHPublicKeyBody=x", on("iam:UploadSSHPublicKey", "*"),
		[]string{on("iam:UploadSigningCertificate", "*")}},
	{"UploadSigningCertificate", "UserName=bob&CertificateBody=x", on("iam:UploadSigningCertificate", "*"),
		[]string{on("iam:UploadSSHPublicKey", "*")}},
	{"UpdateAccountPasswordPolicy", "AllowUsersToChangePassword=true", on("iam:UpdateAccountPasswordPolicy", "*"),
		[]string{on("iam:GetAccountPasswordPolicy", "*"), on("iam:UpdateAccountPasswordPolicy", iamARN+"user/*")}},
	{"CreateServiceLinkedRole", "AWSServiceName=autoscaling.amazonaws.com",
		ifso(on("iam:CreateServiceLinkedRole", iamARN+"role/aws-service-role/*"), "StringLike", "iam:AWSServiceName",
			"autoscaling.amazonaws.com"),
		[]string{ifso(on("iam:CreateServiceLinkedRole", "*"), "StringLike", "iam:AWSServiceName",
			"lambda.amazonaws.com"), on("iam:CreateRole", "*")}},
	{"CreateRole", "RoleName=new&AssumeRolePolicyDocument=" + url.QueryEscape(trust(iamARN+"user/Mallory")),
		on("iam:CreateRole", iamARN+"role/new"),
		[]string{ifso(on("iam:CreateRole", "*"), "StringEquals", "iam:PermissionsBoundary", iamARN+"policy/Boundary"),
			on("iam:PassRole", "*")}},
}

// trust returns a trust policy for one principal.
func trust(arn string) string {
	return fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`,
		arn)
}

// escalationWorld creates Mallory, who has no permissions yet, and the targets
// of her attacks.
func escalationWorld(t *testing.T) (w *world, mallory clients) {
	w = inMemory(t)
	boundary := must(t, w.root.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: ptr("Boundary"), PolicyDocument: ptr(allowAll)}).Policy.Arn
	p := must(t, w.root.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: ptr("P"), Path: ptr("/team/"),
			PolicyDocument: document(`"Effect":"Deny",` + on("*", "*"))}).Policy.Arn
	must(t, w.root.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: p, PolicyDocument: ptr(allowAll)})
	must(t, w.root.CreateUser,
		&iam.CreateUserInput{UserName: ptr("bob"), Path: ptr("/staff/"), PermissionsBoundary: boundary})
	w.user(t, "Mallory")
	w.user(t, "carol")
	must(t, w.root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: ptr("bob"), PolicyName: ptr("deny"),
		PolicyDocument: document(`"Effect":"Deny",` + on("*", "*"))})
	must(t, w.root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: ptr("bob"), PolicyArn: p})
	must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("Team"), Path: ptr("/x/")})
	must(t, w.root.CreateRole,
		&iam.CreateRoleInput{RoleName: ptr("R"), Path: ptr("/svc/"),
			AssumeRolePolicyDocument: ptr(trust(iamARN + "user/staff/bob"))})
	must(t, w.root.TagRole, &iam.TagRoleInput{RoleName: ptr("R"), Tags: tags("Team", "x")})
	must(t, w.root.PutRolePermissionsBoundary,
		&iam.PutRolePermissionsBoundaryInput{RoleName: ptr("R"), PermissionsBoundary: boundary})
	must(t, w.root.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: ptr("Empty")})
	return w, w.asUser(t, "Mallory")
}

// A policy that opens a path opens it. Similar policies do not, and a deny, a
// boundary or a control policy closes it.
func TestPrivilegeEscalation(t *testing.T) {
	t.Parallel()
	for _, e := range escalations {
		t.Run(e.action, func(t *testing.T) {
			t.Parallel()
			w, mallory := escalationWorld(t)
			try := func(statements ...string) failure {
				t.Helper()
				must(t, w.root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: ptr("Mallory"), PolicyName: ptr("p"),
					PolicyDocument: document(statements...)})
				body := call(e.action, e.params)
				r := w.post(t, "/", body)
				w.sign(r, body, mallory, "us-east-1", "iam")
				return send(t, r).failure
			}
			denied := func(got failure, why string) {
				t.Helper()
				if got.status != 403 || got.code != "AccessDenied" || !strings.HasSuffix(got.message, why) {
					t.Errorf("got %+v\nwant a denial that ends in %q", got, why)
				}
			}
			opens := `"Effect":"Allow",` + e.opens
			for _, near := range e.near {
				got := try(`"Effect":"Allow",` + near)
				if got.code != "AccessDenied" ||
					!strings.Contains(got.message, "because no identity-based policy allows the iam:") {
					t.Errorf("%s\nopens it: %+v", near, got)
				}
			}
			denied(try(opens, `"Effect":"Deny",`+on("iam:"+e.action, "*")),
				"with an explicit deny in an identity-based policy")
			other := must(t, w.root.CreatePolicy,
				&iam.CreatePolicyInput{PolicyName: ptr("other"),
					PolicyDocument: document(`"Effect":"Allow",` + on("iam:List*", "*"))}).Policy.Arn
			must(t, w.root.PutUserPermissionsBoundary,
				&iam.PutUserPermissionsBoundaryInput{UserName: ptr("Mallory"), PermissionsBoundary: other})
			denied(try(opens), "because no permissions boundary allows the iam:"+e.action+" action")
			must(t, w.root.DeleteUserPermissionsBoundary,
				&iam.DeleteUserPermissionsBoundaryInput{UserName: ptr("Mallory")})
			if got := try(opens); got.code == "AccessDenied" || got.status >= 500 {
				t.Errorf("closed by what opens it: %+v", got)
			}
		})
	}
}
