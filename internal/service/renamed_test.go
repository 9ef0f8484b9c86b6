package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/sigv4/sigv4test"
)

// A session belongs to its user: name, path and tags are read with each call,
// and the session continues when the user is renamed.
func TestSessionFollowsItsUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.root.CreateUser,
			&iam.CreateUserInput{UserName: ptr("Ann"), Path: ptr("/old/"), Tags: tags("team", "old")})
		key, phone := w.asUser(t, "Ann"), w.enabledDevice(t, "Ann")
		w.clock.advance(2 * step)
		// Each part of the user's properties is tested with its own action.
		w.putUserPolicy(t, "Ann", ptr(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":["iam:GetUser","sts:*"],"Resource":"*"},
			{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"`+userPath+`/old/*"}}},
			{"Effect":"Allow","Action":"iam:ListGroups","Resource":"*","Condition":{"StringEquals":{"aws:username":"Ann"}}},
			{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"old"}}},
			{"Effect":"Allow","Action":"iam:ListAccessKeys","Resource":"`+userPath+`/old/${aws:username}"}]}`))
		proof := &sts.GetSessionTokenInput{SerialNumber: &phone.serial, TokenCode: phone.code(t, w.clock.Now())}
		given := must(t, key.sts.GetSessionToken, proof).Credentials
		session := w.asSession(given)
		allAllowed := func(want bool) {
			t.Helper()
			for _, c := range []clients{key, session} {
				for action, err := range map[string]error{
					"path": failed(c.ListUsers(t.Context(), &iam.ListUsersInput{})),
					"name": failed(c.ListGroups(t.Context(), &iam.ListGroupsInput{})),
					"tag":  failed(c.ListRoles(t.Context(), &iam.ListRolesInput{})),
					"own":  failed(c.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{})),
				} {
					if (err == nil) != want || err != nil && failureOf(err).code != "AccessDenied" {
						t.Errorf("%s: %v", action, err)
					}
				}
			}
		}
		allAllowed(true)
		must(t, w.root.UpdateUser,
			&iam.UpdateUserInput{UserName: ptr("Ann"), NewUserName: ptr("Eve"), NewPath: ptr("/new/")})
		must(t, w.root.TagUser, &iam.TagUserInput{UserName: ptr("Eve"), Tags: tags("team", "new")})
		allAllowed(false)

		w.records(t)
		who := must(t, session.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
		self := must(t, session.GetUser, &iam.GetUserInput{}).User
		if *who.Arn != userPath+"/new/Eve" || *self.UserName != "Eve" || *self.Arn != *who.Arn ||
			*self.UserId != *who.UserId {
			t.Errorf("%s, %s %s", *who.Arn, *self.UserName, *self.Arn)
		}
		if _, err := session.GetUser(t.Context(), &iam.GetUserInput{UserName: ptr("/")}); failureOf(
			err).code != "ValidationError" {
			t.Error(err)
		}
		nothing := call("Nothing", "")
		request := w.post(t, "/", nothing)
		by := sigv4test.Credentials{AccessKeyID: *given.AccessKeyId, SecretAccessKey: *given.SecretAccessKey,
			SessionToken: *given.SessionToken}
		sigv4test.Sign(request, []byte(nothing), by, "us-east-1", "iam", w.clock.Now())
		if got := send(t, request); got.code != "InvalidAction" {
			t.Errorf("%+v", got.failure)
		}
		for _, r := range w.records(t) {
			if r.UserIdentity.Arn != userPath+"/new/Eve" || r.UserIdentity.UserName != "Eve" {
				t.Errorf("%s by %+v", r.EventName, r.UserIdentity)
			}
		}

		// Sessions that this session begins belong to the renamed user too.
		must(t, w.root.UpdateUser,
			&iam.UpdateUserInput{UserName: ptr("Eve"), NewUserName: ptr("Ann"), NewPath: ptr("/old/")})
		must(t, w.root.TagUser, &iam.TagUserInput{UserName: ptr("Ann"), Tags: tags("team", "old")})
		allAllowed(true)
	})
}

func failed[T any](_ T, err error) error { return err }

// A session ends with its user. It does not continue for another user who gets
// the name, and that user keeps its own sessions.
func TestSessionEndsWithItsUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		sessionOf := func(name string) (user, federated clients) {
			w.user(t, name)
			c := w.asUser(t, name)
			w.putUserPolicy(t, name, ptr(allowAll))
			user = w.asSession(must(t, c.sts.GetSessionToken, &sts.GetSessionTokenInput{}).Credentials)
			federated = w.asSession(
				must(t, c.sts.GetFederationToken,
					&sts.GetFederationTokenInput{Name: ptr("guest"), Policy: ptr(allowAll)}).Credentials)
			return user, federated
		}
		ended := func(c clients) {
			t.Helper()
			refused(t, c.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403, "InvalidClientTokenId",
				"The security token included in the request is invalid.")
		}
		is := func(c clients, arn string) {
			t.Helper()
			if who := must(t, c.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}); *who.Arn != arn {
				t.Errorf("%s, want %s", *who.Arn, arn)
			}
		}
		ann, annsGuest := sessionOf("Ann")
		eve, evesGuest := sessionOf("Eve")
		guest := "arn:aws:sts::" + account + ":federated-user/guest"
		w.deleteUser(t, "Ann")
		ended(ann)
		ended(annsGuest)
		w.user(t, "Ann")
		ended(ann)
		ended(annsGuest)
		w.deleteUser(t, "Ann")
		must(t, w.root.UpdateUser, &iam.UpdateUserInput{UserName: ptr("Eve"), NewUserName: ptr("Ann")})
		ended(ann)
		is(eve, userPath+"/Ann")
		is(evesGuest, guest)
		// Two users exchange their names.
		bob, _ := sessionOf("bob")
		for _, rename := range [][2]string{{"bob", "x"}, {"Ann", "bob"}, {"x", "Ann"}} {
			must(t, w.root.UpdateUser, &iam.UpdateUserInput{UserName: &rename[0], NewUserName: &rename[1]})
		}
		is(eve, userPath+"/bob")
		is(bob, userPath+"/Ann")
	})
}

// deleteUser deletes a user with its keys and its inline policy.
func (w *world) deleteUser(t testing.TB, name string) {
	t.Helper()
	for _, k := range must(t, w.root.ListAccessKeys, &iam.ListAccessKeysInput{UserName: &name}).AccessKeyMetadata {
		must(t, w.root.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: k.AccessKeyId})
	}
	for _, p := range must(t, w.root.ListUserPolicies, &iam.ListUserPoliciesInput{UserName: &name}).PolicyNames {
		must(t, w.root.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: &name, PolicyName: &p})
	}
	must(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: &name})
}

// A role's session has the present tags of the role, and ends with the role.
func TestRoleSessionFollowsItsRole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		ann := w.asUser(t, "Ann")
		arn := w.role(t, "worker", trusting("Ann"))
		must(t, w.root.TagRole, &iam.TagRoleInput{RoleName: ptr("worker"), Tags: tags("team", "old")})
		w.putRolePolicy(t, "worker",
			statement("Allow", `"iam:ListUsers"`, `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"old"}}`))
		worker := w.assume(t, ann, arn, "night")
		must(t, worker.ListUsers, &iam.ListUsersInput{})
		must(t, w.root.TagRole, &iam.TagRoleInput{RoleName: ptr("worker"), Tags: tags("team", "new")})
		if _, err := worker.ListUsers(t.Context(), &iam.ListUsersInput{}); failureOf(err).code != "AccessDenied" {
			t.Error(err)
		}
		// The user who assumed the role may have been renamed or deleted.
		must(t, w.root.UpdateUser, &iam.UpdateUserInput{UserName: ptr("Ann"), NewUserName: ptr("Eve")})
		before := must(t, worker.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
		must(t, w.root.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: ptr("worker"), PolicyName: ptr("p")})
		must(t, w.root.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("worker")})
		w.role(t, "worker", trusting("Eve"))
		refused(t, worker.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403, "InvalidClientTokenId",
			"The security token included in the request is invalid.")
		after := must(t, w.assume(t, ann, arn, "night").sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
		if *before.Arn != *after.Arn || *before.UserId == *after.UserId || !strings.HasSuffix(*after.UserId, ":night") {
			t.Errorf("%s %s, then %s %s", *before.Arn, *before.UserId, *after.Arn, *after.UserId)
		}
	})
}

// One user is renamed again and again, and another one takes each free name. No
// call of the first one's session is lost, and none acts as the other user.
func TestRenameUnderWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "a")
		c := w.asUser(t, "a")
		session := w.asSession(must(t, c.sts.GetSessionToken, &sts.GetSessionTokenInput{}).Credentials)
		id := *must(t, session.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}).UserId
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for names := []string{"a", "b"}; ; names[0], names[1] = names[1], names[0] {
				if _, err := w.root.UpdateUser(t.Context(),
					&iam.UpdateUserInput{UserName: &names[0], NewUserName: &names[1]}); err != nil {
					t.Error(err)
				}
				w.root.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &names[0]})
				w.root.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: &names[0]})
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
		for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
			for _, by := range []clients{c, session} {
				who, err := by.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
				if err != nil || *who.UserId != id {
					t.Fatalf("%v %v", who, err)
				}
			}
		}
		close(stop)
		<-done
	})
}
