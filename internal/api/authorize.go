package api

import (
	"context"
	"fmt"

	"rollcall/internal/access"
	"rollcall/internal/awsmodel"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
)

// Need is one permission that a call needs.
type Need struct {
	// Action is the action that must be allowed, "iam:PassRole"; "" means the
	// action that is called.
	Action    string
	Resources []Resource
	// Keys are the condition keys of this need besides those of every request, by
	// their lower-case names. It may be nil.
	Keys access.Keys
}

// Resource is one thing that an action acts on.
type Resource struct {
	ARN string // "*" for an action on no particular thing
	// Label is the name in a denial, "user bob"; "" means the ARN.
	Label string
	// Keys returns the condition keys of the thing itself: its tags, its permissions
	// boundary. It is called only if a condition needs one. An error refuses the
	// call. It may be nil.
	Keys func(key string) ([]string, error)
}

// authorize decides a call by the policies that apply to its caller.
func (a *API) authorize(ctx context.Context, subject *access.Subject, action *Action, in any) error {
	c := subject.Caller
	if action.free {
		return nil
	}
	if err := sessionMay(c, action); err != nil || action.decides {
		return err
	}
	if unlimited(subject) {
		return nil // for every resource
	}
	needs, err := action.needs(ctx, c, in)
	if err != nil {
		return err
	}
	tags := action.requestKeys(in)
	for i := range needs {
		if err := a.decide(ctx, subject, action, &needs[i], tags); err != nil {
			return err
		}
	}
	return nil
}

// unlimited says whether a caller is root and no policy limits it.
func unlimited(subject *access.Subject) bool {
	p := subject.Policies
	return subject.Caller.IsRoot() && len(p.Control) == 0 && len(p.Session) == 0 && !p.SessionRequired
}

// decide decides one need. It decides each resource separately, because each has
// its own tags.
func (a *API) decide(ctx context.Context, subject *access.Subject, action *Action, need *Need, tags access.Keys) error {
	name := need.Action
	if name == "" {
		name = action.Service + ":" + action.Name
	}
	for i := range need.Resources {
		r := &need.Resources[i]
		var failed error
		own := func(key string) []string {
			if r.Keys == nil || failed != nil {
				return nil
			}
			v, err := r.Keys(key)
			failed = err
			return v
		}
		req := policy.Request{
			Principal: subject.Principal, Action: name, Resources: []string{r.ARN},
			Context: access.Context(subject.Keys(a.now()), need.Keys, own, tags),
		}
		d, err := policy.Evaluate(ctx, req, subject.Policies)
		if failed != nil {
			return failed
		}
		if err != nil {
			return fmt.Errorf("decide %s: %w", name, err)
		}
		if d.Allowed {
			continue
		}
		if !d.Explicit && action.granted != nil && d.Layer == policy.IdentityLayer {
			if ok, err := action.granted(ctx); ok || err != nil {
				return err
			}
		}
		label := r.Label
		if label == "" {
			label = r.ARN
		}
		reason := d
		if action.unexplained {
			reason = policy.Decision{}
		}
		return a.denied(subject, req, policy.DenialText(subject.Caller.ARN(), name, label, reason), d)
	}
	return nil
}

// sessionMay refuses calls that sessions of users can never make, whatever the
// policies say. STS, comparing the STS API operations: GetSessionToken credentials
// call IAM only with MFA, and of STS only AssumeRole and GetCallerIdentity;
// GetFederationToken credentials call neither. GetWebIdentityToken is newer than
// that page. Sessions of users may call it, and federated users get another
// sentence; both are recorded. The other texts are guesses.
func sessionMay(c principal.Caller, action *Action) error {
	session := c.Session()
	if session == nil || c.Kind() == principal.AssumedRole || session.TaskPolicy != "" {
		return nil
	}
	switch {
	case session.SignedIn, action.Service == "organizations":
		return nil // both restrictions are on IAM and STS
	case session.Federated && action.federated != "":
		return awsmodel.Fail("AccessDenied", "%s", action.federated)
	case session.Federated:
	case action.sessions, action.Service == "iam" && !session.MFA.IsZero():
		return nil
	}
	if action.Service == "sts" {
		return awsmodel.Fail("AccessDenied", "Cannot call %s with session credentials", action.Name)
	}
	return awsmodel.Fail("InvalidClientTokenId", "The security token included in the request is invalid")
}
