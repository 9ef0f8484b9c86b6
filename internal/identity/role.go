package identity

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// roleActions returns the actions on roles, service-linked roles and instance
// profiles.
func (s *Service) roleActions() []api.Action {
	role := roleKind.on(s)
	return slices.Concat(s.instanceProfileActions(), s.serviceLinkedRoleActions(), []api.Action{
		api.Bind(s.CreateRole, api.Changes, api.On(role.New("Path", "RoleName"), boundary), api.Tagging("iam:TagRole"),
			api.Within(trustPolicySize)),
		api.Bind(s.GetRole, api.Reads, api.On(role.Named("RoleName"))),
		api.Bind(s.ListRoles, api.Reads, api.On(role.Below("PathPrefix"))),
		api.Bind(s.UpdateRole, api.Changes, api.On(role.Named("RoleName"))),
		api.Bind(s.UpdateRoleDescription, api.Changes, api.On(role.Named("RoleName"))),
		api.Bind(s.UpdateAssumeRolePolicy, api.Changes, api.On(role.Named("RoleName")), api.Within(trustPolicySize)),
		api.Bind(s.DeleteRole, api.Changes, api.On(role.Named("RoleName"))),
		api.Bind(s.TagRole, api.Changes, api.On(role.Named("RoleName"))),
		api.Bind(s.UntagRole, api.Changes, api.On(role.Named("RoleName"))),
		api.Bind(s.ListRoleTags, api.Reads, api.On(role.Named("RoleName"))),
	})
}

// defaultMaxSession is the MaxSessionDuration of a role if the request has
// none, in seconds. IAM CreateRole.
const defaultMaxSession = 3600

// role reads the role that an action names.
func role(tx *store.Tx, account, name string) (store.Role, error) {
	r, err := tx.Role(account, fold(name))
	if errors.Is(err, store.ErrNotFound) {
		err = fail("NoSuchEntity", "The role with name %s cannot be found.", name)
	}
	return r, err
}

// modifiableRole reads the role that an action changes.
func modifiableRole(tx *store.Tx, account, name string) (store.Role, error) {
	r, err := role(tx, account, name)
	if err == nil && r.Service != "" {
		// Reported by users of AWS.
		err = fail("UnmodifiableEntity",
			"Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", r.Name)
	}
	return r, err
}

// CreateRole adds a role.
func (s *Service) CreateRole(ctx context.Context, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	c := principal.Of(ctx)
	tags, err := foldedTagKeys.read(in.Tags)
	if err != nil {
		return nil, err
	}
	r := store.Role{
		Account: c.Account(), NameKey: fold(*in.RoleName), Name: *in.RoleName, Path: pathOrRoot(in.Path),
		ID: seal.NewID("AROA", 21), Description: str(in.Description), MaxSession: maxSession(in.MaxSessionDuration),
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		r.Created = tx.Now
		if r.Trust, err = newTrust(tx, r.Account, *in.AssumeRolePolicyDocument); err != nil {
			return err
		}
		if err := insertRole(tx, r, tags); err != nil || in.PermissionsBoundary == nil {
			return err
		}
		return setBoundary(tx, c, store.RoleEntity, r.NameKey, *in.PermissionsBoundary)
	})
	if err != nil {
		return nil, err
	}
	out := roleOut(c, r)
	out.PermissionsBoundary = boundaryOut(str(in.PermissionsBoundary))
	// Recorded: the answer contains neither.
	out.Description, out.MaxSessionDuration = nil, nil
	out.Tags = tagsOut(tags)
	return &iam.CreateRoleOutput{Role: &out}, nil
}

func insertRole(tx *store.Tx, r store.Role, tags []store.Tag) error {
	if err := tx.InsertRole(r); err != nil {
		if errors.Is(err, store.ErrExists) {
			return fail("EntityAlreadyExists", "Role with name %s already exists.", r.Name)
		}
		return err
	}
	n, err := tx.CountRoles(r.Account)
	if err != nil {
		return err
	}
	if err := checkQuota(tx, r.Account, rolesPerAccount, n); err != nil {
		return err
	}
	return insertTags(tx, store.RoleTags, r.Account, r.NameKey, tags)
}

// maxSession returns the longest session that a request allows, in seconds.
func maxSession(seconds *int32) int {
	if seconds == nil {
		return defaultMaxSession
	}
	return int(*seconds)
}

// roleOut returns a role for an answer, without tags, boundary and last use.
func roleOut(c principal.Caller, r store.Role) types.Role {
	out := types.Role{
		Arn:      ptr(principal.RoleARN(c.Partition(), c.Account(), r.Path, r.Name)),
		RoleName: &r.Name, RoleId: &r.ID, Path: &r.Path, CreateDate: when(r.Created),
		AssumeRolePolicyDocument: documentOut(r.TrustPolicy), MaxSessionDuration: ptr(int32(r.MaxSession)),
	}
	if r.Description != "" {
		out.Description = &r.Description
	}
	return out
}

// roleLastUsed returns the last use of a session of the role, as far as the
// store has it. The element of a role that was never used is present and empty
// (recorded).
func roleLastUsed(tx *store.Tx, r store.Role) (*types.RoleLastUsed, error) {
	use, err := tx.LastServiceUse(r.Account, r.ID)
	if errors.Is(err, store.ErrNotFound) {
		return &types.RoleLastUsed{}, nil
	}
	return &types.RoleLastUsed{LastUsedDate: when(use.At), Region: &use.Region}, err
}

// GetRole reads a role.
func (s *Service) GetRole(ctx context.Context, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	c := principal.Of(ctx)
	var out types.Role
	err := s.db.View(ctx, func(tx *store.Tx) error {
		r, err := role(tx, c.Account(), *in.RoleName)
		if err != nil {
			return err
		}
		if r.TrustPolicy, err = trustOut(tx, r.Trust, map[string]string{}); err != nil {
			return err
		}
		out = roleOut(c, r)
		tags, err := tx.Tags(store.RoleTags, r.Account, r.NameKey, maxTags)
		if err != nil {
			return err
		}
		out.Tags = tagsOut(tags)
		boundary, err := tx.Boundary(store.RoleEntity, r.Account, r.NameKey)
		if err != nil {
			return err
		}
		out.PermissionsBoundary = boundaryOut(boundary)
		out.RoleLastUsed, err = roleLastUsed(tx, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleOutput{Role: &out}, nil
}

// ListRoles lists roles in order of their names, without regard to case.
// PathPrefix is a plain prefix, as it is for users.
func (s *Service) ListRoles(ctx context.Context, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	c := principal.Of(ctx)
	prefix := pathOrRoot(in.PathPrefix)
	p, err := s.page(c, "ListRoles", prefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var roles []store.Role
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if roles, err = tx.Roles(c.Account(), p.after, prefix, p.limit+1); err != nil {
			return err
		}
		known := map[string]string{}
		for i := range roles {
			r := &roles[i]
			if r.TrustPolicy, err = trustOut(tx, r.Trust, known); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListRolesOutput{}
	roles, out.IsTruncated, out.Marker = cut(p, roles, func(r store.Role) string { return r.NameKey })
	out.Roles = make([]types.Role, len(roles))
	for i, r := range roles {
		out.Roles[i] = roleOut(c, r)
	}
	return out, nil
}

// UpdateRole replaces a role's description and its maximum session duration, if
// the request contains them. By the model, a missing duration means an hour. A
// recording (LocalStack's of test_update_role) shows that the role's own value
// stays. For a service-linked role only the description can be replaced; the
// text is recorded.
func (s *Service) UpdateRole(ctx context.Context, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := role(tx, c.Account(), *in.RoleName)
		if err != nil {
			return err
		}
		if r.Service != "" && in.MaxSessionDuration != nil {
			return fail("UnmodifiableEntity",
				"%s is an AWS service linked role, max session duration cannot be changed.", r.Name)
		}
		if in.Description != nil {
			r.Description = *in.Description
		}
		if in.MaxSessionDuration != nil {
			r.MaxSession = int(*in.MaxSessionDuration)
		}
		return tx.UpdateRole(r.Account, r.NameKey, r.Description, r.MaxSession)
	})
	return &iam.UpdateRoleOutput{}, err
}

// UpdateRoleDescription replaces a role's description, even of a service-linked
// role: IAM, editing a service-linked role. The answer omits the role's session
// duration (recorded).
func (s *Service) UpdateRoleDescription(
	ctx context.Context, in *iam.UpdateRoleDescriptionInput,
) (*iam.UpdateRoleDescriptionOutput, error) {
	c := principal.Of(ctx)
	var r store.Role
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		if r, err = role(tx, c.Account(), *in.RoleName); err != nil {
			return err
		}
		r.Description = *in.Description
		if err = tx.UpdateRole(r.Account, r.NameKey, r.Description, r.MaxSession); err != nil {
			return err
		}
		r.TrustPolicy, err = trustOut(tx, r.Trust, map[string]string{})
		return err
	})
	if err != nil {
		return nil, err
	}
	out := roleOut(c, r)
	out.MaxSessionDuration = nil
	return &iam.UpdateRoleDescriptionOutput{Role: &out}, nil
}

// DeleteRole deletes a role that nothing is attached to.
func (s *Service) DeleteRole(ctx context.Context, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := modifiableRole(tx, c.Account(), *in.RoleName)
		if err != nil {
			return err
		}
		left, err := tx.RoleReferences(r.Account, r.NameKey)
		if err != nil {
			return err
		}
		if err := checkRoleHasNothingLeft(left); err != nil {
			return err
		}
		return tx.DeleteRole(r.Account, r.NameKey)
	})
	return &iam.DeleteRoleOutput{}, err
}

// checkRoleHasNothingLeft returns an error for the first thing that is left.
// The texts are recorded. Their order is a guess.
func checkRoleHasNothingLeft(r store.RoleReferences) error {
	switch {
	case r.InstanceProfiles > 0:
		return fail("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
	case r.Policies > 0:
		return fail("DeleteConflict", "Cannot delete entity, must delete policies first.")
	case r.Attachments > 0:
		return fail("DeleteConflict", "Cannot delete entity, must detach all policies first.")
	}
	return nil
}
