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
	return a.clientError(ctx, a.may(ctx, c, action, in, call), action.Name, call)
}

func (a *API) may(ctx context.Context, c principal.Caller, action Action, in any, call Call) error {
	from := access.Call{SourceIP: call.SourceIP, UserAgent: call.UserAgent, Secure: call.TLS != nil}
	subject, err := a.access.Gather(ctx, c, from)
	if err != nil {
		return err
	}
	if err := awsmodel.Check(action.Name, in); err != nil {
		return err
	}
	c = subject.Caller
	return a.authorize(store.OnAccount(principal.With(ctx, c), c.Account()), subject, action, in)
}
