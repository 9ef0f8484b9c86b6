package console

import (
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

const userPath = "/console/user"

// userPages returns the page of one user.
func (c *Console) userPages() []page {
	all := posts{
		"rename": c.renameUser,
		"delete": c.deleteUser,
	}
	for _, some := range []posts{
		c.accessKeyPosts(), c.passwordPosts(), c.devicePosts(), c.furtherPosts(), c.membershipPosts(),
		c.policyPosts(),
	} {
		maps.Copy(all, some)
	}
	return []page{{path: userPath, title: "User", nav: "users", get: c.user, post: all}}
}

// userView is the data of the page of a user.
type userView struct {
	ARN, ID, Path string
	Created       moment
	Boundary      string
	Denied        string // why the facts cannot be shown
	Sections      []section
	May           entry
	Rename        form
	Delete        button
}

func (c *Console) user(v *visit) error {
	who, err := v.subject()
	if err != nil {
		return err
	}
	var s userView
	calls := section{ID: "calls", Title: "Recent calls"}
	var used moment
	out, err := do(v, c.iam.GetUser, &iam.GetUserInput{UserName: who.User})
	switch {
	case errorCode(err) == "NoSuchEntity":
		return err
	case err != nil:
		s.Denied, used = v.explain(err).Text, v.when(nil, "may not be seen")
		calls.Denied = s.Denied
	default:
		u := out.User
		s.ARN, s.ID, s.Path, s.Created = *u.Arn, *u.UserId, *u.Path, v.when(u.CreateDate, "")
		used, calls = v.when(u.PasswordLastUsed, "never"), c.recentCalls(v, who, *u.UserId)
		if u.PermissionsBoundary != nil {
			s.Boundary = str(u.PermissionsBoundary.PermissionsBoundaryArn)
		}
	}
	h := holder{Kind: userHolder, Name: who.Name}
	s.Sections = []section{
		c.password(v, who, used), c.devices(v, who), c.accessKeys(v, who), c.userGroups(v, who),
		c.attachedPolicies(v, h), c.inlinePolicies(v, h), c.certificates(v, who), c.sshKeys(v, who),
		c.serviceCredentials(v, who), c.userTags(v, who), calls,
	}
	s.May = mayLink(h)
	s.Rename = form{
		Title: "Rename or move", Do: "rename", Submit: "Save", Open: v.field("do") == "rename",
		What: "Credentials stay. Policies that name the user by its ARN do not follow.",
		Fields: []field{
			{Name: "newname", Label: "User name", Value: who.Name, Max: 64, Complete: "off"},
			{Name: "newpath", Label: "Path", Value: s.Path, Max: 512, Complete: "off"},
		},
		Denied: may(v, c.iam.UpdateUser, &iam.UpdateUserInput{UserName: who.User, NewUserName: who.User}),
	}
	s.Delete = button{
		Do: "delete", Label: "Delete the user", Danger: true, Name: who.Name,
		What: "The user and all its credentials are deleted, for good. " +
			"It is taken out of its groups, and its policies are detached.",
		Denied: may(v, c.iam.DeleteUser, &iam.DeleteUserInput{UserName: who.User}),
	}
	return v.showAs(who.Name, s.html())
}

func (c *Console) renameUser(v *visit) error {
	who, err := v.subject()
	if err != nil {
		return err
	}
	name := v.field("newname")
	in := &iam.UpdateUserInput{UserName: who.User, NewPath: v.fieldPtr("newpath")}
	if name != who.Name {
		in.NewUserName = &name
	}
	if _, err := do(v, c.iam.UpdateUser, in); err != nil {
		return v.again(err, c.user)
	}
	return v.done(link(userPath, "name", name), "The user has the new name and path.")
}
