package console

import (
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

const (
	groupsPath   = "/console/groups"
	newGroupPath = "/console/groups/new"
)

// groupsPages returns the list of groups and the form for a new one.
func (c *Console) groupsPages() []page {
	return []page{
		{path: groupsPath, title: "Groups", nav: "groups", get: c.groups},
		{
			path: newGroupPath, title: "Create a group", nav: "groups", get: c.newGroup,
			post: posts{"create": c.createGroup},
		},
	}
}

func (c *Console) groups(v *visit) error {
	most := int32(thingsPerPage)
	s := thingsView{
		Search: []field{v.pathField()},
		Create: offered{"Create a group", newGroupPath, c.mayCreateGroup(v)},
		List:   section{Title: "Groups", Head: []string{"Group", "Path", "Created"}},
	}
	prefix := v.pathPrefix()
	s.List.Empty = "There are no groups yet. A group gives its policies to its members: create the first one."
	if prefix != nil {
		s.List.Empty, s.All = "No group has a path that begins with this.", &entry{Text: "All groups", Path: groupsPath}
	}
	in := &iam.ListGroupsInput{PathPrefix: prefix, Marker: v.queryPtr("marker"), MaxItems: &most}
	out, err := do(v, c.iam.ListGroups, in)
	if err != nil {
		s.List = s.List.refuse(v, err)
		return v.show(s.html())
	}
	for _, g := range out.Groups {
		s.List.Rows = append(s.List.Rows, row{Cells: []cell{
			{Text: *g.GroupName, Link: link(groupPath, "name", *g.GroupName)}, text(*g.Path),
			dated(v.when(g.CreateDate, "")),
		}})
	}
	s.List.Pager = paged(v, len(s.List.Rows), out.Marker)
	return v.show(s.html())
}

func (c *Console) mayCreateGroup(v *visit) string {
	example := "example"
	return may(v, c.iam.CreateGroup, &iam.CreateGroupInput{GroupName: &example})
}

func (c *Console) newGroup(v *visit) error {
	s := newThingView{
		Fields: v.nameFields("Group name", 128), Submit: "Create the group", Cancel: groupsPath,
		Denied: c.mayCreateGroup(v),
	}
	return v.show(s.html())
}

func (c *Console) createGroup(v *visit) error {
	name := v.field("name")
	_, err := do(v, c.iam.CreateGroup, &iam.CreateGroupInput{GroupName: &name, Path: v.fieldPtr("path")})
	if err != nil {
		return v.again(err, c.newGroup)
	}
	return v.done(link(groupPath, "name", name), "The group is created. It has no members and no policies yet.")
}
