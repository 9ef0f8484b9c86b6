// Package servicegrant finds the services that policies give access to.
package servicegrant

import (
	"maps"
	"slices"
	"strings"

	"rollcall/internal/policy"
	"rollcall/internal/servicecatalog"
)

// Service is a service that documents give access to, with the actions that
// they allow.
type Service struct {
	Namespace string
	Actions   []string
}

// Services returns the services of which documents allow an action on a
// resource that the action applies to, sorted. An unconditional denial overrides
// an allowance on the resources that it names. Conditions of allowances and
// denials by NotResource are ignored (recorded).
//
// A service whose actions AWS's catalogue does not list is included if a
// statement names it.
func Services(documents []*policy.Document) []Service {
	var granted []Service
	statements := readStatements(documents)
	for _, namespace := range append(servicecatalog.Namespaces(), strangeVendors(statements)...) {
		service, _ := servicecatalog.Find(namespace)
		g := Service{Namespace: namespace}
		rules := rulesFor(statements, namespace)
		for a := range service.Actions() {
			if len(rules) > 0 && allows(rules, a) {
				g.Actions = append(g.Actions, a.Name)
			}
		}
		if len(g.Actions) > 0 || !service.HasActions() && allowsUnlisted(rules) {
			granted = append(granted, g)
		}
	}
	slices.SortFunc(granted, func(a, b Service) int { return strings.Compare(a.Namespace, b.Namespace) })
	return granted
}

// allowsUnlisted says whether rules allow an action of a service whose actions
// are not known.
func allowsUnlisted(rules []rule) bool {
	allowed := false
	for i := range rules {
		r := &rules[i]
		if r.deniesAll() {
			return false
		}
		allowed = allowed || !r.deny && !slices.Contains(r.not, "*")
	}
	return allowed
}

// statement is a statement with its actions grouped by vendor, all in
// lower case.
type statement struct {
	*policy.Statement
	names   map[string][]string // action names by vendor
	anyhow  [][2]string         // vendors with wildcards, with their action names
	without bool                // the actions are NotActions
}

// readStatements reads the statements that matter: allowances on any resource,
// and unconditional denials on named resources.
func readStatements(documents []*policy.Document) []statement {
	var all []statement
	for _, d := range documents {
		for i := range d.Statements {
			st := &d.Statements[i]
			vague := st.Effect == policy.Deny && (st.Conditional() || len(st.Resources) == 0)
			if vague || slices.Contains(st.NotResources, "*") {
				continue
			}
			read := statement{Statement: st, names: map[string][]string{}, without: len(st.NotActions) > 0}
			for _, action := range append(st.Actions, st.NotActions...) {
				vendor, name, colon := strings.Cut(strings.ToLower(action), ":")
				switch {
				case !colon: // the action is a single asterisk
					read.anyhow = append(read.anyhow, [2]string{"*", "*"})
				case strings.ContainsAny(vendor, "*?"):
					read.anyhow = append(read.anyhow, [2]string{vendor, name})
				default:
					read.names[vendor] = append(read.names[vendor], name)
				}
			}
			all = append(all, read)
		}
	}
	return all
}

// strangeVendors returns the namespaces that statements name and that AWS's
// catalogue does not contain.
func strangeVendors(statements []statement) []string {
	strange := map[string]bool{}
	for i := range statements {
		for vendor := range statements[i].names {
			if _, known := servicecatalog.Find(vendor); !known {
				strange[vendor] = true
			}
		}
	}
	return slices.Collect(maps.Keys(strange))
}

// rule holds the content of one statement about the actions of a service:
// the patterns of the action names, without the namespace.
type rule struct {
	*policy.Statement
	deny         bool
	actions, not []string
}

// rulesFor returns the rules of statements about a service.
func rulesFor(statements []statement, namespace string) []rule {
	var rules []rule
	for i := range statements {
		st := &statements[i]
		names := st.names[namespace]
		for _, pair := range st.anyhow {
			if wild(pair[0], namespace) {
				names = append(names[:len(names):len(names)], pair[1])
			}
		}
		r := rule{Statement: st.Statement, deny: st.Effect == policy.Deny, actions: names}
		if st.without {
			r.actions, r.not = nil, names
		}
		if st.without || len(names) > 0 {
			rules = append(rules, r)
		}
	}
	return rules
}

// names says whether a rule applies to an action.
func (r *rule) names(action string) bool {
	among := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return wild(p, action) })
	}
	if len(r.actions) > 0 {
		return among(r.actions)
	}
	return !among(r.not)
}

// fits says whether a rule names a resource that an action applies to.
func (r *rule) fits(a servicecatalog.Action) bool {
	fits := func(arn string) bool { return a.Fits(unresolved(arn)) }
	return len(r.NotResources) > 0 || slices.ContainsFunc(r.Resources, fits)
}

// gives says whether an allowing rule names a resource that an action applies
// to, in the form of its ARN, and no rule denies the action there.
func (r *rule) gives(a servicecatalog.Action, denied []string) bool {
	if len(r.NotResources) > 0 {
		return !slices.Contains(denied, "*")
	}
	return slices.ContainsFunc(r.Resources, func(arn string) bool {
		covered := func(pattern string) bool { return covers(pattern, arn) }
		return a.FitsForm(unresolved(arn)) && !slices.ContainsFunc(denied, covered)
	})
}

// covers says whether a pattern matches everything that another pattern
// matches. It replaces each asterisk of the other by nothing and by two
// characters. A question mark cannot match both.
func covers(pattern, other string) bool {
	return wild(pattern, strings.ReplaceAll(other, "*", "")) &&
		wild(pattern, strings.ReplaceAll(other, "*", "\x00\x00"))
}

// unresolved returns an ARN of a policy with an asterisk in place of each
// variable.
func unresolved(arn string) string {
	for {
		before, rest, ok := strings.Cut(arn, "${")
		if !ok {
			return arn
		}
		_, after, _ := strings.Cut(rest, "}")
		arn = before + "*" + after
	}
}

// allows says whether rules allow an action on any resource.
func allows(rules []rule, a servicecatalog.Action) bool {
	name := strings.ToLower(a.Name)
	var denied []string
	for i := range rules {
		if rules[i].deny && rules[i].names(name) {
			denied = append(denied, rules[i].Resources...)
		}
	}
	return slices.ContainsFunc(rules, func(r rule) bool {
		return !r.deny && r.names(name) && r.gives(a, denied)
	})
}

// Grants says whether a document on its own gives access to a service
// (recorded for ListPoliciesGrantingServiceAccess). It does if it names an
// action of the service, even one that does not exist, with a resource that
// belongs to the service, and does not deny the whole service on every
// resource.
func Grants(d *policy.Document, service servicecatalog.Service) bool {
	grants := false
	for _, r := range rulesFor(readStatements([]*policy.Document{d}), service.Namespace) {
		switch {
		case r.deniesAll():
			return false
		case r.deny || slices.Contains(r.not, "*"):
		case !service.HasActions():
			grants = true
		default:
			grants = grants || r.grants(service)
		}
	}
	return grants
}

// deniesAll says whether a rule denies every action of its service on every
// resource.
func (r *rule) deniesAll() bool {
	every := slices.Contains(r.actions, "*") || len(r.actions) == 0 && len(r.not) == 0
	return r.deny && every && slices.Contains(r.Resources, "*")
}

// grants says whether an allowing rule names an action with a resource of that
// action. If the rule names no existing action, a resource of any action of the
// service is enough.
func (r *rule) grants(service servicecatalog.Service) bool {
	named, some := false, false
	for a := range service.Actions() {
		fits := r.fits(a)
		if r.names(strings.ToLower(a.Name)) {
			named = true
			if fits {
				return true
			}
		}
		some = some || fits
	}
	return !named && some
}

// wild matches a text against a pattern with * and ?, both in lower case.
func wild(pattern, text string) bool {
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[i]):
			p++
			i++
		case star >= 0:
			p, mark = star+1, mark+1
			i = mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
