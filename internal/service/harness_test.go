package service_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/identity"
	"rollcall/internal/requestid/requestidtest"
	"rollcall/internal/sdkhttp"
	"rollcall/internal/seal"
	"rollcall/internal/seal/sealtest"
	"rollcall/internal/server"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
	"rollcall/internal/subprocess"
	"rollcall/internal/trail"
)

const account = "123456789012"

// rootARN is the root user of the account in every world.
const rootARN = "arn:aws:iam::" + account + ":root"

// began is the time at which every test begins, unless it uses the real time.
var began = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// clock moves only when a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
}

// sink receives a trail or a log. Tests can let it fail.
type sink struct {
	subprocess.Buffer
	fail atomic.Bool
}

func (s *sink) Write(p []byte) (int, error) {
	if s.fail.Load() {
		return 0, errors.New("no space left on device")
	}
	return s.Buffer.Write(p)
}

// lines returns the lines since the last call.
func (s *sink) lines() []string { return strings.Split(strings.TrimSuffix(s.Take(), "\n"), "\n") }

// world is the real service on a real listener, with one account.
type world struct {
	*service.Service
	cfg     service.Config
	clock   *clock
	url     string
	trail   *sink
	log     *sink
	rootKey identity.RootKey
	// root has the clients of the account's root user.
	root        clients
	connections *http.Transport // used by all the clients
	end         func()
}

// clients are the SDK's clients with one access key.
type clients struct {
	*iam.Client
	sts           *sts.Client
	organizations *organizations.Client
	id, key       string
}

// each runs a test once on every engine, with a new world each time.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	eachWith(t, service.Config{}, test)
}

// eachWith is each with settings.
func eachWith(t *testing.T, cfg service.Config, test func(t *testing.T, w *world)) {
	t.Helper()
	storetest.EachConfig(t, func(t *testing.T, db store.Config) {
		t.Parallel()
		cfg := cfg
		cfg.Store = db
		test(t, newWorld(t, cfg))
	})
}

// inMemory returns a new world on the engine that starts fastest.
func inMemory(t testing.TB) *world { return newWorld(t, service.Config{}) }

// newWorld starts a service and creates the account. By default the store is in
// memory and time stands still.
func newWorld(t testing.TB, cfg service.Config) *world {
	t.Helper()
	w := start(t, cfg)
	w.rootKey = w.newAccount(t, identity.AccountSpec{ID: account})
	w.root = w.as(w.rootKey.ID, w.rootKey.Secret.Reveal())
	return w
}

// start starts a service on a store, which may contain data already.
func start(t testing.TB, cfg service.Config) *world {
	t.Helper()
	w := &world{clock: &clock{now: began}, trail: &sink{}, log: &sink{}, connections: &http.Transport{}}
	if cfg.Store.Path == "" && cfg.Store.URL == "" {
		cfg.Store.Memory = true
	}
	if cfg.Store.Now == nil {
		cfg.Store.Now = w.clock.Now
	}
	if cfg.Master == nil && cfg.MasterFile == "" {
		cfg.Master = seal.InMemoryMasterKeys()
	}
	if cfg.Trail == nil {
		cfg.Trail = unlimited(w.trail)
	}
	if cfg.Derive == nil {
		cfg.Derive = sealtest.Derive
	}
	var everyLineHasAnID func(testing.TB)
	cfg.Log, everyLineHasAnID = requestidtest.New(w.log)
	t.Cleanup(func() { everyLineHasAnID(t) })
	w.cfg = cfg
	var err error
	if w.Service, err = service.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	w.listen(t)
	return w
}

// listen serves the world's handler until the test ends, or end is called.
func (w *world) listen(t testing.TB) {
	t.Helper()
	l, err := server.Listen("127.0.0.1:0", nil, false)
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, l, w.Handler, w.cfg.Log, 10*time.Second) }()
	w.end = sync.OnceFunc(func() {
		stop()
		for running := true; running; {
			// An open connection that was never used delays the end.
			w.connections.CloseIdleConnections()
			select {
			case err := <-served:
				running = false
				if err != nil {
					t.Errorf("serve: %v", err)
				}
			case <-time.After(5 * time.Millisecond):
			}
		}
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	t.Cleanup(w.end)
}

// unlimited returns a trail that writes the record of every unknown caller, for
// tests that check each.
func unlimited(w io.Writer) *trail.Trail {
	t := trail.New(w)
	t.Strangers = trail.Budget{PerAddress: 1_000_000, Overall: 1_000_000}
	return t
}

func (w *world) newAccount(t testing.TB, spec identity.AccountSpec) identity.RootKey {
	t.Helper()
	n, err := w.IAM.CreateAccount(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return n.RootKey
}

// signer is the SDK's signer with the world's clock.
type signer struct {
	*v4.Signer
	now func() time.Time
}

func (s signer) SignHTTP(
	ctx context.Context, c aws.Credentials, r *http.Request, hash, service, region string, _ time.Time,
	opts ...func(*v4.SignerOptions),
) error {
	return s.Signer.SignHTTP(ctx, c, r, hash, service, region, s.now(), opts...)
}

// as returns clients that sign with a key. They do not retry, and keep no
// connection when the test is over.
func (w *world) as(id, secret string) clients {
	return w.clientsOf(w.sdkConfig(id, secret), id, secret)
}

func (w *world) clientsOf(cfg aws.Config, id, secret string) clients {
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	by := signer{v4.NewSigner(), w.cfg.Store.Now}
	return clients{
		iam.NewFromConfig(cfg, func(o *iam.Options) { o.HTTPSignerV4 = by }),
		sts.NewFromConfig(cfg, func(o *sts.Options) { o.HTTPSignerV4 = by }),
		organizations.NewFromConfig(cfg, func(o *organizations.Options) { o.HTTPSignerV4 = by }),
		id, secret,
	}
}

// user creates a user.
func (w *world) user(t testing.TB, name string) {
	t.Helper()
	must(t, w.root.CreateUser, &iam.CreateUserInput{UserName: &name})
}

// asUser gives a user an access key and returns clients that sign with it.
func (w *world) asUser(t testing.TB, name string) clients {
	t.Helper()
	k := must(t, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: &name}).AccessKey
	return w.as(*k.AccessKeyId, *k.SecretAccessKey)
}

// must sends a call and fails the test on an error.
func must[In, Out, Opt any](
	t testing.TB, call func(context.Context, *In, ...func(*Opt)) (*Out, error), in *In, opts ...func(*Opt),
) *Out {
	t.Helper()
	out, err := call(t.Context(), in, opts...)
	if err != nil {
		t.Fatalf("%T: %v", in, err)
	}
	return out
}

// refused sends a call and fails the test unless it is refused with the given
// error.
func refused[In, Out, Opt any](
	t testing.TB, call func(context.Context, *In, ...func(*Opt)) (*Out, error), in *In,
	status int, code, message string,
) {
	t.Helper()
	_, err := call(t.Context(), in)
	if got, want := failureOf(err), (failure{status, code, message}); got != want {
		t.Errorf("%T:\n got %+v\nwant %+v", in, got, want)
	}
}

// failure is the error that a client sees.
type failure struct {
	status        int
	code, message string
}

func failureOf(err error) failure {
	var f failure
	var api smithy.APIError
	if errors.As(err, &api) {
		f.code, f.message = api.ErrorCode(), api.ErrorMessage()
	} else if err != nil {
		f.message = err.Error()
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		f.status = response.HTTPStatusCode()
	}
	return f
}

// unchecked sends calls without the SDK's own validation.
func unchecked(o *iam.Options) {
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		_, err := s.Initialize.Remove("OperationInputValidation")
		return err
	})
}

// ignoreSDK ignores fields of the SDK's structures that are not AWS's members.
var ignoreSDK = cmp.FilterPath(func(p cmp.Path) bool {
	last := p.Last().String()
	return last == ".noSmithyDocumentSerde" || last == ".ResultMetadata"
}, cmp.Ignore())

// same compares an answer with the expected one, member by member.
func same[T any](t testing.TB, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, ignoreSDK); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func ptr[T any](v T) *T { return &v }

// sdkConfig returns the settings of an SDK client in a real program, with its
// own clock and retries.
func (w *world) sdkConfig(id, secret string) aws.Config {
	return aws.Config{
		Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
		BaseEndpoint: &w.url, HTTPClient: &http.Client{Transport: sdkhttp.Transport(w.connections)},
	}
}

// presigner is the SDK's presigner with the world's clock.
type presigner struct{ w *world }

func (p presigner) PresignHTTP(
	ctx context.Context, c aws.Credentials, r *http.Request, hash, service, region string, _ time.Time,
	opts ...func(*v4.SignerOptions),
) (string, http.Header, error) {
	return v4.NewSigner().PresignHTTP(ctx, c, r, hash, service, region, p.w.cfg.Store.Now(), opts...)
}
