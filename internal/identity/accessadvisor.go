package identity

import (
	"rollcall/internal/api"
)

// accessActions returns the actions of policy simulation and of service last
// accessed information.
func (s *Service) accessActions() []api.Action {
	return []api.Action{
		api.Bind(s.SimulateCustomPolicy, api.Reads, api.On(api.Everything)),
		api.Bind(s.SimulatePrincipalPolicy, api.Reads, api.On(s.onEntity("PolicySourceArn"))),
		api.Bind(s.GetContextKeysForCustomPolicy, api.Reads, api.On(api.Everything)),
		api.Bind(s.GetContextKeysForPrincipalPolicy, api.Reads, api.On(s.onEntity("PolicySourceArn"))),

		api.Bind(s.GenerateServiceLastAccessedDetails, api.Changes, api.On(s.onEntityOrPolicy("Arn"))),
		api.Bind(s.GetServiceLastAccessedDetails, api.Reads, api.On(api.Everything)),
		api.Bind(s.GetServiceLastAccessedDetailsWithEntities, api.Reads, api.On(api.Everything)),
		api.Bind(s.ListPoliciesGrantingServiceAccess, api.Reads, api.On(s.onEntity("Arn"))),
	}
}
