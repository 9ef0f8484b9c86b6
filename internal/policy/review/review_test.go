package review_test

import (
	"strings"
	"testing"

	"rollcall/internal/policy"
	"rollcall/internal/policy/review"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		statement string
		kind      policy.Kind
		want      []string
	}{
		{`"Effect":"Allow","Action":["iam:GetUser","s3:Get*","*"],"Resource":"arn:aws:iam::123456789012:user/a"`,
			policy.Managed, nil},
		{`"Effect":"Allow","Action":"iam:GetUsr","Resource":"*"`, policy.Managed, []string{"No action iam:GetUsr is known."}},
		{`"Effect":"Deny","Action":"iam:Fetch*","Resource":"*"`, policy.Managed,
			[]string{"No action is known that iam:Fetch* matches."}},
		{`"Effect":"Allow","Action":"iamm:GetUser","Resource":"*"`, policy.Managed,
			[]string{"No service is known by the name iamm."}},
		{`"Effect":"Allow","Action":"*","Resource":"*"`, policy.Managed, []string{"allows every action on everything"}},
		{`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`,
			policy.Managed, nil},
		{`"Effect":"Deny","Action":"*","Resource":"*"`, policy.Managed, nil},
		{`"Effect":"Allow","Action":["ec2:*","iam:Pass*"],"Resource":"*"`, policy.Managed,
			[]string{"lets every role of the account be passed"}},
		{`"Effect":"Allow","NotAction":"iam:*","Resource":"*"`, policy.Managed, []string{"every action but those named"}},
		{`"Effect":"Deny","NotAction":"iam:*","Resource":"*"`, policy.Managed, nil},
		{`"Effect":"Allow","Action":"s3:GetObject","NotResource":"arn:aws:s3:::a/*"`, policy.Managed,
			[]string{"on everything but what NotResource names"}},
		{`"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::bucket"`, policy.Managed,
			[]string{"No resource of the statement is one that s3:GetObject is about."}},
		{`"Effect":"Allow","Action":"iam:GenerateCredentialReport","Resource":"arn:aws:iam::123456789012:user/a"`,
			policy.Managed, []string{"iam:GenerateCredentialReport is about no single resource"}},
		{`"Effect":"Allow","Action":"iam:GetUser","Resource":"arn:aws:iam::123456789012:user/${aws:username}"`,
			policy.Managed, nil},
		{`"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"`, policy.Trust,
			[]string{"Anybody with an AWS account may assume the role."}},
		{`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"123456789012"}`, policy.Trust, nil},
	} {
		d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[`+"\n{"+c.statement+`}]}`, c.kind)
		if err != nil {
			t.Fatalf("%s: %v", c.statement, err)
		}
		got := review.Of(d)
		if len(got) != len(c.want) {
			t.Errorf("%s: %+v, want %q", c.statement, got, c.want)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got[i].Text, want) || got[i].At != (policy.Position{Line: 2, Column: 1}) {
				t.Errorf("%s: %+v, want %q", c.statement, got[i], want)
			}
		}
	}
}

func TestVariablesOfTheOldVersion(t *testing.T) {
	d, err := policy.Parse(`{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}"}}`,
		policy.Inline)
	if err != nil {
		t.Fatal(err)
	}
	if got := review.Of(d); len(got) != 1 || !strings.Contains(got[0].Text, "plain text") {
		t.Errorf("%+v", got)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	const most = 50
	actions := strings.Repeat(`"iam:No",`, 2*most) + `"iam:No"`
	d, err := policy.Parse(`{"Statement":{"Effect":"Allow","Action":[`+actions+`],"Resource":"*"}}`, policy.Inline)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(review.Of(d)); n != most {
		t.Errorf("%d findings, want %d", n, most)
	}
}
