package console

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
	"rollcall/internal/policy"
)

const (
	policiesPath  = "/console/policies"
	newPolicyPath = "/console/policies/new"
)

// policiesPages returns the list of managed policies and the form for a new
// one.
func (c *Console) policiesPages() []page {
	return []page{
		{path: policiesPath, title: "Policies", nav: "policies", get: c.policies},
		{
			path: newPolicyPath, title: "Create a policy", nav: "policies", get: c.newPolicy,
			post: posts{"create": c.createPolicy, "check": c.newPolicy},
		},
	}
}

var policyScopes = []option{
	{Value: "", Text: "the account's"}, {Value: "AWS", Text: "AWS's"}, {Value: "All", Text: "all"},
}

func (c *Console) policies(v *visit) error {
	scope, err := v.oneOf("scope", policyScopes)
	if err != nil {
		return err
	}
	attached := v.query("attached") == "yes"
	s := thingsView{
		Choices: []choice{chooseFrom("scope", "Policies", scope, policyScopes)},
		Search: []field{
			{Name: "prefix", Label: "Name begins with", Value: v.query("prefix"), Max: 128}, v.pathField(),
		},
		Check:  &check{"attached", "only those in use", attached},
		Create: offered{"Create a policy", newPolicyPath, c.mayCreatePolicy(v)},
		List:   section{Title: "Policies", Head: []string{"Policy", "Of", "Path", "Attached to", "Boundary of", "Changed"}},
	}
	prefix := v.pathPrefix()
	s.List.Empty = "The account has no policies of its own yet. Create the first one, or look at AWS's."
	if prefix != nil || attached || scope != "" || v.query("prefix") != "" {
		s.List.Empty, s.All = "No policy is like this.", &entry{Text: "The account's policies", Path: policiesPath}
	}
	most := int32(thingsPerPage)
	in := &identity.ListPoliciesInput{
		Scope: types.PolicyScopeType(or(scope, "Local")), OnlyAttached: attached, PathPrefix: prefix,
		Marker: v.queryPtr("marker"), MaxItems: &most,
	}
	if name := v.queryPtr("prefix"); name != nil {
		in.Rollcall = &identity.NameSearch{NamePrefix: name}
	}
	out, err := do(v, c.iam.ListPolicies, in)
	if err != nil {
		s.List = s.List.refuse(v, err)
		return v.show(s.html())
	}
	for _, p := range out.Policies {
		s.List.Rows = append(s.List.Rows, row{Cells: []cell{
			{Text: *p.PolicyName, Link: link(policyPath, "arn", *p.Arn)}, text(ownerOf(*p.Arn)), text(*p.Path),
			figure(p.AttachmentCount), figure(p.PermissionsBoundaryUsageCount), dated(v.when(p.UpdateDate, "")),
		}})
	}
	s.List.Pager = paged(v, len(s.List.Rows), out.Marker)
	return v.show(s.html())
}

// isAWS says whether a policy is one that AWS manages.
func isAWS(arn string) bool { return strings.Contains(arn, ":iam::aws:policy/") }

func (c *Console) mayCreatePolicy(v *visit) string {
	name, document := "example", "{}"
	return may(v, c.iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: &document})
}

func (c *Console) newPolicy(v *visit) error {
	e := editor{
		Fields:   v.nameFields("Policy name", 128),
		Document: startDocument, Do: "create", Submit: "Create the policy", Cancel: policiesPath,
		Denied: c.mayCreatePolicy(v),
	}
	e.Fields[0].Focus = v.field("do") == ""
	e.Fields = append(e.Fields, field{
		Name: "description", Label: "Description", Value: v.field("description"), Max: 1000, Optional: true,
		Complete: "off", Hint: "IAM cannot change it later.",
	})
	return v.show(e.typedInto(v, policy.Managed).html())
}

// editView is the data of a page with an editor.
type editView struct {
	About  entry // the owner of the document
	Editor editor
}

func (c *Console) createPolicy(v *visit) error {
	document, err := v.document()
	if err != nil {
		return v.again(err, c.newPolicy)
	}
	out, err := do(v, c.iam.CreatePolicy, &iam.CreatePolicyInput{
		PolicyName: v.fieldPtr("name"), Path: v.fieldPtr("path"), Description: v.fieldPtr("description"),
		PolicyDocument: &document,
	})
	if err != nil {
		return v.again(err, c.newPolicy)
	}
	return v.done(link(policyPath, "arn", *out.Policy.Arn), "The policy is created. Nobody has it yet.")
}
