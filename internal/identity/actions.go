package identity

import (
	"rollcall/internal/api"
	"rollcall/internal/awsquery"
)

// Actions is every action of IAM that is served, with what it acts on.
func (s *Service) Actions() []api.Action {
	user := api.Existing("user", "UserName")
	newUser := api.ARN("user", "Path", "UserName")
	return []api.Action{
		{Operation: awsquery.Of(s.CreateUser), Resource: newUser},
		{Operation: awsquery.Of(s.GetUser), Resource: user},
		{Operation: awsquery.Of(s.ListUsers), Resource: api.ARN("user", "PathPrefix", "")},
		{Operation: awsquery.Of(s.UpdateUser), Resource: user},
		{Operation: awsquery.Of(s.TagUser), Resource: user},
		{Operation: awsquery.Of(s.UntagUser), Resource: user},
		{Operation: awsquery.Of(s.ListUserTags), Resource: user},

		{Operation: awsquery.Of(s.GenerateCredentialReport), Resource: api.Everything},
		{Operation: awsquery.Of(s.GetCredentialReport), Resource: api.Everything},
	}
}
