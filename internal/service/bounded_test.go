package service_test

import (
	"fmt"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// The answer and the work for a request are limited, whatever combinations or
// patterns it contains.
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
	const everything = `{"Effect":"Allow","Action":"*","Resource":"*"},`
	statements := func(n int) string {
		return fmt.Sprintf(document, strings.TrimSuffix(strings.Repeat(everything, n), ","))
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
	// There are many values, or long ones, on both sides of a comparison.
	compared := func(operator string, value func(i int) string) []string {
		var b strings.Builder
		n := 0
		for ; b.Len() < 120<<10; n++ {
			fmt.Fprintf(&b, `,%q`, value(n))
		}
		condition := `{"ForAnyValue:` + operator + `":{"t:key":[` + b.String()[1:] + `]}}`
		return documents(1, *statement("Deny", `"*"`, `,"Condition":`+condition))
	}
	entry := func(kind string, values ...string) []string {
		form := list("ContextEntries.member.1.ContextKeyValues", len(values), func(i int) string { return values[i] })
		return append(form, "ContextEntries.member.1.ContextKeyName=t:key",
			"ContextEntries.member.1.ContextKeyType="+kind)
	}
	entries := func(kind string, n int, value func(i int) string) []string {
		values := make([]string, n)
		for i := range values {
			values[i] = value(i)
		}
		return entry(kind, values...)
	}
	word := func(i int) string { return fmt.Sprintf("v%05d", i) }
	other := func(i int) string { return fmt.Sprintf("V%05d..", i) }
	wild := func(i int) string { return fmt.Sprintf("*%04d?", i) }
	number := func(i int) string { return fmt.Sprint(100000 + i) }
	large := func(int) string { return "200000" }
	network := func(i int) string { return fmt.Sprintf("10.%d.%d.0/24", i/250, i%250) }
	address := func(i int) string { return fmt.Sprintf("192.168.%d.%d", i/250, i%250) }
	questions := func(int) string { return "*" + strings.Repeat("a?", 2000) + "b" }
	long := func(n int) []string { return entry("string", strings.Repeat("a", n)) }
	unlike := func(pattern string) string {
		return `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"t:key":"` + pattern + `"}}}`
	}
	pathological := `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::` + "*" +
		strings.Repeat("a?", 600) + `b"},`
	for name, c := range map[string]struct {
		action string
		form   []string
	}{
		"300 actions on 1,000 resources": {"SimulateCustomPolicy",
			many(actions(300), resources(1000, ""), documents(1, statements(1)))},
		"9,000 actions, 1,000 items wanted": {"SimulateCustomPolicy",
			many(actions(9000), documents(1, statements(20)), []string{"MaxItems=1000"})},
		"6,000 statements on 100 resources": {"SimulateCustomPolicy",
			many(actions(100), resources(100, ""), documents(3, statements(2000)))},
		"one action on 9,000 resources": {"SimulateCustomPolicy",
			many(actions(1), resources(9000, ""), documents(1, statements(1)))},
		"10,000 keys that are missing": {"SimulateCustomPolicy",
			many(actions(10), resources(100, ""),
				documents(4, fmt.Sprintf(document, strings.TrimSuffix(conditions(2500), ","))))},
		"10,000 keys": {"GetContextKeysForCustomPolicy",
			documents(4, fmt.Sprintf(document, strings.TrimSuffix(conditions(2500), ",")))},
		"thousands of values on thousands": {"SimulateCustomPolicy",
			many(actions(1), compared("StringEquals", word), entries("stringList", 8000, other))},
		"thousands without case": {"SimulateCustomPolicy",
			many(actions(1), compared("StringEqualsIgnoreCase", word), entries("stringList", 8000, other))},
		"thousands of patterns": {"SimulateCustomPolicy",
			many(actions(1), compared("StringLike", wild), entries("stringList", 8000, other))},
		"thousands of numbers": {"SimulateCustomPolicy",
			many(actions(1), compared("NumericLessThan", number), entries("numericList", 8000, large))},
		"thousands of networks": {"SimulateCustomPolicy",
			many(actions(1), compared("IpAddress", network), entries("ipList", 8000, address))},
		"a long pattern on a long value": {"SimulateCustomPolicy",
			many(actions(1), documents(1, fmt.Sprintf(document, unlike(questions(0)))), long(200<<10))},
		"long patterns on a long value": {"SimulateCustomPolicy",
			many(actions(1), compared("StringLike", questions), long(400<<10))},
		"patterns that could be tried forever": {"SimulateCustomPolicy",
			many(actions(10), resources(10, strings.Repeat("a", 1800)),
				documents(3, fmt.Sprintf(document, strings.TrimSuffix(strings.Repeat(pathological, 95), ","))))},
	} {
		t.Run(name, func(t *testing.T) {
			start, before := time.Now(), cpuTime(t)
			a := w.raw(t, call(c.action, strings.Join(c.form, "&")))
			took, cpu := time.Since(start), cpuTime(t)-before
			t.Logf("%d %s, %d KiB, %s, %s of CPU", a.status, a.message, len(a.body)>>10,
				took.Round(time.Millisecond), cpu.Round(time.Millisecond))
			if a.status >= 500 || a.status == 400 && a.code != "InvalidInput" {
				t.Errorf("%d %s %s", a.status, a.code, a.message)
			}
			if len(a.body) > 4<<20 {
				t.Errorf("an answer of %d MiB", len(a.body)>>20)
			}
			if took > time.Minute { // it takes two seconds on an idle machine
				t.Errorf("took %s", took)
			}
			if cpu > 5*time.Second {
				t.Errorf("took %s of CPU", cpu)
			}
		})
	}
}

// cpuTime returns the processor time that this process has used so far.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// A call whose authorization takes too long is refused, and may be repeated.
func TestCostlyPolicies(t *testing.T) {
	w := inMemory(t)
	w.user(t, "Ann")
	var patterns []string
	for i := range 85 {
		patterns = append(patterns, fmt.Sprintf(`"*%sb%02d*"`, strings.Repeat("a?", 30), i))
	}
	for i := range 10 {
		deny := statement("Deny", `"*"`, `,"Condition":{"StringLike":{"aws:UserAgent":[`+
			strings.Join(patterns, ",")+`]}}`)
		p := must(t, w.root.CreatePolicy,
			&iam.CreatePolicyInput{PolicyName: ptr(fmt.Sprint("costly", i)), PolicyDocument: deny}).Policy
		must(t, w.root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: ptr("Ann"), PolicyArn: p.Arn})
	}
	w.putUserPolicy(t, "Ann", statement("Allow", `"*"`, ""))
	arn := w.role(t, "worker", trusting("Ann"))
	ann := w.asUser(t, "Ann")
	must(t, ann.GetUser, &iam.GetUserInput{})
	must(t, ann.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")})
	for _, form := range []string{call("GetUser", ""), call("DeleteRole", "RoleName=worker"),
		"Action=AssumeRole&Version=" + stsVersion + "&RoleSessionName=night&RoleArn=" + arn} {
		service := "iam"
		if strings.Contains(form, stsVersion) {
			service = "sts"
		}
		r := w.post(t, "/", form)
		r.Header.Set("User-Agent", strings.Repeat("a", 60<<10))
		w.sign(r, form, ann, "us-east-1", service)
		before := cpuTime(t)
		wants(t, send(t, r), 503, "ServiceUnavailable", "The request takes too long to authorize.")
		if cpu := cpuTime(t) - before; cpu > 5*time.Second {
			t.Errorf("took %s of CPU", cpu)
		}
	}
	must(t, w.root.GetRole, &iam.GetRoleInput{RoleName: ptr("worker")})
}

// MaxItems counts actions, whatever the number of resources. Recorded.
func TestSimulationCountsActions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	in := &iam.SimulateCustomPolicyInput{
		ActionNames: []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, PolicyInputList: []string{allowAll},
		ResourceArns: []string{"arn:aws:s3:::a", "arn:aws:s3:::b"}, MaxItems: ptr(int32(2)),
	}
	first := must(t, w.root.SimulateCustomPolicy, in)
	if len(first.EvaluationResults) != 2 || !first.IsTruncated {
		t.Errorf("%d results, truncated %t", len(first.EvaluationResults), first.IsTruncated)
	}
	in.Marker = first.Marker
	rest := must(t, w.root.SimulateCustomPolicy, in)
	if len(rest.EvaluationResults) != 1 || rest.IsTruncated ||
		*rest.EvaluationResults[0].EvalActionName != "s3:DeleteObject" {
		t.Errorf("%+v", rest)
	}
}

// The details of an account come in pages of limited size, whatever MaxItems
// is.
func TestAuthorizationDetailsAreBounded(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	var actions []string
	for i := range 320 {
		actions = append(actions, fmt.Sprintf(`"s3:GetObj%03d"`, i))
	}
	document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":[` +
		strings.Join(actions, ",") + `],"Resource":"*"}}`
	const policies = 120
	for i := range policies {
		p := must(t, w.root.CreatePolicy,
			&iam.CreatePolicyInput{PolicyName: ptr(fmt.Sprintf("p%d", i)), PolicyDocument: &document}).Policy
		for range 4 {
			must(t, w.root.CreatePolicyVersion,
				&iam.CreatePolicyVersionInput{PolicyArn: p.Arn, PolicyDocument: &document})
		}
	}
	a := w.raw(t, call("GetAccountAuthorizationDetails", "MaxItems=1000"))
	if a.status != 0 && a.status != 200 || len(a.body) > 4<<20 {
		t.Errorf("%d, an answer of %d MiB", a.status, len(a.body)>>20)
	}
	found := 0
	for p := iam.NewGetAccountAuthorizationDetailsPaginator(w.root.Client,
		&iam.GetAccountAuthorizationDetailsInput{MaxItems: ptr(int32(1000))}); p.HasMorePages(); {
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
