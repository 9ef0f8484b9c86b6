package awsquery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/awsquery"
)

func TestParseForm(t *testing.T) {
	for _, test := range []struct {
		name, raw string
		want      []string // name=value, in order
	}{
		{"empty", "", nil},
		{"plain", "Action=GetUser&Version=2010-05-08", []string{"Action=GetUser", "Version=2010-05-08"}},
		{"escapes", "a=%C3%A9%2b+b%3D&c%2Ed=%25", []string{"a=é+ b=", "c.d=%"}},
		{"no value", "a&b=", []string{"a=", "b="}},
		{"empty pairs", "&&a=1&", []string{"a=1"}},
		{"equal sign in a value", "a=b=c", []string{"a=b=c"}},
		{"semicolon", "a=1;b=2", []string{"a=1;b=2"}},
		{"names of other case", "action=1&Action=2", []string{"Action=2", "action=1"}},
		{"numbers in order", "T.member.10=c&T.member.9=b&T.member.010x=d&T.member.1=a",
			[]string{"T.member.1=a", "T.member.9=b", "T.member.10=c", "T.member.010x=d"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			form, err := awsquery.ParseForm(test.raw)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for name, value := range form.All() {
				got = append(got, name+"="+value)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q", got)
			}
			for name, value := range form.All() {
				if form.Get(name) != value {
					t.Errorf("Get(%q) is %q", name, form.Get(name))
				}
			}
			if _, ok := form.Lookup("absent"); ok || form.Len() != len(test.want) {
				t.Errorf("Lookup finds what is absent, or Len %d is wrong", form.Len())
			}
		})
	}
}

func TestParseFormRefuses(t *testing.T) {
	for _, test := range []struct{ name, raw, code, message string }{
		{"trailing escape", "a=%2", "MalformedQueryString", "Incomplete trailing escape % sequence"},
		{"lone percent", "a=%", "MalformedQueryString", "Incomplete trailing escape % sequence"},
		{"escape cut by the pair", "a=%2&b=1", "MalformedQueryString", "Incomplete trailing escape % sequence"},
		{"illegal escape", "a=%2gx", "MalformedQueryString", "Illegal hex character in escape % pattern: %2g"},
		{"illegal escape in a name", "%zz=1", "MalformedQueryString", "Illegal hex character in escape % pattern: %zz"},
		{"illegal escape that is not text", "a=%\xff\xfe", "MalformedQueryString",
			`Illegal hex character in escape % pattern: %\xff\xfe`},
		{"not UTF-8, escaped", "a=%ff", "MalformedInput", "Parameters must be encoded as UTF-8."},
		{"not UTF-8, raw", "a=\xff", "MalformedInput", "Parameters must be encoded as UTF-8."},
		{"overlong UTF-8", "a=%c0%af", "MalformedInput", "Parameters must be encoded as UTF-8."},
		{"surrogate", "a=%ed%a0%80", "MalformedInput", "Parameters must be encoded as UTF-8."},
		{"twice", "Action=GetUser&x=1&Action=DeleteUser", "MalformedInput",
			"Parameter Action is given more than once."},
		{"twice with the same value", "a=1&a=1", "MalformedInput", "Parameter a is given more than once."},
		{"twice, once escaped", "a=1&%61=2", "MalformedInput", "Parameter a is given more than once."},
		{"twice under two spellings of the index", "T.member.1.Key=a&T.member.01.Key=b", "MalformedInput", ""},
		{"twice deep", "T.member.1.V.member.2=a&T.member.001.V.member.02=b", "MalformedInput", ""},
		{"too many", strings.Repeat("&", awsquery.MaxParameters), "MalformedInput",
			"Too many parameters: at most 10000 are accepted."},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := awsquery.ParseForm(test.raw)
			if err == nil {
				t.Fatal("accepted")
			}
			if err.Code != test.code || test.message != "" && err.Message != test.message {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A million parameters must cost no more than reading them.
func TestParseFormOfAMillion(t *testing.T) {
	raw := strings.Repeat("a=1&", 1_000_000)
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := awsquery.ParseForm(raw); err == nil {
				b.Fatal("accepted")
			}
		}
	})
	if result.AllocedBytesPerOp() > 1<<12 {
		t.Errorf("refusing took %d bytes", result.AllocedBytesPerOp())
	}
}

func TestParseFormLongNameInMessage(t *testing.T) {
	name := strings.Repeat("é", 5000)
	_, err := awsquery.ParseForm(fmt.Sprintf("%s=1&%s=2", name, name))
	if err == nil || len(err.Message) > 200 {
		t.Errorf("got %.300v", err)
	}
}
