package api

import (
	"context"
	"errors"

	"rollcall/internal/awsmodel"
)

// ErrClientLeft is the cause that ends a call's context when its client has left.
// It ends the waits of the call, but never a commit.
var ErrClientLeft = errors.New("the client's connection was reset")

// errClientLeft is for the trail and the metrics, because no client reads the
// answer.
var errClientLeft = awsmodel.Fail("ClientDisconnected",
	"The client's connection was reset while the request waited. Nothing was changed.")

type connectionContext struct{}

// OnConnection returns a context that ends with ctx; Connection finds it.
func OnConnection(ctx context.Context) context.Context {
	return context.WithValue(ctx, connectionContext{}, ctx)
}

// Connection returns a context for work that outlives a call, such as sending a
// long answer. It ends when the client has left, and has no deadline.
func Connection(ctx context.Context) context.Context {
	on, ok := ctx.Value(connectionContext{}).(context.Context)
	if !ok {
		return context.WithoutCancel(ctx)
	}
	return on
}

// left says whether an error was caused by the client's leaving.
func left(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), ErrClientLeft)
}
