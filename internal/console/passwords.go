package console

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awsmodel"
	"rollcall/internal/seal"
)

// This file shows the password of a user to an administrator.

func (c *Console) password(v *visit, who subject, used moment) section {
	s := section{
		ID:    "password",
		Title: "Password",
		Head:  []string{"Password", "Created", "Last used", "At the next sign-in", ""},
	}
	set := form{
		Title: "Set a password", Do: "set-password", Submit: "Set the password",
		What: "Leave the field empty to have a password generated. It is shown once.",
		Fields: []field{
			{Type: "user", Value: who.Name},
			{Name: "password", Label: "New password", Type: "password", Complete: "new-password", Optional: true},
		},
		Check: &check{"reset", "The user must choose another one at the next sign-in", true},
		Open:  v.field("do") == "set-password",
	}
	sample := "Sample-Passw0rd"
	out, err := do(v, c.iam.GetLoginProfile, &iam.GetLoginProfileInput{UserName: who.User})
	if errorCode(err) == "NoSuchEntity" {
		s.Empty = "No password: the user cannot sign in to the console."
		set.Denied = may(
			v,
			c.iam.CreateLoginProfile,
			&iam.CreateLoginProfileInput{UserName: who.User, Password: &sample},
		)
		s.Forms = []form{set}
		return s
	}
	if err != nil {
		return s.refuse(v, err)
	}
	next := "nothing"
	if out.LoginProfile.PasswordResetRequired {
		next = "must choose another one"
	}
	denied := may(v, c.iam.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: who.User})
	force := button{Do: "force-reset", Label: "Force a reset", Denied: denied}
	if out.LoginProfile.PasswordResetRequired && denied == "" {
		force.Denied = "The user must choose another password at the next sign-in already."
	}
	remove := button{
		Do: "delete-password", Label: "Delete", Danger: true, Name: who.Name,
		What:   "The user cannot sign in any more, and is signed out.",
		Denied: may(v, c.iam.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: who.User}),
	}
	s.Rows = []row{{
		Cells:   []cell{text("Set"), dated(v.when(out.LoginProfile.CreateDate, "")), dated(used), text(next)},
		Buttons: []button{force, remove},
	}}
	set.Title, set.Denied = "Set another password", denied
	s.Forms = []form{set}
	return s
}

// errorCode returns AWS's code of an error, "" if it has none.
func errorCode(err error) string {
	var known *awsmodel.Error
	if errors.As(err, &known) {
		return known.Code
	}
	return ""
}

func (c *Console) passwordPosts() posts {
	return posts{
		"set-password": c.setPassword,
		"force-reset": change(
			"The user must choose another password at the next sign-in.",
			func(v *visit, who subject) error {
				yes := true
				_, err := do(
					v,
					c.iam.UpdateLoginProfile,
					&iam.UpdateLoginProfileInput{UserName: who.User, PasswordResetRequired: &yes},
				)
				return err
			},
		),
		"delete-password": change(
			"The password is deleted, and the user is signed out.",
			func(v *visit, who subject) error {
				if err := v.typed(who.Name); err != nil {
					return err
				}
				_, err := do(v, c.iam.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: who.User})
				return err
			},
		),
	}
}

func (c *Console) setPassword(v *visit) error {
	who, err := v.subject()
	if err != nil {
		return err
	}
	chosen, reset, made := v.field("password"), v.field("reset") != "", false
	if chosen == "" {
		chosen, made = newPassword(), true
	}
	_, err = do(v, c.iam.UpdateLoginProfile, &iam.UpdateLoginProfileInput{
		UserName: who.User, Password: &chosen, PasswordResetRequired: &reset,
	})
	if errorCode(err) == "NoSuchEntity" {
		_, err = do(v, c.iam.CreateLoginProfile, &iam.CreateLoginProfileInput{
			UserName: who.User, Password: &chosen, PasswordResetRequired: reset,
		})
	}
	if err != nil {
		return v.again(err, v.page.get)
	}
	if !made {
		return v.done(who.Path, "The password is set.")
	}
	return v.secret("The password is set", secretView{
		What:   "The password is shown only now. Tell it to the user in a safe way.",
		Values: []secretValue{{"password", "Password of " + who.Name, chosen}},
		Back:   who.Path,
	})
}

// newPassword returns a password that meets every policy: 24 random characters,
// and one of each class.
func newPassword() string { return seal.NewID("", 24) + "-aA7" }
