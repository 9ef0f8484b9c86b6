package console

import (
	"errors"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/seal"
	"rollcall/internal/signin"
)

const myPath = "/console/my-credentials"

func (c *Console) myPages() []page {
	all := posts{"change-password": c.changePassword, "end-session": c.endSession}
	for _, some := range []posts{c.accessKeyPosts(), c.devicePosts(), c.furtherPosts()} {
		maps.Copy(all, some)
	}
	return []page{{path: myPath, title: "My security credentials", get: c.my, post: all}}
}

// myView is the data of the page about one's own credentials.
type myView struct {
	ARN      string
	Sections []section
}

func (c *Console) my(v *visit) error {
	s := myView{ARN: v.session.Caller.ARN()}
	who, err := v.subject()
	if err != nil { // a role
		s.Sections = []section{c.sessions(v)}
		v.problem = v.explain(err)
		return v.show(s.html())
	}
	s.Sections = []section{
		c.myPassword(v, who),
		c.devices(v, who),
		c.accessKeys(v, who),
		c.sessions(v),
		c.certificates(v, who),
	}
	if !who.Root {
		s.Sections = append(s.Sections, c.sshKeys(v, who), c.serviceCredentials(v, who))
	}
	s.Sections = append(s.Sections, c.recentCalls(v, who, v.session.Caller.UserID()))
	return v.show(s.html())
}

func (c *Console) myPassword(v *visit, who subject) section {
	s := section{ID: "password", Title: "Password"}
	f := form{
		Title: "Change the password", Do: "change-password", Submit: "Change the password",
		Open: v.field("do") == "change-password",
		What: "Your other sessions end.",
		Fields: append(
			[]field{
				{Type: "user", Value: who.Name},
				{Name: "old", Label: "Present password", Type: "password", Complete: "current-password"},
			},
			newPasswordFields()...),
	}
	if !who.Root {
		sample := "Sample-Passw0rd"
		f.Denied = may(v, c.iam.ChangePassword, &iam.ChangePasswordInput{OldPassword: &sample, NewPassword: &sample})
	}
	s.Forms = []form{f}
	return s
}

func (c *Console) changePassword(v *visit) error {
	next, err := v.newPassword()
	if err == nil {
		var token seal.Secret
		token, err = c.signIn.ChangePassword(
			v.r.Context(),
			v.visitOf(myPath),
			v.token,
			seal.NewSecret(v.field("old")),
			next,
		)
		if err == nil {
			v.cookies.set(v.w, sessionCookie, token.Reveal(), 0)
			return v.done(myPath, "Your password is changed.")
		}
	}
	if errors.Is(err, signin.ErrNoSession) {
		return err
	}
	return v.again(err, c.my)
}

func (c *Console) sessions(v *visit) section {
	s := section{
		ID:    "sessions",
		Title: "My sessions",
		Head:  []string{"Browser or tool", "Address", "Signed in", "Last used", "Ends", ""},
	}
	all, err := c.signIn.Sessions(v.r.Context(), v.session)
	if err != nil {
		return s.refuse(v, err)
	}
	for _, one := range all {
		r := row{Cells: []cell{
			text(
				agent(one.UserAgent),
			), text(one.Address), dated(v.when(&one.Created, "")), dated(v.when(&one.Used, "")),
			dated(v.when(&one.Expires, "")),
		}}
		switch {
		case one.Current:
			r.Cells[0].Text = "This browser: " + r.Cells[0].Text
		case one.Tool:
			r.Cells[0].Text = "Tool (aws login), allowed in " + r.Cells[0].Text
		}
		r.Buttons = []button{{Do: "end-session", Label: "End", With: []pair{{"handle", one.Handle}}}}
		s.Rows = append(s.Rows, r)
	}
	return s
}

// agent returns the names of a browser and its system from its User-Agent
// header.
func agent(said string) string {
	find := func(marks []pair) string {
		for _, m := range marks {
			if strings.Contains(said, m.Value) {
				return m.Name
			}
		}
		return ""
	}
	browser := find([]pair{{"Edge", "Edg/"}, {"Firefox", "Firefox/"}, {"Chrome", "Chrome/"}, {"Safari", "Safari/"}})
	system := find([]pair{
		{
			"Android",
			"Android",
		}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"macOS", "Mac OS"}, {"Linux", "Linux"},
	})
	if browser != "" && system != "" {
		return browser + " on " + system
	}
	const most = 60
	if len(said) > most {
		said = strings.ToValidUTF8(said[:most], "") + "…"
	}
	return said
}

func (c *Console) endSession(v *visit) error {
	if err := c.signIn.EndSession(v.r.Context(), v.session, v.field("handle")); err != nil {
		return v.again(err, c.my)
	}
	return v.done(myPath, "The session has ended.")
}
