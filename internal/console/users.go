package console

import (
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
)

const usersPath = "/console/users"

// usersPages returns the list of users and the form for a new one.
func (c *Console) usersPages() []page {
	return []page{
		{path: usersPath, title: "Users", nav: "users", get: c.users},
		{
			path: newUserPath, title: "Create a user", nav: "users", get: c.newUser,
			post: posts{"create": c.createUser},
		},
	}
}

const newUserPath = "/console/users/new"

// usersView is the data of the list of users.
type usersView struct {
	Prefix string
	Denied string
	Users  []userRow
	Pager  pager
	Create string // why the person may not create users, "" if allowed
}

type userRow struct {
	Name, Path, Link string
	Created, Used    moment
}

// usersPerPage keeps a page small.
const usersPerPage = 100

func (c *Console) users(v *visit) error {
	s := usersView{Prefix: v.query("prefix")}
	perPage := int32(usersPerPage)
	listed := &identity.ListUsersInput{Marker: v.queryPtr("marker"), MaxItems: &perPage}
	if s.Prefix != "" {
		listed.Rollcall = &identity.NameSearch{NamePrefix: &s.Prefix}
	}
	out, err := do(v, c.iam.ListUsers, listed)
	if err != nil {
		s.Denied = v.explain(err).Text
	} else {
		for _, u := range out.Users {
			s.Users = append(s.Users, userRow{
				Name: *u.UserName, Path: *u.Path, Link: link(userPath, "name", *u.UserName),
				Created: v.when(u.CreateDate, ""), Used: v.when(u.PasswordLastUsed, "never"),
			})
		}
		s.Pager = paged(v, len(s.Users), out.Marker)
	}
	example := "example"
	s.Create = may(v, c.iam.CreateUser, &iam.CreateUserInput{UserName: &example})
	return v.show(s.html())
}

func (c *Console) newUser(v *visit) error {
	return v.show(newUserForm([]field{
		{
			Name:     "name",
			Label:    "User name",
			Value:    v.field("name"),
			Max:      64,
			Focus:    true,
			Complete: "off",
			Hint:     "Letters, digits and the characters +=,.@_-",
		},
		{
			Name:     "path",
			Label:    "Path",
			Value:    v.field("path"),
			Max:      512,
			Optional: true,
			Complete: "off",
			Hint:     "Such as /people/",
		},
		{
			Name:     "tags",
			Label:    "Tags",
			Type:     "area",
			Value:    v.field("tags"),
			Optional: true,
			Hint:     "One a line: key=value",
		},
	}))
}

func (c *Console) createUser(v *visit) error {
	tags, err := v.tags()
	if err != nil {
		return v.again(err, c.newUser)
	}
	name := v.field("name")
	_, err = do(v, c.iam.CreateUser, &iam.CreateUserInput{UserName: &name, Path: v.fieldPtr("path"), Tags: tags})
	if err != nil {
		return v.again(err, c.newUser)
	}
	return v.done(link(userPath, "name", name), "The user is created. It has no credentials yet.")
}

// tags reads the tags in the field with this name, one a line.
func (v *visit) tags() (tags []types.Tag, err error) {
	for line := range strings.Lines(v.field("tags")) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, &problem{
				Status: http.StatusBadRequest,
				Text:   "A tag is written key=value, which this is not: " + line,
			}
		}
		tags = append(tags, types.Tag{Key: &key, Value: &value})
	}
	return tags, nil
}
