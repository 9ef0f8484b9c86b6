package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// inlineSizes are the quotas for the total size of an entity's inline policies,
// in characters as policy.Size counts them. IAM quotas; they cannot be raised.
var inlineSizes = map[store.Entity]int{
	store.UserEntity: policy.MaxUserInlineSize, store.GroupEntity: policy.MaxGroupInlineSize,
	store.RoleEntity: policy.MaxRoleInlineSize,
}

// putPolicy adds an inline policy, or replaces the one with the same name.
// Names of inline policies are unique without regard to case, and lists keep
// the first spelling (recorded).
func (s *Service) putPolicy(ctx context.Context, kind store.Entity, name string, p store.InlinePolicy) error {
	if _, err := policy.Parse(p.Document, policy.Inline); err != nil {
		return err
	}
	return s.updateEntity(ctx, kind, principal.Of(ctx).Account(), name, func(tx *store.Tx, e entity) error {
		if err := tx.PutInlinePolicy(kind, e.account, e.nameKey, p); err != nil {
			return err
		}
		all, err := tx.InlinePolicies(kind, e.account, e.nameKey)
		if err != nil {
			return err
		}
		size, limit := 0, inlineSizes[kind]
		for _, one := range all {
			size += policy.Size(one.Document)
		}
		if size > limit {
			// Reported by users of AWS.
			return fail("LimitExceeded", "Maximum policy size of %d bytes exceeded for %s %s", limit, kind, e.name)
		}
		return nil
	})
}

// getPolicy reads one inline policy. It returns the policy's name as the
// request spells it (recorded), and the entity's name as it is stored.
func (s *Service) getPolicy(
	ctx context.Context, kind store.Entity, name, policyName string,
) (p store.InlinePolicy, written string, err error) {
	err = s.viewEntity(ctx, kind, principal.Of(ctx).Account(), name, func(tx *store.Tx, e entity) (err error) {
		written = e.name
		p, err = tx.InlinePolicy(kind, e.account, e.nameKey, policyName)
		p.Name = policyName
		return errNoInlinePolicy(err, kind, policyName)
	})
	return p, written, err
}

// noInlinePolicy returns the error for a missing inline policy or entity. The
// texts are recorded for groups and roles.
func errNoInlinePolicy(err error, kind store.Entity, name string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fail("NoSuchEntity", "The %s policy with name %s cannot be found.", kind, name)
	}
	return err
}

// deletePolicy deletes one inline policy.
func (s *Service) deletePolicy(ctx context.Context, kind store.Entity, name, policyName string) error {
	return s.updateEntity(ctx, kind, principal.Of(ctx).Account(), name, func(tx *store.Tx, e entity) error {
		return errNoInlinePolicy(tx.DeleteInlinePolicy(kind, e.account, e.nameKey, policyName), kind, policyName)
	})
}

// listPolicies lists the names of inline policies, in their order.
func (s *Service) listPolicies(
	ctx context.Context, action string, kind store.Entity, name string, marker *string, maxItems *int32,
) (names []string, truncated bool, next *string, err error) {
	c := principal.Of(ctx)
	p, err := s.page(c, action, fold(name), marker, maxItems)
	if err != nil {
		return nil, false, nil, err
	}
	names = []string{}
	err = s.viewEntity(ctx, kind, c.Account(), name, func(tx *store.Tx, e entity) error {
		all, err := tx.InlinePolicies(kind, e.account, e.nameKey)
		for _, one := range all {
			names = append(names, one.Name)
		}
		return err
	})
	if err != nil {
		return nil, false, nil, err
	}
	names, truncated, next = cutAll(p, names, func(name string) string { return name })
	return names, truncated, next, nil
}

// PutUserPolicy adds an inline policy to a user, or replaces one.
func (s *Service) PutUserPolicy(ctx context.Context, in *iam.PutUserPolicyInput) (*iam.PutUserPolicyOutput, error) {
	err := s.putPolicy(ctx, store.UserEntity, *in.UserName,
		store.InlinePolicy{Name: *in.PolicyName, Document: *in.PolicyDocument})
	return &iam.PutUserPolicyOutput{}, err
}

// PutGroupPolicy adds an inline policy to a group, or replaces one.
func (s *Service) PutGroupPolicy(ctx context.Context, in *iam.PutGroupPolicyInput) (*iam.PutGroupPolicyOutput, error) {
	err := s.putPolicy(ctx, store.GroupEntity, *in.GroupName,
		store.InlinePolicy{Name: *in.PolicyName, Document: *in.PolicyDocument})
	return &iam.PutGroupPolicyOutput{}, err
}

// PutRolePolicy adds an inline policy to a role, or replaces one.
func (s *Service) PutRolePolicy(ctx context.Context, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	err := s.putPolicy(ctx, store.RoleEntity, *in.RoleName,
		store.InlinePolicy{Name: *in.PolicyName, Document: *in.PolicyDocument})
	return &iam.PutRolePolicyOutput{}, err
}

// GetUserPolicy reads an inline policy of a user.
func (s *Service) GetUserPolicy(ctx context.Context, in *iam.GetUserPolicyInput) (*iam.GetUserPolicyOutput, error) {
	p, name, err := s.getPolicy(ctx, store.UserEntity, *in.UserName, *in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserPolicyOutput{UserName: &name, PolicyName: &p.Name, PolicyDocument: documentOut(p.Document)}, nil
}

// GetGroupPolicy reads an inline policy of a group.
func (s *Service) GetGroupPolicy(ctx context.Context, in *iam.GetGroupPolicyInput) (*iam.GetGroupPolicyOutput, error) {
	p, name, err := s.getPolicy(ctx, store.GroupEntity, *in.GroupName, *in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetGroupPolicyOutput{GroupName: &name, PolicyName: &p.Name, PolicyDocument: documentOut(p.Document)},
		nil
}

// GetRolePolicy reads an inline policy of a role.
func (s *Service) GetRolePolicy(ctx context.Context, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	p, name, err := s.getPolicy(ctx, store.RoleEntity, *in.RoleName, *in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRolePolicyOutput{RoleName: &name, PolicyName: &p.Name, PolicyDocument: documentOut(p.Document)}, nil
}

// DeleteUserPolicy deletes an inline policy of a user.
func (s *Service) DeleteUserPolicy(
	ctx context.Context, in *iam.DeleteUserPolicyInput,
) (*iam.DeleteUserPolicyOutput, error) {
	return &iam.DeleteUserPolicyOutput{}, s.deletePolicy(ctx, store.UserEntity, *in.UserName, *in.PolicyName)
}

// DeleteGroupPolicy deletes an inline policy of a group.
func (s *Service) DeleteGroupPolicy(
	ctx context.Context, in *iam.DeleteGroupPolicyInput,
) (*iam.DeleteGroupPolicyOutput, error) {
	return &iam.DeleteGroupPolicyOutput{}, s.deletePolicy(ctx, store.GroupEntity, *in.GroupName, *in.PolicyName)
}

// DeleteRolePolicy deletes an inline policy of a role.
func (s *Service) DeleteRolePolicy(
	ctx context.Context, in *iam.DeleteRolePolicyInput,
) (*iam.DeleteRolePolicyOutput, error) {
	return &iam.DeleteRolePolicyOutput{}, s.deletePolicy(ctx, store.RoleEntity, *in.RoleName, *in.PolicyName)
}

// ListUserPolicies lists the names of a user's inline policies.
func (s *Service) ListUserPolicies(
	ctx context.Context, in *iam.ListUserPoliciesInput,
) (*iam.ListUserPoliciesOutput, error) {
	names, truncated, marker, err := s.listPolicies(ctx, "ListUserPolicies", store.UserEntity,
		*in.UserName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserPoliciesOutput{PolicyNames: names, IsTruncated: truncated, Marker: marker}, nil
}

// ListGroupPolicies lists the names of a group's inline policies.
func (s *Service) ListGroupPolicies(
	ctx context.Context, in *iam.ListGroupPoliciesInput,
) (*iam.ListGroupPoliciesOutput, error) {
	names, truncated, marker, err := s.listPolicies(ctx, "ListGroupPolicies", store.GroupEntity,
		*in.GroupName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupPoliciesOutput{PolicyNames: names, IsTruncated: truncated, Marker: marker}, nil
}

// ListRolePolicies lists the names of a role's inline policies.
func (s *Service) ListRolePolicies(
	ctx context.Context, in *iam.ListRolePoliciesInput,
) (*iam.ListRolePoliciesOutput, error) {
	names, truncated, marker, err := s.listPolicies(ctx, "ListRolePolicies", store.RoleEntity,
		*in.RoleName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRolePoliciesOutput{PolicyNames: names, IsTruncated: truncated, Marker: marker}, nil
}
