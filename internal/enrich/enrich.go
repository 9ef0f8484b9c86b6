// Package enrich reads facts from the IAM API that a credential report does not
// contain: the ids of access keys, kinds of MFA devices, credentials of other
// kinds, and tags.
//
// It calls only the actions that Kind.Permissions names. They only read, and
// return no secrets. It fills audit.Enrichment. Package audit matches the facts
// to the rows of a report by name and creation time, and judges them.
//
// A large account takes thousands of calls, and some of them fail. So a reading
// returns what it has found, says what is missing and why, and can continue from
// what an earlier one has found. What is missing is never taken for absent.
package enrich

import (
	"fmt"
	"slices"
	"strings"

	"rollcall/internal/audit"
)

// Kind is a kind of facts.
type Kind string

// The kinds.
const (
	Keys               Kind = "keys"                       // access key ids and states
	MFA                Kind = audit.MFAFacts               // MFA devices of users, and whether root's is virtual
	Tags               Kind = "tags"                       // tags of users
	ServiceCredentials Kind = audit.ServiceCredentialFacts // SSH keys and service-specific credentials
)

// Kinds contains all kinds.
var Kinds = []Kind{Keys, MFA, Tags, ServiceCredentials}

// Permissions returns the IAM actions that a kind needs.
func (k Kind) Permissions() []string {
	switch k {
	case Keys:
		return []string{"iam:ListUsers", "iam:ListAccessKeys"}
	case MFA:
		return []string{"iam:ListUsers", "iam:ListMFADevices", "iam:ListVirtualMFADevices"}
	case Tags:
		return []string{"iam:ListUsers", "iam:ListUserTags"}
	case ServiceCredentials:
		return []string{"iam:ListUsers", "iam:ListSSHPublicKeys", "iam:ListServiceSpecificCredentials"}
	default:
		return nil
	}
}

// known says whether facts of this kind are known about a user.
func (k Kind) known(f *audit.UserFacts) bool {
	switch k {
	case Keys:
		return f.Keys != nil
	case MFA:
		return f.MFA != nil
	case Tags:
		return f.Tags != nil
	default:
		return f.ServiceCredentials != nil
	}
}

// Parse reads kinds separated by commas.
func Parse(s string) ([]Kind, error) {
	var kinds []Kind
	for part := range strings.SplitSeq(s, ",") {
		k := Kind(strings.TrimSpace(part))
		if !slices.Contains(Kinds, k) {
			return nil, fmt.Errorf("%q is not one of %s", part, names())
		}
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds, nil
}

func names() string {
	var all []string
	for _, k := range Kinds {
		all = append(all, string(k))
	}
	return strings.Join(all, ", ")
}
