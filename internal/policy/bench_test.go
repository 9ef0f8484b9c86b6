package policy

import (
	"fmt"
	"strings"
	"testing"
)

// tenPolicies returns the policies of a caller with ten typical policies of
// five statements. The last one allows the benchmark's request.
func tenPolicies(t testing.TB) Policies {
	t.Helper()
	var p Policies
	for i := range 10 {
		var statements []string
		for j := range 4 {
			statements = append(statements,
				fmt.Sprintf(`{"Sid":"S%d","Effect":"Allow","Action":["s3:Get*","iam:List%d*","ec2:*","dynamodb:*Item"],
			 "Resource":["arn:aws:s3:::bucket-%d/*","arn:aws:iam::111111111111:user/${aws:username}/*"],"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`, j, i, j))
		}
		statements = append(statements,
			`{"Effect":"Deny","Action":"iam:*","Resource":"*",`+
				`"Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}`)
		if i == 9 {
			statements[0] = `{"Effect":"Allow","Action":["iam:Get*","iam:List*"],` +
				`"Resource":"arn:aws:iam::*:user/team/${aws:username}",` +
				`"Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.0/24"]},` +
				`"StringEquals":{"aws:PrincipalTag/team":"a"}}}`
		}
		p.Identity = append(p.Identity, Policy{Document: document(t, strings.Join(statements, ","))})
	}
	return p
}

func benchRequest() Request {
	return Request{
		Principal: callers[""],
		Action:    "iam:GetUser",
		Resources: []string{"arn:aws:iam::111111111111:user/team/bob"},
		Context: NewContext(map[string][]string{"aws:username": {"bob"}, "aws:SourceIp": {"192.0.2.7"},
			"aws:PrincipalTag/team": {"a"}, "aws:MultiFactorAuthPresent": {"true"}}),
	}
}

// BenchmarkEvaluate measures decisions; the aim is 1,000,000 per second on one
// core.
func BenchmarkEvaluate(b *testing.B) {
	p, req := tenPolicies(b), benchRequest()
	b.ReportAllocs()
	for b.Loop() {
		if !allowed(b, req, p) {
			b.Fatal("refused")
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
}

// BenchmarkParse measures the cost that a cache of documents saves.
func BenchmarkParse(b *testing.B) {
	text := tenPolicies(b).Identity[0].Document.String()
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse(text, Managed); err != nil {
			b.Fatal(err)
		}
	}
}

func TestEvaluateAllocates(t *testing.T) {
	p, req := tenPolicies(t), benchRequest()
	if n := testing.AllocsPerRun(100, func() { _, _ = Evaluate(t.Context(), req, p) }); n > 0 {
		t.Errorf("a decision allocates %v times", n)
	}
}
