package service_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// policyLists returns the actions with pages of groups and policies.
// fillPolicies fills the account.
func policyLists(account string) map[string]lister {
	ctx, u := context.Background(), ptr("u")
	arn := ptr("arn:aws:iam::" + account + ":policy/p-0")
	return map[string]lister{
		"ListGroups": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListGroups(ctx, &iam.ListGroupsInput{Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return groupNames(out.Groups), out.IsTruncated, out.Marker, nil
		},
		"ListGroups of a path": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListGroups(ctx, &iam.ListGroupsInput{PathPrefix: ptr("/g"), Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return groupNames(out.Groups), out.IsTruncated, out.Marker, nil
		},
		"GetGroup": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.GetGroup(ctx, &iam.GetGroupInput{GroupName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.Users, func(u types.User) *string { return u.UserName }), out.IsTruncated, out.Marker, nil
		},
		"ListGroupsForUser": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return groupNames(out.Groups), out.IsTruncated, out.Marker, nil
		},
		"ListUserPolicies": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return out.PolicyNames, out.IsTruncated, out.Marker, nil
		},
		"ListGroupPolicies": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return out.PolicyNames, out.IsTruncated, out.Marker, nil
		},
		"ListRolePolicies": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return out.PolicyNames, out.IsTruncated, out.Marker, nil
		},
		"ListAttachedUserPolicies": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListAttachedUserPolicies(ctx,
				&iam.ListAttachedUserPoliciesInput{UserName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return attachedARNs(out.AttachedPolicies), out.IsTruncated, out.Marker, nil
		},
		"ListAttachedGroupPolicies": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListAttachedGroupPolicies(ctx,
				&iam.ListAttachedGroupPoliciesInput{GroupName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return attachedARNs(out.AttachedPolicies), out.IsTruncated, out.Marker, nil
		},
		"ListAttachedRolePolicies": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListAttachedRolePolicies(ctx,
				&iam.ListAttachedRolePoliciesInput{RoleName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return attachedARNs(out.AttachedPolicies), out.IsTruncated, out.Marker, nil
		},
		"ListPolicies of the account": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			return policyPage(c, &iam.ListPoliciesInput{Scope: "Local", Marker: m, MaxItems: n})
		},
		"ListPolicies that are attached": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			return policyPage(c, &iam.ListPoliciesInput{OnlyAttached: true, Marker: m, MaxItems: n})
		},
		"ListPolicyVersions": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.Versions, func(v types.PolicyVersion) *string { return v.VersionId }),
				out.IsTruncated, out.Marker, nil
		},
		"ListPolicyTags": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListPolicyTags(ctx, &iam.ListPolicyTagsInput{PolicyArn: arn, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.Tags, func(t types.Tag) *string { return t.Key }), out.IsTruncated, out.Marker, nil
		},
		"ListEntitiesForPolicy": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListEntitiesForPolicy(ctx,
				&iam.ListEntitiesForPolicyInput{PolicyArn: arn, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return entityNames(out), out.IsTruncated, out.Marker, nil
		},
		"GetAccountAuthorizationDetails": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.GetAccountAuthorizationDetails(ctx,
				&iam.GetAccountAuthorizationDetailsInput{Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return detailNames(out), out.IsTruncated, out.Marker, nil
		},
	}
}

func groupNames(groups []types.Group) []string {
	return names(groups, func(g types.Group) *string { return g.GroupName })
}

func attachedARNs(policies []types.AttachedPolicy) []string {
	return names(policies, func(p types.AttachedPolicy) *string { return p.PolicyArn })
}

func policyPage(c clients, in *iam.ListPoliciesInput) ([]string, bool, *string, error) {
	out, err := c.ListPolicies(context.Background(), in)
	if err != nil {
		return nil, false, nil, err
	}
	return names(out.Policies, func(p types.Policy) *string { return p.Arn }), out.IsTruncated, out.Marker, nil
}

func entityNames(out *iam.ListEntitiesForPolicyOutput) []string {
	all := names(out.PolicyUsers, func(u types.PolicyUser) *string { return u.UserId })
	all = append(all, names(out.PolicyGroups, func(g types.PolicyGroup) *string { return g.GroupId })...)
	return append(all, names(out.PolicyRoles, func(r types.PolicyRole) *string { return r.RoleId })...)
}

func detailNames(out *iam.GetAccountAuthorizationDetailsOutput) []string {
	all := names(out.UserDetailList, func(u types.UserDetail) *string { return u.Arn })
	all = append(all, names(out.RoleDetailList, func(r types.RoleDetail) *string { return r.Arn })...)
	all = append(all, names(out.GroupDetailList, func(g types.GroupDetail) *string { return g.Arn })...)
	return append(all, names(out.Policies, func(p types.ManagedPolicyDetail) *string { return p.Arn })...)
}

// fillPolicies creates five things of every kind that policyLists lists, in an
// account with the user u and five more.
func fillPolicies(t testing.TB, root clients) {
	t.Helper()
	u := ptr("u")
	must(t, root.CreateGroup, &iam.CreateGroupInput{GroupName: u})
	must(t, root.CreateRole, &iam.CreateRoleInput{RoleName: u, AssumeRolePolicyDocument: ptr(trustsEC2)})
	for _, member := range must(t, root.ListUsers, &iam.ListUsersInput{}).Users {
		must(t, root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: u, UserName: member.UserName})
	}
	for i := range 5 {
		name := fmt.Sprintf("p-%d", i)
		must(t, root.PutUserPolicy,
			&iam.PutUserPolicyInput{UserName: u, PolicyName: &name, PolicyDocument: ptr(allowsAll)})
		must(t, root.PutGroupPolicy,
			&iam.PutGroupPolicyInput{GroupName: u, PolicyName: &name, PolicyDocument: ptr(allowsAll)})
		must(t, root.PutRolePolicy,
			&iam.PutRolePolicyInput{RoleName: u, PolicyName: &name, PolicyDocument: ptr(allowsAll)})
		arn := must(t, root.CreatePolicy,
			&iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: ptr(allowsAll)}).Policy.Arn
		must(t, root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: u, PolicyArn: arn})
		must(t, root.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: u, PolicyArn: arn})
		must(t, root.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: u, PolicyArn: arn})
		group := fmt.Sprintf("%c-%d", "gH"[i%2], i)
		must(t, root.CreateGroup, &iam.CreateGroupInput{GroupName: &group, Path: ptr("/gs/")})
		must(t, root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: &group, UserName: u})
	}
	must(t, root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: u, PolicyArn: ptr(readOnly)})
	first := must(t, root.ListPolicies, &iam.ListPoliciesInput{Scope: "Local"}).Policies[0].Arn
	for range 4 {
		must(t, root.CreatePolicyVersion,
			&iam.CreatePolicyVersionInput{PolicyArn: first, PolicyDocument: ptr(allowsAll)})
	}
	must(t, root.TagPolicy, &iam.TagPolicyInput{PolicyArn: first, Tags: manyTags(0, 5)})
	for _, group := range must(t, root.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: u}).Groups[:3] {
		if *group.GroupName != "u" {
			must(t, root.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: group.GroupName, PolicyArn: first})
		}
	}
}

// The SDK's own paginators return the same items as one call.
func TestSDKPaginatorsOfPolicies(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	fill(t, w, w.root, account)
	u, two, arn := ptr("u"), ptr(int32(2)), ptr(policyPath+"/p-0")
	check := func(name string, wantPages, wantItems int) func(pages, items int) {
		return func(pages, items int) {
			t.Helper()
			if pages != wantPages || items != wantItems {
				t.Errorf("%s: %d items on %d pages, want %d on %d", name, items, pages, wantItems, wantPages)
			}
		}
	}
	check("ListGroups", 3, 6)(drain(t, iam.NewListGroupsPaginator(w.root, &iam.ListGroupsInput{MaxItems: two}),
		func(o *iam.ListGroupsOutput) int { return len(o.Groups) }))
	check("GetGroup", 3, 6)(drain(t, iam.NewGetGroupPaginator(w.root, &iam.GetGroupInput{GroupName: u, MaxItems: two}),
		func(o *iam.GetGroupOutput) int { return len(o.Users) }))
	check("ListGroupsForUser", 3,
		6)(drain(t, iam.NewListGroupsForUserPaginator(w.root, &iam.ListGroupsForUserInput{UserName: u, MaxItems: two}),
		func(o *iam.ListGroupsForUserOutput) int { return len(o.Groups) }))
	check("ListUserPolicies", 3,
		5)(drain(t, iam.NewListUserPoliciesPaginator(w.root, &iam.ListUserPoliciesInput{UserName: u, MaxItems: two}),
		func(o *iam.ListUserPoliciesOutput) int { return len(o.PolicyNames) }))
	check("ListGroupPolicies", 3,
		5)(drain(t, iam.NewListGroupPoliciesPaginator(w.root, &iam.ListGroupPoliciesInput{GroupName: u, MaxItems: two}),
		func(o *iam.ListGroupPoliciesOutput) int { return len(o.PolicyNames) }))
	check("ListRolePolicies", 3,
		5)(drain(t, iam.NewListRolePoliciesPaginator(w.root, &iam.ListRolePoliciesInput{RoleName: u, MaxItems: two}),
		func(o *iam.ListRolePoliciesOutput) int { return len(o.PolicyNames) }))
	check("ListAttachedUserPolicies", 3,
		6)(drain(t, iam.NewListAttachedUserPoliciesPaginator(w.root,
		&iam.ListAttachedUserPoliciesInput{UserName: u, MaxItems: two}),
		func(o *iam.ListAttachedUserPoliciesOutput) int { return len(o.AttachedPolicies) }))
	check("ListAttachedGroupPolicies", 3,
		5)(drain(t, iam.NewListAttachedGroupPoliciesPaginator(w.root,
		&iam.ListAttachedGroupPoliciesInput{GroupName: u, MaxItems: two}),
		func(o *iam.ListAttachedGroupPoliciesOutput) int { return len(o.AttachedPolicies) }))
	check("ListAttachedRolePolicies", 3,
		5)(drain(t, iam.NewListAttachedRolePoliciesPaginator(w.root,
		&iam.ListAttachedRolePoliciesInput{RoleName: u, MaxItems: two}),
		func(o *iam.ListAttachedRolePoliciesOutput) int { return len(o.AttachedPolicies) }))
	check("ListPolicies", 3,
		6)(drain(t, iam.NewListPoliciesPaginator(w.root, &iam.ListPoliciesInput{OnlyAttached: true, MaxItems: two}),
		func(o *iam.ListPoliciesOutput) int { return len(o.Policies) }))
	check("ListPolicyVersions", 3,
		5)(drain(t, iam.NewListPolicyVersionsPaginator(w.root,
		&iam.ListPolicyVersionsInput{PolicyArn: arn, MaxItems: two}), func(o *iam.ListPolicyVersionsOutput) int {
		return len(o.Versions)
	}))
	check("ListPolicyTags", 3,
		5)(drain(t, iam.NewListPolicyTagsPaginator(w.root, &iam.ListPolicyTagsInput{PolicyArn: arn, MaxItems: two}),
		func(o *iam.ListPolicyTagsOutput) int { return len(o.Tags) }))
	check("ListEntitiesForPolicy", 3,
		6)(drain(t, iam.NewListEntitiesForPolicyPaginator(w.root,
		&iam.ListEntitiesForPolicyInput{PolicyArn: arn, MaxItems: two}),
		func(o *iam.ListEntitiesForPolicyOutput) int { return len(entityNames(o)) }))
	check("GetAccountAuthorizationDetails", 10,
		19)(drain(t, iam.NewGetAccountAuthorizationDetailsPaginator(w.root,
		&iam.GetAccountAuthorizationDetailsInput{MaxItems: two}),
		func(o *iam.GetAccountAuthorizationDetailsOutput) int {
			return len(detailNames(o))
		}))
}
