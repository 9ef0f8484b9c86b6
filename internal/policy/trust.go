package policy

import "context"

// AssumeRole decides whether a caller may take a role: req.Action is
// sts:AssumeRole or one of its kin, req.Resources the role's ARN. caller are
// the policies that reach the caller, trust is the role's, roleAccount its
// account.
//
// The trust policy must allow in every case. Where it names the caller itself
// and the role is of the caller's account, that is enough. Where it names the
// caller's account, or the role is of another account, the caller's policies
// must allow as well. A service or a federated caller has no policies of its
// own: the trust policy alone decides. IAM, cross-account policy evaluation.
// The error is as Evaluate's.
func AssumeRole(ctx context.Context, req Request, caller Policies, trust Policy, roleAccount string) (Decision, error) {
	if req.Principal.outside() {
		caller = Policies{}
	}
	caller.Resource = []Policy{trust}
	caller.ResourceAccount = roleAccount
	return evaluate(ctx, req, &caller, TrustLayer)
}
