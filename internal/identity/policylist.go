package identity

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/managedpolicy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// policyQuery says which managed policies a list contains. The account's own
// come first, then AWS's (recorded), each in order of their names without
// regard to case.
type policyQuery struct {
	own, aws bool
	prefix   string // of the paths
	name     string // the beginning of the names, folded
	// wanted selects policies by their use; nil selects all.
	wanted func(store.Policy, store.PolicyUse) bool
}

// usedPolicy is a policy and its use.
type usedPolicy struct {
	store.Policy
	use store.PolicyUse
}

// maxPolicyName is the maximum length of a policy's name. IAM quotas.
const maxPolicyName = 128

// The keys for continuing lists of policies.
const ownPolicies, awsPolicies = "1", "2"

func (p usedPolicy) key() string {
	if p.Account == "" {
		return awsPolicies + p.NameKey
	}
	return ownPolicies + p.NameKey
}

// policies reads up to limit policies that follow a key.
func (q policyQuery) policies(tx *store.Tx, c principal.Caller, after string, limit int) ([]usedPolicy, error) {
	used, err := tx.PoliciesUsed(c.Account())
	if err != nil {
		return nil, err
	}
	var all []usedPolicy
	add := func(p store.Policy) {
		if u := used[p.ARN]; strings.HasPrefix(p.NameKey, q.name) && (q.wanted == nil || q.wanted(p, u)) {
			all = append(all, usedPolicy{p, u})
		}
	}
	for q.own && !strings.HasPrefix(after, awsPolicies) && len(all) < limit {
		some, err := tx.Policies(c.Account(), strings.TrimPrefix(after, ownPolicies), q.prefix, limit)
		if err != nil {
			return nil, err
		}
		for _, p := range some {
			add(p)
		}
		if len(some) < limit {
			break
		}
		after = ownPolicies + some[len(some)-1].NameKey
	}
	if q.aws {
		for _, p := range managedpolicy.All(c.Partition()) {
			if strings.HasPrefix(p.Path, q.prefix) && awsPolicies+fold(p.Name) > after {
				add(awsPolicy(p, c.Partition()))
			}
		}
	}
	return all[:min(limit, len(all))], nil
}

// ListPoliciesInput is the SDK's input with one member of our own, the one that
// ListUsersInput has.
type ListPoliciesInput struct {
	Marker            *string
	MaxItems          *int32
	OnlyAttached      bool
	PathPrefix        *string
	PolicyUsageFilter types.PolicyUsageType
	Rollcall          *NameSearch `query:"Rollcall"`
	Scope             types.PolicyScopeType
}

// ListPolicies lists managed policies. PathPrefix is a plain prefix, as it is
// for users.
func (s *Service) ListPolicies(ctx context.Context, in *ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
	c := principal.Of(ctx)
	name, err := in.Rollcall.prefix("policy", maxPolicyName)
	if err != nil {
		return nil, err
	}
	q := policyQuery{
		own: in.Scope != types.PolicyScopeTypeAws, aws: in.Scope != types.PolicyScopeTypeLocal,
		prefix: pathOrRoot(in.PathPrefix),
		name:   name,
		wanted: wantedUse(in.OnlyAttached, in.PolicyUsageFilter),
	}
	filter := strings.Join([]string{string(in.Scope), q.prefix, strconv.FormatBool(in.OnlyAttached),
		string(in.PolicyUsageFilter)}, "\x00")
	if name != "" {
		filter += "\x00" + name
	}
	p, err := s.page(c, "ListPolicies", filter, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var policies []usedPolicy
	err = s.db.View(ctx, func(tx *store.Tx) error {
		policies, err = q.policies(tx, c, p.after, p.limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListPoliciesOutput{}
	policies, out.IsTruncated, out.Marker = cut(p, policies, usedPolicy.key)
	out.Policies = make([]types.Policy, len(policies))
	for i, one := range policies {
		out.Policies[i] = policyOut(one.Policy, one.use)
	}
	return out, nil
}

// wantedUse returns the use of a policy that ListPolicies asks for.
// OnlyAttached selects the policies that are attached or used as a boundary.
// PolicyUsageFilter selects among those by the use. The filter alone selects
// all policies (recorded).
func wantedUse(onlyAttached bool, filter types.PolicyUsageType) func(store.Policy, store.PolicyUse) bool {
	switch {
	case !onlyAttached:
		return nil
	case filter == types.PolicyUsageTypePermissionsBoundary:
		return func(_ store.Policy, u store.PolicyUse) bool { return u.Boundaries > 0 }
	case filter == types.PolicyUsageTypePermissionsPolicy:
		return func(_ store.Policy, u store.PolicyUse) bool { return u.Attachments > 0 }
	}
	return func(_ store.Policy, u store.PolicyUse) bool { return u.Attachments+u.Boundaries > 0 }
}
