package service_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/service"
)

// sessionOf creates a session of a caller, and returns its clients.
func (w *world) sessionOf(t *testing.T, c clients) clients {
	t.Helper()
	return w.asSession(must(t, c.sts.GetSessionToken, &sts.GetSessionTokenInput{}).Credentials)
}

// More sessions or keys do not give a caller more calls.
func TestThrottlingOfSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{Rate: 0.5, Burst: 5})
	w.clock.advance(time.Minute)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	first, second := w.sessionOf(t, ann), w.sessionOf(t, ann)
	for _, c := range []clients{first, second, ann} {
		must(t, c.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
	}
	for _, c := range []clients{first, second, ann, w.asUser(t, "Ann")} {
		refused(t, c.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 400, "Throttling", "Rate exceeded")
	}
	// Others are not delayed.
	w.user(t, "Bob")
	must(t, w.asUser(t, "Bob").sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
}

// All callers of an account count together, but other accounts do not.
func TestThrottlingOfAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{AccountRate: 0.5, AccountBurst: 4})
	w.clock.advance(time.Minute)
	w.user(t, "Ann")          // 1
	ann := w.asUser(t, "Ann") // 2
	must(t, ann.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
	must(t, w.root.GetUser, &iam.GetUserInput{})
	for _, c := range []clients{ann, w.root} {
		refused(t, c.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 400, "Throttling", "Rate exceeded")
	}
	other := w.newAccount(t, emptySpec)
	must(t, w.as(other.ID, other.Secret.Reveal()).GetUser, &iam.GetUserInput{})
}

// Refused requests of an address use up its tokens. Verified ones of the same
// address neither use nor need any.
func TestThrottlingOfStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{StrangerRate: 0.5, StrangerBurst: 3})
	w.clock.advance(time.Minute)
	for range 10 {
		must(t, w.root.GetUser, &iam.GetUserInput{})
	}
	body := call("GetUser", "")
	unsigned := func() answer { return send(t, w.post(t, "/", body)) }
	unknown := func() answer {
		r := w.post(t, "/", body)
		w.sign(r, body, clients{id: "AKIAIOSFODNN7EXAMPLE", key: "x"}, "us-east-1", "iam")
		return send(t, r)
	}
	saml := func() answer {
		return send(t, w.post(t, "/", "Action=AssumeRoleWithSAML&Version="+stsVersion+
			"&RoleArn=arn:aws:iam::123456789012:role/r&PrincipalArn=arn:aws:iam::123456789012:saml-provider/p&"+
			"SAMLAssertion=AAAA"))
	}
	wants(t, unsigned(), 403, "MissingAuthenticationToken", "Request is missing Authentication Token")
	wants(t, unknown(), 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
	if a := saml(); a.status != 400 && a.status != 403 {
		t.Errorf("%d %s", a.status, a.body)
	}
	for name, again := range map[string]func() answer{"unsigned": unsigned, "unknown key": unknown, "SAML": saml} {
		a := again()
		if wants(t, a, 400, "Throttling", "Rate exceeded"); a.header.Get("X-Amz-Retry-After") == "" {
			t.Errorf("%s: no time to wait", name)
		}
	}
	must(t, w.root.GetUser, &iam.GetUserInput{})
	w.clock.advance(2 * time.Second)
	wants(t, unsigned(), 403, "MissingAuthenticationToken", "Request is missing Authentication Token")
}
