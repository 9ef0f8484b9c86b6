package sts

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/api"
	"rollcall/internal/identity"
	"rollcall/internal/managedpolicy"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
)

// rootTasks maps the names of AWS's task policies to the feature of the
// organisation that each needs. A session of AssumeRoot is for one of these
// tasks. IAM, centrally manage root access for member accounts.
var rootTasks = map[string]string{
	"IAMAuditRootUserCredentials":  identity.SettingRootCredentials,
	"IAMCreateRootUserPassword":    identity.SettingRootCredentials,
	"IAMDeleteRootUserCredentials": identity.SettingRootCredentials,
	"S3UnlockBucketPolicy":         identity.SettingRootSessions,
	"SQSUnlockQueuePolicy":         identity.SettingRootSessions,
}

// rootTaskPath is the path of the task policies.
const rootTaskPath = "/root-task/"

// rootDurationMax is the default length of a session, in seconds, and the
// longest. STS AssumeRoot.
const rootDurationMax = 900

// onMemberRoot returns the target for the root user whose session the caller
// requests.
func onMemberRoot(member string) api.Target {
	return api.ByMembers(func(_ context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		return []api.Resource{{ARN: principal.RootARN(c.Partition(), memberAccount(c, v[0]))}}, nil
	}, member)
}

// taskPolicy returns the task policy that a request names.
func taskPolicy(in *sts.AssumeRootInput) []string { return some(str(in.TaskPolicyArn.Arn)) }

// memberAccount reads a TargetPrincipal: an account's number or the ARN of its
// root user.
func memberAccount(c principal.Caller, target string) string {
	if rest, ok := strings.CutPrefix(target, "arn:"+c.Partition()+":iam::"); ok {
		target = strings.TrimSuffix(rest, ":root")
	}
	return target
}

// AssumeRoot returns a session of a member's root user, for one task, to the
// management account of an organisation.
func (s *Service) AssumeRoot(ctx context.Context, in *sts.AssumeRootInput) (*sts.AssumeRootOutput, error) {
	c := principal.Of(ctx)
	arn := str(in.TaskPolicyArn.Arn)
	task := managedpolicy.Find(arn)
	if task == nil || task.Path != rootTaskPath || rootTasks[task.Name] == "" {
		return nil, fail("ValidationError", "Request must contain valid AWS managed task policy ARN") // recorded
	}
	account := memberAccount(c, *in.TargetPrincipal)
	if len(account) != 12 || strings.Trim(account, "0123456789") != "" {
		return nil, fail("ValidationError", "Request must contain a valid target principal") // recorded for a user
	}
	root, ok, err := s.iam.ManagedRoot(ctx, c.Account(), account, rootTasks[task.Name])
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fail("AccessDenied", "%s",
			policy.DenialText(c.ARN(), "sts:AssumeRoot", principal.RootARN(c.Partition(), account), policy.Decision{}))
	}
	n := newSession{from: c.Session()}
	if err := n.setSourceIdentity(""); err != nil {
		return nil, err
	}
	seconds := int32(rootDurationMax)
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	made, err := s.makeSession(ctx, root, seconds, &n,
		principal.Session{TaskPolicy: arn, SourceIdentity: n.sourceIdentity})
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRootOutput{
		Credentials: made.credentials, SessionTokenSize: made.size, SessionTokenUtilization: made.used,
		SourceIdentity: optional(n.sourceIdentity),
	}, nil
}
