package identity_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
)

const (
	roleARN = "arn:aws:iam::" + account + ":role"
	userARN = "arn:aws:iam::" + account + ":user"
)

// trust returns a trust policy with one statement that names principals.
func trust(principals string) *string {
	return ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principals +
		`,"Action":"sts:AssumeRole"}]}`)
}

var trustEC2 = trust(`{"Service":"ec2.amazonaws.com"}`)

func (w *world) role(t testing.TB, name string, tags ...types.Tag) *types.Role {
	t.Helper()
	return must(t, w.root, w.CreateRole,
		&iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: trustEC2, Tags: tags}).Role
}

func (w *world) getRole(t testing.TB, name string) *types.Role {
	t.Helper()
	return must(t, w.root, w.GetRole, &iam.GetRoleInput{RoleName: &name}).Role
}

func TestRoles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		made := must(t, w.root, w.CreateRole, &iam.CreateRoleInput{
			RoleName: ptr("Worker"), Path: ptr("/night/"), AssumeRolePolicyDocument: ptr(" " + *trustEC2 + "\n"),
			Description: ptr("works at night"), MaxSessionDuration: ptr(int32(7200)),
			Tags: []types.Tag{{Key: ptr("Team"), Value: ptr("ops")}},
		}).Role
		if len(*made.RoleId) != 21 || !strings.HasPrefix(*made.RoleId, "AROA") {
			t.Errorf("id %q", *made.RoleId)
		}
		if text, err := url.PathUnescape(*made.AssumeRolePolicyDocument); err != nil || text != " "+*trustEC2+"\n" ||
			strings.Trim(*made.AssumeRolePolicyDocument,
				"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%-._~") != "" {
			t.Errorf("trust policy %q", *made.AssumeRolePolicyDocument)
		}
		// The form of a role in the three answers is recorded.
		want := types.Role{
			Arn: ptr(roleARN + "/night/Worker"), RoleName: ptr("Worker"), Path: ptr("/night/"),
			RoleId: made.RoleId, CreateDate: &began,
			AssumeRolePolicyDocument: made.AssumeRolePolicyDocument,
			Tags:                     []types.Tag{{Key: ptr("Team"), Value: ptr("ops")}},
		}
		sameRole(t, *made, want)
		// without the blanks
		want.AssumeRolePolicyDocument = ptr(strings.ReplaceAll(url.QueryEscape(*trustEC2), "+", "%20"))
		want.Description, want.MaxSessionDuration, want.RoleLastUsed = ptr("works at night"),
			ptr(int32(7200)), &types.RoleLastUsed{}
		sameRole(t, *w.getRole(t, "WORKER"), want)
		want.Tags, want.RoleLastUsed = nil, nil
		listed := must(t, w.root, w.ListRoles, &iam.ListRolesInput{})
		if listed.IsTruncated || len(listed.Roles) != 1 {
			t.Fatalf("%+v", listed)
		}
		sameRole(t, listed.Roles[0], want)

		refused(t, w.root, w.CreateRole,
			&iam.CreateRoleInput{RoleName: ptr("worker"), AssumeRolePolicyDocument: trustEC2}, 409,
			"EntityAlreadyExists", "Role with name worker already exists.")
		must(t, w.root, w.UpdateRole, &iam.UpdateRoleInput{RoleName: ptr("worker")})
		if r := w.getRole(t, "worker"); *r.Description != "works at night" || *r.MaxSessionDuration != 7200 {
			t.Errorf("after an update of nothing: %v %v", *r.Description, *r.MaxSessionDuration)
		}
		changed := must(t, w.root, w.UpdateRoleDescription,
			&iam.UpdateRoleDescriptionInput{RoleName: ptr("worker"), Description: ptr("works")})
		want.Description, want.MaxSessionDuration = ptr("works"), nil
		sameRole(t, *changed.Role, want)
		must(t, w.root, w.UpdateRole,
			&iam.UpdateRoleInput{RoleName: ptr("worker"), Description: ptr(""), MaxSessionDuration: ptr(int32(43200))})
		if r := w.getRole(t, "Worker"); r.Description != nil || *r.MaxSessionDuration != 43200 {
			t.Errorf("%v %v", r.Description, *r.MaxSessionDuration)
		}
		must(t, w.root, w.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("wORKER")})
		const gone = "The role with name Worker cannot be found."
		refused(t, w.root, w.GetRole, &iam.GetRoleInput{RoleName: ptr("Worker")}, 404, "NoSuchEntity", gone)
		refused(t, w.root, w.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("Worker")}, 404, "NoSuchEntity", gone)
		refused(t, w.root, w.UpdateRole, &iam.UpdateRoleInput{RoleName: ptr("Worker")}, 404, "NoSuchEntity", gone)
		refused(t, w.root, w.UpdateRoleDescription,
			&iam.UpdateRoleDescriptionInput{RoleName: ptr("Worker"), Description: ptr("")}, 404, "NoSuchEntity", gone)
		refused(t, w.root, w.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("Worker"), PolicyDocument: trustEC2},
			404, "NoSuchEntity", gone)
	})
}

func sameRole(t testing.TB, got, want types.Role) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool {
		return p.Last().String() == ".noSmithyDocumentSerde"
	}, cmp.Ignore())); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestListRoles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, path := range map[string]string{"b": "/x/", "A": "/", "c": "/x/y/", "D": "/xy/"} {
			must(t, w.root, w.CreateRole,
				&iam.CreateRoleInput{RoleName: &name, Path: &path, AssumeRolePolicyDocument: trustEC2})
		}
		for prefix, want := range map[string]string{"/": "A b c D", "/x/": "b c", "/x": "b c D", "/z": ""} {
			var names []string
			var marker *string
			for {
				page := must(t, w.root, w.ListRoles,
					&iam.ListRolesInput{PathPrefix: &prefix, Marker: marker, MaxItems: ptr(int32(1))})
				for _, r := range page.Roles {
					names = append(names, *r.RoleName)
				}
				if marker = page.Marker; !page.IsTruncated {
					break
				}
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("%s: %s, want %s", prefix, got, want)
			}
		}
		refused(t, w.root, w.ListRoles, &iam.ListRolesInput{Marker: ptr("x")}, 400,
			"ValidationError", "Invalid Marker.")
	})
}

func TestRoleTags(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.role(t, "worker", types.Tag{Key: ptr("Team"), Value: ptr("ops")})
		must(t, w.root, w.TagRole,
			&iam.TagRoleInput{RoleName: ptr("worker"),
				Tags: []types.Tag{{Key: ptr("TEAM"), Value: ptr("dev")}, {Key: ptr("b"), Value: ptr("")}}})
		tags := func() string {
			var all []string
			var marker *string
			for {
				page := must(t, w.root, w.ListRoleTags,
					&iam.ListRoleTagsInput{RoleName: ptr("worker"), Marker: marker, MaxItems: ptr(int32(1))})
				for _, tag := range page.Tags {
					all = append(all, *tag.Key+"="+*tag.Value)
				}
				if marker = page.Marker; !page.IsTruncated {
					return strings.Join(all, " ")
				}
			}
		}
		if got := tags(); got != "TEAM=dev b=" {
			t.Error(got)
		}
		must(t, w.root, w.UntagRole, &iam.UntagRoleInput{RoleName: ptr("worker"), TagKeys: []string{"team", "nothing"}})
		if got := tags(); got != "b=" {
			t.Error(got)
		}
		many := make([]types.Tag, 50)
		for i := range many {
			many[i] = types.Tag{Key: ptr(fmt.Sprint("k", i)), Value: ptr("")}
		}
		refused(t, w.root, w.TagRole, &iam.TagRoleInput{RoleName: ptr("worker"), Tags: many}, 409, "LimitExceeded",
			"The number of tags has reached the maximum limit.")
		refused(t, w.root, w.TagRole,
			&iam.TagRoleInput{RoleName: ptr("worker"), Tags: []types.Tag{{Key: ptr("aws:x"), Value: ptr("")}}}, 400,
			"InvalidInput", "Tag keys beginning with aws: are reserved for system use.")
		refused(t, w.root, w.TagRole,
			&iam.TagRoleInput{RoleName: ptr("worker"),
				Tags: []types.Tag{{Key: ptr("k"), Value: ptr("")}, {Key: ptr("K"), Value: ptr("")}}}, 400,
			"InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		refused(t, w.root, w.CreateRole,
			&iam.CreateRoleInput{RoleName: ptr("other"), AssumeRolePolicyDocument: trustEC2,
				Tags: []types.Tag{{Key: ptr("AWS:x"), Value: ptr("")}}}, 400, "InvalidInput",
			"Tag keys beginning with aws: are reserved for system use.")
		// The tags of a deleted role do not return with its name.
		must(t, w.root, w.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("worker")})
		if r := w.role(t, "worker"); r.Tags != nil || tags() != "" {
			t.Errorf("%v", r.Tags)
		}
	})
}

func TestRoleQuotas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.SetLimits(t.Context(), account, map[string]int{"RolesPerAccount": 1}); err != nil {
			t.Fatal(err)
		}
		w.role(t, "one")
		refused(t, w.root, w.CreateRole, &iam.CreateRoleInput{RoleName: ptr("two"), AssumeRolePolicyDocument: trustEC2},
			409, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1")
		// White space does not count.
		long := strings.Replace(*trustEC2, "{", "{"+strings.Repeat(" ", 2048), 1)
		must(t, w.root, w.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("one"), PolicyDocument: &long})
		long = strings.Replace(*trustEC2, `"Effect"`, `"Sid":"`+strings.Repeat("x", 2048)+`","Effect"`, 1)
		refused(t, w.root, w.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("one"), PolicyDocument: &long}, 409, "LimitExceeded",
			"Cannot exceed quota for ACLSizePerRole: 2048")
		if err := w.SetLimits(t.Context(), account, map[string]int{"ACLSizePerRole": 4096}); err != nil {
			t.Fatal(err)
		}
		must(t, w.root, w.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("one"), PolicyDocument: &long})
	})
}

// A trust policy can only name existing users and roles.
func TestTrustedPrincipals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.root, w.CreateUser, &iam.CreateUserInput{UserName: ptr("Ann"), Path: ptr("/a/")})
		must(t, w.root, w.CreateRole,
			&iam.CreateRoleInput{RoleName: ptr("gate"), Path: ptr("/g/"), AssumeRolePolicyDocument: trustEC2})
		w.role(t, "worker")
		for _, principals := range []string{
			`"*"`, `{"AWS":"*"}`, `{"AWS":"` + account + `"}`, `{"AWS":"arn:aws:iam::` + account + `:root"}`,
			`{"AWS":"` + userARN + `/a/Ann"}`, `{"AWS":["` + roleARN + `/g/gate","` + userARN + `/a/Ann"]}`,
			`{"AWS":"arn:aws:sts::` + account + `:assumed-role/gate/anyone"}`,
			`{"AWS":"arn:aws:iam::999999999999:user/elsewhere"}`, // an account that does not exist here
			`{"AWS":"AIDACKCEVSQ6C2EXAMPLE"}`, `{"Federated":"accounts.google.com"}`,
		} {
			must(t, w.root, w.UpdateAssumeRolePolicy,
				&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("worker"), PolicyDocument: trust(principals)})
		}
		for _, arn := range []string{
			userARN + "/Ann", userARN + "/a/ann", userARN + "/a/bob", roleARN + "/gate",
			roleARN + "/g/Gate", roleARN + "/g/door",
			"arn:aws:sts::" + account + ":assumed-role/door/anyone",
		} {
			refused(t, w.root, w.UpdateAssumeRolePolicy,
				&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("worker"),
					PolicyDocument: trust(`{"AWS":["` + account + `","` + arn + `"]}`)},
				400, "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"`+arn+`"`)
			refused(t, w.root, w.CreateRole,
				&iam.CreateRoleInput{RoleName: ptr("new"), AssumeRolePolicyDocument: trust(`{"AWS":"` + arn + `"}`)},
				400, "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"`+arn+`"`)
		}
	})
}

// A trust policy shows the unique id of a deleted user and the present ARN of a
// renamed one. Everything else stays as it was written, except arrays of one
// and blanks.
func TestTrustPolicyShown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		ann := *must(t, w.root, w.GetUser, &iam.GetUserInput{UserName: ptr("Ann")}).User.UserId
		gate := *w.role(t, "gate").RoleId
		annARN, gateARN := userARN+"/Ann", roleARN+"/gate"
		given := `{ "Statement":[{"Effect":"Allow", "Action":["sts:AssumeRole"], "Principal":{"AWS" : [ "` +
			annARN + `", "` + gateARN +
			`" , "` + account + `"]}, "Condition":{"StringLike":{"aws:PrincipalArn":["` +
			annARN + `","` + gateARN + `"]},
			"Bool":{"aws:SecureTransport":[true]}}},
			{"Sid":"s","Effect":"Deny","Principal":{"AWS":["` + annARN + `"]},"Action":"sts:TagSession"}], "Version":"2012-10-17" } `
		must(t, w.root, w.CreateRole, &iam.CreateRoleInput{RoleName: ptr("worker"), AssumeRolePolicyDocument: &given})
		shows := func(ann, gate string) {
			t.Helper()
			want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["` + ann + `","` +
				gate + `","` + account +
				`"]},"Action":"sts:AssumeRole","Condition":{"StringLike":{"aws:PrincipalArn":["` +
				annARN + `","` + gateARN +
				`"]},"Bool":{"aws:SecureTransport":"true"}}},` +
				`{"Sid":"s","Effect":"Deny","Principal":{"AWS":"` + ann + `"},"Action":"sts:TagSession"}]}`
			list := must(t, w.root, w.ListRoles, &iam.ListRolesInput{}).Roles
			details := must(t, w.root, w.GetAccountAuthorizationDetails,
				&iam.GetAccountAuthorizationDetailsInput{}).RoleDetailList
			described := must(t, w.root, w.UpdateRoleDescription,
				&iam.UpdateRoleDescriptionInput{RoleName: ptr("worker"), Description: ptr("d")}).Role
			for _, shown := range []*string{
				w.getRole(t, "worker").AssumeRolePolicyDocument, list[len(list)-1].AssumeRolePolicyDocument,
				details[len(details)-1].AssumeRolePolicyDocument, described.AssumeRolePolicyDocument,
			} {
				if got, err := url.PathUnescape(*shown); got != want || err != nil {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
		}
		shows(annARN, gateARN)
		must(t, w.root, w.UpdateUser,
			&iam.UpdateUserInput{UserName: ptr("Ann"), NewUserName: ptr("Eve"), NewPath: ptr("/x/")})
		shows(userARN+"/x/Eve", gateARN)
		w.user(t, "Ann") // another user of that name
		shows(userARN+"/x/Eve", gateARN)
		must(t, w.root, w.DeleteUser, &iam.DeleteUserInput{UserName: ptr("Eve")})
		shows(ann, gateARN)
		must(t, w.root, w.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("gate")})
		shows(ann, gate)
		w.role(t, "gate")
		shows(ann, gate)
	})
}

// GetRole returns the last use of a session of the role.
func TestRoleLastUsed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.role(t, "worker")
		w.db.ServiceUsed(store.ServiceUse{Account: account, Principal: *r.RoleId, Service: "iam", Action: "ListUsers",
			At: w.clock.Now(), Region: "eu-west-1"})
		if err := w.db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if used := w.getRole(t, "worker").RoleLastUsed; !used.LastUsedDate.Equal(began) || *used.Region != "eu-west-1" {
			t.Errorf("%+v", used)
		}
		must(t, w.root, w.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("worker")})
		w.role(t, "worker")
		if used := w.getRole(t, "worker").RoleLastUsed; used.LastUsedDate != nil {
			t.Errorf("%+v", used)
		}
	})
}

// A role that something is attached to cannot be deleted.
func TestDeleteRoleConflicts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.role(t, "worker")
		in := &iam.DeleteRoleInput{RoleName: ptr("worker")}
		must(t, w.root, w.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: ptr("worker"), PolicyName: ptr("p"),
			PolicyDocument: ptr(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)})
		refused(t, w.root, w.DeleteRole, in, 409, "DeleteConflict", "Cannot delete entity, must delete policies first.")
		must(t, w.root, w.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: ptr("worker"), PolicyName: ptr("p")})
		const admin = "arn:aws:iam::aws:policy/AdministratorAccess"
		must(t, w.root, w.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: ptr("worker"), PolicyArn: ptr(admin)})
		refused(t, w.root, w.DeleteRole, in, 409, "DeleteConflict",
			"Cannot delete entity, must detach all policies first.")
		must(t, w.root, w.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: ptr("worker"), PolicyArn: ptr(admin)})
		must(t, w.root, w.DeleteRole, in)
	})
}

// A role can be created with its permissions boundary. If the boundary does not
// exist, the role is not created.
func TestCreateRoleWithBoundary(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const admin = "arn:aws:iam::aws:policy/AdministratorAccess"
		in := &iam.CreateRoleInput{RoleName: ptr("worker"), AssumeRolePolicyDocument: trustEC2,
			PermissionsBoundary: ptr("arn:aws:iam::" + account + ":policy/nothing")}
		refused(t, w.root, w.CreateRole, in, 404, "NoSuchEntity",
			"Scope ARN: "+*in.PermissionsBoundary+" does not exist or is not attachable.")
		in.PermissionsBoundary = ptr("arn:aws:iam::" + account + ":not_a_policy/invalid")
		refused(t, w.root, w.CreateRole, in, 400, "InvalidInput", "ARN "+*in.PermissionsBoundary+" is not valid.")
		refused(t, w.root, w.GetRole, &iam.GetRoleInput{RoleName: ptr("worker")}, 404, "NoSuchEntity",
			"The role with name worker cannot be found.")
		in.PermissionsBoundary = ptr(admin)
		want := &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: ptr(admin),
			PermissionsBoundaryType: "Policy"}
		for _, r := range []*types.Role{must(t, w.root, w.CreateRole, in).Role, w.getRole(t, "worker")} {
			if diff := cmp.Diff(want, r.PermissionsBoundary, ignoreSDK); diff != "" {
				t.Error(diff)
			}
		}
		if listed := must(t, w.root, w.ListRoles, &iam.ListRolesInput{}).Roles; listed[0].PermissionsBoundary != nil {
			t.Errorf("listed with %+v", listed[0].PermissionsBoundary)
		}
		must(t, w.root, w.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("worker")})
		if w.role(t, "worker"); w.getRole(t, "worker").PermissionsBoundary != nil {
			t.Error("the boundary of the deleted role is left")
		}
	})
}
