package policy

import (
	"strings"

	"rollcall/internal/awsmodel"
)

const malformed = "MalformedPolicyDocument"

// These are the sentences of CreatePolicy. They are recorded, except
// errSidCharacters, errPrincipal and errVendorPattern, which its users report.
var (
	errSyntax        = awsmodel.Fail(malformed, "Syntax errors in policy.")
	errVersion       = awsmodel.Fail(malformed, "Policy document must be version 2012-10-17 or greater.")
	errLegacy        = awsmodel.Fail(malformed, "The policy failed legacy parsing")
	errSidTwice      = awsmodel.Fail(malformed, "Statement IDs (SID) in a single policy must be unique.")
	errSidCharacters = awsmodel.Fail(malformed,
		"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "+
			"[0-9A-Za-z]*")
	errNoActions     = awsmodel.Fail(malformed, "Policy statement must contain actions.")
	errNoResources   = awsmodel.Fail(malformed, "Policy statement must contain resources.")
	errPrincipal     = awsmodel.Fail(malformed, "Policy document should not specify a principal.")
	errVendorMissing = awsmodel.Fail(malformed,
		"Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	errVendorPattern = awsmodel.Fail(malformed, "Action vendors (e.g., aws, ec2, etc.) must not contain wildcards.")
	errColons        = awsmodel.Fail(malformed, "Actions/Condition can contain only one colon.")
	errResourceVague = awsmodel.Fail(malformed, "Resource vendor must be fully qualified and cannot contain regexes.")
	errIAMPath       = awsmodel.Fail(malformed,
		`IAM resource path must either be "*", root, or start with user/, federated-user/, role/, group/, `+
			`instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, `+
			`report/, access-report/.`)

	// These are the sentences of CreateRole and UpdateAssumeRolePolicy.
	errTrustJSON    = awsmodel.Fail(malformed, "This policy contains invalid Json")
	errTrustActions = awsmodel.Fail(malformed, "AssumeRole policy may only specify STS AssumeRole actions.")

	// Other services that follow IAM have these sentences (G).
	errAllowNotPrincipal  = awsmodel.Fail(malformed, "Allow with NotPrincipal is not allowed.")
	errTrustNotPrincipal  = awsmodel.Fail(malformed, "AssumeRole policy must not contain NotPrincipal field.")
	errTrustNotResource   = awsmodel.Fail(malformed, "AssumeRole policy must not contain resources.")
	errCognitoConditional = awsmodel.Fail(malformed, "A condition block must be present for the Cognito provider")
)

// InvalidPrincipal returns the error for a principal of a trust policy that
// does not exist. kind is its key in the Principal element. The sentence has it
// in capitals.
func InvalidPrincipal(kind, value string) *awsmodel.Error {
	return awsmodel.Fail(malformed, `Invalid principal in policy: "%s":"%s"`, strings.ToUpper(kind), value)
}

// notJSON returns the error for a text that is not a JSON object.
func notJSON(kind Kind) error {
	if kind == Trust {
		return errTrustJSON
	}
	return errSyntax
}

// unknownField, missingField and prohibitedField name the member if the trust
// policy's parser does. CreatePolicy's parser only says syntax error.
// Prohibited fields are recorded. The other two sentences are similar (G).
func unknownField(kind Kind, name string) error {
	if kind == Trust {
		return awsmodel.Fail(malformed, "Unknown field %s", name)
	}
	return errSyntax
}

func missingField(kind Kind, name string) error {
	if kind == Trust {
		return awsmodel.Fail(malformed, "Missing required field %s", name)
	}
	return errSyntax
}

func prohibitedField(name string) error {
	return awsmodel.Fail(malformed, "Has prohibited field %s", name)
}

// prohibitedResource returns the error for an element that a role's trust
// policy cannot have, because such a policy is about the role.
func prohibitedResource(name string) error {
	if name == "Resource" {
		return prohibitedField(name)
	}
	return errTrustNotResource
}
