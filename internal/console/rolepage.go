package console

import (
	"strings"

	"rollcall/internal/signin"
)

// This page switches to a role and back.

// roleView is the data of the page. To is the address of the page that follows,
// if one was chosen.
type roleView struct {
	To     string
	Fields []field
	Exit   *button
}

func (c *Console) rolePage(v *visit) error {
	typed := func(name string) string {
		if v.field(name) != "" {
			return v.field(name)
		}
		return v.query(name)
	}
	s := roleView{Fields: []field{
		{Name: "account", Label: "Account ID or alias", Value: typed("account"), Max: 63},
		{Name: "role", Label: "Role name", Value: typed("role"), Hint: "With its path, if it has one.", Max: 576},
		{Name: "name", Label: "Display name", Value: typed("name"), Optional: true, Max: 64},
	}}
	if v.query("to") != "" {
		s.To = c.ours(v.query("to"))
	}
	if v.session.Role != nil {
		s.Exit = &button{Do: "exit", Label: "Switch back"}
	}
	return v.show(s.html())
}

func (c *Console) switchRole(v *visit) error {
	to := Root
	if v.query("to") != "" {
		to = c.ours(v.query("to"))
	}
	err := c.signIn.SwitchRole(v.r.Context(), v.visitOf(Root), v.token, signin.Switch{
		Account: strings.TrimSpace(
			v.field("account"),
		), Role: strings.TrimSpace(v.field("role")), Name: v.field("name"), To: v.url + to,
	})
	if err != nil {
		return v.again(err, c.rolePage)
	}
	return v.done(to, "You act as the role now.")
}

func (c *Console) exitRole(v *visit) error {
	if err := c.signIn.ExitRole(v.r.Context(), v.visitOf(Root), v.token, v.url+Root); err != nil {
		return err
	}
	return v.done(Root, "You act as yourself again.")
}
