// Package api is the one funnel that every action passes, whatever door the
// call came through: check against AWS's model, authorize, call, leave a
// trail.
//
// It promises that no action runs for a caller who may not call it, that
// authorization comes after model validation and before any rule of the
// action (the order AWS keeps), that every call leaves one record, and that no
// change is acknowledged and no credentials are given whose record cannot be
// written. It refuses to know HTTP.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"rollcall/internal/access"
	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// Action is one action that is served.
type Action struct {
	awsquery.Operation
	// Needs finds the permissions a call needs: the action's own on what it
	// acts on, and those AWS asks for beside, such as iam:PassRole. in has
	// passed the model's checks. An error ends the call.
	Needs func(ctx context.Context, c principal.Caller, in any) ([]Need, error)
	// Granted, where set, says whether a user may call it without any policy
	// that allows it. A deny still denies.
	Granted func(ctx context.Context, in any) (bool, error)
	// Unexplained says that denials give no reason.
	Unexplained bool
	// Free actions need no permission, and cannot be denied.
	Free bool
	// Decides says that the action itself decides who may call it, by the
	// access.Subject of its context: AssumeRole asks the role's trust policy.
	Decides bool
	// Unsigned, where set, says that a request needs no signature, because it
	// brings a proof of its own that the action checks. It tells the trail who
	// called; out is nil where the call was refused.
	Unsigned func(in, out any) trail.Identity
}

// Call is what a door knows of one call beside the caller and the input.
type Call struct {
	RequestID string
	SourceIP  string
	UserAgent string
	TLS       *trail.TLSDetails // nil for plain HTTP
	// Console says that a person called, from the console.
	Console bool
}

// API is the actions that are served, and the trail of their calls.
type API struct {
	actions map[[2]string]Action // by service and name
	access  *access.Access
	trail   *trail.Trail
	members *trail.Members
	log     *slog.Logger
	now     func() time.Time
	db      *store.DB                                        // see Outbox
	seal    func(c principal.Caller, text []byte) string     // see ExplainDenials
	seen    func(c principal.Caller, service, action string) // nil for nobody who wants to know
}

// New returns the funnel for a list of actions.
func New(actions []Action, who *access.Access, t *trail.Trail, log *slog.Logger, now func() time.Time) *API {
	a := &API{actions: map[[2]string]Action{}, access: who, trail: t, members: trail.NewMembers(trail.MayRecord), log: log, now: now}
	for _, action := range actions {
		key := [2]string{action.Service, action.Name}
		if _, twice := a.actions[key]; twice || action.Needs == nil && !action.Free && !action.Decides && action.Unsigned == nil {
			panic(fmt.Sprintf("api: action %s is listed twice or has no needs", action.Name))
		}
		a.actions[key] = action
	}
	return a
}

// Find returns an action by service and name.
func (a *API) Find(service, name string) (Action, bool) {
	action, ok := a.actions[[2]string{service, name}]
	return action, ok
}

// Actions returns the names of all that is served, for coverage.
func (a *API) Actions() map[string]bool {
	names := map[string]bool{}
	for key := range a.actions {
		names[key[1]] = true
	}
	return names
}

// Observe has every call told to seen before anything is decided of it: service
// last accessed counts attempts. It must be quick, and safe for concurrent
// use. Observe itself belongs before the first call.
func (a *API) Observe(seen func(c principal.Caller, service, action string)) { a.seen = seen }

// Invoke runs one action for a caller. The error is always for the client.
func (a *API) Invoke(ctx context.Context, c principal.Caller, action Action, in any, call Call) (any, *awsmodel.Error) {
	// What is known of the caller is read with each call. A session's user or
	// role may be gone, or have another name than its token says.
	subject, err := a.access.Gather(ctx, c, access.Call{SourceIP: call.SourceIP, UserAgent: call.UserAgent, Secure: call.TLS != nil})
	var out any
	if err == nil {
		c = subject.Caller
		if a.seen != nil {
			a.seen(c, action.Service, action.Name)
		}
		ctx = store.OnAccount(principal.With(ctx, c), c.Account())
		ctx = a.begin(ctx, action, in, call, identity(c))
		out, err = a.invoke(ctx, subject, action, in)
	}
	return a.finish(ctx, action, in, out, err, call, identity(c))
}

func (a *API) invoke(ctx context.Context, subject *access.Subject, action Action, in any) (any, error) {
	if err := awsmodel.Check(action.Name, in); err != nil {
		return nil, err
	}
	if err := a.authorize(ctx, subject, action, in); err != nil {
		return nil, err
	}
	if err := a.probe(ctx, action); err != nil {
		return nil, err
	}
	out, err := perform(access.With(ctx, subject), action, in)
	if err != nil {
		return nil, a.gone(ctx, subject.Caller, err)
	}
	return out, nil
}

// gone says of a failure that may come of a caller who was deleted during the
// call, with the user or with the whole account, that this is so: the same
// call a moment later is refused in these words.
func (a *API) gone(ctx context.Context, c principal.Caller, err error) error {
	var known *awsmodel.Error
	if errors.As(err, &known) || !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if _, now := a.access.Current(ctx, c); errors.As(now, &known) {
		return known
	}
	return err
}

// perform calls the action. A panic in one is an error like others: the call
// leaves its record, and the client gets an answer.
func perform(ctx context.Context, action Action, in any) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("panic in %s: %v\n%s", action.Name, p, debug.Stack())
		}
	}()
	return action.Call(ctx, in)
}

// Refuse leaves the record of a call that never became an action: not
// authenticated, unknown, unreadable. c is nil where nobody was
// authenticated; keyID is then the key the client named.
func (a *API) Refuse(ctx context.Context, c *principal.Caller, keyID, service, name string, err error, call Call) *awsmodel.Error {
	refused := a.clientError(ctx, err, name, call)
	rec := a.record(call, service, name, refused)
	rec.UserIdentity = trail.Identity{Type: trail.Unknown, AccessKeyID: keyID}
	rec.Stranger = c == nil
	if c != nil {
		who := *c
		if current, err := a.access.Current(ctx, who); err == nil {
			who = current
		}
		rec.UserIdentity = identity(who)
		rec.RecipientAccountID = who.Account()
	}
	rec.ReadOnly = true
	if err := a.trail.Write(&rec); err != nil {
		a.log.ErrorContext(ctx, "write trail", "error", err, "requestID", call.RequestID)
	}
	return refused
}

// clientError is what the client may see of an error. What is not meant for
// it goes to the log and becomes ServiceFailure, or ServiceUnavailable where the
// database could not be asked or the policies take too long: AWS's clients
// repeat both.
func (a *API) clientError(ctx context.Context, err error, action string, call Call) *awsmodel.Error {
	if err == nil {
		return nil
	}
	var known *awsmodel.Error
	if errors.As(err, &known) {
		return known
	}
	if errors.Is(err, store.ErrUnknown) {
		a.log.ErrorContext(ctx, "fate unknown", "error", err, "requestID", call.RequestID, "action", action)
		return awsmodel.Fail("ServiceUnavailable", "It is not known whether the request was carried out.")
	}
	if left(ctx, err) {
		a.log.DebugContext(ctx, "client left", "error", err, "requestID", call.RequestID, "action", action)
		return errClientLeft
	}
	if errors.Is(err, policy.ErrTooCostly) {
		a.log.WarnContext(ctx, "too costly to decide", "error", err, "requestID", call.RequestID, "action", action)
		return awsmodel.Fail("ServiceUnavailable", "The request takes too long to authorize.")
	}
	if errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		a.log.WarnContext(ctx, "database unavailable", "error", err, "requestID", call.RequestID, "action", action)
		return awsmodel.Fail("ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
	}
	a.log.ErrorContext(ctx, "internal error", "error", err, "requestID", call.RequestID, "action", action)
	return awsmodel.Fail("ServiceFailure", "The request processing has failed because of an unknown error, exception or failure.")
}

func (a *API) record(call Call, service, name string, err *awsmodel.Error) trail.Record {
	rec := trail.Record{
		EventTime: a.now(), EventSource: service + ".amazonaws.com", EventName: name, AWSRegion: "us-east-1",
		SourceIPAddress: call.SourceIP, UserAgent: call.UserAgent, RequestID: call.RequestID, TLS: call.TLS,
		FromConsole: call.Console,
	}
	if err != nil {
		rec.ErrorCode, rec.ErrorMessage = err.Code, err.Message
	}
	return rec
}
