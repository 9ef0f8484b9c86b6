package sts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"rollcall/internal/access"
	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// AssumeRole returns the credentials of a session of a role to a caller that
// the role trusts.
func (s *Service) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	c := principal.Of(ctx)
	if c.IsRoot() {
		return nil, fail("AccessDenied", "Roles may not be assumed by root accounts.")
	}
	n := newSession{
		from: c.Session(), name: *in.RoleSessionName, duration: in.DurationSeconds, policy: in.Policy,
		policyARNs: in.PolicyArns,
		minSize:    in.MinimumSessionTokenSize, externalID: str(in.ExternalId),
	}
	if len(in.ProvidedContexts) > 0 {
		return nil, fail("ValidationError",
			"ProvidedContexts are not supported by Rollcall: it has no context providers.")
	}
	if err := n.setTags(tagsOf(in.Tags), in.TransitiveTagKeys); err != nil {
		return nil, err
	}
	if err := n.setSourceIdentity(str(in.SourceIdentity)); err != nil {
		return nil, err
	}
	target, err := s.role(ctx, *in.RoleArn)
	if err != nil {
		return nil, err
	}
	if n.mfa, err = s.iam.ProveMFA(ctx, c, in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	if err := s.mayAssume(ctx, s.signed(ctx, n.mfa), target, "sts:AssumeRole", &n, *in.RoleArn); err != nil {
		return nil, err
	}
	made, err := s.roleSession(ctx, target, &n)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleOutput{
		AssumedRoleUser: assumedRoleUser(target, n.name), Credentials: made.credentials,
		PackedPolicySize: made.packed, SessionTokenSize: made.size, SessionTokenUtilization: made.used,
		SourceIdentity: optional(n.sourceIdentity),
	}, nil
}

// assumable is a role with the partition and the instance of its account.
type assumable struct {
	store.Role
	partition, instance string // of its account
	tags                []store.Tag
}

func (r *assumable) arn() string {
	return principal.RoleARN(r.partition, r.Account, r.Path, r.Name)
}

// role finds the role with an ARN, of any account; nil if there is none.
func (s *Service) role(ctx context.Context, arn string) (*assumable, error) {
	part := strings.SplitN(arn, ":", 6)
	if len(part) != 6 || part[2] != "iam" || !strings.HasPrefix(part[5], "role/") {
		return nil, fail("ValidationError", "%s is invalid", arn)
	}
	r := &assumable{}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		account, err := tx.Account(part[4])
		if err != nil {
			return err
		}
		r.partition, r.instance = account.Partition, account.Instance
		name := part[5][strings.LastIndexByte(part[5], '/')+1:]
		if r.Role, err = tx.Role(account.ID, strings.ToLower(name)); err != nil {
			return err
		}
		r.tags, err = tx.Tags(store.RoleTags, r.Account, r.NameKey, maxTags)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && r.arn() != arn {
		return nil, nil
	}
	return r, err
}

// asker is a caller who requests a session of a role.
type asker struct {
	principal policy.Principal
	instance  string // of its account
	policies  policy.Policies
	keys      access.Keys // what is known about the caller and the way the call came
	denial    func(action, role string) *awsmodel.Error
}

// signed returns the asker who signed the call; mfa is the time at which a code
// in the call proved a device.
//
// Denials do not give a reason: AWS's do not, and the caller need not know
// about a role of another account.
func (s *Service) signed(ctx context.Context, mfa time.Time) asker {
	subject := access.Of(ctx)
	return asker{
		principal: subject.Principal, instance: subject.Caller.Instance(), policies: subject.Policies,
		keys: proven(mfa, subject.Keys(s.db.Now())),
		denial: func(action, role string) *awsmodel.Error {
			return fail("AccessDenied", "%s", policy.DenialText(subject.Caller.ARN(), action, role, policy.Decision{}))
		},
	}
}

// mayAssume decides whether a caller may assume a role, by the role's trust
// policy and the caller's own policies. Session tags and a source identity need
// an additional permission, even if they come from the caller's session: STS,
// session tags; IAM, monitor and control actions taken with assumed roles. r is
// nil if there is no such role.
func (s *Service) mayAssume(
	ctx context.Context, by asker, r *assumable, action string, n *newSession, arn string,
) error {
	actions := []string{action}
	if len(n.tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if n.sourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	for _, action := range actions {
		if r == nil {
			return by.denial(action, arn)
		}
		document, err := s.iam.Access().Document(policy.Trust, r.TrustPolicy)
		var malformed *awsmodel.Error
		if errors.As(err, &malformed) {
			// The stored policy is no longer valid, so it trusts nobody.
			return by.denial(action, arn)
		}
		if err != nil {
			return err
		}
		d, err := policy.AssumeRole(ctx, policy.Request{
			Principal: identity.Trusting(by.principal, by.instance, r.Trust), Action: action, Resources: []string{arn},
			Context: access.Context(by.keys, n.asks, r.keys),
		}, by.policies, policy.Policy{Document: document}, r.Account)
		if err != nil {
			return fmt.Errorf("decide %s: %w", action, err)
		}
		if !d.Allowed {
			return by.denial(action, arn)
		}
	}
	return nil
}

// keys returns the condition keys of the role itself.
func (r *assumable) keys(key string) []string {
	if key == "aws:resourceaccount" {
		return []string{r.Account}
	}
	return access.TagValue(r.tags, key)
}

// proven adds to a request that its caller proved an MFA device with a code in
// it, whatever the caller's own session says.
func proven(at time.Time, of access.Keys) access.Keys {
	if at.IsZero() {
		return of
	}
	return func(key string) []string {
		switch key {
		case "aws:multifactorauthpresent":
			return []string{"true"}
		case "aws:multifactorauthage":
			return []string{"0"}
		}
		return of(key)
	}
}

func assumedRoleUser(r *assumable, session string) *types.AssumedRoleUser {
	return &types.AssumedRoleUser{
		Arn:           ptr(principal.AssumedRoleARN(r.partition, r.Account, r.Name, session)),
		AssumedRoleId: ptr(r.ID + ":" + session),
	}
}
