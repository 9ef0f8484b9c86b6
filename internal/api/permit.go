package api

import (
	"context"

	"rollcall/internal/principal"
)

// Permit decides by the policies that apply to a caller whether it may do
// something that is not an action of the API, such as
// "signin:CreateOAuth2Token", on one resource. It returns the caller under its
// present name. It leaves no record.
func (a *API) Permit(
	ctx context.Context, c principal.Caller, service, name, resource string, call Call,
) (principal.Caller, error) {
	subject, err := a.access.Gather(ctx, c, call.Conditions())
	if err != nil {
		return c, err
	}
	if a.seen != nil {
		a.seen(subject.Caller, service, name)
	}
	if unlimited(subject) {
		return subject.Caller, nil
	}
	need := &Need{Action: service + ":" + name, Resources: []Resource{{ARN: resource}}}
	return subject.Caller, a.decide(ctx, subject, &Action{}, need, nil)
}
