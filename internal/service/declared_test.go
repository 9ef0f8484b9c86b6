package service_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/service"
)

// Registrations contain the effect of an action. The names of AWS's actions
// agree, with some exceptions.
func TestEffects(t *testing.T) {
	w := inMemory(t)
	known := map[string]api.Effect{
		"AssumeRole": api.Issues, "AssumeRoleWithWebIdentity": api.Issues, "AssumeRoleWithSAML": api.Issues,
		"AssumeRoot":      api.Issues,
		"GetSessionToken": api.Issues, "GetFederationToken": api.Issues, "GetWebIdentityToken": api.Issues,
		"DecodeAuthorizationMessage": api.Reads, "SimulatePrincipalPolicy": api.Reads,
		"SimulateCustomPolicy": api.Reads,
		// It starts a job, although on AWS a reader's permission is enough.
		"GenerateCredentialReport": api.Changes,
	}
	for name := range w.API.Actions() {
		_, service := form(name)
		action, ok := w.API.Find(service, name)
		if !ok {
			t.Fatalf("%s is not served", name)
		}
		want, ok := known[name]
		if !ok {
			want = api.Changes
			if strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Describe") {
				want = api.Reads
			}
		}
		if got := action.Effect(); got != want {
			t.Errorf("%s: effect %d, want %d", name, got, want)
		}
	}
}

// A call counts against exactly the quotas in its registration. If one of them
// is used up, the call is refused. If all others are used up, it succeeds.
func TestDeclaredQuotas(t *testing.T) {
	t.Parallel()
	idp := newIssuer(t)
	var mu sync.Mutex
	reached := map[string]bool{
		// The calls contain no private key, and the sentence does not name the
		// quota.
		"CreateSAMLProvider PrivateKeysPerSAMLProvider": true,
		"UpdateSAMLProvider PrivateKeysPerSAMLProvider": true,
		// The calls do not enable role manager.
		"PutAccountProperties RolesPerAccount": true,
	}
	for name, calls := range everyCall(idp) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t,
				service.Config{WebIdentityKeys: map[string]string{issuerURL: idp.URL}, PublicURL: publicURL})
			w.wrap(t, func(action api.Action) func(context.Context, any) (any, error) {
				return func(ctx context.Context, in any) (any, error) {
					return w.callUsedUp(ctx, t, action, in, func(quota string) {
						mu.Lock()
						defer mu.Unlock()
						reached[action.Name+" "+quota] = true
					})
				}
			})
			w.root = w.as(w.root.id, w.root.key)
			calls(t, w)
		})
	}
	w := inMemory(t)
	for _, action := range slices.Sorted(maps.Keys(w.API.Actions())) {
		_, service := form(action)
		a, _ := w.API.Find(service, action)
		for _, q := range a.Quotas() {
			if !reached[action+" "+q.Name] {
				t.Errorf("no call of %s is refused for %s", action, q.Name)
			}
		}
	}
}

// callUsedUp calls an action with each of its quotas used up, and then with all
// others used up. It returns the quotas for which the action is refused.
func (w *world) callUsedUp(
	ctx context.Context, t *testing.T, action api.Action, in any, refused func(quota string),
) (any, error) {
	set := func(value func(quota string) int) {
		limits := map[string]int{}
		for _, name := range identity.LimitNames() {
			limits[name] = value(name)
		}
		if err := w.IAM.SetLimits(t.Context(), account, limits); err != nil {
			t.Error(err)
		}
	}
	for _, q := range action.Quotas() {
		set(func(name string) int {
			if name == q.Name {
				return 0
			}
			return identity.DefaultLimit
		})
		out, err := action.Call(ctx, in)
		var known *awsmodel.Error
		if !errors.As(err, &known) || known.Code != "LimitExceeded" ||
			!strings.Contains(known.Message, " "+q.Name+":") {
			return out, err // the quota does not apply to the request
		}
		refused(q.Name)
	}
	if action.Effect() == api.Changes {
		set(func(name string) int {
			if slices.ContainsFunc(action.Quotas(), func(q api.Quota) bool { return q.Name == name }) {
				return identity.DefaultLimit
			}
			return 0
		})
	}
	return action.Call(ctx, in)
}

// The trail records the members that an action's registration names, and the
// common ones.
func TestDeclaredRecords(t *testing.T) {
	w := inMemory(t)
	for action, c := range map[string]struct{ params, want string }{
		"AssumeRole": {
			everyAction["AssumeRole"].params + "&ExternalId=external&ProvidedContexts.member.1.ProviderArn=" +
				"arn:aws:iam::aws:contextProvider/x&ProvidedContexts.member.1.ContextAssertion=asserted",
			`"externalId":"external","providedContexts":[{"contextAssertion":"asserted",` +
				`"providerArn":"arn:aws:iam::aws:contextProvider/x"}]`,
		},
		"AssumeRoot": {
			everyAction["AssumeRoot"].params,
			`"targetPrincipal":"222222222222","taskPolicyArn":{"arn":"arn:`,
		},
		"AssumeRoleWithSAML": {everyAction["AssumeRoleWithSAML"].params, `"principalArn":"arn:`},
		"AssumeRoleWithWebIdentity": {
			everyAction["AssumeRoleWithWebIdentity"].params + "&ProviderId=www.example.com", `"providerId":"www.example.com"`,
		},
	} {
		w.trail.lines()
		body := "Action=" + action + "&Version=2011-06-15&" + c.params
		r := w.post(t, "/", body)
		w.sign(r, body, w.root, "us-east-1", "sts")
		send(t, r)
		if lines := w.trail.lines(); len(lines) != 1 || !strings.Contains(lines[0], c.want) {
			t.Errorf("%s: record %q, want one with %s", action, lines, c.want)
		}
	}
}
