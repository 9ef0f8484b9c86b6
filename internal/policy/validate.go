package policy

import (
	"slices"
	"strings"

	"rollcall/internal/awsmodel"
)

// validate checks the meaning of a document, in the order of CreatePolicy's
// errors, and compiles everything for matching.
func validate(d *Document, lenient bool) error {
	if err := checkVersion(d); err != nil {
		return err
	}
	for i := range d.Statements {
		if err := d.checkLegacy(&d.Statements[i], lenient); err != nil {
			return err
		}
	}
	if err := checkSids(d); err != nil {
		return err
	}
	if d.Kind == Trust {
		return checkTrust(d)
	}
	return checkPermissions(d)
}

// checkVersion checks the version. Managed and control policies must have the
// new one; for inline policies both are valid, as the guide says and Terraform
// relies on.
func checkVersion(d *Document) error {
	switch d.Kind {
	case Managed, Boundary, Control:
		if d.Version != NewVersion {
			return errVersion
		}
	}
	return nil
}

// checkLegacy returns the errors of CreatePolicy's second parser: for an Effect
// in other case and for values that their operator cannot read, unless it is
// lenient. For malformed variables that is a guess (G). Session policies are
// checked as strictly only for binary data: recorded.
func (d *Document) checkLegacy(st *Statement, lenient bool) error {
	if st.Effect != Allow && st.Effect != Deny {
		return errLegacy
	}
	vars := d.Version == NewVersion
	for i := range st.conditions {
		c := &st.conditions[i]
		for _, text := range c.texts {
			v, ok := c.compileValue(text, vars, d.Kind == Session)
			if !ok || v.unreadable && !lenient {
				return errLegacy
			}
			c.values = append(c.values, v)
		}
		c.list()
	}
	for _, text := range slices.Concat(st.Actions, st.NotActions) {
		p, _ := compile(text, syntax{wild: true, fold: true})
		st.actions = append(st.actions, p)
	}
	for _, text := range slices.Concat(st.Resources, st.NotResources) {
		p, ok := compile(text, syntax{wild: true, vars: vars})
		if !ok || resourceFailsLegacy(text) {
			return errLegacy
		}
		st.resources = append(st.resources, p)
	}
	return nil
}

// checkSids ignores an empty Sid.
func checkSids(d *Document) error {
	seen := map[string]bool{}
	for i := range d.Statements {
		sid := d.Statements[i].Sid
		if seen[sid] {
			return errSidTwice
		}
		seen[sid] = sid != ""
	}
	for sid := range seen {
		for _, c := range []byte(sid) {
			if !letterOrDigit(c) {
				return errSidCharacters
			}
		}
	}
	return nil
}

func letterOrDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|' ' && c|' ' <= 'z'
}

// checkPermissions applies to every kind except Trust.
func checkPermissions(d *Document) error {
	for i := range d.Statements {
		if st := &d.Statements[i]; len(st.Actions)+len(st.NotActions) == 0 {
			return errNoActions
		}
	}
	for i := range d.Statements {
		if st := &d.Statements[i]; len(st.Resources)+len(st.NotResources) == 0 {
			return errNoResources
		}
	}
	for i := range d.Statements {
		if err := checkPrincipalOf(d.Kind, &d.Statements[i]); err != nil {
			return err
		}
	}
	for i := range d.Statements {
		for _, text := range slices.Concat(d.Statements[i].Resources, d.Statements[i].NotResources) {
			if err := checkResource(text); err != nil {
				return err
			}
		}
	}
	for i := range d.Statements {
		for _, text := range slices.Concat(d.Statements[i].Actions, d.Statements[i].NotActions) {
			if err := checkAction(text); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkPrincipalOf refuses a principal in an identity's policy, because its
// holder is the principal.
func checkPrincipalOf(kind Kind, st *Statement) error {
	if kind == Resource {
		return st.checkPrincipals(kind)
	}
	if st.principals != nil || st.notPrincipals != nil {
		return errPrincipal
	}
	return nil
}

// checkPrincipals refuses to allow everybody except some, and NotPrincipal in a
// trust policy. IAM, AWS JSON policy elements: NotPrincipal.
func (st *Statement) checkPrincipals(kind Kind) error {
	switch {
	case st.notPrincipals != nil && st.Effect == Allow:
		return errAllowNotPrincipal
	case st.notPrincipals != nil && kind == Trust:
		return errTrustNotPrincipal
	case st.principals != nil:
		return st.principals.check()
	case st.notPrincipals != nil:
		return st.notPrincipals.check()
	}
	return missingField(kind, "Principal")
}

// checkAction accepts vendor:name, or "*" alone. It does not check which
// vendors and names exist; IAM accepts any.
func checkAction(text string) error {
	vendor, name, colon := strings.Cut(text, ":")
	switch {
	case text == "*":
		return nil
	case !colon:
		return errVendorMissing
	case strings.Contains(name, ":"):
		return errColons
	case text == "*:*":
		return nil // (G)
	case strings.ContainsAny(vendor, "*?"):
		return errVendorPattern
	case vendor == "":
		return awsmodel.Fail(malformed, "Vendor  is not valid")
	}
	for _, c := range []byte(vendor) {
		if !letterOrDigit(c) && c != '-' && c != '.' {
			return awsmodel.Fail(malformed, "Vendor %s is not valid", vendor)
		}
	}
	return nil
}

// partsOf splits an ARN at its colons, except those within a variable.
func partsOf(text string) []string {
	var parts []string
	start, depth := 0, 0
	for i := range len(text) {
		switch {
		case strings.HasPrefix(text[i:], "${"):
			depth++
		case text[i] == '}' && depth > 0:
			depth--
		case text[i] == ':' && depth == 0:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// part returns a part of an ARN, or "" if it is too short.
func part(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

// resourceFailsLegacy reports whether an ARN has an empty service, or an empty
// part and is short. One of another partition never reaches this check.
func resourceFailsLegacy(text string) bool {
	parts := partsOf(text)
	if len(parts) < 3 || !knownPartition(parts[1]) {
		return false
	}
	return parts[2] == "" || len(parts) < arnParts && strings.Contains(text, "::")
}

// knownPartition accepts patterns of partitions too: AWS's own policies contain
// arn:*:….
func knownPartition(name string) bool {
	p, _ := compile(name, syntax{wild: true})
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
		if p.matches(partition) {
			return true
		}
	}
	return false
}

// iamPaths are the kinds of IAM's own resources, as the error lists them.
var iamPaths = []string{"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/",
	"server-certificate/",
	"policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"}

// checkResource is CreatePolicy's check, derived from its recorded answers. The
// first part may be anything, and other parts may be missing, but not the
// service.
func checkResource(text string) error {
	if text == "*" {
		return nil
	}
	parts := partsOf(text)
	switch {
	case len(parts) == 1:
		return awsmodel.Fail(malformed, `Resource %s must be in ARN format or "*".`, text)
	case !knownPartition(parts[1]):
		return unknownPartition(parts)
	case len(parts) == 2, strings.ContainsAny(parts[2], "*?"):
		return errResourceVague
	}
	region, account, rest := part(parts, 3), part(parts, 4), strings.Join(parts[min(5, len(parts)):], ":")
	switch parts[2] {
	case "s3":
		// Access points and jobs have a region and an account. Buckets have
		// neither.
		if region != "" && account == "" {
			return awsmodel.Fail(malformed, "Resource %s can not contain region information.", text)
		}
	case "iam":
		if region != "" {
			return awsmodel.Fail(malformed, "IAM resource %s cannot contain region information.", text)
		}
		known := func(path string) bool { return strings.HasPrefix(rest, path) }
		if rest != "*" && rest != "root" && !slices.ContainsFunc(iamPaths, known) {
			return errIAMPath
		}
	}
	return nil
}

// unknownPartition names the resource as AWS understood it: in five parts, with
// asterisks for missing ones.
func unknownPartition(parts []string) error {
	shown := slices.Clone(parts[2:])
	if len(shown) == 1 && shown[0] == "" {
		shown[0] = "*"
	}
	for len(shown) < arnParts-2 {
		shown = append(shown, "*")
	}
	return awsmodel.Fail(malformed, `Partition "%s" is not valid for resource "arn:%s:%s".`, parts[1], parts[1],
		strings.Join(shown, ":"))
}

// trustActions are the actions that a trust policy may name.
var trustActions = []string{"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity",
	"sts:SetContext", "sts:SetSourceIdentity", "sts:TagSession"}

// cognito is a provider that gives everyone a token.
const cognito = "cognito-identity.amazonaws.com"

// checkTrust applies to role trust policies. NotAction is refused (G), because
// it would name more than STS's actions.
func checkTrust(d *Document) error {
	for i := range d.Statements {
		st := &d.Statements[i]
		if len(st.NotActions) > 0 {
			return prohibitedField("NotAction")
		}
		if len(st.Actions) == 0 {
			return missingField(d.Kind, "Action")
		}
		if err := st.checkPrincipals(d.Kind); err != nil {
			return err
		}
		if slices.Contains(st.principals.byType[federatedPrincipals], cognito) && len(st.conditions) == 0 {
			return errCognitoConditional
		}
		for j, text := range st.Actions {
			vendor, _, _ := strings.Cut(text, ":")
			names := func(action string) bool { return st.actions[j].matches(action) }
			if !strings.EqualFold(vendor, "sts") || !slices.ContainsFunc(trustActions, names) {
				return errTrustActions
			}
		}
	}
	return nil
}
