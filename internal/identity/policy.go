package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// policyActions returns the actions on policies, inline and managed, and on
// permissions boundaries.
func (s *Service) policyActions() []api.Action {
	user, group, role, policy := userKind.on(s), groupKind.on(s), roleKind.on(s), policyKind.on(s)
	attached := api.Member("iam:PolicyARN", "PolicyArn")
	return []api.Action{
		api.Bind(s.PutUserPolicy, api.Changes, api.On(user.Named("UserName"))),
		api.Bind(s.GetUserPolicy, api.Reads, api.On(user.Named("UserName"))),
		api.Bind(s.DeleteUserPolicy, api.Changes, api.On(user.Named("UserName"))),
		api.Bind(s.ListUserPolicies, api.Reads, api.On(user.Named("UserName"))),
		api.Bind(s.PutGroupPolicy, api.Changes, api.On(group.Named("GroupName"))),
		api.Bind(s.GetGroupPolicy, api.Reads, api.On(group.Named("GroupName"))),
		api.Bind(s.DeleteGroupPolicy, api.Changes, api.On(group.Named("GroupName"))),
		api.Bind(s.ListGroupPolicies, api.Reads, api.On(group.Named("GroupName"))),
		api.Bind(s.PutRolePolicy, api.Changes, api.On(role.Named("RoleName"))),
		api.Bind(s.GetRolePolicy, api.Reads, api.On(role.Named("RoleName"))),
		api.Bind(s.DeleteRolePolicy, api.Changes, api.On(role.Named("RoleName"))),
		api.Bind(s.ListRolePolicies, api.Reads, api.On(role.Named("RoleName"))),

		api.Bind(s.CreatePolicy, api.Changes, api.On(policy.New("Path", "PolicyName")), api.Tagging("iam:TagPolicy"),
			api.Within(policySize)),
		api.Bind(s.GetPolicy, api.Reads, api.On(policy.At("PolicyArn"))),
		api.Bind(s.ListPolicies, api.Reads, api.On(api.Below("policy", "policy path ", "PathPrefix"))),
		api.Bind(s.DeletePolicy, api.Changes, api.On(policy.At("PolicyArn"))),
		api.Bind(s.CreatePolicyVersion, api.Changes, api.On(policy.At("PolicyArn")), api.Within(policySize)),
		api.Bind(s.GetPolicyVersion, api.Reads, api.On(policy.At("PolicyArn"))),
		api.Bind(s.ListPolicyVersions, api.Reads, api.On(policy.At("PolicyArn"))),
		api.Bind(s.DeletePolicyVersion, api.Changes, api.On(policy.At("PolicyArn"))),
		api.Bind(s.SetDefaultPolicyVersion, api.Changes, api.On(policy.At("PolicyArn"))),
		api.Bind(s.TagPolicy, api.Changes, api.On(policy.At("PolicyArn"))),
		api.Bind(s.UntagPolicy, api.Changes, api.On(policy.At("PolicyArn"))),
		api.Bind(s.ListPolicyTags, api.Reads, api.On(policy.At("PolicyArn"))),
		api.Bind(s.ListEntitiesForPolicy, api.Reads, api.On(policy.At("PolicyArn"))),

		api.Bind(s.AttachUserPolicy, api.Changes, api.On(user.Named("UserName"), attached),
			api.Within(policiesPerUser)),
		api.Bind(s.DetachUserPolicy, api.Changes, api.On(user.Named("UserName"), attached)),
		api.Bind(s.ListAttachedUserPolicies, api.Reads, api.On(user.Named("UserName"))),
		api.Bind(s.AttachGroupPolicy, api.Changes, api.On(group.Named("GroupName"), attached),
			api.Within(policiesPerGroup)),
		api.Bind(s.DetachGroupPolicy, api.Changes, api.On(group.Named("GroupName"), attached)),
		api.Bind(s.ListAttachedGroupPolicies, api.Reads, api.On(group.Named("GroupName"))),
		api.Bind(s.AttachRolePolicy, api.Changes, api.On(role.Named("RoleName"), attached),
			api.Within(policiesPerRole)),
		api.Bind(s.DetachRolePolicy, api.Changes, api.On(role.Named("RoleName"), attached)),
		api.Bind(s.ListAttachedRolePolicies, api.Reads, api.On(role.Named("RoleName"))),

		api.Bind(s.PutUserPermissionsBoundary, api.Changes, api.On(user.Named("UserName"), boundary)),
		api.Bind(s.DeleteUserPermissionsBoundary, api.Changes, api.On(user.Named("UserName"))),
		api.Bind(s.PutRolePermissionsBoundary, api.Changes, api.On(role.Named("RoleName"), boundary)),
		api.Bind(s.DeleteRolePermissionsBoundary, api.Changes, api.On(role.Named("RoleName"))),

		api.Bind(s.GetAccountAuthorizationDetails, api.Reads, api.On(api.Everything)),
	}
}

// CreatePolicy adds a managed policy with its first version. Names are unique
// without regard to case and path.
func (s *Service) CreatePolicy(ctx context.Context, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	c := principal.Of(ctx)
	tags, err := exactTagKeys.read(in.Tags)
	if err != nil {
		return nil, err
	}
	if _, err := policy.Parse(*in.PolicyDocument, policy.Managed); err != nil {
		return nil, err
	}
	path := pathOrRoot(in.Path)
	p := store.Policy{
		Account: c.Account(), NameKey: fold(*in.PolicyName), Name: *in.PolicyName, Path: path,
		ARN: api.IAMARN(c, "policy", path+*in.PolicyName), ID: seal.NewID("ANPA", 21), Description: str(in.Description),
		DefaultVersion: 1, LastVersion: 1,
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		p.Created, p.Updated = tx.Now, tx.Now
		return insertPolicy(tx, p, *in.PolicyDocument, tags)
	})
	if err != nil {
		return nil, err
	}
	out := policyOut(p, store.PolicyUse{})
	out.Tags = tagsOut(tags)
	return &iam.CreatePolicyOutput{Policy: &out}, nil
}

func insertPolicy(tx *store.Tx, p store.Policy, document string, tags []store.Tag) error {
	if err := checkQuota(tx, p.Account, policySize, policy.Size(document)); err != nil {
		return err
	}
	if err := tx.InsertPolicy(p); err != nil {
		if errors.Is(err, store.ErrExists) {
			// recorded
			return fail("EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.",
				p.Name)
		}
		return err
	}
	n, err := tx.CountPolicies(p.Account)
	if err != nil {
		return err
	}
	if err := checkQuota(tx, p.Account, policiesPerAccount, n); err != nil {
		return err
	}
	if err := insertTags(tx, store.PolicyTags, p.Account, p.NameKey, tags); err != nil {
		return err
	}
	return tx.InsertPolicyVersion(p.Account, p.NameKey,
		store.PolicyVersion{Version: 1, Document: document, Created: tx.Now})
}

// policyOut returns a policy for an answer, without description and tags.
func policyOut(p store.Policy, use store.PolicyUse) types.Policy {
	return types.Policy{
		PolicyName: &p.Name, PolicyId: &p.ID, Arn: &p.ARN, Path: &p.Path, DefaultVersionId: versionID(p.DefaultVersion),
		AttachmentCount: ptr(int32(use.Attachments)), PermissionsBoundaryUsageCount: ptr(int32(use.Boundaries)),
		IsAttachable: true, CreateDate: when(p.Created), UpdateDate: when(p.Updated),
	}
}

// GetPolicy returns a policy of the account or of AWS.
func (s *Service) GetPolicy(ctx context.Context, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	c := principal.Of(ctx)
	if err := checkPolicyARN(*in.PolicyArn); err != nil {
		return nil, err
	}
	var out types.Policy
	err := s.db.View(ctx, func(tx *store.Tx) error {
		p, err := findPolicy(tx, c, *in.PolicyArn)
		if err != nil {
			return policyFound(err, *in.PolicyArn)
		}
		use, err := tx.PolicyUse(c.Account(), p.ARN)
		if err != nil {
			return err
		}
		tags, err := tx.Tags(store.PolicyTags, p.Account, p.NameKey, maxTags) // AWS's policies have no tags
		out = policyOut(p, use)
		if p.Description != "" {
			out.Description = &p.Description
		}
		out.Tags = append([]types.Tag{}, tagsOut(tags)...) // recorded: present even if there are none
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: &out}, nil
}

// DeletePolicy deletes a policy that is not in use and has one version. The
// order of the checks is a guess. That a boundary counts as a use is a guess
// too.
func (s *Service) DeletePolicy(ctx context.Context, in *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	c := principal.Of(ctx)
	if err := ownPolicyARN(c, *in.PolicyArn, "delete policies"); err != nil {
		return nil, err
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Policy(c.Account(), *in.PolicyArn)
		if err != nil {
			return policyFound(err, *in.PolicyArn)
		}
		use, err := tx.PolicyUse(p.Account, p.ARN)
		if err != nil {
			return err
		}
		if use.Attachments+use.Boundaries > 0 {
			return fail("DeleteConflict", "Cannot delete a policy attached to entities.") // recorded
		}
		versions, err := tx.PolicyVersions(p.Account, p.NameKey)
		if err != nil {
			return err
		}
		if len(versions) > 1 {
			// Reported by users of AWS.
			return fail("DeleteConflict",
				"This policy has more than one version. Before you delete a policy, you must delete the policy's "+
					"versions. The default version is deleted with the policy.")
		}
		return tx.DeletePolicy(p.Account, p.NameKey)
	})
	return &iam.DeletePolicyOutput{}, err
}
