package console

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/policy"
)

const newVersionPath = "/console/policy/new-version"

// policyPages returns the page of one managed policy and the form for a new
// version of it.
func (c *Console) policyPages() []page {
	return []page{
		{path: policyPath, title: "Policy", nav: "policies", get: c.policy, post: c.onePolicyPosts()},
		{
			path: newVersionPath, title: "New version", nav: "policies", get: c.newVersion,
			post: posts{"save": c.createVersion, "check": c.newVersion},
		},
	}
}

// policyARNOf returns the ARN of the policy that the page concerns.
func policyARNOf(v *visit) (string, error) {
	arn := v.query("arn")
	if arn == "" {
		return "", &problem{Status: 404, Text: "The address names no policy."}
	}
	return arn, nil
}

func (c *Console) policy(v *visit) error {
	arn, err := policyARNOf(v)
	if err != nil {
		return err
	}
	var s thingView
	shown := or(v.query("version"), "v1")
	out, err := do(v, c.iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: &arn})
	p := &types.Policy{}
	switch {
	case errorCode(err) == "NoSuchEntity", errorCode(err) == "InvalidInput", errorCode(err) == "ValidationError":
		return err
	case err != nil:
		s.Denied = v.explain(err).Text
	default:
		p = out.Policy
		shown = or(v.query("version"), *p.DefaultVersionId)
		s.Facts = []fact{
			{"ARN", code(arn)}, {"Policy ID", code(*p.PolicyId)}, {"Of", text(ownerOf(arn))}, {"Path", text(*p.Path)},
			{"Default version", text(*p.DefaultVersionId)}, {"Attached to", figure(p.AttachmentCount)},
			{"Boundary of", figure(p.PermissionsBoundaryUsageCount)}, {"Created", dated(v.when(p.CreateDate, ""))},
			{"Changed", dated(v.when(p.UpdateDate, ""))},
		}
		if p.Description != nil {
			s.Facts = append(s.Facts, fact{"Description", text(*p.Description)})
		}
	}
	if isAWS(arn) {
		s.Note = "AWS manages this policy. It can be attached, and cannot be changed."
	}
	s.Sections = []section{c.policyDocument(v, arn, shown, str(p.DefaultVersionId)), c.policyHolders(v, arn)}
	if p.PermissionsBoundaryUsageCount != nil && *p.PermissionsBoundaryUsageCount > 0 {
		s.Sections = append(s.Sections, c.policyBounded(v, arn))
	}
	if !isAWS(arn) {
		s.Sections = append(s.Sections, c.policyVersions(v, arn), c.policyTags(v, arn, p.Tags), c.thisPolicy(v, arn))
	}
	return v.showAs(nameOf(arn), s.html())
}

// nameOf returns the name of a policy.
func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func (c *Console) policyDocument(v *visit, arn, version, standard string) section {
	s := section{ID: "document", Title: "Document, " + version}
	out, err := do(v, c.iam.GetPolicyVersion, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: &version})
	if err != nil {
		return s.refuse(v, err)
	}
	switch {
	case out.PolicyVersion.IsDefaultVersion:
		s.Title += ", the default"
	case standard != "":
		s.Notes = []string{"This is not the version in force."}
		s.Links = []entry{{Text: "See " + standard + ", the default", Path: link(policyPath, "arn", arn)}}
	}
	text := inLines(decoded(out.PolicyVersion.Document))
	s.Document = new(showDocument("The document of "+version, text).pageOf(v))
	if isAWS(arn) {
		return s
	}
	s.Findings = findings(text, policy.Managed)
	s.offer("Edit as a new version", link(newVersionPath, "arn", arn, "from", version), c.mayCreateVersion(v, arn))
	return s
}

// entities returns a page of the entities that use a policy in one way.
func (c *Console) entities(v *visit, arn, by string, use types.PolicyUsageType) (all []holder, p pager, err error) {
	most := int32(holderRows)
	out, err := do(v, c.iam.ListEntitiesForPolicy, &iam.ListEntitiesForPolicyInput{
		PolicyArn: &arn, PolicyUsageFilter: use, Marker: v.queryPtr(by), MaxItems: &most,
	})
	if err != nil {
		return nil, p, err
	}
	for _, x := range out.PolicyUsers {
		all = append(all, holder{Kind: userHolder, Name: *x.UserName})
	}
	for _, x := range out.PolicyGroups {
		all = append(all, holder{Kind: groupHolder, Name: *x.GroupName})
	}
	for _, x := range out.PolicyRoles {
		all = append(all, holder{Kind: roleHolder, Name: *x.RoleName})
	}
	return all, pagedBy(v, by, len(all), out.Marker), nil
}

// policyBounded returns the section of the entities with this policy as their
// boundary.
func (c *Console) policyBounded(v *visit, arn string) section {
	s := section{
		ID: "bounded", Title: "Boundary of", Head: []string{"Name", "Kind"}, Empty: "Nobody's.",
		Notes: []string{"They may do nothing that the policy does not allow."},
	}
	all, p, err := c.entities(v, arn, "bounded", types.PolicyUsageTypePermissionsBoundary)
	if err != nil {
		return s.refuse(v, err)
	}
	for _, h := range all {
		s.Rows = append(s.Rows, row{Cells: []cell{{Text: h.Name, Link: h.page()}, text(h.Kind)}})
	}
	s.Pager = p
	return s
}

// policyHolders returns the section of the entities to which a policy is
// attached.
func (c *Console) policyHolders(v *visit, arn string) section {
	s := section{
		ID: "holders", Title: "Attached to", Head: []string{"Name", "Kind", ""},
		Empty: "Attached to nobody. Attach it to a group, so that its members are allowed what it allows.",
	}
	all, p, err := c.entities(v, arn, "holders", types.PolicyUsageTypePermissionsPolicy)
	if err != nil {
		s = s.refuse(v, err)
	}
	for _, h := range all {
		s.Rows = append(s.Rows, row{
			Cells: []cell{{Text: h.Name, Link: h.page()}, text(h.Kind)},
			Buttons: []button{{
				Do: "detach", Label: "Detach", With: []pair{{"kind", h.Kind}, {"holder", h.Name}},
				Denied: h.detach(v, arn).may(),
			}},
		})
	}
	s.Pager = p
	for _, kind := range []string{groupHolder, userHolder, roleHolder} {
		sample := holder{Kind: kind, Name: "example"}
		name := ""
		if v.field("do") == "attach-"+kind {
			name = v.field(kind)
		}
		s.Forms = append(s.Forms, form{
			Title: "Attach to a " + kind, Do: "attach-" + kind, Submit: "Attach", Open: name != "",
			Fields: []field{{Name: kind, Label: "Name of the " + kind, Value: name, Complete: "off", Max: 128}},
			Denied: sample.attach(v, arn).may(),
		})
	}
	return s
}

func (c *Console) policyVersions(v *visit, arn string) section {
	s := section{ID: "versions", Title: "Versions", Head: []string{"Version", "State", "Created", ""}}
	out, err := do(v, c.iam.ListPolicyVersions, &iam.ListPolicyVersionsInput{PolicyArn: &arn})
	if err != nil {
		return s.refuse(v, err)
	}
	for _, x := range out.Versions {
		id := *x.VersionId
		state := cell{Text: "the default", State: "pass"}
		r := row{}
		if !x.IsDefaultVersion {
			state = text("not in force")
			r.Buttons = []button{
				{
					Do: "set-default", Label: "Make it the default", With: []pair{{"version", id}},
					Denied: may(v, c.iam.SetDefaultPolicyVersion,
						&iam.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: &id}),
				},
				{
					Do: "delete-version", Label: "Delete", With: []pair{{"version", id}}, Danger: true, Name: id,
					What: "The document is lost.",
					Denied: may(v, c.iam.DeletePolicyVersion,
						&iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: &id}),
				},
			}
		}
		r.Cells = []cell{
			{Text: id, Link: link(policyPath, "arn", arn, "version", id)}, state, dated(v.when(x.CreateDate, "")),
		}
		s.Rows = append(s.Rows, r)
	}
	s.Notes = []string{"A policy has five versions at most."}
	return s
}

func (c *Console) policyTags(v *visit, arn string, tags []types.Tag) section {
	return tagSection(v, tags,
		func(t types.Tag) act {
			return acting(v, c.iam.TagPolicy, &iam.TagPolicyInput{PolicyArn: &arn, Tags: []types.Tag{t}})
		},
		func(key string) act {
			return acting(v, c.iam.UntagPolicy, &iam.UntagPolicyInput{PolicyArn: &arn, TagKeys: []string{key}})
		})
}

func (c *Console) thisPolicy(v *visit, arn string) section {
	return section{ID: "this", Title: "This policy", Buttons: []button{{
		Do: "delete", Label: "Delete the policy", Danger: true, Name: nameOf(arn),
		What:   "All its versions are deleted, for good. It must be detached from everybody first.",
		Denied: may(v, c.iam.DeletePolicy, &iam.DeletePolicyInput{PolicyArn: &arn}),
	}}}
}

// aboutPolicy returns the handler of a form on the page of a policy.
func (c *Console) aboutPolicy(text string, f func(v *visit, arn string) error) func(*visit) error {
	return func(v *visit) error {
		arn, err := policyARNOf(v)
		if err != nil {
			return err
		}
		if err := f(v, arn); err != nil {
			return v.again(err, c.policy)
		}
		return v.done(link(policyPath, "arn", arn), text)
	}
}

func figure(n *int32) cell {
	if n == nil {
		return text("0")
	}
	return text(strconv.Itoa(int(*n)))
}
