package console

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// oneRolePosts returns the handlers of the forms on the page of a role.

func (c *Console) oneRolePosts() posts {
	return posts{
		"boundary": changing("The boundary is set.", func(v *visit, h holder) error {
			arn := v.policyARN(v.field("boundary"))
			_, err := do(v, c.iam.PutRolePermissionsBoundary,
				&iam.PutRolePermissionsBoundaryInput{RoleName: &h.Name, PermissionsBoundary: &arn})
			return err
		}),
		"delete-boundary": changing("The boundary is removed.", func(v *visit, h holder) error {
			if err := c.typedBoundary(v, h); err != nil {
				return err
			}
			_, err := do(v, c.iam.DeleteRolePermissionsBoundary,
				&iam.DeleteRolePermissionsBoundaryInput{RoleName: &h.Name})
			return err
		}),
		"tag": changing("The tag is set.", func(v *visit, h holder) error {
			_, err := do(v, c.iam.TagRole, &iam.TagRoleInput{RoleName: &h.Name, Tags: []types.Tag{v.typedTag()}})
			return err
		}),
		"untag": changing("The tag is removed.", func(v *visit, h holder) error {
			_, err := do(v, c.iam.UntagRole, &iam.UntagRoleInput{RoleName: &h.Name, TagKeys: []string{v.field("key")}})
			return err
		}),
		"update": changing("The role is changed.", func(v *visit, h holder) error {
			seconds, err := v.seconds()
			if err != nil {
				return err
			}
			description := v.field("description")
			_, err = do(v, c.iam.UpdateRole,
				&iam.UpdateRoleInput{RoleName: &h.Name, Description: &description, MaxSessionDuration: seconds})
			return err
		}),
		"delete": c.deleteRole,
	}
}

// typedBoundary returns an error unless the user typed the name of the boundary
// to remove.
func (c *Console) typedBoundary(v *visit, h holder) error {
	out, err := do(v, c.iam.GetRole, &iam.GetRoleInput{RoleName: &h.Name})
	if err != nil || out.Role.PermissionsBoundary == nil {
		return err
	}
	return v.typed(nameOf(*out.Role.PermissionsBoundary.PermissionsBoundaryArn))
}

// deleteRole deletes a role with everything that belongs to it. IAM refuses to
// delete a role that has something left. So an action of its own deletes each
// thing. Things that were deleted before a refusal stay deleted.
func (c *Console) deleteRole(v *visit) error {
	h, err := v.holder()
	if err != nil {
		return err
	}
	if err = v.typed(h.Name); err == nil {
		err = c.dropRole(v, h)
	}
	if err != nil {
		return v.again(err, c.role)
	}
	return v.done(rolesPath, "The role "+h.Name+" is deleted.")
}

func (c *Console) dropRole(v *visit, h holder) error {
	out, err := do(v, c.iam.GetRole, &iam.GetRoleInput{RoleName: &h.Name})
	if err != nil {
		return err
	}
	if strings.HasPrefix(*out.Role.Path, linkedRolePath) {
		_, err = do(v, c.iam.DeleteServiceLinkedRole, &iam.DeleteServiceLinkedRoleInput{RoleName: &h.Name})
		return err
	}
	profiles, err := do(v, c.iam.ListInstanceProfilesForRole,
		&iam.ListInstanceProfilesForRoleInput{RoleName: &h.Name})
	if err != nil {
		return err
	}
	for _, p := range profiles.InstanceProfiles {
		in := &iam.RemoveRoleFromInstanceProfileInput{RoleName: &h.Name, InstanceProfileName: p.InstanceProfileName}
		if _, err := do(v, c.iam.RemoveRoleFromInstanceProfile, in); err != nil {
			return err
		}
	}
	if err := h.dropPolicies(v); err != nil {
		return err
	}
	_, err = do(v, c.iam.DeleteRole, &iam.DeleteRoleInput{RoleName: &h.Name})
	return err
}
