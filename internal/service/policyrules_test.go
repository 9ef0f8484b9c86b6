package service_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// The keys of tags are a list, even if there is one tag: only set operators
// match them. If a request repeats a tag, the last value counts.
func TestConditionsOnTagsOfRequest(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	w.user(t, "bob")
	ann := w.asUser(t, "Ann")
	for _, test := range []struct {
		condition string
		tags      []types.Tag
		denied    bool
	}{
		{`{"StringEquals":{"aws:TagKeys":"k"}}`, tags("k", "1"), true},
		{`{"StringNotEquals":{"aws:TagKeys":"other"}}`, tags("k", "1"), true},
		{`{"StringEqualsIfExists":{"aws:TagKeys":"k"}}`, tags("k", "1"), true},
		{`{"ForAllValues:StringEquals":{"aws:TagKeys":"k"}}`, tags("k", "1"), false},
		{`{"ForAnyValue:StringEquals":{"aws:TagKeys":"k"}}`, tags("k", "1", "x", "1"), false},
		{`{"Null":{"aws:TagKeys":"false"}}`, tags("k", "1"), false},
		{`{"StringEquals":{"aws:RequestTag/k":"1"}}`, tags("k", "1"), false},
		{`{"StringEquals":{"aws:RequestTag/k":"1"}}`, tags("k", "1", "k", "2"), true},
		{`{"StringEquals":{"aws:RequestTag/k":"2"}}`, tags("k", "1", "k", "2"), false},
		{`{"StringEquals":{"aws:RequestTag/k":"2"}}`, tags("K", "2", "k", "1", "K", "2"), false},
		{`{"StringNotEquals":{"aws:RequestTag/k":"2"}}`, tags("k", "1", "k", "2"), true},
	} {
		w.putUserPolicy(t, "Ann", statement("Allow", `"iam:TagUser"`, `,"Condition":`+test.condition))
		_, err := ann.TagUser(t.Context(), &iam.TagUserInput{UserName: ptr("bob"), Tags: test.tags})
		if f := failureOf(err); (f.code == "AccessDenied") != test.denied {
			t.Errorf("%s of %d tags: %+v", test.condition, len(test.tags), f)
		}
	}
}

// Values that an operator cannot read are refused wherever a policy is stored.
// In a session policy they are accepted and equal nothing.
func TestUnreadableConditionValues(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: ptr("g")})
	trust := `"Principal":{"AWS":"` + userPath + `/Ann"},"Action":"sts:AssumeRole"`
	role := w.role(t, "worker", trust)
	w.putRolePolicy(t, "worker", statement("Allow", `"*"`, ""))
	w.putUserPolicy(t, "Ann", statement("Allow", `"*"`, ""))
	ann := w.asUser(t, "Ann")
	const code, legacy = "MalformedPolicyDocument", "The policy failed legacy parsing"
	assume := func(narrow *string) *sts.AssumeRoleInput {
		return &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: ptr("night"), Policy: narrow}
	}
	for _, condition := range []string{
		`{"ArnLike":{"aws:PrincipalArn":"not-an-arn"}}`, `{"IpAddress":{"aws:SourceIp":"::ffff:127.0.0.1"}}`,
		`{"IpAddress":{"aws:SourceIp":"2001:db8::5/64"}}`, `{"NumericEquals":{"aws:EpochTime":"NaN"}}`,
		`{"DateEquals":{"aws:CurrentTime":"now"}}`,
	} {
		bad := statement("Allow", `"iam:*"`, `,"Condition":`+condition)
		user, group, name := ptr("Ann"), ptr("g"), ptr("q")
		refused(t, w.root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: user, PolicyName: name, PolicyDocument: bad},
			400, code, legacy)
		refused(t, w.root.PutGroupPolicy,
			&iam.PutGroupPolicyInput{GroupName: group, PolicyName: name, PolicyDocument: bad}, 400, code, legacy)
		refused(t, w.root.PutRolePolicy,
			&iam.PutRolePolicyInput{RoleName: ptr("worker"), PolicyName: name, PolicyDocument: bad},
			400, code, legacy)
		refused(t, w.root.CreatePolicy, &iam.CreatePolicyInput{PolicyName: name, PolicyDocument: bad}, 400, code,
			legacy)
		trusting := ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + trust +
			`,"Condition":` + condition + `}]}`)
		refused(t, w.root.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("worker"), PolicyDocument: trusting}, 400, code, legacy)

		// A deny with them only denies resources that are not ARNs.
		narrow := ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"},` +
			`{"Effect":"Deny","Action":"iam:GetUser","Resource":"*","Condition":` + condition + `}]}`)
		session := w.asSession(must(t, ann.sts.AssumeRole, assume(narrow)).Credentials)
		must(t, ann.sts.GetFederationToken, &sts.GetFederationTokenInput{Name: ptr("guest"), Policy: narrow})
		_, err := session.GetUser(t.Context(), &iam.GetUserInput{UserName: user})
		if denied := strings.Contains(condition, "Arn"); (err != nil) != denied {
			t.Errorf("%s: %v", condition, err)
		}
		// An allow with them grants nothing.
		session = w.asSession(must(t, ann.sts.AssumeRole, assume(bad)).Credentials)
		_, err = session.GetUser(t.Context(), &iam.GetUserInput{UserName: user})
		if failureOf(err).code != "AccessDenied" {
			t.Errorf("%s: %v", condition, err)
		}
	}
	binary := statement("Allow", `"iam:*"`, `,"Condition":{"BinaryEquals":{"aws:PrincipalTag/x":"?"}}`)
	refused(t, ann.sts.AssumeRole, assume(binary), 400, code, legacy)
}

// A simulation declares whether a key is a list, with the same effect as in a
// request. Numbers and dates are texts too. Recorded.
func TestSimulatedTypes(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	for _, test := range []struct {
		condition string
		kind      types.ContextKeyTypeEnum
		value     string
		want      types.PolicyEvaluationDecisionType
	}{
		{`{"StringEquals":{"t:key":"a"}}`, "string", "a", "allowed"},
		{`{"StringEquals":{"t:key":"a"}}`, "stringList", "a", "implicitDeny"},
		{`{"StringNotEquals":{"t:key":"b"}}`, "stringList", "a", "implicitDeny"},
		{`{"ForAnyValue:StringEquals":{"t:key":"a"}}`, "stringList", "a", "allowed"},
		{`{"StringEquals":{"t:key":"5"}}`, "numeric", "5", "allowed"},
		{`{"StringNotEquals":{"t:key":"5"}}`, "numeric", "5", "implicitDeny"},
		{`{"NumericEquals":{"t:key":"5"}}`, "numeric", "5.0", "allowed"},
		{`{"StringLike":{"t:key":"2020*"}}`, "date", "2020-01-01", "allowed"},
		{`{"DateEquals":{"t:key":"2020-01-01"}}`, "date", "2020-01-01T00:00:00Z", "allowed"},
		{`{"NumericNotEquals":{"t:key":"5"}}`, "string", "five", "implicitDeny"},
		{`{"DateNotEquals":{"t:key":"2020-01-01"}}`, "string", "soon", "allowed"},
		{`{"NotIpAddress":{"t:key":"10.0.0.0/8"}}`, "string", "here", "implicitDeny"},
		{`{"Bool":{"t:key":"false"}}`, "string", "yes", "allowed"},
	} {
		out := must(t, w.root.SimulateCustomPolicy, &iam.SimulateCustomPolicyInput{
			ActionNames:     []string{"s3:GetObject"},
			PolicyInputList: []string{*statement("Allow", `"*"`, `,"Condition":`+test.condition)},
			ContextEntries: []types.ContextEntry{{
				ContextKeyName: ptr("t:key"), ContextKeyType: test.kind, ContextKeyValues: []string{test.value},
			}},
		})
		if got := out.EvaluationResults[0].EvalDecision; got != test.want {
			t.Errorf("%s of %s %s: %s", test.condition, test.kind, test.value, got)
		}
	}
}
