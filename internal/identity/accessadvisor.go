package identity

import (
	"rollcall/internal/api"
	"rollcall/internal/awsquery"
)

// accessActions are the actions that tell who may do what, and who did:
// simulation, service last accessed.
func (s *Service) accessActions() []api.Action {
	source := s.onEntity("PolicySourceArn")
	return []api.Action{
		{Operation: awsquery.Of(s.SimulateCustomPolicy), Needs: api.Everything},
		{Operation: awsquery.Of(s.SimulatePrincipalPolicy), Needs: source},
		{Operation: awsquery.Of(s.GetContextKeysForCustomPolicy), Needs: api.Everything},
		{Operation: awsquery.Of(s.GetContextKeysForPrincipalPolicy), Needs: source},

		{Operation: awsquery.Of(s.GenerateServiceLastAccessedDetails), Needs: s.onEntityOrPolicy},
		{Operation: awsquery.Of(s.GetServiceLastAccessedDetails), Needs: api.Everything},
		{Operation: awsquery.Of(s.GetServiceLastAccessedDetailsWithEntities), Needs: api.Everything},
		{Operation: awsquery.Of(s.ListPoliciesGrantingServiceAccess), Needs: s.onEntity("Arn")},
	}
}
