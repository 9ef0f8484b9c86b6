package identity

import "rollcall/internal/api"

// policyActions are the actions on policies, inline and managed, and on
// permissions boundaries.
func (s *Service) policyActions() []api.Action { return nil }
