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
	k := &run{API: a, action: action, in: in, call: call}
	err := k.guard(func() error { return k.may(ctx, c) })
	return a.clientError(ctx, err, action.Name, call)
}

func (k *run) may(ctx context.Context, c principal.Caller) error {
	if k.action.unsigned != nil {
		return nil // whoever brings the proof may
	}
	subject, err := k.gather(ctx, c)
	if err != nil {
		return err
	}
	ctx = store.OnAccount(principal.With(ctx, subject.Caller), subject.Caller.Account())
	if err := awsmodel.Check(k.action.Name, k.in); err != nil {
		return err
	}
	return k.authorize(ctx, subject, &k.action, k.in)
}

// gather reads what is known of a caller, which is read with each call: a
// session's user or role may be gone, or have another name than its token says.
func (k *run) gather(ctx context.Context, c principal.Caller) (*access.Subject, error) {
	return k.access.Gather(ctx, c, access.Call{
		SourceIP: k.call.SourceIP, UserAgent: k.call.UserAgent, Secure: k.call.TLS != nil,
	})
}
