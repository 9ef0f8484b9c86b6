package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/access"
	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
	"rollcall/internal/sigv4"
	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// caller returns a caller who signed a request.
func caller(t testing.TB, u store.User) principal.Caller {
	t.Helper()
	r, err := http.NewRequest("POST", "https://iam.amazonaws.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	key := sigv4test.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE",
		SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	sigv4test.Sign(r, nil, key, "us-east-1", "iam", time.Now())
	v := sigv4.Verifier[principal.Signer]{Services: []string{"iam"},
		Lookup: func(context.Context, string, string) ([]byte, principal.Signer, error) {
			return []byte(key.SecretAccessKey), principal.Signer{Owner: store.Owner{Partition: "aws", User: u}},
				nil
		}}
	verified, err := v.Verify(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return principal.Signed(verified)
}

// signed returns a caller who signed a request, as a pointer.
func signed(t testing.TB, u store.User) *principal.Caller {
	c := caller(t, u)
	return &c
}

var (
	root = store.User{Account: "123456789012", ID: "123456789012"}
	ann  = store.User{Account: "123456789012", NameKey: "ann", Name: "Ann", Path: "/x/", ID: "AIDA"}
)

func ptr[T any](v T) *T { return &v }

// people returns an authorizer for root and ann, who has no policies.
func people(t testing.TB) *access.Access {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.InsertAccount(store.Account{ID: root.Account, Partition: "aws"}),
			tx.InsertUser(root), tx.InsertUser(ann))
	})
	if err != nil {
		t.Fatal(err)
	}
	return access.New(db)
}

// getUser returns an action that ends with err, and counts its calls.
func getUser(calls *int, err error, parts ...api.Part) api.Action {
	named := api.ByMembers(func(_ context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		name := v[0]
		if name == "" {
			name = c.UserName()
		}
		return []api.Resource{{ARN: api.IAMARN(c, "user", "/"+name), Label: "user " + name}}, nil
	}, "UserName")
	return api.Bind(func(ctx context.Context, _ *iam.GetUserInput) (*iam.GetUserOutput, error) {
		*calls++
		_ = principal.Of(ctx) // panics without one
		return &iam.GetUserOutput{}, err
	}, api.Reads, append(parts, api.On(named))...)
}

func TestInvoke(t *testing.T) {
	secret := errors.New("connect to postgres://user:password@host")
	for name, c := range map[string]struct {
		user  store.User
		err   error // of the action
		in    iam.GetUserInput
		want  string
		calls int
	}{
		"answered": {root, nil, iam.GetUserInput{}, "", 1},
		"refused":  {root, awsmodel.Fail("NoSuchEntity", "gone"), iam.GetUserInput{}, "NoSuchEntity: gone", 1},
		"failed": {root, secret, iam.GetUserInput{},
			"ServiceFailure: The request processing has failed because of an unknown error, exception or failure.", 1},
		"denied": {ann, nil, iam.GetUserInput{UserName: ptr("bob")},
			"AccessDenied: User: arn:aws:iam::123456789012:user/x/Ann is not authorized to perform: iam:GetUser on " +
				"resource: user bob because no identity-based policy allows the iam:GetUser action", 0},
		"denied on self": {ann, nil, iam.GetUserInput{},
			"AccessDenied: User: arn:aws:iam::123456789012:user/x/Ann is not authorized to perform: iam:GetUser on " +
				"resource: user Ann because no identity-based policy allows the iam:GetUser action", 0},
		"invalid, denied": {ann, nil, iam.GetUserInput{UserName: ptr("")},
			"ValidationError: 1 validation error detected: Value at 'userName' failed to satisfy constraint: Member " +
				"must have length greater than or equal to 1", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var records, log bytes.Buffer
			var calls int
			a := api.New([]api.Action{getUser(&calls, c.err)}, people(t), trail.New(&records),
				slog.New(slog.NewTextHandler(&log, nil)), time.Now)
			action, ok := a.Find("iam", "GetUser")
			if !ok {
				t.Fatal("Find does not find GetUser")
			}
			out, refused := a.Invoke(t.Context(), signed(t, c.user), action, &c.in, api.Call{RequestID: "the-request"})
			got := ""
			if refused != nil {
				got = refused.Error()
			}
			if got != c.want || calls != c.calls || (out != nil) != (refused == nil) {
				t.Errorf("%d calls, answer %v, refused %q\nwant %d calls, %q", calls, out, got, c.calls, c.want)
			}
			if n := strings.Count(records.String(), "\n"); n != 1 ||
				!strings.Contains(records.String(), "the-request") {
				t.Errorf("%d records: %s", n, &records)
			}
			if strings.Contains(got+records.String(), "password") {
				t.Error("an answer contains text that is only for the log")
			}
			if hasText := strings.Contains(log.String(), "the-request"); hasText != (c.err == secret) {
				t.Errorf("log %q", &log)
			}
		})
	}
}

// The log blames the database only for its own failures.
func TestLogOfTemporaryFailures(t *testing.T) {
	for want, err := range map[string]error{
		"database unavailable": fmt.Errorf("%w: %w", store.ErrUnavailable, context.DeadlineExceeded),
		"request out of time":  fmt.Errorf("hash password: %w", context.DeadlineExceeded),
	} {
		var log bytes.Buffer
		a := api.New([]api.Action{getUser(new(int), err)}, people(t), trail.New(io.Discard),
			slog.New(slog.NewTextHandler(&log, nil)), time.Now)
		action, _ := a.Find("iam", "GetUser")
		_, refused := a.Invoke(t.Context(), signed(t, root), action, &iam.GetUserInput{}, api.Call{})
		if refused == nil || refused.Code != "ServiceUnavailable" || !strings.Contains(log.String(), want) {
			t.Errorf("%v: %v, log %q, want %q", err, refused, &log, want)
		}
	}
}

// An action that panics has changed nothing, or only its finished transaction.
// The call is answered and recorded like any failed call.
func TestInvokePanic(t *testing.T) {
	var records, log bytes.Buffer
	action := api.Bind(func(context.Context, *iam.GetUserInput) (*iam.GetUserOutput, error) { panic("secret") },
		api.Reads, api.On(api.Everything))
	a := api.New([]api.Action{action}, people(t), trail.New(&records),
		slog.New(slog.NewTextHandler(&log, nil)), time.Now)
	out, refused := a.Invoke(t.Context(), signed(t, root), action, &iam.GetUserInput{},
		api.Call{RequestID: "the-request"})
	if out != nil || refused == nil || refused.Code != "ServiceFailure" || strings.Contains(refused.Message, "secret") {
		t.Errorf("answer %v, refused %v", out, refused)
	}
	if text := records.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "ServiceFailure") ||
		strings.Contains(text, "secret") {
		t.Errorf("records: %s", text)
	}
	if !strings.Contains(log.String(), "GetUser: panic: secret") {
		t.Errorf("log: %s", &log)
	}
}

func TestGranted(t *testing.T) {
	var calls int
	for _, c := range []struct {
		granted bool
		err     error
		want    string
	}{{true, nil, ""}, {false, nil, "AccessDenied"}, {false, errors.New("down"), "ServiceFailure"}} {
		action := getUser(&calls, nil, api.Granted(func(context.Context) (bool, error) { return c.granted, c.err }))
		a := api.New([]api.Action{action}, people(t), trail.New(io.Discard), slog.New(slog.DiscardHandler), time.Now)
		calls = 0
		_, refused := a.Invoke(t.Context(), signed(t, ann), action, &iam.GetUserInput{}, api.Call{})
		got := ""
		if refused != nil {
			got = refused.Code
		}
		if got != c.want || calls != map[bool]int{true: 1}[c.granted] {
			t.Errorf("granted %t, %v: %d calls, %q", c.granted, c.err, calls, got)
		}
	}
}

// An invalid list is found at the start.
func TestNewRefuses(t *testing.T) {
	var calls int
	twice := getUser(&calls, nil)
	for name, actions := range map[string][]api.Action{"twice": {twice, twice},
		"not bound": {{Operation: twice.Operation}}} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("the list is taken")
				}
			}()
			api.New(actions, nil, trail.New(io.Discard), slog.New(slog.DiscardHandler), time.Now)
		})
	}
}
