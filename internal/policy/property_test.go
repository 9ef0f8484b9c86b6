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
	actionPool = []string{"iam:GetUser", "iam:CreateUser", "iam:CreateAccessKey", "sts:AssumeRole", "iam:PassRole",
		"iam:É😀"}
	actionTexts = []string{"*", "iam:*", "IAM:get*", "iam:Create*", "iam:CreateUser", "iam:?reate*Key", "sts:*",
		"sts:AssumeRole", "iam:PassRole", "iam:é??"}
	resourcePool = []string{"*", "arn:aws:iam::111111111111:user/bob", "arn:aws:iam::111111111111:user/x/eve",
		"arn:aws:iam::111111111111:role/r", "arn:aws:s3:::b:c/d", "arn:aws:s3:::😀"}
	resourceTexts = []string{"*", "arn:aws:iam::*:user/*", "arn:aws:iam::111111111111:user/${aws:username}",
		"arn:aws:iam::111111111111:role/?",
		"arn:aws:iam::111111111111:user/${aws:PrincipalTag/Name, 'bob'}", "arn:aws:s3:::*${*}", "arn:aws:s3:::b*d",
		"arn:aws:s3:::*:c/*",
		"arn:aws:s3:::??", "arn:aws:s3:::?", "arn:aws:s3:::${aws:TagKeys, '😀'}"}
	keyPool   = []string{"aws:username", "aws:PrincipalTag/Name", "aws:TagKeys", "t:value", "t:other"}
	valuePool = map[string][]string{
		"String": {"bob", "BOB", "b*", "*", "", "${aws:username}", "${aws:PrincipalTag/Name, 'eve'}", "${*}", "eve",
			"b?b", "b??b", "b?*b", "b😀b", "ſ", "Σ", "ΟΣ", "${aws:TagKeys, 'x'}", "${t:value}Σ", "1", "2020-01-01"},
		"Numeric": {"1", "1.5", "-2", "100", "1e2", "1e9999", "9007199254740993.0", "-0"},
		"Date": {"2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00", "1577836800", "2020-02",
			"2020-01-01T00:00:00.5Z"},
		"Bool":   {"true", "false", "TRUE", "yes", "${t:value}", "${t:other, 'true'}"},
		"Binary": {"QUI=", "", "Ym9i"},
		"Ip": {"10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "0.0.0.0/0", "010.+00.0.1/+08", "2001:DB8:::1/0128",
			"2001:db8::1:", "::/0", "10.2.0.1/016", "::ffff:a00:1/128"},
		"Arn": {"arn:aws:iam::*:user/*", "arn:aws:iam::111111111111:user/${aws:username}",
			"arn:aws:iam::111111111111:user/bob", "arn:aws:iam::111111111111:user/b?b", "${t:value}", "arn:*:*:*:*:*",
			"${aws:TagKeys, 'x'}"},
		"Null": {"true", "false", "yes", "True"},
	}
	// sessionPool holds values that session policies may have in addition.
	sessionPool = map[string][]string{
		"Numeric": {"NaN", "five", ""}, "Date": {"yesterday", ""}, "Arn": {"*", "bob", "arn:aws:iam:x"},
		"Ip": {"here", "10.0.0.1/33", "2001:db8::1/129", "2001:db8::1/32", "::ffff:10.0.0.1", "2001:db8:::1/128"},
	}
	requestPool = []string{"bob", "BOB", "eve", "b*", "", "1", "1.5", "100", "-2", "2020-01-01",
		"2020-01-01T00:00:00.5Z", "1577836800", "true", "false",
		"True", " true ", "yes", "1e9999", "9007199254740993", "9007199254740992", "s", "ſ", "σ", "ς", "ος", "b😀b",
		"bπb",
		"QUI=", "10.0.0.1", "10.2.0.1", "2001:db8::1", "192.0.2.1", "arn:aws:iam::111111111111:user/bob",
		"arn:aws:iam::111111111111:user/bob:x"}
	operatorNames = slices.Sorted(maps.Keys(operators))
)

func pools(operator string, kind Kind) []string {
	for family, pool := range valuePool {
		if strings.HasPrefix(strings.TrimPrefix(operator, "Not"), family) {
			if kind == Session {
				pool = append(pool[:len(pool):len(pool)], sessionPool[family]...)
			}
			return pool
		}
	}
	panic(operator)
}

// some draws a few elements of a pool, bare or in an array.
func some(t *rapid.T, label string, pool []string) any {
	values := rapid.SliceOfN(rapid.SampledFrom(pool), 1, 3).Draw(t, label)
	if len(values) == 1 && rapid.Bool().Draw(t, label+" bare") {
		return values[0]
	}
	return values
}

func drawStatement(t *rapid.T, kind Kind) map[string]any {
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
		pool := pools(name, kind)
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
func drawDocuments(t *rapid.T, label string, kind Kind, least, most int) (documents []string, policies []Policy) {
	for range rapid.IntRange(least, most).Draw(t, label) {
		d := map[string]any{"Version": NewVersion}
		var statements []any
		for range rapid.IntRange(1, 3).Draw(t, "statements") {
			statements = append(statements, drawStatement(t, kind))
		}
		d["Statement"] = statements
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := Parse(string(b), kind)
		if err != nil {
			t.Fatalf("Parse %s: %v", b, err)
		}
		documents = append(documents, string(b))
		policies = append(policies, Policy{Document: parsed})
	}
	return documents, policies
}

// TestAgainstNaive checks that the evaluator and the naive one agree on every
// actor, action, resource and condition that the pools can create.
func TestAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Policies
		var identity, boundary, session, control []string
		identity, p.Identity = drawDocuments(t, "identity", Managed, 1, 3)
		boundary, p.Boundary = drawDocuments(t, "boundary", Boundary, 0, 1)
		session, p.Session = drawDocuments(t, "session", Session, 0, 1)
		control, p.Control = drawDocuments(t, "control", Control, 0, 1)
		context := drawContext(t)
		simulated := rapid.Bool().Draw(t, "simulated")
		caller := callers[rapid.SampledFrom([]string{"", "root", "session"}).Draw(t, "caller")]
		for _, action := range actionPool {
			for _, resource := range resourcePool {
				n := naive{caller, action, resource, context, simulated}
				req := Request{Principal: caller, Action: action, Resources: []string{resource}, Simulated: simulated,
					Context: func(key string) Values { return context[key] }}
				got, err := Evaluate(t.Context(), req, p)
				if want := n.decide(identity, boundary, session, control); got.Allowed != want || err != nil {
					t.Fatalf("%s by %s on %s with %v: allowed = %v, naive says %v, %v",
						action, caller.ARN, resource, context, got.Allowed, want, err)
				}
				if got.Allowed && got.Explicit {
					t.Fatal("allowed by a deny")
				}
			}
		}
	})
}

// TestConditionsAgainstNaive checks that both agree about every operator in
// every form, for an allow and for a deny.
func TestConditionsAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		context := drawContext(t)
		kind := rapid.SampledFrom([]Kind{Managed, Session}).Draw(t, "kind")
		n := naive{callers[""], "iam:GetUser", "*", context, rapid.Bool().Draw(t, "simulated")}
		e := begin(t.Context(), Request{Action: n.action, Simulated: n.simulated,
			Context: func(key string) Values { return context[key] }})
		e.on("*")
		for _, name := range operatorNames {
			for _, set := range []string{"", "", "ForAllValues:", "ForAnyValue:"} {
				exists := rapid.SampledFrom([]string{"", "IfExists"}).Draw(t, "exists")
				if name == "Null" {
					set, exists = "", ""
				}
				key := rapid.SampledFrom(keyPool).Draw(t, "key")
				condition := map[string]any{
					set + name + exists: map[string]any{key: some(t, "values", pools(name, kind))}}
				for _, effect := range []Effect{Allow, Deny} {
					st := map[string]any{"Effect": effect, "Action": "*", "Resource": "*", "Condition": condition}
					text, err := json.Marshal(map[string]any{"Version": NewVersion, "Statement": []any{st}})
					if err != nil {
						t.Fatal(err)
					}
					d, err := Parse(string(text), kind)
					if err != nil {
						t.Fatalf("Parse %s: %v", text, err)
					}
					got := e.applies(&d.Statements[0]) != notNamed
					v := n.set([]string{string(text)}, kind == Session)
					if want := v.allowed || v.denied; got != want {
						t.Fatalf("%s with %v: applies = %v, naive says %v", text, context[strings.ToLower(key)], got,
							want)
					}
				}
			}
		}
	})
}

// drawContext draws values for the keys of keyPool, by their folded names.
func drawContext(t *rapid.T) map[string]Values {
	context := map[string]Values{}
	for _, key := range keyPool {
		v := Values{}
		most := 1
		if key == "aws:TagKeys" || key == "t:value" {
			most, v.List = 3, rapid.Bool().Draw(t, "list")
		}
		v.Texts = rapid.SliceOfN(rapid.SampledFrom(requestPool), 0, most).Draw(t, key)
		context[strings.ToLower(key)] = v
	}
	if name := context["aws:username"].Texts; len(name) == 1 && strings.Contains(name[0], ":") {
		delete(context, "aws:username") // see naive.sameARN
	}
	return context
}

// TestDenyOnlyTakes checks that an additional policy in a limiting layer, or a
// deny in the identity, never turns a refusal into an allow.
func TestDenyOnlyTakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Policies
		_, p.Identity = drawDocuments(t, "identity", Managed, 1, 3)
		_, limit := drawDocuments(t, "limit", Managed, 1, 1)
		context := NewContext(
			map[string][]string{"aws:username": {"bob"}, "t:value": {rapid.SampledFrom(requestPool).Draw(t, "value")}})
		for _, action := range actionPool {
			for _, resource := range resourcePool {
				req := Request{Principal: callers[""], Action: action, Resources: []string{resource}, Context: context}
				before := may(t, req, p)
				for name, limited := range map[string]Policies{
					"boundary": {Identity: p.Identity, Boundary: limit},
					"session":  {Identity: p.Identity, Session: limit},
					"control":  {Identity: p.Identity, Control: limit},
				} {
					if may(t, req, limited) && !before {
						t.Fatalf("a %s policy gave %s on %s", name, action, resource)
					}
				}
			}
		}
	})
}

func may(t *rapid.T, req Request, p Policies) bool {
	d, err := Evaluate(t.Context(), req, p)
	if err != nil {
		t.Fatal(err)
	}
	return d.Allowed
}
