package identity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const encodedAllowAll = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"

// All that is granted to anybody is there, in the recorded shape.
func TestGetAccountAuthorizationDetails(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		entities := w.entities(t)
		own := w.policy(t, "/", "own")
		for _, e := range entities {
			done(t, e.put("worker", "inline", allowAll))
			done(t, e.attach("worker", administrator))
			done(t, e.attach("worker", own))
		}
		w.join(t, "worker", "worker")
		const auditor = "arn:aws:iam::aws:policy/SecurityAudit"
		bounds := &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: ptr(auditor), PermissionsBoundaryType: "Policy"}
		must(t, w.root, w.PutUserPermissionsBoundary, &iam.PutUserPermissionsBoundaryInput{UserName: ptr("worker"), PermissionsBoundary: ptr(auditor)})
		must(t, w.root, w.PutRolePermissionsBoundary, &iam.PutRolePermissionsBoundaryInput{RoleName: ptr("worker"), PermissionsBoundary: ptr(auditor)})
		tags := []types.Tag{{Key: ptr("k"), Value: ptr("v")}}
		must(t, w.root, w.TagUser, &iam.TagUserInput{UserName: ptr("worker"), Tags: tags})
		must(t, w.root, w.TagRole, &iam.TagRoleInput{RoleName: ptr("worker"), Tags: tags})
		must(t, w.root, w.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: ptr("box")})
		must(t, w.root, w.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: ptr("box"), RoleName: ptr("worker")})
		must(t, w.root, w.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: &own, PolicyDocument: ptr(allowAll)})
		w.user(t, "Zoe")

		out := must(t, w.root, w.GetAccountAuthorizationDetails, &iam.GetAccountAuthorizationDetailsInput{})
		if len(out.UserDetailList) != 2 || len(out.GroupDetailList) != 1 || len(out.RoleDetailList) != 1 || len(out.Policies) != 3 || out.IsTruncated {
			t.Fatalf("%+v", out)
		}
		inline := []types.PolicyDetail{{PolicyName: ptr("inline"), PolicyDocument: ptr(encodedAllowAll)}}
		attached := []types.AttachedPolicy{
			{PolicyName: ptr("AdministratorAccess"), PolicyArn: ptr(administrator)}, {PolicyName: ptr("own"), PolicyArn: &own},
		}
		user, group, role := out.UserDetailList[0], out.GroupDetailList[0], out.RoleDetailList[0]
		sameOut(t, user, types.UserDetail{
			UserName: ptr("Worker"), UserId: user.UserId, Arn: ptr("arn:aws:iam::" + account + ":user/Worker"), Path: ptr("/"), CreateDate: ptr(began),
			AttachedManagedPolicies: attached, UserPolicyList: inline, GroupList: []string{"Worker"}, PermissionsBoundary: bounds, Tags: tags,
		})
		zoe := out.UserDetailList[1]
		sameOut(t, zoe, types.UserDetail{
			UserName: ptr("Zoe"), UserId: zoe.UserId, Arn: ptr("arn:aws:iam::" + account + ":user/Zoe"), Path: ptr("/"), CreateDate: ptr(began),
			AttachedManagedPolicies: []types.AttachedPolicy{}, GroupList: []string{}, Tags: []types.Tag{},
		})
		sameOut(t, group, types.GroupDetail{
			GroupName: ptr("Worker"), GroupId: group.GroupId, Arn: ptr("arn:aws:iam::" + account + ":group/Worker"), Path: ptr("/"), CreateDate: ptr(began),
			AttachedManagedPolicies: attached, GroupPolicyList: inline,
		})
		shown := must(t, w.root, w.GetRole, &iam.GetRoleInput{RoleName: ptr("worker")}).Role
		profiles := must(t, w.root, w.ListInstanceProfilesForRole, &iam.ListInstanceProfilesForRoleInput{RoleName: ptr("worker")}).InstanceProfiles
		sameOut(t, role, types.RoleDetail{
			RoleName: ptr("Worker"), RoleId: shown.RoleId, Arn: shown.Arn, Path: ptr("/"), CreateDate: ptr(began), AssumeRolePolicyDocument: shown.AssumeRolePolicyDocument,
			AttachedManagedPolicies: attached, RolePolicyList: inline, InstanceProfileList: profiles, PermissionsBoundary: bounds,
			RoleLastUsed: &types.RoleLastUsed{}, Tags: tags,
		})
		if len(profiles) != 1 || len(profiles[0].Roles) != 1 {
			t.Errorf("profiles %+v", profiles)
		}
		sameOut(t, out.Policies[0], types.ManagedPolicyDetail{
			PolicyName: ptr("own"), PolicyId: out.Policies[0].PolicyId, Arn: &own, Path: ptr("/"), DefaultVersionId: ptr("v1"), IsAttachable: true,
			AttachmentCount: ptr(int32(3)), PermissionsBoundaryUsageCount: ptr(int32(0)), CreateDate: ptr(began), UpdateDate: ptr(began),
			PolicyVersionList: []types.PolicyVersion{
				{VersionId: ptr("v2"), CreateDate: ptr(began), Document: ptr(encodedAllowAll)},
				{VersionId: ptr("v1"), IsDefaultVersion: true, CreateDate: ptr(began), Document: ptr(encodedAllowAll)},
			},
		})
		// Of AWS's policies those that are attached, or somebody's boundary.
		if *out.Policies[1].PolicyName != "AdministratorAccess" || *out.Policies[2].PolicyName != "SecurityAudit" || len(out.Policies[2].PolicyVersionList) != 1 {
			t.Errorf("%+v", out.Policies[1:])
		}
	})
}

// Pages go through all kinds, whatever their size; filters leave some out.
func TestAuthorizationDetailsPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 3 {
			name := fmt.Sprintf("n%d", i)
			w.user(t, name)
			w.group(t, name)
			w.newRole(t, name)
			w.policy(t, "/", name)
			must(t, w.root, w.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: &name, PolicyArn: ptr([]string{
				administrator, "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/PowerUserAccess"}[i])})
		}
		list := func(size int32, filter ...types.EntityType) string {
			t.Helper()
			in := iam.GetAccountAuthorizationDetailsInput{MaxItems: &size, Filter: filter}
			var all []string
			for {
				out := must(t, w.root, w.GetAccountAuthorizationDetails, &in)
				n := len(all)
				for _, p := range out.Policies {
					all = append(all, "p"+*p.PolicyName)
				}
				for _, u := range out.UserDetailList {
					all = append(all, "u"+*u.UserName)
				}
				for _, r := range out.RoleDetailList {
					all = append(all, "r"+*r.RoleName)
				}
				for _, g := range out.GroupDetailList {
					all = append(all, "g"+*g.GroupName)
				}
				if out.IsTruncated != (out.Marker != nil) || out.IsTruncated && len(all)-n != int(size) || len(all)-n > int(size) {
					t.Errorf("a page of %d has %d, truncated %t", size, len(all)-n, out.IsTruncated)
				}
				if in.Marker = out.Marker; in.Marker == nil {
					return strings.Join(all, " ")
				}
				if len(all) > 100 {
					t.Fatal("the pages do not end")
				}
			}
		}
		const users, groups, roles, own, aws = "un0 un1 un2", "gn0 gn1 gn2", "rn0 rn1 rn2", "pn0 pn1 pn2", "pAdministratorAccess pPowerUserAccess pReadOnlyAccess"
		for _, c := range []struct {
			filter []types.EntityType
			want   string
		}{
			{nil, own + " " + aws + " " + users + " " + roles + " " + groups},
			{[]types.EntityType{"User"}, users},
			{[]types.EntityType{"Group"}, groups},
			{[]types.EntityType{"Role"}, roles},
			{[]types.EntityType{"LocalManagedPolicy"}, own},
			{[]types.EntityType{"AWSManagedPolicy"}, aws},
			{[]types.EntityType{"AWSManagedPolicy", "Group", "Group"}, aws + " " + groups},
		} {
			for _, size := range []int32{1, 2, 3, 5, 1000} {
				if got := list(size, c.filter...); got != c.want {
					t.Errorf("%q in pages of %d: %s, want %s", c.filter, size, got, c.want)
				}
			}
		}
		const text = "Marker and Filter do not match"
		in := iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{"User"}, Marker: ptr("not-a-marker")}
		refused(t, w.root, w.GetAccountAuthorizationDetails, &in, 400, "ValidationError", text)
		in.Marker, in.MaxItems = nil, ptr[int32](1)
		in.Marker = must(t, w.root, w.GetAccountAuthorizationDetails, &in).Marker
		in.Filter = append(in.Filter, "Role")
		refused(t, w.root, w.GetAccountAuthorizationDetails, &in, 400, "ValidationError", text)
	})
}
