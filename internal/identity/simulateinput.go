package identity

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/access"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
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
	sim.context, err = simulatedContext(sim.caller, src, in.context)
	return sim, err
}

func (in simulationInput) check() error {
	for _, name := range in.actions {
		if service, action, ok := strings.Cut(name, ":"); !ok || service == "" || action == "" {
			return fail("InvalidInput", "Invalid action name: %s", name)
		}
	}
	for _, arn := range in.resources {
		if arn != "*" && len(strings.SplitN(arn, ":", 6)) != 6 {
			return fail("InvalidInput", "Invalid resource ARN: %s", arn)
		}
	}
	if len(in.boundary) > 1 {
		return fail("InvalidInput", "Only one permissions boundary policy can be given.")
	}
	return in.checkHandling()
}

// handlings are the scenarios of EC2 with the resources that must be there.
// IAM SimulatePrincipalPolicy, ResourceHandlingOption.
var handlings = map[string]string{
	"EC2-VPC-InstanceStore":        "instance image security-group network-interface",
	"EC2-VPC-InstanceStore-Subnet": "instance image security-group network-interface subnet",
	"EC2-VPC-EBS":                  "instance image security-group network-interface volume",
	"EC2-VPC-EBS-Subnet":           "instance image security-group network-interface subnet volume",
}

func (in simulationInput) checkHandling() error {
	if in.handling == nil {
		return nil
	}
	kinds, ok := handlings[*in.handling]
	if !ok {
		return fail("InvalidInput", "Invalid resource handling option: %s", *in.handling)
	}
	for _, kind := range strings.Fields(kinds) {
		if !slices.ContainsFunc(in.resources, func(arn string) bool { return strings.Contains(arn, ":"+kind+"/") }) {
			return fail("InvalidInput", "Resource handling option %s requires a resource of type %s.", *in.handling, kind)
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
	return policy.Principal{}, fail("InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
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

// simulatedContext are the condition keys of a simulated request: what is
// known of its caller, and what is given.
func simulatedContext(caller policy.Principal, src source, entries []types.ContextEntry) (policy.Context, error) {
	values := map[string]policy.Values{}
	for _, e := range entries {
		name := policy.Fold(str(e.ContextKeyName))
		if name == "" || !goodValues(e.ContextKeyType, e.ContextKeyValues) {
			return nil, fail("InvalidInput", "Invalid values of context key %s for type %s.", str(e.ContextKeyName), e.ContextKeyType)
		}
		values[name] = policy.Values{
			Texts: e.ContextKeyValues, List: isListType(e.ContextKeyType), Type: valueType(e.ContextKeyType),
		}
	}
	known := access.Context(callerKeys(caller, src))
	return func(key string) policy.Values {
		if v, ok := values[key]; ok {
			return v
		}
		return known(key)
	}, nil
}

func isListType(kind types.ContextKeyTypeEnum) bool { return strings.HasSuffix(string(kind), "List") }

// valueType is what values are told apart by beside their texts.
func valueType(kind types.ContextKeyTypeEnum) policy.ValueType {
	switch kind {
	case types.ContextKeyTypeEnumNumeric, types.ContextKeyTypeEnumNumericList:
		return policy.Number
	case types.ContextKeyTypeEnumDate, types.ContextKeyTypeEnumDateList:
		return policy.Date
	}
	return policy.Text
}

// callerKeys are what is known of a caller by its ARN, and of the entity whose
// policies are simulated by its tags.
func callerKeys(caller policy.Principal, src source) access.Keys {
	known := map[string]string{}
	if caller.ARN != "" {
		known["aws:principalarn"], known["aws:principalaccount"] = caller.ARN, caller.Account
		if strings.Contains(caller.ARN, ":user/") {
			known["aws:username"], known["aws:principaltype"] = caller.ARN[strings.LastIndexByte(caller.ARN, '/')+1:], "User"
		}
	}
	itself := src.arn != "" && src.arn == caller.ARN
	if itself && src.kind == store.UserEntity {
		known["aws:userid"] = src.id
	}
	return func(key string) []string {
		if tag, ok := strings.CutPrefix(key, "aws:principaltag/"); ok && itself {
			return access.TagValue(src.tags, "aws:resourcetag/"+tag)
		}
		if v, ok := known[key]; ok {
			return []string{v}
		}
		return nil
	}
}

// goodValues says whether values are of a type. A type that is no list has one.
func goodValues(kind types.ContextKeyTypeEnum, values []string) bool {
	one, isList := strings.CutSuffix(string(kind), "List")
	if !isList && kind != "" && len(values) != 1 {
		return false
	}
	good := func(string) bool { return true }
	switch types.ContextKeyTypeEnum(one) {
	case types.ContextKeyTypeEnumNumeric:
		good = func(v string) bool { _, err := strconv.ParseFloat(v, 64); return err == nil }
	case types.ContextKeyTypeEnumBoolean:
		good = func(v string) bool { return strings.EqualFold(v, "true") || strings.EqualFold(v, "false") }
	case types.ContextKeyTypeEnumIp:
		good = func(v string) bool { _, err := netip.ParseAddr(v); return err == nil }
	case types.ContextKeyTypeEnumBinary:
		good = func(v string) bool { _, err := base64.StdEncoding.DecodeString(v); return err == nil }
	case types.ContextKeyTypeEnumDate:
		good = isDate
	}
	return !slices.ContainsFunc(values, func(v string) bool { return !good(v) })
}

func isDate(v string) bool {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if _, err := time.Parse(layout, v); err == nil {
			return true
		}
	}
	_, err := strconv.ParseInt(v, 10, 64) // seconds since 1970
	return err == nil
}
