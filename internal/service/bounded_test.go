package service_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// No request makes an answer, or work, without bounds: not by the product of
// what it names, nor by a pattern.
func TestAnswersAreBounded(t *testing.T) {
	w := inMemory(t)
	list := func(name string, n int, value func(i int) string) []string {
		members := make([]string, n)
		for i := range members {
			members[i] = fmt.Sprintf("%s.member.%d=%s", name, i+1, url.QueryEscape(value(i)))
		}
		return members
	}
	const document = `{"Version":"2012-10-17","Statement":[%s]}`
	const statement = `{"Effect":"Allow","Action":"*","Resource":"*"},`
	statements := func(n int) string {
		return fmt.Sprintf(document, strings.TrimSuffix(strings.Repeat(statement, n), ","))
	}
	resources := func(n int, tail string) []string {
		return list("ResourceArns", n, func(i int) string { return fmt.Sprintf("arn:aws:s3:::b%d%s", i, tail) })
	}
	conditions := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"aws:RequestTag/k%d":"v"`, i)
		}
		return `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{` + b.String()[1:] + `}}},`
	}
	actions := func(n int) []string {
		return list("ActionNames", n, func(i int) string { return fmt.Sprintf("s3:Get%d", i) })
	}
	documents := func(n int, text string) []string {
		return list("PolicyInputList", n, func(int) string { return text })
	}
	many := func(parts ...[]string) (all []string) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	pathological := `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::` + "*" + strings.Repeat("a?", 600) + `b"},`
	for name, c := range map[string]struct {
		action string
		form   []string
	}{
		"300 actions on 1,000 resources":        {"SimulateCustomPolicy", many(actions(300), resources(1000, ""), documents(1, statements(1)))},
		"9,000 actions, 1,000 items wanted":     {"SimulateCustomPolicy", many(actions(9000), documents(1, statements(20)), []string{"MaxItems=1000"})},
		"6,000 statements on 100 resources":     {"SimulateCustomPolicy", many(actions(100), resources(100, ""), documents(3, statements(2000)))},
		"one action on 9,000 resources":         {"SimulateCustomPolicy", many(actions(1), resources(9000, ""), documents(1, statements(1)))},
		"10,000 keys that are missing":          {"SimulateCustomPolicy", many(actions(10), resources(100, ""), documents(4, fmt.Sprintf(document, strings.TrimSuffix(conditions(2500), ","))))},
		"10,000 keys":                           {"GetContextKeysForCustomPolicy", documents(4, fmt.Sprintf(document, strings.TrimSuffix(conditions(2500), ",")))},
		"patterns that could be tried for ever": {"SimulateCustomPolicy", many(actions(10), resources(10, strings.Repeat("a", 1800)), documents(3, fmt.Sprintf(document, strings.TrimSuffix(strings.Repeat(pathological, 95), ","))))},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			a := w.raw(t, call(c.action, strings.Join(c.form, "&")))
			took := time.Since(start)
			t.Logf("%d %s, %d KiB, %s", a.status, a.message, len(a.body)>>10, took.Round(time.Millisecond))
			if len(a.body) > 4<<20 {
				t.Errorf("an answer of %d MiB", len(a.body)>>20)
			}
			if took > time.Minute { // two seconds on an idle machine
				t.Errorf("took %s", took)
			}
		})
	}
}

// MaxItems counts results for resources, not actions.
func TestSimulationCountsResources(t *testing.T) {
	w := inMemory(t)
	in := &iam.SimulateCustomPolicyInput{
		ActionNames: []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, PolicyInputList: []string{allowAll},
		ResourceArns: []string{"arn:aws:s3:::a", "arn:aws:s3:::b"}, MaxItems: ptr(int32(5)),
	}
	first := must(t, w.root.SimulateCustomPolicy, in)
	if len(first.EvaluationResults) != 2 || !first.IsTruncated {
		t.Errorf("%d results, truncated %t", len(first.EvaluationResults), first.IsTruncated)
	}
	in.Marker = first.Marker
	rest := must(t, w.root.SimulateCustomPolicy, in)
	if len(rest.EvaluationResults) != 1 || rest.IsTruncated || *rest.EvaluationResults[0].EvalActionName != "s3:DeleteObject" {
		t.Errorf("%+v", rest)
	}
}

// The details of an account come in pages of bounded size, whatever is wanted.
func TestAuthorizationDetailsAreBounded(t *testing.T) {
	w := inMemory(t)
	var actions []string
	for i := range 320 {
		actions = append(actions, fmt.Sprintf(`"s3:GetObj%03d"`, i))
	}
	document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":[` + strings.Join(actions, ",") + `],"Resource":"*"}}`
	const policies = 120
	for i := range policies {
		p := must(t, w.root.CreatePolicy, &iam.CreatePolicyInput{PolicyName: ptr(fmt.Sprintf("p%d", i)), PolicyDocument: &document}).Policy
		for range 4 {
			must(t, w.root.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: p.Arn, PolicyDocument: &document})
		}
	}
	a := w.raw(t, call("GetAccountAuthorizationDetails", "MaxItems=1000"))
	if a.status != 0 && a.status != 200 || len(a.body) > 4<<20 {
		t.Errorf("%d, an answer of %d MiB", a.status, len(a.body)>>20)
	}
	found := 0
	for p := iam.NewGetAccountAuthorizationDetailsPaginator(w.root.Client, &iam.GetAccountAuthorizationDetailsInput{MaxItems: ptr(int32(1000))}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found += len(page.Policies)
	}
	if found != policies {
		t.Errorf("%d policies", found)
	}
}
