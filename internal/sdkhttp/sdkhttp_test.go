package sdkhttp_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"rollcall/internal/sdkhttp"
)

type base func(*http.Request) (*http.Response, error)

func (b base) RoundTrip(r *http.Request) (*http.Response, error) { return b(r) }

// closedBody is the SDK's body after it was closed: there is nothing to read,
// and WriteTo returns an error.
type closedBody struct{ io.Reader }

func (closedBody) Close() error                     { return nil }
func (closedBody) WriteTo(io.Writer) (int64, error) { return 0, io.EOF }

func TestTransport(t *testing.T) {
	sent := errors.New("sent")
	transport := sdkhttp.Transport(base(func(r *http.Request) (*http.Response, error) {
		// net/http does this with a body: io.Copy, which prefers WriteTo.
		var b strings.Builder
		if _, err := io.Copy(&b, r.Body); err != nil || b.String() != "form" {
			t.Errorf("the body was read as %q, %v", b.String(), err)
		}
		return nil, sent
	}))
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = closedBody{strings.NewReader("form")}
	before := r.Body
	if _, err := transport.RoundTrip(r); err != sent {
		t.Error(err)
	}
	if r.Body != before {
		t.Error("the caller's request was changed")
	}
}
