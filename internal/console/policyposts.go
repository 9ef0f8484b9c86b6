package console

import (
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/policy"
)

// onePolicyPosts returns the handlers of the forms on the page of a policy.

func (c *Console) onePolicyPosts() posts {
	all := posts{
		"detach": c.aboutPolicy("The policy is detached.", func(v *visit, arn string) error {
			h := holder{Kind: v.field("kind"), Name: v.field("holder")}
			if h.path() == "" {
				return &problem{Status: 400, Text: "The form names no user, group or role."}
			}
			return h.detach(v, arn).call()
		}),
		"set-default": c.aboutPolicy("The version is in force now.", func(v *visit, arn string) error {
			_, err := do(v, c.iam.SetDefaultPolicyVersion,
				&iam.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: v.fieldPtr("version")})
			return err
		}),
		"delete-version": c.aboutPolicy("The version is deleted.", func(v *visit, arn string) error {
			if err := v.typed(v.field("version")); err != nil {
				return err
			}
			_, err := do(v, c.iam.DeletePolicyVersion,
				&iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: v.fieldPtr("version")})
			return err
		}),
		"tag": c.aboutPolicy("The tag is set.", func(v *visit, arn string) error {
			_, err := do(v, c.iam.TagPolicy, &iam.TagPolicyInput{PolicyArn: &arn, Tags: []types.Tag{v.typedTag()}})
			return err
		}),
		"untag": c.aboutPolicy("The tag is removed.", func(v *visit, arn string) error {
			_, err := do(v, c.iam.UntagPolicy, &iam.UntagPolicyInput{PolicyArn: &arn, TagKeys: []string{v.field("key")}})
			return err
		}),
		"delete": c.deletePolicy,
	}
	for _, kind := range []string{userHolder, groupHolder, roleHolder} {
		all["attach-"+kind] = c.aboutPolicy("The policy is attached.", func(v *visit, arn string) error {
			return holder{Kind: kind, Name: v.field(kind)}.attach(v, arn).call()
		})
	}
	return all
}

// deletePolicy deletes a policy with all its versions. IAM refuses to delete a
// policy that has other versions left. So an action of its own deletes each
// version.
func (c *Console) deletePolicy(v *visit) error {
	arn, err := policyARNOf(v)
	if err != nil {
		return err
	}
	if err = v.typed(nameOf(arn)); err == nil {
		err = c.dropPolicy(v, arn)
	}
	if err != nil {
		return v.again(err, c.policy)
	}
	return v.done(policiesPath, "The policy "+nameOf(arn)+" is deleted.")
}

func (c *Console) dropPolicy(v *visit, arn string) error {
	p, err := do(v, c.iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil {
		return err
	}
	unused := *p.Policy.AttachmentCount+*p.Policy.PermissionsBoundaryUsageCount == 0
	versions, err := do(v, c.iam.ListPolicyVersions, &iam.ListPolicyVersionsInput{PolicyArn: &arn})
	if err != nil {
		return err
	}
	for _, x := range versions.Versions {
		if x.IsDefaultVersion || !unused { // a policy in use is refused and loses no version
			continue
		}
		in := &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: x.VersionId}
		if _, err := do(v, c.iam.DeletePolicyVersion, in); err != nil {
			return err
		}
	}
	_, err = do(v, c.iam.DeletePolicy, &iam.DeletePolicyInput{PolicyArn: &arn})
	return err
}

func (c *Console) mayCreateVersion(v *visit, arn string) string {
	document := "{}"
	return may(v, c.iam.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &document})
}

func (c *Console) newVersion(v *visit) error {
	arn, err := policyARNOf(v)
	if err != nil {
		return err
	}
	e := editor{
		Do: "save", Submit: "Save as a new version", Cancel: link(policyPath, "arn", arn), Denied: c.mayCreateVersion(v, arn),
		Check: &check{"default", "Make it the default version, which is in force at once", v.field("do") == "" ||
			v.field("default") == "yes"},
	}
	if v.field("do") == "" {
		from := or(v.query("from"), "v1")
		out, err := do(v, c.iam.GetPolicyVersion, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: &from})
		if err != nil {
			return err
		}
		e.Document = inLines(decoded(out.PolicyVersion.Document))
	}
	s := editView{About: entry{Text: "policy " + nameOf(arn), Path: e.Cancel}, Editor: e.typedInto(v, policy.Managed)}
	return v.showAs("New version of "+nameOf(arn), s.html())
}

func (c *Console) createVersion(v *visit) error {
	arn, err := policyARNOf(v)
	if err != nil {
		return err
	}
	document, err := v.document()
	if err != nil {
		return v.again(err, c.newVersion)
	}
	out, err := do(v, c.iam.CreatePolicyVersion, &iam.CreatePolicyVersionInput{
		PolicyArn: &arn, PolicyDocument: &document, SetAsDefault: v.field("default") == "yes",
	})
	if err != nil {
		return v.again(err, c.newVersion)
	}
	version := *out.PolicyVersion.VersionId
	text := "The version " + version + " is in force now."
	if !out.PolicyVersion.IsDefaultVersion {
		text = "The version " + version + " is saved, and is not in force."
	}
	return v.done(link(policyPath, "arn", arn, "version", version), text)
}

// tagSection returns the section of a thing's tags. set and unset change one
// tag.
func tagSection(v *visit, tags []types.Tag, set func(types.Tag) act, unset func(key string) act) section {
	s := section{ID: "tags", Title: "Tags", Head: []string{"Key", "Value", ""}, Empty: "No tags."}
	for _, t := range tags {
		s.Rows = append(s.Rows, row{
			Cells: []cell{text(*t.Key), text(*t.Value)},
			Buttons: []button{{
				Do: "untag", Label: "Remove", With: []pair{{"key", *t.Key}}, Denied: unset(*t.Key).may(),
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
		Denied: set(types.Tag{Key: &key, Value: &value}).may(),
	}}
	return s
}

// typedTag returns the tag in a form.
func (v *visit) typedTag() types.Tag {
	key, value := v.field("key"), v.field("value")
	return types.Tag{Key: &key, Value: &value}
}
