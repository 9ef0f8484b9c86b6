package console

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// This file shows and changes the access keys of a user.

// maxKeys is IAM's quota of access keys. IAM: AccessKeysPerUser.
const maxKeys = 2

func (c *Console) accessKeys(v *visit, who subject) section {
	s := section{
		ID: "keys", Title: "Access keys", Head: []string{"Access key", "Status", "Created", "Last used", "Where", ""},
		Empty: "No access key. Programs need one; people can sign in with 'aws login' instead.",
	}
	out, err := do(v, c.iam.ListAccessKeys, &iam.ListAccessKeysInput{UserName: who.User})
	if err != nil {
		return s.refuse(v, err)
	}
	for _, k := range out.AccessKeyMetadata {
		s.Rows = append(s.Rows, c.accessKey(v, who, k))
	}
	create := button{Do: "create-key", Label: "Create an access key"}
	create.Denied = may(v, c.iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: who.User})
	if create.Denied == "" && len(s.Rows) >= maxKeys {
		create.Denied = "A user has two access keys at most: delete one first."
	}
	s.Buttons = []button{create}
	return s
}

func (c *Console) accessKey(v *visit, who subject, k types.AccessKeyMetadata) row {
	used, where := v.when(nil, "never"), ""
	last, err := do(v, c.iam.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: k.AccessKeyId})
	switch {
	case err != nil:
		used = v.when(nil, "may not be seen")
	case last.AccessKeyLastUsed != nil && last.AccessKeyLastUsed.LastUsedDate != nil:
		used = v.when(last.AccessKeyLastUsed.LastUsedDate, "")
		where = str(last.AccessKeyLastUsed.ServiceName) + ", " + str(last.AccessKeyLastUsed.Region)
	}
	r := row{
		Cells: []cell{
			code(*k.AccessKeyId),
			status(string(k.Status)),
			dated(v.when(k.CreateDate, "")),
			dated(used),
			text(where),
		},
	}
	with := []pair{{"key", *k.AccessKeyId}}
	next := types.StatusTypeActive
	if k.Status == types.StatusTypeActive {
		next = types.StatusTypeInactive
	}
	switching := button{Do: "switch-key", Label: turn(next), With: append(with, pair{"status", string(next)})}
	switching.Denied = may(
		v,
		c.iam.UpdateAccessKey,
		&iam.UpdateAccessKeyInput{UserName: who.User, AccessKeyId: k.AccessKeyId, Status: next},
	)
	remove := button{
		Do: "delete-key", Label: "Delete", With: with, Danger: true, Name: *k.AccessKeyId,
		What: "Whatever still uses the key stops working, for good.",
	}
	remove.Denied = may(
		v,
		c.iam.DeleteAccessKey,
		&iam.DeleteAccessKeyInput{UserName: who.User, AccessKeyId: k.AccessKeyId},
	)
	if remove.Denied == "" && k.Status == types.StatusTypeActive {
		remove.Denied = "Deactivate the key first, and see whether anything misses it."
	}
	r.Buttons = []button{switching, remove}
	return r
}

// turn returns the name of the change to a status.
func turn(next types.StatusType) string {
	if next == types.StatusTypeActive {
		return "Activate"
	}
	return "Deactivate"
}

// accessKeyPosts returns the handlers of the forms in that section.
func (c *Console) accessKeyPosts() posts {
	return posts{
		"create-key": c.createKey,
		"switch-key": change(
			"The status of the access key is changed. It counts from the next call on.",
			func(v *visit, who subject) error {
				_, err := do(v, c.iam.UpdateAccessKey, &iam.UpdateAccessKeyInput{
					UserName: who.User, AccessKeyId: v.fieldPtr("key"), Status: types.StatusType(v.field("status")),
				})
				return err
			},
		),
		"delete-key": change("The access key is deleted.", func(v *visit, who subject) error {
			if err := v.typed(v.field("key")); err != nil {
				return err
			}
			if err := c.inactive(v, who); err != nil {
				return err
			}
			_, err := do(
				v,
				c.iam.DeleteAccessKey,
				&iam.DeleteAccessKeyInput{UserName: who.User, AccessKeyId: v.fieldPtr("key")},
			)
			return err
		}),
	}
}

// inactive returns an error if a key to be deleted is still active.
func (c *Console) inactive(v *visit, who subject) error {
	out, err := do(v, c.iam.ListAccessKeys, &iam.ListAccessKeysInput{UserName: who.User})
	if err != nil {
		return err
	}
	for _, k := range out.AccessKeyMetadata {
		if *k.AccessKeyId == v.field("key") && k.Status == types.StatusTypeActive {
			return &problem{Status: 409, Text: "The access key is active: deactivate it first."}
		}
	}
	return nil
}

// secretView is the data of a page that shows a secret once.
type secretView struct {
	What    string
	Values  []secretValue
	Profile string // a section for a file of the AWS CLI
	Back    string
}

type secretValue struct{ Name, Label, Value string }

func (c *Console) createKey(v *visit) error {
	who, err := v.subject()
	if err != nil {
		return err
	}
	out, err := do(v, c.iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: who.User})
	if err != nil {
		return v.again(err, v.page.get)
	}
	id, secret := *out.AccessKey.AccessKeyId, *out.AccessKey.SecretAccessKey
	return v.secret("The access key is created", secretView{
		What: "The secret access key is shown only now: nobody can read it later.",
		Values: []secretValue{
			{"key-id", "Access key ID", id}, {"key-secret", "Secret access key", secret},
		},
		Profile: profile(v.endpoint(), who.Name, id, secret), Back: who.Path,
	})
}

// profile returns a profile for ~/.aws/config.
func profile(endpoint, name, id, secret string) string {
	return strings.Join([]string{
		"[profile " + name + "]", "aws_access_key_id = " + id, "aws_secret_access_key = " + secret,
		"endpoint_url = " + endpoint, "region = us-east-1",
	}, "\n")
}

// endpoint returns the URL of the API as the browser reaches it.
func (v *visit) endpoint() string {
	scheme := "http://"
	if v.secure {
		scheme = "https://"
	}
	return scheme + v.r.Host
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
