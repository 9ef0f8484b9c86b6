package identity

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/servicecatalog"
	"rollcall/internal/store"
)

// simulation holds the simulated caller and the policies that decide.
type simulation struct {
	caller  policy.Principal
	context policy.Context
	// given is context without the placeholders for missing keys.
	given    policy.Context
	identity []sourcePolicy
	boundary []sourcePolicy
	resource []sourcePolicy
	// control are the policies over the account, by levels. Each level must
	// allow. organized says that the answer mentions them.
	control   [][]sourcePolicy
	organized bool
	// owner is the account of the resources, if the request contains a resource
	// policy.
	owner string

	// missing are the keys that the policies use and the request does not
	// contain, once they have been computed. Every implicit denial lists them.
	missing []string
	// statements caches statements in the form of answers.
	statements map[toldStatement]types.Statement
	room       answerRoom
}

// The decisions of a simulation, the most restrictive first.
const (
	explicitDeny = types.PolicyEvaluationDecisionTypeExplicitDeny
	implicitDeny = types.PolicyEvaluationDecisionTypeImplicitDeny
	allowed      = types.PolicyEvaluationDecisionTypeAllowed
)

// The kinds of policies in answers. They are recorded, although the model's
// enum has other words.
const (
	iamPolicy      = "IAM Policy"
	resourcePolicy = "Resource Policy"
	boundaryPolicy = "Permissions Boundary Policy"
)

// layers returns the kinds of policies that answers mention, in order.
func (sim *simulation) layers() []simulatedLayer {
	return []simulatedLayer{{resourcePolicy, sim.resource}, {iamPolicy, sim.identity}, {boundaryPolicy, sim.boundary}}
}

type simulatedLayer struct {
	kind     string
	policies []sourcePolicy
}

// simulated is the answer for an action on one resource.
type simulated struct {
	decision       types.PolicyEvaluationDecisionType
	matched        []types.Statement
	missing        []string
	details        map[string]types.PolicyEvaluationDecisionType
	byOrganization bool
	byBoundary     *types.PermissionsBoundaryDecisionDetail // nil if no boundary applies
}

// on simulates an action on one resource.
func (sim *simulation) on(ctx context.Context, action, resource string) (simulated, error) {
	req := policy.Request{
		Principal: sim.caller, Action: action, Resources: []string{resource}, Context: sim.context, Simulated: true,
	}
	out := simulated{
		decision: implicitDeny, matched: []types.Statement{}, missing: []string{}, byOrganization: true,
		details: map[string]types.PolicyEvaluationDecisionType{},
	}
	for _, level := range sim.control {
		// If the organisation denies, a simulation ends. IAM EvaluationResult.
		var err error
		if out.decision, _, err = decisionOf(ctx, req, resource, level); err != nil || out.decision != allowed {
			out.byOrganization = false
			return out, err
		}
	}
	decided := map[string]types.PolicyEvaluationDecisionType{}
	matches := map[string][]policy.Match{}
	for _, l := range sim.layers() {
		if len(l.policies) == 0 && l.kind != iamPolicy {
			continue
		}
		decision, statements, err := decisionOf(ctx, req, resource, l.policies)
		if err != nil {
			return out, err
		}
		decided[l.kind], matches[l.kind] = decision, statements
		if l.kind == boundaryPolicy {
			out.byBoundary = &types.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: decision == allowed}
		}
	}
	if sim.elsewhere() {
		out.details = decided
	}
	if out.decision = sim.together(decided); out.decision == implicitDeny {
		var err error
		out.missing, err = sim.missingKeys(ctx, req)
		return out, err
	}
	for _, l := range sim.layers() {
		// A boundary grants nothing, so only its denials are decisive.
		if decided[l.kind] != out.decision || l.kind == boundaryPolicy && out.decision == allowed {
			continue
		}
		told, err := sim.statementsOut(ctx, l, matches[l.kind])
		if err != nil {
			return out, err
		}
		out.matched = append(out.matched, told...)
	}
	return out, nil
}

// elsewhere says whether the resources belong to another account.
func (sim *simulation) elsewhere() bool { return sim.owner != "" && sim.owner != sim.caller.Account }

// together returns the combined decision of all kinds of policies. Within an
// account a resource policy is sufficient, even if it names only the account
// and whatever the boundary excludes. That is recorded, and more generous than
// for a real call. Between accounts all must allow.
func (sim *simulation) together(
	decided map[string]types.PolicyEvaluationDecisionType,
) types.PolicyEvaluationDecisionType {
	byIdentity := allowed
	for kind, d := range decided {
		if d == explicitDeny {
			return explicitDeny
		}
		if kind != resourcePolicy {
			byIdentity = stricter(byIdentity, d)
		}
	}
	byResource, asked := decided[resourcePolicy]
	switch {
	case !asked:
		return byIdentity
	case sim.elsewhere():
		return stricter(byIdentity, byResource)
	case byResource == allowed:
		return allowed
	}
	return byIdentity
}

// missingKeys returns the keys that the policies use, in any statement, and
// that the request does not contain. Recorded.
func (sim *simulation) missingKeys(ctx context.Context, req policy.Request) ([]string, error) {
	if sim.missing != nil {
		return sim.missing, nil
	}
	req.Context = sim.given
	var asked []sourcePolicy
	for _, l := range sim.layers() {
		asked = append(asked, l.policies...)
	}
	keys, err := policy.Missing(ctx, req, policies(asked))
	if err != nil {
		return nil, err
	}
	sim.missing = append([]string{}, keys...)
	return sim.missing, nil
}

// decisionOf returns the decision of the policies of one kind on their own, and
// the statements that caused it. If any denies, they are only the denials.
func decisionOf(
	ctx context.Context, req policy.Request, resource string, list []sourcePolicy,
) (types.PolicyEvaluationDecisionType, []policy.Match, error) {
	matches, err := policy.Matching(ctx, req, resource, policies(list))
	if err != nil {
		return implicitDeny, nil, err
	}
	var allows, denies []policy.Match
	for _, m := range matches {
		if m.Statement.Effect == policy.Deny {
			denies = append(denies, m)
		} else {
			allows = append(allows, m)
		}
	}
	switch {
	case len(denies) > 0:
		return explicitDeny, denies, nil
	case len(allows) > 0:
		return allowed, allows, nil
	}
	return implicitDeny, nil, nil
}

// result simulates an action on all resources. The result is the most
// restrictive one, and lists every statement that decided on a resource. IAM
// EvaluationResult.
func (sim *simulation) result(ctx context.Context, action string, resources []string) (types.EvaluationResult, error) {
	everything := !isExplicit(resources)
	if everything {
		resources = []string{"*"}
	}
	about, known := servicecatalog.FindAction(action)
	out := types.EvaluationResult{
		EvalActionName: &action, EvalResourceName: resourceName(about, known, resources), EvalDecision: allowed,
		MatchedStatements: []types.Statement{}, MissingContextValues: []string{},
	}
	byOrganization, matched, missing := true, map[statementKey]bool{}, map[string]bool{}
	for _, resource := range resources {
		s := unfit
		var err error
		if !known || about.Fits(resource) {
			s, err = sim.on(ctx, action, resource)
		}
		if errors.Is(err, policy.ErrTooCostly) {
			err = errSimulationTooLarge
		}
		if err != nil {
			return out, err
		}
		byOrganization = byOrganization && s.byOrganization
		if b := out.PermissionsBoundaryDecisionDetail; b == nil ||
			b.AllowedByPermissionsBoundary && s.byBoundary != nil {
			out.PermissionsBoundaryDecisionDetail = s.byBoundary
		}
		out.EvalDecision = stricter(out.EvalDecision, s.decision)
		out.MatchedStatements = union(matched, out.MatchedStatements, s.matched)
		out.MissingContextValues = unionOfKeys(missing, out.MissingContextValues, s.missing)
		if !sim.room.take(action, resource, s) {
			return out, errSimulationTooLarge
		}
		if everything {
			if len(s.details) > 0 {
				out.EvalDecisionDetails = s.details
			}
			continue
		}
		out.EvalDecisionDetails = strictest(out.EvalDecisionDetails, s.details)
		out.ResourceSpecificResults = append(out.ResourceSpecificResults, specific(resource, s))
	}
	slices.Sort(out.MissingContextValues)
	if sim.organized {
		out.OrganizationsDecisionDetail = &types.OrganizationsDecisionDetail{AllowedByOrganizations: byOrganization}
	}
	return out, nil
}

// unfit is the answer for a resource that an action never applies to. No policy
// is evaluated. Recorded.
var unfit = simulated{
	decision: implicitDeny, details: map[string]types.PolicyEvaluationDecisionType{}, byOrganization: true,
}

// isExplicit says whether the request names resources.
func isExplicit(resources []string) bool {
	return len(resources) > 0 && !slices.Equal(resources, []string{"*"})
}

// resourceName returns the name of all resources in an answer: the only one, or
// for several the form of the service's ARNs. It is empty if the service has no
// such form. Recorded.
func resourceName(about servicecatalog.Action, known bool, resources []string) *string {
	switch {
	case len(resources) == 1:
		return &resources[0]
	case !known:
		return ptr("*")
	case about.Service.Format == "":
		return nil
	}
	partition := strings.SplitN(resources[0], ":", 3)[1]
	return ptr(strings.Replace(about.Service.Format, "${Partition}", partition, 1))
}

// specific returns the answer for one of the resources. It omits empty lists.
// Recorded.
func specific(resource string, s simulated) types.ResourceSpecificResult {
	out := types.ResourceSpecificResult{
		EvalResourceName: &resource, EvalResourceDecision: s.decision,
		PermissionsBoundaryDecisionDetail: s.byBoundary,
	}
	if len(s.matched) > 0 {
		out.MatchedStatements = s.matched
	}
	if len(s.missing) > 0 {
		out.MissingContextValues = s.missing
	}
	if len(s.details) > 0 {
		out.EvalDecisionDetails = s.details
	}
	return out
}

// stricter returns the more restrictive of two decisions.
func stricter(a, b types.PolicyEvaluationDecisionType) types.PolicyEvaluationDecisionType {
	for _, d := range []types.PolicyEvaluationDecisionType{explicitDeny, implicitDeny} {
		if a == d || b == d {
			return d
		}
	}
	return allowed
}

// strictest adds decisions by kind of policy to others. It returns nil if no
// resource has any, because the organisation denied them all.
func strictest(all, more map[string]types.PolicyEvaluationDecisionType) map[string]types.PolicyEvaluationDecisionType {
	if all == nil && more != nil {
		all = map[string]types.PolicyEvaluationDecisionType{}
	}
	for kind, d := range more {
		if have, ok := all[kind]; ok {
			d = stricter(have, d)
		}
		all[kind] = d
	}
	return all
}

// unionOfKeys adds the keys that are missing in a list, with their spelling.
func unionOfKeys(have map[string]bool, all, more []string) []string {
	for _, key := range more {
		if !have[key] {
			have[key] = true
			all = append(all, key)
		}
	}
	return all
}

// SimulateCustomPolicy returns what documents would allow.
func (s *Service) SimulateCustomPolicy(
	ctx context.Context, in *iam.SimulateCustomPolicyInput,
) (*iam.SimulateCustomPolicyOutput, error) {
	c := principal.Of(ctx)
	p, err := s.page(c, "SimulateCustomPolicy", "", in.Marker, in.MaxItems)
	if err != nil {
		return nil, errSimulationMarker
	}
	ask := simulationInput{
		actions: in.ActionNames, resources: in.ResourceArns, policies: in.PolicyInputList,
		boundary:       in.PermissionsBoundaryPolicyInputList,
		resourcePolicy: in.ResourcePolicy, owner: in.ResourceOwner, caller: in.CallerArn, context: in.ContextEntries,
		handling: in.ResourceHandlingOption,
	}
	if owner := str(in.ResourceOwner); owner != "" && !strings.HasPrefix(owner, "arn:") {
		return nil, errResourceOwner(owner) // unlike that of SimulatePrincipalPolicy
	}
	if in.ResourcePolicy != nil && in.CallerArn == nil {
		return nil, fail("InvalidInput", "Invalid caller - Caller cannot be null or empty.")
	}
	sim, err := s.newSimulation(c, ask, source{})
	if err != nil {
		return nil, err
	}
	for i, level := range in.OrderedOrganizationPolicyInputList {
		if len(level.ServiceControlPolicyInputList) == 0 {
			return nil, fail("InvalidInput",
				"Organization policy at index %d must contain at least one service control policy", i+1)
		}
		control, err := s.inputPolicies("OrderedOrganizationPolicyInputList", policy.Control,
			level.ServiceControlPolicyInputList)
		if err != nil {
			return nil, err
		}
		sim.control, sim.organized = append(sim.control, control), true
	}
	out := &iam.SimulateCustomPolicyOutput{}
	out.EvaluationResults, out.IsTruncated, out.Marker, err = simulateAll(ctx, p, sim, in.ActionNames, in.ResourceArns)
	return out, err
}

// SimulatePrincipalPolicy returns what the policies of a user, a group or a
// role would allow. The request can add documents and exclude policies.
func (s *Service) SimulatePrincipalPolicy(
	ctx context.Context, in *iam.SimulatePrincipalPolicyInput,
) (*iam.SimulatePrincipalPolicyOutput, error) {
	c := principal.Of(ctx)
	p, err := s.page(c, "SimulatePrincipalPolicy", *in.PolicySourceArn, in.Marker, in.MaxItems)
	if err != nil {
		return nil, errSimulationMarker
	}
	if err := checkSourceARN(c, *in.PolicySourceArn); err != nil {
		return nil, err
	}
	var src source
	var management string
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if src, err = s.readSource(tx, c, *in.PolicySourceArn); err != nil {
			return errNoSource(err)
		}
		management, err = organization(tx, c.Account())
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := src.exclude(in.PolicyExclusionList); err != nil {
		return nil, err
	}
	caller := in.CallerArn
	if caller == nil {
		caller = &src.arn
	}
	sim, err := s.newSimulation(c, simulationInput{
		actions: in.ActionNames, resources: in.ResourceArns, policies: in.PolicyInputList,
		boundary:       in.PermissionsBoundaryPolicyInputList,
		resourcePolicy: in.ResourcePolicy, owner: in.ResourceOwner, caller: caller, context: in.ContextEntries,
		handling: in.ResourceHandlingOption,
	}, src)
	if err != nil {
		return nil, err
	}
	if len(src.control) > 0 {
		sim.control = [][]sourcePolicy{src.control}
	}
	sim.organized = management != "" || len(src.control) > 0
	out := &iam.SimulatePrincipalPolicyOutput{}
	out.EvaluationResults, out.IsTruncated, out.Marker, err = simulateAll(ctx, p, sim, in.ActionNames, in.ResourceArns)
	return out, err
}
