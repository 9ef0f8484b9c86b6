package awsquery_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
)

func decode(op awsquery.Operation, raw string) (any, *awsmodel.Error) {
	form, err := awsquery.ParseForm(raw)
	if err != nil {
		return nil, err
	}
	in := op.NewInput()
	return in, op.Decode(form, in)
}

var (
	createUser   = bind[iam.CreateUserInput, iam.CreateUserOutput]()
	updatePolicy = bind[iam.UpdateAccountPasswordPolicyInput, iam.UpdateAccountPasswordPolicyOutput]()
	untagUser    = bind[iam.UntagUserInput, iam.UntagUserOutput]()
	simulate     = bind[iam.SimulatePrincipalPolicyInput, iam.SimulatePrincipalPolicyOutput]()
	acquireRole  = bind[iam.AcquireRoleInput, iam.AcquireRoleOutput]()
)

func keys(names ...string) *iam.UntagUserInput { return &iam.UntagUserInput{TagKeys: names} }

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		name string
		op   awsquery.Operation
		raw  string
		want any
	}{
		{"text", createUser, "UserName=a%2Cb&Path=%2F",
			&iam.CreateUserInput{UserName: aws.String("a,b"), Path: aws.String("/")}},
		{"empty text", createUser, "UserName=", &iam.CreateUserInput{UserName: aws.String("")}},
		{"structures", createUser, "Tags.member.1.Key=k&Tags.member.1.Value=v",
			&iam.CreateUserInput{Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}},
		{"unknown parameters", createUser,
			"Action=CreateUser&Version=2010-05-08&UserNames=x&username=y&Tags.member.1.Keys=z&.=1&=2",
			&iam.CreateUserInput{Tags: make([]types.Tag, 1)}},
		{"dot at the end", createUser, "UserName=a&UserName.=b", &iam.CreateUserInput{UserName: aws.String("a")}},
		{"index with zeros", untagUser, "TagKeys.member.01=a&TagKeys.member.002=b", keys("a", "b")},
		{"gap", untagUser, "TagKeys.member.3=c&TagKeys.member.1=a", keys("a", "", "c")},
		{"largest leap", untagUser, "TagKeys.member.11=k", keys("", "", "", "", "", "", "", "", "", "", "k")},
		{"empty list", untagUser, "TagKeys=", keys([]string{}...)},
		{"empty list and an element", untagUser, "TagKeys=&TagKeys.member.1=a", keys("a")},
		{"integers", updatePolicy, "MinimumPasswordLength=%2B014&MaxPasswordAge=-1&PasswordReusePrevention=2147483647",
			&iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(14), MaxPasswordAge: aws.Int32(-1),
				PasswordReusePrevention: aws.Int32(2147483647)}},
		{"booleans", updatePolicy, "RequireNumbers=true&RequireSymbols=1&HardExpiry=0&AllowUsersToChangePassword=false",
			&iam.UpdateAccountPasswordPolicyInput{RequireNumbers: true, RequireSymbols: true,
				HardExpiry: aws.Bool(false)}},
		{"enum", bind[iam.UpdateAccessKeyInput, iam.UpdateAccessKeyOutput](), "Status=Inactive",
			&iam.UpdateAccessKeyInput{Status: types.StatusTypeInactive}},
		{"nested lists", simulate,
			"ContextEntries.member.1.ContextKeyValues.member.2=b&ContextEntries.member.1.ContextKeyValues.member.1=a",
			&iam.SimulatePrincipalPolicyInput{
				ContextEntries: []types.ContextEntry{{ContextKeyValues: []string{"a", "b"}}}}},
		{"name in place of an index", createUser, "Tags.member.one.Key=k&Tags.member.%2B1.Value=v",
			&iam.CreateUserInput{Tags: make([]types.Tag, 1)}},
		{"leap after ten", untagUser, tagKeys(1, 10) + "&TagKeys.member.20=k",
			keys(append(numbered(10), append(make([]string, 9), "k")...)...)},
		{"unions", simulate,
			"PolicyExclusionList.member.1.PolicyArn=arn&" +
				"PolicyExclusionList.member.2.InlinePolicyIdentifier.PolicyName=p&" +
				"PolicyExclusionList.member.2.InlinePolicyIdentifier.AttachmentType=user&" +
				"PolicyExclusionList.member.4.PolicyType=scp",
			&iam.SimulatePrincipalPolicyInput{PolicyExclusionList: []types.PolicyIdentifier{
				&types.PolicyIdentifierMemberPolicyArn{Value: "arn"},
				&types.PolicyIdentifierMemberInlinePolicyIdentifier{
					Value: types.InlinePolicyIdentifierType{PolicyName: aws.String("p"), AttachmentType: "user"}},
				nil,
				&types.PolicyIdentifierMemberPolicyType{Value: "scp"},
			}}},
		{"maps", acquireRole,
			"ReplacementValues.entry.2.value.Values.member.1=x&ReplacementValues.entry.1.key=k1&" +
				"ReplacementValues.entry.02.key=k2&ReplacementValues.entry.2.value.Values.member.2=y&" +
				"ReplacementValues.entry.1.other=z",
			&iam.AcquireRoleInput{ReplacementValues: map[string]types.ReplacementValueEntry{"k1": {},
				"k2": {Values: []string{"x", "y"}}}}},
		{"empty map", acquireRole, "ReplacementValues=",
			&iam.AcquireRoleInput{ReplacementValues: map[string]types.ReplacementValueEntry{}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decode(test.op, test.raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, unexported); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// tagKeys returns the form of TagKeys with elements from one index to another.
func tagKeys(from, to int) string {
	var pairs []string
	for i := from; i <= to; i++ {
		pairs = append(pairs, fmt.Sprintf("TagKeys.member.%d=k%d", i, i))
	}
	return strings.Join(pairs, "&")
}

func numbered(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("k%d", i+1))
	}
	return names
}

// The texts are recorded, for lists of texts and of structures (recorded-2026
// R4.2).
func TestDecodeIndexTexts(t *testing.T) {
	for _, test := range []struct {
		op        awsquery.Operation
		raw, want string
	}{
		{untagUser, "TagKeys.member.0=a", "0 is not a valid index"},
		{createUser, "Tags.member.00.Key=a", "0 is not a valid index"},
		{acquireRole, "ReplacementValues.entry.0.key=a", "0 is not a valid index"},
		{simulate, "ContextEntries.member.1.ContextKeyValues.member.0=a", "0 is not a valid index"},
		{untagUser, "TagKeys.member.-1=a", "Key -1 may not have a leading '-'"},
		{createUser, "Tags.member.-12.Key=a", "Key -12 may not have a leading '-'"},
		{untagUser, "TagKeys.member.12=a", "Excessively sparse input would skip 11 list elements"},
		{untagUser, "TagKeys.member.12=a&TagKeys.member.1=b", "Excessively sparse input would skip 11 list elements"},
		{untagUser, tagKeys(1, 10) + "&TagKeys.member.21=k", "Excessively sparse input would skip 11 list elements"},
		{createUser, "Tags.member.1500.Key=a", "Excessively sparse input would skip 1,499 list elements"},
		{createUser, "Tags.member.1.0.Key=a", "Two index elements may not occur back to back"},
		{untagUser, "TagKeys.member.1.2=a", "Two index elements may not occur back to back"},
		{untagUser, "TagKeys.member.one=a", "Start of list found where not expected"},
		{untagUser, "TagKeys.member.%2B1=a", "Start of list found where not expected"},
	} {
		got, err := decode(test.op, test.raw)
		if err == nil || err.Code != "MalformedInput" || err.Message != test.want {
			t.Errorf("%s: got %+v, %v; want %q", test.raw, got, err, test.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		op   awsquery.Operation
		raw  string
	}{
		{"index 0", untagUser, "TagKeys.member.0=a"},
		{"index 00", untagUser, "TagKeys.member.00=a"},
		{"negative index", untagUser, "TagKeys.member.-1=a"},
		{"signed index", untagUser, "TagKeys.member.%2B1=a"},
		{"index that is not a number", untagUser, "TagKeys.member.x=a"},
		{"index beyond everything", untagUser, "TagKeys.member.99999999999999999999=a"},
		{"no index", untagUser, "TagKeys.member=a"},
		{"first index 12", untagUser, "TagKeys.member.12=a"},
		{"leap later", untagUser, "TagKeys.member.1=a&TagKeys.member.13=b"},
		{"flattened list", untagUser, "TagKeys.1=a"},
		{"text for a list", untagUser, "TagKeys=a"},
		{"text for a structure", createUser, "Tags.member.1=a"},
		{"structure for a text", createUser, "UserName.x=a"},
		{"integer with a blank", updatePolicy, "MaxPasswordAge=+1"},
		{"integer with a fraction", updatePolicy, "MaxPasswordAge=1.0"},
		{"integer with an exponent", updatePolicy, "MaxPasswordAge=1e0"},
		{"integer of 33 bits", updatePolicy, "MaxPasswordAge=2147483648"},
		{"integer with an underline", updatePolicy, "MaxPasswordAge=1_0"},
		{"no integer", updatePolicy, "MaxPasswordAge="},
		{"capital boolean", updatePolicy, "RequireNumbers=True"},
		{"no boolean", updatePolicy, "RequireNumbers="},
		{"two members of a union", simulate,
			"PolicyExclusionList.member.1.PolicyArn=a&PolicyExclusionList.member.1.PolicyType=scp"},
		{"entry without a key", acquireRole, "ReplacementValues.entry.1.value.Values.member.1=a"},
		{"entry 0", acquireRole, "ReplacementValues.entry.0.key=a"},
		{"key twice", acquireRole, "ReplacementValues.entry.1.key=a&ReplacementValues.entry.2.key=a"},
		{"text for a map", acquireRole, "ReplacementValues=a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decode(test.op, test.raw)
			if err == nil || err.Code != "MalformedInput" || err.Message == "" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// The Go SDK sends lists in the order of their names: 1, 10, 100, 11, …
func TestDecodeLongListInAnyOrder(t *testing.T) {
	var pairs []string
	for i := 1000; i > 0; i-- {
		pairs = append(pairs, fmt.Sprintf("TagKeys.member.%d=k%d", i, i))
	}
	got, err := decode(untagUser, strings.Join(pairs, "&"))
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range got.(*iam.UntagUserInput).TagKeys {
		if key != fmt.Sprintf("k%d", i+1) {
			t.Fatalf("element %d is %s", i+1, key)
		}
	}
}

const createUserForm = "Action=CreateUser&Path=%2Fdivision_abc%2Fsubdivision_xyz%2F&Tags.member.1.Key=team&" +
	"Tags.member.1.Value=blue&UserName=Administrator&Version=2010-05-08"

func BenchmarkDecodeCreateUser(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(createUser, createUserForm); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzDecode checks that decoding ends for any input, and that neither the
// order of the parameters nor the spelling of their escapes changes its result.
func FuzzDecode(f *testing.F) {
	f.Add(createUserForm)
	f.Add("Tags.member.01.Key=a&Tags.member.1.Value=b&Tags=")
	f.Add("PolicyExclusionList.member.2.PolicyType=scp&ContextEntries.member.1.ContextKeyValues.member.9=%00")
	f.Add("ReplacementValues.entry.1.key=a&ReplacementValues.entry.1.value.Values.member.1=b")
	f.Add("a=%zz&b=;c&+=+&..=&UserName.=")
	operations := []awsquery.Operation{createUser, updatePolicy, untagUser, simulate, acquireRole}
	f.Fuzz(func(t *testing.T, raw string) {
		form, err := awsquery.ParseForm(raw)
		if err != nil {
			return
		}
		var reversed []string
		for name, value := range form.All() {
			reversed = append([]string{escape(name) + "=" + escape(value)}, reversed...)
		}
		again, err := awsquery.ParseForm(strings.Join(reversed, "&"))
		if err != nil || again.Len() != form.Len() {
			t.Fatalf("its own parameters are refused: %v", err)
		}
		for _, op := range operations {
			in, other := op.NewInput(), op.NewInput()
			err, otherErr := op.Decode(form, in), op.Decode(again, other)
			if (err == nil) != (otherErr == nil) {
				t.Fatalf("%s: %v and %v", op.Name, err, otherErr)
			}
			if diff := cmp.Diff(in, other, unexported); diff != "" {
				t.Fatalf("%s: %s", op.Name, diff)
			}
			if err == nil {
				awsmodel.Check(op.Name, in)
			}
		}
	})
}

// escape writes every byte as an escape.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}
