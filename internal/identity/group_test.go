package identity_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

// group creates a group.
func (w *world) group(t testing.TB, name string) {
	t.Helper()
	must(t, w.root, w.CreateGroup, &iam.CreateGroupInput{GroupName: &name})
}

// join makes a user a member of a group.
func (w *world) join(t testing.TB, user, group string) {
	t.Helper()
	must(t, w.root, w.AddUserToGroup, &iam.AddUserToGroupInput{UserName: &user, GroupName: &group})
}

// sameOut compares an answer with the expected one.
func sameOut[T any](t testing.TB, got, want T) {
	t.Helper()
	metadata := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ResultMetadata" }, cmp.Ignore())
	if diff := cmp.Diff(want, got, ignoreSDK, metadata); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestGroup(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		g := must(t, w.root, w.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("Devs"), Path: ptr("/teams/")}).Group
		if !strings.HasPrefix(*g.GroupId, "AGPA") || len(*g.GroupId) != 21 {
			t.Errorf("id %s", *g.GroupId)
		}
		want := types.Group{GroupName: ptr("Devs"), Path: ptr("/teams/"), GroupId: g.GroupId, CreateDate: ptr(began),
			Arn: ptr("arn:aws:iam::123456789012:group/teams/Devs")}
		sameOut(t, *g, want)
		refused(t, w.root, w.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("DEVS")}, 409, "EntityAlreadyExists",
			"Group with name DEVS already exists.")
		got := must(t, w.root, w.GetGroup, &iam.GetGroupInput{GroupName: ptr("dEVS")})
		sameOut(t, got, &iam.GetGroupOutput{Group: &want, Users: []types.User{}})

		w.group(t, "admins")
		w.group(t, "Zoo")
		groups := must(t, w.root, w.ListGroups, &iam.ListGroupsInput{}).Groups
		if len(groups) != 3 || *groups[0].GroupName != "admins" || *groups[1].GroupName != "Devs" ||
			*groups[2].GroupName != "Zoo" {
			t.Errorf("%+v", groups)
		}
		sameOut(t, must(t, w.root, w.ListGroups, &iam.ListGroupsInput{PathPrefix: ptr("/te")}),
			&iam.ListGroupsOutput{Groups: []types.Group{want}})
		sameOut(t, must(t, w.root, w.ListGroups, &iam.ListGroupsInput{PathPrefix: ptr("/x/")}),
			&iam.ListGroupsOutput{Groups: []types.Group{}})

		must(t, w.root, w.DeleteGroup, &iam.DeleteGroupInput{GroupName: ptr("devs")})
		const gone = "The group with name devs cannot be found."
		refused(t, w.root, w.GetGroup, &iam.GetGroupInput{GroupName: ptr("devs")}, 404, "NoSuchEntity", gone)
		refused(t, w.root, w.DeleteGroup, &iam.DeleteGroupInput{GroupName: ptr("devs")}, 404, "NoSuchEntity", gone)
	})
}

func TestUpdateGroup(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		g := must(t, w.root, w.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("devs")}).Group
		w.group(t, "ops")
		w.user(t, "alice")
		w.join(t, "alice", "devs")
		must(t, w.root, w.PutGroupPolicy,
			&iam.PutGroupPolicyInput{GroupName: ptr("devs"), PolicyName: ptr("p"), PolicyDocument: ptr(allowAll)})
		must(t, w.root, w.AttachGroupPolicy,
			&iam.AttachGroupPolicyInput{GroupName: ptr("devs"), PolicyArn: ptr(administrator)})

		refused(t, w.root, w.UpdateGroup, &iam.UpdateGroupInput{GroupName: ptr("devs"), NewGroupName: ptr("OPS")}, 409,
			"EntityAlreadyExists", "Group with name OPS already exists.")
		refused(t, w.root, w.UpdateGroup, &iam.UpdateGroupInput{GroupName: ptr("nonexisting"), NewGroupName: ptr("x")},
			404, "NoSuchEntity", "The group with name nonexisting cannot be found.")
		must(t, w.root, w.UpdateGroup, &iam.UpdateGroupInput{GroupName: ptr("devs"), NewGroupName: ptr("DEVS")})
		must(t, w.root, w.UpdateGroup,
			&iam.UpdateGroupInput{GroupName: ptr("devs"), NewGroupName: ptr("makers"), NewPath: ptr("/m/")})
		must(t, w.root, w.UpdateGroup, &iam.UpdateGroupInput{GroupName: ptr("makers")})

		got := must(t, w.root, w.GetGroup, &iam.GetGroupInput{GroupName: ptr("makers")})
		if *got.Group.GroupId != *g.GroupId || *got.Group.Arn != "arn:aws:iam::123456789012:group/m/makers" ||
			len(got.Users) != 1 {
			t.Errorf("%+v", got)
		}
		if names := must(t, w.root, w.ListGroupPolicies,
			&iam.ListGroupPoliciesInput{GroupName: ptr("makers")}).PolicyNames; len(names) != 1 {
			t.Errorf("inline policies %q", names)
		}
		if attached := must(t, w.root, w.ListAttachedGroupPolicies,
			&iam.ListAttachedGroupPoliciesInput{GroupName: ptr("makers")}).AttachedPolicies; len(attached) != 1 {
			t.Errorf("attached %+v", attached)
		}
		refused(t, w.root, w.GetGroup, &iam.GetGroupInput{GroupName: ptr("devs")}, 404, "NoSuchEntity",
			"The group with name devs cannot be found.")
	})
}

func TestDeleteGroupConflicts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group(t, "devs")
		w.user(t, "alice")
		w.join(t, "alice", "devs")
		must(t, w.root, w.PutGroupPolicy,
			&iam.PutGroupPolicyInput{GroupName: ptr("devs"), PolicyName: ptr("p"), PolicyDocument: ptr(allowAll)})
		must(t, w.root, w.AttachGroupPolicy,
			&iam.AttachGroupPolicyInput{GroupName: ptr("devs"), PolicyArn: ptr(administrator)})
		conflict := func(text string) {
			t.Helper()
			refused(t, w.root, w.DeleteGroup, &iam.DeleteGroupInput{GroupName: ptr("devs")}, 409, "DeleteConflict",
				"Cannot delete entity, "+text)
		}
		conflict("must remove users from group first.")
		must(t, w.root, w.RemoveUserFromGroup,
			&iam.RemoveUserFromGroupInput{GroupName: ptr("devs"), UserName: ptr("alice")})
		conflict("must detach all policies first.")
		must(t, w.root, w.DetachGroupPolicy,
			&iam.DetachGroupPolicyInput{GroupName: ptr("devs"), PolicyArn: ptr(administrator)})
		conflict("must delete policies first.")
		must(t, w.root, w.DeleteGroupPolicy, &iam.DeleteGroupPolicyInput{GroupName: ptr("devs"), PolicyName: ptr("p")})
		must(t, w.root, w.DeleteGroup, &iam.DeleteGroupInput{GroupName: ptr("devs")})
	})
}

func TestGroupMembers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, name := range []string{"bob", "Alice", "carol"} {
			w.user(t, name)
		}
		w.group(t, "Devs")
		w.group(t, "admins")
		w.join(t, "bob", "devs")
		w.join(t, "ALICE", "DEVS")
		w.join(t, "alice", "devs") // already a member
		w.join(t, "alice", "admins")

		users := must(t, w.root, w.GetGroup, &iam.GetGroupInput{GroupName: ptr("devs")}).Users
		if len(users) != 2 || *users[0].UserName != "Alice" || *users[1].UserName != "bob" ||
			users[0].PermissionsBoundary != nil {
			t.Errorf("%+v", users)
		}
		groups := must(t, w.root, w.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: ptr("alice")}).Groups
		if len(groups) != 2 || *groups[0].GroupName != "admins" || *groups[1].GroupName != "Devs" {
			t.Errorf("%+v", groups)
		}
		sameOut(t, must(t, w.root, w.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: ptr("carol")}),
			&iam.ListGroupsForUserOutput{Groups: []types.Group{}})

		add := func(user, group, text string) {
			t.Helper()
			refused(t, w.root, w.AddUserToGroup, &iam.AddUserToGroupInput{UserName: &user, GroupName: &group},
				404, "NoSuchEntity", text)
			refused(t, w.root, w.RemoveUserFromGroup, &iam.RemoveUserFromGroupInput{UserName: &user, GroupName: &group},
				404, "NoSuchEntity", text)
		}
		add("nobody", "devs", "The user with name nobody cannot be found.")
		add("alice", "nothing", "The group with name nothing cannot be found.")
		add("nobody", "nothing", "The user with name nobody cannot be found.")
		refused(t, w.root, w.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: ptr("nobody")}, 404,
			"NoSuchEntity", "The user with name nobody cannot be found.")

		// Membership follows a renamed user. It ends with RemoveUserFromGroup.
		must(t, w.root, w.UpdateUser, &iam.UpdateUserInput{UserName: ptr("alice"), NewUserName: ptr("Zoe")})
		must(t, w.root, w.RemoveUserFromGroup,
			&iam.RemoveUserFromGroupInput{GroupName: ptr("devs"), UserName: ptr("bob")})
		must(t, w.root, w.RemoveUserFromGroup,
			&iam.RemoveUserFromGroupInput{GroupName: ptr("devs"), UserName: ptr("carol")})
		users = must(t, w.root, w.GetGroup, &iam.GetGroupInput{GroupName: ptr("devs")}).Users
		if len(users) != 1 || *users[0].UserName != "Zoe" {
			t.Errorf("%+v", users)
		}
	})
}

func TestGroupQuotas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.SetLimits(t.Context(), account,
			map[string]int{"GroupsPerAccount": 2, "GroupsPerUser": 1}); err != nil {
			t.Fatal(err)
		}
		w.user(t, "alice")
		w.group(t, "a")
		w.group(t, "b")
		refused(t, w.root, w.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("c")}, 409, "LimitExceeded",
			"Cannot exceed quota for GroupsPerAccount: 2")
		w.join(t, "alice", "a")
		w.join(t, "alice", "a")
		refused(t, w.root, w.AddUserToGroup, &iam.AddUserToGroupInput{UserName: ptr("alice"), GroupName: ptr("b")}, 409,
			"LimitExceeded", "Cannot exceed quota for GroupsPerUser: 1")
		if users := must(t, w.root, w.GetGroup, &iam.GetGroupInput{GroupName: ptr("b")}).Users; len(users) != 0 {
			t.Errorf("a member beyond the quota: %+v", users)
		}
	})
}
