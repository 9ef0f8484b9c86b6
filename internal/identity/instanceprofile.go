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

func (s *Service) instanceProfileActions() []api.Action {
	profile, role := instanceProfileKind.on(s), roleKind.on(s)
	return []api.Action{
		api.Bind(s.CreateInstanceProfile, api.Changes, api.On(profile.New("Path", "InstanceProfileName")),
			api.Tagging("iam:TagInstanceProfile")),
		api.Bind(s.GetInstanceProfile, api.Reads, api.On(profile.Named("InstanceProfileName"))),
		api.Bind(s.ListInstanceProfiles, api.Reads, api.On(profile.Below("PathPrefix"))),
		api.Bind(s.ListInstanceProfilesForRole, api.Reads, api.On(role.Named("RoleName"))),
		api.Bind(s.AddRoleToInstanceProfile, api.Changes, api.On(profile.Named("InstanceProfileName")),
			api.Also(s.passRoleToEC2),
			api.Within(rolesPerInstanceProfile)),
		api.Bind(s.RemoveRoleFromInstanceProfile, api.Changes, api.On(profile.Named("InstanceProfileName"))),
		api.Bind(s.DeleteInstanceProfile, api.Changes, api.On(profile.Named("InstanceProfileName"))),
		api.Bind(s.TagInstanceProfile, api.Changes, api.On(profile.Named("InstanceProfileName"))),
		api.Bind(s.UntagInstanceProfile, api.Changes, api.On(profile.Named("InstanceProfileName"))),
		api.Bind(s.ListInstanceProfileTags, api.Reads, api.On(profile.Named("InstanceProfileName"))),
	}
}

// passRoleToEC2 returns the permission to pass a role to EC2. Denials name its
// ARN. IAM, granting a user permissions to pass a role to an AWS service.
func (s *Service) passRoleToEC2(
	ctx context.Context, c principal.Caller, in *iam.AddRoleToInstanceProfileInput,
) ([]api.Need, error) {
	role, err := roleKind.on(s).named(ctx, c, *in.RoleName)
	return []api.Need{{
		Action: "iam:PassRole", Resources: []api.Resource{roleKind.resource(c, role, "")},
		Keys: oneKey("iam:passedtoservice", "ec2.amazonaws.com"),
	}}, err
}

func profileARN(c principal.Caller, p store.InstanceProfile) string {
	return api.IAMARN(c, "instance-profile", p.Path+p.Name)
}

// instanceProfile reads the profile that an action names.
func instanceProfile(tx *store.Tx, account, name string) (store.InstanceProfile, error) {
	p, err := tx.InstanceProfile(account, fold(name))
	if errors.Is(err, store.ErrNotFound) {
		err = fail("NoSuchEntity", "Instance Profile %s cannot be found.", name)
	}
	return p, err
}

// CreateInstanceProfile adds a profile without a role.
func (s *Service) CreateInstanceProfile(
	ctx context.Context, in *iam.CreateInstanceProfileInput,
) (*iam.CreateInstanceProfileOutput, error) {
	c := principal.Of(ctx)
	tags, err := exactTagKeys.read(in.Tags)
	if err != nil {
		return nil, err
	}
	p := store.InstanceProfile{
		Account: c.Account(), NameKey: fold(*in.InstanceProfileName), Name: *in.InstanceProfileName,
		Path: pathOrRoot(in.Path), ID: seal.NewID("AIPA", 21),
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		p.Created = tx.Now
		if err := tx.InsertInstanceProfile(p); err != nil {
			if errors.Is(err, store.ErrExists) {
				return fail("EntityAlreadyExists", "Instance Profile %s already exists.", p.Name)
			}
			return err
		}
		n, err := tx.CountInstanceProfiles(p.Account)
		if err != nil {
			return err
		}
		if err := checkQuota(tx, p.Account, instanceProfilesPerAccount, n); err != nil {
			return err
		}
		return insertTags(tx, store.InstanceProfileTags, p.Account, p.NameKey, tags)
	})
	if err != nil {
		return nil, err
	}
	out := profileOut(c, p)
	out.Tags = tagsOut(tags)
	return &iam.CreateInstanceProfileOutput{InstanceProfile: &out}, nil
}

// profileOut returns a profile for an answer, without roles and tags.
func profileOut(c principal.Caller, p store.InstanceProfile) types.InstanceProfile {
	return types.InstanceProfile{
		Arn: ptr(profileARN(c, p)), InstanceProfileName: &p.Name, InstanceProfileId: &p.ID, Path: &p.Path,
		CreateDate: when(p.Created), Roles: []types.Role{},
	}
}

// profilesOut returns profiles for an answer, in order of their folded names.
// Each has its role in the form that CreateRole returns.
func profilesOut(tx *store.Tx, c principal.Caller, profiles []store.InstanceProfile) ([]types.InstanceProfile, error) {
	out := make([]types.InstanceProfile, len(profiles))
	if len(profiles) == 0 {
		return out, nil
	}
	roles, err := tx.InstanceProfileRoles(c.Account(), profiles[0].NameKey, profiles[len(profiles)-1].NameKey)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for i, p := range profiles {
		out[i] = profileOut(c, p)
		for len(roles) > 0 && roles[0].ProfileKey <= p.NameKey {
			r := roles[0]
			roles = roles[1:]
			if r.ProfileKey < p.NameKey {
				continue // the profile is not in the list
			}
			if r.TrustPolicy, err = trustOut(tx, r.Trust, known); err != nil {
				return nil, err
			}
			shown := roleOut(c, r.Role)
			shown.Description, shown.MaxSessionDuration = nil, nil
			out[i].Roles = append(out[i].Roles, shown)
		}
	}
	return out, nil
}

// GetInstanceProfile reads a profile with its role.
func (s *Service) GetInstanceProfile(
	ctx context.Context, in *iam.GetInstanceProfileInput,
) (*iam.GetInstanceProfileOutput, error) {
	c := principal.Of(ctx)
	var out []types.InstanceProfile
	err := s.db.View(ctx, func(tx *store.Tx) error {
		p, err := instanceProfile(tx, c.Account(), *in.InstanceProfileName)
		if err != nil {
			return err
		}
		if out, err = profilesOut(tx, c, []store.InstanceProfile{p}); err != nil {
			return err
		}
		tags, err := tx.Tags(store.InstanceProfileTags, p.Account, p.NameKey, maxTags)
		out[0].Tags = someTags(tags) // recorded: present even if it is empty
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.GetInstanceProfileOutput{InstanceProfile: &out[0]}, nil
}

// ListInstanceProfiles lists profiles in order of their names, without regard
// to case.
func (s *Service) ListInstanceProfiles(
	ctx context.Context, in *iam.ListInstanceProfilesInput,
) (*iam.ListInstanceProfilesOutput, error) {
	prefix := pathOrRoot(in.PathPrefix)
	profiles, truncated, marker, err := s.listProfiles(ctx, "ListInstanceProfiles", prefix, in.Marker, in.MaxItems,
		func(tx *store.Tx, account string, p page) ([]store.InstanceProfile, error) {
			return tx.InstanceProfiles(account, p.after, prefix, p.limit+1)
		})
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfilesOutput{InstanceProfiles: profiles, IsTruncated: truncated, Marker: marker}, nil
}

// ListInstanceProfilesForRole lists the profiles that contain a role.
func (s *Service) ListInstanceProfilesForRole(
	ctx context.Context, in *iam.ListInstanceProfilesForRoleInput,
) (*iam.ListInstanceProfilesForRoleOutput, error) {
	profiles, truncated, marker, err := s.listProfiles(ctx, "ListInstanceProfilesForRole",
		fold(*in.RoleName), in.Marker, in.MaxItems,
		func(tx *store.Tx, account string, p page) ([]store.InstanceProfile, error) {
			r, err := role(tx, account, *in.RoleName)
			if err != nil {
				return nil, err
			}
			return tx.RoleInstanceProfiles(account, r.NameKey, p.after, p.limit+1)
		})
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfilesForRoleOutput{InstanceProfiles: profiles, IsTruncated: truncated, Marker: marker},
		nil
}

func (s *Service) listProfiles(ctx context.Context, action, filter string, marker *string, maxItems *int32,
	read func(*store.Tx, string, page) ([]store.InstanceProfile, error),
) (out []types.InstanceProfile, truncated bool, next *string, err error) {
	c := principal.Of(ctx)
	p, err := s.page(c, action, filter, marker, maxItems)
	if err != nil {
		return nil, false, nil, err
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		profiles, err := read(tx, c.Account(), p)
		if err != nil {
			return err
		}
		profiles, truncated, next = cut(p, profiles, func(p store.InstanceProfile) string { return p.NameKey })
		if out, err = profilesOut(tx, c, profiles); err != nil {
			return err
		}
		// Each profile contains its role with the trust policy.
		if n := fitting(out); n < len(out) {
			out, truncated, next = out[:n], true, p.marker(profiles[n-1].NameKey)
		}
		return nil
	})
	return out, truncated, next, err
}

// AddRoleToInstanceProfile adds the role of a profile. A profile has at most
// one role; only the quota limits it.
func (s *Service) AddRoleToInstanceProfile(
	ctx context.Context, in *iam.AddRoleToInstanceProfileInput,
) (*iam.AddRoleToInstanceProfileOutput, error) {
	err := s.withProfileRole(ctx, *in.InstanceProfileName, *in.RoleName,
		func(tx *store.Tx, p store.InstanceProfile, r store.Role) error {
			have, err := tx.InstanceProfileRoles(p.Account, p.NameKey, p.NameKey)
			if err != nil {
				return err
			}
			if err := checkQuota(tx, p.Account, rolesPerInstanceProfile, len(have)+1); err != nil {
				return err
			}
			err = tx.AddInstanceProfileRole(p.Account, p.NameKey, r.NameKey)
			if errors.Is(err, store.ErrExists) {
				// a guess
				err = fail("EntityAlreadyExists", "Role %s in Instance Profile %s already exists.", r.Name, p.Name)
			}
			return err
		})
	return &iam.AddRoleToInstanceProfileOutput{}, err
}

// RemoveRoleFromInstanceProfile takes the role from a profile.
func (s *Service) RemoveRoleFromInstanceProfile(
	ctx context.Context, in *iam.RemoveRoleFromInstanceProfileInput,
) (*iam.RemoveRoleFromInstanceProfileOutput, error) {
	err := s.withProfileRole(ctx, *in.InstanceProfileName, *in.RoleName,
		func(tx *store.Tx, p store.InstanceProfile, r store.Role) error {
			err := tx.RemoveInstanceProfileRole(p.Account, p.NameKey, r.NameKey)
			if errors.Is(err, store.ErrNotFound) {
				err = fail("NoSuchEntity", "Role %s in Instance Profile %s cannot be found.", r.Name, p.Name)
			}
			return err
		})
	return &iam.RemoveRoleFromInstanceProfileOutput{}, err
}

func (s *Service) withProfileRole(
	ctx context.Context, profile, role string, change func(*store.Tx, store.InstanceProfile, store.Role) error,
) error {
	account := principal.Of(ctx).Account()
	return s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := instanceProfile(tx, account, profile)
		if err != nil {
			return err
		}
		r, err := modifiableRole(tx, account, role)
		if err != nil {
			return err
		}
		return change(tx, p, r)
	})
}

// DeleteInstanceProfile deletes a profile that has no role.
func (s *Service) DeleteInstanceProfile(
	ctx context.Context, in *iam.DeleteInstanceProfileInput,
) (*iam.DeleteInstanceProfileOutput, error) {
	account := principal.Of(ctx).Account()
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := instanceProfile(tx, account, *in.InstanceProfileName)
		if err != nil {
			return err
		}
		have, err := tx.InstanceProfileRoles(account, p.NameKey, p.NameKey)
		if err != nil {
			return err
		}
		if len(have) > 0 {
			return fail("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
		}
		return tx.DeleteInstanceProfile(account, p.NameKey)
	})
	return &iam.DeleteInstanceProfileOutput{}, err
}
