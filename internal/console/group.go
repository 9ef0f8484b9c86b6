package console

import (
	"maps"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// groupPages returns the page of one group.
func (c *Console) groupPages() []page {
	all := posts{
		"add": changing("The user is in the group now.", func(v *visit, h holder) error {
			_, err := do(v, c.iam.AddUserToGroup,
				&iam.AddUserToGroupInput{GroupName: &h.Name, UserName: v.fieldPtr("user")})
			return err
		}),
		"remove": changing("The user is no longer in the group.", func(v *visit, h holder) error {
			_, err := do(v, c.iam.RemoveUserFromGroup,
				&iam.RemoveUserFromGroupInput{GroupName: &h.Name, UserName: v.fieldPtr("user")})
			return err
		}),
		"rename": c.renameGroup,
		"delete": c.deleteGroup,
	}
	maps.Copy(all, c.policyPosts())
	return []page{{path: groupPath, title: "Group", nav: "groups", get: c.group, post: all}}
}

func (c *Console) group(v *visit) error {
	h, err := v.holder()
	if err != nil {
		return err
	}
	var s thingView
	members := section{
		ID: "members", Title: "Members", Head: []string{"User", "Path", "Created", ""},
		Empty: "No members yet. Add the first one: what the group's policies allow, its members may do.",
	}
	most, path := int32(holderRows), ""
	out, err := do(v, c.iam.GetGroup,
		&iam.GetGroupInput{GroupName: &h.Name, Marker: v.queryPtr("members"), MaxItems: &most})
	switch {
	case errorCode(err) == "NoSuchEntity":
		return err
	case err != nil:
		s.Denied = v.explain(err).Text
		members = members.refuse(v, err)
	default:
		g := out.Group
		path = *g.Path
		s.Facts = []fact{
			{"ARN", code(*g.Arn)}, {"Group ID", code(*g.GroupId)}, {"Path", text(path)},
			{"Created", dated(v.when(g.CreateDate, ""))},
		}
		c.memberRows(v, h, &members, out.Users)
		members.Pager = pagedBy(v, "members", len(members.Rows), out.Marker)
	}
	sample := "example"
	members.Forms = []form{{
		Title: "Add a user", Do: "add", Submit: "Add", Open: v.field("do") == "add",
		Fields: []field{{Name: "user", Label: "User name", Value: v.field("user"), Complete: "off", Max: 64}},
		Denied: may(v, c.iam.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: &h.Name, UserName: &sample}),
	}}
	s.Sections = append(s.Sections, members)
	s.Sections = append(s.Sections, c.policySections(v, h)...)
	s.Sections = append(s.Sections, c.thisGroup(v, h, path))
	return v.showAs(h.Name, s.html())
}

// memberRows adds the members of a group to a section. Whether the caller may
// remove them depends only on the group.
func (c *Console) memberRows(v *visit, h holder, s *section, users []types.User) {
	if len(users) == 0 {
		return
	}
	denied := may(v, c.iam.RemoveUserFromGroup,
		&iam.RemoveUserFromGroupInput{GroupName: &h.Name, UserName: users[0].UserName})
	for _, u := range users {
		name := *u.UserName
		s.Rows = append(s.Rows, row{
			Cells: []cell{
				{Text: name, Link: link(userPath, "name", name)}, text(*u.Path), dated(v.when(u.CreateDate, "")),
			},
			Buttons: []button{{Do: "remove", Label: "Remove", With: []pair{{"user", name}}, Denied: denied}},
		})
	}
}

func (c *Console) thisGroup(v *visit, h holder, path string) section {
	return section{
		ID: "this", Title: "This group",
		Links: []entry{mayLink(h)},
		Forms: []form{{
			Title: "Rename or move", Do: "rename", Submit: "Save", Open: v.field("do") == "rename",
			What: "Members and policies stay. Policies that name the group by its ARN do not follow.",
			Fields: []field{
				{Name: "newname", Label: "Group name", Value: h.Name, Max: 128, Complete: "off"},
				{Name: "newpath", Label: "Path", Value: path, Max: 512, Complete: "off"},
			},
			Denied: may(v, c.iam.UpdateGroup, &iam.UpdateGroupInput{GroupName: &h.Name, NewGroupName: &h.Name}),
		}},
		Buttons: []button{{
			Do: "delete", Label: "Delete the group", Danger: true, Name: h.Name,
			What: "Its members are taken out of it and lose what it allows, its policies are detached, " +
				"and its inline policies are lost.",
			Denied: may(v, c.iam.DeleteGroup, &iam.DeleteGroupInput{GroupName: &h.Name}),
		}},
	}
}

func (c *Console) renameGroup(v *visit) error {
	h, err := v.holder()
	if err != nil {
		return err
	}
	name := v.field("newname")
	in := &iam.UpdateGroupInput{GroupName: &h.Name, NewPath: v.fieldPtr("newpath")}
	if name != h.Name {
		in.NewGroupName = &name
	}
	if _, err := do(v, c.iam.UpdateGroup, in); err != nil {
		return v.again(err, c.group)
	}
	return v.done(link(groupPath, "name", name), "The group has the new name and path.")
}

// membersDeleted limits the number of members that one request removes when it
// deletes their group.
const membersDeleted = 100

// deleteGroup deletes a group with everything that belongs to it. IAM refuses
// to delete a group that has something left. So an action of its own deletes
// each thing. Things that were deleted before a refusal stay deleted.
func (c *Console) deleteGroup(v *visit) error {
	h, err := v.holder()
	if err != nil {
		return err
	}
	if err = v.typed(h.Name); err == nil {
		err = c.dropMembers(v, h)
	}
	if err == nil {
		err = h.dropPolicies(v)
	}
	if err == nil {
		_, err = do(v, c.iam.DeleteGroup, &iam.DeleteGroupInput{GroupName: &h.Name})
	}
	if err != nil {
		return v.again(err, c.group)
	}
	return v.done(groupsPath, "The group "+h.Name+" is deleted.")
}

func (c *Console) dropMembers(v *visit, h holder) error {
	most := int32(membersDeleted)
	out, err := do(v, c.iam.GetGroup, &iam.GetGroupInput{GroupName: &h.Name, MaxItems: &most})
	if err != nil {
		return err
	}
	if out.IsTruncated {
		return &problem{
			Status: http.StatusConflict,
			Text:   "The group has more than 100 members. Remove them before you delete it.",
		}
	}
	for _, u := range out.Users {
		in := &iam.RemoveUserFromGroupInput{GroupName: &h.Name, UserName: u.UserName}
		if _, err := do(v, c.iam.RemoveUserFromGroup, in); err != nil {
			return err
		}
	}
	return nil
}
