package identity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
)

// listed returns the names of all policies of a list, in order, read in pages
// of a size.
func (w *world) listed(t testing.TB, in identity.ListPoliciesInput, size int32) []string {
	t.Helper()
	names := []string{}
	in.MaxItems = &size
	for {
		out := must(t, w.root, w.ListPolicies, &in)
		for _, p := range out.Policies {
			if p.Tags != nil || p.Description != nil {
				t.Errorf("%+v", p)
			}
			names = append(names, *p.PolicyName)
		}
		if !out.IsTruncated {
			return names
		}
		if len(names) > 5000 {
			t.Fatal("the pages do not end")
		}
		in.Marker = out.Marker
	}
}

func TestListPolicies(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, a := w.policy(t, "/x/y/", "b"), w.policy(t, "/", "A")
		w.policy(t, "/x/z/", "c")
		entities := w.entities(t)
		for _, e := range entities {
			done(t, e.attach("worker", b))
			done(t, e.attach("worker", administrator))
		}
		const auditor = "arn:aws:iam::aws:policy/SecurityAudit"
		must(t, w.root, w.PutUserPermissionsBoundary,
			&iam.PutUserPermissionsBoundaryInput{UserName: ptr("worker"), PermissionsBoundary: &a})
		must(t, w.root, w.PutRolePermissionsBoundary,
			&iam.PutRolePermissionsBoundaryInput{RoleName: ptr("worker"), PermissionsBoundary: ptr(auditor)})

		for name, c := range map[string]struct {
			in   identity.ListPoliciesInput
			want []string
		}{
			"local":        {identity.ListPoliciesInput{Scope: "Local"}, []string{"A", "b", "c"}},
			"below a path": {identity.ListPoliciesInput{PathPrefix: ptr("/x/")}, []string{"b", "c"}},
			"attached": {identity.ListPoliciesInput{OnlyAttached: true},
				[]string{"A", "b", "AdministratorAccess", "SecurityAudit"}},
			"attached, local": {identity.ListPoliciesInput{OnlyAttached: true, Scope: "Local"}, []string{"A", "b"}},
			"attached, AWS": {identity.ListPoliciesInput{OnlyAttached: true, Scope: "AWS"},
				[]string{"AdministratorAccess", "SecurityAudit"}},
			"permissions": {identity.ListPoliciesInput{OnlyAttached: true, PolicyUsageFilter: "PermissionsPolicy"},
				[]string{"b", "AdministratorAccess"}},
			"boundaries": {identity.ListPoliciesInput{OnlyAttached: true, PolicyUsageFilter: "PermissionsBoundary"},
				[]string{"A", "SecurityAudit"}},
			"a use alone": {identity.ListPoliciesInput{Scope: "Local", PolicyUsageFilter: "PermissionsPolicy"},
				[]string{"A", "b", "c"}},
			"a bound alone": {identity.ListPoliciesInput{Scope: "Local", PolicyUsageFilter: "PermissionsBoundary"},
				[]string{"A", "b", "c"}},
			"boundaries, local": {identity.ListPoliciesInput{PolicyUsageFilter: "PermissionsBoundary", Scope: "Local",
				OnlyAttached: true}, []string{"A"}},
			"of a job": {identity.ListPoliciesInput{PathPrefix: ptr("/root-task/")},
				[]string{"IAMAuditRootUserCredentials", "IAMCreateRootUserPassword", "IAMDeleteRootUserCredentials",
					"S3UnlockBucketPolicy", "SQSUnlockQueuePolicy"}},
			"by name": {identity.ListPoliciesInput{Rollcall: &identity.NameSearch{NamePrefix: ptr("administratorA")}},
				[]string{"AdministratorAccess", "AdministratorAccess-Amplify", "AdministratorAccess-AWSElasticBeanstalk"}},
			"by name, local": {identity.ListPoliciesInput{Scope: "Local", Rollcall: &identity.NameSearch{NamePrefix: ptr("B")}},
				[]string{"b"}},
			"nothing of a path": {identity.ListPoliciesInput{PathPrefix: ptr("/nothing/")}, []string{}},
			"local, root's path": {identity.ListPoliciesInput{Scope: "Local", PathPrefix: ptr("/")},
				[]string{"A", "b", "c"}},
		} {
			t.Run(name, func(t *testing.T) {
				for _, size := range []int32{1, 2, 1000} {
					if got := w.listed(t, c.in, size); !slices.Equal(got, c.want) {
						t.Errorf("pages of %d: %q, want %q", size, got, c.want)
					}
				}
			})
		}

		bad := &identity.ListPoliciesInput{Rollcall: &identity.NameSearch{NamePrefix: ptr("a%")}}
		refused(t, w.root, w.ListPolicies, bad, 400, "ValidationError",
			"Rollcall.NamePrefix is not the beginning of a policy name.")
		all := w.listed(t, identity.ListPoliciesInput{}, 1000)
		if len(all) < 1400 || !slices.Equal(all[:4], []string{"A", "b", "c", "AccessAnalyzerServiceRolePolicy"}) {
			t.Errorf("%d policies, first %q", len(all), all[:4])
		}
		if odd := w.listed(t, identity.ListPoliciesInput{Scope: types.PolicyScopeTypeAll}, 333); !slices.Equal(odd, all) {
			t.Error("pages of 333 give another list")
		}
		for _, arn := range []string{b, administrator} {
			if p := must(t, w.root, w.GetPolicy,
				&iam.GetPolicyInput{PolicyArn: &arn}).Policy; *p.AttachmentCount != 3 ||
				*p.PermissionsBoundaryUsageCount != 0 {
				t.Errorf("%s: %d, %d", arn, *p.AttachmentCount, *p.PermissionsBoundaryUsageCount)
			}
		}
		for _, p := range must(t, w.root, w.ListPolicies,
			&identity.ListPoliciesInput{OnlyAttached: true, PolicyUsageFilter: "PermissionsBoundary"}).Policies {
			if *p.AttachmentCount != 0 || *p.PermissionsBoundaryUsageCount != 1 {
				t.Errorf("%s: %d, %d", *p.PolicyName, *p.AttachmentCount, *p.PermissionsBoundaryUsageCount)
			}
		}
	})
}

func TestListEntitiesForPolicy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		arn := w.policy(t, "/", "p")
		none := must(t, w.root, w.ListEntitiesForPolicy, &iam.ListEntitiesForPolicyInput{PolicyArn: &arn})
		sameOut(t, none,
			&iam.ListEntitiesForPolicyOutput{PolicyUsers: []types.PolicyUser{}, PolicyGroups: []types.PolicyGroup{},
				PolicyRoles: []types.PolicyRole{}})

		for _, e := range w.entities(t) {
			done(t, e.attach("worker", arn))
		}
		for i := range 3 {
			name, path := fmt.Sprintf("u%d", i), "/x/"
			must(t, w.root, w.CreateUser, &iam.CreateUserInput{UserName: &name, Path: &path, PermissionsBoundary: &arn})
		}
		must(t, w.root, w.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: ptr("u1"), PolicyArn: &arn})
		must(t, w.root, w.PutRolePermissionsBoundary,
			&iam.PutRolePermissionsBoundaryInput{RoleName: ptr("worker"), PermissionsBoundary: &arn})

		list := func(in iam.ListEntitiesForPolicyInput, size int32) string {
			t.Helper()
			in.PolicyArn, in.MaxItems = &arn, &size
			var all []string
			for {
				out := must(t, w.root, w.ListEntitiesForPolicy, &in)
				for _, u := range out.PolicyUsers {
					all = append(all, "user "+*u.UserName+" "+(*u.UserId)[:4])
				}
				for _, g := range out.PolicyGroups {
					all = append(all, "group "+*g.GroupName+" "+(*g.GroupId)[:4])
				}
				for _, r := range out.PolicyRoles {
					all = append(all, "role "+*r.RoleName+" "+(*r.RoleId)[:4])
				}
				if !out.IsTruncated {
					return strings.Join(all, ", ")
				}
				if len(all) > 100 {
					t.Fatal("the pages do not end")
				}
				in.Marker = out.Marker
			}
		}
		const u0, u1, u2 = "user u0 AIDA, ", "user u1 AIDA, ", "user u2 AIDA, "
		const user, group, role = "user Worker AIDA, ", "group Worker AGPA, ", "role Worker AROA, "
		for _, c := range []struct {
			in   iam.ListEntitiesForPolicyInput
			want string
		}{
			{iam.ListEntitiesForPolicyInput{}, u0 + u1 + u2 + user + group + role},
			{iam.ListEntitiesForPolicyInput{PolicyUsageFilter: "PermissionsPolicy"}, u1 + user + group + role},
			{iam.ListEntitiesForPolicyInput{PolicyUsageFilter: "PermissionsBoundary"}, u0 + u1 + u2 + role},
			{iam.ListEntitiesForPolicyInput{EntityFilter: "User", PathPrefix: ptr("/x/")}, u0 + u1 + u2},
			{iam.ListEntitiesForPolicyInput{EntityFilter: "Group"}, group},
			{iam.ListEntitiesForPolicyInput{EntityFilter: "Role"}, role},
			{iam.ListEntitiesForPolicyInput{EntityFilter: "LocalManagedPolicy"}, ""},
			{iam.ListEntitiesForPolicyInput{EntityFilter: "AWSManagedPolicy"}, ""},
		} {
			for _, size := range []int32{1, 2, 4, 100} {
				if got := list(c.in, size); got != strings.TrimSuffix(c.want, ", ") {
					t.Errorf("%+v in pages of %d: %s, want %s", c.in, size, got, c.want)
				}
			}
		}
		nothing := policyARN + "/NonExistentPolicy"
		refused(t, w.root, w.ListEntitiesForPolicy, &iam.ListEntitiesForPolicyInput{PolicyArn: &nothing}, 404,
			"NoSuchEntity", "Policy "+nothing+" does not exist or is not attachable.")
	})
}
