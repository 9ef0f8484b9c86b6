package api

import (
	"context"

	"rollcall/internal/awsmodel"
	"rollcall/internal/store"
)

type callKey struct{}

// CallOf returns the facts of an unsigned call. For any other context it panics,
// because that is a mistake in the program.
func CallOf(ctx context.Context) Call { return ctx.Value(callKey{}).(Call) }

// probe returns an error if an action needs a record and the trail cannot be
// written.
func (k *run) probe(ctx context.Context) error {
	if !k.action.binding() {
		return nil
	}
	err := k.trail.Probe()
	if err == nil {
		return nil
	}
	k.log.ErrorContext(ctx, "trail is down, changes are refused", "error", err)
	return awsmodel.Fail("ServiceUnavailable", "The audit trail cannot be written; changes are refused until it can.")
}

// finish records a call that ended with an answer or err, and returns the answer.
func (k *run) finish(ctx context.Context, err error) (any, *awsmodel.Error) {
	refused := k.clientError(ctx, err, k.action.Name)
	rec := k.record(k.call, k.action.Service, k.action.Name, refused)
	rec.UserIdentity = k.by
	rec.RecipientAccountID = k.by.AccountID
	rec.RequestParameters = k.members.Request(k.in)
	rec.ReadOnly = k.action.readOnly()
	rec.Stranger = k.stranger && refused != nil
	if refused == nil && k.action.binding() {
		rec.ResponseElements = k.members.Response(k.out)
	}
	e := store.EventOf(ctx)
	if e != nil {
		tell(e, &rec, refused)
	}
	written := k.trail.Write(&rec)
	if e != nil {
		k.db.EndEvent(e, written == nil && !e.Unknown())
	}
	if err := written; err != nil {
		k.log.ErrorContext(ctx, "write trail", "error", err, "action", k.action.Name)
		if k.action.binding() && refused == nil {
			return nil, awsmodel.Fail("ServiceFailure", "The request was carried out but could not be recorded.")
		}
	}
	if refused != nil {
		return nil, refused
	}
	return k.out, nil
}
