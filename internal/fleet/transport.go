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

// HTTPClient returns the SDK's client with two changes. nil means the SDK's
// default, and a client that is not the SDK's is returned unchanged.
//
// The client does not follow redirects: the SDK would follow one to any host,
// with the signed request.
//
// The client also works with a service that answers at once; see package
// sdkhttp.
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

// answerBegins is the time in which a service must begin its answer.
const answerBegins = 30 * time.Second

// hasty repeats calls as another retryer does, but retries at once if a service
// refuses the connection: it is either just starting, or not there.
type hasty struct{ aws.RetryerV2 }

// refusedDelay is the wait after a refused connection.
const refusedDelay = 150 * time.Millisecond

func (h hasty) RetryDelay(attempt int, err error) (time.Duration, error) {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return refusedDelay, nil
	}
	return h.RetryerV2.RetryDelay(attempt, err)
}

// impatient returns a client that gives up on a service that does not begin to
// answer. It waits for a report that comes slowly.
func impatient(c *awshttp.BuildableClient) *awshttp.BuildableClient {
	return c.WithTransportOptions(func(t *http.Transport) {
		t.ResponseHeaderTimeout = answerBegins
		t.MaxIdleConnsPerHost = 64 // all accounts of a run use one host
	})
}
