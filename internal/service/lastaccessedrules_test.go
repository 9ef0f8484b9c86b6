package service_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/servicecatalog"
)

// A policy is found by its name, and the permission is checked for its own ARN,
// whatever path the caller gives.
func TestServiceLastAccessedPolicyPath(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const arn = policyPath + "/team/Readers"
	must(t, w.root.CreatePolicy, &iam.CreatePolicyInput{
		PolicyName: ptr("Readers"), Path: ptr("/team/"), PolicyDocument: ptr(allowAll),
	})
	w.user(t, "Ann")
	w.put(t, "Ann", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Generate*","Resource":["`+arn+
		`","arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"]}}`)
	ann := w.asUser(t, "Ann")
	for _, given := range []string{
		arn, policyPath + "/Readers", policyPath + "/other/readers",
		"arn:aws:iam::aws:policy/ViewOnlyAccess", "arn:aws:iam::aws:policy/other/ViewOnlyAccess",
	} {
		must(t, ann.GenerateServiceLastAccessedDetails, &iam.GenerateServiceLastAccessedDetailsInput{Arn: &given})
	}
	w.user(t, "Bob")
	given := policyPath + "/Readers"
	w.put(t, "Bob", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Generate*","Resource":"`+given+
		`"}}`)
	_, err := w.asUser(t, "Bob").GenerateServiceLastAccessedDetails(t.Context(),
		&iam.GenerateServiceLastAccessedDetailsInput{Arn: &given})
	if code := failureOf(err).code; code != "AccessDenied" {
		t.Errorf("by permission on an ARN that is not a policy's: %v", err)
	}
	for _, strange := range []string{policyPath + "/team", policyPath + "/Readers/", policyPath + "/ViewOnlyAccess"} {
		in := &iam.GenerateServiceLastAccessedDetailsInput{Arn: &strange}
		refused(t, w.root.GenerateServiceLastAccessedDetails, in, 404, "NoSuchEntity",
			"ARN "+strange+" does not exist.")
	}
}

// The answers about ARNs, jobs, markers and namespaces are recorded.
func TestServiceLastAccessedErrors(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	w.put(t, "Ann", allowAll)
	ann := w.asUser(t, "Ann")
	const other = "arn:aws:iam::999999999999:user/Ann"
	denied := func(arn string) failure {
		return failure{403, "AccessDenied",
			"User: " + rootARN + " is not authorized to perform the operation on " + arn}
	}
	generate := map[string]failure{
		rootARN:        {400, "InvalidInput", "Invalid Entity Arn: " + rootARN + " is not supported."},
		mfaARN + "x":   {400, "InvalidInput", "Invalid Entity Arn: " + mfaARN + "x is not supported."},
		userPath + "/": {400, "InvalidInput", "Invalid Entity Arn: " + userPath + "/ is not supported."},
		"arn:aws:iam::x-without-parts": {400, "InvalidInput",
			"Invalid Entity Arn: arn:aws:iam::x-without-parts does not clearly define entity type and name."},
		policyPath + "/nothing":              {404, "NoSuchEntity", "ARN " + policyPath + "/nothing does not exist."},
		"arn:aws:iam::999999999999:policy/x": denied("arn:aws:iam::999999999999:policy/x"),
		"arn:aws:iam::aws:policy/Nothing": {404, "NoSuchEntity",
			"ARN arn:aws:iam::aws:policy/Nothing does not exist."},
	}
	grants := map[string]failure{
		rootARN: {400, "InvalidInput", "Could not extract entity from ARN : " + rootARN},
		policyPath + "/nothing": {400, "InvalidInput",
			"Invalid Entity Arn: " + policyPath + "/nothing is not supported."},
		mfaARN + "x": {400, "InvalidInput", "Invalid Entity Arn: " + mfaARN + "x is not supported."}, // guess
	}
	for _, want := range []map[string]failure{generate, grants} {
		want[other] = denied(other)
		want["arn:aws:s3::"+account+":user/Ann"] = failure{400, "ValidationError", "Invalid service in ARN"}
		want["arn:aws-cn:iam::"+account+":user/Ann"] = failure{400, "ValidationError", "Invalid ARN partition"}
		for _, kind := range []string{userPath, groupPath, rolePath} {
			want[kind+"/x/nobody"] = failure{404, "NoSuchEntity", "ARN " + kind + "/x/nobody does not exist."}
		}
	}
	for arn, want := range generate {
		refused(t, w.root.GenerateServiceLastAccessedDetails, &iam.GenerateServiceLastAccessedDetailsInput{Arn: &arn},
			want.status, want.code, want.message)
	}
	for arn, want := range grants {
		in := &iam.ListPoliciesGrantingServiceAccessInput{Arn: &arn, ServiceNamespaces: []string{"s3"}}
		refused(t, w.root.ListPoliciesGrantingServiceAccess, in, want.status, want.code, want.message)
	}
	// The path is ignored, as on AWS.
	for _, arn := range []string{userPath + "/other/Ann", userPath + "/ANN"} {
		must(t, w.root.GenerateServiceLastAccessedDetails, &iam.GenerateServiceLastAccessedDetailsInput{Arn: &arn})
	}

	job, _ := w.lastAccessed(t, ann, userPath+"/Ann", "")
	again, _ := w.lastAccessed(t, ann, userPath+"/Ann", "")
	with := func(job *string, namespace string, marker *string) *iam.GetServiceLastAccessedDetailsWithEntitiesInput {
		return &iam.GetServiceLastAccessedDetailsWithEntitiesInput{JobId: job,
			ServiceNamespace: &namespace, Marker: marker}
	}
	refused(t, ann.GetServiceLastAccessedDetailsWithEntities, with(ptr(noJob), "s3", nil), 404, "NoSuchEntity",
		"Job "+noJob+" does not exist.")
	refused(t, ann.GetServiceLastAccessedDetailsWithEntities, with(job, "S3", nil), 400, "InvalidInput",
		"Service namepace S3 is either invalid or unsupported.")
	refused(t, ann.GetServiceLastAccessedDetailsWithEntities, with(job, "s3", ptr("invalid")), 400,
		"ValidationError", "Invalid Marker.")
	page := must(t, ann.GetServiceLastAccessedDetails,
		&iam.GetServiceLastAccessedDetailsInput{JobId: job, MaxItems: ptr(int32(1))})
	const foreign = "The marker passed in the request was invalid."
	refused(t, ann.GetServiceLastAccessedDetails,
		&iam.GetServiceLastAccessedDetailsInput{JobId: again, Marker: page.Marker},
		400, "InvalidInput", foreign)
	refused(t, ann.GetServiceLastAccessedDetailsWithEntities, with(job, "s3", page.Marker),
		400, "InvalidInput", foreign)
	refused(t, ann.GetServiceLastAccessedDetails,
		&iam.GetServiceLastAccessedDetailsInput{JobId: job, Marker: ptr("invalid")},
		400, "ValidationError", "Invalid Marker.")
}

// One error names all unknown namespaces, including those in capitals. All
// namespaces that a request can contain fit into one answer (recorded).
func TestListPoliciesGrantingNamespaces(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ask := func(namespaces ...string) *iam.ListPoliciesGrantingServiceAccessInput {
		return &iam.ListPoliciesGrantingServiceAccessInput{Arn: ptr(userPath + "/Ann"), ServiceNamespaces: namespaces}
	}
	refused(t, w.root.ListPoliciesGrantingServiceAccess, ask("s3", "S3", "no-such_service", "iam", "S3"),
		400, "InvalidInput", "Invalid service namespace: [S3, no-such_service]")
	all := servicecatalog.Namespaces()[:200]
	out := must(t, w.root.ListPoliciesGrantingServiceAccess, ask(all...))
	if n := len(out.PoliciesGrantingServiceAccess); n != len(all) || out.IsTruncated || out.Marker != nil {
		t.Errorf("%d services, truncated %t", n, out.IsTruncated)
	}
}

// Users come before roles, whatever their names (recorded).
func TestLastAccessedUsersFirst(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	shared := &iam.CreatePolicyInput{PolicyName: ptr("shared"), PolicyDocument: ptr(allowAll)}
	policy := *must(t, w.root.CreatePolicy, shared).Policy.Arn
	w.user(t, "zoe")
	w.role(t, "able", trusting("zoe"))
	must(t, w.root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: ptr("zoe"), PolicyArn: &policy})
	must(t, w.root.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: ptr("able"), PolicyArn: &policy})
	job, _ := w.lastAccessed(t, w.root, policy, "")
	got := w.entities(t, w.root, job, "s3", 1)
	if len(got) != 2 || got[0].EntityInfo.Type != types.PolicyOwnerEntityTypeUser {
		t.Errorf("%d entities, the first a %s", len(got), got[0].EntityInfo.Type)
	}
}

// A service whose actions are not known appears if a policy allows it by name
// or allows everything, and nothing denies all of it.
func TestLastAccessedNewerServices(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	const all, newer = `"Resource":"*"`, "s3files"
	const every = `{"Effect":"Allow","Action":"*",` + all + `}`
	for name, test := range map[string]struct {
		statements string
		want       bool
	}{
		"everything":       {every, true}, // recorded
		"by name":          {`{"Effect":"Allow","Action":"s3files:Anything",` + all + `}`, true},
		"all but others":   {`{"Effect":"Allow","NotAction":"s3:*",` + all + `}`, true},
		"all but itself":   {`{"Effect":"Allow","NotAction":"s3files:*",` + all + `}`, false},
		"others":           {`{"Effect":"Allow","Action":"s3:*",` + all + `}`, false},
		"and denied":       {every + `,{"Effect":"Deny","Action":"s3files:*",` + all + `}`, false},
		"denied somewhere": {every + `,{"Effect":"Deny","Action":"s3files:*","Resource":"arn:aws:s3:::a"}`, true},
	} {
		w.put(t, "Ann", `{"Version":"2012-10-17","Statement":[`+test.statements+`]}`)
		job, _ := w.lastAccessed(t, w.root, userPath+"/Ann", "")
		if _, reported := w.services(t, w.root, job, 1000)[newer]; reported != test.want {
			t.Errorf("%s: in the report: %t", name, reported)
		}
		in := &iam.ListPoliciesGrantingServiceAccessInput{Arn: ptr(userPath + "/Ann"),
			ServiceNamespaces: []string{newer}}
		granting := must(t, w.root.ListPoliciesGrantingServiceAccess, in).PoliciesGrantingServiceAccess[0].Policies
		if got := len(granting) > 0; got != test.want {
			t.Errorf("%s: granted: %t", name, got)
		}
	}
}

// A user's other key can read the user's reports. Another session of the same
// role cannot (recorded).
func TestServiceLastAccessedReaders(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	w.put(t, "Ann", allowAll)
	ann, other := w.asUser(t, "Ann"), w.asUser(t, "Ann")
	role := w.role(t, "worker", trusting("Ann"))
	w.putRolePolicy(t, "worker", ptr(allowAll))
	one, two := w.assume(t, ann, role, "night"), w.assume(t, ann, role, "night")
	job, _ := w.lastAccessed(t, ann, userPath+"/Ann", "")
	must(t, other.GetServiceLastAccessedDetails, &iam.GetServiceLastAccessedDetailsInput{JobId: job})
	job, _ = w.lastAccessed(t, one, userPath+"/Ann", "")
	for _, c := range []clients{two, ann, w.root} {
		refused(t, c.GetServiceLastAccessedDetails,
			&iam.GetServiceLastAccessedDetailsInput{JobId: job}, 404, "NoSuchEntity",
			"Job "+*job+" does not exist.")
	}
}

// The listed services and policies are recorded, except those with a comment.
func TestServicesGranted(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	allow := func(more string) string { return `{"Effect":"Allow",` + more + `}` }
	deny := func(more string) string { return `{"Effect":"Deny",` + more + `}` }
	const get, object = `"Action":"s3:GetObject",`, `"Resource":"arn:aws:s3:::a/*"`
	for name, test := range map[string]struct {
		statements string
		report     []string
		grants     bool // whether it is listed for s3
	}{
		"allow":     {allow(get + `"Resource":"*"`), []string{"s3"}, true},
		"deny only": {deny(`"Action":"s3:*","Resource":"*"`), nil, false},
		"allow and deny": {allow(get+`"Resource":"*"`) + "," + deny(`"Action":"s3:*","Resource":"*"`), nil,
			false},
		// guess
		"allow and deny all": {allow(get+`"Resource":"*"`) + "," + deny(`"Action":"*","Resource":"*"`), nil,
			false},
		"deny of another action": {allow(get+`"Resource":"*"`) + "," + deny(`"Action":"s3:PutObject","Resource":"*"`),
			[]string{"s3"}, true},
		"deny of the action": {allow(get+`"Resource":"*"`) + "," + deny(get+`"Resource":"*"`), nil, true},
		// guess
		"deny of all but": {allow(get+`"Resource":"*"`) + "," + deny(`"NotAction":"s3:*","Resource":"*"`),
			[]string{"s3"}, true},
		"conditional deny": {allow(get+`"Resource":"*"`) + "," +
			deny(`"Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:username":"x"}}`), []string{"s3"},
			true},
		"deny somewhere": {allow(get+`"Resource":"*"`) + "," +
			deny(`"Action":"s3:*","Resource":"arn:aws:s3:::a/*"`), []string{"s3"}, true},
		"deny of the same":        {allow(get+object) + "," + deny(`"Action":"s3:*",`+object), nil, true},
		"deny of the action here": {allow(get+object) + "," + deny(get+object), nil, true},
		"deny elsewhere": {allow(get+object) + "," + deny(`"Action":"s3:*","Resource":"arn:aws:s3:::b/*"`),
			[]string{"s3"}, true},
		"deny of all buckets": {allow(get+object) + "," + deny(`"Action":"s3:*","Resource":"arn:aws:s3:::*"`),
			nil, true}, // report guessed
		"deny of one character": {allow(get+object) + "," + deny(`"Action":"s3:*","Resource":"arn:aws:s3:::a/?"`),
			[]string{"s3"}, true}, // guess
		"deny of one of two": {allow(get+`"Resource":["arn:aws:s3:::a/*","arn:aws:s3:::b/*"]`) + "," + deny(get+object),
			[]string{"s3"}, true}, // guess
		"deny of all but another": {allow(get+object) + "," + deny(get+`"NotResource":"arn:aws:s3:::b/*"`),
			[]string{"s3"}, true}, // report guessed
		"condition": {allow(get + `"Resource":"*","Condition":{"StringEquals":{"aws:username":"x"}}`),
			[]string{"s3"}, true},
		"foreign resource": {allow(get + `"Resource":"arn:aws:iam::` + account + `:user/x"`), nil, false},
		// guess
		"own and foreign": {allow(get + `"Resource":["arn:aws:iam::` + account + `:user/x","arn:aws:s3:::a"]`),
			nil, true},
		"bucket": {allow(get + `"Resource":"arn:aws:s3:::a"`), nil, true},
		// guess
		"bucket of any name": {allow(get + `"Resource":"arn:aws:s3:::a*"`), []string{"s3"}, true},
		// guess
		"variable":                {allow(get + `"Resource":"arn:aws:s3:::${aws:username}/*"`), []string{"s3"}, true},
		"every resource but all":  {allow(get + `"NotResource":"*"`), nil, false},
		"every resource but some": {allow(get + `"NotResource":"arn:aws:s3:::a/*"`), []string{"s3"}, true},
		"unknown action":          {allow(`"Action":"s3:NoSuchAction","Resource":"*"`), nil, true},
		// guess
		"unknown action, foreign": {
			allow(`"Action":"s3:NoSuchAction","Resource":"arn:aws:iam::` + account + `:user/x"`), nil, false},
		// guess
		"action on all alone": {allow(`"Action":"s3:ListAllMyBuckets","Resource":"arn:aws:s3:::a"`), nil, false},
		"wildcard":            {allow(`"Action":"s3:Get*","Resource":"*"`), []string{"s3"}, true},
		"pass role":           {allow(`"Action":"iam:PassRole","Resource":"*"`), []string{"iam"}, false},
		"case":                {allow(`"Action":"S3:getobject","Resource":"*"`), []string{"s3"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w.put(t, "Ann", `{"Version":"2012-10-17","Statement":[`+test.statements+`]}`)
			job, _ := w.lastAccessed(t, w.root, userPath+"/Ann", "")
			var got []string
			for namespace := range w.services(t, w.root, job, 1000) {
				got = append(got, namespace)
			}
			if slices.Sort(got); !slices.Equal(got, test.report) {
				t.Errorf("the report has %q, want %q", got, test.report)
			}
			in := &iam.ListPoliciesGrantingServiceAccessInput{Arn: ptr(userPath + "/Ann"),
				ServiceNamespaces: []string{"s3"}}
			policies := must(t, w.root.ListPoliciesGrantingServiceAccess, in).PoliciesGrantingServiceAccess[0].Policies
			if granted := len(policies) > 0; granted != test.grants {
				t.Errorf("granted by %v", policies)
			}
		})
	}
}

// Entities have the names that they have when a page is read, and deleted ones
// are omitted (recorded). Pages lose no other entity.
func TestLastAccessedEntitiesByNow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("devs")})
		must(t, w.root.PutGroupPolicy,
			&iam.PutGroupPolicyInput{GroupName: ptr("devs"), PolicyName: ptr("p"), PolicyDocument: ptr(allowAll)})
		for i := range 6 {
			w.user(t, fmt.Sprint("u", i))
			must(t, w.root.AddUserToGroup,
				&iam.AddUserToGroupInput{GroupName: ptr("devs"), UserName: ptr(fmt.Sprint("u", i))})
		}
		last := w.asUser(t, "u4")
		w.clock.advance(time.Minute)
		must(t, last.ListUsers, &iam.ListUsersInput{})
		job, _ := w.lastAccessed(t, w.root, groupPath+"/devs", "")
		must(t, w.root.UpdateUser,
			&iam.UpdateUserInput{UserName: ptr("u1"), NewUserName: ptr("new"), NewPath: ptr("/x/")})
		for _, name := range []string{"u0", "u3"} {
			must(t, w.root.RemoveUserFromGroup, &iam.RemoveUserFromGroupInput{GroupName: ptr("devs"), UserName: &name})
			must(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: &name})
		}
		for namespace, want := range map[string][]string{
			"iam": {"user/u4", "user/x/new", "user/u2", "user/u5"},
			"s3":  {"user/x/new", "user/u2", "user/u4", "user/u5"},
		} {
			for page := int32(1); page < 8; page++ {
				got := w.entities(t, w.root, job, namespace, page)
				for i := range want {
					if i >= len(got) || *got[i].EntityInfo.Arn != "arn:aws:iam::"+account+":"+want[i] {
						t.Fatalf("%s in pages of %d: %d entities", namespace, page, len(got))
					}
				}
				if used := got[0].LastAuthenticated; (namespace == "iam") != (used != nil &&
					used.Equal(began.Add(time.Minute))) {
					t.Errorf("%s: %v", namespace, used)
				}
			}
		}
	})
}

// entities reads all entities of a report, in pages.
func (w *world) entities(
	t testing.TB, c clients, job *string, namespace string, page int32,
) (all []types.EntityDetails) {
	t.Helper()
	in := &iam.GetServiceLastAccessedDetailsWithEntitiesInput{JobId: job, ServiceNamespace: &namespace, MaxItems: &page}
	for {
		out := must(t, c.GetServiceLastAccessedDetailsWithEntities, in)
		all = append(all, out.EntityDetailsList...)
		if in.Marker = out.Marker; !out.IsTruncated {
			return all
		}
	}
}
