package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Recorded: what a statement is about does not matter, and spellings do.
func TestMissing(t *testing.T) {
	const document = `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "iam:Get*", "Resource": "arn:aws:iam::*:user/a*",
			"Condition": {"StringEquals": {"aws:Given": "x", "aws:PrincipalTag/Team": "${aws:ResourceTag/Team}"}, "Bool": {"AWS:SecureTransport": "true"}}},
		{"Effect": "Deny", "NotAction": "iam:Get*", "NotResource": "arn:aws:iam::*:user/a*", "Condition": {"Null": {"aws:SecureTransport": "true"}}},
		{"Effect": "Allow", "Action": "iam:List*", "Resource": "arn:aws:iam::*:user/${aws:username}"}]}`
	policies := []Policy{{Document: mustParse(t, document, Inline)}}
	all := []string{"AWS:SecureTransport", "aws:PrincipalTag/Team", "aws:ResourceTag/Team", "aws:SecureTransport", "aws:username"}
	for name, c := range map[string]struct {
		context Context
		want    []string
	}{
		"one given": {NewContext(map[string][]string{"aws:given": {"x"}, "aws:empty": nil}), all},
		"all but one given": {NewContext(map[string][]string{"aws:given": {"x"}, "aws:username": {"ann"},
			"aws:principaltag/team": {"a"}, "aws:securetransport": {"true"}}), []string{"aws:ResourceTag/Team"}},
		"none given": {nil, append([]string{"AWS:SecureTransport", "aws:Given"}, all[1:]...)},
	} {
		got, err := Missing(t.Context(), Request{Action: "x:Y", Context: c.context}, policies)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	if got, err := Missing(t.Context(), Request{}, nil); len(got) != 0 || err != nil {
		t.Errorf("of no policies: %v, %v", got, err)
	}
}
