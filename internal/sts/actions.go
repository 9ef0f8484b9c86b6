package sts

import (
	"rollcall/internal/api"
	"rollcall/internal/awsquery"
)

// Actions lists every action of STS that is served.
func (s *Service) Actions() []api.Action {
	return []api.Action{
		// STS GetCallerIdentity: no permission is required.
		{Operation: awsquery.Of(s.GetCallerIdentity), Free: true},
		{Operation: awsquery.Of(s.GetAccessKeyInfo), Needs: api.Everything},
		{Operation: awsquery.Of(s.DecodeAuthorizationMessage), Needs: api.Everything},
		{Operation: awsquery.Of(s.AssumeRole), Decides: true},
		// STS GetSessionToken: no permission is required, and policies cannot
		// deny it.
		{Operation: awsquery.Of(s.GetSessionToken), Free: true},
		{Operation: awsquery.Of(s.GetFederationToken), Needs: onFederatedUser},
		{Operation: awsquery.Of(s.GetWebIdentityToken), Needs: onSelf},
		{Operation: awsquery.Of(s.AssumeRoot), Needs: onMemberRoot, Unexplained: true}, // recorded
		{Operation: awsquery.Of(s.AssumeRoleWithWebIdentity), Unsigned: showedToken},
		{Operation: awsquery.Of(s.AssumeRoleWithSAML), Unsigned: showedAssertion},
	}
}
