package service_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func contextEntry(kind types.ContextKeyTypeEnum, values ...string) types.ContextEntry {
	return types.ContextEntry{ContextKeyName: ptr("aws:x"), ContextKeyType: kind, ContextKeyValues: values}
}

// Errors in a context entry have AWS's words.
func TestSimulateContextErrors(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const value = "Invalid context value for key aws:x: expected "
	for _, c := range []struct {
		entry   types.ContextEntry
		message string
	}{
		{types.ContextEntry{ContextKeyType: "string", ContextKeyValues: []string{"a"}},
			"ContextKeyName cannot be null or empty."},
		{contextEntry("", "a"), "Context key aws:x has invalid type null."},
		{contextEntry("string"), "Context values for context key aws:x cannot be null or empty."},
		{contextEntry("string", "a", "b"), "Context key string expected a single value, but received 2."},
		{contextEntry("numeric", "Infinity"), value + "numeric format."},
		{contextEntry("numeric", "0x10"), value + "numeric format."},
		{contextEntry("numeric", " 1 "), value + "numeric format."},
		{contextEntry("numeric", "1e"), value + "numeric format."},
		{contextEntry("numeric", "1e99999999999"), value + "numeric format."},
		{contextEntry("numeric", "1_0"), value + "numeric format."},
		{contextEntry("numeric", "."), value + "numeric format."},
		{contextEntry("numericList", "1", "--1"), value + "numeric format."},
		{contextEntry("ip", "10.0.0.0/8"), value + "IP address."},
		{contextEntry("ip", "10.0.0"), value + "IP address."},
		{contextEntry("ip", "10..0.1"), value + "IP address."},
		{contextEntry("ip", "fe80::1%1"), value + "IP address."},
		{contextEntry("binary", "YR=="), value + "base-64 encoded binary format."},
		{contextEntry("binary", "YQ"), value + "base-64 encoded binary format."},
		{contextEntry("binary", "YQ==\n"), value + "base-64 encoded binary format."},
		{contextEntry("binaryList", "YQ==", "_-=="), value + "base-64 encoded binary format."},
		{contextEntry("date", "soon"), value + "DateTime format."},
		{contextEntry("date", "2035-13"), value + "DateTime format."},
		{contextEntry("date", "9999999999999999999"), value + "DateTime format."},
	} {
		refused(t, w.root.SimulateCustomPolicy, &iam.SimulateCustomPolicyInput{
			PolicyInputList: []string{oneStatement("Allow", "*", "*", "")}, ActionNames: []string{"iam:GetUser"},
			ContextEntries: []types.ContextEntry{c.entry},
		}, 400, "InvalidInput", c.message)
	}
}

// Texts and variables contain typed values in AWS's form. Recorded.
func TestSimulateTypedValues(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	for _, c := range []struct {
		kind        types.ContextKeyTypeEnum
		value, want string
	}{
		{"numeric", "1", "1"}, {"numeric", "01.00", "1.00"}, {"numeric", "1e2", "1E+2"}, {"numeric", "+5.", "5"},
		{"numeric", "-.5", "-0.5"},
		{"numeric", "-0", "0"}, {"numeric", "0.00", "0.00"}, {"numeric", "12.50e1", "125.0"},
		{"numeric", "1e-6", "0.000001"},
		{"numeric", "12e-8", "1.2E-7"}, {"numeric", "1e9999", "1E+9999"}, {"numeric", "0e3", "0E+3"},
		{"numeric", "123E5", "1.23E+7"},
		{"date", "2035", "2035-01-01T00:00:00.000Z"}, {"date", "2035-02", "2035-02-01T00:00:00.000Z"},
		{"date", "2035-01-02", "2035-01-02T00:00:00.000Z"}, {"date", "2035-01-02T03:04Z", "2035-01-02T03:04:00.000Z"},
		{"date", "2035-01-02T03:04:05", "2035-01-02T03:04:05.000Z"},
		{"date", "2035-01-02T03:04:05.6789+02:00", "2035-01-02T01:04:05.678Z"},
		{"date", "2035-01-02T03:04:05+0200", "2035-01-02T01:04:05.000Z"}, {"date", "0", "1970-01-01T00:00:00.000Z"},
		{"date", "1735787045", "2025-01-02T03:04:05.000Z"},
		{"boolean", "TRUE", "TRUE"}, {"ip", "010.1.2.003", "010.1.2.003"}, {"ip", "2001:DB8::1", "2001:DB8::1"},
		{"binary", "YQ==", "YQ=="},
	} {
		r := must(t, w.root.SimulateCustomPolicy, &iam.SimulateCustomPolicyInput{
			PolicyInputList: []string{
				oneStatement("Allow", "*", "arn:aws:x:::${aws:x}", `{"StringEquals":{"aws:x":"`+c.want+`"}}`)},
			ActionNames: []string{"x:Y"}, ResourceArns: []string{"arn:aws:x:::" + c.want},
			ContextEntries: []types.ContextEntry{contextEntry(c.kind, c.value)},
		}).EvaluationResults[0]
		if r.EvalDecision != "allowed" {
			t.Errorf("%s %q is not %q", c.kind, c.value, c.want)
		}
	}
	for condition, e := range map[string]types.ContextEntry{
		`{"NumericGreaterThan":{"aws:x":"9e9998"}}`:       contextEntry("numeric", "1e9999"),
		`{"NumericEquals":{"aws:x":"100"}}`:               contextEntry("numeric", "1e2"),
		`{"ForAnyValue:StringEquals":{"aws:x":"1"}}`:      contextEntry("numericList", "2", "1"),
		`{"DateEquals":{"aws:x":"1970-01-01"}}`:           contextEntry("numeric", "0"),
		`{"IpAddress":{"aws:x":"10.1.2.3"}}`:              contextEntry("ip", "010.1.2.003"),
		`{"DateEquals":{"aws:x":"2035-01-02T00:00:00Z"}}`: contextEntry("date", "2035-01-02"),
	} {
		r := must(t, w.root.SimulateCustomPolicy, &iam.SimulateCustomPolicyInput{
			PolicyInputList: []string{oneStatement("Allow", "*", "*", condition)}, ActionNames: []string{"iam:GetUser"},
			ContextEntries: []types.ContextEntry{e},
		}).EvaluationResults[0]
		if r.EvalDecision != "allowed" {
			t.Errorf("%s does not hold of %v", condition, e.ContextKeyValues)
		}
	}
}

// A caller has a placeholder as aws:userid. If that does not decide, the answer
// lists the key as missing.
func TestSimulatedUserID(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	principals(t, w)
	run := func(want, who string, caller *string, entries ...types.ContextEntry) {
		t.Helper()
		document := oneStatement("Allow", "s3:*", "*", `{"StringEquals":{"aws:userid":"`+who+`"}}`)
		r := must(t, w.root.SimulateCustomPolicy, &iam.SimulateCustomPolicyInput{PolicyInputList: []string{document},
			ActionNames: []string{"s3:GetObject"}, CallerArn: caller, ContextEntries: entries}).EvaluationResults[0]
		if got := brief(r.EvalDecision, nil, r.MissingContextValues); got != want {
			t.Errorf("of %s: %s, want %s", who, got, want)
		}
	}
	ann := userPath + "/x/Ann"
	run("allowed", "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR", nil)
	run("implicitDeny ?aws:userid", "AIDAEXAMPLE", nil)
	run("allowed", ann, &ann)
	run("implicitDeny ?aws:userid", "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR", &ann)
	given := types.ContextEntry{ContextKeyName: ptr("AWS:userId"), ContextKeyType: "string",
		ContextKeyValues: []string{"AIDAEXAMPLE"}}
	run("allowed", "AIDAEXAMPLE", &ann, given)
	run("implicitDeny", ann, &ann, given)

	out := must(t, w.root.SimulatePrincipalPolicy,
		&iam.SimulatePrincipalPolicyInput{PolicySourceArn: ptr(userPath + "/Ann"),
			ActionNames: []string{"s3:PutObject"},
			PolicyInputList: []string{
				oneStatement("Allow", "s3:*", "*", `{"StringEquals":{"aws:userid":"`+userPath+
					`/Ann","aws:PrincipalAccount":"`+account+`"}}`)}})
	wantLines(t, simulated(out.EvaluationResults), "s3:PutObject on *: allowed PolicyInputList.1:1.38-1.205")
}

// Policies with invalid networks are simulated, including resource policies,
// and match nothing. Recorded.
func TestSimulatedNetworks(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const caller, bucket = "arn:aws:iam::123456789012:user/Ann", "arn:aws:s3:::bucket"
	for network, want := range map[string]string{
		"192.0.2.0/24": "allowed", "not-an-ip": "implicitDeny", "::1/64": "implicitDeny",
	} {
		condition := `{"IpAddress":{"aws:x":"` + network + `"}}`
		in := &iam.SimulateCustomPolicyInput{
			PolicyInputList: []string{oneStatement("Allow", "s3:*", "*", condition)},
			ActionNames:     []string{"s3:ListBucket"},
			ContextEntries:  []types.ContextEntry{contextEntry("ip", "192.0.2.1")}, ResourceArns: []string{bucket},
		}
		of := func() string {
			return string(must(t, w.root.SimulateCustomPolicy, in).EvaluationResults[0].EvalDecision)
		}
		if got := of(); got != want {
			t.Errorf("%s: %s", network, got)
		}
		in.PolicyInputList, in.CallerArn = []string{oneStatement("Allow", "iam:*", "*", "")}, ptr(caller)
		in.ResourcePolicy = ptr(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"` + caller + `"},"Action":"s3:*",` +
			`"Resource":"` + bucket + `","Condition":` + condition + `}}`)
		if got := of(); got != want {
			t.Errorf("%s of the resource: %s", network, got)
		}
	}
}
