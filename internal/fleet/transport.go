package fleet

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// HTTPClient is the SDK's client without two of its habits; nil stands for
// the SDK's default, and a client that is not the SDK's stays as it is.
//
// It follows no redirects: the SDK would follow one to anywhere, with the
// signed request.
//
// And it bears a service that answers at once, as one on the same machine
// does. When an answer has begun, the SDK (smithy-go 1.28) closes the body of
// the request, which net/http may not have found to be at its end yet. The
// body then says so by an error of its WriteTo that net/http takes for a
// failed request: it closes the connection, and what was to be read of the
// answer is lost. The SDK repeats the call, which does harm where the first
// one made something.
func HTTPClient(c aws.HTTPClient) aws.HTTPClient {
	if c == nil {
		c = awshttp.NewBuildableClient()
	}
	b, ok := c.(*awshttp.BuildableClient)
	if !ok {
		return c
	}
	return &http.Client{
		Transport:     plainBodies{b.GetTransport()},
		Timeout:       b.GetTimeout(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// plainBodies sends bodies that can only be read and closed: what their Read
// returns after they were closed is no failure.
type plainBodies struct{ http.RoundTripper }

func (t plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.WithContext(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return t.RoundTripper.RoundTrip(r)
}
