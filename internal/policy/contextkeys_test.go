package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMissing(t *testing.T) {
	const document = `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "iam:Get*", "Resource": "arn:aws:iam::*:user/a*",
			"Condition": {"StringEquals": {"aws:Given": "x", "aws:PrincipalTag/Team": "${aws:ResourceTag/Team}"}, "Bool": {"AWS:SecureTransport": "true"}}},
		{"Effect": "Deny", "NotAction": "iam:Get*", "NotResource": "arn:aws:iam::*:user/a*", "Condition": {"Null": {"aws:SecureTransport": "true"}}},
		{"Effect": "Allow", "Action": "iam:List*", "Resource": "arn:aws:iam::*:user/${aws:username}"}]}`
	policies := []Policy{{Document: mustParse(t, document, Inline)}}
	ctx := NewContext(map[string][]string{"aws:given": {"x"}, "aws:empty": nil})
	for _, c := range []struct {
		action, resource string
		context          Context
		want             []string
	}{
		{"iam:GetUser", "arn:aws:iam::1:user/ann", ctx, []string{"AWS:SecureTransport", "aws:PrincipalTag/Team", "aws:ResourceTag/Team"}},
		{"iam:getuser", "arn:aws:iam::1:user/ann", nil, []string{"AWS:SecureTransport", "aws:Given", "aws:PrincipalTag/Team", "aws:ResourceTag/Team"}},
		{"iam:GetUser", "arn:aws:iam::1:user/bob", ctx, []string{}},
		{"iam:TagUser", "arn:aws:iam::1:user/bob", ctx, []string{"aws:SecureTransport"}},
		{"iam:TagUser", "arn:aws:iam::1:user/ann", ctx, []string{}},
		{"iam:ListUsers", "arn:aws:iam::1:group/x", ctx, []string{"aws:SecureTransport", "aws:username"}},
		{"iam:ListUsers", "arn:aws:iam::1:user/ann", NewContext(map[string][]string{"aws:username": {"ann"}}), []string{}},
	} {
		got := missing(t, Request{Action: c.action, Context: c.context}, c.resource, policies)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s on %s (-want +got):\n%s", c.action, c.resource, diff)
		}
	}
	// Who is not meant is not asked.
	trust := []Policy{{Document: mustParse(t, `{"Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole",
		"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}}`, Trust)}}
	req := Request{Action: "sts:AssumeRole", Principal: Principal{Type: User, ARN: "arn:aws:iam::123456789012:user/ann", Account: "123456789012"}}
	if diff := cmp.Diff([]string{"aws:MultiFactorAuthPresent"}, missing(t, req, "x", trust)); diff != "" {
		t.Error(diff)
	}
	req.Principal.Account, req.Principal.ARN = "210987654321", "arn:aws:iam::210987654321:user/ann"
	if diff := cmp.Diff([]string{}, missing(t, req, "x", trust)); diff != "" {
		t.Error(diff)
	}
}

func missing(t *testing.T, req Request, resource string, policies []Policy) []string {
	t.Helper()
	keys, err := Missing(t.Context(), req, resource, policies)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
