package api

import (
	"context"
	"errors"

	"rollcall/internal/awsmodel"
)

// ErrClientLeft is the cause that ends a call's context when its client is known
// to be gone. It ends what the call waits for, never a commit.
var ErrClientLeft = errors.New("the client's connection was reset")

// errClientLeft is for the trail and the metrics: nobody reads the answer.
var errClientLeft = awsmodel.Fail("ClientDisconnected",
	"The client's connection was reset while the request waited. Nothing was changed.")

type connectionContext struct{}

// OnConnection returns a context that ends with ctx; Connection finds it.
func OnConnection(ctx context.Context) context.Context {
	return context.WithValue(ctx, connectionContext{}, ctx)
}

// Connection is the context of what outlasts a call: an answer that is sent
// for long. It ends when the client has left, and has no deadline.
func Connection(ctx context.Context) context.Context {
	on, ok := ctx.Value(connectionContext{}).(context.Context)
	if !ok {
		return context.WithoutCancel(ctx)
	}
	return on
}

// left says of an error that it came of the client's leaving.
func left(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), ErrClientLeft)
}
