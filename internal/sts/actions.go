package sts

import (
	"rollcall/internal/api"
)

// Actions returns every action of STS that the service offers.
func (s *Service) Actions() []api.Action {
	return []api.Action{
		// STS GetCallerIdentity: no permission is required.
		api.Bind(s.GetCallerIdentity, api.Reads, api.Free),
		api.Bind(s.GetAccessKeyInfo, api.Reads, api.On(api.Everything)),
		api.Bind(s.DecodeAuthorizationMessage, api.Reads, api.On(api.Everything)),
		api.Bind(s.AssumeRole, api.Issues, api.Decides, api.BySessions(""),
			api.Record("ExternalId", "ProvidedContexts", "ProviderArn", "ContextAssertion")),
		// STS GetSessionToken: no permission is required, and policies cannot
		// deny it.
		api.Bind(s.GetSessionToken, api.Issues, api.Free),
		api.Bind(s.GetFederationToken, api.Issues, api.On(onFederatedUser("Name")), api.Tagging("sts:TagSession")),
		api.Bind(s.GetWebIdentityToken, api.Issues, api.On(onSelf, tokenKeys...),
			api.Tagging("sts:TagGetWebIdentityToken", tokenKeys...),
			api.BySessions("GetWebIdentityToken does not support federated user sessions")),
		api.Bind(s.AssumeRoot, api.Issues, api.On(onMemberRoot("TargetPrincipal"),
			api.Values("sts:TaskPolicyArn", taskPolicy)), api.Unexplained, // recorded
			api.Record("TargetPrincipal", "TaskPolicyArn")),
		api.Bind(s.AssumeRoleWithWebIdentity, api.Issues, api.Unsigned(showedToken), api.Record("ProviderId")),
		api.Bind(s.AssumeRoleWithSAML, api.Issues, api.Unsigned(showedAssertion), api.Record("PrincipalArn")),
	}
}
