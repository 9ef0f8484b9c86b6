package awsquery_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
)

const started = `<GenerateCredentialReportResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <GenerateCredentialReportResult>
    <Description>No report exists. Starting a new report generation task</Description>
    <State>STARTED</State>
  </GenerateCredentialReportResult>
  <ResponseMetadata>
    <RequestId>bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da</RequestId>
  </ResponseMetadata>
</GenerateCredentialReportResponse>
`

const metadata = `  <ResponseMetadata>
    <RequestId>bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da</RequestId>
  </ResponseMetadata>
`

// result adds the frame around the content of a result element.
func result(action, inside string) string {
	if inside == "" {
		inside = "  <" + action + "Result/>\n"
	} else {
		inside = "  <" + action + "Result>\n" + inside + "  </" + action + "Result>\n"
	}
	return "<" + action + `Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">` + "\n" + inside + metadata +
		"</" + action + "Response>\n"
}

func TestEncode(t *testing.T) {
	if len(started) != 413 {
		t.Fatalf("the example is %d bytes", len(started))
	}
	day := time.Date(2016, 11, 25, 15, 30, 42, 999_999_999, time.FixedZone("", 3600))
	for _, test := range []struct {
		name string
		op   awsquery.Operation
		out  any
		want string
	}{
		{"example", bind[iam.GenerateCredentialReportInput, iam.GenerateCredentialReportOutput](),
			&iam.GenerateCredentialReportOutput{State: "STARTED",
				Description: aws.String("No report exists. Starting a new report generation task")}, started},
		{"member absent", bind[iam.GenerateCredentialReportInput, iam.GenerateCredentialReportOutput](),
			&iam.GenerateCredentialReportOutput{State: "COMPLETE"},
			result("GenerateCredentialReport", "    <State>COMPLETE</State>\n")},
		{"order of the model, blob, date", bind[iam.GetCredentialReportInput, iam.GetCredentialReportOutput](),
			&iam.GetCredentialReportOutput{Content: []byte("user"), ReportFormat: "text/csv", GeneratedTime: &day},
			result("GetCredentialReport",
				"    <Content>dXNlcg==</Content>\n    <ReportFormat>text/csv</ReportFormat>\n"+
					"    <GeneratedTime>2016-11-25T14:30:42Z</GeneratedTime>\n")},
		{"milliseconds", bind[sts.GetWebIdentityTokenInput, sts.GetWebIdentityTokenOutput](),
			&sts.GetWebIdentityTokenOutput{Expiration: &day},
			`<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">` +
				"\n  <GetWebIdentityTokenResult>\n    <Expiration>2016-11-25T14:30:42.999Z</Expiration>\n" +
				"  </GetWebIdentityTokenResult>\n" + metadata + "</GetWebIdentityTokenResponse>\n"},
		{"milliseconds of a structure", bind[iam.ListSAMLProvidersInput, iam.ListSAMLProvidersOutput](),
			&iam.ListSAMLProvidersOutput{SAMLProviderList: []types.SAMLProviderListEntry{{CreateDate: &day}}},
			result("ListSAMLProviders", "    <SAMLProviderList>\n      <member>\n"+
				"        <CreateDate>2016-11-25T14:30:42.999Z</CreateDate>\n"+
				"      </member>\n    </SAMLProviderList>\n")},
		{"no output", bind[iam.DeleteUserInput, iam.DeleteUserOutput](), &iam.DeleteUserOutput{},
			`<DeleteUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">` + "\n" + metadata +
				"</DeleteUserResponse>\n"},
		{"empty output", bind[iam.UpdateRoleInput, iam.UpdateRoleOutput](), &iam.UpdateRoleOutput{},
			result("UpdateRole", "")},
		{"nil output", bind[iam.PutAccountPropertiesInput, iam.PutAccountPropertiesOutput](), nil,
			result("PutAccountProperties", "")},
		{"empty list", bind[iam.ListAccessKeysInput, iam.ListAccessKeysOutput](),
			&iam.ListAccessKeysOutput{AccessKeyMetadata: []types.AccessKeyMetadata{}},
			result("ListAccessKeys", "    <AccessKeyMetadata/>\n    <IsTruncated>false</IsTruncated>\n")},
		{"forgotten list", bind[iam.ListSSHPublicKeysInput, iam.ListSSHPublicKeysOutput](),
			&iam.ListSSHPublicKeysOutput{},
			result("ListSSHPublicKeys", "    <SSHPublicKeys/>\n    <IsTruncated>false</IsTruncated>\n")},
		{"forgotten list of another action", bind[iam.GetGroupInput, iam.GetGroupOutput](), &iam.GetGroupOutput{},
			result("GetGroup", "    <Users/>\n    <IsTruncated>false</IsTruncated>\n")},
		{"list", bind[iam.ListAccountAliasesInput, iam.ListAccountAliasesOutput](),
			&iam.ListAccountAliasesOutput{AccountAliases: []string{"a", ""}, IsTruncated: true,
				Marker: aws.String("m")},
			result("ListAccountAliases",
				"    <AccountAliases>\n      <member>a</member>\n      <member/>\n    </AccountAliases>\n"+
					"    <IsTruncated>true</IsTruncated>\n    <Marker>m</Marker>\n")},
		{"structures, optional list absent", bind[iam.CreateUserInput, iam.CreateUserOutput](),
			&iam.CreateUserOutput{User: &types.User{
				Path: aws.String("/"), UserName: aws.String("a&<b>'\""), UserId: aws.String("AIDA"),
				Arn: aws.String("arn"), CreateDate: &day}},
			result("CreateUser",
				"    <User>\n      <Path>/</Path>\n      <UserName>a&amp;&lt;b&gt;'\"</UserName>\n"+
					"      <UserId>AIDA</UserId>\n      <Arn>arn</Arn>\n"+
					"      <CreateDate>2016-11-25T14:30:42Z</CreateDate>\n    </User>\n")},
		{"map", bind[iam.GetAccountSummaryInput, iam.GetAccountSummaryOutput](),
			&iam.GetAccountSummaryOutput{SummaryMap: map[string]int32{"Users": 27, "Groups": 7}},
			result("GetAccountSummary",
				"    <SummaryMap>\n      <entry>\n        <key>Groups</key>\n        <value>7</value>\n"+
					"      </entry>\n      <entry>\n        <key>Users</key>\n        <value>27</value>\n"+
					"      </entry>\n    </SummaryMap>\n")},
		{"small first letter", bind[iam.ListDelegationRequestsInput, iam.ListDelegationRequestsOutput](),
			&iam.ListDelegationRequestsOutput{},
			result("ListDelegationRequests", "    <DelegationRequests/>\n    <isTruncated>false</isTruncated>\n")},
		{"STS", bind[sts.GetCallerIdentityInput, sts.GetCallerIdentityOutput](),
			&sts.GetCallerIdentityOutput{Account: aws.String("1")},
			`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">` +
				"\n  <GetCallerIdentityResult>\n    <Account>1</Account>\n  </GetCallerIdentityResult>\n" + metadata +
				"</GetCallerIdentityResponse>\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := encode(t, test.op, test.out); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestEncodeRefusesAnotherOutput(t *testing.T) {
	op := bind[iam.GetUserInput, iam.GetUserOutput]()
	if _, err := op.Encode(&iam.CreateUserOutput{}, "id"); err == nil {
		t.Error("encoded the output of another action")
	}
}

func TestEncodeError(t *testing.T) {
	got := render(t,
		awsquery.EncodeError("iam", awsmodel.Fail("ReportNotPresent", ""), "bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da"))
	const notPresent = `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <Error>
    <Type>Sender</Type>
    <Code>ReportNotPresent</Code>
  </Error>
  <RequestId>bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da</RequestId>
</ErrorResponse>
`
	if got != notPresent || len(got) != 224 {
		t.Errorf("%d bytes:\n%s", len(got), got)
	}
	for _, test := range []struct {
		service string
		err     *awsmodel.Error
		status  int
		want    []string
	}{
		{"iam", awsmodel.Fail("NoSuchEntity", "The user with name %s cannot be found.", "<x>"), 404,
			[]string{"<Type>Sender</Type>",
				"    <Message>The user with name &lt;x&gt; cannot be found.</Message>\n  </Error>"}},
		{"iam", awsmodel.Fail("ServiceFailure", "x"), 500, []string{"<Type>Receiver</Type>"}},
		{"sts", awsmodel.Fail("AccessDenied", "x"), 403, []string{`xmlns="https://sts.amazonaws.com/doc/2011-06-15/"`}},
		{"iam", awsmodel.Fail("InvalidAction", "Could not find operation X for version 2010-05-08"), 400,
			[]string{`xmlns="http://webservices.amazon.com/AWSFault/2005-15-09"`}},
	} {
		r := awsquery.EncodeError(test.service, test.err, "id")
		if r.Status != test.status {
			t.Errorf("%s: status %d", test.err.Code, r.Status)
		}
		for _, want := range test.want {
			if got := render(t, r); !strings.Contains(got, want) {
				t.Errorf("%s: no %s in\n%s", test.err.Code, want, got)
			}
		}
	}
}

// report is one of our own outputs: it streams a blob.
type report struct {
	Content       awsquery.Blob
	ReportFormat  types.ReportFormatType
	GeneratedTime *time.Time
}

var getReport = bind[iam.GetCredentialReportInput, report]()

// stream creates a Blob of a size with the bytes of r.
func stream(size int64, r io.Reader) awsquery.Blob {
	return awsquery.Blob{Size: size, WriteTo: func(w io.Writer) error {
		// Hidden, or io.Copy would write all of a string reader at once.
		_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, 1000))
		return err
	}}
}

func TestEncodeStream(t *testing.T) {
	plain := bind[iam.GetCredentialReportInput, iam.GetCredentialReportOutput]()
	for _, size := range []int{0, 1, 2, 3, 4, 48<<10 - 1, 48 << 10, 48<<10 + 1, 300_001} {
		content := bytes.Repeat([]byte("user,arn\n"), size/9+1)[:size]
		want := encode(t, plain, &iam.GetCredentialReportOutput{Content: content, ReportFormat: "text/csv"})
		if size == 0 {
			want = strings.Replace(want, "<Content/>", "<Content></Content>", 1)
		}
		for name, reader := range map[string]io.Reader{
			"pieces":       bytes.NewReader(content),
			"single bytes": iotest.OneByteReader(bytes.NewReader(content)),
		} {
			if got := encode(t, getReport,
				&report{Content: stream(int64(size), reader), ReportFormat: "text/csv"}); got != want {
				t.Errorf("%d bytes in %s differ", size, name)
			}
		}
		whole := awsquery.Blob{Size: int64(size), WriteTo: func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		}}
		if got := encode(t, getReport, &report{Content: whole, ReportFormat: "text/csv"}); got != want {
			t.Errorf("%d bytes at once differ", size)
		}
	}
}

func TestEncodeStreamAbsent(t *testing.T) {
	if got := encode(t, getReport, &report{ReportFormat: "text/csv"}); strings.Contains(got, "Content") {
		t.Errorf("got %s", got)
	}
}

func TestEncodeStreamOfAnotherSize(t *testing.T) {
	broken := errors.New("disk gone")
	for name, b := range map[string]awsquery.Blob{
		"shorter": stream(5, strings.NewReader("four")),
		"longer":  stream(3, strings.NewReader("four")),
		"longer, and hiding it": {Size: 3, WriteTo: func(w io.Writer) error {
			w.Write([]byte("four")) //nolint:errcheck // the point of the test
			return nil
		}},
		"broken": stream(5, io.MultiReader(strings.NewReader("four"), iotest.ErrReader(broken))),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := getReport.Encode(&report{Content: b}, "id")
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			n, err := r.WriteTo(&out)
			if err == nil || n == r.Len() || n != int64(out.Len()) {
				t.Errorf("wrote %d of %d bytes, error %v", n, r.Len(), err)
			}
			if name == "broken" && !errors.Is(err, broken) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
	if _, err := getReport.Encode(&report{Content: stream(-1, nil)}, "id"); err == nil {
		t.Error("a negative size is accepted")
	}
}

func TestOfRefusesStreams(t *testing.T) {
	type nested struct {
		VirtualMFADevice *struct {
			Base32StringSeed awsquery.Blob
			EnableDate       *time.Time
			QRCodePNG        awsquery.Blob
			SerialNumber     *string
			Tags             []types.Tag
			User             *types.User
		}
	}
	op := awsquery.Of(func(context.Context, *iam.CreateVirtualMFADeviceInput) (*nested, error) { return nil, nil })
	if op.Check() == nil {
		t.Error("a stream inside a structure is accepted")
	}
}

// textOf returns the text of the first element with a name.
func textOf(t *testing.T, answer, name string) string {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(answer))
	found, inside := "", false
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%q", err, answer)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local == name
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				found += string(token)
			}
		}
	}
}

// FuzzEncode checks that an answer is well-formed and contains the original
// values, except characters that XML does not allow.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"", "a", "</Message><Code>x</Code>", "]]>", "&amp;", "\r\n\t \x00\x1f\x7f\u0085\u2028",
		"\ufffe\uffff\ufffd", "\xff\xc0\xaf", "🙂é"} {
		f.Add(s)
	}
	op := bind[iam.GetUserInput, iam.GetUserOutput]()
	f.Fuzz(func(t *testing.T, s string) {
		var want strings.Builder
		for _, r := range s {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
				r = utf8.RuneError
			}
			want.WriteRune(r)
		}
		if got := textOf(t, encode(t, op, &iam.GetUserOutput{User: &types.User{UserName: &s}}),
			"UserName"); got != want.String() {
			t.Errorf("%q came back as %q", s, got)
		}
		if got := textOf(t,
			render(t, awsquery.EncodeError("iam", &awsmodel.Error{Code: "NoSuchEntity", Message: s}, "id")),
			"Message"); got != want.String() {
			t.Errorf("message %q came back as %q", s, got)
		}
	})
}

func BenchmarkEncodeCreateUser(b *testing.B) {
	day := time.Date(2016, 11, 25, 14, 30, 42, 0, time.UTC)
	out := &iam.CreateUserOutput{User: &types.User{
		Path: aws.String("/"), UserName: aws.String("Administrator"), UserId: aws.String("AIDAJQABLZS4A3QDU576Q"),
		Arn: aws.String("arn:aws:iam::123456789012:user/Administrator"), CreateDate: &day,
	}}
	b.ReportAllocs()
	for b.Loop() {
		r, err := createUser.Encode(out, "bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeStream(b *testing.B) {
	const size = 64 << 20
	piece := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	blob := awsquery.Blob{Size: size, WriteTo: func(w io.Writer) error {
		for range size / len(piece) {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return nil
	}}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		r, err := getReport.Encode(&report{Content: blob}, "id")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
