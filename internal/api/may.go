package api

import (
	"context"
	"reflect"

	"rollcall/internal/access"
	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
	"rollcall/internal/requestid"
	"rollcall/internal/store"
)

// May says whether a caller may call an action with this input, without calling
// it. It returns nil if so. It leaves no record. The console uses it to decide
// which changes to offer. Do decides again.
func May[In, I, O any](
	ctx context.Context, s Session, _ func(context.Context, *I) (*O, error), in *In,
) *awsmodel.Error {
	return s.may(ctx, reflect.TypeFor[I](), reflect.ValueOf(in))
}

func (s Session) may(ctx context.Context, input reflect.Type, in reflect.Value) *awsmodel.Error {
	action, own, err := s.api.bound(input, in)
	if err == nil {
		k := &run{API: s.api, action: action, in: own, call: s.call}
		err = k.guard(func() error { return k.may(ctx, s.caller) })
	}
	return s.api.clientError(requestid.For(ctx, s.call.RequestID), err, action.Name)
}

func (k *run) may(ctx context.Context, c principal.Caller) error {
	if k.action.unsigned != nil {
		return nil // the proof in the input decides
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

// gather reads everything that decides about a caller, with each call, because a
// session's user or role may have been deleted or renamed since its token was
// issued.
func (k *run) gather(ctx context.Context, c principal.Caller) (*access.Subject, error) {
	return k.access.Gather(ctx, c, k.call.Conditions())
}
