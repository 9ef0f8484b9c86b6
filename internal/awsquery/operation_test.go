package awsquery_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
)

// bind returns an operation whose function is never called.
func bind[I, O any]() awsquery.Operation {
	return awsquery.Of(func(context.Context, *I) (*O, error) { return nil, nil })
}

func TestOf(t *testing.T) {
	op := awsquery.Of(func(_ context.Context, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
		if in.UserName == nil {
			return nil, awsmodel.Fail("NoSuchEntity", "")
		}
		return &iam.GetUserOutput{User: &types.User{UserName: in.UserName}}, nil
	})
	if op.Service != "iam" || op.Name != "GetUser" || op.Version != "2010-05-08" {
		t.Errorf("got %s %s %s", op.Service, op.Name, op.Version)
	}
	in := op.NewInput().(*iam.GetUserInput)
	if _, err := op.Call(context.Background(), in); err == nil {
		t.Error("the function's error is lost")
	}
	in.UserName = new("u")
	if out, err := op.Call(context.Background(), in); err != nil || *out.(*iam.GetUserOutput).User.UserName != "u" {
		t.Errorf("got %v, %v", out, err)
	}
	caller := bind[sts.GetCallerIdentityInput, sts.GetCallerIdentityOutput]()
	if caller.Service != "sts" || caller.Version != "2011-06-15" {
		t.Errorf("got %s %s", caller.Service, caller.Version)
	}
}

func TestOfRefuses(t *testing.T) {
	type NoSuchInput struct{}
	type GetUserInput struct{}
	type noUser struct{}
	type wrongType struct{ User *string }
	type oneMore struct {
		User *types.User
		More *string
	}
	for name, of := range map[string]func(){
		"an action the model does not know": func() { bind[NoSuchInput, noUser]() },
		"an input that is none":             func() { bind[iam.GetUserOutput, iam.GetUserOutput]() },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("accepted")
				}
			}()
			of()
		})
	}
	for name, op := range map[string]awsquery.Operation{
		"an input that lacks a member":  bind[GetUserInput, iam.GetUserOutput](),
		"an output that lacks a member": bind[iam.GetUserInput, noUser](),
		"an output of another type":     bind[iam.GetUserInput, wrongType](),
		"an output with a member more":  bind[iam.GetUserInput, oneMore](),
	} {
		if op.Check() == nil {
			t.Errorf("accepted %s", name)
		}
	}
}

// render returns the whole answer.
func render(t testing.TB, r *awsquery.Response) string {
	t.Helper()
	var b strings.Builder
	n, err := r.WriteTo(&b)
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(b.Len()) || n != r.Len() {
		t.Errorf("WriteTo returned %d and wrote %d; Len is %d", n, b.Len(), r.Len())
	}
	return b.String()
}

func encode(t testing.TB, op awsquery.Operation, out any) string {
	t.Helper()
	r, err := op.Encode(out, "bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da")
	if err != nil {
		t.Fatal(err)
	}
	return render(t, r)
}

var _ io.WriterTo = (*awsquery.Response)(nil)
