package policy

import "context"

// Request is the request of a caller.
type Request struct {
	Principal Principal
	// Action is the service and the action, "iam:CreateUser". Case is ignored.
	Action string
	// Resources holds the ARNs that the action affects. Each must be allowed.
	// None, or "*", means an action on no particular resource. Only a Resource
	// that matches everything allows it. IAM, actions without resource-level
	// permissions.
	Resources []string
	Context   Context
	// Simulated says that the request is simulated. A key may then have
	// unreadable values, which NumericNotEquals does not match.
	Simulated bool
}

// Policy is an attached document, with its name in answers.
type Policy struct {
	Document *Document
	ARN      string // of a managed policy; empty for an inline one
	Name     string // of an inline policy
}

// Policies are all policies that apply to a caller. An empty list means that
// there is no policy of the kind. For all except Identity this means no limit.
type Policies struct {
	Identity []Policy // of the user and its groups, or of the role
	Boundary []Policy // at most one
	Session  []Policy // passed when the session was created: what any of them allows
	Control  []Policy // of the caller's account: what any of them allows
	// SessionRequired says that nothing is allowed without a session policy, as
	// for a federated user.
	SessionRequired bool

	// Resource is the policy of the resource itself, if it has one.
	Resource []Policy
	// ResourceAccount is the account that owns the resource, "" for the
	// caller's. Across accounts both sides must allow.
	ResourceAccount string
}

// Layer is the kind of policy that decided.
type Layer uint8

// These are the layers, in the order in which a missing allow is reported: IAM,
// policy evaluation logic.
const (
	NoLayer Layer = iota
	ControlLayer
	ResourceLayer
	TrustLayer
	IdentityLayer
	BoundaryLayer
	SessionLayer
)

// Decision is the answer to a Request. Its zero value is a refusal.
type Decision struct {
	Allowed  bool
	Explicit bool  // refused by a Deny statement, not because an allow is missing
	Layer    Layer // the kind of policy that decided; NoLayer if root's right did
	// Policy and Statement allowed or explicitly denied. They are nil if
	// nothing did.
	Policy    *Policy
	Statement *Statement
	// Resource is the refused one of Request.Resources, or the last.
	Resource string
}

// Match is a statement that applies to a request.
type Match struct {
	Policy    *Policy
	Statement *Statement
}

// Evaluate decides a request. With several resources the first refusal is the
// answer. The error is the reason for the end of ctx, or ErrTooCostly. The
// request is then refused.
func Evaluate(ctx context.Context, req Request, p Policies) (Decision, error) {
	return evaluate(ctx, req, &p, ResourceLayer)
}

func evaluate(ctx context.Context, req Request, p *Policies, resourceLayer Layer) (d Decision, err error) {
	e := begin(ctx, req)
	if len(req.Resources) == 0 {
		d = e.decide("*", p, resourceLayer)
	}
	for _, resource := range req.Resources {
		if d = e.decide(resource, p, resourceLayer); !d.Allowed {
			break
		}
	}
	if e.err != nil {
		return Decision{}, e.err
	}
	return d, nil
}

// decide evaluates the layers for one resource. resourceLayer is ResourceLayer,
// or TrustLayer for a role's trust policy, which must always allow.
func (e *evaluation) decide(resource string, p *Policies, resourceLayer Layer) Decision {
	e.on(resource)
	caller := &e.req.Principal
	layers := [...]struct {
		layer    Layer
		policies []Policy
		outcome  outcome
	}{
		{layer: ControlLayer, policies: p.Control},
		{layer: resourceLayer, policies: p.Resource},
		{layer: IdentityLayer, policies: p.Identity},
		{layer: BoundaryLayer, policies: p.Boundary},
		{layer: SessionLayer, policies: p.Session},
	}
	for i := range layers {
		l := &layers[i]
		l.outcome = e.scan(l.policies)
		if l.outcome.denied {
			return Decision{Explicit: true, Layer: l.layer, Policy: l.outcome.Policy, Statement: l.outcome.Statement,
				Resource: resource}
		}
	}
	control, own := &layers[0].outcome, &layers[1].outcome
	identity, boundary, session := &layers[2].outcome, &layers[3].outcome, &layers[4].outcome
	refused := func(l Layer) Decision { return Decision{Layer: l, Resource: resource} }
	allowed := func(l Layer, o *outcome) Decision {
		return Decision{Allowed: true, Layer: l, Policy: o.Policy, Statement: o.Statement, Resource: resource}
	}

	across := p.ResourceAccount != "" && p.ResourceAccount != caller.Account
	mustName := resourceLayer == TrustLayer || across || caller.outside()
	byResource := own.grant
	if across && !caller.outside() && byResource != notNamed {
		byResource = accountNamed // the caller's own account must allow as well
	}
	switch {
	case len(p.Control) > 0 && control.grant == notNamed:
		return refused(ControlLayer)
	case mustName && byResource == notNamed:
		return refused(resourceLayer)
	case byResource == selfNamed:
		return allowed(resourceLayer, own)
	case caller.Type != Root && identity.grant == notNamed && byResource != looselyNamed:
		return refused(IdentityLayer)
	case len(p.Boundary) > 0 && boundary.grant == notNamed:
		return refused(BoundaryLayer)
	case (len(p.Session) > 0 || p.SessionRequired) && session.grant == notNamed:
		return refused(SessionLayer)
	case identity.grant != notNamed:
		return allowed(IdentityLayer, identity)
	case byResource == looselyNamed:
		return allowed(resourceLayer, own)
	}
	return Decision{Allowed: true, Resource: resource} // root, who needs no policy
}

// outcome is the result of the policies of one layer: the deny that ends it, or
// the allow that names the caller most closely.
type outcome struct {
	Match
	denied bool
	grant  grant
}

func (e *evaluation) scan(policies []Policy) (o outcome) {
	for i := range policies {
		p := &policies[i]
		for j := range p.Document.Statements {
			st := &p.Document.Statements[j]
			if o.grant == selfNamed && st.Effect == Allow {
				continue // no allow can be closer; a deny can still follow
			}
			g := e.applies(st)
			switch {
			case g == notNamed:
			case st.Effect == Deny:
				return outcome{Match: Match{Policy: p, Statement: st}, denied: true}
			case g > o.grant:
				o = outcome{Match: Match{Policy: p, Statement: st}, grant: g}
			}
		}
	}
	return o
}

// applies reports whether a statement applies, and how closely it names the
// caller; selfNamed if it has no Principal.
func (e *evaluation) applies(st *Statement) grant {
	if e.matchAny(st.actions, &e.action) == (len(st.NotActions) > 0) {
		return notNamed
	}
	if len(st.resources) > 0 && e.matchAny(st.resources, &e.resource) == (len(st.NotResources) > 0) {
		return notNamed
	}
	g := st.names(&e.req.Principal)
	if g == notNamed {
		return notNamed
	}
	for i := range st.conditions {
		switch e.holds(&st.conditions[i]) {
		case unmet:
			return notNamed
		case broken:
			if st.Effect != Deny {
				return notNamed
			}
		}
	}
	return g
}

// names reports how the statement's Principal or NotPrincipal names the caller.
func (st *Statement) names(caller *Principal) grant {
	switch {
	case st.principals != nil:
		if st.Effect == Deny && st.principals.everyone {
			return selfNamed // everyone, services and federated callers too
		}
		return st.principals.names(caller)
	case st.notPrincipals != nil:
		if st.Effect == Allow && caller.outside() {
			return notNamed // an allow for everybody except some AWS callers does not include other kinds
		}
		return selfIf(st.notPrincipals.names(caller) == notNamed)
	}
	return selfNamed
}

// matchAny compares the first characters first. Most patterns of a policy are
// for another service than the request's, and are rejected there.
func (e *evaluation) matchAny(patterns []pattern, s *subject) bool {
	if !e.spend(1 + len(patterns)/4) {
		return false
	}
	for i := range patterns {
		if p := &patterns[i]; s.head&p.mask == p.head && (p.short || e.match(p, s.text)) {
			return true
		}
	}
	return false
}

// Matching returns every statement of the policies that applies to the request
// on one resource, allows and denies, as a simulation shows them. The error is
// the same as Evaluate's.
func Matching(ctx context.Context, req Request, resource string, policies []Policy) ([]Match, error) {
	e := begin(ctx, req)
	e.on(resource)
	var list []Match
	for i := range policies {
		for j := range policies[i].Document.Statements {
			if st := &policies[i].Document.Statements[j]; e.applies(st) != notNamed {
				list = append(list, Match{Policy: &policies[i], Statement: st})
			}
		}
	}
	return list, e.err
}
