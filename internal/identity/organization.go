package identity

import "rollcall/internal/api"

// organizationActions are the actions on an organisation's features and on
// what is set of an account.
func (s *Service) organizationActions() []api.Action { return nil }
