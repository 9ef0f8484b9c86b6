package api

import (
	"context"

	"rollcall/internal/access"
	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// May says whether a caller could call an action with this input, without
// calling it: nil if so. It leaves no record, and tells a door what to offer;
// Invoke decides by itself.
func (a *API) May(ctx context.Context, c principal.Caller, action Action, in any, call Call) *awsmodel.Error {
	subject, err := a.access.Gather(
		ctx,
		c,
		access.Call{SourceIP: call.SourceIP, UserAgent: call.UserAgent, Secure: call.TLS != nil},
	)
	if err == nil {
		ctx = store.OnAccount(principal.With(ctx, subject.Caller), subject.Caller.Account())
		if err = awsmodel.Check(action.Name, in); err == nil {
			err = a.authorize(ctx, subject, action, in)
		}
	}
	return a.clientError(ctx, err, action.Name, call)
}
