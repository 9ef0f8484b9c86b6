// Package rollcalltest runs the real Rollcall service inside a test. It is the
// same code as 'rollcall serve' with a store in memory, on HTTP on loopback,
// and it verifies signatures. It starts in milliseconds and ends with the test.
//
//	func TestOnboarding(t *testing.T) {
//		server := rollcalltest.New(t)
//		client := iam.NewFromConfig(server.Config())
//		…
//	}
//
// Tests in other languages can run 'rollcall dev', which is the same service.
package rollcalltest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"rollcall/internal/identity"
	"rollcall/internal/sdkhttp"
	"rollcall/internal/server"
	"rollcall/internal/service"
)

// Options are settings of a Server. The zero value is ready to use.
type Options struct {
	// AccountID is the account's twelve digits; "" means 123456789012.
	AccountID string
	// Alias is the account's alias; "" means none.
	Alias string
	// Partition is aws, aws-cn or aws-us-gov; "" means aws.
	Partition string
	// Limits are quotas that differ from IAM's, by the names that IAM's
	// LimitExceeded errors give them, such as AccessKeysPerUser.
	Limits map[string]int
	// ReportMaxAge is the age up to which a credential report is returned again
	// instead of a new one; 0 means 10 s. It must be longer than the interval
	// at which a client asks whether the report is complete.
	ReportMaxAge time.Duration
	// Now is the service's clock; nil means time.Now. The service uses it to
	// check signatures, so a test that moves the clock must use it for signing
	// too.
	Now func() time.Time
}

// Server is a running service with one account.
type Server struct {
	// URL is the endpoint of both IAM and STS.
	URL string
	// AccountID is the id of its account.
	AccountID string
	// AccessKeyID and SecretAccessKey are the access key of the account's
	// root user.
	AccessKeyID, SecretAccessKey string

	emulator  *service.Emulator
	transport *http.Transport
}

// New starts a service that ends with the test. It takes at most one Options.
func New(t testing.TB, options ...Options) *Server {
	t.Helper()
	if len(options) > 1 {
		t.Fatal("rollcalltest: more than one Options")
	}
	var o Options
	if len(options) == 1 {
		o = options[0]
	}
	s, stop, err := start(o)
	if err != nil {
		t.Fatalf("rollcalltest: %v", err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("rollcalltest: %v", err)
		}
	})
	return s
}

func start(o Options) (*Server, func() error, error) {
	ctx := context.Background()
	if o.AccountID == "" {
		o.AccountID = "123456789012"
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	link := "http://" + l.Addr().String()
	emulator, err := service.OpenEmulator(ctx, service.EmulatorConfig{
		Account: identity.AccountSpec{ID: o.AccountID, Alias: o.Alias, Partition: o.Partition, Limits: o.Limits},
		Report:  identity.ReportConfig{MaxAge: o.ReportMaxAge}, Now: o.Now,
		PublicURL: link,
	})
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	s := &Server{
		URL: link, AccountID: emulator.Account.ID,
		AccessKeyID: emulator.RootKey.ID, SecretAccessKey: emulator.RootKey.Secret.Reveal(),
		emulator: emulator, transport: &http.Transport{MaxIdleConnsPerHost: 16},
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l, emulator, slog.New(slog.DiscardHandler), 10*time.Second) }()
	stop := func() error {
		s.transport.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			return err
		}
		return emulator.Close()
	}
	return s, stop, nil
}

// Config returns the configuration for clients of the AWS SDK for Go: the
// endpoint, a region, and the root user's credentials.
func (s *Server) Config() aws.Config { return s.ConfigFor(s.AccessKeyID, s.SecretAccessKey) }

// ConfigFor is Config for another access key of the account.
func (s *Server) ConfigFor(accessKeyID, secretAccessKey string) aws.Config {
	return aws.Config{
		BaseEndpoint: aws.String(s.URL),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider(accessKeyID, secretAccessKey, ""),
		HTTPClient:   &http.Client{Transport: sdkhttp.Transport(s.transport)},
	}
}

// Reset empties the service: only the account and its root user's key remain,
// as at the start.
func (s *Server) Reset(t testing.TB) {
	t.Helper()
	if err := s.emulator.Reset(t.Context()); err != nil {
		t.Fatalf("rollcalltest: %v", err)
	}
}
