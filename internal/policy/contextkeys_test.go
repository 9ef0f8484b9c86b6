package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Recorded: the subject of a statement does not matter, and spellings do.
func TestMissing(t *testing.T) {
	const document = `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "iam:Get*", "Resource": "arn:aws:iam::*:user/a*",
			"Condition": {"StringEquals": {"aws:Given": "x", "aws:PrincipalTag/Team": "${aws:ResourceTag/Team}"}, "Bool": {"AWS:SecureTransport": "true"}}},
		{"Effect": "Deny", "NotAction": "iam:Get*", "NotResource": "arn:aws:iam::*:user/a*", "Condition": {"Null": {"aws:SecureTransport": "true"}}},
		{"Effect": "Allow", "Action": "iam:List*", "Resource": "arn:aws:iam::*:user/${aws:username}${*}"}]}`
	policies := []Policy{{Document: mustParse(t, document, Inline)}}
	all := []string{"*",
		"AWS:SecureTransport", "aws:PrincipalTag/Team", "aws:ResourceTag/Team", "aws:SecureTransport", "aws:username"}
	for name, c := range map[string]struct {
		context Context
		want    []string
	}{
		"one given": {NewContext(map[string][]string{"aws:given": {"x"}, "aws:empty": nil}), all},
		"all but one given": {NewContext(map[string][]string{"aws:given": {"x"}, "aws:username": {"ann"},
			"aws:principaltag/team": {"a"}, "aws:securetransport": {"true"}}), []string{"*", "aws:ResourceTag/Team"}},
		"none given": {nil, append([]string{"*", "AWS:SecureTransport", "aws:Given"}, all[2:]...)},
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

// Recorded: it hardly matters which elements a text lacks, and which values it
// has.
func TestKeysOf(t *testing.T) {
	const condition = `"Condition":{"StringEquals":{"a:b":"c"}}`
	in := func(members string) string { return `{"Version":"2012-10-17","Statement":{` + members + `}}` }
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"a principal":          {in(`"Effect":"Allow","Principal":"*","Action":"*",` + condition), []string{"a:b"}},
		"no action":            {in(`"Effect":"Allow","Resource":"*",` + condition), []string{"a:b"}},
		"no resource":          {in(`"Effect":"Allow","Action":"*",` + condition), []string{"a:b"}},
		"no statement":         {`{"Version":"2012-10-17"}`, []string{}},
		"no statements":        {`{"Statement":[]}`, []string{}},
		"empty lists":          {in(`"Effect":"Allow","Action":[],"Resource":[],"Condition":{}`), []string{}},
		"an action of no kind": {in(`"Effect":"Allow","Action":"abc","Resource":"bad",` + condition), []string{"a:b"}},
		"no number":            {in(`"Effect":"Allow","Condition":{"NumericEquals":{"a:b":"x"}}`), []string{"a:b"}},
		"a variable number": {
			in(`"Effect":"Allow","Condition":{"NumericEquals":{"a:b":"${c:d}"}}`), []string{"a:b", "c:d"},
		},
		"variables elsewhere": {in(`"Effect":"Allow","Action":"${a:b}","Principal":{"AWS":"${c:d}"}`), []string{}},
		"a variable as the key": {in(`"Effect":"Allow","Condition":{"StringEquals":{"${a:b}":"c"}}`),
			[]string{"${a:b}"}},
		"characters": {
			in(`"Effect":"Deny","NotResource":["arn:x:y:::${?}/${a:b, 'c'}","${$}${*}${?}"]`),
			[]string{"?", "a:b", "$", "*"},
		},
		"two spellings":   {in(`"Effect":"Deny","Resource":"${a:b}${A:b}${a:b}"`), []string{"a:b", "A:b"}},
		"the old version": {`{"Statement":{"Effect":"Allow","Resource":"${a:b}",` + condition + `}}`, []string{"a:b"}},
	} {
		got, err := KeysOf(c.text)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	for name, text := range map[string]string{
		"no JSON":             "x",
		"no object":           "[]",
		"no effect":           in(`"Action":"*","Resource":"*",` + condition),
		"an unknown operator": in(`"Effect":"Allow","Condition":{"MadeUp":{"a:b":"c"}}`),
		"an unknown member":   `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"},"Foo":"x"}`,
	} {
		if got, err := KeysOf(text); err == nil {
			t.Errorf("%s: taken, %v", name, got)
		}
	}
}
