package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func TestServiceLinkedRoles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		batch := &iam.CreateServiceLinkedRoleInput{AWSServiceName: ptr("batch.amazonaws.com"),
			Description: ptr("for Batch")}
		made := must(t, w.root, w.CreateServiceLinkedRole, batch).Role
		sameRole(t, *made, types.Role{
			Arn:      ptr(roleARN + "/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"),
			RoleName: ptr("AWSServiceRoleForBatch"), Path: ptr("/aws-service-role/batch.amazonaws.com/"),
			RoleId: made.RoleId, CreateDate: &began,
			AssumeRolePolicyDocument: ptr(
				"%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Action%22%3A%5B%22sts" +
					"%3AAssumeRole%22%5D%2C%22Effect%22%3A%22Allow%22%2C" +
					"%22Principal%22%3A%7B%22Service%22%3A%5B%22batch.amazonaws.com%22%5D%7D%7D%5D%7D"),
		})
		// All other answers have single values without arrays (recorded).
		shown := *made
		shown.AssumeRolePolicyDocument = ptr(
			"%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C" +
				"%22Principal%22%3A%7B%22Service%22%3A%22batch.amazonaws.com%22%7D%2C%22Action%22%3A%22sts" +
				"%3AAssumeRole%22%7D%5D%7D")
		detail := must(t, w.root, w.GetAccountAuthorizationDetails,
			&iam.GetAccountAuthorizationDetailsInput{}).RoleDetailList[0]
		if *detail.AssumeRolePolicyDocument != *shown.AssumeRolePolicyDocument {
			t.Error(*detail.AssumeRolePolicyDocument)
		}
		shown.Description, shown.MaxSessionDuration = ptr("for Batch"), ptr[int32](3600)
		sameRole(t, must(t, w.root, w.ListRoles, &iam.ListRolesInput{}).Roles[0], shown)
		shown.RoleLastUsed = &types.RoleLastUsed{}
		sameRole(t, *w.getRole(t, "awsserviceroleforbatch"), shown)
		refused(t, w.root, w.CreateServiceLinkedRole, batch, 400, "InvalidInput",
			"Service role name AWSServiceRoleForBatch has been taken in this account, please try a different suffix.")
		batch.CustomSuffix = ptr("two")
		refused(t, w.root, w.CreateServiceLinkedRole, batch, 400, "InvalidInput",
			"Custom suffix is not allowed for batch.amazonaws.com")
		for _, service := range []string{"account.amazonaws.com", "batch", "Batch.amazonaws.com"} {
			refused(t, w.root, w.CreateServiceLinkedRole, &iam.CreateServiceLinkedRoleInput{AWSServiceName: &service},
				403, "AccessDenied", "Cannot find Service Linked Role template for "+service)
		}
		scaling := &iam.CreateServiceLinkedRoleInput{
			AWSServiceName: ptr("autoscaling.amazonaws.com"), CustomSuffix: ptr("two")}
		if name := *must(t, w.root, w.CreateServiceLinkedRole,
			scaling).Role.RoleName; name != "AWSServiceRoleForAutoScaling_two" {
			t.Error(name)
		}
		scaling.CustomSuffix = ptr(strings.Repeat("x", 40))
		refused(t, w.root, w.CreateServiceLinkedRole, scaling, 400, "InvalidInput",
			"The role name AWSServiceRoleForAutoScaling_"+strings.Repeat("x", 40)+" is longer than 64 characters.")
	})
}

// The service decides who may use a service-linked role: only its description
// and its tags can be changed.
func TestServiceLinkedRolesAreProtected(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		name := must(t, w.root, w.CreateServiceLinkedRole,
			&iam.CreateServiceLinkedRoleInput{AWSServiceName: ptr("batch.amazonaws.com")}).Role.RoleName
		before := w.getRole(t, *name)
		const protected = "Cannot perform the operation on the protected role 'AWSServiceRoleForBatch' - this role " +
			"is only modifiable by AWS"
		const admin = "arn:aws:iam::aws:policy/AdministratorAccess"
		refused(t, w.root, w.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: trustEC2}, 400,
			"UnmodifiableEntity", protected)
		refused(t, w.root, w.UpdateRole,
			&iam.UpdateRoleInput{RoleName: name, Description: ptr("x"), MaxSessionDuration: ptr(int32(7200))},
			400, "UnmodifiableEntity",
			"AWSServiceRoleForBatch is an AWS service linked role, max session duration cannot be changed.")
		refused(t, w.root, w.DeleteRole, &iam.DeleteRoleInput{RoleName: name}, 400, "UnmodifiableEntity", protected)
		refused(t, w.root, w.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: ptr(admin)}, 400,
			"UnmodifiableEntity", protected)
		refused(t, w.root, w.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: ptr(admin)}, 400,
			"UnmodifiableEntity", protected)
		refused(t, w.root, w.PutRolePolicy,
			&iam.PutRolePolicyInput{RoleName: name, PolicyName: ptr("p"),
				PolicyDocument: ptr(
					`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)}, 400,
			"UnmodifiableEntity", protected)
		w.profile(t, "box")
		refused(t, w.root, w.AddRoleToInstanceProfile,
			&iam.AddRoleToInstanceProfileInput{InstanceProfileName: ptr("box"), RoleName: name}, 400,
			"UnmodifiableEntity", protected)
		refused(t, w.root, w.RemoveRoleFromInstanceProfile,
			&iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: ptr("box"), RoleName: name},
			400, "UnmodifiableEntity", protected)
		refused(t, w.root, w.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: ptr("p")}, 400,
			"UnmodifiableEntity", protected)
		refused(t, w.root, w.PutRolePermissionsBoundary,
			&iam.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: ptr(admin)},
			400, "UnmodifiableEntity", protected)
		refused(t, w.root, w.DeleteRolePermissionsBoundary, &iam.DeleteRolePermissionsBoundaryInput{RoleName: name},
			400, "UnmodifiableEntity", protected)
		sameRole(t, *w.getRole(t, *name), *before)
		must(t, w.root, w.UpdateRoleDescription,
			&iam.UpdateRoleDescriptionInput{RoleName: name, Description: ptr("seen")})
		must(t, w.root, w.UpdateRole, &iam.UpdateRoleInput{RoleName: name, Description: ptr("seen again")})
		if got := w.getRole(t, *name); *got.Description != "seen again" || *got.MaxSessionDuration != 3600 {
			t.Errorf("%+v", got)
		}
		must(t, w.root, w.TagRole,
			&iam.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: ptr("k"), Value: ptr("v")}}})
	})
}

func TestDeleteServiceLinkedRole(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		create := &iam.CreateServiceLinkedRoleInput{AWSServiceName: ptr("batch.amazonaws.com")}
		name := must(t, w.root, w.CreateServiceLinkedRole, create).Role.RoleName
		task := must(t, w.root, w.DeleteServiceLinkedRole,
			&iam.DeleteServiceLinkedRoleInput{RoleName: name}).DeletionTaskId
		if !strings.HasPrefix(*task, "task/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch/") {
			t.Error(*task)
		}
		status := &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task}
		if got := must(t, w.root, w.GetServiceLinkedRoleDeletionStatus,
			status); got.Status != types.DeletionTaskStatusTypeSucceeded || got.Reason != nil {
			t.Errorf("%+v", got)
		}
		refused(t, w.root, w.GetRole, &iam.GetRoleInput{RoleName: name}, 404, "NoSuchEntity",
			"The role with name AWSServiceRoleForBatch cannot be found.")
		refused(t, w.root, w.DeleteServiceLinkedRole, &iam.DeleteServiceLinkedRoleInput{RoleName: name}, 404,
			"NoSuchEntity", "The role with name AWSServiceRoleForBatch cannot be found.")
		w.role(t, "worker")
		refused(t, w.root, w.DeleteServiceLinkedRole, &iam.DeleteServiceLinkedRoleInput{RoleName: ptr("WORKER")}, 404,
			"NoSuchEntity", "worker exists but is not a service role.")
		w.getRole(t, "worker")

		// Old tasks are deleted from time to time.
		w.clock.advance(31 * 24 * time.Hour)
		must(t, w.root, w.GetServiceLinkedRoleDeletionStatus, status)
		if err := w.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		refused(t, w.root, w.GetServiceLinkedRoleDeletionStatus, status, 404, "NoSuchEntity",
			"Cannot find deletion status for given id.")
		for _, id := range []string{"task", "task/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch",
			*task + "x", "x" + *task} {
			refused(t, w.root, w.GetServiceLinkedRoleDeletionStatus,
				&iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: &id},
				400, "InvalidInput", "Invalid task id")
		}
	})
}
