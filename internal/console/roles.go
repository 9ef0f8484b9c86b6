package console

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/policy"
)

const (
	rolesPath   = "/console/roles"
	newRolePath = "/console/roles/new"
)

// rolesPages returns the list of roles and the form for a new one.
func (c *Console) rolesPages() []page {
	return []page{
		{path: rolesPath, title: "Roles", nav: "roles", get: c.roles},
		{
			path: newRolePath, title: "Create a role", nav: "roles", get: c.newRole,
			post: posts{"create": c.createRole, "check": c.newRole},
		},
	}
}

func (c *Console) roles(v *visit) error {
	most := int32(thingsPerPage)
	s := thingsView{
		Search: []field{v.pathField()},
		Create: offered{"Create a role", newRolePath, c.mayCreateRole(v)},
		List:   section{Title: "Roles", Head: []string{"Role", "Path", "Description", "Longest session", "Created"}},
	}
	prefix := v.pathPrefix()
	s.List.Empty = "There are no roles yet. A role is for programs, or for people of another account: " +
		"create the first one."
	if prefix != nil {
		s.List.Empty, s.All = "No role has a path that begins with this.", &entry{Text: "All roles", Path: rolesPath}
	}
	in := &iam.ListRolesInput{PathPrefix: prefix, Marker: v.queryPtr("marker"), MaxItems: &most}
	out, err := do(v, c.iam.ListRoles, in)
	if err != nil {
		s.List = s.List.refuse(v, err)
		return v.show(s.html())
	}
	for _, r := range out.Roles {
		s.List.Rows = append(s.List.Rows, row{Cells: []cell{
			{Text: *r.RoleName, Link: link(oneRolePath, "name", *r.RoleName)}, text(*r.Path),
			text(shortened(str(r.Description), 80)), text(hours(r.MaxSessionDuration)), dated(v.when(r.CreateDate, "")),
		}})
	}
	s.List.Pager = paged(v, len(s.List.Rows), out.Marker)
	return v.show(s.html())
}

// shortened returns a text of at most the given number of characters.
func shortened(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// hours returns a duration in seconds in words.
func hours(seconds *int32) string {
	if seconds == nil {
		return ""
	}
	h, m := *seconds/3600, *seconds%3600/60
	switch {
	case m == 0:
		return strconv.Itoa(int(h)) + " h"
	case h == 0:
		return strconv.Itoa(int(m)) + " min"
	}
	return strconv.Itoa(int(h)) + " h " + strconv.Itoa(int(m)) + " min"
}

func (c *Console) mayCreateRole(v *visit) string {
	name, document := "example", "{}"
	return may(v, c.iam.CreateRole, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &document})
}

// startTrust is the initial text of a trust policy: users of the account who may
// assume roles may assume this one.
const startTrust = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "AWS": "ACCOUNT"
      },
      "Action": "sts:AssumeRole"
    }
  ]
}
`

func (c *Console) newRole(v *visit) error {
	e := editor{
		Fields:   v.nameFields("Role name", 64),
		Document: strings.Replace(startTrust, "ACCOUNT", v.session.Caller.Account(), 1),
		Do:       "create", Submit: "Create the role", Cancel: rolesPath, Denied: c.mayCreateRole(v),
		Note: "The document is the trust policy: it says who may assume the role. " +
			"With the account's number as its principal, the policies of the account's users decide.",
	}
	e.Fields[0].Focus = v.field("do") == ""
	e.Fields = append(
		e.Fields,
		field{Name: "description", Label: "Description", Value: v.field("description"), Max: 1000, Optional: true,
			Complete: "off"},
		secondsField(or(v.field("seconds"), "3600")),
	)
	return v.show(e.typedInto(v, policy.Trust).html())
}

func secondsField(value string) field {
	return field{
		Name: "seconds", Label: "Longest session, in seconds", Value: value, Type: "number", Short: true, Complete: "off",
		Hint: "From 3600, one hour, to 43200, twelve hours.",
	}
}

// seconds returns the value of the field for the maximum session duration.
func (v *visit) seconds() (*int32, error) {
	if v.field("seconds") == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(v.field("seconds"), 10, 32)
	if err != nil {
		return nil, &problem{Status: 400, Text: "The longest session is a number of seconds."}
	}
	return new(int32(n)), nil
}

func (c *Console) createRole(v *visit) error {
	document, err := v.document()
	if err != nil {
		return v.again(err, c.newRole)
	}
	seconds, err := v.seconds()
	if err != nil {
		return v.again(err, c.newRole)
	}
	name := v.field("name")
	_, err = do(v, c.iam.CreateRole, &iam.CreateRoleInput{
		RoleName: &name, Path: v.fieldPtr("path"), Description: v.fieldPtr("description"),
		AssumeRolePolicyDocument: &document, MaxSessionDuration: seconds,
	})
	if err != nil {
		return v.again(err, c.newRole)
	}
	return v.done(link(oneRolePath, "name", name), "The role is created. It has no policies yet.")
}
