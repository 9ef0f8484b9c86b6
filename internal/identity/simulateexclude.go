package identity

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/managedpolicy"
	"rollcall/internal/store"
)

// exclude removes policies of an entity that the simulation ignores.
// Identifiers without a matching policy are ignored. Invalid ones get an error,
// whose words are guesses.
func (src *source) exclude(list []types.PolicyIdentifier) error {
	for _, id := range list {
		var err error
		switch id := id.(type) {
		case *types.PolicyIdentifierMemberPolicyType:
			src.excludeType(id.Value)
		case *types.PolicyIdentifierMemberPolicyArn:
			err = src.excludeARN(id.Value)
		case *types.PolicyIdentifierMemberInlinePolicyIdentifier:
			err = src.excludeInline(id.Value)
		default:
			err = fail("InvalidInput", "Invalid policy identifier.")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (src *source) excludeType(kind types.PolicyIdentifierPolicyType) {
	switch kind {
	case types.PolicyIdentifierPolicyTypeInline:
		src.without(func(p sourcePolicy) bool { return p.ARN == "" })
	case types.PolicyIdentifierPolicyTypeAwsManaged:
		src.without(func(p sourcePolicy) bool { return managedpolicy.Find(p.ARN) != nil })
	case types.PolicyIdentifierPolicyTypeUserManaged:
		src.without(func(p sourcePolicy) bool { return p.ARN != "" && managedpolicy.Find(p.ARN) == nil })
	case types.PolicyIdentifierPolicyTypePermissionBoundary:
		src.boundary = nil
	case types.PolicyIdentifierPolicyTypeScp:
		src.control = nil
	}
}

// without removes some of the policies that give an entity access.
func (src *source) without(out func(sourcePolicy) bool) {
	src.identity = slices.DeleteFunc(slices.Clone(src.identity), out)
}

// excludeARN removes managed policies by their ARN without its path, which is
// the only recorded form that AWS finds them by. The resource may contain
// wildcards.
func (src *source) excludeARN(arn string) error {
	part := strings.SplitN(arn, ":", 6)
	if len(part) != 6 || part[0] != "arn" || !strings.HasPrefix(part[5], "policy/") ||
		strings.ContainsAny(strings.Join(part[:5], ""), "*?") || strings.Count(arn, "*") > 1 {
		return fail("InvalidInput", "Invalid policy identifier: %s", arn)
	}
	src.without(func(p sourcePolicy) bool { return p.ARN != "" && glob(arn, pathless(p.ARN)) })
	return nil
}

// excludeInline removes an inline policy by its name and its owner. The owner
// may contain wildcards.
func (src *source) excludeInline(id types.InlinePolicyIdentifierType) error {
	name := str(id.AttachmentName)
	if strings.Count(name, "*") > 1 || strings.ContainsAny(str(id.PolicyName), "*?") {
		return fail("InvalidInput",
			"Invalid inline policy exclusion: policyName, attachmentType, and attachmentName are required")
	}
	src.without(func(p sourcePolicy) bool {
		return p.of == store.Entity(id.AttachmentType) && p.Name == str(id.PolicyName) &&
			glob(fold(name), fold(p.entity))
	})
	return nil
}

// pathless returns the ARN of a managed policy without its path.
func pathless(arn string) string {
	before, _, _ := strings.Cut(arn, ":policy/")
	return before + ":policy/" + policyName(arn)
}

// glob matches a text against a pattern with any number of ? and at most one *.
func glob(pattern, text string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return alike(pattern, text)
	}
	return len(text) >= len(before)+len(after) && alike(before, text[:len(before)]) &&
		alike(after, text[len(text)-len(after):])
}

// alike compares texts of equal length. A ? matches any character.
func alike(pattern, text string) bool {
	if len(pattern) != len(text) {
		return false
	}
	for i := range len(pattern) {
		if pattern[i] != '?' && pattern[i] != text[i] {
			return false
		}
	}
	return true
}
