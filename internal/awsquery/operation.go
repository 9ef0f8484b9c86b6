package awsquery

import (
	"context"
	"fmt"
	"path"
	"reflect"
	"strings"
	"sync"

	"rollcall/internal/awsmodel"
)

// Operation is one action bound to the function that serves it.
type Operation struct {
	// Service is "iam", "sts" or "organizations". Name is the action. Version is
	// the value of the Version parameter.
	Service, Name, Version string
	// NewInput returns a pointer to an empty input structure.
	NewInput func() any
	// Call runs the action. in comes from NewInput and was filled by Decode; out
	// is for Encode.
	Call func(ctx context.Context, in any) (out any, err error)

	plan func() (*plan, error)
}

// plan describes the wire form of one operation.
type plan struct {
	namespace string
	hasOutput bool
	in, out   *node
}

// Of binds a function with the SDK's own signature. Its input is the SDK's
// input structure, whose name is that of the action, or one of ours with the
// same name and members. Its output is the SDK's output structure or one with
// the same members, in which a Blob may replace a blob. A field of ours that
// AWS does not know has its wire name in a tag query:"Name".
//
// It panics if the model does not contain the action, which is a mistake in the
// program. Types without the model's members are found when the operation is
// first used, because comparing all of them would delay every start: see Check.
func Of[I, O any](fn func(context.Context, *I) (*O, error)) Operation {
	op := mustOperationOf(reflect.TypeFor[I](), reflect.TypeFor[O]())
	op.NewInput = func() any { return new(I) }
	op.Call = func(ctx context.Context, in any) (any, error) {
		// A nil *O in an interface would not be nil.
		out, err := fn(ctx, in.(*I))
		if err != nil || out == nil {
			return nil, err
		}
		return out, nil
	}
	return op
}

func mustOperationOf(in, out reflect.Type) Operation {
	op, err := operationOf(in, out)
	if err != nil {
		panic("awsquery: " + err.Error())
	}
	return op
}

// operationOf returns the operation of two types, without its functions.
func operationOf(in, out reflect.Type) (Operation, error) {
	name, isInput := strings.CutSuffix(in.Name(), "Input")
	model, known := awsmodel.Lookup(name)
	service := path.Base(in.PkgPath())
	ours := strings.HasPrefix(in.PkgPath(), "rollcall/")
	if !isInput || !known || model.Service.Name != service && !ours {
		return Operation{}, fmt.Errorf("%s is not the input of an action", in)
	}
	return Operation{
		Service: model.Service.Name, Name: name, Version: model.Service.Version,
		plan: sync.OnceValues(func() (*plan, error) { return newPlan(model, in, out) }),
	}, nil
}

// Check returns an error if the operation's types do not have the members of
// the model.
func (op Operation) Check() error {
	if _, err := op.plan(); err != nil {
		return fmt.Errorf("%s: %w", op.Name, err)
	}
	return nil
}

// planned panics if the operation's types do not match the model, which is a
// mistake in the program. Check finds it.
func (op Operation) planned() *plan {
	p, err := op.plan()
	if err != nil {
		panic("awsquery: " + op.Name + ": " + err.Error())
	}
	return p
}
