package service_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

const (
	userPath = "arn:aws:iam::" + account + ":user"
	rolePath = "arn:aws:iam::" + account + ":role"

	profilePath = "arn:aws:iam::" + account + ":instance-profile"
	batchRole   = rolePath + "/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
)

// trustForm is a trust policy for EC2 in the form of a request.
var trustForm = url.QueryEscape(trustsEC2)

const trustsEC2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
	`"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

const (
	groupPath  = "arn:aws:iam::" + account + ":group"
	policyPath = "arn:aws:iam::" + account + ":policy"
	readOnly   = "arn:aws:iam::aws:policy/ReadOnlyAccess"
)

// policyForm is a policy document that allows everything, in the form of a
// request.
var policyForm = url.QueryEscape(allowsAll)

const allowsAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

const (
	oidcPath              = "arn:aws:iam::" + account + ":oidc-provider"
	samlPath              = "arn:aws:iam::" + account + ":saml-provider"
	serverCertificatePath = "arn:aws:iam::" + account + ":server-certificate"

	noJob = "00000000-0000-0000-0000-000000000000"
)

// deniedPlainly are the actions whose denials contain no reason.
var deniedPlainly = map[string]bool{"AssumeRole": true, "AssumeRoot": true}

// free are the actions that need no permission.
var free = map[string]bool{"GetCallerIdentity": true, "GetSessionToken": true}

// unsigned are the actions that need no signature. They answer the request
// above in this way, with and without a signature.
var unsigned = map[string]string{"AssumeRoleWithWebIdentity": "InvalidIdentityToken",
	"AssumeRoleWithSAML": "InvalidIdentityToken"}

// form returns the request of an action, and its service.
func form(action string) (text, service string) {
	op, _ := awsmodel.Lookup(action)
	return strings.TrimSuffix("Action="+action+"&Version="+op.Service.Version+"&"+everyAction[action].params, "&"),
		op.Service.Name
}

func (w *world) callAs(t testing.TB, c clients, action string) answer {
	t.Helper()
	body, service := form(action)
	r := w.post(t, "/", body)
	w.sign(r, body, c, "us-east-1", service)
	return send(t, r)
}

func TestEveryActionIsInTheTable(t *testing.T) {
	t.Parallel()
	var served []string
	for _, action := range slices.Sorted(maps.Keys(inMemory(t).API.Actions())) {
		if op, _ := awsmodel.Lookup(action); op.Service.Name != "organizations" { // see organizationsActions
			served = append(served, action)
		}
	}
	if listed := slices.Sorted(maps.Keys(everyAction)); !slices.Equal(served, listed) {
		t.Errorf("served %q\nlisted %q", served, listed)
	}
}

// quiet stops a service from storing the counts of its keys every minute, so
// that only the test's calls change the store.
func quiet(db store.Config) service.Config {
	return service.Config{Store: db, Keys: identity.KeyConfig{Every: time.Hour}}
}

// everything returns the content of a store from its backup. The clock stands
// still, so nothing else may differ.
func everything(t testing.TB, w *world) []byte {
	t.Helper()
	db, err := store.Open(t.Context(), w.cfg.Store)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// The attempt is noted whether the call is allowed or not.
	if err = db.ForgetServiceUses(t.Context(), w.clock.Now().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := db.Backup(t.Context(), &out, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Without policies a user may call GetCallerIdentity and nothing else, not even
// about itself. A denied call changes nothing.
func TestUsersAreDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quiet(storetest.SQLite(t)))
	w.user(t, "Ann")
	w.user(t, "bob")
	ann := w.asUser(t, "Ann")
	used := func() {
		// The use of a key is recorded even if the call is denied.
		w.callAs(t, ann, "GetUser")
		must(t, w.root.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &ann.id})
	}
	used()
	before := everything(t, w)
	for action, c := range everyAction {
		t.Run(action, func(t *testing.T) {
			got := w.callAs(t, ann, action)
			if code := unsigned[action]; code != "" {
				wants(t, got, 400, code, got.message)
				return
			}
			if free[action] {
				wants(t, got, 200, "", "")
				return
			}
			_, service := form(action)
			want := fmt.Sprintf("User: %s/Ann is not authorized to perform: %s:%s on resource: %s", userPath,
				service, action, c.resource)
			if !deniedPlainly[action] {
				want += fmt.Sprintf(" because no identity-based policy allows the %s:%s action", service, action)
			}
			wants(t, got, 403, "AccessDenied", want)
		})
	}
	used()
	if !bytes.Equal(everything(t, w), before) {
		t.Error("a denied call has changed the store")
	}
}

// Root may call everything. The exceptions are keys that do not exist, roles,
// which root cannot assume, and the root users of accounts that are not
// members.
func TestRootIsAllowed(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "bob")
	for action := range everyAction {
		t.Run(action, func(t *testing.T) {
			got := w.callAs(t, w.root, action)
			if action != "GetAccessKeyLastUsed" && action != "AssumeRole" && action != "AssumeRoot" &&
				(got.code == "AccessDenied" || got.status >= 500) {
				t.Errorf("%+v", got.failure)
			}
		})
	}
}

// A request that is not signed, or is signed with a wrong key, is refused.
func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quiet(storetest.SQLite(t)))
	w.user(t, "bob")
	stranger := clients{id: "AKIAIOSFODNN7EXAMPLE", key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	forger := clients{id: w.rootKey.ID, key: stranger.key}
	must(t, w.root.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &w.rootKey.ID})
	before := everything(t, w)
	for action := range everyAction {
		t.Run(action, func(t *testing.T) {
			body, _ := form(action)
			if code := unsigned[action]; code != "" {
				for _, r := range []*http.Request{w.post(t, "/", body), w.post(t, "/?"+body, ""),
					w.request(t, "GET", "/?"+body, nil)} {
					got := send(t, r)
					wants(t, got, 400, code, got.message)
				}
				wants(t, w.callAs(t, stranger, action), 403, "InvalidClientTokenId", invalidToken)
				return
			}
			wants(t, send(t, w.post(t, "/", body)), 403, "MissingAuthenticationToken",
				"Request is missing Authentication Token")
			wants(t, send(t, w.post(t, "/?"+body, "")), 403, "MissingAuthenticationToken",
				"Request is missing Authentication Token")
			wants(t, send(t, w.request(t, "GET", "/?"+body, nil)), 403, "MissingAuthenticationToken",
				"Request is missing Authentication Token")
			wants(t, w.callAs(t, stranger, action), 403, "InvalidClientTokenId", invalidToken)
			wants(t, w.callAs(t, forger, action), 403, "SignatureDoesNotMatch",
				"The request signature we calculated does not match the signature you provided. "+
					"Check your AWS Secret Access Key and signing method. Consult the service documentation for "+
					"details.")
		})
	}
	if !bytes.Equal(everything(t, w), before) {
		t.Error("a refused call has changed the store")
	}
}

// AWS checks the model's rules before it authorizes, and the action's rules
// after that.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	try := func(name, action, params, code string) {
		t.Run(name, func(t *testing.T) {
			body := call(action, params)
			r := w.post(t, "/", body)
			w.sign(r, body, ann, "us-east-1", "iam")
			if got := send(t, r); got.code != code {
				t.Errorf("got %+v, want %s", got.failure, code)
			}
		})
	}
	try("bad characters", "CreateUser", "UserName=%C3%A9", "ValidationError")
	try("missing", "CreateUser", "", "ValidationError")
	try("unreadable", "ListUsers", "MaxItems=many", "MalformedInput")
	try("unknown action", "CreateUsers", "", "InvalidAction")
	try("exists", "CreateUser", "UserName=Ann", "AccessDenied")
	try("reserved tag", "TagUser", "UserName=Ann&Tags.member.1.Key=aws:x&Tags.member.1.Value=", "AccessDenied")
	try("no such user", "GetUser", "UserName=nobody", "AccessDenied")
	try("forged marker", "ListUsers", "Marker=x", "AccessDenied")
	try("no report", "GetCredentialReport", "", "AccessDenied")
}

// AllowUsersToChangePassword allows every user two actions on itself.
func TestAllowUsersToChangePassword(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	must(t, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: ptr("Ann"), Password: ptr(goodPassword)})
	allow := func(yes bool) {
		must(t, w.root.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{AllowUsersToChangePassword: yes})
	}
	denied := func() {
		t.Helper()
		for _, action := range []string{"ChangePassword", "GetAccountPasswordPolicy"} {
			if got := w.callAs(t, ann, action); got.status != 403 ||
				!strings.Contains(got.message, "is not authorized to perform: iam:"+action) {
				t.Errorf("%+v", got.failure)
			}
		}
	}
	denied()
	allow(false)
	denied()
	allow(true)
	must(t, ann.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{})
	must(t, ann.ChangePassword,
		&iam.ChangePasswordInput{OldPassword: ptr(goodPassword), NewPassword: ptr(otherPassword)})
	for action := range everyAction {
		if got := w.callAs(t, ann, action).code; !free[action] && unsigned[action] == "" &&
			action != "GetAccountPasswordPolicy" && got != "AccessDenied" {
			t.Errorf("%s: %s", action, got)
		}
	}
	allow(false)
	denied()
}

// An account cannot see another account's users, devices and keys.
func TestAccountsAreApart(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	other := w.newAccount(t, emptySpec)
	them := w.as(other.ID, other.Secret.Reveal())
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	phone := w.enabledDevice(t, "Ann")
	const nobody = "The user with name Ann cannot be found."
	refused(t, them.GetUser, &iam.GetUserInput{UserName: ptr("Ann")}, 404, "NoSuchEntity", nobody)
	refused(t, them.DeleteUser, &iam.DeleteUserInput{UserName: ptr("Ann")}, 404, "NoSuchEntity", nobody)
	refused(t, them.DeleteAccessKey, &iam.DeleteAccessKeyInput{AccessKeyId: &ann.id}, 404, "NoSuchEntity",
		"The Access Key with id "+ann.id+" cannot be found.")
	refused(t, them.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &phone.serial}, 404,
		"NoSuchEntity", "MFA Device with serial number "+phone.serial+" does not exist.")
	if n := len(must(t, them.ListUsers, &iam.ListUsersInput{}).Users); n != 0 {
		t.Errorf("%d users of another account", n)
	}
	must(t, them.CreateUser, &iam.CreateUserInput{UserName: ptr("ANN")})
	must(t, ann.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
}

// A key that one node has deactivated or deleted fails on the very next request
// to another node.
func TestRevokedOnEveryNode(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := twoNodes(t, cfg(t), service.Config{})
			one.user(t, "Ann")
			ann := one.asUser(t, "Ann")
			annThere := two.as(ann.id, ann.key)
			for _, revoke := range []func(){
				func() {
					must(t, one.root.UpdateAccessKey,
						&iam.UpdateAccessKeyInput{UserName: ptr("Ann"), AccessKeyId: &ann.id, Status: "Inactive"})
				},
				func() {
					must(t, one.root.DeleteAccessKey,
						&iam.DeleteAccessKeyInput{UserName: ptr("Ann"), AccessKeyId: &ann.id})
				},
			} {
				must(t, annThere.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
				revoke()
				refused(t, annThere.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403,
					"InvalidClientTokenId", invalidToken)
				refused(t, ann.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403,
					"InvalidClientTokenId", invalidToken)
				// The other node activates it: it works on both again.
				_, err := two.root.UpdateAccessKey(context.Background(),
					&iam.UpdateAccessKeyInput{UserName: ptr("Ann"), AccessKeyId: &ann.id, Status: "Active"})
				if err != nil && failureOf(err).code != "NoSuchEntity" {
					t.Error(err)
				}
			}
			// A marker of one node is valid on the other.
			one.user(t, "bob")
			page := must(t, one.root.ListUsers, &iam.ListUsersInput{MaxItems: ptr(int32(1))})
			if rest := must(t, two.root.ListUsers, &iam.ListUsersInput{Marker: page.Marker}); len(rest.Users) != 1 ||
				*rest.Users[0].UserName != "bob" {
				t.Errorf("%+v", rest.Users)
			}
		})
	}
}
