package console

import (
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// This file shows the groups and the tags of a user.

// linkTo returns the address of a page about one thing, "" if there is none.
func (c *Console) linkTo(path, name, value string) string {
	if c.pages[path] == nil {
		return ""
	}
	return link(path, name, value)
}

func (c *Console) userGroups(v *visit, who subject) section {
	s := section{ID: "groups", Title: "Groups", Head: []string{"Group", "Path", ""}, Empty: "In no group."}
	out, err := do(v, c.iam.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: who.User})
	if err != nil {
		return s.refuse(v, err)
	}
	for _, g := range out.Groups {
		name := *g.GroupName
		s.Rows = append(s.Rows, row{
			Cells: []cell{{Text: name, Link: c.linkTo(groupPath, "name", name)}, text(*g.Path)},
			Buttons: []button{{
				Do: "leave-group", Label: "Remove from the group", With: []pair{{"group", name}},
				Denied: may(
					v,
					c.iam.RemoveUserFromGroup,
					&iam.RemoveUserFromGroupInput{UserName: who.User, GroupName: &name},
				),
			}},
		})
	}
	sample := "example"
	s.Forms = []form{{
		Title: "Add to a group", Do: "join-group", Submit: "Add", Open: v.field("do") == "join-group",
		Fields: []field{{Name: "group", Label: "Group name", Value: v.field("group"), Complete: "off", Max: 128}},
		Denied: may(v, c.iam.AddUserToGroup, &iam.AddUserToGroupInput{UserName: who.User, GroupName: &sample}),
	}}
	return s
}

func (c *Console) userTags(v *visit, who subject) section {
	s := section{ID: "tags", Title: "Tags", Head: []string{"Key", "Value", ""}, Empty: "No tags."}
	out, err := do(v, c.iam.ListUserTags, &iam.ListUserTagsInput{UserName: who.User})
	if err != nil {
		return s.refuse(v, err)
	}
	for _, tag := range out.Tags {
		s.Rows = append(s.Rows, row{
			Cells: []cell{text(*tag.Key), text(*tag.Value)},
			Buttons: []button{{
				Do: "untag", Label: "Remove", With: []pair{{"key", *tag.Key}},
				Denied: may(v, c.iam.UntagUser, &iam.UntagUserInput{UserName: who.User, TagKeys: []string{*tag.Key}}),
			}},
		})
	}
	key, value := "key", "value"
	s.Forms = []form{{
		Title: "Set a tag", Do: "tag", Submit: "Set the tag", Open: v.field("do") == "tag",
		Fields: []field{
			{Name: "key", Label: "Key", Value: v.field("key"), Max: 128, Complete: "off"},
			{Name: "value", Label: "Value", Value: v.field("value"), Max: 256, Optional: true, Complete: "off"},
		},
		Denied: may(
			v,
			c.iam.TagUser,
			&iam.TagUserInput{UserName: who.User, Tags: []types.Tag{{Key: &key, Value: &value}}},
		),
	}}
	return s
}

func (c *Console) membershipPosts() posts {
	return posts{
		"join-group": change("The user is in the group now.", func(v *visit, who subject) error {
			_, err := do(
				v,
				c.iam.AddUserToGroup,
				&iam.AddUserToGroupInput{UserName: who.User, GroupName: v.fieldPtr("group")},
			)
			return err
		}),
		"leave-group": change("The user is no longer in the group.", func(v *visit, who subject) error {
			_, err := do(
				v,
				c.iam.RemoveUserFromGroup,
				&iam.RemoveUserFromGroupInput{UserName: who.User, GroupName: v.fieldPtr("group")},
			)
			return err
		}),
		"tag": change("The tag is set.", func(v *visit, who subject) error {
			key, value := v.field("key"), v.field("value")
			_, err := do(
				v,
				c.iam.TagUser,
				&iam.TagUserInput{UserName: who.User, Tags: []types.Tag{{Key: &key, Value: &value}}},
			)
			return err
		}),
		"untag": change("The tag is removed.", func(v *visit, who subject) error {
			_, err := do(v, c.iam.UntagUser, &iam.UntagUserInput{UserName: who.User, TagKeys: []string{v.field("key")}})
			return err
		}),
	}
}
