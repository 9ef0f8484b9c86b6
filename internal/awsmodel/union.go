package awsmodel

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// unions are the SDK's unions: an interface type, and for each member the
// struct type that implements it by pointer and holds the member in its field
// Value. Only SimulatePrincipalPolicy's PolicyExclusionList is one.
var unions = map[reflect.Type]map[string]reflect.Type{
	reflect.TypeFor[types.PolicyIdentifier](): {
		"PolicyType":             reflect.TypeFor[*types.PolicyIdentifierMemberPolicyType](),
		"PolicyArn":              reflect.TypeFor[*types.PolicyIdentifierMemberPolicyArn](),
		"InlinePolicyIdentifier": reflect.TypeFor[*types.PolicyIdentifierMemberInlinePolicyIdentifier](),
	},
}

// Variant returns the pointer type that represents a member of a union in the
// SDK's Go types, or nil if there is none.
func Variant(union reflect.Type, member string) reflect.Type { return unions[union][member] }
