package service_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/service"
)

// recordedPolicies creates what the recorded refusals of the actions on groups
// and policies need.
func recordedPolicies(t *testing.T, w *world) {
	t.Helper()
	for _, name := range []string{"user-5", "user-6"} {
		w.user(t, name)
	}
	for _, name := range []string{"group-1", "group-2"} {
		must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: &name})
	}
	must(t, w.root.CreateRole, &iam.CreateRoleInput{RoleName: ptr("role-1"), AssumeRolePolicyDocument: ptr(trustsEC2)})
	arns := map[string]*string{}
	for _, name := range []string{"policy-1", "policy-2", "policy-5"} {
		arns[name] = must(t, w.root.CreatePolicy,
			&iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: ptr(allowsAll)}).Policy.Arn
	}
	for range 4 {
		must(t, w.root.CreatePolicyVersion,
			&iam.CreatePolicyVersionInput{PolicyArn: arns["policy-5"], PolicyDocument: ptr(allowsAll)})
	}
	must(t, w.root.PutUserPolicy,
		&iam.PutUserPolicyInput{UserName: ptr("user-5"), PolicyName: ptr("p"), PolicyDocument: ptr(allowsAll)})
	must(t, w.root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: ptr("user-6"), PolicyArn: arns["policy-2"]})
}

// allows returns a policy that allows actions on everything. more contains
// further members of its statement.
func allows(actions, more string) *string {
	return ptr(fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":[%q],"Resource":"*"%s}}`,
		actions, more))
}

// A document comes back unchanged, percent-encoded.
func TestPolicyDocumentsThroughTheSDK(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "u")
		document := "{ \"Version\":\"2012-10-17\",\r\n\t\"Statement\" : [{\"Sid\":\"A\",\"Effect\":\"Allow\"," +
			"\"Action\":[\"s3:Get*\"],\"Resource\":\"arn:aws:s3:::a+b &/<${aws:username}>\"}] }"
		must(t, w.root.PutUserPolicy,
			&iam.PutUserPolicyInput{UserName: ptr("u"), PolicyName: ptr("p+q=,.@-_"), PolicyDocument: &document})
		got := must(t, w.root.GetUserPolicy, &iam.GetUserPolicyInput{UserName: ptr("U"), PolicyName: ptr("p+q=,.@-_")})
		if text, err := url.PathUnescape(*got.PolicyDocument); text != document || err != nil || *got.UserName != "u" ||
			*got.PolicyName != "p+q=,.@-_" {
			t.Errorf("%s %v", *got.PolicyDocument, err)
		}
		arn := must(t, w.root.CreatePolicy,
			&iam.CreatePolicyInput{PolicyName: ptr("p"), PolicyDocument: &document}).Policy.Arn
		version := must(t, w.root.GetPolicyVersion,
			&iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: ptr("v1")}).PolicyVersion
		if text, err := url.PathUnescape(*version.Document); text != document || err != nil {
			t.Errorf("%s %v", *version.Document, err)
		}
		created := must(t, w.root.CreatePolicyVersion,
			&iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &document}).PolicyVersion
		same(t, created, &types.PolicyVersion{VersionId: ptr("v2"), CreateDate: ptr(began)})
	})
}

// grant is a way in which Ann gets a permission, and the way to remove it.
type grant struct{ give, take func() }

// Each grant takes effect on the very next call, on every node, and so does its
// end. That includes a new default version, a boundary, and a group.
func TestGrantsOnEveryNode(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := twoNodes(t, cfg(t), service.Config{})
			one.user(t, "Ann")
			ann := one.asUser(t, "Ann")
			there := two.as(ann.id, ann.key)
			root, name, devs := one.root, ptr("Ann"), ptr("devs")
			must(t, root.CreateGroup, &iam.CreateGroupInput{GroupName: devs})
			managed := must(t, root.CreatePolicy,
				&iam.CreatePolicyInput{PolicyName: ptr("m"), PolicyDocument: allows("iam:ListUsers", "")}).Policy.Arn
			must(t, root.CreatePolicyVersion,
				&iam.CreatePolicyVersionInput{PolicyArn: managed, PolicyDocument: allows("s3:*", "")})
			setDefault := func(version string) {
				must(t, root.SetDefaultPolicyVersion,
					&iam.SetDefaultPolicyVersionInput{PolicyArn: managed, VersionId: &version})
			}
			attach := func() {
				must(t, root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: managed})
			}
			detach := func() {
				must(t, root.DetachUserPolicy, &iam.DetachUserPolicyInput{UserName: name, PolicyArn: managed})
			}
			join := func() { must(t, root.AddUserToGroup, &iam.AddUserToGroupInput{UserName: name, GroupName: devs}) }
			leave := func() {
				must(t, root.RemoveUserFromGroup, &iam.RemoveUserFromGroupInput{UserName: name, GroupName: devs})
			}
			may := func(what string, want bool) {
				t.Helper()
				for node, c := range map[string]clients{"the same node": ann, "the other node": there} {
					_, err := c.ListUsers(context.Background(), &iam.ListUsersInput{})
					if failed := failureOf(err); (failed.code == "") != want || !want && failed.code != "AccessDenied" {
						t.Errorf("%s, %s: %+v", what, node, failed)
					}
				}
			}
			inGroup := func(g grant) grant { return grant{func() { join(); g.give() }, func() { g.take(); leave() }} }
			groupAttached := grant{func() {
				must(t, root.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: devs, PolicyArn: managed})
			}, func() {
				must(t, root.DetachGroupPolicy, &iam.DetachGroupPolicyInput{GroupName: devs, PolicyArn: managed})
			}}
			groupInline := grant{func() {
				must(t, root.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: devs, PolicyName: ptr("p"),
					PolicyDocument: allows("iam:List*", "")})
			}, func() {
				must(t, root.DeleteGroupPolicy, &iam.DeleteGroupPolicyInput{GroupName: devs, PolicyName: ptr("p")})
			}}
			for what, g := range map[string]grant{
				"an inline policy": {func() {
					must(t, root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: name, PolicyName: ptr("p"),
						PolicyDocument: allows("iam:*", "")})
				}, func() {
					must(t, root.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: ptr("p")})
				}},
				"a policy that is replaced": {func() {
					must(t, root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: name, PolicyName: ptr("p"),
						PolicyDocument: allows("iam:*", "")})
				}, func() {
					must(t, root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: name, PolicyName: ptr("p"),
						PolicyDocument: allows("s3:*", "")})
				}},
				"an attached policy": {attach, detach},
				"a policy of AWS": {func() {
					must(t, root.AttachUserPolicy,
						&iam.AttachUserPolicyInput{UserName: name,
							PolicyArn: ptr("arn:aws:iam::aws:policy/IAMReadOnlyAccess")})
				}, func() {
					must(t, root.DetachUserPolicy,
						&iam.DetachUserPolicyInput{UserName: name,
							PolicyArn: ptr("arn:aws:iam::aws:policy/IAMReadOnlyAccess")})
				}},
				"another default version": {attach, func() {
					setDefault("v2")
					may("v2 is the default", false)
					detach()
					setDefault("v1")
				}},
				"a boundary that is removed": {func() {
					attach()
					must(t, root.PutUserPermissionsBoundary,
						&iam.PutUserPermissionsBoundaryInput{UserName: name,
							PermissionsBoundary: ptr("arn:aws:iam::aws:policy/AmazonS3FullAccess")})
					may("bounded", false)
					must(t, root.DeleteUserPermissionsBoundary, &iam.DeleteUserPermissionsBoundaryInput{UserName: name})
				}, detach},
				"a group's attached policy": inGroup(groupAttached),
				"a group's inline policy":   inGroup(groupInline),
				"a group that is left": {func() {
					groupInline.give()
					join()
				}, func() { leave(); may("out of the group", false); groupInline.take() }},
				"a group with another name": {func() {
					groupInline.give()
					join()
					must(t, root.UpdateGroup, &iam.UpdateGroupInput{GroupName: devs, NewGroupName: ptr("makers")})
				}, func() {
					must(t, root.UpdateGroup, &iam.UpdateGroupInput{GroupName: ptr("makers"), NewGroupName: devs})
					groupInline.take()
					leave()
				}},
			} {
				may("before "+what, false)
				g.give()
				may("with "+what, true)
				g.take()
				may("after "+what, false)
			}
		})
	}
}

// This is the delegation with permissions boundaries from AWS's guide. Ann
// creates users and gives them policies, but only within a boundary, which she
// cannot remove.
func TestBoundaryDelegation(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	bounds := must(t, w.root.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: ptr("bounds"), PolicyDocument: allows("s3:*", "")}).Policy.Arn
	other := must(t, w.root.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: ptr("other"), PolicyDocument: allows("s3:*", "")}).Policy.Arn
	document := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["iam:CreateUser","iam:PutUserPolicy","iam:DeleteUserPolicy","iam:AttachUserPolicy","iam:DetachUserPolicy","iam:PutUserPermissionsBoundary"],
			"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":%q}}},
		{"Effect":"Deny","Action":"iam:DeleteUserPermissionsBoundary","Resource":"*"}]}`, *bounds)
	must(t, w.root.PutUserPolicy,
		&iam.PutUserPolicyInput{UserName: ptr("Ann"), PolicyName: ptr("delegate"), PolicyDocument: &document})
	denied := func(err error, action, resource string) {
		t.Helper()
		want := fmt.Sprintf(
			"User: %s/Ann is not authorized to perform: iam:%[2]s on resource: %s because no identity-based policy "+
				"allows the iam:%[2]s action", userPath, action, resource)
		if got := failureOf(err); got != (failure{403, "AccessDenied", want}) {
			t.Errorf("got %+v\nwant %s", got, want)
		}
	}
	ctx := t.Context()
	_, err := ann.CreateUser(ctx, &iam.CreateUserInput{UserName: ptr("free")})
	denied(err, "CreateUser", userPath+"/free")
	_, err = ann.CreateUser(ctx, &iam.CreateUserInput{UserName: ptr("free"), PermissionsBoundary: other})
	denied(err, "CreateUser", userPath+"/free")
	must(t, ann.CreateUser, &iam.CreateUserInput{UserName: ptr("bob"), PermissionsBoundary: bounds})
	w.user(t, "carol")

	put := func(user string) error {
		_, err := ann.PutUserPolicy(ctx,
			&iam.PutUserPolicyInput{UserName: &user, PolicyName: ptr("p"), PolicyDocument: ptr(allowsAll)})
		return err
	}
	attach := func(user string) error {
		_, err := ann.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: ptr(readOnly)})
		return err
	}
	if err := put("bob"); err != nil {
		t.Error(err)
	}
	if err := attach("bob"); err != nil {
		t.Error(err)
	}
	denied(put("carol"), "PutUserPolicy", "user carol")
	denied(attach("carol"), "AttachUserPolicy", "user carol")
	denied(put("Ann"), "PutUserPolicy", "user Ann")
	must(t, ann.PutUserPermissionsBoundary,
		&iam.PutUserPermissionsBoundaryInput{UserName: ptr("carol"), PermissionsBoundary: bounds})
	if err := put("carol"); err != nil {
		t.Error(err)
	}
	_, err = ann.PutUserPermissionsBoundary(ctx,
		&iam.PutUserPermissionsBoundaryInput{UserName: ptr("bob"), PermissionsBoundary: other})
	denied(err, "PutUserPermissionsBoundary", "user bob")
	refused(t, ann.DeleteUserPermissionsBoundary, &iam.DeleteUserPermissionsBoundaryInput{UserName: ptr("bob")}, 403,
		"AccessDenied",
		"User: "+userPath+"/Ann is not authorized to perform: iam:DeleteUserPermissionsBoundary on resource: user "+
			"bob with an explicit deny in an identity-based policy")

	// Bob's policy allows everything, but he may only do what the boundary
	// allows too.
	bob := w.asUser(t, "bob")
	refused(t, bob.ListUsers, &iam.ListUsersInput{}, 403, "AccessDenied",
		"User: "+userPath+"/bob is not authorized to perform: iam:ListUsers on resource: "+userPath+
			"/ because no permissions boundary allows the iam:ListUsers action")
}

// Policies can use iam:PolicyARN, the tags of a policy, the tags in a request,
// and the new name of a group.
func TestPolicyConditions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	for _, name := range []string{"devs", "ops"} {
		must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: &name})
	}
	mine := []types.Tag{{Key: ptr("owner"), Value: ptr("Ann")}}
	tagged := must(t, w.root.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: ptr("tagged"), PolicyDocument: ptr(allowsAll), Tags: mine}).Policy.Arn
	plain := must(t, w.root.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: ptr("plain"), PolicyDocument: ptr(allowsAll)}).Policy.Arn
	document := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["iam:AttachGroupPolicy","iam:DetachGroupPolicy"],"Resource":"%[1]s/devs","Condition":{"ArnLike":{"iam:PolicyARN":"arn:aws:iam::aws:policy/*ReadOnlyAccess"}}},
		{"Effect":"Allow","Action":"iam:UpdateGroup","Resource":["%[1]s/devs","%[1]s/dev-*"]},
		{"Effect":"Allow","Action":"iam:*PolicyVersion","Resource":"*","Condition":{"StringEquals":{"iam:ResourceTag/owner":"${aws:username}"}}},
		{"Effect":"Allow","Action":"iam:CreatePolicy","Resource":"%[2]s/own/*"},
		{"Effect":"Allow","Action":"iam:TagPolicy","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/owner":"Ann"}}}]}`, groupPath, policyPath)
	must(t, w.root.PutUserPolicy,
		&iam.PutUserPolicyInput{UserName: ptr("Ann"), PolicyName: ptr("p"), PolicyDocument: &document})
	allowed := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	denied := func(what string, err error, resource string) {
		t.Helper()
		if got := failureOf(err); got.code != "AccessDenied" ||
			!strings.Contains(got.message, " on resource: "+resource+" because ") {
			t.Errorf("%s: %+v", what, got)
		}
	}
	ctx := t.Context()
	attach := func(group, arn string) error {
		_, err := ann.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: &group, PolicyArn: &arn})
		return err
	}
	allowed("attach a policy of the pattern", attach("devs", readOnly))
	denied("attach another", attach("devs", *plain), "group devs")
	denied("attach to another group", attach("ops", readOnly), "group ops")
	_, err := ann.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: ptr("devs"), PolicyArn: ptr(readOnly)})
	allowed("detach it", err)

	rename := func(from, to string) error {
		_, err := ann.UpdateGroup(ctx, &iam.UpdateGroupInput{GroupName: &from, NewGroupName: &to})
		return err
	}
	denied("rename to a name of others", rename("devs", "admins"), "group admins")
	denied("rename a group of others", rename("ops", "dev-ops"), "group ops")
	allowed("rename", rename("devs", "dev-1"))

	create := func(arn *string) error {
		_, err := ann.CreatePolicyVersion(ctx,
			&iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: ptr(allowsAll)})
		return err
	}
	allowed("a version of a policy with the tag", create(tagged))
	denied("a version of another", create(plain), "policy "+*plain)

	policy := func(path string, tags []types.Tag) error {
		_, err := ann.CreatePolicy(ctx,
			&iam.CreatePolicyInput{PolicyName: ptr("new"), Path: &path, PolicyDocument: ptr(allowsAll), Tags: tags})
		return err
	}
	denied("a policy elsewhere", policy("/", nil), "policy new")
	denied("a policy with tags of others", policy("/own/", []types.Tag{{Key: ptr("owner"), Value: ptr("Bob")}}),
		"policy new")
	allowed("a policy with tags", policy("/own/", mine))
}

// Two simultaneous calls that attach policies do not exceed the quota together.
// A call that deletes a policy leaves no attachment of it.
func TestPoliciesAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		if err := w.IAM.SetLimits(t.Context(), account, map[string]int{"PoliciesPerUser": 2}); err != nil {
			t.Fatal(err)
		}
		w.user(t, "u")
		const n = 6
		var arns []*string
		for i := range n {
			arns = append(arns,
				must(t, w.root.CreatePolicy,
					&iam.CreatePolicyInput{PolicyName: ptr(fmt.Sprint("p", i)),
						PolicyDocument: ptr(allowsAll)}).Policy.Arn)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		errs := make(chan error, 2*n)
		for _, arn := range arns {
			go func() {
				_, err := w.root.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: ptr("u"), PolicyArn: arn})
				errs <- err
			}()
			go func() {
				_, err := w.root.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
				errs <- err
			}()
		}
		for range 2 * n {
			switch f := failureOf(<-errs); f.code {
			case "", "LimitExceeded", "NoSuchEntity", "DeleteConflict":
			default:
				t.Errorf("%+v", f)
			}
		}
		left := map[string]bool{}
		for _, p := range must(t, w.root.ListPolicies, &iam.ListPoliciesInput{Scope: "Local"}).Policies {
			left[*p.Arn] = true
		}
		attached := must(t, w.root.ListAttachedUserPolicies,
			&iam.ListAttachedUserPoliciesInput{UserName: ptr("u")}).AttachedPolicies
		if len(attached) > 2 {
			t.Errorf("%d policies are attached", len(attached))
		}
		for _, p := range attached {
			if !left[*p.PolicyArn] {
				t.Errorf("%s is attached and not there", *p.PolicyArn)
			}
		}
	})
}
