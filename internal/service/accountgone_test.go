package service_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/api"
	"rollcall/internal/identity"
	"rollcall/internal/server"
	"rollcall/internal/store"
)

// gone is the answer for keys of a deleted account.
var gone = failure{403, "InvalidClientTokenId", "The security token included in the request is invalid."}

// creates returns calls of a root user that create something and need nothing
// else. %d is a number that makes names unique.
func creates(t testing.TB, w *world) []string {
	metadata := *samlMetadata(*certificate(t, w, "idp"))
	forms := []string{
		"CreateUser&UserName=u%d", "CreateGroup&GroupName=g%d", "CreateAccessKey",
		"CreateAccountAlias&AccountAlias=alias-%d",
		"CreateRole&RoleName=r%d&AssumeRolePolicyDocument=" + url.QueryEscape(trustsEC2),
		"CreatePolicy&PolicyName=p%d&PolicyDocument=" +
			url.QueryEscape(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`),
		"CreateInstanceProfile&InstanceProfileName=i%d", "CreateVirtualMFADevice&VirtualMFADeviceName=m%d",
		"CreateOpenIDConnectProvider&ThumbprintList.member.1=" + strings.Repeat("a", 40) + "&Url=" +
			url.QueryEscape("https://idp%d.example.com"),
		"CreateSAMLProvider&Name=s%d&SAMLMetadataDocument=" + url.QueryEscape(metadata),
		"CreateServiceLinkedRole&AWSServiceName=autoscaling.amazonaws.com&CustomSuffix=x%d",
		"UpdateAccountPasswordPolicy&MinimumPasswordLength=9", "GenerateCredentialReport",
		"GenerateServiceLastAccessedDetails&Arn=" + url.QueryEscape(readOnly),
	}
	return forms
}

// createForm fills in the number in a text of creates.
func createForm(text string, n int) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "%25d", "%d"), "%d", fmt.Sprint(n))
	return "Version=" + iamVersion + "&Action=" + text
}

// If an account is deleted between a call's authorization and its change, the
// call is refused like the next one.
func TestAccountDeletedDuringCall(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var before func()
		w.hook(t, func(context.Context, api.Action) { before() })
		for i, text := range creates(t, w) {
			id := fmt.Sprintf("2%011d", i)
			key := w.newAccount(t, identity.AccountSpec{ID: id})
			before = func() {
				if err := w.IAM.DeleteAccount(t.Context(), id); err != nil {
					t.Error(err)
				}
			}
			if a := w.rawAs(t, createForm(text, i), w.as(key.ID, key.Secret.Reveal())); a.failure != gone {
				t.Errorf("%.40s: %+v", text, a.failure)
			}
		}
	})
}

// hook calls a function before each action, once the call is authorized.
func (w *world) hook(t testing.TB, before func(context.Context, api.Action)) {
	t.Helper()
	w.wrap(t, func(action api.Action) func(context.Context, any) (any, error) {
		return func(ctx context.Context, in any) (any, error) {
			before(ctx, action)
			return action.Call(ctx, in)
		}
	})
}

// wrap calls another function instead of each action, once the call is
// authorized.
func (w *world) wrap(t testing.TB, instead func(api.Action) func(context.Context, any) (any, error)) {
	t.Helper()
	var actions []api.Action
	for name := range w.API.Actions() {
		for _, service := range []string{"iam", "sts", "organizations"} {
			if action, ok := w.API.Find(service, name); ok {
				call := instead(action)
				action.Call = call
				actions = append(actions, action)
			}
		}
	}
	funnel := api.New(actions, w.IAM.Access(), w.cfg.Trail, slog.New(slog.DiscardHandler), w.clock.Now)
	funnel.ExplainDenials(w.IAM.SealMessage)
	s := httptest.NewServer(server.New(server.Config{
		API: funnel, Lookup: w.IAM.SigningKey, Used: func(string, store.LastUsed) {}, Now: w.clock.Now,
		Public: w.IAM.IssuerDocument,
	}))
	t.Cleanup(s.Close)
	w.url = s.URL
}

// rawAs sends a signed form with a client's key.
func (w *world) rawAs(t testing.TB, form string, c clients) answer {
	r := w.post(t, "/", form)
	w.sign(r, form, c, "us-east-1", "iam")
	return send(t, r)
}

// If an account is deleted while its keys create things, the keys become
// invalid and none of the things stays.
func TestCreatesRaceWithDeleteAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		texts := creates(t, w)
		texts = texts[:len(texts)-1] // the last one creates no resource
		for round := range 4 {
			id := fmt.Sprintf("3%011d", round)
			key := w.newAccount(t, identity.AccountSpec{ID: id})
			who := w.as(key.ID, key.Secret.Reveal())
			var wait sync.WaitGroup
			for worker := range 6 {
				wait.Go(func() {
					for n := worker * 100_000; n < worker*100_000+60; n++ {
						a := w.rawAs(t, createForm(texts[n%len(texts)], n), who)
						if a.status == 403 {
							if a.failure != gone {
								t.Errorf("%+v", a.failure)
							}
							return
						}
						if a.status >= 500 {
							t.Errorf("%.40s: %+v", texts[n%len(texts)], a.failure)
							return
						}
					}
				})
			}
			time.Sleep(time.Duration(10+10*round) * time.Millisecond)
			// PostgreSQL may prefer the others for a while.
			err := w.IAM.DeleteAccount(t.Context(), id)
			for try := 0; err != nil && try < 50; try++ {
				err = w.IAM.DeleteAccount(t.Context(), id)
			}
			if err != nil {
				t.Error(err)
			}
			wait.Wait()
		}
		if log := w.log.String(); strings.Contains(log, "internal error") {
			t.Error(log)
		}
	})
}
