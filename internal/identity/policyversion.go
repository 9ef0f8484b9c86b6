package identity

import (
	"context"
	"fmt"
	"math"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/managedpolicy"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// versionsPerPolicy is the maximum number of versions of a managed policy. IAM
// quotas; it cannot be raised.
const versionsPerPolicy = 5

// versionOut returns a version for an answer. Only GetPolicyVersion returns its
// document (recorded).
func versionOut(p store.Policy, v store.PolicyVersion) types.PolicyVersion {
	return types.PolicyVersion{VersionId: versionID(v.Version), IsDefaultVersion: v.Version == p.DefaultVersion,
		CreateDate: when(v.Created)}
}

// policyVersions reads the versions of a policy, the newest first. AWS's
// policies only have their default version.
func policyVersions(tx *store.Tx, p store.Policy) ([]store.PolicyVersion, error) {
	if p.Account == "" {
		return []store.PolicyVersion{awsVersion(p)}, nil
	}
	return tx.PolicyVersions(p.Account, p.NameKey)
}

func awsVersion(p store.Policy) store.PolicyVersion {
	return store.PolicyVersion{Version: p.DefaultVersion,
		Document: managedpolicy.Find(p.ARN).Document, Created: p.Updated}
}

// findVersion reads a version by its VersionId. If there is none the error is
// store.ErrNotFound.
func findVersion(tx *store.Tx, p store.Policy, id string) (store.PolicyVersion, error) {
	version, ok := parseVersion(id)
	if !ok || p.Account == "" && version != p.DefaultVersion {
		return store.PolicyVersion{}, store.ErrNotFound
	}
	if p.Account == "" {
		return awsVersion(p), nil
	}
	return tx.PolicyVersion(p.Account, p.NameKey, version)
}

// CreatePolicyVersion adds a version to a policy, and makes it the default if
// the request says so.
func (s *Service) CreatePolicyVersion(
	ctx context.Context, in *iam.CreatePolicyVersionInput,
) (*iam.CreatePolicyVersionOutput, error) {
	c := principal.Of(ctx)
	// That the sentence is SetDefaultPolicyVersion's is a guess.
	if err := ownPolicyARN(c, *in.PolicyArn, "update policies"); err != nil {
		return nil, err
	}
	if _, err := policy.Parse(*in.PolicyDocument, policy.Managed); err != nil {
		return nil, err
	}
	var out types.PolicyVersion
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Policy(c.Account(), *in.PolicyArn)
		if err != nil {
			return policyAttachable(err, *in.PolicyArn)
		}
		if err := checkQuota(tx, p.Account, policySize, policy.Size(*in.PolicyDocument)); err != nil {
			return err
		}
		have, err := tx.PolicyVersions(p.Account, p.NameKey)
		if err != nil {
			return err
		}
		if len(have) >= versionsPerPolicy {
			// Recorded.
			return fail("LimitExceeded",
				"A managed policy can have up to %d versions. Before you create a new version, you must delete an "+
					"existing version.", versionsPerPolicy)
		}
		p.LastVersion++
		p.Updated = tx.Now
		if in.SetAsDefault {
			p.DefaultVersion = p.LastVersion
		}
		v := store.PolicyVersion{Version: p.LastVersion, Document: *in.PolicyDocument, Created: tx.Now}
		out = versionOut(p, v)
		if err := tx.InsertPolicyVersion(p.Account, p.NameKey, v); err != nil {
			return err
		}
		return tx.UpdatePolicy(p)
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &out}, nil
}

// GetPolicyVersion returns one version with its document.
func (s *Service) GetPolicyVersion(
	ctx context.Context, in *iam.GetPolicyVersionInput,
) (*iam.GetPolicyVersionOutput, error) {
	c := principal.Of(ctx)
	if err := checkPolicyARN(*in.PolicyArn); err != nil {
		return nil, err
	}
	var out types.PolicyVersion
	err := s.db.View(ctx, func(tx *store.Tx) error {
		p, err := findPolicy(tx, c, *in.PolicyArn)
		if err != nil {
			return versionFound(err, *in.PolicyArn, *in.VersionId)
		}
		v, err := findVersion(tx, p, *in.VersionId)
		out = versionOut(p, v)
		out.Document = documentOut(v.Document)
		return versionFound(err, *in.PolicyArn, *in.VersionId)
	})
	if err != nil {
		return nil, err
	}
	return &iam.GetPolicyVersionOutput{PolicyVersion: &out}, nil
}

// ListPolicyVersions lists the versions of a policy, the newest first
// (recorded).
func (s *Service) ListPolicyVersions(
	ctx context.Context, in *iam.ListPolicyVersionsInput,
) (*iam.ListPolicyVersionsOutput, error) {
	c := principal.Of(ctx)
	if err := checkPolicyARN(*in.PolicyArn); err != nil {
		return nil, err
	}
	p, err := s.page(c, "ListPolicyVersions", *in.PolicyArn, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var of store.Policy
	var versions []store.PolicyVersion
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if of, err = findPolicy(tx, c, *in.PolicyArn); err != nil {
			return policyFound(err, *in.PolicyArn)
		}
		versions, err = policyVersions(tx, of)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListPolicyVersionsOutput{}
	// Keys ascend as numbers descend.
	versions, out.IsTruncated, out.Marker = cutAll(p, versions, func(v store.PolicyVersion) string {
		return fmt.Sprintf("%010d", math.MaxInt32-v.Version)
	})
	out.Versions = make([]types.PolicyVersion, len(versions))
	for i, v := range versions {
		out.Versions[i] = versionOut(of, v)
	}
	return out, nil
}

// DeletePolicyVersion deletes a version that is not the default.
func (s *Service) DeletePolicyVersion(
	ctx context.Context, in *iam.DeletePolicyVersionInput,
) (*iam.DeletePolicyVersionOutput, error) {
	err := s.updateVersion(ctx, *in.PolicyArn, *in.VersionId, "delete policy versions for policies",
		func(tx *store.Tx, p store.Policy, version int) error {
			if version == p.DefaultVersion {
				return fail("DeleteConflict", "Cannot delete the default version of a policy.") // recorded
			}
			return tx.DeletePolicyVersion(p.Account, p.NameKey, version)
		})
	return &iam.DeletePolicyVersionOutput{}, err
}

// SetDefaultPolicyVersion puts a version into force. The policy's UpdateDate
// does not change: by the model it is the date of the newest version.
func (s *Service) SetDefaultPolicyVersion(
	ctx context.Context, in *iam.SetDefaultPolicyVersionInput,
) (*iam.SetDefaultPolicyVersionOutput, error) {
	err := s.updateVersion(ctx, *in.PolicyArn, *in.VersionId, "update policies",
		func(tx *store.Tx, p store.Policy, version int) error {
			p.DefaultVersion = version
			return tx.UpdatePolicy(p)
		})
	return &iam.SetDefaultPolicyVersionOutput{}, err
}

// updateVersion runs fn with a version of one of the account's own policies.
// what is part of the sentence for the policies of others.
func (s *Service) updateVersion(
	ctx context.Context, arn, id, what string, fn func(tx *store.Tx, p store.Policy, version int) error,
) error {
	c := principal.Of(ctx)
	if err := ownPolicyARN(c, arn, what); err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Policy(c.Account(), arn)
		if err != nil {
			return versionFound(err, arn, id)
		}
		v, err := findVersion(tx, p, id)
		if err != nil {
			return versionFound(err, arn, id)
		}
		return fn(tx, p, v.Version)
	})
}
