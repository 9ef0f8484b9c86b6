package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// groupActions returns the actions on groups and their members.
func (s *Service) groupActions() []api.Action {
	group, user := groupKind.on(s), userKind.on(s)
	return []api.Action{
		api.Bind(s.CreateGroup, api.Changes, api.On(group.New("Path", "GroupName"))),
		api.Bind(s.GetGroup, api.Reads, api.On(group.Named("GroupName"))),
		api.Bind(s.ListGroups, api.Reads, api.On(group.Below("PathPrefix"))),
		api.Bind(s.UpdateGroup, api.Changes, api.On(group.Renamed("GroupName", "NewPath", "NewGroupName"))),
		api.Bind(s.DeleteGroup, api.Changes, api.On(group.Named("GroupName"))),
		api.Bind(s.AddUserToGroup, api.Changes, api.On(group.Named("GroupName")), api.Within(groupsPerUser)),
		api.Bind(s.RemoveUserFromGroup, api.Changes, api.On(group.Named("GroupName"))),
		api.Bind(s.ListGroupsForUser, api.Reads, api.On(user.Named("UserName"))),
	}
}

func groupARN(c principal.Caller, g store.Group) string {
	return api.IAMARN(c, "group", g.Path+g.Name)
}

// group reads the group that an action names.
func group(tx *store.Tx, account, name string) (store.Group, error) {
	g, err := tx.Group(account, fold(name))
	if errors.Is(err, store.ErrNotFound) {
		err = fail("NoSuchEntity", "The group with name %s cannot be found.", name) // recorded
	}
	return g, err
}

func groupOut(c principal.Caller, g store.Group) types.Group {
	return types.Group{Arn: ptr(groupARN(c, g)), GroupName: &g.Name, GroupId: &g.ID, Path: &g.Path,
		CreateDate: when(g.Created)}
}

func groupsOut(c principal.Caller, groups []store.Group) []types.Group {
	out := make([]types.Group, len(groups))
	for i, g := range groups {
		out[i] = groupOut(c, g)
	}
	return out
}

// CreateGroup adds a group. Names are unique without regard to case and keep
// their spelling.
func (s *Service) CreateGroup(ctx context.Context, in *iam.CreateGroupInput) (*iam.CreateGroupOutput, error) {
	c := principal.Of(ctx)
	g := store.Group{
		Account: c.Account(), NameKey: fold(*in.GroupName), Name: *in.GroupName,
		Path: pathOrRoot(in.Path), ID: seal.NewID("AGPA", 21),
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		g.Created = tx.Now
		if err := tx.InsertGroup(g); err != nil {
			if errors.Is(err, store.ErrExists) {
				return errGroupExists(g.Name)
			}
			return err
		}
		n, err := tx.CountGroups(g.Account)
		if err != nil {
			return err
		}
		return checkQuota(tx, g.Account, groupsPerAccount, n)
	})
	if err != nil {
		return nil, err
	}
	out := groupOut(c, g)
	return &iam.CreateGroupOutput{Group: &out}, nil
}

// errGroupExists is recorded for CreateGroup and UpdateGroup.
func errGroupExists(name string) error {
	return fail("EntityAlreadyExists", "Group with name %s already exists.", name)
}

// GetGroup reads a group and its members in order of their names.
func (s *Service) GetGroup(ctx context.Context, in *iam.GetGroupInput) (*iam.GetGroupOutput, error) {
	c := principal.Of(ctx)
	p, err := s.page(c, "GetGroup", fold(*in.GroupName), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var g store.Group
	var users []store.User
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if g, err = group(tx, c.Account(), *in.GroupName); err != nil {
			return err
		}
		users, err = tx.GroupMembers(g.Account, g.NameKey, p.after, p.limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.GetGroupOutput{Group: ptr(groupOut(c, g))}
	users, out.IsTruncated, out.Marker = cut(p, users, func(u store.User) string { return u.NameKey })
	out.Users = make([]types.User, len(users))
	for i, u := range users {
		out.Users[i] = userOut(c, u)
	}
	return out, nil
}

// ListGroups lists groups in order of their names, without regard to case.
// PathPrefix is a plain prefix, as it is for users.
func (s *Service) ListGroups(ctx context.Context, in *iam.ListGroupsInput) (*iam.ListGroupsOutput, error) {
	c := principal.Of(ctx)
	prefix := pathOrRoot(in.PathPrefix)
	p, err := s.page(c, "ListGroups", prefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var groups []store.Group
	err = s.db.View(ctx, func(tx *store.Tx) error {
		groups, err = tx.Groups(c.Account(), p.after, prefix, p.limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListGroupsOutput{}
	groups, out.IsTruncated, out.Marker = cut(p, groups, func(g store.Group) string { return g.NameKey })
	out.Groups = groupsOut(c, groups)
	return out, nil
}

// UpdateGroup gives a group another name or path. Its id, its members and its
// policies do not change.
func (s *Service) UpdateGroup(ctx context.Context, in *iam.UpdateGroupInput) (*iam.UpdateGroupOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		g, err := group(tx, c.Account(), *in.GroupName)
		if err != nil {
			return err
		}
		was := g.NameKey
		rename(&g, in)
		if g.NameKey != was {
			// Check first, as for users: the engines differ in what a failed
			// rename leaves in a transaction.
			if _, err := tx.Group(c.Account(), g.NameKey); !errors.Is(err, store.ErrNotFound) {
				if err != nil {
					return err
				}
				return errGroupExists(g.Name)
			}
		}
		return tx.RenameGroup(c.Account(), was, g)
	})
	return &iam.UpdateGroupOutput{}, err
}

// rename sets the name and the path that a request gives to a group.
func rename(g *store.Group, in *iam.UpdateGroupInput) {
	if in.NewGroupName != nil {
		g.Name, g.NameKey = *in.NewGroupName, fold(*in.NewGroupName)
	}
	if in.NewPath != nil {
		g.Path = *in.NewPath
	}
}

// DeleteGroup deletes a group that has no member and no policy. The texts are
// recorded for DeleteUser. Their order is a guess.
func (s *Service) DeleteGroup(ctx context.Context, in *iam.DeleteGroupInput) (*iam.DeleteGroupOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		g, err := group(tx, c.Account(), *in.GroupName)
		if err != nil {
			return err
		}
		left, err := tx.GroupReferences(g.Account, g.NameKey)
		switch {
		case err != nil:
			return err
		case left.Members > 0:
			return errStillHas("must remove users from group first.")
		case left.Attachments > 0:
			return errStillHas("must detach all policies first.")
		case left.Policies > 0:
			return errStillHas("must delete policies first.")
		}
		return tx.DeleteGroup(g.Account, g.NameKey)
	})
	return &iam.DeleteGroupOutput{}, err
}
