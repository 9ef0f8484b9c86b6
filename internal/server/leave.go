package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"

	"rollcall/internal/api"
	"rollcall/internal/requestid"
)

// left reports whether an error of reading means that the client has left. A
// client that only ends its sending side, by a FIN or by TLS's close_notify,
// may still wait for its answer. Our own deadlines reveal nothing about the
// client.
//
// While a handler runs, net/http reads in the background, so a reset is seen
// when it arrives.
func left(err error) bool {
	switch {
	case err == nil, errors.Is(err, os.ErrDeadlineExceeded),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return false
	}
	return true
}

// whileConnected returns the request with a context that ends when the client
// has left. net/http's own context also ends when the client only ends its
// sending side.
func whileConnected(r *http.Request, id string) (*http.Request, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	stop := func() bool { return true }
	if c := connOf(ctx); c != nil { // tests have none
		stop = context.AfterFunc(c.life, func() { cancel(api.ErrClientLeft) })
	}
	return r.WithContext(requestid.With(api.OnConnection(ctx), id)), func() { stop(); cancel(nil) }
}
