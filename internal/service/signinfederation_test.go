package service_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/signin"
)

func shown(c *ststypes.Credentials) signin.Credentials {
	return signin.Credentials{KeyID: *c.AccessKeyId, Secret: seal.NewSecret(*c.SecretAccessKey),
		Token: seal.NewSecret(*c.SessionToken)}
}

// Credentials of a role and of a federated user begin a session, once. It has
// the same permissions.
func TestFederatedSignIn(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			one, two := twoNodes(t, cfg(t), service.Config{})
			one.person(t, "bob", allowAll)
			bob := one.asUser(t, "bob")
			role := one.role(t, "ops", trusting("bob"))
			must(t, one.root.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: ptr("ops"), PolicyName: ptr("p"),
				PolicyDocument: ptr(allowAll)})
			assumed := must(t, bob.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &role,
				RoleSessionName: ptr("night")}).Credentials
			federated := must(t, bob.sts.GetFederationToken, &sts.GetFederationTokenInput{Name: ptr("mary"),
				Policy: ptr(allowAll)}).Credentials
			for arn, c := range map[string]*ststypes.Credentials{
				"arn:aws:sts::" + account + ":assumed-role/ops/night": assumed,
				"arn:aws:sts::" + account + ":federated-user/mary":    federated,
			} {
				token, err := one.SignIn.SigninToken(t.Context(), here, shown(c), 0)
				if err != nil {
					t.Fatalf("%s: %v", arn, err)
				}
				var session atomic.Pointer[seal.Secret]
				var begun atomic.Int64
				var wg sync.WaitGroup
				for i := range 6 {
					w := []*world{one, two}[i%2]
					wg.Go(func() {
						if step, err := w.SignIn.Federate(t.Context(), here, token); err == nil {
							begun.Add(1)
							session.Store(&step.Token)
						} else if !errors.Is(err, signin.ErrStepGone) {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				if begun.Load() != 1 {
					t.Fatalf("%s: one token begins %d sessions", arn, begun.Load())
				}
				open, err := two.SignIn.Open(t.Context(), *session.Load())
				if err != nil || open.Caller.ARN() != arn || !open.Expires.Equal(*c.Expiration) {
					t.Errorf("%s: %+v, %v", arn, open, err)
				}
				if _, err := two.call(t, *session.Load(), "iam", "ListUsers", &identity.ListUsersInput{}); err != nil {
					t.Errorf("%s: %v", arn, err)
				}
			}
			if text := one.trail.String(); !strings.Contains(text, `"GetSigninToken":"Success"`) ||
				!strings.Contains(text,
					`"MobileVersion":"No"`) {
				t.Error("no record of the token")
			}
			// The role is deleted, and the session ends with it.
			token, err := one.SignIn.SigninToken(t.Context(), here, shown(assumed), 0)
			if err != nil {
				t.Fatal(err)
			}
			step, err := one.SignIn.Federate(t.Context(), here, token)
			if err != nil {
				t.Fatal(err)
			}
			must(t, one.root.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: ptr("ops"), PolicyName: ptr("p")})
			must(t, one.root.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("ops")})
			if two.isOpen(t, step.Token) {
				t.Error("the session of a deleted role continues")
			}
		})
	}
}

func TestRefusedFederation(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.person(t, "bob", allowAll)
	bob := w.asUser(t, "bob")
	arn := w.role(t, "ops", trusting("bob"))
	next := w.role(t, "next", `"Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole"`)
	must(t, w.root.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: ptr("ops"), PolicyName: ptr("p"),
		PolicyDocument: ptr(allowAll)})
	assumed := must(t, bob.sts.AssumeRole,
		&sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")}).Credentials
	chained := must(t, w.asSession(assumed).sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &next,
		RoleSessionName: ptr("night")}).Credentials
	own := must(t, bob.sts.GetSessionToken, &sts.GetSessionTokenInput{}).Credentials
	changed := func(change func(*signin.Credentials)) signin.Credentials {
		c := shown(assumed)
		change(&c)
		return c
	}
	for what, c := range map[string]struct {
		shown signin.Credentials
		lasts time.Duration
		code  string
	}{
		"wrong secret": {changed(func(c *signin.Credentials) { c.Secret = seal.NewSecret("x") }), 0,
			"SignatureDoesNotMatch"},
		"no secret": {changed(func(c *signin.Credentials) { c.Secret = seal.Secret{} }), 0, "SignatureDoesNotMatch"},
		"another's token": {changed(func(c *signin.Credentials) { c.Token = seal.NewSecret(*own.SessionToken) }), 0,
			"InvalidClientTokenId"},
		"unknown key": {changed(func(c *signin.Credentials) {
			c.KeyID, c.Token = "AKIAIOSFODNN7EXAMPLE",
				seal.Secret{}
		}), 0, "InvalidClientTokenId"},
		"a user's key":      {signin.Credentials{KeyID: bob.id, Secret: seal.NewSecret(bob.key)}, 0, "AccessDenied"},
		"a user's session":  {shown(own), 0, "AccessDenied"},
		"too short":         {shown(assumed), 899 * time.Second, "ValidationError"},
		"too long":          {shown(assumed), 43201 * time.Second, "ValidationError"},
		"chained, with one": {shown(chained), time.Hour, "ValidationError"},
		"chained":           {shown(chained), 0, ""},
		"12 hours":          {shown(assumed), 12 * time.Hour, ""},
	} {
		token, err := w.SignIn.SigninToken(t.Context(), here, c.shown, c.lasts)
		if failureCode(err) != c.code {
			t.Errorf("%s: %v", what, err)
		}
		if c.lasts == 12*time.Hour {
			if step, err := w.SignIn.Federate(t.Context(), here, token); err != nil ||
				!step.Expires.Equal(w.clock.Now().Add(c.lasts)) {
				t.Errorf("%s: %+v, %v", what, step, err)
			}
		}
	}
	token, err := w.SignIn.SigninToken(t.Context(), here, shown(assumed), 0)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.advance(15 * time.Minute)
	if _, err := w.SignIn.Federate(t.Context(), here, token); !errors.Is(err, signin.ErrStepGone) {
		t.Errorf("after 15 minutes: %v", err)
	}
}
