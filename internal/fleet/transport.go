package fleet

import (
	"errors"
	"net/http"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"rollcall/internal/sdkhttp"
)

// HTTPClient is the SDK's client without two of its habits; nil stands for
// the SDK's default, and a client that is not the SDK's stays as it is.
//
// It follows no redirects: the SDK would follow one to anywhere, with the
// signed request.
//
// And it bears a service that answers at once; see package sdkhttp.
func HTTPClient(c aws.HTTPClient) aws.HTTPClient {
	if c == nil {
		c = awshttp.NewBuildableClient()
	}
	b, ok := c.(*awshttp.BuildableClient)
	if !ok {
		return c
	}
	return &http.Client{
		Transport:     sdkhttp.Transport(b.GetTransport()),
		Timeout:       b.GetTimeout(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answerBegins says how long a service may take to begin its answer.
const answerBegins = 30 * time.Second

// hasty repeats calls as another retryer does, but asks a service that takes no
// connection again at once: either it is just starting, or it is not there.
type hasty struct{ aws.RetryerV2 }

// refusedDelay is the wait after a connection was refused.
const refusedDelay = 150 * time.Millisecond

func (h hasty) RetryDelay(attempt int, err error) (time.Duration, error) {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return refusedDelay, nil
	}
	return h.RetryerV2.RetryDelay(attempt, err)
}

// impatient is a client that gives a service up that does not answer. A report
// that comes slowly is waited for.
func impatient(c *awshttp.BuildableClient) *awshttp.BuildableClient {
	return c.WithTransportOptions(func(t *http.Transport) {
		t.ResponseHeaderTimeout = answerBegins
		t.MaxIdleConnsPerHost = 64 // one host serves all accounts of a run
	})
}
