package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"rollcall/internal/api"
	"rollcall/internal/principal"
)

// In seconds: the default duration of a session of a user or a federated user,
// and the maximum for root. STS GetSessionToken, GetFederationToken.
const (
	userDuration = 12 * 3600
	rootDuration = 3600
)

// userSeconds returns the duration of a session of the caller.
func userSeconds(c principal.Caller, asked *int32) int32 {
	seconds := int32(userDuration)
	if asked != nil {
		seconds = *asked
	}
	if c.IsRoot() {
		seconds = min(seconds, rootDuration)
	}
	return seconds
}

// byLongTermKey returns an error for callers in a session of any kind, because
// the new credentials could outlive it.
func byLongTermKey(c principal.Caller, action string) error {
	if c.Session() != nil {
		return fail("AccessDenied", "Cannot call %s with session credentials", action)
	}
	return nil
}

// GetSessionToken returns a session of the caller itself. A code in the request
// proves MFA for it. No permission is needed.
func (s *Service) GetSessionToken(
	ctx context.Context, in *sts.GetSessionTokenInput,
) (*sts.GetSessionTokenOutput, error) {
	c := principal.Of(ctx)
	if err := byLongTermKey(c, "GetSessionToken"); err != nil {
		return nil, err
	}
	at, err := s.iam.ProveMFA(ctx, c, in.SerialNumber, in.TokenCode)
	if err != nil {
		return nil, err
	}
	made, err := s.makeSession(ctx, c.Owner(), userSeconds(c, in.DurationSeconds),
		&newSession{minSize: in.MinimumSessionTokenSize}, principal.Session{MFA: at})
	if err != nil {
		return nil, err
	}
	return &sts.GetSessionTokenOutput{Credentials: made.credentials, SessionTokenSize: made.size,
		SessionTokenUtilization: made.used}, nil
}

// onFederatedUser returns the target for the federated user that the call
// creates.
func onFederatedUser(member string) api.Target {
	return api.ByMembers(func(_ context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		return []api.Resource{{ARN: principal.FederatedUserARN(c.Partition(), c.Account(), v[0])}}, nil
	}, member)
}

// GetFederationToken returns credentials that the caller can pass on. They
// allow what both the caller's policies and those of the request allow. If the
// request has no policies, they allow nothing.
func (s *Service) GetFederationToken(
	ctx context.Context, in *sts.GetFederationTokenInput,
) (*sts.GetFederationTokenOutput, error) {
	c := principal.Of(ctx)
	if err := byLongTermKey(c, "GetFederationToken"); err != nil {
		return nil, err
	}
	n := newSession{policy: in.Policy, policyARNs: in.PolicyArns, minSize: in.MinimumSessionTokenSize}
	if err := n.setTags(tagsOf(in.Tags), nil); err != nil {
		return nil, err
	}
	made, err := s.makeSession(ctx, c.Owner(), userSeconds(c, in.DurationSeconds), &n,
		principal.Session{Federated: true, Name: *in.Name})
	if err != nil {
		return nil, err
	}
	return &sts.GetFederationTokenOutput{
		Credentials: made.credentials, PackedPolicySize: made.packed, SessionTokenSize: made.size,
		SessionTokenUtilization: made.used,
		FederatedUser: &types.FederatedUser{
			Arn:             ptr(principal.FederatedUserARN(c.Partition(), c.Account(), *in.Name)),
			FederatedUserId: ptr(c.Account() + ":" + *in.Name),
		},
	}, nil
}
