package console

import (
	"maps"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/policy"
)

const trustPath = "/console/roles/trust"

// rolePages returns the page of one role and the form for its trust policy.
// Another page switches to a role.
func (c *Console) rolePages() []page {
	all := c.oneRolePosts()
	maps.Copy(all, c.policyPosts())
	return []page{
		{path: oneRolePath, title: "Role", nav: "roles", get: c.role, post: all},
		{
			path: trustPath, title: "Trust policy", nav: "roles", get: c.trust,
			post: posts{"save": c.saveTrust, "check": c.trust},
		},
	}
}

// linkedRolePath begins the paths of service-linked roles.
const linkedRolePath = "/aws-service-role/"

// fixedRole returns AWS's sentence if only a service may change the role.
func fixedRole(v *visit, name string) string {
	out, err := do(v, v.iam.GetRole, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return ""
	}
	return fixed(out.Role)
}

func fixed(r *types.Role) string {
	if !strings.HasPrefix(str(r.Path), linkedRolePath) {
		return ""
	}
	return "Cannot perform the operation on the protected role '" + *r.RoleName +
		"' - this role is only modifiable by AWS"
}

func (c *Console) role(v *visit) error {
	h, err := v.holder()
	if err != nil {
		return err
	}
	var s thingView
	out, err := do(v, c.iam.GetRole, &iam.GetRoleInput{RoleName: &h.Name})
	var r types.Role
	switch {
	case errorCode(err) == "NoSuchEntity":
		return err
	case err != nil:
		s.Denied = v.explain(err).Text
	default:
		r = *out.Role
		h.Fixed = fixed(out.Role)
		s.Facts = roleFacts(v, &r)
	}
	if h.Fixed != "" {
		s.Note = "This is a service-linked role. Only the service that it belongs to changes it: " + h.Fixed
	}
	if out != nil {
		s.Sections = append(s.Sections, c.trustSection(v, h, &r))
	}
	s.Sections = append(s.Sections, c.policySections(v, h)...)
	s.Sections = append(s.Sections, c.boundary(v, h, &r), c.profiles(v, h), c.roleTags(v, h, r.Tags), c.thisRole(v, h, &r))
	return v.showAs(h.Name, s.html())
}

func roleFacts(v *visit, r *types.Role) []fact {
	used := v.when(nil, "never")
	region := ""
	if r.RoleLastUsed != nil {
		used, region = v.when(r.RoleLastUsed.LastUsedDate, "never"), str(r.RoleLastUsed.Region)
	}
	all := []fact{
		{"ARN", code(*r.Arn)}, {"Role ID", code(*r.RoleId)}, {"Path", text(*r.Path)},
		{"Created", dated(v.when(r.CreateDate, ""))}, {"Last used", dated(used)},
		{"Longest session", text(hours(r.MaxSessionDuration))},
	}
	if region != "" {
		all = append(all, fact{"Last used in", text(region)})
	}
	if r.Description != nil {
		all = append(all, fact{"Description", text(*r.Description)})
	}
	return all
}

func (c *Console) trustSection(v *visit, h holder, r *types.Role) section {
	document := inLines(decoded(r.AssumeRolePolicyDocument))
	s := section{
		ID: "trust", Title: "Trust policy", Notes: []string{"It says who may assume the role."},
		Document: new(showDocument("The trust policy", document)), Findings: findings(document, policy.Trust),
	}
	empty := "{}"
	s.offer("Edit the trust policy", link(trustPath, "name", h.Name), h.denied(acting(v, c.iam.UpdateAssumeRolePolicy,
		&iam.UpdateAssumeRolePolicyInput{RoleName: &h.Name, PolicyDocument: &empty})))
	return s
}

func (c *Console) boundary(v *visit, h holder, r *types.Role) section {
	s := section{
		ID: "boundary", Title: "Permissions boundary", Head: []string{"Policy", ""},
		Empty: "No boundary: its policies alone decide what the role may do.",
	}
	if r.PermissionsBoundary != nil {
		arn := *r.PermissionsBoundary.PermissionsBoundaryArn
		s.Rows = []row{{
			Cells: []cell{{Text: nameOf(arn), Link: link(policyPath, "arn", arn)}},
			Buttons: []button{{
				Do: "delete-boundary", Label: "Remove", Danger: true, Name: nameOf(arn),
				What: "The role may then do all that its policies allow.",
				Denied: h.denied(acting(v, c.iam.DeleteRolePermissionsBoundary,
					&iam.DeleteRolePermissionsBoundaryInput{RoleName: &h.Name})),
			}},
		}}
	}
	sample := "arn:aws:iam::aws:policy/ReadOnlyAccess"
	s.Forms = []form{{
		Title: "Set the boundary", Do: "boundary", Submit: "Set", Open: v.field("do") == "boundary",
		Fields: []field{{
			Name: "boundary", Label: "Name or ARN of the policy", Value: v.field("boundary"), Complete: "off",
			Hint: "The role may do nothing that this policy does not allow.",
		}},
		Denied: h.denied(acting(v, c.iam.PutRolePermissionsBoundary,
			&iam.PutRolePermissionsBoundaryInput{RoleName: &h.Name, PermissionsBoundary: &sample})),
	}}
	return s
}

func (c *Console) profiles(v *visit, h holder) section {
	s := section{
		ID: "profiles", Title: "Instance profiles", Head: []string{"Instance profile", "Path", "Created"},
		Empty: "In no instance profile. EC2 gives a role to an instance by a profile.",
	}
	most := int32(holderRows)
	out, err := do(v, c.iam.ListInstanceProfilesForRole, &iam.ListInstanceProfilesForRoleInput{
		RoleName: &h.Name, Marker: v.queryPtr("profiles"), MaxItems: &most,
	})
	if err != nil {
		return s.refuse(v, err)
	}
	for _, p := range out.InstanceProfiles {
		s.Rows = append(s.Rows, row{
			Cells: []cell{text(*p.InstanceProfileName), text(*p.Path), dated(v.when(p.CreateDate, ""))},
		})
	}
	s.Pager = pagedBy(v, "profiles", len(s.Rows), out.Marker)
	return s
}

func (c *Console) roleTags(v *visit, h holder, tags []types.Tag) section {
	fixed := func(a act) act { return act{a.call, func() string { return h.denied(a) }} }
	return tagSection(v, tags,
		func(t types.Tag) act {
			return fixed(acting(v, c.iam.TagRole, &iam.TagRoleInput{RoleName: &h.Name, Tags: []types.Tag{t}}))
		},
		func(key string) act {
			return fixed(acting(v, c.iam.UntagRole, &iam.UntagRoleInput{RoleName: &h.Name, TagKeys: []string{key}}))
		})
}

func (c *Console) thisRole(v *visit, h holder, r *types.Role) section {
	settings := form{
		Title: "Change description and session", Do: "update", Submit: "Save", Open: v.field("do") == "update",
		Fields: []field{{
			Name: "description", Label: "Description", Value: or(v.field("description"), str(r.Description)), Max: 1000,
			Optional: true, Complete: "off",
		}},
		Denied: may(v, c.iam.UpdateRole, &iam.UpdateRoleInput{RoleName: &h.Name}),
	}
	deletion := may(v, c.iam.DeleteRole, &iam.DeleteRoleInput{RoleName: &h.Name})
	if h.Fixed != "" {
		settings.Title = "Change the description"
		deletion = may(v, c.iam.DeleteServiceLinkedRole, &iam.DeleteServiceLinkedRoleInput{RoleName: &h.Name})
	} else if r.MaxSessionDuration != nil {
		settings.Fields = append(settings.Fields,
			secondsField(or(v.field("seconds"), strconv.Itoa(int(*r.MaxSessionDuration)))))
	}
	s := section{
		ID: "this", Title: "This role", Links: []entry{mayLink(h)},
		Forms: []form{settings},
		Buttons: []button{{
			Do: "delete", Label: "Delete the role", Danger: true, Name: h.Name,
			What: "Its policies are detached, its inline policies are lost, and it is taken out of its instance profiles. " +
				"Sessions of the role may do nothing any more.",
			Denied: deletion,
		}},
	}
	if h.Fixed == "" {
		name := strings.TrimPrefix(or(str(r.Path), "/"), "/") + h.Name
		s.Links = append(s.Links,
			entry{Text: "Switch to this role", Path: link(rolePath, "account", v.session.Caller.Account(), "role", name)})
	}
	return s
}

func (c *Console) trust(v *visit) error {
	name := v.query("name")
	if name == "" {
		return &problem{Status: 404, Text: "The address names no role."}
	}
	h := holder{Kind: roleHolder, Name: name}
	out, err := do(v, c.iam.GetRole, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return err
	}
	h.Fixed = fixed(out.Role)
	empty := "{}"
	e := editor{
		Do: "save", Submit: "Save the trust policy", Cancel: h.page(),
		Document: inLines(decoded(out.Role.AssumeRolePolicyDocument)),
		Note:     "It is in force at once. Sessions that have begun already continue.",
		Denied: h.denied(acting(v, c.iam.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &empty})),
	}
	s := editView{About: entry{Text: "role " + name, Path: h.page()}, Editor: e.typedInto(v, policy.Trust)}
	return v.showAs("Trust policy of "+name, s.html())
}

func (c *Console) saveTrust(v *visit) error {
	document, err := v.document()
	if err != nil {
		return v.again(err, c.trust)
	}
	name := v.query("name")
	_, err = do(v, c.iam.UpdateAssumeRolePolicy,
		&iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &document})
	if err != nil {
		return v.again(err, c.trust)
	}
	return v.done(link(oneRolePath, "name", name), "The trust policy is saved.")
}
