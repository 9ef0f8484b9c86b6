package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
	"rollcall/internal/policy"
)

// This file shows the answer of a simulation, with the statements that decided.

// verdict is the answer for an action on a resource.
type verdict struct {
	Action, Resource string
	Decision, Class  string
	Why              string
	Notes            []string // notes on the boundary and the organization
	Missing          []string
	Sources          []decider
}

// explanation returns why, with the notes.
func (d *verdict) explanation() string { return strings.Join(append([]string{d.Why}, d.Notes...), " ") }

// decider is a policy with the statements that decided.
type decider struct {
	Title, Kind string
	Link        string
	Document    *documentView
	Denied      string // why the document is not shown
}

// These limit the documents on a page.
const (
	linesAround      = 2
	linesOfDocument  = 60
	linesOfDocuments = 500
)

func (c *Console) verdicts(v *visit, who holder, results []types.EvaluationResult) []verdict {
	find := &sources{v: v, who: who, attached: map[holder][]types.AttachedPolicy{}, known: map[string]foundPolicy{}}
	var all []verdict
	for _, r := range results {
		if len(r.ResourceSpecificResults) == 0 {
			one := verdict{Action: *r.EvalActionName, Resource: str(r.EvalResourceName), Missing: r.MissingContextValues}
			one.decide(r.EvalDecision, r.PermissionsBoundaryDecisionDetail, r.OrganizationsDecisionDetail)
			one.Sources = find.deciders(one.Action, r.MatchedStatements)
			all = append(all, one)
			continue
		}
		for _, s := range r.ResourceSpecificResults {
			one := verdict{Action: *r.EvalActionName, Resource: str(s.EvalResourceName), Missing: s.MissingContextValues}
			one.decide(s.EvalResourceDecision, s.PermissionsBoundaryDecisionDetail, r.OrganizationsDecisionDetail)
			one.Sources = find.deciders(one.Action, s.MatchedStatements)
			all = append(all, one)
		}
	}
	return all
}

// decide describes a decision in words.
func (d *verdict) decide(
	decision types.PolicyEvaluationDecisionType, boundary *types.PermissionsBoundaryDecisionDetail,
	organization *types.OrganizationsDecisionDetail,
) {
	switch decision {
	case types.PolicyEvaluationDecisionTypeAllowed:
		d.Decision, d.Class, d.Why = "allowed", "pass", "A statement allows it, and none denies it."
	case types.PolicyEvaluationDecisionTypeExplicitDeny:
		d.Decision, d.Class, d.Why = "denied", "fail", "A statement denies it."
	default:
		d.Decision, d.Class, d.Why = "denied", "fail", "No statement allows it."
	}
	byBoundary := boundary != nil && !boundary.AllowedByPermissionsBoundary
	byOrganization := organization != nil && !organization.AllowedByOrganizations
	if decision == types.PolicyEvaluationDecisionTypeImplicitDeny && (byBoundary || byOrganization) {
		d.Why = ""
	}
	if boundary != nil {
		d.Notes = append(d.Notes, "The permissions boundary "+allows(boundary.AllowedByPermissionsBoundary)+" it.")
	}
	if organization != nil {
		d.Notes = append(d.Notes, "The control policies of the organization "+
			allow(organization.AllowedByOrganizations)+" it.")
	}
}

func allows(yes bool) string {
	if yes {
		return "allows"
	}
	return "does not allow"
}

func allow(yes bool) string {
	if yes {
		return "allow"
	}
	return "do not allow"
}

// sources finds the documents of the policies that a simulation names. It reads
// them as the person who asks.
type sources struct {
	v        *visit
	who      holder
	others   []holder // the groups of a user, once they have been read
	attached map[holder][]types.AttachedPolicy
	known    map[string]foundPolicy
	lines    int // number of lines that were shown
}

// foundPolicy is a policy that was found.
type foundPolicy struct {
	text, link string
	err        error

	shown      string // the text in the form that pages show
	statements []statementPlace
}

// statementPlace is the position of a statement: its end in the text, as
// simulations report it, and its lines on pages.
type statementPlace struct {
	end types.Position
	at  lines
}

// deciders returns the policies of some statements without duplicates.
func (f *sources) deciders(action string, statements []types.Statement) []decider {
	var all []decider
	at := map[string]int{}
	ends := map[string][]types.Position{}
	for _, st := range statements {
		id := string(st.SourcePolicyType) + "\x00" + *st.SourcePolicyId
		if _, ok := at[id]; !ok {
			at[id] = len(all)
			all = append(all, decider{Title: *st.SourcePolicyId, Kind: string(st.SourcePolicyType)})
		}
		if st.EndPosition != nil {
			ends[id] = append(ends[id], *st.EndPosition)
		}
	}
	for i := range all {
		d := &all[i]
		id := d.Kind + "\x00" + d.Title
		found, ok := f.known[id]
		if !ok {
			found = f.find(d.Kind, d.Title)
			found.read()
			f.known[id] = found
		}
		d.Link = found.link
		if found.err != nil {
			d.Denied = f.v.explain(found.err).Text
			continue
		}
		if f.lines < linesOfDocuments {
			document := showDocument("The policy "+d.Title, found.shown, found.lines(ends[id])...)
			document.hit(action)
			document = document.excerpt(linesAround, linesOfDocument, entry{Text: "The whole document", Path: found.link})
			f.lines += len(document.Lines)
			d.Document = &document
		}
	}
	return all
}

// hit marks those of the marked lines that name an action, perhaps with
// wildcards.
func (s documentView) hit(action string) {
	for i := range s.Lines {
		for _, p := range s.Lines[i].Parts {
			if s.Lines[i].Marked && p.Class == "s" && strings.Contains(p.Text, ":") &&
				policy.ActionPattern(strings.Trim(p.Text, `"`))(action) {
				s.Lines[i].Hit = true
			}
		}
	}
}

// read finds the statements of a policy in its text as pages show it.
func (p *foundPolicy) read() {
	p.shown = inLines(p.text)
	stored, err := policy.Stored(p.text, policy.Inline)
	if err != nil {
		return
	}
	shown, err := policy.Stored(p.shown, policy.Inline)
	if err != nil || len(shown.Statements) != len(stored.Statements) {
		return
	}
	for i := range stored.Statements {
		_, end := identity.StatementPlace(p.text, &stored.Statements[i])
		st := &shown.Statements[i]
		p.statements = append(p.statements, statementPlace{end, lines{st.Start.Line, st.End.Line}})
	}
}

// lines returns the lines of the statements that end at the given positions.
func (p *foundPolicy) lines(ends []types.Position) []lines {
	var all []lines
	for _, st := range p.statements {
		if slices.Contains(ends, st.end) {
			all = append(all, st.at)
		}
	}
	return all
}

// find reads a policy by its name in a simulation.
func (f *sources) find(kind, id string) foundPolicy {
	if kind == "Permissions Boundary Policy" {
		return f.boundary()
	}
	holders := []holder{f.who}
	if f.who.Kind == userHolder {
		holders = append(holders, f.groups()...)
	}
	denied := foundPolicy{err: &problem{Status: 403, Text: "The policy is not among those that you may see."}}
	for _, h := range holders {
		if name, ok := strings.CutPrefix(id, h.Kind+"_"+h.Name+"_"); ok {
			text, err := h.document(f.v, name)
			return foundPolicy{text: text, link: h.inlinePage(name), err: err}
		}
	}
	for _, h := range holders {
		for _, p := range f.attachedTo(h) {
			if *p.PolicyName == id {
				return f.managed(*p.PolicyArn)
			}
		}
	}
	return denied
}

func (f *sources) groups() []holder {
	if f.others != nil {
		return f.others
	}
	f.others = []holder{}
	out, err := do(f.v, f.v.iam.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: &f.who.Name})
	if err == nil {
		for _, g := range out.Groups {
			f.others = append(f.others, holder{Kind: groupHolder, Name: *g.GroupName})
		}
	}
	return f.others
}

func (f *sources) attachedTo(h holder) []types.AttachedPolicy {
	list, ok := f.attached[h]
	if !ok {
		list, _, _ = h.attached(f.v, nil)
		f.attached[h] = list
	}
	return list
}

func (f *sources) managed(arn string) foundPolicy {
	s := foundPolicy{link: link(policyPath, "arn", arn)}
	p, err := do(f.v, f.v.iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil {
		s.err = err
		return s
	}
	out, err := do(f.v, f.v.iam.GetPolicyVersion,
		&iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: p.Policy.DefaultVersionId})
	if err != nil {
		s.err = err
		return s
	}
	s.text = decoded(out.PolicyVersion.Document)
	return s
}

func (f *sources) boundary() foundPolicy {
	var b *types.AttachedPermissionsBoundary
	switch f.who.Kind {
	case userHolder:
		out, err := do(f.v, f.v.iam.GetUser, &iam.GetUserInput{UserName: &f.who.Name})
		if err != nil {
			return foundPolicy{err: err}
		}
		b = out.User.PermissionsBoundary
	case roleHolder:
		out, err := do(f.v, f.v.iam.GetRole, &iam.GetRoleInput{RoleName: &f.who.Name})
		if err != nil {
			return foundPolicy{err: err}
		}
		b = out.Role.PermissionsBoundary
	}
	if b == nil {
		return foundPolicy{err: fmt.Errorf("%s %s has no boundary", f.who.Kind, f.who.Name)}
	}
	return f.managed(*b.PermissionsBoundaryArn)
}
