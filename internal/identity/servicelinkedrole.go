package identity

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/uuid"

	"rollcall/internal/api"
	"rollcall/internal/lazyregexp"
	"rollcall/internal/managedpolicy"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

func (s *Service) serviceLinkedRoleActions() []api.Action {
	role := roleKind.on(s)
	return []api.Action{
		api.Bind(s.CreateServiceLinkedRole, api.Changes, api.On(onNewLinkedRole("AWSServiceName", "CustomSuffix"),
			api.Member("iam:AWSServiceName", "AWSServiceName")), api.Within(rolesPerAccount)),
		api.Bind(s.DeleteServiceLinkedRole, api.Changes, api.On(role.Named("RoleName"))),
		api.Bind(s.GetServiceLinkedRoleDeletionStatus, api.Reads, api.On(onDeletionTask("DeletionTaskId"))),
	}
}

// linkedRolePath returns the path of all service-linked roles of a service.
func linkedRolePath(service string) string { return servicePath + service + "/" }

// onNewLinkedRole returns the target for the role that the call creates for a
// service.
func onNewLinkedRole(serviceMember, suffixMember string) api.Target {
	return api.ByMembers(func(_ context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		linked, _ := findLinkedService(v[0])
		return []api.Resource{{ARN: api.IAMARN(c, "role", linkedRolePath(v[0])+linkedRoleName(linked, v[1]))}}, nil
	}, serviceMember, suffixMember)
}

// onDeletionTask returns the target for the role whose deletion the call asks
// about. The task's id names the role.
func onDeletionTask(member string) api.Target {
	return api.ByMembers(func(_ context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		id := strings.TrimPrefix(v[0], "task")
		return []api.Resource{{ARN: api.IAMARN(c, "role", id[:max(0, strings.LastIndexByte(id, '/'))])}}, nil
	}, member)
}

func linkedRoleName(s linkedService, suffix string) string {
	if suffix == "" {
		return s.role
	}
	return s.role + "_" + suffix
}

// CreateServiceLinkedRole creates the role that a service of AWS would use in
// the account. No service acts here, so the role can only be read and listed.
// Its policy is the one that Rollcall knows of AWS's policies. This answer has
// the trust policy with arrays. All other answers have the form of trustOut
// (recorded).
func (s *Service) CreateServiceLinkedRole(
	ctx context.Context, in *iam.CreateServiceLinkedRoleInput,
) (*iam.CreateServiceLinkedRoleOutput, error) {
	c := principal.Of(ctx)
	linked, ok := findLinkedService(*in.AWSServiceName)
	if !ok {
		// Reported by users of AWS.
		return nil, fail("AccessDenied", "Cannot find Service Linked Role template for %s", *in.AWSServiceName)
	}
	if in.CustomSuffix != nil && !linked.suffix {
		return nil, fail("InvalidInput", "Custom suffix is not allowed for %s", *in.AWSServiceName)
	}
	name := linkedRoleName(linked, str(in.CustomSuffix))
	if len(name) > maxRoleName {
		return nil, fail("InvalidInput", "The role name %s is longer than %d characters.", name, maxRoleName) // a guess
	}
	r := newLinkedRole(c, *in.AWSServiceName, name)
	r.Description = str(in.Description)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Role(r.Account, r.NameKey); !errors.Is(err, store.ErrNotFound) {
			if err != nil {
				return err
			}
			return fail("InvalidInput",
				"Service role name %s has been taken in this account, please try a different suffix.", name)
		}
		return insertLinkedRole(tx, c, linked, &r)
	})
	if err != nil {
		return nil, err
	}
	out := roleOut(c, r)
	out.Description, out.MaxSessionDuration = nil, nil
	return &iam.CreateServiceLinkedRoleOutput{Role: &out}, nil
}

// newLinkedRole returns a service-linked role that is not stored yet.
func newLinkedRole(c principal.Caller, service, name string) store.Role {
	r := store.Role{
		Account: c.Account(), NameKey: fold(name), Name: name, Path: linkedRolePath(service),
		ID:         seal.NewID("AROA", 21),
		MaxSession: defaultMaxSession, Service: service,
	}
	r.TrustPolicy = `{"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole"],"Effect":"Allow",` +
		`"Principal":{"Service":["` + service + `"]}}]}`
	return r
}

// insertLinkedRole stores a service-linked role with its policy, if Rollcall
// knows the policy.
func insertLinkedRole(tx *store.Tx, c principal.Caller, linked linkedService, r *store.Role) error {
	r.Created = tx.Now
	if err := insertRole(tx, *r, nil); err != nil {
		return err
	}
	arn := "arn:" + c.Partition() + ":iam::aws:policy" + servicePath + linked.policy
	if managedpolicy.Find(arn) == nil {
		return nil
	}
	return tx.InsertAttachment(store.RoleEntity, r.Account, r.NameKey, arn)
}

// maxRoleName is the maximum length of a role's name. IAM quotas.
const maxRoleName = 64

// taskMemory is the time for which the status of a deletion is available.
const taskMemory = 30 * 24 * time.Hour

// DeleteServiceLinkedRole deletes a service-linked role. AWS first asks the
// service whether it still needs the role, and so answers with a task. Here no
// service needs it, so the task is finished at once.
func (s *Service) DeleteServiceLinkedRole(
	ctx context.Context, in *iam.DeleteServiceLinkedRoleInput,
) (*iam.DeleteServiceLinkedRoleOutput, error) {
	c := principal.Of(ctx)
	task := store.DeletionTask{Account: c.Account(), Status: string(types.DeletionTaskStatusTypeSucceeded)}
	unique := uuid.NewString()
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := role(tx, c.Account(), *in.RoleName)
		if err != nil {
			return err
		}
		if r.Service == "" {
			return fail("NoSuchEntity", "%s exists but is not a service role.", r.Name) // recorded
		}
		arns, err := tx.Attachments(store.RoleEntity, r.Account, r.NameKey)
		if err != nil {
			return err
		}
		for _, arn := range arns {
			if err := tx.DeleteAttachment(store.RoleEntity, r.Account, r.NameKey, arn); err != nil {
				return err
			}
		}
		if err := tx.DeleteRole(r.Account, r.NameKey); err != nil {
			return err
		}
		task.ID, task.Created = "task"+r.Path+r.Name+"/"+unique, tx.Now
		return tx.InsertDeletionTask(task)
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeleteServiceLinkedRoleOutput{DeletionTaskId: &task.ID}, nil
}

// taskID matches the ids of deletions.
var taskID = lazyregexp.New(`^task/aws-service-role/[^/]+/[^/]+/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// GetServiceLinkedRoleDeletionStatus returns the status of a deletion. The
// texts are recorded.
func (s *Service) GetServiceLinkedRoleDeletionStatus(
	ctx context.Context, in *iam.GetServiceLinkedRoleDeletionStatusInput,
) (*iam.GetServiceLinkedRoleDeletionStatusOutput, error) {
	c := principal.Of(ctx)
	if !taskID.MatchString(*in.DeletionTaskId) {
		return nil, fail("InvalidInput", "Invalid task id")
	}
	var task store.DeletionTask
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		task, err = tx.DeletionTask(c.Account(), *in.DeletionTaskId)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = fail("NoSuchEntity", "Cannot find deletion status for given id.")
	}
	if err != nil {
		return nil, err
	}
	return &iam.GetServiceLinkedRoleDeletionStatusOutput{Status: types.DeletionTaskStatusType(task.Status)}, nil
}
