package identity

import (
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/awsmodel"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/servicecatalog"
)

// simulationInput holds the input of both simulations.
type simulationInput struct {
	actions, resources, policies, boundary  []string
	resourcePolicy, owner, caller, handling *string
	context                                 []types.ContextEntry
}

// newSimulation reads the input of a simulation of the policies of src and the
// given ones. Its errors are recorded.
func (s *Service) newSimulation(c principal.Caller, in simulationInput, src source) (*simulation, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	given, err := s.inputPolicies("PolicyInputList", policy.Inline, in.policies)
	if err != nil {
		return nil, err
	}
	sim := &simulation{identity: append(src.identity, given...), boundary: src.boundary,
		statements: map[toldStatement]types.Statement{}}
	if len(in.boundary) > 0 {
		// It replaces the boundary in force.
		if sim.boundary, err = s.inputPolicies("PermissionsBoundaryPolicyInputList", policy.Boundary,
			in.boundary); err != nil {
			return nil, err
		}
	}
	if sim.caller, err = simulatedCaller(c, str(in.caller)); err != nil {
		return nil, err
	}
	if in.resourcePolicy != nil {
		if sim.resource, err = s.readResourcePolicy(in); err != nil {
			return nil, err
		}
		if sim.owner, err = resourceOwner(str(in.owner), sim.caller.Account); err != nil {
			return nil, err
		}
	}
	sim.context, sim.given, err = simulatedContext(sim.caller, src, in.context)
	return sim, err
}

func (in simulationInput) check() error {
	for _, name := range in.actions {
		if service, _, colon := strings.Cut(name, ":"); service == "" || !colon {
			return fail("InvalidInput", "The action is invalid since it is missing names")
		}
	}
	if len(in.boundary) > 1 {
		return fail("InvalidInput", "The list of Permissions Boundary policies cannot exceed 1 items.")
	}
	if !isExplicit(in.resources) {
		return nil
	}
	if err := sameInformation(in.actions); err != nil {
		return err
	}
	if err := checkResourceNames(in.resources); err != nil {
		return err
	}
	return in.checkHandling()
}

func checkResourceNames(names []string) error {
	for _, arn := range names {
		part := strings.SplitN(arn, ":", 6)
		if len(part) != 6 || part[0] != "arn" || part[1] == "" || part[2] == "" || part[5] == "" {
			return fail("InvalidInput", "ResourceNames are not in a valid ARN format: %s.", arn)
		}
	}
	return nil
}

// readResourcePolicy reads the policy of the resources. With a resource policy,
// the request must name the resources, and the policy must name them too.
// Recorded.
func (s *Service) readResourcePolicy(in simulationInput) ([]sourcePolicy, error) {
	list, err := s.inputPolicies("ResourcePolicy", policy.Resource, []string{*in.resourcePolicy})
	if err != nil {
		return nil, err
	}
	if !isExplicit(in.resources) {
		return nil, fail("InvalidInput", "Invalid Entity Arn: * does not clearly define entity type and name.")
	}
	for i := range list[0].Document.Statements {
		st := &list[0].Document.Statements[i]
		if err := checkResourceNames(slices.Concat(st.Resources, st.NotResources)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// sameInformation refuses a mix of actions whose resources are known and
// actions whose resources are not. Recorded, with the blank at the end.
func sameInformation(actions []string) error {
	var known, unknown []string
	for _, name := range actions {
		if _, ok := servicecatalog.FindAction(name); ok {
			known = append(known, name)
		} else {
			unknown = append(unknown, name)
		}
	}
	if len(known) == 0 || len(unknown) == 0 {
		return nil
	}
	return fail("InvalidInput", "Invalid Input Actions: [%s] and [%s] require different authorization information. ",
		strings.Join(known, ","), strings.Join(unknown, ","))
}

// handlings are the scenarios of resources, with the actions that have them.
// Any resources are accepted, even an instance alone. Recorded.
var handlings = map[string][]string{
	"ec2:runinstances": {
		"EC2-Classic-InstanceStore", "EC2-Classic-EBS", "EC2-VPC-InstanceStore", "EC2-VPC-InstanceStore-Subnet",
		"EC2-VPC-EBS", "EC2-VPC-EBS-Subnet",
	},
	"cloudwatch:listtagsforresource": cloudWatchHandlings,
	"cloudwatch:tagresource":         cloudWatchHandlings,
	"cloudwatch:untagresource":       cloudWatchHandlings,
	"devicefarm:schedulerun":         {"Device Pool as filter", "Device Selection Configuration as filter"},
}

var cloudWatchHandlings = []string{
	"CloudWatch-Alarm", "CloudWatch-AlarmMuteRule", "CloudWatch-InsightRule", "CloudWatch-ServiceLevelObjective",
	"CloudWatch-Dashboard", "CloudWatch-Dataset", "CloudWatch-MetricStream", "CloudWatch-Service",
}

func (in simulationInput) checkHandling() error {
	if in.handling == nil {
		return nil
	}
	for _, action := range in.actions {
		if !slices.Contains(handlings[strings.ToLower(action)], *in.handling) {
			return fail("InvalidInput",
				"Invalid input resource handling options. Action does not support resource handling options: %s. "+
					"Please refer to the documentation for more details: "+
					"https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html", action)
		}
	}
	return nil
}

// simulatedCaller returns the simulated caller: a user, a group or a role of
// any account. "" is an anonymous caller, which no resource policy names.
func simulatedCaller(c principal.Caller, arn string) (policy.Principal, error) {
	if arn == "" {
		return policy.Principal{Type: policy.User, Account: c.Account()}, nil
	}
	part := strings.SplitN(arn, ":", 6)
	if len(part) == 6 && part[0] == "arn" && part[2] == "iam" && checkAccountID(part[4]) == nil {
		p := policy.Principal{Type: policy.User, ARN: arn, Account: part[4]}
		switch kind, name, _ := strings.Cut(part[5], "/"); {
		case name == "":
		case kind == "user", kind == "group":
			return p, nil
		case kind == "role":
			p.Type, p.Role = policy.RoleSession, arn
			return p, nil
		}
	}
	return policy.Principal{}, fail("InvalidInput",
		"Invalid caller - Caller must be an IAM user, role or group in this context.")
}

// resourceOwner reads the account that owns the resources.
// SimulatePrincipalPolicy takes its number, SimulateCustomPolicy an ARN of it.
// The default is the caller's account.
func resourceOwner(text, account string) (string, error) {
	if text == "" {
		return account, nil
	}
	id := text
	if part := strings.SplitN(text, ":", 6); len(part) == 6 && part[0] == "arn" && part[2] == "iam" && part[5] != "" {
		id = part[4]
	}
	if checkAccountID(id) != nil {
		return "", errResourceOwner(text)
	}
	return id, nil
}

func errResourceOwner(text string) error {
	return fail("InvalidInput", "'%s' is not a valid as a Resource Owner.", text)
}

// checkSourceARN returns an error unless arn names an entity of the account.
func checkSourceARN(c principal.Caller, arn string) error {
	part := strings.SplitN(arn, ":", 6)
	if len(part) == 6 && part[0] == "arn" && part[2] == "iam" && part[4] != c.Account() &&
		checkAccountID(part[4]) == nil {
		return fail("InvalidInput",
			"Invalid Policy Source Arn: caller's account %s does not have access to policies in account %s.",
			c.Account(), part[4])
	}
	if _, _, err := entityARN(c, arn); err != nil {
		return fail("InvalidInput", "Invalid ARN provided in the request: %s", arn)
	}
	return nil
}

// errNoSource returns the error of simulations for a missing entity.
func errNoSource(err error) error {
	var told *awsmodel.Error
	if errors.As(err, &told) && told.Code == "NoSuchEntity" {
		return fail("NoSuchEntity", "Unable to retrieve specified IAM entity.")
	}
	return err
}
