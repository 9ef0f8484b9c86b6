package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"rollcall/internal/service"
)

const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// statement returns a policy with one statement.
func statement(effect, actions, more string) *string {
	return ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":` + actions +
		`,"Resource":"*"` + more + `}]}`)
}

func (w *world) putUserPolicy(t testing.TB, user string, document *string) {
	t.Helper()
	must(t, w.root.PutUserPolicy,
		&iam.PutUserPolicyInput{UserName: &user, PolicyName: ptr("p"), PolicyDocument: document})
}

func (w *world) putRolePolicy(t testing.TB, role string, document *string) {
	t.Helper()
	must(t, w.root.PutRolePolicy,
		&iam.PutRolePolicyInput{RoleName: &role, PolicyName: ptr("p"), PolicyDocument: document})
}

// assume assumes a role and returns clients of its session.
func (w *world) assume(t testing.TB, by clients, role, session string) clients {
	t.Helper()
	return w.asSession(
		must(t, by.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: &session}).Credentials)
}

func notAuthorized(caller, action, resource string) string {
	return "User: " + caller + " is not authorized to perform: " + action + " on resource: " + resource
}

func sessionARN(role, name string) string {
	return "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name
}

// A session may do what its role's policies allow, limited by the policies in
// the request.
func TestRoleSessionPolicies(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	arn := w.role(t, "worker", trusting("Ann"))
	plain := w.assume(t, ann, arn, "night")
	refused(t, plain.ListUsers, &iam.ListUsersInput{}, 403, "AccessDenied",
		notAuthorized(sessionARN("worker", "night"), "iam:ListUsers", userPath+"/")+
			" because no identity-based policy allows the iam:ListUsers action")
	w.putRolePolicy(t, "worker", statement("Allow", `["iam:List*","iam:Get*"]`, ""))
	must(t, plain.ListUsers, &iam.ListUsersInput{})

	const readOnly = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
	in := &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night"),
		Policy: statement("Allow", `["iam:ListUsers","iam:CreateUser"]`, "")}
	out := must(t, ann.sts.AssumeRole, in)
	if n := *out.PackedPolicySize; n < 1 || n > 20 {
		t.Errorf("packed size %d", n)
	}
	narrow := w.asSession(out.Credentials)
	must(t, narrow.ListUsers, &iam.ListUsersInput{})
	refused(t, narrow.ListRoles, &iam.ListRolesInput{}, 403, "AccessDenied",
		notAuthorized(sessionARN("worker", "night"), "iam:ListRoles", rolePath+"/")+
			" because no session policy allows the iam:ListRoles action")
	refused(t, narrow.CreateUser, &iam.CreateUserInput{UserName: ptr("new")}, 403, "AccessDenied",
		notAuthorized(sessionARN("worker", "night"), "iam:CreateUser", userPath+"/new")+
			" because no identity-based policy allows the iam:CreateUser action")

	// Several policies allow what any of them allows.
	in.Policy, in.PolicyArns = statement("Allow", `"iam:ListRoles"`, ""), []ststypes.PolicyDescriptorType{
		{Arn: ptr(w.managedPolicy(t, "lists-users", statement("Allow", `"iam:ListUsers"`, "")))}}
	both := w.asSession(must(t, ann.sts.AssumeRole, in).Credentials)
	must(t, both.ListUsers, &iam.ListUsersInput{})
	must(t, both.ListRoles, &iam.ListRolesInput{})
	refused(t, both.ListGroups, &iam.ListGroupsInput{}, 403, "AccessDenied",
		notAuthorized(sessionARN("worker", "night"), "iam:ListGroups", "arn:aws:iam::"+account+":group/")+
			" because no session policy allows the iam:ListGroups action")
	// A policy that was deleted since then allows nothing.
	in.Policy = nil
	only := w.asSession(must(t, ann.sts.AssumeRole, in).Credentials)
	must(t, only.ListUsers, &iam.ListUsersInput{})
	must(t, w.root.DeletePolicy, &iam.DeletePolicyInput{PolicyArn: in.PolicyArns[0].Arn})
	refused(t, only.ListUsers, &iam.ListUsersInput{}, 403, "AccessDenied",
		notAuthorized(sessionARN("worker", "night"), "iam:ListUsers", userPath+"/")+
			" because no session policy allows the iam:ListUsers action")

	refused(t, ann.sts.AssumeRole, in, 400, "MalformedPolicyDocument",
		"Policy "+*in.PolicyArns[0].Arn+" does not exist or is not attachable.")
	in.PolicyArns, in.Policy = nil, ptr("{}")
	refused(t, ann.sts.AssumeRole, in, 400, "MalformedPolicyDocument", "Syntax errors in policy.")
	in.Policy = nil
	for range 11 {
		in.PolicyArns = append(in.PolicyArns, ststypes.PolicyDescriptorType{Arn: ptr(readOnly)})
	}
	refused(t, ann.sts.AssumeRole, in, 400, "ValidationError",
		"1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length "+
			"less than or equal to 10")
}

func (w *world) managedPolicy(t testing.TB, name string, document *string) string {
	t.Helper()
	return *must(t, w.root.CreatePolicy, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: document}).Policy.Arn
}

// The session's policies and tags must fit into its token.
func TestPackedPolicyTooLarge(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	arn := w.role(t, "worker",
		strings.Replace(trusting("Ann"), `"sts:AssumeRole"`, `["sts:AssumeRole","sts:TagSession"]`, 1))
	in := &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")}
	plain := must(t, ann.sts.AssumeRole, in)
	if plain.PackedPolicySize != nil || *plain.SessionTokenSize != int32(len(*plain.Credentials.SessionToken)) ||
		*plain.SessionTokenUtilization < 5 || *plain.SessionTokenUtilization > 20 {
		t.Errorf("%+v", plain)
	}
	in.MinimumSessionTokenSize = ptr(int32(4096))
	if big := must(t, ann.sts.AssumeRole, in); len(*big.Credentials.SessionToken) < 4096 ||
		len(*big.Credentials.SessionToken) > 4200 || *big.SessionTokenUtilization != 100 {
		t.Errorf("%d %+v", len(*big.Credentials.SessionToken), big)
	} else {
		must(t, w.asSession(big.Credentials).sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
	}
	in.MinimumSessionTokenSize = ptr(int32(4097))
	refused(t, ann.sts.AssumeRole, in, 400, "ValidationError",
		"1 validation error detected: Value '4097' at 'minimumSessionTokenSize' failed to satisfy constraint: Member "+
			"must have value less than or equal to 4096")
	in.MinimumSessionTokenSize = nil
	// These are hard to compress.
	for i := range 50 {
		value := fmt.Sprintf("%x", fmt.Sprint(i*i*i*7919+i*104729, i*15485863, i*i*32452843))
		in.Tags = append(in.Tags, ststypes.Tag{Key: ptr(fmt.Sprint("k", i)), Value: &value})
	}
	got := must(t, ann.sts.AssumeRole, in)
	if n := *got.PackedPolicySize; n < 25 || n > 100 {
		t.Errorf("packed size %d", n)
	}
	must(t, w.asSession(got.Credentials).sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
	for i := range in.Tags {
		in.Tags[i].Value = ptr(
			*in.Tags[i].Value + fmt.Sprintf("%x", fmt.Sprint(i*i*982451653, i*179424673, i*i*i*49979687, i*67867967)))
	}
	_, err := ann.sts.AssumeRole(t.Context(), in)
	if f := failureOf(err); f.status != 400 || f.code != "PackedPolicyTooLarge" ||
		!strings.HasPrefix(f.message, "Packed policy consumes 1") ||
		!strings.HasSuffix(f.message, "% of allotted space, please use smaller policy.") {
		t.Errorf("%+v", f)
	}
}

func TestAssumeRoleDurations(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	arn := w.role(t, "worker", trusting("Ann"))
	must(t, w.root.UpdateRole, &iam.UpdateRoleInput{RoleName: ptr("worker"), MaxSessionDuration: ptr(int32(7200))})
	in := &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")}
	for seconds, want := range map[int32]failure{
		899: {400, "ValidationError",
			"1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must " +
				"have value greater than or equal to 900"},
		900: {}, 7200: {},
		7201: {400, "ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		43201: {400, "ValidationError",
			"1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member " +
				"must have value less than or equal to 43200"},
	} {
		in.DurationSeconds = &seconds
		out, err := ann.sts.AssumeRole(t.Context(), in)
		if got := failureOf(err); got != want {
			t.Errorf("%d: %+v", seconds, got)
		} else if err == nil && !out.Credentials.Expiration.Equal(began.Add(time.Duration(seconds)*time.Second)) {
			t.Errorf("%d: expires %v", seconds, out.Credentials.Expiration)
		}
	}

	// A role's session may assume another role for an hour.
	next := w.role(t, "next", `"Principal":{"AWS":"`+arn+`"},"Action":"sts:AssumeRole"`)
	must(t, w.root.UpdateRole, &iam.UpdateRoleInput{RoleName: ptr("next"), MaxSessionDuration: ptr(int32(7200))})
	w.putRolePolicy(t, "worker", statement("Allow", `"sts:AssumeRole"`, ""))
	worker := w.assume(t, ann, arn, "night")
	chained := &sts.AssumeRoleInput{RoleArn: &next, RoleSessionName: ptr("day"), DurationSeconds: ptr(int32(3600))}
	must(t, worker.sts.AssumeRole, chained)
	chained.DurationSeconds = ptr(int32(3601))
	refused(t, worker.sts.AssumeRole, chained, 400, "ValidationError",
		"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
}

// A session ends at its exact second.
func TestSessionExpires(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		w.clock.advance(700 * time.Millisecond)
		ann := w.asUser(t, "Ann")
		arn := w.role(t, "worker", trusting("Ann"))
		out := must(t, ann.sts.AssumeRole,
			&sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night"), DurationSeconds: ptr(int32(900))})
		session := w.asSession(out.Credentials)
		w.clock.advance(out.Credentials.Expiration.Sub(w.clock.Now()) - time.Nanosecond)
		must(t, session.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
		w.clock.advance(time.Nanosecond)
		refused(t, session.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403, "ExpiredToken",
			"The security token included in the request is expired")
	})
}

// Sessions end with their role or their user. A session that a policy revokes
// by its date loses its permissions. Both apply to the very next call.
func TestSessionsAreRevoked(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := twoNodes(t, cfg(t), service.Config{})
			one.user(t, "Ann")
			ann := one.asUser(t, "Ann")
			arn := one.role(t, "worker", trusting("Ann"))
			one.putRolePolicy(t, "worker", ptr(allowAll))
			there := func(c *ststypes.Credentials) clients { return two.asSession(c) }
			out := must(t, ann.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")})
			session := there(out.Credentials)
			must(t, session.ListUsers, &iam.ListUsersInput{})
			one.clock.advance(time.Second)
			must(t, one.root.PutRolePolicy,
				&iam.PutRolePolicyInput{RoleName: ptr("worker"), PolicyName: ptr("AWSRevokeOlderSessions"),
					PolicyDocument: statement("Deny", `"*"`, `,"Condition":{"DateLessThan":{"aws:TokenIssueTime":"`+
						one.clock.Now().Format(time.RFC3339)+`"}}`)})
			refused(t, session.ListUsers, &iam.ListUsersInput{}, 403, "AccessDenied",
				notAuthorized(sessionARN("worker", "night"), "iam:ListUsers", userPath+"/")+
					" with an explicit deny in an identity-based policy")
			newer := there(must(t, ann.sts.AssumeRole,
				&sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")}).Credentials)
			must(t, newer.ListUsers, &iam.ListUsersInput{})

			must(t, one.root.DeleteRolePolicy,
				&iam.DeleteRolePolicyInput{RoleName: ptr("worker"), PolicyName: ptr("AWSRevokeOlderSessions")})
			must(t, one.root.DeleteRolePolicy,
				&iam.DeleteRolePolicyInput{RoleName: ptr("worker"), PolicyName: ptr("p")})
			must(t, one.root.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("worker")})
			refused(t, newer.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403,
				"InvalidClientTokenId", invalidToken)
			one.role(t, "worker", trusting("Ann")) // another role of that name
			refused(t, newer.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403,
				"InvalidClientTokenId", invalidToken)

			mine := there(must(t, ann.sts.GetSessionToken, &sts.GetSessionTokenInput{}).Credentials)
			theirs := there(
				must(t, one.root.sts.GetFederationToken, &sts.GetFederationTokenInput{Name: ptr("guest")}).Credentials)
			must(t, mine.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
			must(t, one.root.UpdateUser, &iam.UpdateUserInput{UserName: ptr("Ann"), NewUserName: ptr("Anna")})
			must(t, mine.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
			one.deleteUser(t, "Anna")
			refused(t, mine.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403,
				"InvalidClientTokenId", invalidToken)
			must(t, theirs.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
			one.user(t, "Ann") // another user of that name
			refused(t, mine.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403,
				"InvalidClientTokenId", invalidToken)
		})
	}
}
