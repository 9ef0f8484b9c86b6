package policy

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The pools are small so that documents and requests meet often.
var (
	actionPool    = []string{"iam:GetUser", "iam:CreateUser", "iam:CreateAccessKey", "sts:AssumeRole", "iam:PassRole"}
	actionTexts   = []string{"*", "iam:*", "IAM:get*", "iam:Create*", "iam:CreateUser", "iam:?reate*Key", "sts:*", "sts:AssumeRole", "iam:PassRole"}
	resourcePool  = []string{"*", "arn:aws:iam::111111111111:user/bob", "arn:aws:iam::111111111111:user/x/eve", "arn:aws:iam::111111111111:role/r", "arn:aws:s3:::b:c/d"}
	resourceTexts = []string{"*", "arn:aws:iam::*:user/*", "arn:aws:iam::111111111111:user/${aws:username}", "arn:aws:iam::111111111111:role/?",
		"arn:aws:iam::111111111111:user/${aws:PrincipalTag/Name, 'bob'}", "arn:aws:s3:::*${*}", "arn:aws:s3:::b*d", "arn:aws:s3:::*:c/*"}
	keyPool   = []string{"aws:username", "aws:PrincipalTag/Name", "aws:TagKeys", "t:value", "t:other"}
	valuePool = map[string][]string{
		"String":  {"bob", "BOB", "b*", "*", "", "${aws:username}", "${aws:PrincipalTag/Name, 'eve'}", "${*}", "eve", "b?b"},
		"Numeric": {"1", "1.5", "-2", "100", "1e2"},
		"Date":    {"2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00", "1577836800", "2020-02", "2020-01-01T00:00:00.5Z"},
		"Bool":    {"true", "false", "TRUE"},
		"Binary":  {"QUI=", "", "Ym9i"},
		"Ip":      {"10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "0.0.0.0/0"},
		"Arn":     {"arn:aws:iam::*:user/*", "arn:aws:iam::111111111111:user/${aws:username}", "*", "arn:aws:*:user/bob", "arn:aws:iam::111111111111:user/bob"},
		"Null":    {"true", "false"},
	}
	requestPool = []string{"bob", "BOB", "eve", "b*", "", "1", "1.5", "100", "-2", "2020-01-01", "2020-01-01T00:00:00.5Z", "1577836800", "true", "false",
		"QUI=", "10.0.0.1", "10.2.0.1", "2001:db8::1", "192.0.2.1", "arn:aws:iam::111111111111:user/bob", "arn:aws:iam::111111111111:user/bob:x"}
	operatorNames = slices.Sorted(maps.Keys(operators))
)

func pools(operator string) []string {
	for family, pool := range valuePool {
		if strings.HasPrefix(strings.TrimPrefix(operator, "Not"), family) {
			return pool
		}
	}
	panic(operator)
}

// some draws a few of a pool, bare or in an array.
func some(t *rapid.T, label string, pool []string) any {
	values := rapid.SliceOfN(rapid.SampledFrom(pool), 1, 3).Draw(t, label)
	if len(values) == 1 && rapid.Bool().Draw(t, label+" bare") {
		return values[0]
	}
	return values
}

func drawStatement(t *rapid.T) map[string]any {
	st := map[string]any{"Effect": "Allow"}
	if rapid.IntRange(0, 3).Draw(t, "deny") == 0 {
		st["Effect"] = "Deny"
	}
	not := func(key string) string {
		if rapid.IntRange(0, 3).Draw(t, "not") == 0 {
			return "Not" + key
		}
		return key
	}
	st[not("Action")] = some(t, "action", actionTexts)
	st[not("Resource")] = some(t, "resource", resourceTexts)
	block := map[string]map[string]any{}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		name := rapid.SampledFrom(operatorNames).Draw(t, "operator")
		pool := pools(name)
		if name != "Null" {
			name = rapid.SampledFrom([]string{"", "", "ForAllValues:", "ForAnyValue:"}).Draw(t, "set") + name +
				rapid.SampledFrom([]string{"", "", "IfExists"}).Draw(t, "exists")
		}
		if block[name] == nil {
			block[name] = map[string]any{}
		}
		block[name][rapid.SampledFrom(keyPool).Draw(t, "key")] = some(t, "values", pool)
	}
	if len(block) > 0 {
		st["Condition"] = block
	}
	return st
}

// drawDocuments draws up to most documents as text and as Policies.
func drawDocuments(t *rapid.T, label string, least, most int) (documents []string, policies []Policy) {
	for range rapid.IntRange(least, most).Draw(t, label) {
		d := map[string]any{"Version": NewVersion}
		var statements []any
		for range rapid.IntRange(1, 3).Draw(t, "statements") {
			statements = append(statements, drawStatement(t))
		}
		d["Statement"] = statements
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := Parse(string(b), Managed)
		if err != nil {
			t.Fatalf("Parse %s: %v", b, err)
		}
		documents = append(documents, string(b))
		policies = append(policies, Policy{Document: parsed})
	}
	return documents, policies
}

// TestAgainstNaive: the evaluator and the naive one agree on every actor,
// action, resource and condition that the pools can make.
func TestAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Policies
		var identity, boundary, session, control []string
		identity, p.Identity = drawDocuments(t, "identity", 1, 3)
		boundary, p.Boundary = drawDocuments(t, "boundary", 0, 1)
		session, p.Session = drawDocuments(t, "session", 0, 1)
		control, p.Control = drawDocuments(t, "control", 0, 1)
		context := map[string][]string{}
		for _, key := range keyPool {
			least, most := 0, 1
			if key == "aws:TagKeys" || key == "t:value" {
				most = 3
			}
			if values := rapid.SliceOfN(rapid.SampledFrom(requestPool), least, most).Draw(t, key); len(values) > 0 {
				context[strings.ToLower(key)] = values
			}
		}
		if name := context["aws:username"]; len(name) == 1 && strings.Contains(name[0], ":") {
			delete(context, "aws:username") // see naive.sameARN
		}
		caller := callers[rapid.SampledFrom([]string{"", "root", "session"}).Draw(t, "caller")]
		for _, action := range actionPool {
			for _, resource := range resourcePool {
				n := naive{principal: caller, action: action, resource: resource, context: context}
				req := Request{Principal: caller, Action: action, Resources: []string{resource}, Context: NewContext(context)}
				got, want := Evaluate(req, p), n.decide(identity, boundary, session, control)
				if got.Allowed != want {
					t.Fatalf("%s by %s on %s with %v: allowed = %v, naive says %v", action, caller.ARN, resource, context, got.Allowed, want)
				}
				if got.Allowed && got.Explicit {
					t.Fatal("allowed by a deny")
				}
			}
		}
	})
}

// TestDenyOnlyTakes: adding any policy to a limiting layer, or a deny to the
// identity, never turns a refusal into an allow.
func TestDenyOnlyTakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Policies
		_, p.Identity = drawDocuments(t, "identity", 1, 3)
		_, limit := drawDocuments(t, "limit", 1, 1)
		context := NewContext(map[string][]string{"aws:username": {"bob"}, "t:value": {rapid.SampledFrom(requestPool).Draw(t, "value")}})
		for _, action := range actionPool {
			for _, resource := range resourcePool {
				req := Request{Principal: callers[""], Action: action, Resources: []string{resource}, Context: context}
				before := Evaluate(req, p).Allowed
				for name, limited := range map[string]Policies{
					"boundary": {Identity: p.Identity, Boundary: limit},
					"session":  {Identity: p.Identity, Session: limit},
					"control":  {Identity: p.Identity, Control: limit},
				} {
					if Evaluate(req, limited).Allowed && !before {
						t.Fatalf("a %s policy gave %s on %s", name, action, resource)
					}
				}
			}
		}
	})
}
