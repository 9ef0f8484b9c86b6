package identity

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/servicecatalog"
)

// simulationInput is what both simulations are asked.
type simulationInput struct {
	actions, resources, policies, boundary  []string
	resourcePolicy, owner, caller, handling *string
	context                                 []types.ContextEntry
}

// newSimulation reads what a simulation is asked, for the policies of src
// beside those given. That these are refused is documented; the words are
// guesses.
func (s *Service) newSimulation(c principal.Caller, in simulationInput, src source) (*simulation, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	given, err := s.inputPolicies("PolicyInputList", policy.Inline, in.policies)
	if err != nil {
		return nil, err
	}
	sim := &simulation{identity: append(src.identity, given...), boundary: src.boundary, statements: map[toldStatement]types.Statement{}}
	if len(in.boundary) > 0 {
		// It stands instead of the one that is in force.
		if sim.boundary, err = s.inputPolicies("PermissionsBoundaryPolicyInputList", policy.Boundary, in.boundary); err != nil {
			return nil, err
		}
	}
	if sim.caller, err = simulatedCaller(c, str(in.caller)); err != nil {
		return nil, err
	}
	if in.resourcePolicy != nil {
		if sim.resource, err = s.inputPolicies("ResourcePolicy", policy.Resource, []string{*in.resourcePolicy}); err != nil {
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
		if service, action, _ := strings.Cut(name, ":"); service == "" || action == "" {
			return fail("InvalidInput", "The action is invalid since it is missing names")
		}
	}
	if len(in.boundary) > 1 {
		return fail("InvalidInput", "Only one permissions boundary policy can be given.")
	}
	if !isExplicit(in.resources) {
		return nil
	}
	if err := sameInformation(in.actions); err != nil {
		return err
	}
	for _, arn := range in.resources {
		part := strings.SplitN(arn, ":", 6)
		if len(part) != 6 || part[0] != "arn" || part[1] == "" || part[2] == "" || part[5] == "" {
			return fail("InvalidInput", "ResourceNames are not in a valid ARN format: %s.", arn)
		}
	}
	return in.checkHandling()
}

// sameInformation refuses actions of which it is not known what they are about
// beside those of which it is known. Recorded, with the blank at the end.
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

// handlings are the scenarios that resources can belong to, with the actions
// that have them. Whatever resources are given will do: an instance alone.
// Recorded, but for the error's words.
var handlings = map[string]string{
	"ec2:runinstances": "EC2-Classic-InstanceStore EC2-Classic-EBS EC2-VPC-InstanceStore EC2-VPC-InstanceStore-Subnet" +
		" EC2-VPC-EBS EC2-VPC-EBS-Subnet",
	"cloudwatch:listtagsforresource": cloudWatchHandlings,
	"cloudwatch:tagresource":         cloudWatchHandlings,
	"cloudwatch:untagresource":       cloudWatchHandlings,
}

const cloudWatchHandlings = "CloudWatch-Alarm CloudWatch-AlarmMuteRule CloudWatch-InsightRule" +
	" CloudWatch-ServiceLevelObjective CloudWatch-Dashboard CloudWatch-Dataset CloudWatch-MetricStream CloudWatch-Service"

func (in simulationInput) checkHandling() error {
	if in.handling == nil {
		return nil
	}
	for _, action := range in.actions {
		if !slices.Contains(strings.Fields(handlings[strings.ToLower(action)]), *in.handling) {
			return fail("InvalidInput",
				"Invalid input resource handling options. Action does not support resource handling options: %s.", *in.handling)
		}
	}
	return nil
}

// simulatedCaller is who would call: a user, a group or a role of any account.
// "" is nobody in particular, whom no resource's policy names.
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

// resourceOwner reads the account that owns the resources: its number, as the
// parameter of SimulatePrincipalPolicy is, or the ARN of its root, as that of
// SimulateCustomPolicy is. Without one it is the caller's.
func resourceOwner(text, account string) (string, error) {
	if text == "" {
		return account, nil
	}
	id := text
	if part := strings.SplitN(text, ":", 6); len(part) == 6 && part[0] == "arn" && part[2] == "iam" && part[5] == "root" {
		id = part[4]
	}
	if checkAccountID(id) != nil {
		return "", fail("InvalidInput", "Invalid resource owner: %s", text)
	}
	return id, nil
}
