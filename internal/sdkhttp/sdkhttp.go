// Package sdkhttp makes the AWS SDK for Go work with a service that answers
// very fast, as one on the same machine does.
//
// When an answer begins, the SDK (smithy-go 1.28) closes the body of the
// request, whose end net/http may not have seen yet. The WriteTo of the body
// then returns an error, and net/http treats the request as failed: it closes
// the connection, and the rest of the answer is lost. The SDK repeats the call,
// which does harm if the first one created something.
package sdkhttp

import (
	"io"
	"net/http"
)

// Transport returns a transport for the SDK on top of another one.
func Transport(base http.RoundTripper) http.RoundTripper { return plainBodies{base} }

// plainBodies sends bodies that can only be read and closed. An error of their
// Read after they were closed is not a failure.
type plainBodies struct{ base http.RoundTripper }

func (t plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.WithContext(r.Context()) // a copy
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return t.base.RoundTrip(r)
}
