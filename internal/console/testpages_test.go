package console_test

import (
	"strings"

	"rollcall/internal/console"
)

// visited are the pages of the walk. Each has an address, a person, and a
// preparation that creates content.
var visited = []visited1{
	{path: "/console/sign-in", stranger: true},
	{path: "/console/sign-in", query: "?as=root", stranger: true},
	{path: "/console/nowhere", status: 404},
	{path: "/console/role"},
	{path: "/console/users"},
	{path: "/console/users", query: "?prefix=nobody"},
	{path: "/console/users/new"},
	{path: "/console/user", query: "?name=alice"},
	{path: "/console/user", query: "?name=%3D1%2B1", again: true},
	{path: "/console/user", query: "?name=Carol", again: true},
	{path: "/console/user", query: "?name=nobody", status: 404, again: true},
	{path: "/console/groups"},
	{path: "/console/groups", query: "?path=%2Fnowhere%2F"},
	{path: "/console/groups/new"},
	{path: "/console/group", query: "?name=Admins"},
	{path: "/console/group", query: "?name=Auditors", again: true},
	{path: "/console/group", query: "?name=nobody", status: 404, again: true},
	{path: "/console/policies"},
	{path: "/console/policies", query: "?scope=AWS", again: true},
	{path: "/console/policies", query: "?scope=All&attached=yes", again: true},
	{path: "/console/policies/new"},
	{path: "/console/policy", query: ownQuery},
	{path: "/console/policy", query: "?arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FReadOnlyAccess", again: true},
	{path: "/console/policy/new-version", query: ownQuery},
	{path: "/console/inline-policy", query: "?kind=group&name=Admins"},
	{path: "/console/inline-policy", query: "?kind=group&name=Admins&policy=inline", again: true},
	{path: "/console/roles"},
	{path: "/console/roles/new"},
	{path: "/console/roles/role", query: "?name=Deployer"},
	{path: "/console/roles/role", query: "?name=AWSServiceRoleForSupport", again: true},
	{path: "/console/roles/trust", query: "?name=Deployer"},
	{path: "/console/may"},
	{path: "/console/may", query: "?kind=user&name=alice&action=iam%3ADeleteUser&action=iam%3AGetUser"},
	{path: "/console/may", query: "?kind=role&name=Deployer&action=iam%3AGetUser&resource=" +
		"arn%3Aaws%3Aiam%3A%3A123456789012%3Auser%2Falice&resource=arn%3Aaws%3Aiam%3A%3A123456789012%3Auser%2Fbob",
		again: true},
	{path: "/console/mfa/new"},
	{path: "/console/mfa/new", query: "?name=alice"},
	{path: "/console/my-credentials"},
	{path: "/console/overview"},
	{path: "/console/organization"},
	{path: "/console/findings"},
	{path: "/console/findings", query: "?control=C5"},
	{path: "/console/findings", query: "?control=C99", status: 404, again: true},
	{path: "/console/report"},
	{path: "/console/report", query: "?control=C9&status=FAIL&sort=user&col=arn&col=mfa_active&age=1", again: true},
	{path: "/console/report", query: "?q=nobody+has+this+name", again: true},
	{path: "/console/report/user", query: "?name=alice"},
	{path: "/console/report/history"},
	{path: "/console/report/compare"},
	{path: "/console/report/compare", query: "?old=2001-01-01&new=2002-01-01", status: 404, again: true},
}

// visited1 is one of them.
type visited1 struct {
	path, query string
	stranger    bool // without signing in
	status      int  // 0 means 200
	again       bool // all its parts are on other pages of the walk
}

func (p visited1) name() string {
	return strings.Trim(
		strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-", "%", "").
			Replace(strings.TrimPrefix(p.path, "/console/")+p.query),
		"-",
	)
}

// elsewhere are pages that only redirect, or that have their own tests.
var elsewhere = map[string]string{
	"/v1/authorize":                 "TestConsent",
	"/v1/sessions/confirmation":     "TestRemoteLogin",
	console.Root:                    "goes to the first page",
	"/console/sign-out":             "goes to the first page",
	"/console/created":              "TestShownOnce",
	"/console/report/csv":           "TestReportCSV",
	"/console/findings/plan":        "TestPlan",
	"/console/sign-in/mfa":          "TestSignInWithCode",
	"/console/sign-in/new-password": "TestForcedReset",
}
