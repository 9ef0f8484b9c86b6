package policy

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/awsmodel"
)

var kinds = map[string]Kind{"managed": Managed, "inline": Inline, "boundary": Boundary, "session": Session,
	"control": Control, "trust": Trust, "resource": Resource}

// sample is a document of testdata/malformed.txtar.
type sample struct {
	kind             Kind
	want, note, text string // want is "" for a valid document
}

// samples reads the file. Its markers carry a note after the name, which the
// txtar package does not allow.
func samples(t testing.TB) []sample {
	t.Helper()
	data, err := os.ReadFile("testdata/malformed.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var list []sample
	for _, line := range strings.SplitAfter(string(data), "\n") {
		header, marked := strings.CutPrefix(line, "-- ")
		switch {
		case marked:
			name, note, _ := strings.Cut(header, " --")
			kind, want, _ := strings.Cut(name, ": ")
			kind, good := strings.CutSuffix(kind, " ok")
			if _, known := kinds[kind]; !known {
				t.Fatalf("kind %q of %q", kind, line)
			}
			s := sample{kind: kinds[kind], want: want, note: strings.TrimSpace(note)}
			if good {
				s.want, s.note = "", want
			}
			list = append(list, s)
		case len(list) > 0:
			list[len(list)-1].text += line
		}
	}
	return list
}

func TestParse(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.want+" "+s.note, func(t *testing.T) {
			d, err := Parse(s.text, s.kind)
			if s.want == "" {
				if err != nil {
					t.Fatalf("Parse: %v", err)
				}
				again, err := Parse(d.String(), s.kind)
				if err != nil {
					t.Fatalf("Parse(String): %v\n%s", err, d)
				}
				if diff := cmp.Diff(d.String(), again.String()); diff != "" {
					t.Errorf("String differs after a round (-first +second):\n%s", diff)
				}
				return
			}
			var refused *awsmodel.Error
			if !errors.As(err, &refused) {
				t.Fatalf("Parse = %v, want a refusal", err)
			}
			if diff := cmp.Diff(awsmodel.Fail("MalformedPolicyDocument", "%s", s.want), refused); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
		})
	}
}

// TestParseDepth checks that nesting is limited before the reader recurses.
func TestParseDepth(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 100000) + "1" + strings.Repeat("}", 100000)
	if _, err := parseJSON(deep); err == nil {
		t.Error("parseJSON accepted a deep document")
	}
}

func mustParse(t testing.TB, text string, kind Kind) *Document {
	t.Helper()
	d, err := Parse(text, kind)
	if err != nil {
		t.Fatalf("Parse %s: %v", text, err)
	}
	return d
}

func TestDocumentString(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"order and single values",
			`{"Statement":[{"Resource":["*"],"Action":["iam:Get*","sts:*"],"Effect":"Allow","Sid":"a"}], "Id":"", ` +
				`"Version":"2012-10-17"}`,
			`{"Version":"2012-10-17","Id":"","Statement":[{"Sid":"a","Effect":"Allow","Action":["iam:Get*","sts:*"],` +
				`"Resource":"*"}]}`},
		{"conditions",
			`{"Statement":{"Effect":"Deny","NotAction":"a:b","NotResource":"*","Condition":{"Bool":{"a:x":true,` +
				`"a:y":["false"]},"NumericEquals":{"a:n":[1,2.50]}}}}`,
			`{"Statement":[{"Effect":"Deny","NotAction":"a:b","NotResource":"*","Condition":{"Bool":{"a:x":"true",` +
				`"a:y":"false"},"NumericEquals":{"a:n":["1","2.50"]}}}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, mustParse(t, test.text, Inline).String()); diff != "" {
				t.Errorf("String (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStatementPosition(t *testing.T) {
	d := mustParse(t,
		"{\n \"Statement\": [\n  {\"Effect\":\"Allow\",\"Action\":\"*\",\n\"Resource\":\"*\"}, {\"Effect\":\"Deny\","+
			"\"Action\":\"*\",\"Resource\":\"*\"}]}", Inline)
	want := [][2]Position{{{3, 3}, {4, 16}}, {{4, 18}, {4, 63}}}
	for i, st := range d.Statements {
		if diff := cmp.Diff(want[i], [2]Position{st.Start, st.End}); diff != "" {
			t.Errorf("statement %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestSize(t *testing.T) {
	tests := []struct {
		name, text string
		want       int
	}{
		{"white space between", "{ \"a\" :\n\t\"b\"\r}", 9},
		{"white space in a string", `{"a b"}`, 7},
		{"quote in a string", `"\" b"`, 6},
		{"backslash at the end of a string", `"\\" "`, 5},
		{"characters, not bytes", `"é"`, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Size(test.text); got != test.want {
				t.Errorf("Size(%q) = %d, want %d", test.text, got, test.want)
			}
		})
	}
}

func TestContextKeys(t *testing.T) {
	d := mustParse(t, `{"Version":"2012-10-17","Statement":[
	 {"Effect":"Allow","Action":"*","Resource":["arn:aws:iam::*:user/${aws:username}/${*}${aws:PrincipalTag/team, 'x'}"],
	  "Condition":{"StringEquals":{"aws:PrincipalTag/Team":"${s3:prefix}","AWS:UserName":"x"},"NumericLessThan":{"aws:MultiFactorAuthAge":"5"}}},
	 {"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::${ aws:userid }"}]}`, Managed)
	want := []string{"*", "aws:MultiFactorAuthAge", "aws:PrincipalTag/team", "aws:userid", "aws:username", "s3:prefix"}
	if diff := cmp.Diff(want, d.ContextKeys()); diff != "" {
		t.Errorf("ContextKeys (-want +got):\n%s", diff)
	}
	old := mustParse(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:userid}"}}`, Inline)
	if diff := cmp.Diff([]string{}, old.ContextKeys()); diff != "" {
		t.Errorf("ContextKeys of the old version (-want +got):\n%s", diff)
	}
}

func TestPrincipals(t *testing.T) {
	d := mustParse(t,
		`{"Statement":[{"Effect":"Allow",
			"Principal":{"AWS":["111111111111","AIDAABCDEFGHIJKLMNOP"],"Service":"ec2.amazonaws.com"},
			"Action":"sts:AssumeRole"},
	 {"Effect":"Deny","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":"*","Action":"sts:TagSession"}]}`, Trust)
	if diff := cmp.Diff([]string{"111111111111", "AIDAABCDEFGHIJKLMNOP", "222222222222"},
		d.Principals("AWS")); diff != "" {
		t.Errorf("AWS (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ec2.amazonaws.com"}, d.Principals("Service")); diff != "" {
		t.Errorf("Service (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.text, uint8(s.kind))
	}
	ctx := NewContext(map[string][]string{"a:b": {"x", "1"}, "aws:username": {"bob"}})
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		k := Kind(kind % uint8(Resource+1))
		d, err := Parse(text, k)
		if err != nil {
			return
		}
		again, err := Parse(d.String(), k)
		if err != nil {
			t.Fatalf("Parse(String): %v\n%s", err, d)
		}
		if d.String() != again.String() {
			t.Fatalf("String differs after a round:\n%s\n%s", d, again)
		}
		policies := Policies{Identity: []Policy{{Document: d}}}
		same := Policies{Identity: []Policy{{Document: again}}}
		req := Request{Action: "iam:GetUser", Resources: []string{"arn:aws:iam::111111111111:user/bob"}, Context: ctx}
		if allowed(t, req, policies) != allowed(t, req, same) {
			t.Fatalf("decision differs after a round:\n%s", d)
		}
		d.ContextKeys()
		if _, err := KeysOf(text); err != nil && k != Trust {
			t.Fatalf("KeysOf a document that is taken: %v", err)
		}
	})
}
