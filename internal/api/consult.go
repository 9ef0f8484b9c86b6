package api

import (
	"context"
	"encoding/json"

	"rollcall/internal/principal"
	"rollcall/internal/requestid"
)

// Consult decides whether a caller may call a reading action of another
// service, such as "cloudtrail", "LookupEvents", that the console answers
// itself. The call counts against the caller's rate, and is recorded. The error
// is an *awsmodel.Error for the caller.
func (a *API) Consult(
	ctx context.Context, c principal.Caller, service, name string, parameters json.RawMessage, call Call,
) error {
	ctx = requestid.For(ctx, call.RequestID)
	err := error(ErrThrottled)
	if _, ok := a.Admit(c); ok {
		c, err = a.Permit(ctx, c, service, name, "*", call)
	}
	refused := a.clientError(ctx, err, name)
	rec := a.record(call, service, name, refused)
	rec.UserIdentity, rec.RecipientAccountID = identity(c), c.Account()
	rec.RequestParameters, rec.ReadOnly = parameters, true
	if err := a.trail.Write(&rec); err != nil {
		a.log.ErrorContext(ctx, "write trail", "error", err, "action", name)
	}
	if refused != nil {
		return refused
	}
	return nil
}
