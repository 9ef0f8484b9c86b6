package identity_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/seal/sealtest"
	"rollcall/internal/sigv4"
	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

const account = "123456789012"

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

// began is the time at which every test begins.
var began = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// world is a service on an empty store with one account.
type world struct {
	*identity.Service
	db     *store.DB
	master *seal.MasterKeys
	clock  *clock
	// root is the context of calls that the account's root user signs.
	root    context.Context
	rootKey identity.RootKey
}

// each runs a test once on every engine, with a new world each time.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) { test(t, newWorld(t, cfg, identity.Config{})) })
}

func newWorld(t testing.TB, db store.Config, cfg identity.Config) *world {
	t.Helper()
	w := &world{clock: &clock{now: began}, master: seal.InMemoryMasterKeys()}
	db.Now = w.clock.Now
	w.db = storetest.Open(t, db)
	cfg.DB, cfg.Master, cfg.Derive = w.db, w.master, sealtest.Derive
	var err error
	if w.Service, err = identity.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.rootKey = w.newAccount(t, account)
	w.root = w.as(t, w.rootKey.ID, w.rootKey.Secret.Reveal())
	return w
}

func (w *world) newAccount(t testing.TB, id string) identity.RootKey {
	t.Helper()
	n, err := w.CreateAccount(t.Context(), identity.AccountSpec{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return n.RootKey
}

// as returns the context of calls that are signed with a key.
func (w *world) as(t testing.TB, keyID, secret string) context.Context {
	t.Helper()
	v, err := w.verify(t, keyID, secret)
	if err != nil {
		t.Fatal(err)
	}
	return principal.With(t.Context(), principal.Signed(v))
}

// verify signs a request with a key and returns its verified signer.
func (w *world) verify(t testing.TB, keyID, secret string) (sigv4.Verified[principal.Signer], error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "https://iam.amazonaws.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	sigv4test.Sign(r, nil, sigv4test.Credentials{AccessKeyID: keyID, SecretAccessKey: secret},
		"us-east-1", "iam", w.clock.Now())
	v := sigv4.Verifier[principal.Signer]{Lookup: w.SigningKey, Now: w.clock.Now, Services: []string{"iam", "sts"}}
	return v.Verify(r, nil)
}

// user creates a user.
func (w *world) user(t testing.TB, name string) {
	t.Helper()
	must(t, w.root, w.CreateUser, &iam.CreateUserInput{UserName: &name})
}

// asUser gives a user an access key and returns the context of the user's
// calls.
func (w *world) asUser(t testing.TB, name string) context.Context {
	t.Helper()
	k := must(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: &name}).AccessKey
	return w.as(t, *k.AccessKeyId, *k.SecretAccessKey)
}

// call treats a decoded request as the edge does: it runs the model's checks,
// then the action.
func call[In, Out any](ctx context.Context, action func(context.Context, *In) (*Out, error), in *In) (*Out, error) {
	op := strings.TrimSuffix(reflect.TypeFor[In]().Name(), "Input")
	if err := awsmodel.Check(op, in); err != nil {
		return nil, err
	}
	return action(ctx, in)
}

// must calls an action and fails the test on an error.
func must[In, Out any](
	t testing.TB, ctx context.Context, action func(context.Context, *In) (*Out, error), in *In,
) *Out {
	t.Helper()
	out, err := call(ctx, action, in)
	if err != nil {
		t.Fatalf("%T: %v", in, err)
	}
	return out
}

// refused calls an action and fails the test unless it returns the given error.
func refused[In, Out any](
	t testing.TB, ctx context.Context, action func(context.Context, *In) (*Out, error), in *In,
	status int, code, message string,
) {
	t.Helper()
	out, err := call(ctx, action, in)
	wantRefusal(t, err, status, code, message)
	if err != nil && out != nil && !reflect.ValueOf(*out).IsZero() {
		t.Errorf("%T: an answer beside the error: %+v", in, out)
	}
}

func wantRefusal(t testing.TB, err error, status int, code, message string) {
	t.Helper()
	var e *awsmodel.Error
	if !errors.As(err, &e) {
		t.Errorf("error %v, want %s", err, code)
		return
	}
	if e.Status() != status || e.Code != code || e.Message != message {
		t.Errorf("%d %s %q\nwant %d %s %q", e.Status(), e.Code, e.Message, status, code, message)
	}
}

func ptr[T any](v T) *T { return &v }
