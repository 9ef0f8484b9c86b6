package service_test

import (
	"net/url"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awsmodel"
	"rollcall/internal/sigv4/sigv4test"
)

// A caller that is not a user must name one, whatever the action. All actions that
// allow to omit the name give the same answer (recorded for DeleteAccessKey).
func TestUserNameOfNonUsers(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	w.putUserPolicy(t, "Ann", ptr(allowAll))
	arn := w.role(t, "worker", trusting("Ann"))
	w.putRolePolicy(t, "worker", ptr(allowAll))
	given, err := w.assume(t, ann, arn, "night").Options().Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := sigv4test.Credentials{AccessKeyID: given.AccessKeyID, SecretAccessKey: given.SecretAccessKey,
		SessionToken: given.SessionToken}
	served := w.API.Actions()
	count := 0
	for _, op := range awsmodel.Operations("iam") {
		if op.Input == nil || !served[op.Name] || !slices.ContainsFunc(op.Input.Members, func(m awsmodel.Member) bool {
			return m.Name == "UserName" && !m.Required
		}) {
			continue
		}
		count++
		params, err := url.ParseQuery(everyAction[op.Name].params)
		if err != nil {
			t.Fatal(err)
		}
		params.Del("UserName")
		body := call(op.Name, params.Encode())
		r := w.post(t, "/", body)
		sigv4test.Sign(r, []byte(body), by, "us-east-1", "iam", w.clock.Now())
		wants(t, send(t, r), 400, "ValidationError", "Must specify userName when calling with non-User credentials")
	}
	if count < 10 {
		t.Errorf("%d actions", count)
	}
	// A user who omits the name acts on itself.
	must(t, ann.DeleteAccessKey, &iam.DeleteAccessKeyInput{AccessKeyId: &ann.id})
}

// Entities are found by their kind and name, whatever path an ARN has. The
// permission is checked for the entity that is found (recorded).
func TestEntitiesByKindAndName(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	path := ptr("/a/b/")
	must(t, w.root.CreateUser, &iam.CreateUserInput{UserName: ptr("Ann"), Path: path})
	must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("Ann"), Path: path})
	must(t, w.root.CreateRole,
		&iam.CreateRoleInput{RoleName: ptr("Ann"), Path: path, AssumeRolePolicyDocument: ptr(trustsEC2)})
	w.user(t, "caller")
	caller := w.asUser(t, "caller")
	for _, kind := range []string{"user", "group", "role"} {
		of := "arn:aws:iam::" + account + ":" + kind
		asks := map[string]func(arn string) error{
			"GetContextKeysForPrincipalPolicy": func(arn string) error {
				return failed(caller.GetContextKeysForPrincipalPolicy(t.Context(),
					&iam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: &arn}))
			},
			"SimulatePrincipalPolicy": func(arn string) error {
				return failed(caller.SimulatePrincipalPolicy(t.Context(),
					&iam.SimulatePrincipalPolicyInput{PolicySourceArn: &arn, ActionNames: []string{"s3:GetObject"}}))
			},
			"GenerateServiceLastAccessedDetails": func(arn string) error {
				return failed(caller.GenerateServiceLastAccessedDetails(t.Context(),
					&iam.GenerateServiceLastAccessedDetailsInput{Arn: &arn}))
			},
			"ListPoliciesGrantingServiceAccess": func(arn string) error {
				return failed(caller.ListPoliciesGrantingServiceAccess(t.Context(),
					&iam.ListPoliciesGrantingServiceAccessInput{Arn: &arn, ServiceNamespaces: []string{"s3"}}))
			},
		}
		for name, ask := range asks {
			for _, given := range []string{"/a/b/Ann", "/Ann", "/elsewhere/ANN"} {
				w.putUserPolicy(t, "caller",
					ptr(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"`+of+
						`/a/b/Ann"}}`))
				if err := ask(of + given); err != nil {
					t.Errorf("%s %s: %v", name, of+given, err)
				}
				w.putUserPolicy(t, "caller", ptr(`{"Version":"2012-10-17","Statement":[
					{"Effect":"Allow","Action":"iam:*","Resource":["`+of+`/Ann","`+of+`/elsewhere/*"]}]}`))
				if err := ask(of + given); failureOf(err).code != "AccessDenied" {
					t.Errorf("%s %s, by a permission on that path: %v", name, of+given, err)
				}
			}
		}
	}
}
