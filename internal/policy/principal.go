package policy

import (
	"slices"
	"strings"

	"rollcall/internal/lazyregexp"
)

// PrincipalType is the kind of a caller.
type PrincipalType uint8

// The kinds of caller.
const (
	User          PrincipalType = iota // an IAM user
	Root                               // the root user of an account
	RoleSession                        // a session of a role
	FederatedUser                      // a GetFederationToken session
	Service                            // an AWS service, acting for itself
	Federated                          // a caller with a token of an OIDC or SAML provider
)

// Principal is the caller of a request.
type Principal struct {
	Type PrincipalType
	// ARN is the caller's own ARN: the user's, the session's, the root user's.
	// For a Service it is the name (ec2.amazonaws.com), for Federated the
	// provider's ARN or name.
	ARN string
	// Role is the ARN of the role that a RoleSession has assumed,
	// arn:…:iam::…:role/….
	Role string
	// ID is the unique id. It begins with AIDA for a user and with AROA for a
	// session's role. A trust policy that names an id trusts this principal and
	// not a later one with the same name. It may be "".
	ID string
	// Account is the caller's account; "" for Service and Federated.
	Account string
}

// outside reports whether the principal has no identity here, and so no
// identity-based policies.
func (p *Principal) outside() bool { return p.Type == Service || p.Type == Federated }

// grant says how closely a Principal element names a caller. A caller that is
// named exactly needs no other allow within its account; IAM, policy evaluation
// logic for requests within a single account.
type grant uint8

const (
	notNamed     grant = iota
	accountNamed       // the account: its own policies decide further
	looselyNamed       // the session's role, or everyone: boundary and session policy decide further
	selfNamed          // exactly the caller
)

// principals is a Principal or NotPrincipal element.
type principals struct {
	everyone bool // "*", written alone or as AWS
	byType   [len(principalTypes)][]string
	accounts []string // those of byType's AWS that name a whole account
}

// principalTypes are the keys of a Principal element, in the order of String.
var principalTypes = [...]string{"AWS", "Service", "Federated", "CanonicalUser"}

const (
	awsPrincipals = iota
	servicePrincipals
	federatedPrincipals
)

var (
	accountPattern = lazyregexp.New(`^(?:\d{12}|arn:aws(?:-[a-z]+)*:iam::\d{12}:root)$`)
	awsPattern     = lazyregexp.New(`^(?:arn:aws(?:-[a-z]+)*:(?:iam::\d{12}:(?:user|role)/[^*?]+|` +
		`sts::\d{12}:(?:assumed-role/[^/*?]+/[^/*?]+|federated-user/[^/*?]+))|A(?:ID|RO)A[A-Z0-9]{12,})$`)
	servicePattern   = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+$`)
	federatedPattern = lazyregexp.New(
		`^(?:\*|arn:aws(?:-[a-z]+)*:iam::\d{12}:(?:oidc|saml)-provider/[^*?]+|` +
			`[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:[:/][^*?]*)?)$`)
)

// parsePrincipals reads the element. It keeps a value of unknown form for check
// to name.
func parsePrincipals(n node) (*principals, bool) {
	p := &principals{}
	if n.kind == stringNode {
		p.everyone = n.text == "*"
		return p, p.everyone
	}
	if n.kind != objectNode || len(n.keys) == 0 {
		return nil, false
	}
	for i, key := range n.keys {
		kind := -1
		for k, name := range principalTypes {
			if name == key {
				kind = k
			}
		}
		values, ok := n.items[i].strings()
		if kind < 0 || !ok || len(values) == 0 {
			return nil, false
		}
		p.byType[kind] = values
	}
	for _, value := range p.byType[awsPrincipals] {
		if value == "*" {
			p.everyone = true
		}
		if accountPattern.MatchString(value) {
			account := strings.TrimSuffix(value, ":root")
			p.accounts = append(p.accounts, account[len(account)-12:])
		}
	}
	return p, true
}

// check returns an error for values that cannot name anybody. The store decides
// whether the named ones exist; see InvalidPrincipal.
func (p *principals) check() error {
	for kind, values := range p.byType {
		for _, value := range values {
			ok := false
			switch kind {
			case awsPrincipals:
				ok = value == "*" || accountPattern.MatchString(value) || awsPattern.MatchString(value)
			case servicePrincipals:
				ok = servicePattern.MatchString(value)
			case federatedPrincipals:
				ok = federatedPattern.MatchString(value)
			}
			if !ok {
				return InvalidPrincipal(principalTypes[kind], value)
			}
		}
	}
	return nil
}

// names reports how the element names a caller.
func (p *principals) names(caller *Principal) grant {
	switch caller.Type {
	case Service:
		return selfIf(slices.Contains(p.byType[servicePrincipals], caller.ARN))
	case Federated:
		return selfIf(slices.Contains(p.byType[federatedPrincipals], caller.ARN) ||
			slices.Contains(p.byType[federatedPrincipals], "*"))
	}
	aws := p.byType[awsPrincipals]
	switch {
	case slices.Contains(aws, caller.ARN):
		return selfNamed
	case caller.Type == RoleSession &&
		(slices.Contains(aws, caller.Role) || caller.ID != "" && slices.Contains(aws, caller.ID)):
		return looselyNamed
	case caller.Type == User && caller.ID != "" && slices.Contains(aws, caller.ID):
		return selfNamed
	case p.everyone:
		return looselyNamed
	case slices.Contains(p.accounts, caller.Account):
		return accountNamed
	}
	return notNamed
}

func selfIf(named bool) grant {
	if named {
		return selfNamed
	}
	return notNamed
}
