package policy

import "context"

// AssumeRole decides whether a caller may assume a role: req.Action is
// sts:AssumeRole or a similar action, req.Resources holds the role's ARN.
// caller holds the policies that apply to the caller, trust the role's trust
// policy, and roleAccount the role's account.
//
// The trust policy must allow in every case. If it names the caller itself and
// the role is in the caller's account, that is enough. If it names the caller's
// account, or the role is in another account, the caller's policies must allow
// as well. A service or a federated caller has no policies of its own: only the
// trust policy decides. IAM, cross-account policy evaluation. The error is the
// same as Evaluate's.
func AssumeRole(ctx context.Context, req Request, caller Policies, trust Policy, roleAccount string) (Decision, error) {
	if req.Principal.outside() {
		caller = Policies{}
	}
	caller.Resource = []Policy{trust}
	caller.ResourceAccount = roleAccount
	return evaluate(ctx, req, &caller, TrustLayer)
}
