package enrich

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/rollcalltest"
)

// calls records the actions that a client called.
type calls struct {
	mu  sync.Mutex
	all map[string]bool
	n   int // number of calls
	// deny maps an action, or an action and a user, to the error code that it fails
	// with.
	deny map[string]string
	// each is called before each call. It may be nil.
	each func(action, user string)
}

func (c *calls) client(t *testing.T) *iam.Client {
	return iam.NewFromConfig(rollcalltest.New(t).Config(), func(o *iam.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(
				middleware.InitializeMiddlewareFunc("seen",
					func(ctx context.Context, in middleware.InitializeInput,
						next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
						name := middleware.GetOperationName(ctx)
						c.mu.Lock()
						c.all["iam:"+name] = true
						c.n++
						user := userOf(in.Parameters)
						code := cmp.Or(c.deny[name], c.deny[name+" "+user])
						c.mu.Unlock()
						if c.each != nil {
							c.each(name, user)
						}
						if code != "" {
							return middleware.InitializeOutput{}, middleware.Metadata{},
								&smithy.GenericAPIError{Code: code}
						}
						return next.HandleInitialize(ctx, in)
					}), middleware.Before)
		})
	})
}

// userOf returns the user in the input of a call.
func userOf(in any) string {
	switch in := in.(type) {
	case *iam.ListAccessKeysInput:
		return aws.ToString(in.UserName)
	case *iam.ListMFADevicesInput:
		return aws.ToString(in.UserName)
	}
	return ""
}

func newCalls() *calls { return &calls{all: map[string]bool{}, deny: map[string]string{}} }

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// people creates 25 users. Bob has one of everything.
func people(t *testing.T, c *iam.Client) (bob audit.UserFacts) {
	t.Helper()
	ctx := t.Context()
	for i := range 24 {
		must[*iam.CreateUserOutput](t)(
			c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("user-" + string(rune('a'+i)))}))
	}
	name := aws.String("Bob")
	user := must[*iam.CreateUserOutput](t)(
		c.CreateUser(ctx,
			&iam.CreateUserInput{UserName: name,
				Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("sales")}}})).User
	bob = audit.UserFacts{Created: *user.CreateDate, UserID: *user.UserId, MFA: []audit.MFAFact{},
		Tags: map[string]string{"team": "sales"}}
	for range 2 {
		k := must[*iam.CreateAccessKeyOutput](t)(
			c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})).AccessKey
		bob.Keys = append(bob.Keys, audit.KeyFact{ID: *k.AccessKeyId, Created: *k.CreateDate, Active: true})
	}
	must[*iam.UpdateAccessKeyOutput](t)(
		c.UpdateAccessKey(ctx,
			&iam.UpdateAccessKeyInput{UserName: name, AccessKeyId: &bob.Keys[1].ID, Status: types.StatusTypeInactive}))
	bob.Keys[1].Active = false
	s := must[*iam.CreateServiceSpecificCredentialOutput](t)(
		c.CreateServiceSpecificCredential(ctx,
			&iam.CreateServiceSpecificCredentialInput{UserName: name,
				ServiceName: aws.String("codecommit.amazonaws.com")})).ServiceSpecificCredential
	bob.ServiceCredentials = []audit.ServiceCredentialFact{
		{ID: *s.ServiceSpecificCredentialId, Service: "codecommit.amazonaws.com", Created: *s.CreateDate, Active: true}}
	return bob
}

func mustRead(t *testing.T, r Reading, c *iam.Client) *audit.Enrichment {
	t.Helper()
	return must[*audit.Enrichment](t)(r.Read(t.Context(), c))
}

func ptr[T any](v T) *T { return &v }

// TestRead reads everything about an account from the real service.
func TestRead(t *testing.T) {
	seen := newCalls()
	c := seen.client(t)
	want := people(t, c)
	clear(seen.all)
	got := mustRead(t, Reading{Kinds: Kinds}, c)
	if len(got.Users) != 25 || Missing(got) != "" || got.RootVirtualMFA != audit.No || got.CentralRoot != audit.Unknown {
		t.Errorf("%d users, %+v", len(got.Users), got)
	}
	sorted := func(keys []audit.KeyFact) []audit.KeyFact {
		return slices.SortedFunc(slices.Values(keys), func(a, b audit.KeyFact) int {
			return strings.Compare(a.ID, b.ID)
		})
	}
	bob := got.Users["Bob"]
	bob.Keys, want.Keys = sorted(bob.Keys), sorted(want.Keys)
	if d := gocmp.Diff(want, bob, gocmp.Comparer(func(a, b time.Time) bool { return a.Unix() == b.Unix() })); d != "" {
		t.Error(d)
	}
	// A user without credentials has an empty list, and not none.
	empty := got.Users["user-a"]
	if empty.Keys == nil || empty.MFA == nil || empty.ServiceCredentials == nil || empty.Tags == nil {
		t.Errorf("%+v", empty)
	}
}

// TestPermissions checks that each kind calls exactly the actions that it
// names.
func TestPermissions(t *testing.T) {
	seen := newCalls()
	c := seen.client(t)
	people(t, c)
	for _, k := range Kinds {
		clear(seen.all)
		got := mustRead(t, Reading{Kinds: []Kind{k}}, c)
		want := map[string]bool{}
		for _, p := range k.Permissions() {
			want[p] = true
		}
		if d := gocmp.Diff(want, seen.all); d != "" {
			t.Errorf("%s: %s", k, d)
		}
		bob := got.Users["Bob"]
		if (bob.Keys != nil) != (k == Keys) || (bob.MFA != nil) != (k == MFA) || (bob.Tags != nil) != (k == Tags) ||
			(bob.ServiceCredentials != nil) != (k == ServiceCredentials) {
			t.Errorf("%s: %+v", k, bob)
		}
		if (got.RootVirtualMFA != audit.Unknown) != (k == MFA) {
			t.Errorf("%s: root's MFA is %v", k, got.RootVirtualMFA)
		}
	}
}

func TestDeviceKind(t *testing.T) {
	for serial, want := range map[string]string{
		"arn:aws:iam::123456789012:mfa/bob":                   "virtual",
		"arn:aws-cn:iam::123456789012:mfa/path/bob":           "virtual",
		"arn:aws:iam::123456789012:u2f/user/bob/key-XYZ":      "passkey",
		"arn:aws:iam::123456789012:u2f/root-account/root-XYZ": "passkey",
		"GAHT12345678":                          "hardware",
		"arn:aws:iam::123456789012:sms-mfa/bob": "unknown",
		"":                                      "unknown",
	} {
		if got := DeviceKind(serial); got != want {
			t.Errorf("%q: got %s, want %s", serial, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	got, err := Parse("mfa, keys,mfa")
	if err != nil || !slices.Equal(got, []Kind{MFA, Keys}) {
		t.Error(got, err)
	}
	for _, bad := range []string{"", "groups", "keys,,tags", "Keys"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
