package console_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/managedpolicy"
)

// markedLines matches the lines of a page's documents that decided.
var markedLines = regexp.MustCompile(`<li value="(\d+)" class="marked( hit)?">`)

func marked(body string) string {
	var all []string
	for _, found := range markedLines.FindAllStringSubmatch(body, -1) {
		all = append(all, found[1])
	}
	return strings.Join(all, " ")
}

// TestMay asks about a user with policies of her own and of her group, a boundary
// and conditions.
func TestMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.user("alice", "{\n\"Version\": \"2012-10-17\", \"Statement\": [\n"+
		"{\"Effect\": \"Allow\", \"Action\": \"iam:Get*\", \"Resource\": \"*\"},\r\n"+
		"{\"Effect\": \"Allow\", \"Action\": \"s3:*\",\n \"Resource\": \"arn:aws:s3:::ü/*\"},\n"+
		"{\"Effect\": \"Allow\", \"Action\": \"iam:Delete*\", \"Resource\": \"*\",\n"+
		"\"Condition\": {\"IpAddress\": {\"aws:SourceIp\": \"192.0.2.0/24\"}}}]}")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	group, alice, document := aws.String("Ops"), aws.String("alice"), aws.String(everything)
	_, err := w.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: group})
	must(err)
	p := w.signedIn("")
	const ask = "/console/may?kind=user&name=alice&action="
	p.get("/console/may").want(t, http.StatusOK, "Name a user, a group or a role")
	got := p.get(ask + "iam:GetUser")
	got.want(t, http.StatusOK, `badge pass">allowed`, "user_alice_own", "<h1>May alice do iam:GetUser?</h1>")
	if lines := marked(got.body); lines != "3" {
		t.Errorf("the lines %s decided", lines)
	}
	got = p.get(ask + "s3:GetObject&resource=arn:aws:s3:::%C3%BC/a&resource=arn:aws:s3:::b/a")
	got.want(t, http.StatusOK, `badge pass">allowed`, `badge fail">denied`, "No statement allows it.")
	if lines := marked(got.body); lines != "4 5" {
		t.Errorf("the lines %s decided", lines)
	}
	got = p.get(ask + "iam:DeleteUser")
	got.want(t, http.StatusOK, "context keys that have no value", `value="aws:SourceIp"`, `value="ip" selected`)
	given := "&key=aws:SourceIp&type=ip&value="
	p.get(ask+"iam:DeleteUser"+given+"192.0.2.1").want(t, http.StatusOK, `badge pass">allowed`, `value="192.0.2.1"`)
	p.get(ask+"iam:DeleteUser"+given+"198.51.100.1").want(t, http.StatusOK, `badge fail">denied`)
	p.get(ask+"iam:DeleteUser"+given+"x").want(t, http.StatusBadRequest, "expected IP address", `value="x"`)

	p.get(ask+"iam:CreateUser").want(t, http.StatusOK, "No statement allows it.")
	_, err = w.iam.PutGroupPolicy(ctx,
		&iam.PutGroupPolicyInput{GroupName: group, PolicyName: aws.String("all"), PolicyDocument: document})
	must(err)
	_, err = w.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: group, UserName: alice})
	must(err)
	p.get(ask+"iam:CreateUser").want(t, http.StatusOK, `badge pass">allowed`, "group_Ops_all", "kind=group&amp;name=Ops")
	_, err = w.iam.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{
		UserName: alice, PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess"),
	})
	must(err)
	p.get(ask+"iam:CreateUser").want(t, http.StatusOK, `badge fail">denied`, "The permissions boundary does not allow it.")
	p.get(ask+"iam:GetUser").want(t, http.StatusOK, `badge pass">allowed`, "The permissions boundary allows it.")
	must(w.svc.IAM.PutControlPolicy(ctx, account, "guard", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*"}]}`))
	p.get(ask+"iam:ListUsers").want(t, http.StatusOK, `badge fail">denied`,
		"The control policies of the organization do not allow it.")
	p.get("/console/may?kind=user&name=zoe&action=iam:GetUser").want(t, http.StatusNotFound, "Unable to retrieve")
	p.get(ask+"GetUser").want(t, http.StatusBadRequest, `value="GetUser"`)
	p.get("/console/may?kind=x").want(t, http.StatusBadRequest)
	p.get("/console/may?kind=group&name=Ops&action=iam:CreateUser").want(t, http.StatusOK, `badge`)
}

// TestMayOfLargePolicy finds the line of an action among a thousand lines.
func TestMayOfLargePolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", "")
	_, err := w.iam.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{
		UserName: aws.String("alice"), PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess"),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := w.signedIn("").get("/console/may?kind=user&name=alice&action=iam:GetUser")
	got.want(t, http.StatusOK, ` class="marked hit">`, "iam:Get*", "The whole document")
	if lines := len(strings.Fields(marked(got.body))); lines > 20 {
		t.Errorf("%d lines are shown", lines)
	}
	wellMade(t, got, http.StatusOK)
	asked := "/console/may?kind=user&name=alice"
	for i := range 10 {
		asked += fmt.Sprintf("&action=s3:Get*%d&action=iam:GetUser&resource=arn:aws:iam::%s:user/%s%d", i, account,
			strings.Repeat("x", 50), i)
	}
	wellMade(t, w.signedIn("").get(asked), http.StatusBadRequest)
	wellMade(t, w.signedIn("").get(strings.ReplaceAll(asked, "action=s3:", "x=")), http.StatusOK)
}

// TestManyThings pages through groups, members, policies and inline policies.
func TestManyThings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	name := aws.String("Big")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 130 {
		user, group := fmt.Sprintf("u%03d", i), fmt.Sprintf("g%03d", i)
		_, err := w.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &user})
		must(err)
		_, err = w.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group})
		must(err)
		if i == 0 {
			_, err = w.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: name})
			must(err)
		}
		_, err = w.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: name, UserName: &user})
		must(err)
		if i < 60 {
			_, err = w.iam.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{
				GroupName: name, PolicyName: aws.String(fmt.Sprintf("p%03d", i)),
				PolicyDocument: aws.String(`{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`),
			})
			must(err)
		}
		_, err = w.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{
			UserName: &user, PolicyArn: aws.String("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"),
		})
		must(err)
	}
	p := w.signedIn("")
	const (
		view    = "/console/policy?arn=arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
		support = "/console/policy?arn=arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy"
		row     = `<th scope="row"><a href="/console/`
	)
	for _, c := range []struct {
		at, by, text string
		want         int
	}{
		{"/console/groups", "marker", row + "group?name=", 131},
		{"/console/group?name=Big", "members", row + "user?name=", 130},
		{"/console/group?name=Big", "inline", row + "inline-policy?", 60},
		{"/console/policies?scope=AWS", "marker", row + "policy?arn=", len(managedpolicy.All("aws"))},
		{"/console/policies?scope=All&attached=yes", "marker", row + "policy?arn=", 1},
		{view, "holders", row + "user?name=", 130},
		{support, "line", "<li value=", 4267},
	} {
		if found := p.count(t, c.at, c.by, c.text); found != c.want {
			t.Errorf("%s has %d rows, want %d", c.at, found, c.want)
		}
	}
	p.post("/console/group?name=Big", "do", "delete", "typed", "Big").
		want(t, http.StatusConflict, "more than 100 members")
}

// count counts the occurrences of a text on all pages of a list that continues
// at one query parameter.
func (p *person) count(t *testing.T, at, by, text string) int {
	t.Helper()
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`)
	found := 0
	for at != "" {
		got := p.get(at)
		wellMade(t, got, http.StatusOK)
		found += strings.Count(got.body, text)
		was := at
		at = ""
		for _, more := range next.FindAllStringSubmatch(got.body, -1) {
			if to := html.UnescapeString(more[1]); valueOf(t, to, by) != valueOf(t, was, by) {
				at = to // the page may have another list with several pages
			}
		}
	}
	return found
}

// valueOf returns a query parameter of an address.
func valueOf(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get(name)
}
