package identity_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/store"
)

const (
	allowAll      = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// policies holds the actions on the policies of one kind of entity, in a common
// form.
type policies struct {
	kind                    string
	put                     func(entity, name, document string) error
	get                     func(entity, name string) (written, policy, document string, err error)
	remove                  func(entity, name string) error
	list                    func(entity string) ([]string, error)
	attach, detach          func(entity, arn string) error
	attached                func(entity, prefix string) ([]string, error)
	inlineSize              int
	attachedQuota, notFound string
}

// entities creates a user, a group and a role, each with the name Worker, and
// returns the actions on their policies.
func (w *world) entities(t testing.TB) []policies {
	t.Helper()
	w.user(t, "Worker")
	w.group(t, "Worker")
	w.newRole(t, "Worker")
	root := w.root
	return []policies{{
		kind: "user", inlineSize: 2048, attachedQuota: "PoliciesPerUser",
		notFound: "The user with name nobody cannot be found.",
		put: func(e, n, d string) error {
			_, err := call(root, w.PutUserPolicy,
				&iam.PutUserPolicyInput{UserName: &e, PolicyName: &n, PolicyDocument: &d})
			return err
		},
		get: func(e, n string) (string, string, string, error) {
			out, err := call(root, w.GetUserPolicy, &iam.GetUserPolicyInput{UserName: &e, PolicyName: &n})
			if err != nil {
				return "", "", "", err
			}
			return *out.UserName, *out.PolicyName, *out.PolicyDocument, nil
		},
		remove: func(e, n string) error {
			_, err := call(root, w.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: &e, PolicyName: &n})
			return err
		},
		list: func(e string) ([]string, error) {
			out, err := call(root, w.ListUserPolicies, &iam.ListUserPoliciesInput{UserName: &e})
			if err != nil {
				return nil, err
			}
			return out.PolicyNames, nil
		},
		attach: func(e, arn string) error {
			_, err := call(root, w.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: &e, PolicyArn: &arn})
			return err
		},
		detach: func(e, arn string) error {
			_, err := call(root, w.DetachUserPolicy, &iam.DetachUserPolicyInput{UserName: &e, PolicyArn: &arn})
			return err
		},
		attached: func(e, prefix string) ([]string, error) {
			out, err := call(root, w.ListAttachedUserPolicies,
				&iam.ListAttachedUserPoliciesInput{UserName: &e, PathPrefix: &prefix})
			if err != nil {
				return nil, err
			}
			return attachedNames(out.AttachedPolicies), nil
		},
	}, {
		kind: "group", inlineSize: 5120, attachedQuota: "PoliciesPerGroup",
		notFound: "The group with name nobody cannot be found.",
		put: func(e, n, d string) error {
			_, err := call(root, w.PutGroupPolicy,
				&iam.PutGroupPolicyInput{GroupName: &e, PolicyName: &n, PolicyDocument: &d})
			return err
		},
		get: func(e, n string) (string, string, string, error) {
			out, err := call(root, w.GetGroupPolicy, &iam.GetGroupPolicyInput{GroupName: &e, PolicyName: &n})
			if err != nil {
				return "", "", "", err
			}
			return *out.GroupName, *out.PolicyName, *out.PolicyDocument, nil
		},
		remove: func(e, n string) error {
			_, err := call(root, w.DeleteGroupPolicy, &iam.DeleteGroupPolicyInput{GroupName: &e, PolicyName: &n})
			return err
		},
		list: func(e string) ([]string, error) {
			out, err := call(root, w.ListGroupPolicies, &iam.ListGroupPoliciesInput{GroupName: &e})
			if err != nil {
				return nil, err
			}
			return out.PolicyNames, nil
		},
		attach: func(e, arn string) error {
			_, err := call(root, w.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: &e, PolicyArn: &arn})
			return err
		},
		detach: func(e, arn string) error {
			_, err := call(root, w.DetachGroupPolicy, &iam.DetachGroupPolicyInput{GroupName: &e, PolicyArn: &arn})
			return err
		},
		attached: func(e, prefix string) ([]string, error) {
			out, err := call(root, w.ListAttachedGroupPolicies,
				&iam.ListAttachedGroupPoliciesInput{GroupName: &e, PathPrefix: &prefix})
			if err != nil {
				return nil, err
			}
			return attachedNames(out.AttachedPolicies), nil
		},
	}, {
		kind: "role", inlineSize: 10240, attachedQuota: "PoliciesPerRole",
		notFound: "The role with name nobody cannot be found.",
		put: func(e, n, d string) error {
			_, err := call(root, w.PutRolePolicy,
				&iam.PutRolePolicyInput{RoleName: &e, PolicyName: &n, PolicyDocument: &d})
			return err
		},
		get: func(e, n string) (string, string, string, error) {
			out, err := call(root, w.GetRolePolicy, &iam.GetRolePolicyInput{RoleName: &e, PolicyName: &n})
			if err != nil {
				return "", "", "", err
			}
			return *out.RoleName, *out.PolicyName, *out.PolicyDocument, nil
		},
		remove: func(e, n string) error {
			_, err := call(root, w.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: &e, PolicyName: &n})
			return err
		},
		list: func(e string) ([]string, error) {
			out, err := call(root, w.ListRolePolicies, &iam.ListRolePoliciesInput{RoleName: &e})
			if err != nil {
				return nil, err
			}
			return out.PolicyNames, nil
		},
		attach: func(e, arn string) error {
			_, err := call(root, w.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: &e, PolicyArn: &arn})
			return err
		},
		detach: func(e, arn string) error {
			_, err := call(root, w.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: &e, PolicyArn: &arn})
			return err
		},
		attached: func(e, prefix string) ([]string, error) {
			out, err := call(root, w.ListAttachedRolePolicies,
				&iam.ListAttachedRolePoliciesInput{RoleName: &e, PathPrefix: &prefix})
			if err != nil {
				return nil, err
			}
			return attachedNames(out.AttachedPolicies), nil
		},
	}}
}

// newRole creates a role that EC2 may assume.
func (w *world) newRole(t testing.TB, name string) {
	t.Helper()
	must(t, w.root, w.CreateRole, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: ptr(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},` +
			`"Action":"sts:AssumeRole"}}`)})
}

// done fails the test on an error of a call that has to succeed.
func done(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestInlinePolicy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, p := range w.entities(t) {
			t.Run(p.kind, func(t *testing.T) {
				names, err := p.list("worker")
				if err != nil || names == nil || len(names) != 0 {
					t.Errorf("%v %v", names, err)
				}
				document := "{ \"Version\": \"2012-10-17\",\n" +
					"\t\"Statement\": {\"Effect\":\"Allow\",\"Action\":\"s3:*\"," +
					"\"Resource\":\"arn:aws:s3:::a+b/~%2F\"} }"
				done(t, p.put("WORKER", "b", allowAll))
				done(t, p.put("worker", "A", document))
				if names, err = p.list("worker"); err != nil || !slices.Equal(names, []string{"A", "b"}) {
					t.Errorf("%q %v", names, err)
				}
				written, name, got, err := p.get("worker", "A")
				if err != nil || written != "Worker" || name != "A" {
					t.Errorf("%q %q %v", written, name, err)
				}
				if text, err := url.PathUnescape(got); text != document || err != nil ||
					strings.ContainsAny(got, " +{\"\n/:") {
					t.Errorf("%s %v", got, err)
				}
				done(t, p.put("worker", "A", allowAll))
				if _, _, got, err = p.get("worker",
					"A"); got != "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A"+
					"%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D" {
					t.Errorf("%s %v", got, err)
				}
				done(t, p.remove("worker", "A"))
				gone := fmt.Sprintf("The %s policy with name A cannot be found.", p.kind)
				_, _, _, err = p.get("worker", "A")
				wantRefusal(t, err, 404, "NoSuchEntity", gone)
				wantRefusal(t, p.remove("worker", "A"), 404, "NoSuchEntity", gone)

				wantRefusal(t, p.put("nobody", "x", allowAll), 404, "NoSuchEntity", p.notFound)
				_, _, _, err = p.get("nobody", "x")
				wantRefusal(t, err, 404, "NoSuchEntity", p.notFound)
				wantRefusal(t, p.remove("nobody", "x"), 404, "NoSuchEntity", p.notFound)
				_, err = p.list("nobody")
				wantRefusal(t, err, 404, "NoSuchEntity", p.notFound)
				wantRefusal(t, p.put("worker", "x", "{}"), 400, "MalformedPolicyDocument", "Syntax errors in policy.")
			})
		}
	})
}

// Names that differ only in case are the same name, for users, groups and roles
// (recorded). Lists keep the first spelling. An answer has the spelling of the
// request.
func TestInlinePolicyNamesWithoutCase(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, p := range w.entities(t) {
			t.Run(p.kind, func(t *testing.T) {
				const deny = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`
				done(t, p.put("worker", "Bounds_x@", allowAll))
				done(t, p.put("worker", "BOUNDS_X@", deny))
				done(t, p.put("worker", "bounds_y@", allowAll))
				if names, err := p.list("worker"); err != nil ||
					!slices.Equal(names, []string{"Bounds_x@", "bounds_y@"}) {
					t.Errorf("%q %v", names, err)
				}
				for _, asked := range []string{"Bounds_x@", "bounds_X@"} {
					_, name, got, err := p.get("worker", asked)
					if text, _ := url.PathUnescape(got); name != asked || text != deny || err != nil {
						t.Errorf("%s: %s %s %v", asked, name, text, err)
					}
				}
				done(t, p.remove("worker", "bOUNDS_x@"))
				if names, err := p.list("worker"); err != nil || !slices.Equal(names, []string{"bounds_y@"}) {
					t.Errorf("%q %v", names, err)
				}
				wantRefusal(t, p.remove("worker", "Bounds_x@"), 404, "NoSuchEntity",
					"The "+p.kind+" policy with name Bounds_x@ cannot be found.")
			})
		}
	})
}

// padded returns a policy of a size that the quota counts, plus white space
// that it does not count.
func padded(size int) string {
	const head, tail = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",` +
		`"Resource":"arn:aws:s3:::`, `"}}`
	return "  \n" + head + strings.Repeat("a", size-len(head)-len(tail)) + tail + "\t"
}

// The inline policies of an entity share one quota.
func TestInlinePolicySize(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, p := range w.entities(t) {
			t.Run(p.kind, func(t *testing.T) {
				done(t, p.put("worker", "one", padded(p.inlineSize-200)))
				done(t, p.put("worker", "two", padded(200)))
				text := fmt.Sprintf("Maximum policy size of %d bytes exceeded for %s Worker", p.inlineSize, p.kind)
				wantRefusal(t, p.put("worker", "two", padded(201)), 409, "LimitExceeded", text)
				wantRefusal(t, p.put("worker", "three", allowAll), 409, "LimitExceeded", text)
				done(t, p.put("worker", "two", padded(199)))
				done(t, p.remove("worker", "two"))
				done(t, p.put("worker", "three", padded(200)))
			})
		}
	})
}

// The policies of AWS's own roles can be read but not changed.
func TestPoliciesOfServiceLinkedRoles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.entities(t)[2]
		done(t, p.put("worker", "p", allowAll))
		done(t, p.attach("worker", administrator))
		linked := store.Role{Account: account, NameKey: "awsroleforx", Name: "AWSRoleForX",
			Path: "/aws-service-role/x.amazonaws.com/", Service: "x.amazonaws.com", Created: began}
		done(t, w.db.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertRole(linked) }))
		const text = "Cannot perform the operation on the protected role 'AWSRoleForX' - this role is only " +
			"modifiable by AWS"
		for _, err := range []error{
			p.put("awsroleforx", "p", allowAll), p.remove("awsroleforx", "p"), p.attach("awsroleforx", administrator),
			p.detach("awsroleforx", administrator),
		} {
			wantRefusal(t, err, 400, "UnmodifiableEntity", text)
		}
		if _, err := p.list("awsroleforx"); err != nil {
			t.Error(err)
		}
		if _, err := p.attached("awsroleforx", "/"); err != nil {
			t.Error(err)
		}
	})
}
