package identity

import "rollcall/internal/api"

// roleActions are the actions on roles, service-linked roles and instance
// profiles.
func (s *Service) roleActions() []api.Action { return nil }
