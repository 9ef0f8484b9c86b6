package api

import (
	"context"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/google/uuid"

	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
)

// Session belongs to a caller who calls actions by their Go methods and not
// over HTTP. The same rules apply: throttling, the model's checks, policies,
// the outbox and the trail.
type Session struct {
	api    *API
	caller principal.Caller
	call   Call
}

// As returns the session of a caller. call holds the facts of every call of the
// session.
func (a *API) As(c principal.Caller, call Call) Session { return Session{a, c, call} }

// Do calls an action by its method: Do(ctx, session, iam.CreateUser, input). The
// method only names the action, which runs as it is registered. The input has the
// method's type. If that type has more members than the SDK's input, the SDK's
// input is accepted too. The error is an *awsmodel.Error for the caller.
func Do[In, I, O any](ctx context.Context, s Session, _ func(context.Context, *I) (*O, error), in *In) (*O, error) {
	out, err := s.do(ctx, reflect.TypeFor[I](), reflect.ValueOf(in))
	if err != nil {
		return nil, err
	}
	if o, ok := out.(*O); ok {
		return o, nil
	}
	return new(O), nil
}

// do calls the action whose method has an input of a type. Do and May only convert
// types, because the program has them once for each action.
func (s Session) do(ctx context.Context, input reflect.Type, in reflect.Value) (any, error) {
	if s.call.RequestID == "" {
		s.call.RequestID = uuid.NewString()
	}
	action, own, err := s.api.bound(input, in)
	if err == nil {
		if _, ok := s.api.Admit(s.caller); !ok {
			err = ErrThrottled
		}
	}
	if err != nil {
		return nil, s.api.Refuse(ctx, &s.caller, "", action.Service, action.Name, err, s.call)
	}
	out, refused := s.api.Invoke(ctx, &s.caller, action, own, s.call)
	if refused != nil {
		return nil, refused
	}
	return out, nil
}

// bound finds the registered action of a method with an input of a type, and the
// input for it.
func (a *API) bound(input reflect.Type, in reflect.Value) (Action, any, error) {
	action, served := a.byInput[input]
	if !served {
		action.Service, action.Name = "iam", "Unknown"
		return action, nil, fmt.Errorf("%s is not the input of an action", input)
	}
	own, err := adopt(input, in)
	return action, own, err
}

// adopt returns the input in the method's own type. It refuses texts that no client
// could send, as the decoder of requests does.
func adopt(input reflect.Type, in reflect.Value) (any, error) {
	if in.IsNil() {
		in = reflect.New(in.Type().Elem())
	}
	if !validText(in, 0) {
		return nil, awsmodel.Fail("MalformedInput", "Parameters must be encoded as UTF-8.")
	}
	from, own := in.Elem(), reflect.New(input)
	if from.Type() == input {
		return in.Interface(), nil
	}
	if from.Type().Name() != input.Name() {
		return nil, fmt.Errorf("%s is no %s", from.Type(), input)
	}
	for i := range from.NumField() {
		f := from.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		member := own.Elem().FieldByName(f.Name)
		if !member.IsValid() || member.Type() != f.Type {
			return nil, fmt.Errorf("%s has no member %s as %s has it", input, f.Name, from.Type())
		}
		member.Set(from.Field(i))
	}
	return own.Interface(), nil
}

// validText says whether all texts of an input are UTF-8.
func validText(v reflect.Value, depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		return utf8.ValidString(v.String())
	case reflect.Pointer:
		return v.IsNil() || validText(v.Elem(), depth)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && !validText(v.Field(i), depth+1) {
				return false
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if !validText(v.Index(i), depth+1) {
				return false
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if !validText(key, depth+1) || !validText(v.MapIndex(key), depth+1) {
				return false
			}
		}
	}
	return true
}
