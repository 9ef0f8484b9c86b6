package api

import (
	"context"

	"github.com/google/uuid"

	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
	"rollcall/internal/requestid"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// Identity returns the caller in the trail's form.
func Identity(c principal.Caller) trail.Identity { return identity(c) }

// ErrUnrecorded is the error of a step of a sign-in whose record cannot be
// written. Without a record nobody can sign in.
var ErrUnrecorded = awsmodel.Fail("ServiceUnavailable", "The audit trail cannot be written; nobody can sign in "+
	"until it can.")

// SignIn runs a step of a sign-in, which is not an action. It leaves the record
// that event returns for the step's error. The rules of actions apply: a step that
// changes something does not begin while the trail is down, its record is stored
// with the change, and its success is reported only when the record is written.
func (a *API) SignIn(ctx context.Context, call Call, event func(error) trail.Record,
	fn func(context.Context) error) error {
	ctx = requestid.For(ctx, call.RequestID)
	if err := a.trail.Probe(); err != nil {
		a.log.ErrorContext(ctx, "trail is down, nobody can sign in", "error", err)
		return ErrUnrecorded
	}
	e := &store.Event{ID: uuid.NewString()}
	if a.db != nil {
		e.Record = func([]string) []byte {
			rec := a.signInRecord(call, event(nil))
			rec.EventID, rec.AdditionalEventData = e.ID, recovered(nil)
			return rec.AppendJSON(nil)
		}
		ctx = a.db.BeginEvent(ctx, e)
	}
	failed := fn(ctx)
	rec := a.signInRecord(call, event(failed))
	rec.EventID = e.ID
	if e.Unknown() {
		rec.AdditionalEventData = []byte(`{"outcome":"unknown"}`)
	}
	unrecorded := a.trail.Write(&rec)
	if a.db != nil {
		a.db.EndEvent(e, unrecorded == nil && !e.Unknown())
	}
	if unrecorded != nil {
		a.log.ErrorContext(ctx, "write trail", "error", unrecorded, "event", rec.EventName)
		if failed == nil {
			return ErrUnrecorded
		}
	}
	return failed
}

// RecordSignIn records a step of a sign-in that changed nothing.
func (a *API) RecordSignIn(ctx context.Context, call Call, event trail.Record) {
	ctx = requestid.For(ctx, call.RequestID)
	rec := a.signInRecord(call, event)
	if err := a.trail.Write(&rec); err != nil {
		a.log.ErrorContext(ctx, "write trail", "error", err, "event", rec.EventName)
	}
}

// signInRecord adds the facts of the call to an event. CloudTrail's sign-ins have
// no request id. Calls have one.
func (a *API) signInRecord(call Call, event trail.Record) trail.Record {
	rec := a.record(call, "signin", event.EventName, nil)
	rec.FromConsole = false
	if rec.EventType = event.EventType; rec.EventType == "" {
		rec.RequestID, rec.EventType = "", trail.ConsoleSignIn
	}
	rec.RequestParameters, rec.ReadOnly = event.RequestParameters, event.ReadOnly
	rec.UserIdentity, rec.RecipientAccountID, rec.Stranger = event.UserIdentity, event.RecipientAccountID, event.Stranger
	rec.ErrorCode, rec.ErrorMessage = event.ErrorCode, event.ErrorMessage
	rec.ResponseElements, rec.AdditionalEventData = event.ResponseElements, event.AdditionalEventData
	return rec
}
