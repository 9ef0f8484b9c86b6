package console_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// markup is a text that would become an element if a page did not escape it.
const markup = `"><img src=x onerror=alert(1)><script>alert(2)</script>`

// Documents with that text in every place that allows it.
const (
	hostilePolicy = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "One",
      "Effect": "Allow",
      "Action": "iam:GetUser",
      "Resource": "arn:aws:iam::123456789012:user/<img src=x onerror=alert(1)>"
    },
    {
      "Effect": "Deny",
      "Action": ["iam:DeleteUser", "iam:NoSuchAction"],
      "Resource": "*",
      "Condition": {"StringEquals": {"aws:PrincipalTag/<img src=x>": "<script>alert(2)</script>"}}
    }
  ]
}`
	hostileTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},` +
		`"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"<img src=x onerror=alert(1)>"}}}]}`
)

const (
	ownPolicy = "arn:aws:iam::" + account + ":policy/own/Own"
	ownQuery  = "?arn=arn%3Aaws%3Aiam%3A%3A" + account + "%3Apolicy%2Fown%2FOwn"
	ownPage   = "/console/policy" + ownQuery
)

// furnishAccess creates policies and roles in the account, and attaches them to
// its groups and users.
func (w *world) furnishAccess() {
	w.t.Helper()
	ctx, hostile := w.t.Context(), aws.String("/<img/src=x/onerror=alert(1)>/")
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("x @ y : z = +1")}}
	var errs []error
	note := func(err error) { errs = append(errs, err) }
	p, err := w.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: aws.String("Own"), Path: aws.String("/own/"), Description: aws.String(markup), Tags: tags,
		PolicyDocument: aws.String(hostilePolicy),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if *p.Policy.Arn != ownPolicy {
		w.t.Fatalf("the policy is %s", *p.Policy.Arn)
	}
	_, err = w.iam.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
		PolicyArn: p.Policy.Arn, PolicyDocument: aws.String(strings.Replace(hostilePolicy, "One", "Two", 1)),
	})
	note(err)
	_, err = w.iam.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{
		GroupName: aws.String("Admins"), PolicyArn: p.Policy.Arn,
	})
	note(err)
	_, err = w.iam.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{
		GroupName: aws.String("Admins"), PolicyName: aws.String("inline"), PolicyDocument: aws.String(hostilePolicy),
	})
	note(err)
	_, err = w.iam.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String("Deployer"), Path: hostile, Description: aws.String("<img src=x onerror=alert(1)>"), Tags: tags,
		AssumeRolePolicyDocument: aws.String(hostileTrust), PermissionsBoundary: p.Policy.Arn,
	})
	note(err)
	_, err = w.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{
		RoleName: aws.String("Deployer"), PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess"),
	})
	note(err)
	_, err = w.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String("Deployer"), PolicyName: aws.String("inline"), PolicyDocument: aws.String(hostilePolicy),
	})
	note(err)
	_, err = w.iam.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{
		InstanceProfileName: aws.String("Machines"), Path: hostile,
	})
	note(err)
	_, err = w.iam.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{
		InstanceProfileName: aws.String("Machines"), RoleName: aws.String("Deployer"),
	})
	note(err)
	_, err = w.iam.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{
		AWSServiceName: aws.String("support.amazonaws.com"),
	})
	note(err)
	if err := errors.Join(errs...); err != nil {
		w.t.Fatal(err)
	}
}

// TestAccessDenied checks that the controls of groups, policies and roles are
// disabled, with the sentences of the API.
func TestAccessDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.furnish()
	w.user("reader", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:Get*","iam:List*"],
		"Resource":"*"}}`)
	w.user("nobody", "")
	reader, nobody := w.signedIn("reader"), w.signedIn("nobody")
	const denied = "User: arn:aws:iam::" + account + ":user/reader is not authorized to perform: iam:"
	for address, actions := range map[string]string{
		"/console/groups":     "CreateGroup",
		"/console/groups/new": "CreateGroup",
		"/console/group?name=Admins": "AddUserToGroup RemoveUserFromGroup AttachGroupPolicy DetachGroupPolicy " +
			"PutGroupPolicy DeleteGroupPolicy UpdateGroup DeleteGroup",
		"/console/policies":     "CreatePolicy",
		"/console/policies/new": "CreatePolicy",
		ownPage: "CreatePolicyVersion SetDefaultPolicyVersion DeletePolicyVersion AttachUserPolicy AttachRolePolicy " +
			"AttachGroupPolicy DetachGroupPolicy TagPolicy UntagPolicy DeletePolicy",
		"/console/roles":     "CreateRole",
		"/console/roles/new": "CreateRole",
		"/console/roles/role?name=Deployer": "UpdateAssumeRolePolicy AttachRolePolicy DetachRolePolicy PutRolePolicy " +
			"DeleteRolePolicy PutRolePermissionsBoundary DeleteRolePermissionsBoundary TagRole UntagRole UpdateRole DeleteRole",
		"/console/roles/trust?name=Deployer":                          "UpdateAssumeRolePolicy",
		"/console/inline-policy?kind=group&name=Admins&policy=inline": "PutGroupPolicy",
		"/console/may?kind=user&name=alice&action=iam:GetUser":        "SimulatePrincipalPolicy",
		"/console/user?name=alice":                                    "AttachUserPolicy DetachUserPolicy PutUserPolicy",
	} {
		got := reader.get(address)
		for action := range strings.FieldsSeq(actions) {
			got.want(t, http.StatusOK, denied+action)
		}
		for _, do := range offered(got.body) {
			if do != "check" && do != "exit" && do != "sign-out" {
				t.Errorf("%s offers %s", address, do)
			}
		}
		if address != "/console/user?name=alice" {
			got = nobody.get(address)
			if len(offered(got.body)) > 3 || strings.Contains(got.body, "Admins</bdi></a>") {
				t.Errorf("%s shows nobody %v", address, offered(got.body))
			}
		}
	}
	reader.post("/console/group?name=Admins", "do", "add", "user", "reader").
		want(t, http.StatusForbidden, denied+"AddUserToGroup")
	reader.post(ownPage, "do", "delete", "typed", "Own").want(t, http.StatusForbidden, denied)
	nobody.get("/console/groups").want(t, http.StatusOK, "is not authorized to perform: iam:ListGroups")
}

// TestAccessByGET sends the fields of the access forms by GET.
func TestAccessByGET(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.furnish()
	p := w.signedIn("")
	count := func() (n int) {
		t.Helper()
		groups, e1 := w.iam.ListGroups(t.Context(), nil)
		policies, e2 := w.iam.ListPolicies(t.Context(), &iam.ListPoliciesInput{Scope: "Local"})
		roles, e3 := w.iam.ListRoles(t.Context(), nil)
		inline, e4 := w.iam.ListGroupPolicies(t.Context(), &iam.ListGroupPoliciesInput{GroupName: aws.String("Admins")})
		if err := errors.Join(e1, e2, e3, e4); err != nil {
			t.Fatal(err)
		}
		return len(groups.Groups) + len(policies.Policies) + len(roles.Roles) + len(inline.PolicyNames)
	}
	before, document := count(), "&document="+url.QueryEscape(everything)
	for _, do := range []string{
		"/console/groups/new?do=create&name=x", "/console/group?name=Admins&do=delete&typed=Admins",
		"/console/policies/new?do=create&name=x" + document, ownPage + "&do=delete&typed=Own",
		"/console/policy/new-version" + ownQuery + "&do=save" + document,
		"/console/roles/new?do=create&name=x" + document, "/console/roles/role?name=Deployer&do=delete&typed=Deployer",
		"/console/inline-policy?kind=group&name=Admins&do=save&policy=x" + document,
		"/console/group?name=Admins&do=delete-policy&policy=inline&typed=inline",
	} {
		p.get(do)
	}
	if after := count(); after != before {
		t.Errorf("by GET %d things became %d", before, after)
	}
}

// TestAccessOfOtherAccounts opens the policy of another account.
func TestAccessOfOtherAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	w.otherAccount("210987654321", "bob")
	p := w.signedIn("alice")
	for _, address := range []string{
		"/console/policy?arn=arn:aws:iam::210987654321:policy/Theirs", "/console/group?name=Theirs",
		"/console/roles/role?name=Theirs", "/console/may?kind=user&name=bob&action=iam:GetUser",
	} {
		if got := p.get(address); got.status < 400 || got.status > 404 {
			t.Errorf("%s: status %d", address, got.status)
		}
	}
}

// offered returns the changes that a page offers.
func offered(body string) []string {
	var all []string
	for _, part := range strings.Split(body, `name="do" value="`)[1:] {
		do, _, _ := strings.Cut(part, `"`)
		all = append(all, do)
	}
	return all
}

func TestGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("bob", "")
	p := w.signedIn("")
	p.get("/console/groups").want(t, http.StatusOK, "There are no groups yet")
	p.post("/console/groups/new", "do", "create", "name", "Ops", "path", "x").
		want(t, http.StatusBadRequest, `value="Ops"`, "path")
	const page = "/console/group?name=Ops"
	got := p.post("/console/groups/new", "do", "create", "name", "Ops", "path", "/staff/")
	got.want(t, http.StatusOK, "The group is created.", "group/staff/Ops", "No members yet")
	if got.path != page {
		t.Errorf("came to %s", got.path)
	}
	p.get("/console/groups?path=staff").want(t, http.StatusOK, `href="/console/group?name=Ops"`)
	p.get("/console/groups?path=/other/").want(t, http.StatusOK, "No group has a path", "All groups")
	p.post(page, "do", "add", "user", "nobody").want(t, http.StatusNotFound, "cannot be found", `value="nobody"`)
	p.post(page, "do", "add", "user", "bob").want(t, http.StatusOK, `href="/console/user?name=bob"`)
	p.post(page, "do", "attach", "policy", "ReadOnlyAccess").want(t, http.StatusOK, "The policy is attached.")
	p.post(page, "do", "attach", "policy", "NoSuch").want(t, http.StatusNotFound, "policy/NoSuch")
	inline := "/console/inline-policy?kind=group&name=Ops"
	p.post(inline, "do", "save", "policy", "own", "document", everything).
		want(t, http.StatusOK, "The inline policy own is saved.", "policy=own")
	p.post(inline, "do", "save", "policy", "own", "document", everything).want(t, http.StatusConflict, "already")
	p.get(inline+"&policy=own").want(t, http.StatusOK, "allows every action on everything", "<textarea")
	p.post(inline+"&policy=own", "do", "save", "document", strings.Replace(everything, `"*"`, `"iam:*"`, 1)).
		want(t, http.StatusOK, "is saved")
	p.get(inline+"&policy=own").want(t, http.StatusOK, "iam:*")
	p.post(page, "do", "delete-policy", "policy", "own", "typed", "x").want(t, http.StatusBadRequest, "type the name")
	p.post(page, "do", "rename", "newname", "Ops2", "newpath", "/").want(t, http.StatusOK, "The group has the new name")
	const renamed = "/console/group?name=Ops2"
	p.post(renamed, "do", "remove", "user", "bob").want(t, http.StatusOK, "no longer in the group")
	p.post(renamed, "do", "add", "user", "bob").want(t, http.StatusOK, "bob")
	p.post(renamed, "do", "delete", "typed", "Ops").want(t, http.StatusBadRequest, "type the name")
	p.post(renamed, "do", "delete", "typed", "Ops2").want(t, http.StatusOK, "The group Ops2 is deleted.")
	p.get(renamed).want(t, http.StatusNotFound, "cannot be found")
	p.get("/console/group").want(t, http.StatusNotFound)
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("bob", "")
	p := w.signedIn("")
	p.get("/console/policies").want(t, http.StatusOK, "no policies of its own yet")
	const typed = "{\r\n  \"Version\": \"2012-10-17\",\r\n  \"Statement\": [{\r\n    \"Effect\": \"Alow\",\r\n" +
		"    \"Action\": \"iam:GetUser\",\r\n    \"Resource\": \"*\"\r\n  }]\r\n}"
	p.post("/console/policies/new", "do", "create", "name", "Mine", "document", typed).
		want(t, http.StatusBadRequest, "Syntax errors in policy.", "Line 4, column 15", `value="Mine"`, "Alow")
	p.post("/console/policies/new", "do", "check", "name", "Mine", "document", typed).
		want(t, http.StatusOK, "Line 4, column 15")
	good := strings.Replace(typed, "Alow", "Allow", 1)
	p.post("/console/policies/new", "do", "check", "document", strings.Replace(good, "GetUser", "GetUsr", 1)).
		want(t, http.StatusOK, "can be read", "No action iam:GetUsr is known.")
	if out, err := w.iam.ListPolicies(t.Context(), &iam.ListPoliciesInput{Scope: "Local"}); err != nil ||
		len(out.Policies) > 0 {
		t.Fatalf("a check created %v, %v", out, err)
	}
	p.post("/console/policies/new", "do", "create", "name", "Mine", "document", strings.Repeat("x", 40<<10)).
		want(t, http.StatusRequestEntityTooLarge, "longer than any")
	got := p.post("/console/policies/new", "do", "create", "name", "Mine", "description", "d", "document", good)
	got.want(t, http.StatusOK, "The policy is created.", "Attached to nobody", "v1, the default")
	page := "/console/policy?arn=" + url.QueryEscape("arn:aws:iam::"+account+":policy/Mine")
	stored, err := w.iam.GetPolicyVersion(t.Context(), &iam.GetPolicyVersionInput{
		PolicyArn: aws.String("arn:aws:iam::" + account + ":policy/Mine"), VersionId: aws.String("v1"),
	})
	if err != nil || strings.Contains(*stored.PolicyVersion.Document, "%0D") {
		t.Errorf("the document is %v, %v", stored, err)
	}

	edit := strings.Replace(page, "/policy?", "/policy/new-version?", 1)
	p.get(edit+"&from=v1").want(t, http.StatusOK, "iam:GetUser", "<textarea")
	p.post(edit, "do", "save", "document", "{}", "default", "yes").want(t, http.StatusBadRequest, "Line 1, column 1")
	p.post(edit, "do", "save", "document", everything).want(t, http.StatusOK, "is saved, and is not in force")
	p.post(page, "do", "set-default", "version", "v2").want(t, http.StatusOK, "in force now", "v2, the default")
	p.post(page, "do", "delete-version", "version", "v1", "typed", "v2").want(t, http.StatusBadRequest, "type the name")
	p.post(page, "do", "delete-version", "version", "v1", "typed", "v1").want(t, http.StatusOK, "The version is deleted.")
	p.post(page, "do", "attach-user", "user", "bob").want(t, http.StatusOK, "attached", `href="/console/user?name=bob"`)
	p.post(page, "do", "attach-user", "user", "zoe").want(t, http.StatusNotFound, "cannot be found", `value="zoe"`)
	p.post(edit, "do", "save", "document", good, "default", "yes").want(t, http.StatusOK, "v3 is in force now")
	p.post(page, "do", "delete", "typed", "Mine").want(t, http.StatusConflict, "attached to entities")
	p.get(page).want(t, http.StatusOK, ">v2<")
	p.get("/console/policies?attached=yes").want(t, http.StatusOK, "Mine")
	p.post(page, "do", "tag", "key", "team", "value", "red").want(t, http.StatusOK, "The tag is set.", "red")
	p.post(page, "do", "untag", "key", "team").want(t, http.StatusOK, "No tags.")
	p.post(page, "do", "detach", "kind", "user", "holder", "bob").want(t, http.StatusOK, "Attached to nobody")
	p.post(page, "do", "delete", "typed", "Mine").want(t, http.StatusOK, "The policy Mine is deleted.")
	p.get(page).want(t, http.StatusNotFound)
	p.get("/console/policies?scope=AWS&path=/job-function/").
		want(t, http.StatusOK, "/job-function/", "Billing")
	p.get("/console/policies?scope=All&prefix=readonly").want(t, http.StatusOK, "ReadOnlyAccess")
	p.get("/console/policies?prefix=readonly").want(t, http.StatusOK, "No policy is like this.")
	p.get("/console/policies?prefix=%25").want(t, http.StatusOK, "is not the beginning of a policy name")
	p.get("/console/policies?scope=Mine").want(t, http.StatusBadRequest)
	p.get("/console/policy?arn=arn:aws:iam::aws:policy/AdministratorAccess").
		want(t, http.StatusOK, "cannot be changed")
}

func TestRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("bob", "")
	p := w.signedIn("")
	p.get("/console/roles").want(t, http.StatusOK, "There are no roles yet")
	const trust = `{"Version":"2012-10-17","Statement":[` + "\n" +
		`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::` + account + `:user/PERSON"}}]}`
	nobody, bob := strings.Replace(trust, "PERSON", "zoe", 1), strings.Replace(trust, "PERSON", "bob", 1)
	p.post("/console/roles/new", "do", "create", "name", "Ops", "document", nobody).
		want(t, http.StatusBadRequest, "Invalid principal in policy", "Line 2, column")
	p.post("/console/roles/new", "do", "create", "name", "Ops", "document", bob, "seconds", "x").
		want(t, http.StatusBadRequest, "number of seconds")
	got := p.post("/console/roles/new", "do", "create", "name", "Ops", "document", bob, "seconds", "7200",
		"description", "of the night")
	got.want(t, http.StatusOK, "The role is created.", "user/bob", "2 h", "of the night")
	const page = "/console/roles/role?name=Ops"
	if got.path != page {
		t.Errorf("came to %s", got.path)
	}
	p.get("/console/roles").want(t, http.StatusOK, "of the night")
	p.post("/console/roles/trust?name=Ops", "do", "save", "document", nobody).
		want(t, http.StatusBadRequest, "Line 2, column", "user/zoe")
	p.post("/console/roles/trust?name=Ops", "do", "save", "document", strings.Replace(bob, "sts:", "iam:", 1)).
		want(t, http.StatusBadRequest, "Line 2, column 28")
	p.post("/console/roles/trust?name=Ops", "do", "save", "document", strings.Replace(startTrust, "ACCOUNT", account, 1)).
		want(t, http.StatusOK, "The trust policy is saved.")
	p.post(page, "do", "boundary", "boundary", "ReadOnlyAccess").want(t, http.StatusOK, "The boundary is set.")
	p.post(page, "do", "delete-boundary", "typed", "x").want(t, http.StatusBadRequest, "type the name")
	p.post(page, "do", "delete-boundary", "typed", "ReadOnlyAccess").want(t, http.StatusOK, "No boundary")
	p.post(page, "do", "update", "description", "by day", "seconds", "3600").want(t, http.StatusOK, "by day", "1 h")
	p.post(page, "do", "attach", "policy", "AdministratorAccess").want(t, http.StatusOK, "attached")
	p.post(page, "do", "tag", "key", "team", "value", "red").want(t, http.StatusOK, "red")
	p.post(page, "do", "untag", "key", "team").want(t, http.StatusOK, "No tags.")
	p.post("/console/inline-policy?kind=role&name=Ops", "do", "save", "policy", "own", "document", everything).
		want(t, http.StatusOK, "is saved")
	p.post(page, "do", "delete", "typed", "ops").want(t, http.StatusBadRequest, "type the name")
	p.post(page, "do", "delete", "typed", "Ops").want(t, http.StatusOK, "The role Ops is deleted.")
	p.get(page).want(t, http.StatusNotFound)
}

const startTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"ACCOUNT"},` +
	`"Action":"sts:AssumeRole"}]}`

// TestServiceLinkedRole checks that changes reserved for a service are
// disabled.
func TestServiceLinkedRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.furnish()
	p := w.signedIn("")
	const page = "/console/roles/role?name=AWSServiceRoleForSupport"
	got := p.get(page)
	got.want(t, http.StatusOK, "This is a service-linked role.",
		"Cannot perform the operation on the protected role &#39;AWSServiceRoleForSupport&#39;")
	for _, do := range offered(got.body) {
		if do != "update" && do != "delete" && do != "sign-out" {
			t.Errorf("the page offers %s", do)
		}
	}
	p.post(page, "do", "attach", "policy", "ReadOnlyAccess").want(t, http.StatusBadRequest, "only modifiable by AWS")
	p.get("/console/roles/trust?name=AWSServiceRoleForSupport").want(t, http.StatusOK, `aria-disabled="true"`)
	p.post(page, "do", "update", "description", "of AWS").want(t, http.StatusOK, "of AWS")
	p.post(page, "do", "delete", "typed", "AWSServiceRoleForSupport").want(t, http.StatusOK, "is deleted")
}
