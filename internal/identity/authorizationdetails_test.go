package identity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const encodedAllowAll = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C" +
	"%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"

// The answer contains all policies of all entities, in the recorded form.
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
		bounds := &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: ptr(auditor),
			PermissionsBoundaryType: "Policy"}
		must(t, w.root, w.PutUserPermissionsBoundary,
			&iam.PutUserPermissionsBoundaryInput{UserName: ptr("worker"), PermissionsBoundary: ptr(auditor)})
		must(t, w.root, w.PutRolePermissionsBoundary,
			&iam.PutRolePermissionsBoundaryInput{RoleName: ptr("worker"), PermissionsBoundary: ptr(auditor)})
		tags := []types.Tag{{Key: ptr("k"), Value: ptr("v")}}
		must(t, w.root, w.TagUser, &iam.TagUserInput{UserName: ptr("worker"), Tags: tags})
		must(t, w.root, w.TagRole, &iam.TagRoleInput{RoleName: ptr("worker"), Tags: tags})
		must(t, w.root, w.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: ptr("box")})
		must(t, w.root, w.AddRoleToInstanceProfile,
			&iam.AddRoleToInstanceProfileInput{InstanceProfileName: ptr("box"), RoleName: ptr("worker")})
		must(t, w.root, w.CreatePolicyVersion,
			&iam.CreatePolicyVersionInput{PolicyArn: &own, PolicyDocument: ptr(allowAll)})
		w.user(t, "Zoe")

		out := must(t, w.root, w.GetAccountAuthorizationDetails, &iam.GetAccountAuthorizationDetailsInput{})
		if len(out.UserDetailList) != 2 || len(out.GroupDetailList) != 1 || len(out.RoleDetailList) != 1 ||
			len(out.Policies) != 3 || out.IsTruncated {
			t.Fatalf("%+v", out)
		}
		inline := []types.PolicyDetail{{PolicyName: ptr("inline"), PolicyDocument: ptr(encodedAllowAll)}}
		attached := []types.AttachedPolicy{
			{PolicyName: ptr("AdministratorAccess"), PolicyArn: ptr(administrator)},
			{PolicyName: ptr("own"), PolicyArn: &own},
		}
		user, group, role := out.UserDetailList[0], out.GroupDetailList[0], out.RoleDetailList[0]
		sameOut(t, user, types.UserDetail{
			UserName: ptr("Worker"), UserId: user.UserId, Arn: ptr("arn:aws:iam::" + account + ":user/Worker"),
			Path: ptr("/"), CreateDate: ptr(began),
			AttachedManagedPolicies: attached, UserPolicyList: inline, GroupList: []string{"Worker"},
			PermissionsBoundary: bounds, Tags: tags,
		})
		zoe := out.UserDetailList[1]
		sameOut(t, zoe, types.UserDetail{
			UserName: ptr("Zoe"), UserId: zoe.UserId, Arn: ptr("arn:aws:iam::" + account + ":user/Zoe"),
			Path: ptr("/"), CreateDate: ptr(began),
			AttachedManagedPolicies: []types.AttachedPolicy{}, GroupList: []string{}, Tags: []types.Tag{},
		})
		sameOut(t, group, types.GroupDetail{
			GroupName: ptr("Worker"), GroupId: group.GroupId, Arn: ptr("arn:aws:iam::" + account + ":group/Worker"),
			Path: ptr("/"), CreateDate: ptr(began),
			AttachedManagedPolicies: attached, GroupPolicyList: inline,
		})
		shown := must(t, w.root, w.GetRole, &iam.GetRoleInput{RoleName: ptr("worker")}).Role
		profiles := must(t, w.root, w.ListInstanceProfilesForRole,
			&iam.ListInstanceProfilesForRoleInput{RoleName: ptr("worker")}).InstanceProfiles
		sameOut(t, role, types.RoleDetail{
			RoleName: ptr("Worker"), RoleId: shown.RoleId, Arn: shown.Arn, Path: ptr("/"), CreateDate: ptr(began),
			AssumeRolePolicyDocument: shown.AssumeRolePolicyDocument,
			AttachedManagedPolicies:  attached, RolePolicyList: inline, InstanceProfileList: profiles,
			PermissionsBoundary: bounds,
			RoleLastUsed:        &types.RoleLastUsed{}, Tags: tags,
		})
		if len(profiles) != 1 || len(profiles[0].Roles) != 1 {
			t.Errorf("profiles %+v", profiles)
		}
		sameOut(t, out.Policies[0], types.ManagedPolicyDetail{
			PolicyName: ptr("own"), PolicyId: out.Policies[0].PolicyId, Arn: &own, Path: ptr("/"),
			DefaultVersionId: ptr("v1"), IsAttachable: true,
			AttachmentCount: ptr(int32(3)), PermissionsBoundaryUsageCount: ptr(int32(0)),
			CreateDate: ptr(began), UpdateDate: ptr(began),
			PolicyVersionList: []types.PolicyVersion{
				{VersionId: ptr("v2"), CreateDate: ptr(began), Document: ptr(encodedAllowAll)},
				{VersionId: ptr("v1"), IsDefaultVersion: true, CreateDate: ptr(began), Document: ptr(encodedAllowAll)},
			},
		})
		// Only those of AWS's policies are listed that are attached or used as
		// a boundary.
		if *out.Policies[1].PolicyName != "AdministratorAccess" || *out.Policies[2].PolicyName != "SecurityAudit" ||
			len(out.Policies[2].PolicyVersionList) != 1 {
			t.Errorf("%+v", out.Policies[1:])
		}
	})
}

// Pages continue through all kinds, whatever their size. Filters exclude kinds.
func TestAuthorizationDetailsPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 3 {
			name := fmt.Sprintf("n%d", i)
			w.user(t, name)
			w.group(t, name)
			w.newRole(t, name)
			w.policy(t, "/", name)
			must(t, w.root, w.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: &name, PolicyArn: ptr([]string{
				administrator, "arn:aws:iam::aws:policy/ReadOnlyAccess",
				"arn:aws:iam::aws:policy/PowerUserAccess"}[i])})
		}
		list := func(size int32, filter ...types.EntityType) string {
			t.Helper()
			in := iam.GetAccountAuthorizationDetailsInput{MaxItems: &size, Filter: filter}
			var all []string
			for {
				out := must(t, w.root, w.GetAccountAuthorizationDetails, &in)
				n := len(all)
				for _, u := range out.UserDetailList {
					all = append(all, "u"+*u.UserName)
				}
				for _, r := range out.RoleDetailList {
					all = append(all, "r"+*r.RoleName)
				}
				for _, g := range out.GroupDetailList {
					all = append(all, "g"+*g.GroupName)
				}
				for _, p := range out.Policies {
					all = append(all, "p"+*p.PolicyName)
				}
				if out.IsTruncated != (out.Marker != nil) || out.IsTruncated &&
					len(all)-n != int(size) || len(all)-n > int(size) {
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
		const users, groups, roles, own, aws = "un0 un1 un2", "gn0 gn1 gn2", "rn0 rn1 rn2", "pn0 pn1 pn2",
			"pAdministratorAccess pPowerUserAccess pReadOnlyAccess"
		for _, c := range []struct {
			filter []types.EntityType
			want   string
		}{
			{nil, users + " " + roles + " " + groups + " " + own + " " + aws},
			{[]types.EntityType{"User"}, users},
			{[]types.EntityType{"Group"}, groups},
			{[]types.EntityType{"Role"}, roles},
			{[]types.EntityType{"LocalManagedPolicy"}, own},
			{[]types.EntityType{"AWSManagedPolicy"}, aws},
			{[]types.EntityType{"AWSManagedPolicy", "Group", "Group"}, groups + " " + aws},
			{[]types.EntityType{"LocalManagedPolicy", "Role"}, roles + " " + own},
		} {
			for _, size := range []int32{1, 2, 3, 5, 1000} {
				if got := list(size, c.filter...); got != c.want {
					t.Errorf("%q in pages of %d: %s, want %s", c.filter, size, got, c.want)
				}
			}
		}
	})
}

// A marker is valid for the kinds it was created for, in any order. The text of
// the error depends on the kind at which the marker continues (recorded).
func TestAuthorizationDetailsMarkers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 3 {
			w.user(t, fmt.Sprintf("n%d", i))
			w.group(t, fmt.Sprintf("n%d", i))
		}
		all := types.EntityType("").Values()
		marker := func(size int32, filter ...types.EntityType) *string {
			return must(t, w.root, w.GetAccountAuthorizationDetails,
				&iam.GetAccountAuthorizationDetailsInput{Filter: filter, MaxItems: &size}).Marker
		}
		const noMatch, invalid = "Marker and Filter do not match", "Invalid Marker."
		for name, c := range map[string]struct {
			marker *string
			filter []types.EntityType
			text   string
		}{
			"none":                {ptr("not-a-marker"), []types.EntityType{"User"}, noMatch},
			"none, all kinds":     {ptr("not-a-marker"), nil, noMatch},
			"another order":       {marker(1, "Group", "User"), []types.EntityType{"User", "Group", "User"}, ""},
			"all kinds by name":   {marker(1), all, ""},
			"all kinds unnamed":   {marker(1, all...), nil, ""},
			"its kind left out":   {marker(1, "Group", "User"), []types.EntityType{"Group"}, noMatch},
			"at groups, no group": {marker(4, "Group", "User"), []types.EntityType{"User"}, noMatch},
			"at groups, no user":  {marker(4, "Group", "User"), []types.EntityType{"Group"}, invalid},
			"more kinds":          {marker(1, "User"), []types.EntityType{"User", "Role"}, invalid},
			"no filter":           {marker(1, "Group", "User"), nil, invalid},
			"some of all":         {marker(1), all[:4], invalid},
		} {
			t.Run(name, func(t *testing.T) {
				in := &iam.GetAccountAuthorizationDetailsInput{Filter: c.filter,
					Marker: c.marker, MaxItems: ptr[int32](1)}
				if c.text != "" {
					refused(t, w.root, w.GetAccountAuthorizationDetails, in, 400, "ValidationError", c.text)
				} else if out := must(t, w.root, w.GetAccountAuthorizationDetails, in); len(out.UserDetailList) != 1 ||
					*out.UserDetailList[0].UserName != "n1" {
					t.Errorf("%+v", out)
				}
			})
		}
	})
}
