package sts

import (
	"context"

	"rollcall/internal/api"
	"rollcall/internal/awsquery"
)

// Actions is every action of STS that is served.
func (s *Service) Actions() []api.Action {
	return []api.Action{
		// STS GetCallerIdentity: no permission is required.
		{Operation: awsquery.Of(s.GetCallerIdentity), Resource: api.Everything, Granted: always},
		{Operation: awsquery.Of(s.GetAccessKeyInfo), Resource: api.Everything},
	}
}

func always(context.Context, any) (bool, error) { return true, nil }
