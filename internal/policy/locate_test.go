package policy

import (
	"errors"
	"strings"
	"testing"

	"rollcall/internal/awsmodel"
)

// TestLocate marks the position of each mistake by ▶ before it.
func TestLocate(t *testing.T) {
	for _, c := range []struct {
		name, text string
		kind       Kind
	}{
		{"empty", "▶", Managed},
		{"text", "▶this is not JSON", Managed},
		{"missing comma", "{\"Version\":\"2012-10-17\"\n  ▶\"Statement\":[]}", Managed},
		{"comma too many", "{\"Version\":\"2012-10-17\",\n▶}", Managed},
		{"never closed", "{\"Version\":\"2012-10-17\"▶", Managed},
		{"text behind", "{\"Version\":\"2012-10-17\"} ▶x", Managed},
		{"a list", "▶[]", Managed},
		{"version of no language", `{"Version":▶"2012-10-18","Statement":[]}`, Managed},
		{"old version", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"},"Version":▶"2008-10-17"}`, Managed},
		{"no version", `▶{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, Managed},
		{"no statement", `▶{"Version":"2012-10-17"}`, Managed},
		{"unknown member", `{"Version":"2012-10-17","Sid":▶"x"}`, Managed},
		{
			"effect", "{\"Version\":\"2012-10-17\",\"Statement\":[\n{\"Effect\":\"Deny\",\"Action\":\"*\"," +
				"\"Resource\":\"*\"},\n{\"Effect\":▶\"Alow\"}]}", Managed,
		},
		{
			"effect in other case",
			`{"Version":"2012-10-17","Statement":[{"Action":"*","Resource":"*","Effect":▶"allow"}]}`, Managed,
		},
		{"no effect", `{"Version":"2012-10-17","Statement":[▶{"Action":"*","Resource":"*"}]}`, Managed},
		{"no action", `{"Version":"2012-10-17","Statement":▶{"Effect":"Deny","Resource":"*"}}`, Managed},
		{
			"a number among actions",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["a:b",▶7],"Resource":"*"}]}`, Managed,
		},
		{
			"second action",
			"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":[\"a:b\",\n ▶\"ab\"]," +
				"\"Resource\":\"*\"}]}", Managed,
		},
		{
			"resource of the second statement",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"a:b","Resource":"*"},` +
				`{"Effect":"Deny","Action":"a:b","Resource":["*",▶"bucket"]}]}`, Managed,
		},
		{
			"one Sid twice", `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","Action":"a:b",` +
				`"Resource":"*"},{"Sid":▶"a","Effect":"Deny","Action":"a:b","Resource":"*"}]}`, Managed,
		},
		{
			"principal", `{"Version":"2012-10-17","Statement":[{"Principal":▶"*","Effect":"Deny","Action":"a:b",` +
				`"Resource":"*"}]}`, Inline,
		},
		{
			"operator", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"a:b","Resource":"*",` +
				`"Condition":{"Bool":{"a:b":"true"},"StringEqual":{"a:b":▶"c"}}}]}`, Inline,
		},
		{
			"value of a condition", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"a:b","Resource":"*",` +
				`"Condition":{"Bool":{"a:b":"true"},"IpAddress":{"aws:SourceIp":["10.0.0.0/8",▶"10.0.0.0/64"]}}}]}`,
			Inline,
		},
		{"no principal", `{"Statement":[▶{"Effect":"Allow","Action":"sts:AssumeRole"}]}`, Trust},
		{
			"action of another service",
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole",▶"iam:GetUser"]}]}`, Trust,
		},
		{
			"a resource",
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Resource":▶"*"}]}`, Trust,
		},
	} {
		before, after, _ := strings.Cut(c.text, "▶")
		at, err := Locate(before+after, c.kind)
		if want := positionAt(before+after, len(before)); at != want || err == nil {
			t.Errorf("%s: at %+v, want %+v: %v", c.name, at, want, err)
		}
		if _, parsed := Parse(before+after, c.kind); !errors.Is(err, parsed) && err.Error() != parsed.Error() {
			t.Errorf("%s: Locate says %v, and Parse %v", c.name, err, parsed)
		}
	}
}

// TestLocateAgrees compares Locate with Parse for every sample.
func TestLocateAgrees(t *testing.T) {
	for _, s := range samples(t) {
		at, err := Locate(s.text, s.kind)
		var refused *awsmodel.Error
		if s.want == "" != (err == nil) || s.want != "" && (!errors.As(err, &refused) || refused.Message != s.want) {
			t.Errorf("%s %s: %v", s.want, s.note, err)
		}
		if lines := strings.Count(s.text, "\n") + 1; err != nil && (at.Line < 1 || at.Line > lines || at.Column < 1) {
			t.Errorf("%s %s: at %+v", s.want, s.note, at)
		}
	}
}

// TestLocateIsBounded writes documents in which the mistake is the last of very
// many items.
func TestLocateIsBounded(t *testing.T) {
	const many, most = 1000, 60
	statement := `{"Effect":"Deny","Action":"a:b","Resource":"*"}`
	for name, text := range map[string]string{
		"statements": `{"Version":"2012-10-17","Statement":[` + strings.Repeat(statement+",", many) +
			`{"Effect":"Deny","Action":▶"ab","Resource":"*"}]}`,
		"actions": `{"Version":"2012-10-17","Statement":[` + strings.Repeat(statement+",", many) +
			`{"Effect":"Deny","Action":[` + strings.Repeat(`"a:b",`, many) + `▶"ab"],"Resource":"*"}]}`,
	} {
		before, after, _ := strings.Cut(text, "▶")
		root, err := parseJSON(before + after)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(before+after, Managed)
		s := search{kind: Managed, text: before + after, refusal: err.Error()}
		if at := s.inDocument(root); at != len(before) {
			t.Errorf("%s: at %d, want %d", name, at, len(before))
		}
		if s.tries > most {
			t.Errorf("%s: %d documents were parsed", name, s.tries)
		}
	}
}
