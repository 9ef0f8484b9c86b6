package identity

import "rollcall/internal/api"

// accessActions are the actions that tell who may do what, and who did:
// simulation, service last accessed, authorization details.
func (s *Service) accessActions() []api.Action { return nil }
