package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// AddUserToGroup adds a user to a group. If the user is a member already,
// nothing changes (recorded).
func (s *Service) AddUserToGroup(ctx context.Context, in *iam.AddUserToGroupInput) (*iam.AddUserToGroupOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, g, err := memberAndGroup(tx, c.Account(), *in.UserName, *in.GroupName)
		if err != nil {
			return err
		}
		if err := tx.InsertGroupMember(g.Account, g.NameKey, u.NameKey); err != nil {
			if errors.Is(err, store.ErrExists) {
				return nil
			}
			return err
		}
		n, err := tx.CountGroupsOfUser(u.Account, u.NameKey)
		if err != nil {
			return err
		}
		return checkQuota(tx, u.Account, groupsPerUser, n)
	})
	return &iam.AddUserToGroupOutput{}, err
}

// memberAndGroup reads a user and a group, the user first. The order is
// recorded for RemoveUserFromGroup.
func memberAndGroup(tx *store.Tx, account, userName, groupName string) (store.User, store.Group, error) {
	u, err := user(tx, account, userName)
	if err != nil {
		return u, store.Group{}, err
	}
	g, err := group(tx, account, groupName)
	return u, g, err
}

// RemoveUserFromGroup removes a user from a group. It is a guess that a user who
// is not a member can be removed without an error.
func (s *Service) RemoveUserFromGroup(
	ctx context.Context, in *iam.RemoveUserFromGroupInput,
) (*iam.RemoveUserFromGroupOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, g, err := memberAndGroup(tx, c.Account(), *in.UserName, *in.GroupName)
		if err != nil {
			return err
		}
		err = tx.DeleteGroupMember(g.Account, g.NameKey, u.NameKey)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return &iam.RemoveUserFromGroupOutput{}, err
}

// ListGroupsForUser lists the groups of a user in order of their names.
func (s *Service) ListGroupsForUser(
	ctx context.Context, in *iam.ListGroupsForUserInput,
) (*iam.ListGroupsForUserOutput, error) {
	c := principal.Of(ctx)
	p, err := s.page(c, "ListGroupsForUser", fold(*in.UserName), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var groups []store.Group
	err = s.db.View(ctx, func(tx *store.Tx) error {
		u, err := user(tx, c.Account(), *in.UserName)
		if err != nil {
			return err
		}
		groups, err = tx.GroupsOfUser(u.Account, u.NameKey, p.after, p.limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListGroupsForUserOutput{}
	groups, out.IsTruncated, out.Marker = cut(p, groups, func(g store.Group) string { return g.NameKey })
	out.Groups = groupsOut(c, groups)
	return out, nil
}
