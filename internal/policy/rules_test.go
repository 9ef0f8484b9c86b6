package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// applies decides a statement with conditions on t:Key by its effect: whether
// an allow grants, and whether a deny denies.
func applies(t *testing.T, kind Kind, condition string, key Values) (grants, denies bool) {
	t.Helper()
	const all = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	decide := func(effect, more string) bool {
		text := fmt.Sprintf(
			`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":"*","Resource":"*","Condition":%s}%s]}`,
			effect, condition, more)
		d, err := Parse(text, kind)
		if err != nil {
			t.Fatalf("Parse %s: %v", text, err)
		}
		ctx := func(name string) Values {
			switch name {
			case "t:key":
				return key
			case "t:list":
				return Values{Texts: []string{"a"}, List: true}
			case "t:name":
				return Values{Texts: []string{"bob"}}
			}
			return Values{}
		}
		return allowed(t, Request{Action: "iam:GetUser", Context: ctx}, Policies{Identity: []Policy{{Document: d}}})
	}
	return decide("Allow", ""), !decide("Deny", ","+all)
}

// A key that is a list in the request meets no plain operator, whatever its
// values. An absent key behaves as usual.
func TestListUnderPlainOperators(t *testing.T) {
	value := map[family]string{stringFamily: "a", numericFamily: "5", dateFamily: "2020-01-01", binaryFamily: "QUI=",
		addressFamily: "10.0.0.1", boolFamily: "true", arnFamily: "arn:aws:iam::1:user/a"}
	for name, op := range operators {
		if op.family == nullFamily {
			continue
		}
		v := value[op.family]
		present := []Values{{Texts: []string{v}, List: true}, {Texts: []string{"x"}, List: true},
			{Texts: []string{v, v}}, {Texts: []string{"x", v}}}
		for _, suffix := range []string{"", "IfExists"} {
			condition := fmt.Sprintf(`{"%s%s":{"t:key":%q}}`, name, suffix, v)
			for _, key := range present {
				if grants, denies := applies(t, Managed, condition, key); grants || denies {
					t.Errorf("%s of %v: grants %v, denies %v", condition, key, grants, denies)
				}
			}
			want := op.negate || suffix != ""
			for _, absent := range []Values{{}, {List: true}} {
				if grants, denies := applies(t, Managed, condition, absent); grants != want || denies != want {
					t.Errorf("%s without the key: grants %v, denies %v", condition, grants, denies)
				}
			}
		}
		equals := op.equal || op.family != numericFamily && op.family != dateFamily
		for _, set := range []string{"ForAllValues:", "ForAnyValue:"} {
			condition := fmt.Sprintf(`{"%s%s":{"t:key":%q}}`, set, name, v)
			if grants, _ := applies(t, Managed, condition, present[0]); grants != (equals != op.negate) {
				t.Errorf("%s of the same value: grants %v", condition, grants)
			}
		}
	}
	for value, want := range map[string]bool{"true": false, "false": true} {
		condition := `{"Null":{"t:key":"` + value + `"}}`
		if grants, _ := applies(t, Managed, condition, Values{Texts: []string{"a"}, List: true}); grants != want {
			t.Errorf("Null %s of a list: %v", value, grants)
		}
	}
}

// A list does not resolve as a variable, even if it has one value or the
// variable a default.
func TestListAsVariable(t *testing.T) {
	for condition, want := range map[string]bool{
		`{"StringEquals":{"t:key":"${t:list}"}}`:                   false,
		`{"StringEquals":{"t:key":"${t:list, 'a'}"}}`:              false,
		`{"StringEqualsIgnoreCase":{"t:key":"${t:list, 'a'}"}}`:    false,
		`{"StringLike":{"t:key":"*${t:list, 'a'}"}}`:               false,
		`{"StringNotEquals":{"t:key":"${t:list, 'a'}"}}`:           true,
		`{"ForAnyValue:StringEquals":{"t:list":"${t:list, 'a'}"}}`: false,
		`{"StringEquals":{"t:key":"${t:none, 'a'}"}}`:              true,
	} {
		grants, denies := applies(t, Managed, condition, Values{Texts: []string{"a"}})
		if grants != want || denies != want {
			t.Errorf("%s: grants %v, denies %v", condition, grants, denies)
		}
	}
	for element, want := range map[string]bool{"Resource": false, "NotResource": true} {
		d := document(t, `{"Effect":"Allow","Action":"*","`+element+`":"arn:aws:s3:::${t:list, 'a'}"}`)
		ctx := func(string) Values { return Values{Texts: []string{"a"}, List: true} }
		req := Request{Action: "s3:GetObject", Resources: []string{"arn:aws:s3:::a"}, Context: ctx}
		if got := allowed(t, req, Policies{Identity: []Policy{{Document: d}}}); got != want {
			t.Errorf("%s: allowed = %v", element, got)
		}
	}
}

// A value that is not an ARN ends the comparison when it is reached: an allow
// does not grant, a deny denies.
func TestOrderOfARNs(t *testing.T) {
	const same, other = `"arn:aws:iam::1:user/a"`, `"arn:aws:iam::2:user/b"`
	for _, test := range []struct {
		operator, list string
		grants, denies bool
	}{
		{"ArnLike", same + `,"${t:name}"`, true, true},
		{"ArnLike", `"${t:name}",` + same, false, true},
		{"ArnLike", other + `,"${t:name}"`, false, true},
		{"ArnLike", other, false, false},
		{"ArnEquals", other + `,"${t:name}",` + same, false, true},
		{"ArnNotLike", `"${t:name}"`, false, true},
		{"ArnNotLike", same + `,"${t:name}"`, false, false},
		{"ArnNotEquals", `"${t:name}",` + same, false, true},
		{"ArnNotEquals", other, true, true},
		{"ArnLikeIfExists", `"${t:name}",` + same, false, true},
		{"ForAnyValue:ArnLike", same + `,"${t:name}"`, true, true},
		{"ForAllValues:ArnLike", `"${t:name}",` + same, false, true},
		{"ArnLike", `"${t:none}",` + same, true, true}, // an unresolved value does not count
	} {
		condition := `{"` + test.operator + `":{"t:key":[` + test.list + `]}}`
		for _, kind := range []Kind{Managed, Session} {
			list := condition
			if kind == Session {
				list = strings.ReplaceAll(condition, "${t:name}", "not-an-arn")
			}
			grants, denies := applies(t, kind, list, Values{Texts: []string{"arn:aws:iam::1:user/a"}})
			if grants != test.grants || denies != test.denies {
				t.Errorf("%s: grants %v, denies %v", list, grants, denies)
			}
		}
		// If another condition is not met, nothing is decided.
		both := strings.TrimSuffix(condition, "}") + `,"Bool":{"t:none":"true"}}`
		grants, denies := applies(t, Managed, both, Values{Texts: []string{"arn:aws:iam::1:user/a"}})
		if grants || denies {
			t.Errorf("%s: grants %v, denies %v", both, grants, denies)
		}
	}
}

// TestAddressGrammar lists the notations of addresses, recorded and similar
// ones, with the kinds of policy that accept them and their meaning.
func TestAddressGrammar(t *testing.T) {
	const (
		refused = "refused"
		never   = "never"
	)
	for _, test := range []struct{ text, stored, session string }{
		{"192.000.002.0/24", "192.0.2.9", "192.0.2.9"},
		{"192.0.2.0/024", "192.0.2.9", "192.0.2.9"},
		{"192.0.2.0/+24", "192.0.2.9", "192.0.2.9"},
		{"+192.+0.2.007", "192.0.2.7", "192.0.2.7"},
		{"192.0.2.77/24", "192.0.2.9", "192.0.2.9"},
		{"0.0.0.0/0", "203.0.113.1", "203.0.113.1"},
		{"192.0.2.1/032", "192.0.2.1", "192.0.2.1"},
		{"2001:DB8::/64", "2001:db8::7", "2001:db8::7"},
		{"2001:DB8::/064", "2001:db8::7", "2001:db8::7"},
		{"2001:db8::/+64", "2001:db8::7", "2001:db8::7"},
		{"2001:db8:::1/128", "2001:db8::1", never},
		{"2001:db8::1:/128", "2001:db8::1", never},
		{"2001:db8::1:", "2001:db8::1", never},
		{"::/0", "2001:db8::1", "2001:db8::1"},
		{"::1", "::1", "::1"},
		{"::ffff:c000:201", never, never},
		{"::ffff:c000:200/120", never, never},
		{"::ffff:192.0.2.1", refused, never},
		{"::192.0.2.0/120", refused, never},
		{"2001:db8::5/64", refused, never},
		{"::1/0", refused, never},
		{"192.0.2.0/33", refused, never},
		{"2001:db8::/129", refused, never},
		{"192.0.2.0/", refused, never},
		{"192.0.2.0/-1", refused, never},
		{"192.0.2.-1", refused, never},
		{"192.0.2.256", refused, never},
		{"192.0.2", refused, never},
		{"192.0.2.1.1", refused, never},
		{"192.0.2.1 ", refused, never},
		{"++192.0.2.1", refused, never},
		{"192.0.2.0x1", refused, never},
		{"fe80::1%eth0", refused, never},
		{"2001:db8::1::", refused, never},
		{"2001:db8:1:", refused, never},
		{":2001:db8::1", refused, never},
		{"12345::", refused, never},
		{"here", refused, never},
		{"", refused, never},
	} {
		for _, kind := range []Kind{Managed, Inline, Boundary, Control, Resource, Session} {
			want, principal := test.stored, ""
			if kind == Session {
				want = test.session
			}
			if kind == Resource {
				principal = `"Principal":"*",`
			}
			for _, operator := range []string{"IpAddress", "NotIpAddress"} {
				text := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",%s`+
					`"Action":"*","Resource":"*","Condition":{%q:{"t:key":%q}}}]}`, principal, operator, test.text)
				d, err := Parse(text, kind)
				if (err != nil) != (want == refused) {
					t.Errorf("kind %d, %s: %v", kind, test.text, err)
				}
				if d == nil || kind == Resource {
					continue
				}
				addr := want
				if want == never {
					addr, _, _ = strings.Cut(test.text, "/") // not even its own literal
				}
				ctx := NewContext(map[string][]string{"t:key": {addr}})
				got := allowed(t, Request{Action: "a:b", Context: ctx}, Policies{Identity: []Policy{{Document: d}}})
				_, readable := parseRequestAddress(addr)
				expected := want != never && operator == "IpAddress" || want == never && operator == "NotIpAddress" &&
					readable
				if got != expected {
					t.Errorf("kind %d, %s %s of %s: %v", kind, operator, test.text, addr, got)
				}
			}
		}
	}
}

// TestRequestAddresses lists the notations that addresses of requests may have,
// recorded and similar ones.
func TestRequestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"192.000.002.1":         "192.0.2.1",
		"::ffff:192.0.2.1":      "192.0.2.1",
		"::FFFF:c000:201":       "192.0.2.1",
		"2001:0DB8::0001":       "2001:db8::1",
		"2001:db8:::1":          "2001:db8::1",
		"2001:db8::1:":          "2001:db8::1",
		"2001:db8:0:0:0:0:0:1:": "2001:db8::1",
		":2001:db8::1":          "0:2001:db8::1",
		":::":                   "::",
		"::":                    "::",
		"2001:db8::::1":         "",
		"2001::db8::1":          "",
		"2001::db8:::1":         "",
		"::ffff:::192.0.2.1":    "",
		"::192.0.2.1":           "",
		"2001:db8::192.0.2.1":   "",
		"192.0.513":             "",
		"3221225985":            "",
		"192.0.2.1/32":          "",
		" 192.0.2.1 ":           "",
		"fe80::1%eth0":          "",
		"fe80::1%1":             "",
		"[2001:db8::1]":         "",
		"1:2:3:4:5:6:7":         "",
		"1:2:3:4::5:6:7:8":      "",
		"1:2:3:4:5:6:7:8:9":     "",
		"12345::":               "",
		":":                     "",
		"":                      "",
	} {
		addr, ok := parseRequestAddress(text)
		if ok != (want != "") || ok && addr != netip.MustParseAddr(want) || IsAddress(text) != ok {
			t.Errorf("%q: %v %v", text, addr, ok)
		}
	}
}

// In a simulation a value that is not an address ends the comparison when it is
// reached. Otherwise it equals nothing. Recorded.
func TestSimulatedNetworks(t *testing.T) {
	const good, bad = `"192.0.2.0/24"`, `"not-an-ip"`
	for _, test := range []struct {
		operator, list, address string
		simulated, elsewhere    bool
	}{
		{"IpAddress", bad + "," + good, "192.0.2.1", false, true},
		{"IpAddress", good + "," + bad, "192.0.2.1", true, true},
		{"IpAddress", bad, "192.0.3.1", false, false},
		{"NotIpAddress", bad + "," + good, "192.0.3.1", false, true},
		{"NotIpAddress", good + "," + bad, "192.0.3.1", false, true},
		{"NotIpAddress", good + "," + bad, "192.0.2.1", false, false},
		{"NotIpAddress", `"2001:db8::5/64"`, "2001:db8::1", false, true},
	} {
		d, err := Stored(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",`+
			`"Condition":{"`+test.operator+`":{"t:key":[`+test.list+`]}}}}`, Inline)
		if err != nil {
			t.Fatal(err)
		}
		for simulated, want := range map[bool]bool{true: test.simulated, false: test.elsewhere} {
			ctx := NewContext(map[string][]string{"t:key": {test.address}})
			req := Request{Action: "a:b", Simulated: simulated, Context: ctx}
			if got := allowed(t, req, Policies{Identity: []Policy{{Document: d}}}); got != want {
				t.Errorf("%s %s, simulated %v: %v", test.operator, test.list, simulated, got)
			}
		}
	}
}

// Session policies are checked less strictly: an unreadable value is accepted,
// and equals nothing.
func TestSessionPoliciesAreLenient(t *testing.T) {
	for operator, c := range map[string]struct {
		bad     []string
		request string
	}{
		"NumericEquals": {[]string{"NaN", "Infinity", "five", "", "0x5"}, "5"},
		"DateEquals":    {[]string{"soon", "2020-13-01", ""}, "2020-01-01"},
		"IpAddress":     {[]string{"here", "10.0.0.0/33", "2001:db8::/129"}, "10.0.0.1"},
		"ArnEquals": {[]string{"not-an-arn", "*", "arn:aws:iam", "urn:aws:iam::1:user/a", ""},
			"arn:aws:iam::1:user/a"},
		"ArnLike": {[]string{"not-an-arn", "arn:aws:*:user/*"}, "arn:aws:iam::1:user/a"},
	} {
		negated := "Not" + operator
		if operator != "IpAddress" {
			kind, relation := operator[:strings.IndexAny(operator, "EL")], operator[strings.IndexAny(operator, "EL"):]
			negated = kind + "Not" + relation
		}
		names := []string{operator, negated, "ForAllValues:" + operator, "ForAnyValue:" + negated,
			operator + "IfExists"}
		for _, name := range names {
			for _, bad := range c.bad {
				condition := fmt.Sprintf(`{%q:{"t:key":%q}}`, name, bad)
				for _, kind := range []Kind{Managed, Inline, Boundary, Control, Trust, Resource} {
					text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",` +
						`"Condition":` + condition
					if kind != Trust {
						text += `,"Resource":"*"`
					}
					if kind == Trust || kind == Resource {
						text += `,"Principal":"*"`
					}
					_, err := Parse(text+"}}", kind)
					if err == nil || !strings.Contains(err.Error(), "legacy parsing") {
						t.Errorf("kind %d, %s: %v", kind, condition, err)
					}
					if _, err := Stored(text+"}}", kind); err != nil {
						t.Errorf("kind %d, stored %s: %v", kind, condition, err)
					}
				}
				equal := strings.Contains(name, "Not") && !strings.HasPrefix(operator, "Arn")
				if grants, _ := applies(t, Session, condition, Values{Texts: []string{c.request}}); grants != equal {
					t.Errorf("session %s of %s: grants %v", condition, c.request, grants)
				}
			}
		}
	}
}

// NumericNotEquals in a simulation does not match a value that is not a number.
func TestSimulatedValues(t *testing.T) {
	simulate := func(condition string, simulated bool, v Values) bool {
		d := document(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+condition+`}`)
		req := Request{Action: "a:b", Simulated: simulated, Context: func(string) Values { return v }}
		return allowed(t, req, Policies{Identity: []Policy{{Document: d}}})
	}
	word, number := Values{Texts: []string{"five"}}, Values{Texts: []string{"5"}}
	for _, test := range []struct {
		condition string
		simulated bool
		value     Values
		want      bool
	}{
		{`{"NumericNotEquals":{"a:b":"5"}}`, false, word, true},
		{`{"NumericNotEquals":{"a:b":"5"}}`, true, word, false},
		{`{"NumericNotEquals":{"a:b":"6"}}`, true, number, true},
		{`{"DateNotEquals":{"a:b":"2020-01-01"}}`, true, word, true},
		{`{"NumericEquals":{"a:b":"5"}}`, true, number, true},
	} {
		if got := simulate(test.condition, test.simulated, test.value); got != test.want {
			t.Errorf("%s of %v, simulated %v: %v", test.condition, test.value, test.simulated, got)
		}
	}
}

func TestToLower(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "ABC-1": "abc-1", "É": "é", "ſ": "ſ", "\u212a": "k", "\u212b": "å", "İ": "i\u0307", "I": "i",
		"ẞ": "ß", "Ǆ": "ǆ", "ǅ": "ǆ", "Σ": "σ", "ΟΣ": "ος", "ΣΟ": "σο", "ΟΣΟ": "οσο", "ΟΣ ΟΣ": "ος ος",
		"ΟΣΣ": "οσς", "1Σ": "1σ", "Α1Σ": "α1ς", "Α\u0301Σ\u0301": "α\u0301ς\u0301",
		"Α Σ": "α σ", "Α'Σ": "α'ς", "ΑΣ'Α": "ασ'α", "ΑΣ.": "ας.", "ΑΣ/Α": "ας/α", "ΑΣ😀": "ας😀",
	} {
		if got := toLower(s); got != want {
			t.Errorf("toLower(%q) = %q, want %q", s, got, want)
		}
	}
}
