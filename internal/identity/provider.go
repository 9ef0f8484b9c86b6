package identity

import "rollcall/internal/api"

// providerActions are the actions on identity providers and server
// certificates.
func (s *Service) providerActions() []api.Action { return nil }
