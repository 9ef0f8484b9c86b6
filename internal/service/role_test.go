package service_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// recordedRoles creates what the recorded refusals about roles, instance
// profiles and service-linked roles need.
func recordedRoles(t testing.TB, w *world) {
	t.Helper()
	for _, name := range []string{"role-a", "role-inline", "role-attached"} {
		must(t, w.root.CreateRole, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: ptr(trustsEC2)})
	}
	w.putRolePolicy(t, "role-inline", ptr(allowAll))
	must(t, w.root.AttachRolePolicy,
		&iam.AttachRolePolicyInput{RoleName: ptr("role-attached"),
			PolicyArn: ptr("arn:aws:iam::aws:policy/AdministratorAccess")})
	for _, name := range []string{"profile-full", "profile-empty"} {
		must(t, w.root.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: &name})
	}
	must(t, w.root.AddRoleToInstanceProfile,
		&iam.AddRoleToInstanceProfileInput{InstanceProfileName: ptr("profile-full"), RoleName: ptr("role-a")})
	must(t, w.root.CreateServiceLinkedRole,
		&iam.CreateServiceLinkedRoleInput{AWSServiceName: ptr("batch.amazonaws.com")})
}

// A caller that gives a role to instances needs iam:PassRole on the role, for EC2.
func TestAddRoleToInstanceProfilePassesRole(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	worker := w.role(t, "worker", `"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"`)
	must(t, w.root.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: ptr("box")})
	add := &iam.AddRoleToInstanceProfileInput{InstanceProfileName: ptr("box"), RoleName: ptr("worker")}
	w.putUserPolicy(t, "Ann", statement("Allow", `"iam:*InstanceProfile"`, ""))
	denied := notAuthorized(userPath+"/Ann", "iam:PassRole", worker) +
		" because no identity-based policy allows the iam:PassRole action"
	refused(t, ann.AddRoleToInstanceProfile, add, 403, "AccessDenied", denied)
	pass := func(service string) {
		w.putUserPolicy(t, "Ann",
			ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*InstanceProfile","Resource":"*"},
			{"Effect":"Allow","Action":"iam:PassRole","Resource":"`+worker+`","Condition":{"StringEquals":{"iam:PassedToService":"`+service+`"}}}]}`))
	}
	pass("lambda.amazonaws.com")
	refused(t, ann.AddRoleToInstanceProfile, add, 403, "AccessDenied", denied)
	pass("ec2.amazonaws.com")
	must(t, ann.AddRoleToInstanceProfile, add)
	// Removing it needs no such permission.
	w.putUserPolicy(t, "Ann", statement("Allow", `"iam:RemoveRoleFromInstanceProfile"`, ""))
	must(t, ann.RemoveRoleFromInstanceProfile,
		&iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: ptr("box"), RoleName: ptr("worker")})
}

func iamTags(pairs ...string) []types.Tag {
	var tags []types.Tag
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		tags = append(tags, types.Tag{Key: &key, Value: &value})
	}
	return tags
}

// Policies may use the boundary of a new role, the service of a service-linked
// one, and the tags of each.
func TestRolePermissions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	const admin = "arn:aws:iam::aws:policy/AdministratorAccess"
	refusal := func(err error, action string) {
		t.Helper()
		if f := failureOf(err); f.status != 403 || f.code != "AccessDenied" {
			t.Errorf("%s: %+v", action, f)
		}
	}
	create := &iam.CreateRoleInput{RoleName: ptr("bounded"), AssumeRolePolicyDocument: ptr(trustsEC2)}
	w.putUserPolicy(t, "Ann",
		statement("Allow", `"iam:CreateRole"`, `,"Condition":{"StringEquals":{"iam:PermissionsBoundary":"`+admin+`"}}`))
	_, err := ann.CreateRole(t.Context(), create)
	refusal(err, "CreateRole without boundary")
	create.PermissionsBoundary = ptr(admin)
	must(t, ann.CreateRole, create)
	// The present boundary of a role decides whether the caller may change it.
	w.putUserPolicy(t, "Ann",
		statement("Allow", `"iam:*"`, `,"Condition":{"StringEquals":{"iam:PermissionsBoundary":"`+admin+`"}}`))
	must(t, ann.PutRolePolicy,
		&iam.PutRolePolicyInput{RoleName: ptr("bounded"), PolicyName: ptr("p"), PolicyDocument: ptr(allowAll)})
	w.role(t, "free", `"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"`)
	_, err = ann.PutRolePolicy(t.Context(),
		&iam.PutRolePolicyInput{RoleName: ptr("free"), PolicyName: ptr("p"), PolicyDocument: ptr(allowAll)})
	refusal(err, "PutRolePolicy without boundary")

	w.putUserPolicy(t, "Ann",
		statement("Allow", `"iam:CreateServiceLinkedRole"`,
			`,"Condition":{"StringLike":{"iam:AWSServiceName":"batch.*"}}`))
	_, err = ann.CreateServiceLinkedRole(t.Context(),
		&iam.CreateServiceLinkedRoleInput{AWSServiceName: ptr("ecs.amazonaws.com")})
	refusal(err, "CreateServiceLinkedRole of another service")
	must(t, ann.CreateServiceLinkedRole, &iam.CreateServiceLinkedRoleInput{AWSServiceName: ptr("batch.amazonaws.com")})

	w.putUserPolicy(t, "Ann",
		statement("Allow", `"iam:GetInstanceProfile"`, `,"Condition":{"StringEquals":{"aws:ResourceTag/team":"ops"}}`))
	for name, tags := range map[string]string{"tagged": "ops", "other": "dev"} {
		must(t, w.root.CreateInstanceProfile,
			&iam.CreateInstanceProfileInput{InstanceProfileName: &name, Tags: iamTags("team=" + tags)})
		_, err := ann.GetInstanceProfile(t.Context(), &iam.GetInstanceProfileInput{InstanceProfileName: &name})
		if (err == nil) != (tags == "ops") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
