package identity

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// attachmentQuotas limit how many managed policies can be attached to an
// entity.
var attachmentQuotas = map[store.Entity]api.Quota{
	store.UserEntity: policiesPerUser, store.GroupEntity: policiesPerGroup, store.RoleEntity: policiesPerRole,
}

// servicePath begins the paths of AWS's policies for service-linked roles. No
// other policy can have such a path.
const servicePath = "/aws-service-role/"

// notAttachable holds the errors for attaching a service-linked role's policy
// to another entity. The text for roles is reported by users of AWS. The other
// texts are guesses.
var notAttachable = map[store.Entity]string{
	store.UserEntity: "User", store.GroupEntity: "Group", store.RoleEntity: "Customer Role",
}

// attach attaches a managed policy. If it is attached already, nothing changes.
func (s *Service) attach(ctx context.Context, kind store.Entity, name, arn string) error {
	c := principal.Of(ctx)
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	return s.updateEntity(ctx, kind, c.Account(), name, func(tx *store.Tx, e entity) error {
		p, err := findPolicy(tx, c, arn)
		if err != nil {
			return policyAttachable(err, arn)
		}
		if p.Account == "" && strings.HasPrefix(p.Path, servicePath) {
			return fail("PolicyNotAttachable", "Cannot attach a Service Role Policy to a %s.", notAttachable[kind])
		}
		if err := tx.InsertAttachment(kind, e.account, e.nameKey, arn); err != nil {
			if errors.Is(err, store.ErrExists) {
				return nil
			}
			return err
		}
		all, err := tx.Attachments(kind, e.account, e.nameKey)
		if err != nil {
			return err
		}
		return checkQuota(tx, e.account, attachmentQuotas[kind], len(all))
	})
}

// detach detaches a managed policy. If it is not attached, the error says that
// it was not found (recorded).
func (s *Service) detach(ctx context.Context, kind store.Entity, name, arn string) error {
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	return s.updateEntity(ctx, kind, principal.Of(ctx).Account(), name, func(tx *store.Tx, e entity) error {
		return policyFound(tx.DeleteAttachment(kind, e.account, e.nameKey, arn), arn)
	})
}

// attached returns the policies that are attached to an entity, in order of
// their names without regard to case.
func attached(tx *store.Tx, kind store.Entity, account, nameKey string) ([]types.AttachedPolicy, error) {
	arns, err := tx.Attachments(kind, account, nameKey)
	out := make([]types.AttachedPolicy, len(arns))
	for i, arn := range arns {
		out[i] = types.AttachedPolicy{PolicyArn: &arn, PolicyName: ptr(policyName(arn))}
	}
	slices.SortFunc(out, func(a, b types.AttachedPolicy) int { return strings.Compare(attachedKey(a), attachedKey(b)) })
	return out, err
}

// attachedKey returns the sort key of an attached policy. AWS and the account
// can have policies of the same name. Their ARNs would be too long for markers.
func attachedKey(p types.AttachedPolicy) string {
	return fold(*p.PolicyName) + "\x00" + strings.SplitN(*p.PolicyArn, ":", 6)[4]
}

// listAttached lists the attached policies whose path begins with prefix.
func (s *Service) listAttached(
	ctx context.Context, action string, kind store.Entity, name string, prefix, marker *string, maxItems *int32,
) (policies []types.AttachedPolicy, truncated bool, next *string, err error) {
	c := principal.Of(ctx)
	p, err := s.page(c, action, fold(name)+"\x00"+pathOrRoot(prefix), marker, maxItems)
	if err != nil {
		return nil, false, nil, err
	}
	err = s.viewEntity(ctx, kind, c.Account(), name, func(tx *store.Tx, e entity) error {
		policies, err = attached(tx, kind, e.account, e.nameKey)
		return err
	})
	if err != nil {
		return nil, false, nil, err
	}
	policies = slices.DeleteFunc(policies, func(p types.AttachedPolicy) bool {
		_, path, _ := strings.Cut(*p.PolicyArn, ":policy")
		return !strings.HasPrefix(strings.TrimSuffix(path, *p.PolicyName), pathOrRoot(prefix))
	})
	policies, truncated, next = cutAll(p, policies, attachedKey)
	return policies, truncated, next, nil
}

// AttachUserPolicy attaches a managed policy to a user.
func (s *Service) AttachUserPolicy(
	ctx context.Context, in *iam.AttachUserPolicyInput,
) (*iam.AttachUserPolicyOutput, error) {
	return &iam.AttachUserPolicyOutput{}, s.attach(ctx, store.UserEntity, *in.UserName, *in.PolicyArn)
}

// AttachGroupPolicy attaches a managed policy to a group.
func (s *Service) AttachGroupPolicy(
	ctx context.Context, in *iam.AttachGroupPolicyInput,
) (*iam.AttachGroupPolicyOutput, error) {
	return &iam.AttachGroupPolicyOutput{}, s.attach(ctx, store.GroupEntity, *in.GroupName, *in.PolicyArn)
}

// AttachRolePolicy attaches a managed policy to a role.
func (s *Service) AttachRolePolicy(
	ctx context.Context, in *iam.AttachRolePolicyInput,
) (*iam.AttachRolePolicyOutput, error) {
	return &iam.AttachRolePolicyOutput{}, s.attach(ctx, store.RoleEntity, *in.RoleName, *in.PolicyArn)
}

// DetachUserPolicy detaches a managed policy from a user.
func (s *Service) DetachUserPolicy(
	ctx context.Context, in *iam.DetachUserPolicyInput,
) (*iam.DetachUserPolicyOutput, error) {
	return &iam.DetachUserPolicyOutput{}, s.detach(ctx, store.UserEntity, *in.UserName, *in.PolicyArn)
}

// DetachGroupPolicy detaches a managed policy from a group.
func (s *Service) DetachGroupPolicy(
	ctx context.Context, in *iam.DetachGroupPolicyInput,
) (*iam.DetachGroupPolicyOutput, error) {
	return &iam.DetachGroupPolicyOutput{}, s.detach(ctx, store.GroupEntity, *in.GroupName, *in.PolicyArn)
}

// DetachRolePolicy detaches a managed policy from a role.
func (s *Service) DetachRolePolicy(
	ctx context.Context, in *iam.DetachRolePolicyInput,
) (*iam.DetachRolePolicyOutput, error) {
	return &iam.DetachRolePolicyOutput{}, s.detach(ctx, store.RoleEntity, *in.RoleName, *in.PolicyArn)
}

// ListAttachedUserPolicies lists the managed policies of a user.
func (s *Service) ListAttachedUserPolicies(
	ctx context.Context, in *iam.ListAttachedUserPoliciesInput,
) (*iam.ListAttachedUserPoliciesOutput, error) {
	policies, truncated, marker, err := s.listAttached(ctx, "ListAttachedUserPolicies", store.UserEntity, *in.UserName,
		in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedUserPoliciesOutput{AttachedPolicies: policies, IsTruncated: truncated, Marker: marker}, nil
}

// ListAttachedGroupPolicies lists the managed policies of a group.
func (s *Service) ListAttachedGroupPolicies(
	ctx context.Context, in *iam.ListAttachedGroupPoliciesInput,
) (*iam.ListAttachedGroupPoliciesOutput, error) {
	policies, truncated, marker, err := s.listAttached(ctx, "ListAttachedGroupPolicies", store.GroupEntity,
		*in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedGroupPoliciesOutput{AttachedPolicies: policies, IsTruncated: truncated, Marker: marker}, nil
}

// ListAttachedRolePolicies lists the managed policies of a role.
func (s *Service) ListAttachedRolePolicies(
	ctx context.Context, in *iam.ListAttachedRolePoliciesInput,
) (*iam.ListAttachedRolePoliciesOutput, error) {
	policies, truncated, marker, err := s.listAttached(ctx, "ListAttachedRolePolicies", store.RoleEntity, *in.RoleName,
		in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: policies, IsTruncated: truncated, Marker: marker}, nil
}
