package api

import (
	"context"

	"rollcall/internal/awsmodel"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// InvokeUnsigned runs one action whose request proves by itself who calls. A
// signature that came with it says nothing more. The error is always for the
// client.
func (a *API) InvokeUnsigned(ctx context.Context, action Action, in any, call Call) (any, *awsmodel.Error) {
	out, err := a.invokeUnsigned(context.WithValue(ctx, callKey{}, call), action, in, call)
	return a.finish(ctx, action, in, out, err, call, action.Unsigned(in, out))
}

func (a *API) invokeUnsigned(ctx context.Context, action Action, in any, call Call) (any, error) {
	if err := awsmodel.Check(action.Name, in); err != nil {
		return nil, err
	}
	if err := a.probe(ctx, action); err != nil {
		return nil, err
	}
	return perform(ctx, action, in)
}

type callKey struct{}

// CallOf returns what is known of an unsigned call. A context without one
// belongs to none: asking for it is a programmer's error, and panics.
func CallOf(ctx context.Context) Call { return ctx.Value(callKey{}).(Call) }

// binding says whether an action is held to leave its record.
func binding(action Action) bool { return !trail.ReadOnly(action.Name) || trail.Issues(action.Name) }

// probe refuses an action that must leave its record and cannot.
func (a *API) probe(ctx context.Context, action Action) error {
	if !binding(action) {
		return nil
	}
	err := a.trail.Probe()
	if err == nil {
		return nil
	}
	a.log.ErrorContext(ctx, "trail is down, changes are refused", "error", err)
	return awsmodel.Fail("ServiceUnavailable", "The audit trail cannot be written; changes are refused until it can.")
}

// finish leaves the record of a call that ended with out or err, and gives its
// answer.
func (a *API) finish(ctx context.Context, action Action, in, out any, err error, call Call, by trail.Identity) (any, *awsmodel.Error) {
	refused := a.clientError(ctx, err, action.Name, call)
	rec := a.record(call, action.Service, action.Name, refused)
	rec.UserIdentity = by
	rec.RecipientAccountID = by.AccountID
	rec.RequestParameters = a.members.Request(in)
	rec.ReadOnly = trail.ReadOnly(action.Name)
	rec.Stranger = action.Unsigned != nil && refused != nil
	if refused == nil && binding(action) {
		rec.ResponseElements = a.members.Response(out)
	}
	e := store.EventOf(ctx)
	if e != nil {
		tell(e, &rec, refused)
	}
	written := a.trail.Write(&rec)
	if e != nil {
		a.db.EndEvent(e, written == nil && !e.Unknown())
	}
	if err := written; err != nil {
		a.log.ErrorContext(ctx, "write trail", "error", err, "requestID", call.RequestID, "action", action.Name)
		if binding(action) && refused == nil {
			return nil, awsmodel.Fail("ServiceFailure", "The request was carried out but could not be recorded.")
		}
	}
	if refused != nil {
		return nil, refused
	}
	return out, nil
}
