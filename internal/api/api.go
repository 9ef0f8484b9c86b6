// Package api is the only way to call an action, with or without HTTP. It checks a
// call against AWS's model, authorizes it, runs it, and records it. Bind registers
// an action. Invoke and Do run one.
//
// It promises:
//
//   - No action runs for a caller who may not call it.
//   - Authorization comes after model validation and before any rule of the action,
//     as at AWS.
//   - Every call leaves one record.
//   - No change is acknowledged, and no credentials are issued, if the record cannot
//     be written.
//
// It knows nothing of HTTP.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"rollcall/internal/access"
	"rollcall/internal/awsmodel"
	"rollcall/internal/guard"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/requestid"
	"rollcall/internal/store"
	"rollcall/internal/throttle"
	"rollcall/internal/trail"
)

// Call holds the facts about one call, besides the caller and the input.
type Call struct {
	RequestID string
	SourceIP  string
	UserAgent string
	TLS       *trail.TLSDetails // nil for plain HTTP
	// Console says that a person called, from the console.
	Console bool
}

// Conditions returns the facts about the call that policies may use in
// conditions.
func (c Call) Conditions() access.Call {
	return access.Call{SourceIP: c.SourceIP, UserAgent: c.UserAgent, Secure: c.TLS != nil}
}

// API holds the actions of the service, and the trail of their calls.
type API struct {
	actions map[[2]string]Action // by service and name
	byInput map[reflect.Type]Action
	access  *access.Access
	trail   *trail.Trail
	members *trail.Members
	log     *slog.Logger
	now     func() time.Time
	db      *store.DB                                        // see Outbox
	flush   func() (*trail.KnownHead, error)                 // see Outbox
	seal    func(c principal.Caller, text []byte) string     // see ExplainDenials
	seen    func(c principal.Caller, service, action string) // see Observe; may be nil

	principals, accounts *throttle.Limiter // see Throttle
}

// New returns the funnel for a list of actions.
func New(actions []Action, who *access.Access, t *trail.Trail, log *slog.Logger, now func() time.Time) *API {
	a := &API{
		actions: map[[2]string]Action{}, byInput: map[reflect.Type]Action{},
		access: who, trail: t, log: requestid.Log(log), now: now,
	}
	recorded := map[string]map[string]bool{}
	for _, action := range actions {
		key := [2]string{action.Service, action.Name}
		if _, twice := a.actions[key]; twice || action.effect == 0 {
			panic(fmt.Sprintf("api: action %s is listed twice or was not bound", action.Name))
		}
		a.actions[key] = action
		a.byInput[reflect.TypeOf(action.NewInput()).Elem()] = action
		recorded[action.Name] = action.recorded
	}
	a.members = trail.NewMembers(func(action, member string) bool {
		return trail.MayRecord(member) || recorded[action][member]
	})
	return a
}

// Find returns an action by service and name.
func (a *API) Find(service, name string) (Action, bool) {
	action, ok := a.actions[[2]string{service, name}]
	return action, ok
}

// Actions returns the names of all actions, for coverage.
func (a *API) Actions() map[string]bool {
	names := map[string]bool{}
	for key := range a.actions {
		names[key[1]] = true
	}
	return names
}

// Observe calls seen for every call before the call is decided, because service
// last accessed counts attempts. seen must be quick, and safe for concurrent use.
// Observe must be called before the first call of an action.
func (a *API) Observe(seen func(c principal.Caller, service, action string)) { a.seen = seen }

// Invoke runs one action, for signed and unsigned calls alike. c is the caller who
// signed, nil if nobody did. An action that needs no signature ignores the
// signature of a request. The error is always for the client.
func (a *API) Invoke(
	ctx context.Context, c *principal.Caller, action Action, in any, call Call,
) (any, *awsmodel.Error) {
	ctx = requestid.For(ctx, call.RequestID)
	k := &run{API: a, action: action, in: in, call: call, by: trail.Identity{Type: trail.Unknown}}
	var err error
	switch {
	case action.unsigned != nil:
		ctx = context.WithValue(ctx, callKey{}, call)
		err = k.guard(func() error { return k.unsigned(ctx) })
		// A failed call has a caller too.
		err = errors.Join(err, k.guard(func() error { k.by = action.unsigned(in, k.out); return nil }))
	case c == nil:
		err = errNotSigned
	default:
		k.by = identity(*c)
		err = k.guard(func() (err error) { ctx, err = k.signed(ctx, *c); return err })
	}
	k.stranger = c == nil || action.unsigned != nil
	return k.finish(ctx, err)
}

// run is one call in progress.
type run struct {
	*API
	action   Action
	in, out  any
	call     Call
	by       trail.Identity // the caller, as far as it is known
	stranger bool           // the call is not signed
}

// guard turns a panic into an error, so that the call leaves its record and the
// client gets an answer.
func (k *run) guard(step func() error) error {
	err := guard.Run(step)
	if p := (*guard.Panic)(nil); errors.As(err, &p) {
		k.out, err = nil, fmt.Errorf("%s: %w", k.action.Name, err)
	}
	return err
}

// signed runs the action for its caller. The context that it returns holds the
// changes of the call in the store.
func (k *run) signed(ctx context.Context, c principal.Caller) (context.Context, error) {
	subject, err := k.gather(ctx, c)
	if err != nil {
		return ctx, err
	}
	c = subject.Caller
	k.by = identity(c)
	if k.seen != nil {
		k.seen(c, k.action.Service, k.action.Name)
	}
	ctx = store.OnAccount(principal.With(ctx, c), c.Account())
	ctx = k.begin(ctx)
	return ctx, k.guard(func() error { return k.authorized(ctx, subject) })
}

// authorized runs the action if its caller may call it.
func (k *run) authorized(ctx context.Context, subject *access.Subject) (err error) {
	if err := awsmodel.Check(k.action.Name, k.in); err != nil {
		return err
	}
	if err := k.authorize(ctx, subject, &k.action, k.in); err != nil {
		return err
	}
	if err := k.probe(ctx); err != nil {
		return err
	}
	if k.out, err = k.action.Call(access.With(ctx, subject), k.in); err != nil {
		return k.gone(ctx, subject.Caller, err)
	}
	return nil
}

// unsigned runs an action that determines its caller itself.
func (k *run) unsigned(ctx context.Context) (err error) {
	if err := awsmodel.Check(k.action.Name, k.in); err != nil {
		return err
	}
	if err := k.probe(ctx); err != nil {
		return err
	}
	k.out, err = k.action.Call(ctx, k.in)
	return err
}

// gone replaces a failure by the refusal of a deleted caller, if the caller's user
// or account was deleted during the call. A later call gets the same refusal.
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

// Refuse records a call that reached no action, because it is not authenticated,
// unknown, unreadable or beyond a rate. c is nil if nobody was authenticated.
// keyID is then the key that the client named.
func (a *API) Refuse(
	ctx context.Context, c *principal.Caller, keyID, service, name string, err error, call Call,
) *awsmodel.Error {
	ctx = requestid.For(ctx, call.RequestID)
	refused := a.clientError(ctx, err, name)
	rec := a.record(call, service, name, refused)
	rec.UserIdentity = trail.Identity{Type: trail.Unknown, AccessKeyID: keyID}
	throttled := errors.Is(err, ErrThrottled)
	rec.Stranger = c == nil || throttled
	if c != nil {
		who := *c
		if !throttled { // a flood of refused calls must not read the database
			if current, err := a.access.Current(ctx, who); err == nil {
				who = current
			}
		}
		rec.UserIdentity = identity(who)
		rec.RecipientAccountID = who.Account()
	}
	rec.ReadOnly = true
	if err := a.trail.Write(&rec); err != nil {
		a.log.ErrorContext(ctx, "write trail", "error", err)
	}
	return refused
}

// clientError returns the error for the client. An error that is not for clients
// goes to the log, and becomes ServiceFailure, or ServiceUnavailable if the
// database did not answer or the policies take too long. AWS's clients repeat both.
func (a *API) clientError(ctx context.Context, err error, action string) *awsmodel.Error {
	if err == nil {
		return nil
	}
	var known *awsmodel.Error
	if errors.As(err, &known) {
		return known
	}
	if errors.Is(err, store.ErrUnknown) {
		a.log.ErrorContext(ctx, "fate unknown", "error", err, "action", action)
		return awsmodel.Fail("ServiceUnavailable", "It is not known whether the request was carried out.")
	}
	if left(ctx, err) {
		a.log.DebugContext(ctx, "client left", "error", err, "action", action)
		return errClientLeft
	}
	if errors.Is(err, policy.ErrTooCostly) {
		a.log.WarnContext(ctx, "too costly to decide", "error", err, "action", action)
		return awsmodel.Fail("ServiceUnavailable", "The request takes too long to authorize.")
	}
	unavailable := errors.Is(err, store.ErrUnavailable)
	if unavailable || errors.Is(err, context.DeadlineExceeded) {
		message := "request out of time"
		if unavailable {
			message = "database unavailable"
		}
		a.log.WarnContext(ctx, message, "error", err, "action", action)
		return awsmodel.Fail("ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
	}
	a.log.ErrorContext(ctx, "internal error", "error", err, "action", action)
	return awsmodel.Fail("ServiceFailure",
		"The request processing has failed because of an unknown error, exception or failure.")
}

func (a *API) record(call Call, service, name string, err *awsmodel.Error) trail.Record {
	rec := trail.Record{
		EventTime: a.now(), EventSource: service + ".amazonaws.com", EventName: name, AWSRegion: "us-east-1",
		SourceIPAddress: call.SourceIP, UserAgent: call.UserAgent, RequestID: call.RequestID, TLS: call.TLS,
		FromConsole: call.Console,
	}
	if err != nil {
		rec.ErrorCode, rec.ErrorMessage = awsmodel.Exception(err.Code), err.Message
	}
	return rec
}
