package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"rollcall/internal/identity"
)

func rootTask(name string) *ststypes.PolicyDescriptorType {
	return &ststypes.PolicyDescriptorType{Arn: ptr("arn:aws:iam::aws:policy/root-task/" + name)}
}

// The management account of an organisation acts as a member's root user, for
// one task at a time.
func TestAssumeRoot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const member, stranger = "222222222222", "333333333333"
		memberKey := w.newAccount(t, identity.AccountSpec{ID: member})
		w.newAccount(t, identity.AccountSpec{ID: stranger})
		if err := w.IAM.ManageAccounts(t.Context(), account, []string{member}); err != nil {
			t.Fatal(err)
		}
		w.user(t, "Ann")
		ann := w.asUser(t, "Ann")
		in := &sts.AssumeRootInput{TargetPrincipal: ptr(member), TaskPolicyArn: rootTask("IAMAuditRootUserCredentials")}
		const memberRoot = "arn:aws:iam::" + member + ":root"
		denied := notAuthorized(userPath+"/Ann", "sts:AssumeRoot", memberRoot)
		refused(t, ann.sts.AssumeRoot, in, 403, "AccessDenied", denied) // no reason is given: recorded
		w.putUserPolicy(t, "Ann", ptr(oneStatement("Deny", "sts:AssumeRoot", "*", "")))
		refused(t, ann.sts.AssumeRoot, in, 403, "AccessDenied", denied)
		w.putUserPolicy(t, "Ann",
			ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRoot","Resource":"`+
				memberRoot+
				`","Condition":{"StringLike":{"sts:TaskPolicyArn":"arn:aws:iam::aws:policy/root-task/*"}}}]}`))
		refused(t, ann.sts.AssumeRoot, in, 403, "AccessDenied", denied) // the feature is not enabled
		must(t, w.root.EnableOrganizationsRootCredentialsManagement,
			&iam.EnableOrganizationsRootCredentialsManagementInput{})

		out := must(t, ann.sts.AssumeRoot, in)
		if !out.Credentials.Expiration.Equal(w.clock.Now().Add(15 * time.Minute)) {
			t.Errorf("expires %v", out.Credentials.Expiration)
		}
		audit := w.asSession(out.Credentials)
		if who := must(t, audit.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}); *who.Arn != memberRoot ||
			*who.Account != member || *who.UserId != member {
			t.Errorf("%s %s %s", *who.Arn, *who.Account, *who.UserId)
		}
		keys := must(t, audit.ListAccessKeys, &iam.ListAccessKeysInput{}).AccessKeyMetadata
		if len(keys) != 1 || *keys[0].AccessKeyId != memberKey.ID {
			t.Errorf("%+v", keys)
		}
		must(t, audit.GetAccountSummary, &iam.GetAccountSummaryInput{})
		refused(t, audit.DeleteAccessKey, &iam.DeleteAccessKeyInput{AccessKeyId: &memberKey.ID}, 403, "AccessDenied",
			notAuthorized(memberRoot, "iam:DeleteAccessKey", memberRoot)+
				" with an explicit deny in a session policy: "+
				"arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials")
		refused(t, audit.ListUsers, &iam.ListUsersInput{}, 403, "AccessDenied",
			notAuthorized(memberRoot, "iam:ListUsers", "arn:aws:iam::"+member+":user/")+
				" with an explicit deny in a session policy: "+
				"arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials")
		refused(t, audit.sts.AssumeRole,
			&sts.AssumeRoleInput{RoleArn: ptr(rolePath + "/worker"), RoleSessionName: ptr("night")}, 403,
			"AccessDenied", "Roles may not be assumed by root accounts.")
		refused(t, audit.sts.GetSessionToken, &sts.GetSessionTokenInput{}, 403, "AccessDenied",
			"Cannot call GetSessionToken with session credentials")

		in.TaskPolicyArn = rootTask("IAMDeleteRootUserCredentials")
		remove := w.asSession(must(t, ann.sts.AssumeRoot, in).Credentials)
		must(t, remove.DeleteAccessKey, &iam.DeleteAccessKeyInput{AccessKeyId: &memberKey.ID})
		refused(t, remove.DeleteLoginProfile, &iam.DeleteLoginProfileInput{}, 404, "NoSuchEntity",
			"Login Profile for User root cannot be found.")

		in.TaskPolicyArn, in.TargetPrincipal = rootTask("IAMCreateRootUserPassword"), ptr(memberRoot)
		recover := w.asSession(must(t, ann.sts.AssumeRoot, in).Credentials)
		refused(t, recover.CreateLoginProfile, &iam.CreateLoginProfileInput{Password: ptr(goodPassword)}, 400,
			"ValidationError", "UserName and Password must be omitted in a session of AssumeRoot.")
		made := must(t, recover.CreateLoginProfile, &iam.CreateLoginProfileInput{}).LoginProfile
		if made.UserName != nil || !made.CreateDate.Equal(w.clock.Now()) {
			t.Errorf("%+v", made)
		}
		refused(t, recover.CreateLoginProfile, &iam.CreateLoginProfileInput{}, 409, "EntityAlreadyExists",
			"Login Profile for user "+member+" already exists.")
		must(t, audit.GetLoginProfile, &iam.GetLoginProfileInput{})
		must(t, remove.DeleteLoginProfile, &iam.DeleteLoginProfileInput{})

		// The other tasks need the other feature. There are no more tasks.
		in.TaskPolicyArn = rootTask("S3UnlockBucketPolicy")
		refused(t, ann.sts.AssumeRoot, in, 403, "AccessDenied", denied)
		must(t, w.root.EnableOrganizationsRootSessions, &iam.EnableOrganizationsRootSessionsInput{})
		must(t, ann.sts.AssumeRoot, in)
		in.TaskPolicyArn = rootTask("Everything")
		refused(t, ann.sts.AssumeRoot, in, 400, "ValidationError",
			"Request must contain valid AWS managed task policy ARN")
		in.TaskPolicyArn.Arn = ptr("arn:aws:iam::aws:policy/AdministratorAccess")
		refused(t, w.root.sts.AssumeRoot, in, 400, "ValidationError",
			"Request must contain valid AWS managed task policy ARN")

		// Only members of this organisation can be reached.
		in.TaskPolicyArn = rootTask("IAMAuditRootUserCredentials")
		for _, target := range []string{userPath + "/Ann", "12345678901x", strings.TrimSuffix(memberRoot, "root")} {
			in.TargetPrincipal = &target
			refused(t, w.root.sts.AssumeRoot, in, 400, "ValidationError",
				"Request must contain a valid target principal")
		}
		for _, target := range []string{stranger, account, "999999999999"} {
			in.TargetPrincipal = &target
			refused(t, w.root.sts.AssumeRoot, in, 403, "AccessDenied",
				notAuthorized(rootARN, "sts:AssumeRoot", "arn:aws:iam::"+target+":root"))
		}
		in.DurationSeconds = ptr(int32(901))
		refused(t, w.root.sts.AssumeRoot, in, 400, "ValidationError",
			"1 validation error detected: Value '901' at 'durationSeconds' failed to satisfy constraint: Member must "+
				"have value less than or equal to 900")
	})
}
