package service_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// principals creates a user Ann in the group Devs, and a role, each with
// policies of every kind.
func principals(t testing.TB, w *world) (managed string) {
	t.Helper()
	w.user(t, "Ann")
	must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("Devs")})
	must(t, w.root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: ptr("Devs"), UserName: ptr("Ann")})
	managed = *must(t, w.root.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: ptr("listing"),
			PolicyDocument: ptr(oneStatement("Allow", "iam:List*", "*", ""))}).Policy.Arn
	must(t, w.root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: ptr("Ann"), PolicyArn: &managed})
	must(t, w.root.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: ptr("Devs"), PolicyArn: ptr(readOnly)})
	must(t, w.root.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: ptr("Devs"), PolicyName: ptr("getting"),
		PolicyDocument: ptr(oneStatement("Allow", "iam:Get*", "*", `{"Bool":{"aws:SecureTransport":"true"}}`))})
	must(t, w.root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: ptr("Ann"), PolicyName: ptr("own"),
		PolicyDocument: ptr(oneStatement("Allow", "iam:*AccessKey*", "arn:aws:iam::*:user/${aws:username}",
			`{"StringEquals":{"aws:PrincipalTag/team":"a"}}`))})
	must(t, w.root.TagUser,
		&iam.TagUserInput{UserName: ptr("Ann"), Tags: []types.Tag{{Key: ptr("Team"), Value: ptr("a")}}})
	must(t, w.root.CreateRole, &iam.CreateRoleInput{RoleName: ptr("worker"), AssumeRolePolicyDocument: ptr(trustsEC2)})
	must(t, w.root.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: ptr("worker"), PolicyName: ptr("a_b"),
		PolicyDocument: ptr(oneStatement("Deny", "iam:*", "*", ""))})
	return managed
}

// The policies in force for users, their groups and roles are simulated, and
// have AWS's names.
func TestSimulatePrincipalPolicy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		principals(t, w)
		self := userPath + "/Ann"
		run := func(source string, in iam.SimulatePrincipalPolicyInput) []string {
			t.Helper()
			in.PolicySourceArn = &source
			return simulated(must(t, w.root.SimulatePrincipalPolicy, &in).EvaluationResults)
		}
		actions := func(names ...string) iam.SimulatePrincipalPolicyInput {
			return iam.SimulatePrincipalPolicyInput{ActionNames: names}
		}
		secure := []types.ContextEntry{
			{ContextKeyName: ptr("aws:SecureTransport"), ContextKeyType: "boolean", ContextKeyValues: []string{"true"}}}

		in := actions("iam:ListRoles", "iam:ListUserPolicies", "iam:GetUser", "iam:CreateAccessKey", "iam:CreateUser")
		in.PolicyExclusionList = []types.PolicyIdentifier{&types.PolicyIdentifierMemberPolicyType{Value: "aws-managed"}}
		in.ResourceArns = []string{self}
		wantLines(t, run(self, in),
			"iam:ListRoles on "+self+": implicitDeny", "  "+self+": implicitDeny", // it does not apply to users
			"iam:ListUserPolicies on "+self+": allowed listing:1.38-1.91", "  "+self+": allowed listing:1.38-1.91",
			"iam:GetUser on "+self+": implicitDeny ?aws:SecureTransport",
			"  "+self+": implicitDeny ?aws:SecureTransport",
			"iam:CreateAccessKey on "+self+": allowed user_Ann_own:1.38-1.190",
			"  "+self+": allowed user_Ann_own:1.38-1.190",
			"iam:CreateUser on "+self+": implicitDeny ?aws:SecureTransport",
			"  "+self+": implicitDeny ?aws:SecureTransport")
		in.ActionNames, in.ContextEntries, in.ResourceArns = []string{"iam:GetUser"}, secure, nil
		wantLines(t, run(self, in), "iam:GetUser on *: allowed group_Devs_getting:1.38-1.142")
		wantLines(t, run(groupPath+"/Devs", in), "iam:GetUser on *: allowed group_Devs_getting:1.38-1.142")
		wantLines(t, run(rolePath+"/worker", actions("iam:GetUser", "s3:GetObject")),
			"iam:GetUser on *: explicitDeny role_worker_a_b:1.38-1.86", "s3:GetObject on *: implicitDeny")

		// Another caller has another name, and not these tags.
		in = actions("iam:CreateAccessKey")
		in.CallerArn, in.ResourceArns = ptr(userPath+"/bob"), []string{userPath + "/bob", self}
		wantLines(t, run(self, in),
			"iam:CreateAccessKey on arn:aws:iam::${Account}:${ResourceType}/${ResourceName}: implicitDeny "+
				"?aws:PrincipalTag/team,aws:SecureTransport,s3express:SessionMode",
			"  "+userPath+"/bob: implicitDeny ?aws:PrincipalTag/team,aws:SecureTransport,s3express:SessionMode",
			"  "+self+": implicitDeny ?aws:PrincipalTag/team,aws:SecureTransport,s3express:SessionMode")

		// Additional policies, boundaries in force and in the request, and
		// control policies.
		in = actions("iam:CreateUser")
		in.PolicyInputList = []string{oneStatement("Allow", "iam:Create*", "*", "")}
		wantLines(t, run(self, in), "iam:CreateUser on *: allowed PolicyInputList.1:1.38-1.93")
		must(t, w.root.PutUserPermissionsBoundary,
			&iam.PutUserPermissionsBoundaryInput{UserName: ptr("Ann"), PermissionsBoundary: ptr(readOnly)})
		wantLines(t, run(self, in),
			"iam:CreateUser on *: implicitDeny ?aws:SecureTransport,s3express:SessionMode boundary=false")
		in.PolicyExclusionList = []types.PolicyIdentifier{
			&types.PolicyIdentifierMemberPolicyType{Value: "permission-boundary"}}
		wantLines(t, run(self, in), "iam:CreateUser on *: allowed PolicyInputList.1:1.38-1.93")
		in.PolicyExclusionList, in.PermissionsBoundaryPolicyInputList = nil,
			[]string{oneStatement("Allow", "*", "*", "")}
		wantLines(t, run(self, in), "iam:CreateUser on *: allowed PolicyInputList.1:1.38-1.93 boundary=true")
		for name, document := range map[string]string{"everything": oneStatement("Allow", "*", "*", ""),
			"limits": oneStatement("Deny", "iam:CreateUser", "*", "")} {
			if err := w.IAM.PutControlPolicy(t.Context(), account, name, document); err != nil {
				t.Fatal(err)
			}
		}
		wantLines(t, run(self, in), "iam:CreateUser on *: explicitDeny organization=false")
		wantLines(t, run(groupPath+"/Devs", actions("iam:CreateUser")),
			"iam:CreateUser on *: explicitDeny organization=false")
		in.PolicyExclusionList, in.PermissionsBoundaryPolicyInputList = []types.PolicyIdentifier{
			&types.PolicyIdentifierMemberPolicyType{Value: "scp"},
			&types.PolicyIdentifierMemberPolicyType{Value: "permission-boundary"}}, nil
		wantLines(t, run(self, in), "iam:CreateUser on *: allowed PolicyInputList.1:1.38-1.93")
		if err := w.IAM.ManageAccounts(t.Context(), account, nil); err != nil {
			t.Fatal(err)
		}
		wantLines(t, run(self, in), "iam:CreateUser on *: allowed PolicyInputList.1:1.38-1.93 organization=true")
	})
}

// A simulation may exclude policies by kind, ARN or name.
func TestSimulateExclusions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	managed := principals(t, w)
	must(t, w.root.AttachUserPolicy,
		&iam.AttachUserPolicyInput{UserName: ptr("Ann"), PolicyArn: ptr("arn:aws:iam::aws:policy/AdministratorAccess")})
	inline := func(of types.AttachmentType, entity, name string) types.PolicyIdentifier {
		return &types.PolicyIdentifierMemberInlinePolicyIdentifier{
			Value: types.InlinePolicyIdentifierType{AttachmentType: of, AttachmentName: &entity, PolicyName: &name}}
	}
	kind := func(k types.PolicyIdentifierPolicyType) types.PolicyIdentifier {
		return &types.PolicyIdentifierMemberPolicyType{Value: k}
	}
	arn := func(arn string) types.PolicyIdentifier { return &types.PolicyIdentifierMemberPolicyArn{Value: arn} }
	// of iam:GetUser and iam:ListUsers
	all := []string{"AdministratorAccess", "ReadOnlyAccess", "group_Devs_getting", "listing"}
	for _, c := range []struct {
		name string
		list []types.PolicyIdentifier
		gone []string
	}{
		{"nothing", nil, nil},
		{"inline", []types.PolicyIdentifier{kind("inline")}, []string{"group_Devs_getting"}},
		{"AWS's", []types.PolicyIdentifier{kind("aws-managed")}, []string{"AdministratorAccess", "ReadOnlyAccess"}},
		{"the account's", []types.PolicyIdentifier{kind("user-managed"), kind("rcp")}, []string{"listing"}},
		{"an ARN", []types.PolicyIdentifier{arn(managed)}, []string{"listing"}},
		{"a pattern", []types.PolicyIdentifier{arn("arn:aws:iam::aws:policy/*Access")},
			[]string{"AdministratorAccess", "ReadOnlyAccess"}},
		{"a finer pattern", []types.PolicyIdentifier{arn("arn:aws:iam::aws:policy/R?ad*y?ccess")},
			[]string{"ReadOnlyAccess"}},
		{"a pattern of no policy", []types.PolicyIdentifier{arn("arn:aws:iam::aws:policy/?ReadOnlyAccess"),
			arn("arn:aws:iam::aws:policy/ReadOnlyAccess*ReadOnlyAccess")}, nil},
		{"a name", []types.PolicyIdentifier{inline("group", "devs", "getting")}, []string{"group_Devs_getting"}},
		{"a name's pattern", []types.PolicyIdentifier{inline("group", "D*", "getting")},
			[]string{"group_Devs_getting"}},
		{"another kind's name",
			[]types.PolicyIdentifier{inline("user", "Devs", "getting"), inline("group", "Devs", "other")}, nil},
		{"several", []types.PolicyIdentifier{kind("aws-managed"), arn(managed)},
			[]string{"AdministratorAccess", "ReadOnlyAccess", "listing"}},
	} {
		out := must(t, w.root.SimulatePrincipalPolicy,
			&iam.SimulatePrincipalPolicyInput{PolicySourceArn: ptr(userPath + "/Ann"),
				ActionNames:         []string{"iam:GetUser", "iam:ListUsers"},
				PolicyExclusionList: c.list,
				ContextEntries: []types.ContextEntry{
					{ContextKeyName: ptr("aws:SecureTransport"), ContextKeyType: "boolean",
						ContextKeyValues: []string{"true"}}}})
		var got []string
		for _, r := range out.EvaluationResults {
			for _, st := range r.MatchedStatements {
				if !slices.Contains(got, *st.SourcePolicyId) {
					got = append(got, *st.SourcePolicyId)
				}
			}
		}
		slices.Sort(got)
		if want := slices.DeleteFunc(slices.Clone(all), func(id string) bool {
			return slices.Contains(c.gone, id)
		}); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
	}
	for _, bad := range []string{"x", "arn:aws:iam::*:policy/x", "arn:aws:iam::aws:policy/*a*",
		"arn:aws:iam::aws:role/x"} {
		refused(t, w.root.SimulatePrincipalPolicy,
			&iam.SimulatePrincipalPolicyInput{PolicySourceArn: ptr(userPath + "/Ann"),
				ActionNames:         []string{"iam:GetUser"},
				PolicyExclusionList: []types.PolicyIdentifier{arn(bad)}}, 400, "InvalidInput",
			"Invalid policy identifier: "+bad)
	}
	refused(t, w.root.SimulatePrincipalPolicy,
		&iam.SimulatePrincipalPolicyInput{PolicySourceArn: ptr(userPath + "/Ann"), ActionNames: []string{"iam:GetUser"},
			PolicyExclusionList: []types.PolicyIdentifier{inline("group", "*a*", "x")}}, 400, "InvalidInput",
		"Invalid inline policy exclusion: policyName, attachmentType, and attachmentName are required")
	refused(t, w.root.SimulatePrincipalPolicy,
		&iam.SimulatePrincipalPolicyInput{PolicySourceArn: ptr(userPath + "/Ann"), ActionNames: []string{"iam:GetUser"},
			PolicyExclusionList: []types.PolicyIdentifier{inline("group", "*", "x")}}, 400, "ValidationError",
		"1 validation error detected: "+
			"Value '*' at 'policyExclusionList.1.member.inlinePolicyIdentifier.attachmentName' failed to satisfy "+
			"constraint: "+
			`Member must satisfy regular expression pattern: .*[\w+=,.@-]+.*`)
	// The position at which the entity is read is recorded.
	for arn, want := range map[string]struct {
		status        int
		code, message string
	}{
		userPath + "/nobody": {404, "NoSuchEntity", "Unable to retrieve specified IAM entity."},
		rootARN:              {400, "InvalidInput", "Invalid ARN provided in the request: " + rootARN},
		"no-arn-of-20-characters-or-more": {400, "InvalidInput",
			"Invalid ARN provided in the request: no-arn-of-20-characters-or-more"},
		"arn:aws:iam::999999999999:user/a": {400, "InvalidInput",
			"Invalid Policy Source Arn: caller's account " + account +
				" does not have access to policies in account 999999999999."},
	} {
		refused(t, w.root.SimulatePrincipalPolicy,
			&iam.SimulatePrincipalPolicyInput{PolicySourceArn: &arn, ActionNames: []string{"iam:GetUser"}},
			want.status, want.code, want.message)
	}
	// A policy below a path is only found without the path. Recorded.
	must(t, w.root.CreateUser, &iam.CreateUserInput{UserName: ptr("Bob")})
	low := must(t, w.root.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: ptr("low"), Path: ptr("/a/b/"), PolicyDocument: ptr(allowAll)}).Policy.Arn
	must(t, w.root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: ptr("Bob"), PolicyArn: low})
	for path, want := range map[string]string{"": "implicitDeny", "a/b/": "allowed", "c/": "allowed"} {
		got := must(t, w.root.SimulatePrincipalPolicy,
			&iam.SimulatePrincipalPolicyInput{PolicySourceArn: ptr(userPath + "/Bob"),
				ActionNames: []string{"iam:GetUser"},
				PolicyExclusionList: []types.PolicyIdentifier{
					arn("arn:aws:iam::" + account + ":policy/" + path + "low")}})
		if d := got.EvaluationResults[0].EvalDecision; string(d) != want {
			t.Errorf("excluded by path %q: %s, want %s", path, d, want)
		}
	}
}

// Keys come as they are written, each spelling once for a document.
func TestContextKeysInOrder(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Condition":{
		"StringEquals":{"z:a":["${y:b}","${ x:c , 'aws:none'}","${*}"],"Z:A":"z:d"},
		"StringLike":{"w:\u0065" : "v:\"f","z:a":"1"}},"Action":"*","Resource":["arn:aws:s3:::${aws:username}/a"]},
		{"Effect":"Deny","Action":"w:e","Resource":"*","Condition":{"Null":{"a:a":"false"}}}]}`
	same(t, must(t, w.root.GetContextKeysForCustomPolicy,
		&iam.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{document}}).ContextKeyNames,
		[]string{"z:a", "y:b", "x:c", "*", "Z:A", "w:e", "aws:username", "a:a"})
	loose := `{"Statement":{"Effect":"Allow","Principal":"*","Condition":{"NumericEquals":{"a:b":"x"}}}}`
	in := &iam.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{loose, loose}}
	same(t, must(t, w.root.GetContextKeysForCustomPolicy, in).ContextKeyNames, []string{"a:b", "a:b"})
}

func TestContextKeys(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	principals(t, w)
	must(t, w.root.DetachGroupPolicy, &iam.DetachGroupPolicyInput{GroupName: ptr("Devs"), PolicyArn: ptr(readOnly)})
	more := oneStatement("Deny", "iam:*", "*",
		`{"StringEquals":{"AWS:SourceIp":"x","aws:securetransport":"${s3:prefix}"}}`)
	same(t, must(t, w.root.GetContextKeysForCustomPolicy,
		&iam.GetContextKeysForCustomPolicyInput{
			PolicyInputList: []string{more, oneStatement("Allow", "*", "*", "")}}).ContextKeyNames,
		[]string{"AWS:SourceIp", "aws:securetransport", "s3:prefix"})
	same(t, must(t, w.root.GetContextKeysForCustomPolicy,
		&iam.GetContextKeysForCustomPolicyInput{
			PolicyInputList: []string{oneStatement("Allow", "*", "*", "")}}).ContextKeyNames, []string{})
	keys := func(arn string, more ...string) []string {
		t.Helper()
		return must(t, w.root.GetContextKeysForPrincipalPolicy,
			&iam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: &arn, PolicyInputList: more}).ContextKeyNames
	}
	own := []string{"aws:username", "aws:PrincipalTag/team", "aws:SecureTransport"}
	same(t, keys(userPath+"/Ann"), own)
	bounded := oneStatement("Allow", "*", "*", `{"Bool":{"aws:SecureTransport":"true"}}`)
	boundary := must(t, w.root.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: ptr("bounds"), PolicyDocument: &bounded}).Policy.Arn
	must(t, w.root.PutUserPermissionsBoundary,
		&iam.PutUserPermissionsBoundaryInput{UserName: ptr("Ann"), PermissionsBoundary: boundary})
	same(t, keys(userPath+"/Ann", more),
		slices.Concat(own, []string{"aws:SecureTransport", "AWS:SourceIp", "aws:securetransport", "s3:prefix"}))
	same(t, keys(groupPath+"/Devs"), []string{"aws:SecureTransport"})
	// A policy that a user has directly and through a group appears once.
	own = keys(userPath + "/Ann")
	shared := oneStatement("Allow", "*", "*", `{"Null":{"aws:userid":"false"}}`)
	create := &iam.CreatePolicyInput{PolicyName: ptr("shared"), PolicyDocument: &shared}
	arn := must(t, w.root.CreatePolicy, create).Policy.Arn
	must(t, w.root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: ptr("Ann"), PolicyArn: arn})
	must(t, w.root.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: ptr("Devs"), PolicyArn: arn})
	if got := keys(userPath + "/Ann"); len(got) != len(own)+1 || !slices.Contains(got, "aws:userid") {
		t.Errorf("with a shared policy: %v", got)
	}
	same(t, keys(rolePath+"/worker"), []string{})
	refused(t, w.root.GetContextKeysForPrincipalPolicy,
		&iam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: ptr(rolePath + "/nobody")}, 404, "NoSuchEntity",
		"The role with name nobody cannot be found.")
	refused(t, w.root.GetContextKeysForCustomPolicy,
		&iam.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{"x"}}, 400, "InvalidInput",
		"Policy input list item 1 has invalid content")
}
