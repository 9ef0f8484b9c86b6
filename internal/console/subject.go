package console

import (
	"net/http"
)

// subject is the user whose credentials a page shows.
type subject struct {
	Name string  // "root" for root
	User *string // for inputs: nil for root, who has no name
	Root bool
	Self bool   // it is the person who is signed in
	Path string // path of its page
}

// subject finds the user that the query names, or the signed-in person.
func (v *visit) subject() (subject, error) {
	if v.page.path == myPath || v.query("name") == "" && v.page.path == newDevicePath {
		c := v.session.Caller
		switch {
		case v.session.Role != nil || !c.HasUser() && !c.IsRoot():
			return subject{}, &problem{
				Status: http.StatusForbidden,
				Text:   "You act as a role, which has no credentials of its own.",
			}
		case c.IsRoot():
			return subject{Name: "root", Root: true, Self: true, Path: myPath}, nil
		}
		name := c.UserName()
		return subject{Name: name, User: &name, Self: true, Path: myPath}, nil
	}
	name := v.query("name")
	if name == "" {
		return subject{}, &problem{Status: http.StatusNotFound, Text: "The address names no user."}
	}
	return subject{Name: name, User: &name, Self: !v.session.Caller.IsRoot() && v.session.Caller.UserName() == name,
		Path: link(userPath, "name", name)}, nil
}

// change returns the handler of a form that changes a user and returns to its
// page. Errors are shown there.
func change(text string, f func(v *visit, who subject) error) func(*visit) error {
	return func(v *visit) error {
		who, err := v.subject()
		if err != nil {
			return err
		}
		if err := f(v, who); err != nil {
			return v.again(err, v.page.get)
		}
		return v.done(who.Path, text)
	}
}
