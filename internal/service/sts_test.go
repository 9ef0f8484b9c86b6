package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// role creates a role with the members of a trust statement, and returns its
// ARN.
func (w *world) role(t testing.TB, name, trust string) string {
	t.Helper()
	return *must(t, w.root.CreateRole, &iam.CreateRoleInput{
		RoleName:                 &name,
		AssumeRolePolicyDocument: ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + trust + `}]}`),
	}).Role.Arn
}

// asSession returns clients that sign with temporary credentials.
func (w *world) asSession(c *ststypes.Credentials) clients {
	cfg := w.sdkConfig("", "")
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	return w.clientsOf(cfg, *c.AccessKeyId, *c.SecretAccessKey)
}

// trusting returns the part of a trust statement that trusts a user for
// AssumeRole.
func trusting(user string) string {
	return `"Principal":{"AWS":"` + userPath + "/" + user + `"},"Action":"sts:AssumeRole"`
}

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		w.user(t, "bob")
		ann, bob := w.asUser(t, "Ann"), w.asUser(t, "bob")
		arn := w.role(t, "worker", trusting("Ann"))
		in := &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")}

		got := must(t, ann.sts.AssumeRole, in)
		role := must(t, w.root.GetRole, &iam.GetRoleInput{RoleName: ptr("worker")}).Role
		same(t, got.AssumedRoleUser, &ststypes.AssumedRoleUser{
			Arn:           ptr("arn:aws:sts::" + account + ":assumed-role/worker/night"),
			AssumedRoleId: ptr(*role.RoleId + ":night"),
		})
		if id := *got.Credentials.AccessKeyId; !strings.HasPrefix(id, "ASIA") || len(id) != 20 ||
			len(*got.Credentials.SecretAccessKey) != 40 {
			t.Errorf("key %q", id)
		}
		if want := w.clock.Now().Add(time.Hour); !got.Credentials.Expiration.Equal(want) {
			t.Errorf("expires %v, want %v", got.Credentials.Expiration, want)
		}
		session := w.asSession(got.Credentials)
		who := must(t, session.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
		if *who.Arn != *got.AssumedRoleUser.Arn ||
			*who.UserId != *got.AssumedRoleUser.AssumedRoleId || *who.Account != account {
			t.Errorf("caller %s %s %s", *who.Arn, *who.UserId, *who.Account)
		}

		refused(t, bob.sts.AssumeRole, in, 403, "AccessDenied",
			"User: "+userPath+"/bob is not authorized to perform: sts:AssumeRole on resource: "+arn)
		refused(t, w.root.sts.AssumeRole, in, 403, "AccessDenied", "Roles may not be assumed by root accounts.")
		nowhere := "arn:aws:iam::" + account + ":role/nowhere"
		refused(t, ann.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &nowhere, RoleSessionName: ptr("night")}, 403,
			"AccessDenied",
			"User: "+userPath+"/Ann is not authorized to perform: sts:AssumeRole on resource: "+nowhere)
	})
}

// A trust policy trusts the user that it named, whatever the user's present
// name, and not another user who gets the name.
func TestTrustFollowsThePrincipal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		arn := w.role(t, "worker", trusting("Ann"))
		in := &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")}
		ann := w.asUser(t, "Ann")
		must(t, ann.sts.AssumeRole, in)
		must(t, w.root.UpdateUser, &iam.UpdateUserInput{UserName: ptr("Ann"), NewUserName: ptr("Anna")})
		must(t, ann.sts.AssumeRole, in)
		w.user(t, "Ann")
		other := w.asUser(t, "Ann")
		refused(t, other.sts.AssumeRole, in, 403, "AccessDenied",
			"User: "+userPath+"/Ann is not authorized to perform: sts:AssumeRole on resource: "+arn)
		must(t, ann.sts.AssumeRole, in)

		// The same is true for roles: gate is created again, and worker trusts
		// the old one.
		gate := w.role(t, "gate", trusting("Ann"))
		worker := w.role(t, "worker2", `"Principal":{"AWS":["`+gate+`","arn:aws:sts::`+account+
			`:assumed-role/gate/night"]},"Action":"sts:AssumeRole"`)
		in.RoleArn = &worker
		through := func() clients {
			t.Helper()
			return w.asSession(
				must(t, other.sts.AssumeRole,
					&sts.AssumeRoleInput{RoleArn: &gate, RoleSessionName: ptr("night")}).Credentials)
		}
		must(t, through().sts.AssumeRole, in)
		must(t, w.root.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("gate")})
		w.role(t, "gate", trusting("Ann"))
		refused(t, through().sts.AssumeRole, in, 403, "AccessDenied",
			"User: arn:aws:sts::"+account+
				":assumed-role/gate/night is not authorized to perform: sts:AssumeRole on resource: "+worker)
	})
}

// GetRole returns when and where a session of the role was last used, whether
// the call succeeded or not.
func TestRoleLastUsedBySessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		arn := w.role(t, "worker", trusting("Ann"))
		used := func() *types.RoleLastUsed {
			t.Helper()
			// Noted uses are written within a second, or later on a busy machine.
			for range 1200 {
				if u := must(t, w.root.GetRole,
					&iam.GetRoleInput{RoleName: ptr("worker")}).Role.RoleLastUsed; u.LastUsedDate != nil {
					return u
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.Fatal("the use was not written")
			return nil
		}
		session := w.assume(t, w.asUser(t, "Ann"), arn, "night")
		if u := must(t, w.root.GetRole, &iam.GetRoleInput{RoleName: ptr("worker")}).Role.RoleLastUsed; u == nil ||
			u.LastUsedDate != nil {
			t.Errorf("taken, and not used: %+v", u)
		}
		w.clock.advance(time.Minute)
		if _, err := session.ListUsers(t.Context(), &iam.ListUsersInput{}); failureOf(err).code != "AccessDenied" {
			t.Error(err)
		}
		if u := used(); !u.LastUsedDate.Equal(began.Add(time.Minute)) || *u.Region != "eu-west-1" {
			t.Errorf("%v %s", u.LastUsedDate, *u.Region)
		}
	})
}

// A trust policy cannot trust everybody but some: it must name its principals.
// A stored policy from before this rule trusts nobody.
func TestNotPrincipalTrustsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{Store: storetest.SQLite(t)})
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	w.putUserPolicy(t, "Ann", ptr(allowAll))
	arn := w.role(t, "worker", trusting("Ann"))
	for effect, message := range map[string]string{
		"Allow": "Allow with NotPrincipal is not allowed.",
		"Deny":  "AssumeRole policy must not contain NotPrincipal field.",
	} {
		document := ptr(`{"Version":"2012-10-17","Statement":{"Effect":"` + effect +
			`","NotPrincipal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}}`)
		refused(t, w.root.CreateRole, &iam.CreateRoleInput{RoleName: ptr("new"), AssumeRolePolicyDocument: document},
			400, "MalformedPolicyDocument", message)
		refused(t, w.root.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("worker"), PolicyDocument: document}, 400,
			"MalformedPolicyDocument", message)

		must(t, ann.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")})
		err := second(t, w).Update(t.Context(), func(tx *store.Tx) error {
			return tx.SetTrust(account, "worker", store.Trust{TrustPolicy: *document})
		})
		if err != nil {
			t.Fatal(err)
		}
		refused(t, ann.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")}, 403,
			"AccessDenied", notAuthorized(userPath+"/Ann", "sts:AssumeRole", arn))
		trusts := ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + trusting("Ann") + `}]}`)
		must(t, w.root.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("worker"), PolicyDocument: trusts})
	}
}
