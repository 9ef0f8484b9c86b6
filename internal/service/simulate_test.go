package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// at returns a statement of an answer.
func at(id string, kind types.PolicySourceType, from, to [2]int32) types.Statement {
	return types.Statement{
		SourcePolicyId: &id, SourcePolicyType: kind,
		StartPosition: &types.Position{Line: from[0], Column: from[1]},
		EndPosition:   &types.Position{Line: to[0], Column: to[1]},
	}
}

// brief returns a result in one line: decision, decisive statements, missing
// keys.
func brief(decision types.PolicyEvaluationDecisionType, matched []types.Statement, missing []string) string {
	text := string(decision)
	for _, st := range matched {
		text += fmt.Sprintf(" %s:%d.%d-%d.%d", *st.SourcePolicyId, st.StartPosition.Line, st.StartPosition.Column,
			st.EndPosition.Line, st.EndPosition.Column)
	}
	if len(missing) > 0 {
		text += " ?" + strings.Join(missing, ",")
	}
	return text
}

// simulated returns the results of a simulation in brief. Those of resources
// follow their action's.
func simulated(results []types.EvaluationResult) (list []string) {
	for _, r := range results {
		text := *r.EvalActionName + " on " + deref(r.EvalResourceName) + ": " +
			brief(r.EvalDecision, r.MatchedStatements, r.MissingContextValues)
		if o := r.OrganizationsDecisionDetail; o != nil {
			text += fmt.Sprintf(" organization=%t", o.AllowedByOrganizations)
		}
		if b := r.PermissionsBoundaryDecisionDetail; b != nil {
			text += fmt.Sprintf(" boundary=%t", b.AllowedByPermissionsBoundary)
		}
		list = append(list, text)
		for _, s := range r.ResourceSpecificResults {
			list = append(list, "  "+*s.EvalResourceName+": "+
				brief(s.EvalResourceDecision, s.MatchedStatements, s.MissingContextValues))
		}
	}
	return list
}

func deref(s *string) string {
	if s == nil {
		return "nothing"
	}
	return *s
}

func wantLines(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The complete answers of AWS are recorded for one resource and for none.
func TestSimulateCustomPolicy(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	// This is the document of a recorded answer. The statement begins after
	// column 40.
	const document = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", ` +
		`"Resource": "arn:aws:s3:::bucket/*"}]}`
	bucket := "arn:aws:s3:::bucket/key"
	statements := []types.Statement{
		at("PolicyInputList.1", "IAM Policy", [2]int32{1, 41}, [2]int32{1, int32(len(document) - 1)})}
	in := &iam.SimulateCustomPolicyInput{PolicyInputList: []string{document},
		ActionNames: []string{"s3:GetObject", "s3:PutObject"}, ResourceArns: []string{bucket}}
	same(t, must(t, w.root.SimulateCustomPolicy, in),
		&iam.SimulateCustomPolicyOutput{EvaluationResults: []types.EvaluationResult{{
			EvalActionName: ptr("s3:GetObject"), EvalResourceName: &bucket, EvalDecision: "allowed",
			MatchedStatements:    statements,
			MissingContextValues: []string{}, EvalDecisionDetails: map[string]types.PolicyEvaluationDecisionType{},
			ResourceSpecificResults: []types.ResourceSpecificResult{
				{EvalResourceName: &bucket, EvalResourceDecision: "allowed", MatchedStatements: statements}},
		}, {
			EvalActionName: ptr("s3:PutObject"), EvalResourceName: &bucket, EvalDecision: "implicitDeny",
			MatchedStatements:    []types.Statement{},
			MissingContextValues: []string{}, EvalDecisionDetails: map[string]types.PolicyEvaluationDecisionType{},
			ResourceSpecificResults: []types.ResourceSpecificResult{
				{EvalResourceName: &bucket, EvalResourceDecision: "implicitDeny"}},
		}}})
	for _, resources := range [][]string{nil, {"*"}} {
		in.ActionNames, in.ResourceArns = []string{"s3:GetObject"}, resources
		same(t, must(t, w.root.SimulateCustomPolicy, in),
			&iam.SimulateCustomPolicyOutput{EvaluationResults: []types.EvaluationResult{{
				EvalActionName: ptr("s3:GetObject"), EvalResourceName: ptr("*"), EvalDecision: "implicitDeny",
				MatchedStatements: []types.Statement{}, MissingContextValues: []string{},
			}}})
	}

	in.ActionNames, in.MaxItems = []string{"iam:A", "iam:B", "iam:C"}, ptr(int32(2))
	first := must(t, w.root.SimulateCustomPolicy, in)
	in.Marker = first.Marker
	rest := must(t, w.root.SimulateCustomPolicy, in)
	if !first.IsTruncated || len(first.EvaluationResults) != 2 || rest.IsTruncated ||
		len(rest.EvaluationResults) != 1 || *rest.EvaluationResults[0].EvalActionName != "iam:C" {
		t.Errorf("%+v, %+v", first, rest)
	}
}

// Positions are recorded. A statement in a list begins after the preceding
// text. A single statement begins after its brace.
func TestSimulatedPositions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const allow = `{"Effect":"Allow","Action":"iam:*","Resource":"*"}`
	for name, c := range map[string]struct{ document, want string }{
		"compact": {`{"Version":"2012-10-17","Statement":[` + allow + `]}`, "1.38-1.88"},
		"no list": {"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\n" +
			"    \"Effect\":\"Allow\", \"Action\":\"iam:*\", \"Resource\":\"*\"\n  }\n}", "3.17-5.4"},
		"indented": {"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n" +
			"      \"Effect\":\"Allow\", \"Action\":\"iam:*\", \"Resource\":\"*\"\n    }\n  ]\n}", "3.17-6.6"},
		"second": {`{"Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"},` + allow + `]}`, "1.65-1.116"},
		"apart": {"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"ec2:*\",\"Resource\":\"*\"} ,\n " +
			allow + `]}`, "1.65-2.52"},
		"CR": {"{\r  \"Statement\": [\r\n    {\r \"Effect\":\"Allow\", \"Action\":\"iam:*\", " +
			"\"Resource\":\"*\"\r }\r ]\r}", "2.17-5.3"},
		"not ASCII": {`{"Id":"üü","Statement":[` + allow + `]}`, "1.25-1.75"},
	} {
		out := must(t, w.root.SimulateCustomPolicy,
			&iam.SimulateCustomPolicyInput{PolicyInputList: []string{c.document}, ActionNames: []string{"iam:GetUser"}})
		if got := brief(out.EvaluationResults[0].EvalDecision, out.EvaluationResults[0].MatchedStatements,
			nil); got != "allowed PolicyInputList.1:"+c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func oneStatement(effect, action, resource, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return `{"Version":"2012-10-17","Statement":{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` +
		resource + `"` + condition + `}}`
}

// Every kind of policy in a request has the same effect as in a call.
func TestSimulateLayers(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	user := func(name string) *string { return ptr(userPath + "/" + name) }
	const bucket, other = "arn:aws:s3:::bucket", "arn:aws:s3:::other"
	grant := func(effect, who string) *string {
		return ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Principal":{"AWS":"` + who +
			`"},"Action":"s3:*","Resource":"arn:aws:s3:::*"}]}`)
	}
	allow, deny := oneStatement("Allow", "s3:*", "*", ""), oneStatement("Deny", "s3:*", bucket, "")
	level := func(documents ...string) types.OrderedOrganizationPolicyType {
		return types.OrderedOrganizationPolicyType{ServiceControlPolicyInputList: documents}
	}
	for name, c := range map[string]struct {
		in   iam.SimulateCustomPolicyInput
		want []string
	}{
		"two resources": {iam.SimulateCustomPolicyInput{PolicyInputList: []string{allow, deny},
			ResourceArns: []string{bucket, other}}, []string{
			"s3:X on *: explicitDeny PolicyInputList.2:1.38-1.103 PolicyInputList.1:1.38-1.86",
			"  " + bucket + ": explicitDeny PolicyInputList.2:1.38-1.103",
			"  " + other + ": allowed PolicyInputList.1:1.38-1.86"}},
		"one not allowed": {
			iam.SimulateCustomPolicyInput{PolicyInputList: []string{oneStatement("Allow", "s3:*", bucket, "")},
				ResourceArns: []string{bucket, other}}, []string{
				"s3:X on *: implicitDeny PolicyInputList.1:1.38-1.104",
				"  " + bucket + ": allowed PolicyInputList.1:1.38-1.104", "  " + other + ": implicitDeny"}},
		"boundary allows": {iam.SimulateCustomPolicyInput{PolicyInputList: []string{allow},
			PermissionsBoundaryPolicyInputList: []string{allow}}, []string{
			"s3:X on *: allowed PolicyInputList.1:1.38-1.86 boundary=true"}},
		"boundary falls short": {iam.SimulateCustomPolicyInput{PolicyInputList: []string{allow},
			PermissionsBoundaryPolicyInputList: []string{oneStatement("Allow", "ec2:*", "*", "")}}, []string{
			"s3:X on *: implicitDeny boundary=false"}},
		"boundary denies": {iam.SimulateCustomPolicyInput{PolicyInputList: []string{allow},
			PermissionsBoundaryPolicyInputList: []string{deny}, ResourceArns: []string{bucket}}, []string{
			"s3:X on " + bucket + ": explicitDeny PermissionsBoundaryPolicyInputList.1:1.38-1.103 boundary=false",
			"  " + bucket + ": explicitDeny PermissionsBoundaryPolicyInputList.1:1.38-1.103"}},
		"resource's policy allows": {
			iam.SimulateCustomPolicyInput{PolicyInputList: []string{oneStatement("Allow", "ec2:*", "*", "")},
				ResourcePolicy: grant("Allow", userPath+"/Ann"), CallerArn: user("Ann"),
				ResourceArns: []string{bucket}}, []string{
				"s3:X on " + bucket + ": allowed ResourcePolicy:1.38-1.157",
				"  " + bucket + ": allowed ResourcePolicy:1.38-1.157"}},
		"resource's policy allows another": {
			iam.SimulateCustomPolicyInput{PolicyInputList: []string{oneStatement("Allow", "ec2:*", "*", "")},
				ResourcePolicy: grant("Allow", userPath+"/Ann"), CallerArn: user("bob"),
				ResourceArns: []string{bucket}}, []string{
				"s3:X on " + bucket + ": implicitDeny", "  " + bucket + ": implicitDeny"}},
		// Recorded: a resource policy that names the account is enough here, whatever the boundary
		// excludes.
		"resource's policy allows the account": {iam.SimulateCustomPolicyInput{
			PolicyInputList: []string{}, ResourcePolicy: grant("Allow", rootARN), CallerArn: user("Ann"),
			ResourceArns:                       []string{bucket},
			PermissionsBoundaryPolicyInputList: []string{oneStatement("Allow", "ec2:*", "*", "")}}, []string{
			"s3:X on " + bucket + ": allowed ResourcePolicy:1.38-1.153 boundary=false",
			"  " + bucket + ": allowed ResourcePolicy:1.38-1.153"}},
		"boundary denies what a resource's policy allows": {iam.SimulateCustomPolicyInput{
			PolicyInputList: []string{}, ResourcePolicy: grant("Allow", rootARN), CallerArn: user("Ann"),
			ResourceArns:                       []string{bucket},
			PermissionsBoundaryPolicyInputList: []string{deny}}, []string{
			"s3:X on " + bucket + ": explicitDeny PermissionsBoundaryPolicyInputList.1:1.38-1.103 boundary=false",
			"  " + bucket + ": explicitDeny PermissionsBoundaryPolicyInputList.1:1.38-1.103"}},
		"resource's policy denies": {iam.SimulateCustomPolicyInput{PolicyInputList: []string{allow},
			ResourcePolicy: grant("Deny", "*"), CallerArn: user("Ann"), ResourceArns: []string{bucket}}, []string{
			"s3:X on " + bucket + ": explicitDeny ResourcePolicy:1.38-1.123",
			"  " + bucket + ": explicitDeny ResourcePolicy:1.38-1.123"}},
		"organization allows": {
			iam.SimulateCustomPolicyInput{PolicyInputList: []string{allow},
				OrderedOrganizationPolicyInputList: []types.OrderedOrganizationPolicyType{level(allow),
					level(oneStatement("Allow", "ec2:*", "*", ""), allow)}}, []string{
				"s3:X on *: allowed PolicyInputList.1:1.38-1.86 organization=true"}},
		"one level falls short": {
			iam.SimulateCustomPolicyInput{PolicyInputList: []string{allow},
				OrderedOrganizationPolicyInputList: []types.OrderedOrganizationPolicyType{level(allow),
					level(oneStatement("Allow", "ec2:*", "*", ""))}}, []string{
				"s3:X on *: implicitDeny organization=false"}},
		"one level denies": {
			iam.SimulateCustomPolicyInput{PolicyInputList: []string{allow}, ResourceArns: []string{bucket, other},
				OrderedOrganizationPolicyInputList: []types.OrderedOrganizationPolicyType{level(allow, deny)}},
			[]string{
				"s3:X on *: explicitDeny PolicyInputList.1:1.38-1.86 organization=false",
				"  " + bucket + ": explicitDeny", "  " + other + ": allowed PolicyInputList.1:1.38-1.86"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.ActionNames = []string{"s3:X"}
			wantLines(t, simulated(must(t, w.root.SimulateCustomPolicy, &c.in).EvaluationResults), c.want...)
		})
	}
}

// Across accounts both must allow, and the answer says which did.
func TestSimulateAcrossAccounts(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const bucket, owner = "arn:aws:s3:::bucket", "210987654321"
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + account +
		`"},"Action":"s3:*","Resource":"arn:aws:s3:::*"}}`
	details := func(d map[string]types.PolicyEvaluationDecisionType) string {
		return fmt.Sprintf("IAM Policy %s, Resource Policy %s", d["IAM Policy"], d["Resource Policy"])
	}
	for name, c := range map[string]struct{ own, theirs, decision, details string }{
		"both": {oneStatement("Allow", "s3:*", "*", ""), trust, "allowed",
			"IAM Policy allowed, Resource Policy allowed"},
		"own": {oneStatement("Allow", "s3:*", "*", ""), strings.Replace(trust, account, "111111111111", 1),
			"implicitDeny", "IAM Policy allowed, Resource Policy implicitDeny"},
		"theirs": {oneStatement("Deny", "s3:*", "*", ""), trust, "explicitDeny",
			"IAM Policy explicitDeny, Resource Policy allowed"},
	} {
		for _, asked := range []string{"arn:aws:iam::" + owner + ":user/x", "arn:aws:iam::" + owner + ":root"} {
			r := must(t, w.root.SimulateCustomPolicy,
				&iam.SimulateCustomPolicyInput{PolicyInputList: []string{c.own}, ActionNames: []string{"s3:X"},
					ResourceArns:   []string{bucket},
					ResourcePolicy: &c.theirs, ResourceOwner: &asked,
					CallerArn: ptr(userPath + "/Ann")}).EvaluationResults[0]
			if string(r.EvalDecision) != c.decision || details(r.EvalDecisionDetails) != c.details ||
				details(r.ResourceSpecificResults[0].EvalDecisionDetails) != c.details {
				t.Errorf("%s, %s: %+v", name, asked, r)
			}
		}
	}
}

// Conditions use the given keys, and the answer lists the missing ones.
func TestSimulateContext(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	conditions := func(list string) []string { return []string{oneStatement("Allow", "iam:*", "*", list)} }
	entry := func(name string, kind types.ContextKeyTypeEnum, values ...string) types.ContextEntry {
		return types.ContextEntry{ContextKeyName: &name, ContextKeyType: kind, ContextKeyValues: values}
	}
	for name, c := range map[string]struct {
		condition string
		entry     types.ContextEntry
		want      string
	}{
		"string":  {`{"StringEquals":{"aws:x":"a"}}`, entry("AWS:X", "string", "a"), "allowed"},
		"nothing": {`{"StringEquals":{"aws:x":"a"}}`, types.ContextEntry{}, "implicitDeny ?aws:x"},
		"string list": {`{"ForAllValues:StringEquals":{"aws:x":["a","b"]}}`,
			entry("aws:x", "stringList", "a", "b"), "allowed"},
		"another": {`{"StringEquals":{"aws:x":"a"}}`, entry("aws:x", "string", "b"), "implicitDeny"},
		"numeric": {`{"NumericLessThan":{"aws:x":"10"}}`, entry("aws:x", "numeric", "9.5"), "allowed"},
		"numeric list": {`{"ForAnyValue:NumericEquals":{"aws:x":"10"}}`,
			entry("aws:x", "numericList", "1", "10"), "allowed"},
		"boolean": {`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`,
			entry("aws:multifactorauthpresent", "boolean", "TRUE"), "allowed"},
		"boolean list": {`{"ForAnyValue:Bool":{"aws:x":"true"}}`,
			entry("aws:x", "booleanList", "false", "true"), "allowed"},
		"ip": {`{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`,
			entry("aws:SourceIp", "ip", "10.1.2.3"), "allowed"},
		"ip list": {`{"ForAllValues:IpAddress":{"aws:x":"10.0.0.0/8"}}`,
			entry("aws:x", "ipList", "10.1.2.3", "10.2.0.1"), "allowed"},
		"binary": {`{"BinaryEquals":{"aws:x":"Qmlu"}}`, entry("aws:x", "binary", "Qmlu"), "allowed"},
		"binary list": {`{"ForAnyValue:BinaryEquals":{"aws:x":"Qmlu"}}`,
			entry("aws:x", "binaryList", "QmlB", "Qmlu"), "allowed"},
		"date": {`{"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}`,
			entry("aws:CurrentTime", "date", "2026-11-23T10:00:00Z"), "allowed"},
		"date list": {`{"ForAllValues:DateLessThan":{"aws:x":"2030-01-01T00:00:00Z"}}`,
			entry("aws:x", "dateList", "2026-11-23", "1795600000"), "allowed"},
		"missing": {`{"StringEquals":{"aws:x":"a","aws:Y":"b"}}`,
			entry("aws:x", "string", "a"), "implicitDeny ?aws:Y"},
		"all missing": {`{"StringEqualsIfExists":{"aws:Z":"a"},"StringEquals":{"aws:Y":"${aws:V}"}}`,
			entry("aws:x", "string", "a"), "implicitDeny ?aws:V,aws:Y,aws:Z"},
	} {
		t.Run(name, func(t *testing.T) {
			r := must(t, w.root.SimulateCustomPolicy,
				&iam.SimulateCustomPolicyInput{PolicyInputList: conditions(c.condition),
					ActionNames:    []string{"iam:GetUser"},
					ContextEntries: []types.ContextEntry{c.entry}}).EvaluationResults[0]
			if got := brief(r.EvalDecision, nil, r.MissingContextValues); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestSimulateRefuses(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	allow := oneStatement("Allow", "*", "*", "")
	const noCaller = "Invalid caller - Caller must be an IAM user, role or group in this context."
	for name, c := range map[string]struct {
		change  func(*iam.SimulateCustomPolicyInput)
		message string
	}{
		"a policy": {func(in *iam.SimulateCustomPolicyInput) { in.PolicyInputList = []string{allow, "x"} },
			"Policy input list item 2 has invalid content"},
		"a resource policy": {func(in *iam.SimulateCustomPolicyInput) {
			in.ResourcePolicy, in.CallerArn = ptr("x"), ptr(userPath+"/Ann")
		}, "Invalid policy ResourcePolicy: Syntax errors in policy."},
		"no caller": {func(in *iam.SimulateCustomPolicyInput) { in.ResourcePolicy = &allow },
			"Invalid caller - Caller cannot be null or empty."},
		"root as caller": {func(in *iam.SimulateCustomPolicyInput) { in.CallerArn = ptr(rootARN) }, noCaller},
		"a session": {func(in *iam.SimulateCustomPolicyInput) {
			in.CallerArn = ptr("arn:aws:sts::" + account + ":assumed-role/a/b")
		}, noCaller},
		"two boundaries": {func(in *iam.SimulateCustomPolicyInput) {
			in.PermissionsBoundaryPolicyInputList = []string{allow, allow}
		}, "The list of Permissions Boundary policies cannot exceed 1 items."},
		"no account": {func(in *iam.SimulateCustomPolicyInput) {
			in.ResourcePolicy, in.CallerArn,
				in.ResourceOwner = ptr(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`),
				ptr(userPath+"/Ann"), ptr("me")
		}, "'me' is not a valid as a Resource Owner."},
		"an account's number": {func(in *iam.SimulateCustomPolicyInput) { in.ResourceOwner = ptr(account) },
			"'" + account + "' is not a valid as a Resource Owner."},
		"a resource's policy without resources": {func(in *iam.SimulateCustomPolicyInput) {
			in.ResourcePolicy,
				in.CallerArn = ptr(
				`{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::a"}}`),
				ptr(userPath+"/Ann")
		}, "Invalid Entity Arn: * does not clearly define entity type and name."},
		"a resource's policy on everything": {func(in *iam.SimulateCustomPolicyInput) {
			in.ResourcePolicy, in.CallerArn = ptr(
				`{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`), ptr(userPath+"/Ann")
			in.ResourceArns = []string{"arn:aws:s3:::a"}
		}, "ResourceNames are not in a valid ARN format: *."},
		"a level without policies": {func(in *iam.SimulateCustomPolicyInput) {
			in.OrderedOrganizationPolicyInputList = []types.OrderedOrganizationPolicyType{
				{ServiceControlPolicyInputList: []string{allow}}, {ServiceControlPolicyInputList: []string{}}}
		}, "Organization policy at index 2 must contain at least one service control policy"},
		"a marker": {func(in *iam.SimulateCustomPolicyInput) {
			in.Marker = ptr("x")
		}, "Invalid marker for pagination."},
		"a key twice": {func(in *iam.SimulateCustomPolicyInput) {
			in.ContextEntries = []types.ContextEntry{contextEntry("string", "a"), contextEntry("string", "b")}
			in.ContextEntries[1].ContextKeyName = ptr("AWS:X")
		}, "Duplicate context key: AWS:X."},
		"no service": {func(in *iam.SimulateCustomPolicyInput) { in.ActionNames = []string{"GetUser"} },
			"The action is invalid since it is missing names"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &iam.SimulateCustomPolicyInput{PolicyInputList: []string{allow}, ActionNames: []string{"iam:GetUser"}}
			c.change(in)
			refused(t, w.root.SimulateCustomPolicy, in, 400, "InvalidInput", c.message)
		})
	}
}
