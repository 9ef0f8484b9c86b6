package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/managedpolicy"
)

// Pages about one thing, to which other pages link.
const (
	groupPath   = "/console/group"
	policyPath  = "/console/policy"
	oneRolePath = "/console/roles/role" // rolePath is the page that switches to a role
)

// The kinds of holders.
const (
	userHolder  = "user"
	groupHolder = "group"
	roleHolder  = "role"
)

// holder is a user, a group or a role. These can have policies.
type holder struct {
	Kind, Name string
	// Fixed is AWS's sentence if the holder cannot be changed.
	Fixed string
}

// holder finds the holder that the page concerns.
func (v *visit) holder() (holder, error) {
	kind := map[string]string{userPath: userHolder, groupPath: groupHolder, oneRolePath: roleHolder}[v.page.path]
	if v.page.path == inlinePath {
		kind = v.query("kind")
	}
	h := holder{Kind: kind, Name: v.query("name")}
	if h.path() == "" || h.Name == "" {
		return h, &problem{Status: http.StatusNotFound, Text: "The address names no user, group or role."}
	}
	return h, nil
}

// path returns the path of pages about holders of this kind.
func (h holder) path() string {
	return map[string]string{userHolder: userPath, groupHolder: groupPath, roleHolder: oneRolePath}[h.Kind]
}

// page returns the address of the holder's page.
func (h holder) page() string { return link(h.path(), "name", h.Name) }

// denied returns AWS's sentence if a change is denied, or if the holder cannot
// be changed.
func (h holder) denied(a act) string {
	if h.Fixed != "" {
		return h.Fixed
	}
	return a.may()
}

// act is a change that a page offers. call executes it, and may says whether
// policies allow it.
type act struct {
	call func() error
	may  func() string
}

// acting returns the act that calls an action by its method.
func acting[In, I, O any](v *visit, method func(context.Context, *I) (*O, error), in *In) act {
	return act{
		call: func() error {
			_, err := do(v, method, in)
			return err
		},
		may: func() string { return may(v, method, in) },
	}
}

// policyARN returns the ARN for a policy's name: AWS's policy of this name, or
// else the account's own.
func (v *visit) policyARN(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || strings.HasPrefix(text, "arn:") {
		return text
	}
	c := v.session.Caller
	name := "policy/" + strings.TrimPrefix(text, "/")
	if aws := "arn:" + c.Partition() + ":iam::aws:" + name; managedpolicy.Find(aws) != nil {
		return aws
	}
	return api.IAMARN(c, name, "")
}

// holderRows limits the rows of each list on a page.
const holderRows = 50

func (h holder) attached(v *visit, marker *string) (list []types.AttachedPolicy, next *string, err error) {
	most := int32(holderRows)
	switch h.Kind {
	case userHolder:
		out, err := do(v, v.iam.ListAttachedUserPolicies,
			&iam.ListAttachedUserPoliciesInput{UserName: &h.Name, Marker: marker, MaxItems: &most})
		if err != nil {
			return nil, nil, err
		}
		return out.AttachedPolicies, out.Marker, nil
	case groupHolder:
		out, err := do(v, v.iam.ListAttachedGroupPolicies,
			&iam.ListAttachedGroupPoliciesInput{GroupName: &h.Name, Marker: marker, MaxItems: &most})
		if err != nil {
			return nil, nil, err
		}
		return out.AttachedPolicies, out.Marker, nil
	}
	out, err := do(v, v.iam.ListAttachedRolePolicies,
		&iam.ListAttachedRolePoliciesInput{RoleName: &h.Name, Marker: marker, MaxItems: &most})
	if err != nil {
		return nil, nil, err
	}
	return out.AttachedPolicies, out.Marker, nil
}

func (h holder) inline(v *visit, marker *string) (names []string, next *string, err error) {
	most := int32(holderRows)
	switch h.Kind {
	case userHolder:
		out, err := do(v, v.iam.ListUserPolicies,
			&iam.ListUserPoliciesInput{UserName: &h.Name, Marker: marker, MaxItems: &most})
		if err != nil {
			return nil, nil, err
		}
		return out.PolicyNames, out.Marker, nil
	case groupHolder:
		out, err := do(v, v.iam.ListGroupPolicies,
			&iam.ListGroupPoliciesInput{GroupName: &h.Name, Marker: marker, MaxItems: &most})
		if err != nil {
			return nil, nil, err
		}
		return out.PolicyNames, out.Marker, nil
	}
	out, err := do(v, v.iam.ListRolePolicies,
		&iam.ListRolePoliciesInput{RoleName: &h.Name, Marker: marker, MaxItems: &most})
	if err != nil {
		return nil, nil, err
	}
	return out.PolicyNames, out.Marker, nil
}

// document reads an inline policy.
func (h holder) document(v *visit, policy string) (string, error) {
	switch h.Kind {
	case userHolder:
		out, err := do(v, v.iam.GetUserPolicy, &iam.GetUserPolicyInput{UserName: &h.Name, PolicyName: &policy})
		if err != nil {
			return "", err
		}
		return decoded(out.PolicyDocument), nil
	case groupHolder:
		out, err := do(v, v.iam.GetGroupPolicy, &iam.GetGroupPolicyInput{GroupName: &h.Name, PolicyName: &policy})
		if err != nil {
			return "", err
		}
		return decoded(out.PolicyDocument), nil
	}
	out, err := do(v, v.iam.GetRolePolicy, &iam.GetRolePolicyInput{RoleName: &h.Name, PolicyName: &policy})
	if err != nil {
		return "", err
	}
	return decoded(out.PolicyDocument), nil
}

func (h holder) attach(v *visit, arn string) act {
	switch h.Kind {
	case userHolder:
		return acting(v, v.iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: &h.Name, PolicyArn: &arn})
	case groupHolder:
		return acting(v, v.iam.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: &h.Name, PolicyArn: &arn})
	}
	return acting(v, v.iam.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: &h.Name, PolicyArn: &arn})
}

func (h holder) detach(v *visit, arn string) act {
	switch h.Kind {
	case userHolder:
		return acting(v, v.iam.DetachUserPolicy, &iam.DetachUserPolicyInput{UserName: &h.Name, PolicyArn: &arn})
	case groupHolder:
		return acting(v, v.iam.DetachGroupPolicy, &iam.DetachGroupPolicyInput{GroupName: &h.Name, PolicyArn: &arn})
	}
	return acting(v, v.iam.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: &h.Name, PolicyArn: &arn})
}

func (h holder) put(v *visit, policy, document string) act {
	switch h.Kind {
	case userHolder:
		return acting(v, v.iam.PutUserPolicy,
			&iam.PutUserPolicyInput{UserName: &h.Name, PolicyName: &policy, PolicyDocument: &document})
	case groupHolder:
		return acting(v, v.iam.PutGroupPolicy,
			&iam.PutGroupPolicyInput{GroupName: &h.Name, PolicyName: &policy, PolicyDocument: &document})
	}
	return acting(v, v.iam.PutRolePolicy,
		&iam.PutRolePolicyInput{RoleName: &h.Name, PolicyName: &policy, PolicyDocument: &document})
}

func (h holder) remove(v *visit, policy string) act {
	switch h.Kind {
	case userHolder:
		return acting(v, v.iam.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: &h.Name, PolicyName: &policy})
	case groupHolder:
		return acting(v, v.iam.DeleteGroupPolicy, &iam.DeleteGroupPolicyInput{GroupName: &h.Name, PolicyName: &policy})
	}
	return acting(v, v.iam.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: &h.Name, PolicyName: &policy})
}
