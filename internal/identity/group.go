package identity

import "rollcall/internal/api"

// groupActions are the actions on groups and their members.
func (s *Service) groupActions() []api.Action { return nil }
