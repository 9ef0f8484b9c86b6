package console

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
)

// do calls an action by its method, as the person that the session acts as.
func do[In, I, O any](v *visit, _ func(context.Context, *I) (*O, error), in *In) (*O, error) {
	action, own, err := v.action(reflect.TypeFor[I](), in)
	if err != nil {
		return nil, err
	}
	out, refused := v.api.Invoke(v.r.Context(), v.session.Caller, action, own, v.call)
	if refused != nil {
		return nil, refused
	}
	if o, ok := out.(*O); ok {
		return o, nil
	}
	return new(O), nil
}

// may says whether policies let the person call an action, without calling it:
// "" if so, or else the sentence of AWS. What the action itself would refuse is
// not known before it is called.
func may[In, I, O any](v *visit, _ func(context.Context, *I) (*O, error), in *In) string {
	action, own, err := v.action(reflect.TypeFor[I](), in)
	if err != nil {
		return err.Error()
	}
	if refused := v.api.May(v.r.Context(), v.session.Caller, action, own, v.call); refused != nil {
		return refused.Message
	}
	return ""
}

func (v *visit) action(method reflect.Type, in any) (api.Action, any, error) {
	name := strings.TrimSuffix(method.Name(), "Input")
	action, ok := v.api.Find("iam", name)
	if !ok {
		return action, nil, awsmodel.Fail("InvalidAction", "Rollcall does not serve %s here.", name)
	}
	own := action.NewInput()
	from, to := reflect.ValueOf(in).Elem(), reflect.ValueOf(own).Elem()
	if from.Type() == to.Type() {
		return action, in, nil
	}
	for i := range from.NumField() {
		if f := from.Type().Field(i); f.IsExported() {
			member := to.FieldByName(f.Name)
			if !member.IsValid() {
				return action, nil, fmt.Errorf("%s has no member %s", to.Type(), f.Name)
			}
			member.Set(from.Field(i))
		}
	}
	return action, own, nil
}
