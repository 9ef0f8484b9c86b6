package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// iamARN begins the ARNs of the account's users, groups and policies.
const iamARN = "arn:aws:iam::" + account + ":"

// on returns a statement without its effect.
func on(action, resource string) string {
	return fmt.Sprintf(`"Action":%q,"Resource":%q`, action, resource)
}

// ifso adds a condition to a statement.
func ifso(statement, operator, key, value string) string {
	return statement + fmt.Sprintf(`,"Condition":{%q:{%q:%q}}`, operator, key, value)
}

// document returns a policy with statements.
func document(statements ...string) *string {
	return ptr(`{"Version":"2012-10-17","Statement":[{` + strings.Join(statements, "},{") + `}]}`)
}

// condition holds a condition that a call meets, and a similar one that it does
// not.
type condition struct{ operator, key, holds, fails string }

func (c condition) statement(value string) string {
	return `"Effect":"Allow",` + ifso(on("iam:*", "*"), c.operator, c.key, value)
}

// ofEveryCall are keys that every call has.
var ofEveryCall = []condition{
	{"StringEquals", "aws:PrincipalAccount", account, "111111111111"},
	{"StringEquals", "AWS:principaltag/TEAM", "x", "X"},
	{"IpAddress", "aws:SourceIp", "127.0.0.0/8", "10.0.0.0/8"},
	{"Bool", "aws:SecureTransport", "false", "true"},
	{"Bool", "aws:ViaAWSService", "false", "true"},
	{"StringLike", "aws:UserAgent", "aws-sdk-go-v2/*", "another/*"},
	{"StringEquals", "aws:RequestedRegion", "eu-west-1", "us-east-1"},
	{"DateLessThan", "aws:CurrentTime", began.Add(time.Second).Format(time.RFC3339), began.Format(time.RFC3339)},
	{"NumericEquals", "aws:EpochTime", fmt.Sprint(began.Unix()), fmt.Sprint(began.Unix() + 1)},
	{"Null", "aws:PrincipalOrgID", "true", "false"},
}

// meets calls GetUser of bob under policies that put sets.
func meets(t *testing.T, c clients, put func(document *string), cond condition) {
	t.Helper()
	for _, v := range []struct {
		value string
		holds bool
	}{{cond.fails, false}, {cond.holds, true}} {
		put(document(cond.statement(v.value)))
		_, err := c.GetUser(t.Context(), &iam.GetUserInput{UserName: ptr("bob")})
		if (err == nil) != v.holds || err != nil && failureOf(err).code != "AccessDenied" {
			t.Errorf("%s %s %s: %+v", cond.operator, cond.key, v.value, failureOf(err))
		}
	}
}

func TestConditionsOfUser(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "bob")
	ann := must(t, w.root.CreateUser,
		&iam.CreateUserInput{UserName: ptr("Ann"), Path: ptr("/x/"), Tags: tags("Team", "x")}).User
	c := w.asUser(t, "Ann")
	put := func(document *string) {
		must(t, w.root.PutUserPolicy,
			&iam.PutUserPolicyInput{UserName: ptr("Ann"), PolicyName: ptr("p"), PolicyDocument: document})
	}
	for _, cond := range append([]condition{
		{"StringEquals", "aws:username", "Ann", "ann"},
		{"StringEquals", "aws:userid", *ann.UserId, "AIDA"},
		{"ArnEquals", "aws:PrincipalArn", *ann.Arn, iamARN + "user/Ann"},
		{"StringEquals", "aws:PrincipalType", "User", "AssumedRole"},
		{"Null", "aws:TokenIssueTime", "true", "false"},
		{"Null", "aws:MultiFactorAuthPresent", "true", "false"},
		{"Null", "aws:SourceIdentity", "true", "false"},
		{"StringEquals", "aws:ResourceAccount", account, "111111111111"},
	}, ofEveryCall...) {
		meets(t, c, put, cond)
	}
}

func TestConditionsOfRoleSession(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "bob")
	w.user(t, "Ann")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account +
		`"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`
	role := must(t, w.root.CreateRole,
		&iam.CreateRoleInput{RoleName: ptr("R"), Path: ptr("/x/"), AssumeRolePolicyDocument: &trust,
			Tags: tags("team", "y", "city", "Bonn")}).Role
	must(t, w.root.PutUserPolicy,
		&iam.PutUserPolicyInput{UserName: ptr("Ann"), PolicyName: ptr("p"),
			PolicyDocument: document(`"Effect":"Allow",` + on("sts:*", "*"))})
	out := must(t, w.asUser(t, "Ann").sts.AssumeRole, &sts.AssumeRoleInput{
		RoleArn: role.Arn, RoleSessionName: ptr("s1"), SourceIdentity: ptr("Ann@example"),
		Tags: []ststypes.Tag{{Key: ptr("Team"), Value: ptr("x")}},
	})
	c := w.asSession(out.Credentials)
	put := func(document *string) {
		must(t, w.root.PutRolePolicy,
			&iam.PutRolePolicyInput{RoleName: ptr("R"), PolicyName: ptr("p"), PolicyDocument: document})
	}
	for _, cond := range append([]condition{
		{"Null", "aws:username", "true", "false"},
		{"StringEquals", "aws:userid", *role.RoleId + ":s1", *role.RoleId},
		{"ArnEquals", "aws:PrincipalArn", *role.Arn, strings.Replace(*out.AssumedRoleUser.Arn, "s1", "*", 1)},
		{"StringEquals", "aws:PrincipalType", "AssumedRole", "User"},
		{"StringEquals", "aws:PrincipalTag/city", "Bonn", "Rome"},
		{"DateEquals", "aws:TokenIssueTime", began.Format(time.RFC3339), began.Add(time.Second).Format(time.RFC3339)},
		{"Bool", "aws:MultiFactorAuthPresent", "false", "true"},
		{"Null", "aws:MultiFactorAuthAge", "true", "false"},
		{"StringEquals", "aws:SourceIdentity", "Ann@example", "Ann"},
	}, ofEveryCall...) {
		meets(t, c, put, cond)
	}
}
