package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/awsquery"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// policyActions are the actions on policies, inline and managed, and on
// permissions boundaries.
func (s *Service) policyActions() []api.Action {
	user, group, role := s.onUser("UserName"), s.onGroup("GroupName"), s.onRole("RoleName")
	managed := s.onPolicy
	// A boundary that is put is the key's value, not the one that was there.
	boundaryKey := map[string]string{"iam:permissionsboundary": "PermissionsBoundary"}
	return []api.Action{
		{Operation: awsquery.Of(s.PutUserPolicy), Needs: user},
		{Operation: awsquery.Of(s.GetUserPolicy), Needs: user},
		{Operation: awsquery.Of(s.DeleteUserPolicy), Needs: user},
		{Operation: awsquery.Of(s.ListUserPolicies), Needs: user},
		{Operation: awsquery.Of(s.PutGroupPolicy), Needs: group},
		{Operation: awsquery.Of(s.GetGroupPolicy), Needs: group},
		{Operation: awsquery.Of(s.DeleteGroupPolicy), Needs: group},
		{Operation: awsquery.Of(s.ListGroupPolicies), Needs: group},
		{Operation: awsquery.Of(s.PutRolePolicy), Needs: role},
		{Operation: awsquery.Of(s.GetRolePolicy), Needs: role},
		{Operation: awsquery.Of(s.DeleteRolePolicy), Needs: role},
		{Operation: awsquery.Of(s.ListRolePolicies), Needs: role},

		{Operation: awsquery.Of(s.CreatePolicy), Needs: alsoTagging(onNewPolicy, "iam:TagPolicy")},
		{Operation: awsquery.Of(s.GetPolicy), Needs: managed},
		{Operation: awsquery.Of(s.ListPolicies), Needs: onPolicyPath},
		{Operation: awsquery.Of(s.DeletePolicy), Needs: managed},
		{Operation: awsquery.Of(s.CreatePolicyVersion), Needs: managed},
		{Operation: awsquery.Of(s.GetPolicyVersion), Needs: managed},
		{Operation: awsquery.Of(s.ListPolicyVersions), Needs: managed},
		{Operation: awsquery.Of(s.DeletePolicyVersion), Needs: managed},
		{Operation: awsquery.Of(s.SetDefaultPolicyVersion), Needs: managed},
		{Operation: awsquery.Of(s.TagPolicy), Needs: managed},
		{Operation: awsquery.Of(s.UntagPolicy), Needs: managed},
		{Operation: awsquery.Of(s.ListPolicyTags), Needs: managed},
		{Operation: awsquery.Of(s.ListEntitiesForPolicy), Needs: managed},

		{Operation: awsquery.Of(s.AttachUserPolicy), Needs: withPolicyARN(user)},
		{Operation: awsquery.Of(s.DetachUserPolicy), Needs: withPolicyARN(user)},
		{Operation: awsquery.Of(s.ListAttachedUserPolicies), Needs: user},
		{Operation: awsquery.Of(s.AttachGroupPolicy), Needs: withPolicyARN(group)},
		{Operation: awsquery.Of(s.DetachGroupPolicy), Needs: withPolicyARN(group)},
		{Operation: awsquery.Of(s.ListAttachedGroupPolicies), Needs: group},
		{Operation: awsquery.Of(s.AttachRolePolicy), Needs: withPolicyARN(role)},
		{Operation: awsquery.Of(s.DetachRolePolicy), Needs: withPolicyARN(role)},
		{Operation: awsquery.Of(s.ListAttachedRolePolicies), Needs: role},

		{Operation: awsquery.Of(s.PutUserPermissionsBoundary), Needs: api.WithKeys(user, boundaryKey)},
		{Operation: awsquery.Of(s.DeleteUserPermissionsBoundary), Needs: user},
		{Operation: awsquery.Of(s.PutRolePermissionsBoundary), Needs: api.WithKeys(role, boundaryKey)},
		{Operation: awsquery.Of(s.DeleteRolePermissionsBoundary), Needs: role},

		{Operation: awsquery.Of(s.GetAccountAuthorizationDetails), Needs: api.Everything},
	}
}

// onPolicy is the need on the policy whose ARN an action gives. Denials say
// "policy arn:…" (reported by users of AWS).
func (s *Service) onPolicy(ctx context.Context, c principal.Caller, in any) ([]api.Need, error) {
	arn := api.Text(in, "PolicyArn")
	return api.On(api.Resource{ARN: arn, Label: "policy " + arn, Keys: s.tagged(ctx, c.Account(), func(tx *store.Tx) ([]store.Tag, error) {
		p, err := tx.Policy(c.Account(), arn)
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return tx.PolicyTags(p.Account, p.NameKey, maxTags)
	})}), nil
}

// onNewPolicy is the need of CreatePolicy. Denials say "policy name" (reported
// by users of AWS).
func onNewPolicy(ctx context.Context, c principal.Caller, in any) ([]api.Need, error) {
	needs, err := api.ARN("policy", "Path", "PolicyName")(ctx, c, in)
	if err == nil {
		needs[0].Resources[0].Label = "policy " + api.Text(in, "PolicyName")
	}
	return needs, err
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
			return fail("EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", p.Name) // recorded
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
	for _, t := range tags {
		if err := tx.SetPolicyTag(p.Account, p.NameKey, t); err != nil {
			return err
		}
	}
	return tx.InsertPolicyVersion(p.Account, p.NameKey, store.PolicyVersion{Version: 1, Document: document, Created: tx.Now})
}

// policyOut is a policy on the wire, without description and tags.
func policyOut(p store.Policy, use store.PolicyUse) types.Policy {
	return types.Policy{
		PolicyName: &p.Name, PolicyId: &p.ID, Arn: &p.ARN, Path: &p.Path, DefaultVersionId: versionID(p.DefaultVersion),
		AttachmentCount: ptr(int32(use.Attachments)), PermissionsBoundaryUsageCount: ptr(int32(use.Boundaries)),
		IsAttachable: true, CreateDate: when(p.Created), UpdateDate: when(p.Updated),
	}
}

// GetPolicy reads a policy, of the account or of AWS.
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
		tags, err := tx.PolicyTags(p.Account, p.NameKey, maxTags) // AWS's have none
		out = policyOut(p, use)
		if p.Description != "" {
			out.Description = &p.Description
		}
		out.Tags = append([]types.Tag{}, tagsOut(tags)...) // recorded: also where there are none
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: &out}, nil
}

// DeletePolicy deletes a policy that nobody uses and that has one version. In
// which order AWS looks is a guess; that a boundary is a use is one as well.
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
			return fail("DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		return tx.DeletePolicy(p.Account, p.NameKey)
	})
	return &iam.DeletePolicyOutput{}, err
}
