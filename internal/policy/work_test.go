package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// costly returns a policy whose evaluation takes very long before it turns out
// not to apply, and a request for it.
func costly(t testing.TB) (Request, []Policy) {
	t.Helper()
	var patterns []string
	for i := range 400 {
		patterns = append(patterns, fmt.Sprintf(`"*%sb%d*"`, strings.Repeat("a?", 100), i))
	}
	d := document(t, `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"t:key":[`+
		strings.Join(patterns, ",")+`]}}},
	 {"Effect":"Allow","Action":"*","Resource":"*"}`)
	req := Request{Principal: callers[""], Action: "iam:GetUser", Resources: []string{"*"},
		Context: NewContext(map[string][]string{"t:key": {strings.Repeat("a", 1<<20)}})}
	return req, []Policy{{Document: d}}
}

// decisions are all ways to get a decision.
var decisions = map[string]func(ctx context.Context, req Request, policies []Policy) (any, error){
	"Evaluate": func(ctx context.Context, req Request, policies []Policy) (any, error) {
		d, err := Evaluate(ctx, req, Policies{Identity: policies})
		return d.Allowed, err
	},
	"Matching": func(ctx context.Context, req Request, policies []Policy) (any, error) {
		matches, err := Matching(ctx, req, "*", policies)
		return len(matches) > 0, err
	},
	"AssumeRole": func(ctx context.Context, req Request, policies []Policy) (any, error) {
		d, err := AssumeRole(ctx, req, Policies{}, policies[0], req.Principal.Account)
		return d.Allowed, err
	},
}

// Work ends by itself, and unfinished work allows nothing.
func TestEvaluationIsBounded(t *testing.T) {
	req, policies := costly(t)
	for name, decide := range decisions {
		got, err := decide(t.Context(), req, policies)
		if !errors.Is(err, ErrTooCostly) || name != "Matching" && got == true {
			t.Errorf("%s = %v, %v", name, got, err)
		}
	}
	if _, err := Missing(t.Context(), req, slices.Repeat(policies, 1<<16)); !errors.Is(err, ErrTooCostly) {
		t.Errorf("Missing: %v", err)
	}
}

// When a caller stops waiting for a decision, the work on it soon ends.
func TestEvaluationLooksAtItsContext(t *testing.T) {
	left := errors.New("left")
	for name, decide := range decisions {
		req, policies := costly(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		values := req.Context
		req.Context = func(key string) Values {
			cancel(left) // once the work has begun
			return values(key)
		}
		if got, err := decide(ctx, req, policies); !errors.Is(err, left) || name != "Matching" && got == true {
			t.Errorf("%s = %v, %v", name, got, err)
		}
	}
}

// Plain texts among thousands are looked up.
func TestValuesAreLookedUp(t *testing.T) {
	var policy, request []string
	for i := range 20000 {
		policy = append(policy, fmt.Sprintf(`"V%d"`, i))
		request = append(request, fmt.Sprintf("v%d", i))
	}
	for operator, texts := range map[string][]string{"StringEquals": request, "StringLike": request,
		"StringEqualsIgnoreCase": {"w", "VV"}} {
		d := document(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:`+operator+
			`":{"t:key":[`+strings.Join(policy, ",")+`]}}}`)
		for _, last := range []string{"V19999", "V19999\u0301"} {
			ctx := NewContext(map[string][]string{"t:key": append(texts, last)})
			e := begin(t.Context(), Request{Action: "a:b", Context: ctx})
			e.on("*")
			got := e.applies(&d.Statements[0]) != notNamed
			if got != (last == "V19999") || e.err != nil || e.looks > 10 {
				t.Errorf("%s, %q: %v after %d looks, %v", operator, last, got, e.looks, e.err)
			}
		}
	}
}

// Look-ups and comparisons give the same results, whatever else is listed.
func TestListedAndUnlisted(t *testing.T) {
	list := `"a","B","","x*","${t:name}","ΟΣ","${*}","c","d","e"`
	for _, test := range []struct {
		operator, request string
		want              bool
	}{
		{"StringEquals", "a", true}, {"StringEquals", "A", false}, {"StringEquals", "", true},
		{"StringEquals", "bob", true},
		{"StringEquals", "xy", false}, {"StringEquals", "x*", true}, {"StringEquals", "*", true},
		{"StringEquals", "f", false},
		{"StringLike", "xy", true}, {"StringLike", "a", true}, {"StringLike", "*", true}, {"StringLike", "bob", true},
		{"StringLike", "", true}, {"StringLike", "b", false}, {"StringNotLike", "xy", false},
		{"StringNotLike", "f", true},
		{"StringEqualsIgnoreCase", "A", true}, {"StringEqualsIgnoreCase", "b", true},
		{"StringEqualsIgnoreCase", "", true},
		{"StringEqualsIgnoreCase", "BOB", true}, {"StringEqualsIgnoreCase", "ος", true},
		{"StringEqualsIgnoreCase", "οσ", false},
		{"StringEqualsIgnoreCase", "X*", true}, {"StringEqualsIgnoreCase", "xy", false},
	} {
		condition := `{"` + test.operator + `":{"t:key":[` + list + `]}}`
		if grants, _ := applies(t, Managed, condition, Values{Texts: []string{test.request}}); grants != test.want {
			t.Errorf("%s of %q: %v", test.operator, test.request, grants)
		}
	}
}
