package service_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/identity"
)

// reborn deletes an account and creates one with the same number.
func (w *world) reborn(t testing.TB, id string) clients {
	t.Helper()
	if err := w.IAM.DeleteAccount(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	k := w.newAccount(t, identity.AccountSpec{ID: id})
	return w.as(k.ID, k.Secret.Reveal())
}

// A new account with an old number is another account: no session, message or
// marker of the old one is valid for it.
func TestAccountMadeAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const manager = "222222222222"
		k := w.newAccount(t, identity.AccountSpec{ID: manager})
		managing := w.as(k.ID, k.Secret.Reveal())
		if err := w.IAM.ManageAccounts(t.Context(), manager, []string{account}); err != nil {
			t.Fatal(err)
		}
		must(t, managing.EnableOrganizationsRootSessions, &iam.EnableOrganizationsRootSessionsInput{})

		fill := func() {
			for i := range 3 {
				w.user(t, fmt.Sprint("user", i))
			}
			w.role(t, "worker", `"Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole"`)
			w.putRolePolicy(t, "worker", ptr(allowAll))
		}
		fill()
		w.putUserPolicy(t, "user0", statement("Allow", `"sts:*"`, ""))
		user := w.asUser(t, "user0")
		sessions := map[string]clients{
			"root": w.asSession(must(t, w.root.sts.GetSessionToken, &sts.GetSessionTokenInput{}).Credentials),
			"root's guest": w.asSession(
				must(t, w.root.sts.GetFederationToken,
					&sts.GetFederationTokenInput{Name: ptr("guest"), Policy: ptr(allowAll)}).Credentials),
			"root task": w.asSession(
				must(t, managing.sts.AssumeRoot,
					&sts.AssumeRootInput{TargetPrincipal: ptr(account),
						TaskPolicyArn: rootTask("S3UnlockBucketPolicy")}).Credentials),
			"user": w.asSession(must(t, user.sts.GetSessionToken, &sts.GetSessionTokenInput{}).Credentials),
			"role": w.assume(t, user, rolePath+"/worker", "night"),
		}
		for name, c := range sessions {
			if _, err := c.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		message := w.denialMessage(t, user, call("CreateUser", "UserName=x"))
		marker := must(t, w.root.ListUsers, &iam.ListUsersInput{MaxItems: ptr(int32(1))}).Marker
		oldKey := w.root

		w.root = w.reborn(t, account)
		fill()
		sessions["key"], sessions["user's key"] = oldKey, user
		for name, c := range sessions {
			_, err := c.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			if failureOf(err).code != "InvalidClientTokenId" {
				t.Errorf("%s of the account that is gone: %v", name, err)
			}
		}
		refused(t, w.root.sts.DecodeAuthorizationMessage,
			&sts.DecodeAuthorizationMessageInput{EncodedMessage: &message}, 400,
			"InvalidAuthorizationMessageException", "Message is not valid")
		refused(t, w.root.ListUsers, &iam.ListUsersInput{MaxItems: ptr(int32(1)), Marker: marker}, 400,
			"ValidationError", "Invalid Marker.")
		// The new account belongs to no organisation.
		if _, err := managing.sts.AssumeRoot(t.Context(),
			&sts.AssumeRootInput{TargetPrincipal: ptr(account),
				TaskPolicyArn: rootTask("S3UnlockBucketPolicy")}); failureOf(err).code != "AccessDenied" {
			t.Error(err)
		}
	})
}

// A principal that trusts or follows an account does not trust or follow the next one with
// its number.
func TestTrustInAccountMadeAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const other = "222222222222"
		k := w.newAccount(t, identity.AccountSpec{ID: other})
		theirs := w.as(k.ID, k.Secret.Reveal())
		if err := w.IAM.ManageAccounts(t.Context(), other, []string{account}); err != nil {
			t.Fatal(err)
		}
		roles := map[string]string{}
		for name, trusted := range map[string]string{
			"number": other, "root": "arn:aws:iam::" + other + ":root",
			"guest": "arn:aws:sts::" + other + ":federated-user/guest",
		} {
			roles[name] = w.role(t, name, `"Principal":{"AWS":"`+trusted+`"},"Action":"sts:AssumeRole"`)
		}
		assumed := func(theirs clients) map[string]bool {
			must(t, theirs.CreateUser, &iam.CreateUserInput{UserName: u})
			must(t, theirs.PutUserPolicy,
				&iam.PutUserPolicyInput{UserName: u, PolicyName: ptr("p"), PolicyDocument: ptr(allowAll)})
			k := must(t, theirs.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: u}).AccessKey
			user := w.as(*k.AccessKeyId, *k.SecretAccessKey)
			done := map[string]bool{}
			for name, arn := range roles {
				if name == "guest" {
					continue // federated users cannot call AssumeRole
				}
				_, err := user.sts.AssumeRole(t.Context(),
					&sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")})
				done[name] = err == nil
			}
			return done
		}
		same(t, assumed(theirs), map[string]bool{"number": true, "root": true})
		same(t, assumed(w.reborn(t, other)), map[string]bool{"number": false, "root": false})
		if got := *must(t, w.root.GetRole,
			&iam.GetRoleInput{RoleName: ptr("number")}).Role.AssumeRolePolicyDocument; !strings.Contains(got, other) {
			t.Errorf("the trust policy is shown as %s", got)
		}
		// The new account manages other accounts.
		const third = "333333333333"
		w.newAccount(t, identity.AccountSpec{ID: third})
		if err := w.IAM.ManageAccounts(t.Context(), other, []string{third}); err != nil {
			t.Fatal(err)
		}
		if o, err := w.IAM.Organization(t.Context(), other); err != nil || fmt.Sprint(o.Members) != "["+third+"]" {
			t.Errorf("%+v %v", o, err)
		}
	})
}
