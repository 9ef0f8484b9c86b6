package policy

import (
	"encoding/json"
	"strings"
	"testing"
)

// meets decides one condition: whether a statement with it applies.
func meets(t *testing.T, operator string, policy, request []string) bool {
	t.Helper()
	values, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	d := mustParse(t,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"`+
			operator+`":{"t:Key":`+string(values)+`}}}}`, Managed)
	context := map[string][]string{"aws:username": {"bob"}, "aws:PrincipalArn": {"arn:aws:iam::111111111111:user/bob"}}
	if request != nil {
		context["T:key"] = request
	}
	req := Request{Action: "iam:GetUser", Context: NewContext(context)}
	return allowed(t, req, Policies{Identity: []Policy{{Document: d}}})
}

// list splits at bars; "-" is an absent key.
func list(s string) []string {
	if s == "-" {
		return nil
	}
	return strings.Split(s, "|")
}

func TestCondition(t *testing.T) {
	tests := []struct {
		operator, policy, request string
		want                      bool
	}{
		{"StringEquals", "a|b", "b", true},
		{"StringEquals", "a|b", "B", false},
		{"StringEquals", "a*", "ab", false},
		{"StringEquals", "a*", "a*", true},
		{"StringEquals", "", "", true},
		{"StringEquals", "a", "-", false},
		{"StringEquals", "${aws:username}", "bob", true},
		{"StringEquals", "${aws:userid}", "bob", false},
		{"StringEquals", "${aws:userid, 'bob'}", "bob", true},
		{"StringEquals", "${*}", "*", true},
		{"StringNotEquals", "a|b", "b", false},
		{"StringNotEquals", "a|b", "c", true},
		{"StringNotEquals", "a", "-", true},
		{"StringNotEquals", "${aws:userid}", "bob", true},
		{"StringEqualsIgnoreCase", "Ab", "aB", true},
		{"StringEqualsIgnoreCase", "É", "é", true},
		{"StringEqualsIgnoreCase", "s", "ſ", false},
		{"StringEqualsIgnoreCase", "ς", "Σ", false},
		{"StringEqualsIgnoreCase", "σ", "Σ", true},
		{"StringEqualsIgnoreCase", "ος", "ΟΣ", true},
		{"StringEqualsIgnoreCase", "οσ", "ΟΣ", false},
		{"StringEqualsIgnoreCase", "ΟΣ", "ος", true},
		{"StringNotEqualsIgnoreCase", "οσ", "ΟΣ", true},
		{"StringEqualsIgnoreCase", "${aws:username}Σ", "BOBς", true},
		{"StringEqualsIgnoreCase", "ΟΣ${aws:username}", "οσbob", true},
		{"StringEqualsIgnoreCase", "İ", "i\u0307", true},
		{"StringEqualsIgnoreCase", "İ", "i", false},
		{"StringEqualsIgnoreCase", "k", "\u212a", true},
		{"StringEqualsIgnoreCase", "\U00010400", "\U00010428", false}, // recorded: beyond U+FFFF, case is significant
		{"StringNotEqualsIgnoreCase", "\U00010400", "\U00010428", true},
		{"StringEqualsIgnoreCase", "\U00010400A", "\U00010400a", true},
		{"StringEqualsIgnoreCase", "\U00010400Σ", "\U00010400ς", true},
		{"StringEqualsIgnoreCase", "AΣ\U00010400", "aσ\U00010400", true},
		{"StringEqualsIgnoreCase", "ß", "ss", false},
		{"StringEqualsIgnoreCase", "ẞ", "ß", true},
		{"StringEqualsIgnoreCase", "${aws:username}s", "BOBS", true},
		{"StringEqualsIgnoreCase", "a*", "ab", false},
		{"StringNotEqualsIgnoreCase", "Ab", "aB", false},
		{"StringNotEqualsIgnoreCase", "Ab", "c", true},
		{"StringLike", "a*|?c", "bc", true},
		{"StringLike", "a*", "ba", false},
		{"StringLike", "?", "é", true},
		{"StringLike", "?", "😀", false},
		{"StringLike", "??", "😀", true},
		{"StringLike", "???", "😀", false},
		{"StringLike", "?*", "😀", true},
		{"StringLike", "*?😀?", "x😀y", true},
		{"StringLike", "*?b", "😀b", true},
		{"StringLike", "😀??b", "😀😀b", true},
		{"StringNotLike", "?", "😀", true},
		{"ArnLike", "arn:aws:s3:::?", "arn:aws:s3:::😀", false},
		{"ArnLike", "arn:aws:s3:::??", "arn:aws:s3:::😀", true},
		{"StringLike", "A*", "ab", false},
		{"StringLike", "${aws:username}/*", "bob/x", true},
		{"StringLike", "*", "-", false},
		{"StringNotLike", "a*|?c", "bc", false},
		{"StringNotLike", "a*", "-", true},
		{"StringNotLike", "a*", "b", true},

		{"NumericEquals", "5", "5.0", true},
		{"NumericEquals", "9007199254740993", "9007199254740992", false},
		{"NumericEquals", "1e3", "1000", true},
		{"NumericEquals", "5", "five", false},
		{"NumericEquals", "5", "0x5", false},
		{"NumericNotEquals", "5", "5", false},
		{"NumericNotEquals", "5", "6", true},
		{"NumericNotEquals", "5", "five", true},
		{"NumericNotEquals", "5", "", true},
		{"NumericEquals", "1e9999", "1e9999", true},
		{"NumericLessThan", "1e9999", "1e9998", true},
		{"NumericGreaterThan", "-1e9999", "-1", true},
		{"NumericEquals", "0", "-0.00e5", true},
		{"NumericEquals", "9007199254740993.0", "9007199254740992", false},
		{"NumericEquals", "12.50", "0.125e+2", true},
		{"NumericLessThan", "0.05", "0.0499", true},
		{"NumericNotEquals", "5", "Infinity", true},
		{"NumericLessThan", "5", "4.9", true},
		{"NumericLessThan", "5", "5", false},
		{"NumericLessThan", "5", "-Inf", false},
		{"NumericLessThan", "-5", "-6", true},
		{"NumericLessThanEquals", "5", "5", true},
		{"NumericLessThanEquals", "5", "5.1", false},
		{"NumericGreaterThan", "5|100", "6", true},
		{"NumericGreaterThan", "5", "5", false},
		{"NumericGreaterThanEquals", "5", "5", true},
		{"NumericGreaterThanEquals", "5", "-", false},

		{"DateEquals", "2020-01-02T03:04:05Z", "1577934245", true},
		{"DateEquals", "2020-01-02T03:04:05Z", "2020-01-02T05:04:05+02:00", true},
		{"DateEquals", "2020-01-02T03:04:05.5Z", "2020-01-02T03:04:05.500Z", true},
		{"DateEquals", "2020-01-02T03:04:05Z", "+1577934245", true},
		{"DateEquals", "2020-01-02T03:04:05Z", "++1577934245", false},
		{"DateEquals", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05.000999999Z", true}, // milliseconds are significant
		{"DateEquals", "2020-01-02T03:04:05.1231Z", "2020-01-02T03:04:05.1239Z", true},
		{"DateEquals", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05.001Z", false},
		{"DateLessThan", "2020-01-02T03:04:05.0009Z", "2020-01-02T03:04:05.0001Z", false},
		{"DateEquals", "2020", "2020-01-01T00:00:00Z", false}, // without a dash these are seconds
		{"DateEquals", "2020-01", "2020-01-01T00:00:00Z", true},
		{"DateEquals", "2020-01-02", "2020-01-02T00:00:00Z", true},
		{"DateEquals", "2020-01-02t3:4", "2020-01-01T22:04:00-0500", true},
		{"DateNotEquals", "2020-01-02", "2020-01-03", true},
		{"DateNotEquals", "2020-01-02", "2020-01-02", false},
		{"DateNotEquals", "2020-01-02", "soon", true},
		{"DateNotEquals", "2020-01-02", "", true},
		{"DateLessThan", "2020-01-02", "2020-01-01T23:59:59.999Z", true},
		{"DateLessThan", "2020-01-02", "2020-01-02", false},
		{"DateLessThan", "2020-01-02", "yesterday", false},
		{"DateLessThanEquals", "2020-01-02", "2020-01-02", true},
		{"DateGreaterThan", "2020-01-02", "2020-01-02T00:00:00.001Z", true},
		{"DateGreaterThan", "2020-01-02", "2020-01-02", false},
		{"DateGreaterThanEquals", "2020-01-02", "2020-01-02", true},
		{"DateGreaterThanEquals", "2020-01-02", "-", false},

		{"Bool", "true", "true", true},
		{"Bool", "True", "true", true},
		{"Bool", "false", "true", false},
		{"Bool", "true", "-", false},
		{"Bool", "false", "-", false},
		{"Bool", "false", "FALSE", true},
		{"Bool", "true", "TRUE", true},
		{"Bool", "true", "1", false},
		{"Bool", "false", "1", true},
		{"Bool", "false", "yes", true},
		{"Bool", "false", "", true},
		{"Bool", "false", " true ", true},
		{"Bool", "true", " true ", false},
		{"Bool", "true|false", "x", true},
		{"Bool", "${t:Key}", "yes", true},
		{"Bool", "${t:Key}", "TRUE", true},
		{"Bool", "${t:Other}", "false", false},
		{"Bool", "${t:Other, 'True'}", "true", true},
		{"BoolIfExists", "false", "-", true},
		{"BoolIfExists", "false", "true", false},

		{"BinaryEquals", "QUI=", "QUI=", true},
		{"BinaryEquals", "QUI=", "QUM=", false},
		{"BinaryEquals", "QUI=", "AB", false},

		{"IpAddress", "10.0.0.0/8", "10.1.2.3", true},
		{"IpAddress", "10.1.2.3/8", "10.9.9.9", true},
		{"IpAddress", "10.0.0.0/8|192.0.2.1", "192.0.2.1", true},
		{"IpAddress", "10.0.0.0/8", "11.0.0.1", false},
		{"IpAddress", "0.0.0.0/0", "2001:db8::1", false},
		{"IpAddress", "10.0.0.0/8", "::ffff:10.0.0.1", true},
		{"IpAddress", "2001:db8::/32", "2001:db8:1::1", true},
		{"IpAddress", "2001:DB8::1", "2001:db8:0::1", true},
		{"IpAddress", "10.0.0.0/8", "here", false},
		{"IpAddress", "10.0.0.0/8", "-", false},
		{"NotIpAddress", "10.0.0.0/8", "10.1.2.3", false},
		{"NotIpAddress", "10.0.0.0/8", "11.1.2.3", true},
		{"NotIpAddress", "10.0.0.0/8", "-", true},
		{"NotIpAddress", "10.0.0.0/8", "here", false},
		{"NotIpAddress", "10.0.0.0/8", "", false},
		{"NotIpAddress", "10.0.0.0/8", "11.0.0.0/8", false},
		{"NotIpAddressIfExists", "10.0.0.0/8", "here", false},
		{"ForAllValues:NotIpAddress", "10.0.0.0/8", "11.0.0.1|here", false},
		{"ForAllValues:NotIpAddress", "10.0.0.0/8", "11.0.0.1|12.0.0.1", true},
		{"ForAnyValue:NotIpAddress", "10.0.0.0/8", "here|11.0.0.1", true},
		{"ForAnyValue:NotIpAddress", "10.0.0.0/8", "here|10.0.0.1", false},

		{"ArnEquals", "arn:aws:iam::*:user/bob", "arn:aws:iam::111111111111:user/bob", true},
		{"ArnLike", "arn:aws:iam::*:user/*", "arn:aws:iam::1:user/a/b", true},
		{"ArnLike", "arn:aws:*:*:*:*", "arn:aws:iam::1:user/a", true},
		{"ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::1:user/bob", true},
		{"ArnLike", "${aws:PrincipalArn}", "arn:aws:iam::111111111111:user/bob", true},
		{"ArnLike", "${aws:SourceArn}", "arn:aws:iam::111111111111:user/bob", false},
		{"ArnNotEquals", "arn:aws:iam::1:user/a", "arn:aws:iam::1:user/b", true},
		{"ArnNotLike", "arn:aws:iam::1:user/*", "arn:aws:iam::1:user/b", false},
		{"ArnNotLike", "arn:aws:iam::1:user/*", "-", true},
		{"ArnNotLike", "arn:aws:iam::1:user/*", "bob", false},
		{"ArnNotLike", "arn:aws:iam::1:user/*", "arn:aws:iam::1", false},
		{"ArnNotLike", "arn:aws:iam::1:user/*", "urn:aws:iam::1:role/r", false},
		{"ArnNotEquals", "arn:aws:iam::1:user/a", "", false},
		{"ArnNotEqualsIfExists", "arn:aws:iam::1:user/a", "b", false},
		{"ForAllValues:ArnNotLike", "arn:aws:iam::1:user/*", "arn:aws:iam::1:role/r|b", false},
		{"ForAnyValue:ArnNotLike", "arn:aws:iam::1:user/*", "b|arn:aws:iam::1:role/r", true},
		{"ForAnyValue:ArnNotLike", "arn:aws:iam::1:user/*", "b", false},

		{"Null", "true", "-", true},
		{"Null", "true", "a", false},
		{"Null", "false", "a", true},
		{"Null", "false", "-", false},
		{"Null", "TRUE|false", "a", true},
		{"Null", "maybe", "a", true},
		{"Null", "maybe", "-", false},
		{"Null", "", "a", true},
		{"Null", " true", "-", false},

		{"StringEqualsIfExists", "a", "-", true},
		{"StringEqualsIfExists", "a", "b", false},
		{"StringNotEqualsIfExists", "a", "-", true},
		{"StringNotEqualsIfExists", "a", "a", false},

		{"ForAllValues:StringEquals", "a|b", "a|b|a", true},
		{"ForAllValues:StringEquals", "a|b", "a|c", false},
		{"ForAllValues:StringEquals", "a|b", "-", true},
		{"ForAllValues:StringNotEquals", "a|b", "c|d", true},
		{"ForAllValues:StringNotEquals", "a|b", "c|a", false},
		{"ForAllValues:StringNotEquals", "a|b", "-", true},
		{"ForAllValues:StringEqualsIfExists", "a", "-", true},
		{"ForAllValues:NumericLessThan", "5", "1|2", true},
		{"ForAllValues:NumericLessThan", "5", "1|6", false},
		{"ForAnyValue:StringEquals", "a|b", "c|b", true},
		{"ForAnyValue:StringEquals", "a|b", "c|d", false},
		{"ForAnyValue:StringEquals", "a|b", "-", false},
		{"ForAnyValue:StringNotEquals", "a|b", "a|b", false},
		{"ForAnyValue:StringNotEquals", "a|b", "a|c", true},
		{"ForAnyValue:StringNotEquals", "a|b", "-", false},
		{"ForAnyValue:StringEqualsIfExists", "a", "-", false},
		{"ForAnyValue:ArnLike", "arn:aws:iam::*:user/*", "x|arn:aws:iam::1:user/a", true},
	}
	for _, test := range tests {
		t.Run(test.operator+" "+test.policy+" of "+test.request, func(t *testing.T) {
			if got := meets(t, test.operator, list(test.policy), list(test.request)); got != test.want {
				t.Errorf("met = %v, want %v", got, test.want)
			}
		})
	}
}

// TestConditionEmpty checks that a key without values in the request is absent,
// and that a policy's empty list matches nothing.
func TestConditionEmpty(t *testing.T) {
	tests := []struct {
		name, operator  string
		policy, request []string
		want            bool
	}{
		{"no values are a missing key", "Null", []string{"true"}, []string{}, true},
		{"no values meet ForAllValues", "ForAllValues:StringEquals", []string{"a"}, []string{}, true},
		{"no values fail ForAnyValue", "ForAnyValue:StringEquals", []string{"a"}, []string{}, false},
		{"nothing listed is not equal", "StringEquals", []string{}, []string{"a"}, false},
		{"nothing listed is unequal", "StringNotEquals", []string{}, []string{"a"}, true},
		{"nothing listed asks nothing of Null", "Null", []string{}, []string{"a"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := meets(t, test.operator, test.policy, test.request); got != test.want {
				t.Errorf("met = %v, want %v", got, test.want)
			}
		})
	}
}

// TestConditionAll checks that every key under every operator must match.
func TestConditionAll(t *testing.T) {
	d := mustParse(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{
	 "StringEquals":{"t:a":"1","t:b":"2"},"Bool":{"t:c":"true"}}}}`, Managed)
	for _, wrong := range []string{"", "t:a", "t:b", "t:c"} {
		t.Run("wrong "+wrong, func(t *testing.T) {
			ctx := map[string][]string{"t:a": {"1"}, "t:b": {"2"}, "t:c": {"true"}}
			if wrong != "" {
				ctx[wrong] = []string{"x"}
			}
			req := Request{Action: "a:b", Context: NewContext(ctx)}
			got := allowed(t, req, Policies{Identity: []Policy{{Document: d}}})
			if got != (wrong == "") {
				t.Errorf("allowed = %v", got)
			}
		})
	}
}

// TestOldVersion checks that before 2012-10-17 a variable is plain text.
func TestOldVersion(t *testing.T) {
	d := mustParse(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}",
	 "Condition":{"StringEquals":{"t:a":"${aws:username}"}}}}`, Inline)
	ctx := NewContext(map[string][]string{"aws:username": {"bob"}, "t:a": {"${aws:username}"}})
	for resource, want := range map[string]bool{"arn:aws:s3:::${aws:username}": true, "arn:aws:s3:::bob": false} {
		req := Request{Action: "a:b", Resources: []string{resource}, Context: ctx}
		got := allowed(t, req, Policies{Identity: []Policy{{Document: d}}})
		if got != want {
			t.Errorf("%s: allowed = %v, want %v", resource, got, want)
		}
	}
}

// TestParseInstant lists the texts that CreatePolicy is known to accept and to
// refuse.
func TestParseInstant(t *testing.T) {
	for s, want := range map[string]bool{
		"2019-07-01T13:20:15Z": true, "2016-12-13T21:20:37.593194+00:00": true, "2016-12-13t2:00:00.593194+23": true,
		"-292275054": true, "01T": true, "0": true, "9223372036854775807": true, "2020-02-31": true,
		"9223372036854775808": false, "sdfdsf": false, "234-13": false, "2016-12-13t2:00:00.593194+1": false,
		"2016-12-13t2:00:00.1999999999+10:59": false, "2016-12-13T24:00:00Z": false, "2016-12-13T1:60Z": false,
		"2016-12-13T1:00:60Z": false, "2016-12-32": false, "2016-1-1-1": false, "": false, "-": false,
		"2016-12-13T+":     false,
		"-292275055-01-01": false, "2016-12-13T1:00:00Zz": false, "+1": true,
		"++1": false, "+-1": false, "+": false, "2016-12-13T+1:00": false,
	} {
		t.Run(s, func(t *testing.T) {
			if _, got := parseInstant(s); got != want {
				t.Errorf("parseInstant(%q) = %v, want %v", s, got, want)
			}
		})
	}
}
