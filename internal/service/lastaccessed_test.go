package service_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/servicecatalog"
)

// lastAccessed requests a report on the services that an entity used.
func (w *world) lastAccessed(
	t testing.TB, c clients, arn string, granularity types.AccessAdvisorUsageGranularityType,
) (job *string, out *iam.GetServiceLastAccessedDetailsOutput) {
	t.Helper()
	job = must(t, c.GenerateServiceLastAccessedDetails,
		&iam.GenerateServiceLastAccessedDetailsInput{Arn: &arn, Granularity: granularity}).JobId
	return job, must(t, c.GetServiceLastAccessedDetails, &iam.GetServiceLastAccessedDetailsInput{JobId: job})
}

// services reads all services of a report by their namespaces, in pages.
func (w *world) services(t testing.TB, c clients, job *string, page int32) map[string]types.ServiceLastAccessed {
	t.Helper()
	all := map[string]types.ServiceLastAccessed{}
	in := &iam.GetServiceLastAccessedDetailsInput{JobId: job, MaxItems: &page}
	for {
		out := must(t, c.GetServiceLastAccessedDetails, in)
		for _, s := range out.ServicesLastAccessed {
			if _, twice := all[*s.ServiceNamespace]; twice {
				t.Errorf("%s is listed twice", *s.ServiceNamespace)
			}
			all[*s.ServiceNamespace] = s
		}
		if in.Marker = out.Marker; !out.IsTruncated {
			return all
		}
	}
}

const (
	iamName = "AWS Identity and Access Management"
	stsName = "AWS Security Token Service"
)

// The last call of a user appears in the reports on the user, on its group, and
// on the group's policy, whether the call was allowed or not.
func TestServiceLastAccessed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		w.user(t, "bob")
		must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("devs"), Path: ptr("/x/")})
		for _, name := range []string{"Ann", "bob"} {
			must(t, w.root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: ptr("devs"), UserName: &name})
		}
		const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:List*",` +
			`"S3:GetObject"],"Resource":"*"},{"Effect":"Deny","Action":"ec2:*","Resource":"*"}]}`
		policy := must(t, w.root.CreatePolicy,
			&iam.CreatePolicyInput{PolicyName: ptr("reading"), PolicyDocument: ptr(document)}).Policy
		must(t, w.root.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: ptr("devs"), PolicyArn: policy.Arn})
		ann, bob := w.asUser(t, "Ann"), w.asUser(t, "bob")

		nothing := []types.ServiceLastAccessed{
			{ServiceName: ptr(iamName), ServiceNamespace: ptr("iam"), TotalAuthenticatedEntities: ptr(int32(0))},
			{ServiceName: ptr("Amazon S3"), ServiceNamespace: ptr("s3"), TotalAuthenticatedEntities: ptr(int32(0))},
		}
		_, before := w.lastAccessed(t, w.root, userPath+"/Ann", "")
		same(t, before, &iam.GetServiceLastAccessedDetailsOutput{
			JobStatus: "COMPLETED", JobType: "SERVICE_LEVEL", JobCreationDate: ptr(began),
			JobCompletionDate: ptr(began), ServicesLastAccessed: nothing})

		must(t, ann.ListUsers, &iam.ListUsersInput{})
		w.clock.advance(time.Hour)
		must(t, bob.ListRoles, &iam.ListRolesInput{})
		must(t, bob.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}) // none of their policies gives access to it
		w.clock.advance(time.Hour)
		if got := w.callAs(t, ann, "CreateGroup"); got.code != "AccessDenied" { // an attempt counts
			t.Errorf("%+v", got.failure)
		}
		at := func(hours int, name string, users int32) types.ServiceLastAccessed {
			return types.ServiceLastAccessed{ServiceName: ptr(iamName), ServiceNamespace: ptr("iam"),
				LastAuthenticated:       ptr(began.Add(time.Duration(hours) * time.Hour)),
				LastAuthenticatedEntity: ptr(userPath + "/" + name), LastAuthenticatedRegion: ptr("eu-west-1"),
				TotalAuthenticatedEntities: &users}
		}
		for arn, want := range map[string]types.ServiceLastAccessed{
			userPath + "/ann": func() types.ServiceLastAccessed {
				s := at(2, "Ann", 1)
				s.LastAuthenticatedRegion = ptr("us-east-1") // the region in that call's signature
				return s
			}(),
			userPath + "/bob": at(1, "bob", 1),
			groupPath + "/x/devs": func() types.ServiceLastAccessed {
				s := at(2, "Ann", 2)
				s.LastAuthenticatedRegion = ptr("us-east-1")
				return s
			}(),
			*policy.Arn: func() types.ServiceLastAccessed {
				s := at(2, "Ann", 2)
				s.LastAuthenticatedRegion = ptr("us-east-1")
				return s
			}(),
		} {
			_, out := w.lastAccessed(t, w.root, arn, "SERVICE_LEVEL")
			same(t, out.ServicesLastAccessed, []types.ServiceLastAccessed{want, nothing[1]})
		}

		_, out := w.lastAccessed(t, w.root, userPath+"/Ann", "ACTION_LEVEL")
		used := map[string]types.TrackedActionLastAccessed{}
		for _, a := range out.ServicesLastAccessed[0].TrackedActionsLastAccessed {
			used[*a.ActionName] = a
		}
		same(t, used["ListUsers"],
			types.TrackedActionLastAccessed{ActionName: ptr("ListUsers"), LastAccessedEntity: ptr(userPath + "/Ann"),
				LastAccessedTime: ptr(began), LastAccessedRegion: ptr("eu-west-1")})
		same(t, used["ListRoles"], types.TrackedActionLastAccessed{ActionName: ptr("ListRoles")})
		// Services that no policy gives access to are omitted.
		if _, given := used["GetUser"]; given || len(used) < 30 {
			t.Errorf("%d actions: %v", len(used), given)
		}
		if out.JobType != "ACTION_LEVEL" || out.ServicesLastAccessed[1].TrackedActionsLastAccessed != nil {
			t.Errorf("%s, %d actions, %+v", out.JobType, len(used), out.ServicesLastAccessed[1])
		}

		job, _ := w.lastAccessed(t, w.root, *policy.Arn, "")
		with := &iam.GetServiceLastAccessedDetailsWithEntitiesInput{JobId: job, ServiceNamespace: ptr("iam")}
		entities := must(t, w.root.GetServiceLastAccessedDetailsWithEntities, with)
		var names []string
		for _, e := range entities.EntityDetailsList {
			names = append(names, *e.EntityInfo.Name+" "+e.LastAuthenticated.Sub(began).String())
			if e.EntityInfo.Type != "USER" || *e.EntityInfo.Path != "/" ||
				!strings.HasPrefix(*e.EntityInfo.Id, "AIDA") || *e.EntityInfo.Arn != userPath+"/"+*e.EntityInfo.Name {
				t.Errorf("%+v", e.EntityInfo)
			}
		}
		if want := []string{"Ann 2h0m0s", "bob 1h0m0s"}; !slices.Equal(names, want) ||
			entities.JobStatus != "COMPLETED" {
			t.Errorf("%q, %s", names, entities.JobStatus)
		}
		with.ServiceNamespace = ptr("s3")
		if unused := must(t, w.root.GetServiceLastAccessedDetailsWithEntities, with).EntityDetailsList; len(
			unused) != 2 || unused[0].LastAuthenticated != nil {
			t.Errorf("%+v", unused)
		}
		with.ServiceNamespace = ptr("ec2")
		if none := must(t, w.root.GetServiceLastAccessedDetailsWithEntities, with).EntityDetailsList; none == nil ||
			len(none) > 0 {
			t.Errorf("%+v", none)
		}
	})
}

// The report on a role shows its sessions. Only the caller that asked for a
// report can read it. After 400 days nothing is known.
func TestServiceLastAccessedOfRoles(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + account +
		`"},"Action":"sts:AssumeRole"}}`
	role := must(t, w.root.CreateRole,
		&iam.CreateRoleInput{RoleName: ptr("worker"), Path: ptr("/x/"), AssumeRolePolicyDocument: &trust}).Role
	must(t, w.root.PutRolePolicy,
		&iam.PutRolePolicyInput{RoleName: ptr("worker"), PolicyName: ptr("p"), PolicyDocument: ptr(everything)})
	w.user(t, "Ann")
	w.put(t, "Ann", everything)
	ann := w.asUser(t, "Ann")
	worker := w.assume(t, ann, *role.Arn, "night")
	w.clock.advance(time.Minute)
	must(t, worker.ListUsers, &iam.ListUsersInput{})

	job, out := w.lastAccessed(t, ann, *role.Arn, "")
	// An administrator could use all of AWS. A page has two hundred services.
	if n := len(out.ServicesLastAccessed); n != 200 || !out.IsTruncated {
		t.Errorf("%d services", n)
	}
	all := w.services(t, ann, job, 150)
	if n := len(all); n < 400 {
		t.Errorf("%d services", n)
	}
	same(t, all["iam"], types.ServiceLastAccessed{ServiceName: ptr(iamName), ServiceNamespace: ptr("iam"),
		LastAuthenticated: ptr(began.Add(time.Minute)), LastAuthenticatedEntity: role.Arn,
		LastAuthenticatedRegion:    ptr("eu-west-1"),
		TotalAuthenticatedEntities: ptr(int32(1))})
	same(t, all["sts"], types.ServiceLastAccessed{ServiceName: ptr(stsName), ServiceNamespace: ptr("sts"),
		TotalAuthenticatedEntities: ptr(int32(0))})
	for _, other := range []clients{w.root, worker} {
		refused(t, other.GetServiceLastAccessedDetails, &iam.GetServiceLastAccessedDetailsInput{JobId: job}, 404,
			"NoSuchEntity", "Job "+*job+" does not exist.")
	}
	refused(t, ann.GetServiceLastAccessedDetails, &iam.GetServiceLastAccessedDetailsInput{JobId: ptr(noJob)}, 404,
		"NoSuchEntity", "Job "+noJob+" does not exist.")

	w.clock.advance(401 * 24 * time.Hour)
	later, _ := w.lastAccessed(t, w.root, *role.Arn, "")
	if old := w.services(t, w.root, later, 1000)["iam"]; old.LastAuthenticated != nil ||
		*old.TotalAuthenticatedEntities != 0 {
		t.Errorf("%+v", old)
	}
	refused(t, ann.GetServiceLastAccessedDetails, &iam.GetServiceLastAccessedDetailsInput{JobId: job}, 404,
		"NoSuchEntity", "Job "+*job+" does not exist.")
	// The path is ignored, as on AWS.
	for _, arn := range []string{userPath + "/other/Ann", userPath + "/ANN"} {
		must(t, w.root.GenerateServiceLastAccessedDetails, &iam.GenerateServiceLastAccessedDetailsInput{Arn: &arn})
	}
}

func TestListPoliciesGrantingServiceAccess(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const s3, some, but = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:GetUser"],"Resource":"*",` +
			`"Condition":{"Bool":{"aws:SecureTransport":"true"}}}}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":"s3:*","Resource":"*"}}`
	w.user(t, "Ann")
	must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("Devs")})
	must(t, w.root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: ptr("devs"), UserName: ptr("ann")})
	must(t, w.root.PutUserPolicy,
		&iam.PutUserPolicyInput{UserName: ptr("ann"), PolicyName: ptr("own"), PolicyDocument: ptr(some)})
	must(t, w.root.PutUserPolicy,
		&iam.PutUserPolicyInput{UserName: ptr("ann"), PolicyName: ptr("never"), PolicyDocument: ptr(but)})
	must(t, w.root.PutGroupPolicy,
		&iam.PutGroupPolicyInput{GroupName: ptr("devs"), PolicyName: ptr("a-group"), PolicyDocument: ptr(s3)})
	admin := ptr("arn:aws:iam::aws:policy/AdministratorAccess")
	must(t, w.root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: ptr("ann"), PolicyArn: admin})
	must(t, w.root.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: ptr("devs"), PolicyArn: admin})

	administrator := types.PolicyGrantingServiceAccess{PolicyName: ptr("AdministratorAccess"),
		PolicyType: "MANAGED", PolicyArn: admin}
	own := types.PolicyGrantingServiceAccess{PolicyName: ptr("own"), PolicyType: "INLINE",
		EntityType: "USER", EntityName: ptr("Ann")}
	ofGroup := types.PolicyGrantingServiceAccess{PolicyName: ptr("a-group"), PolicyType: "INLINE",
		EntityType: "GROUP", EntityName: ptr("Devs")}
	same(t, must(t, w.root.ListPoliciesGrantingServiceAccess,
		&iam.ListPoliciesGrantingServiceAccessInput{Arn: ptr(userPath + "/Ann"),
			ServiceNamespaces: []string{"s3", "iam", "ec2"}}),
		&iam.ListPoliciesGrantingServiceAccessOutput{
			PoliciesGrantingServiceAccess: []types.ListPoliciesGrantingServiceAccessEntry{
				{ServiceNamespace: ptr("s3"), Policies: []types.PolicyGrantingServiceAccess{administrator, ofGroup}},
				{ServiceNamespace: ptr("iam"), Policies: []types.PolicyGrantingServiceAccess{administrator, own}},
				{ServiceNamespace: ptr("ec2"), Policies: []types.PolicyGrantingServiceAccess{administrator}},
			}})
	must(t, w.root.DetachGroupPolicy, &iam.DetachGroupPolicyInput{GroupName: ptr("devs"), PolicyArn: admin})
	same(t, must(t, w.root.ListPoliciesGrantingServiceAccess,
		&iam.ListPoliciesGrantingServiceAccessInput{Arn: ptr(groupPath + "/Devs"),
			ServiceNamespaces: []string{"s3", "iam"}}),
		&iam.ListPoliciesGrantingServiceAccessOutput{
			PoliciesGrantingServiceAccess: []types.ListPoliciesGrantingServiceAccessEntry{
				{ServiceNamespace: ptr("s3"), Policies: []types.PolicyGrantingServiceAccess{ofGroup}},
				{ServiceNamespace: ptr("iam"), Policies: []types.PolicyGrantingServiceAccess{}},
			}})

	// Each namespace appears once.
	many := append(servicecatalog.Namespaces()[:150], "iam", "a4b")
	if slices.Contains(many[:150], "iam") {
		t.Fatal("iam is among the first")
	}
	in := &iam.ListPoliciesGrantingServiceAccessInput{Arn: ptr(userPath + "/Ann"), ServiceNamespaces: many}
	out := must(t, w.root.ListPoliciesGrantingServiceAccess, in)
	if n := len(out.PoliciesGrantingServiceAccess); n != 151 || out.IsTruncated {
		t.Errorf("%d services, truncated %t", n, out.IsTruncated)
	}
}
