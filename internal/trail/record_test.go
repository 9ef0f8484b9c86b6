package trail

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 999, time.UTC)

func createAccessKey() *Record {
	m := NewMembers(ofEvery)
	return &Record{
		UserIdentity: Identity{
			Type: IAMUser, PrincipalID: "AIDAQNZGKIQY56JQ7WMLA", ARN: "arn:aws:iam::123456789012:user/admin",
			AccountID: "123456789012", AccessKeyID: "AKIAQNZGKIQY56JQ7WML", UserName: "admin",
		},
		EventTime: noon, EventSource: "iam.amazonaws.com", EventName: "CreateAccessKey", AWSRegion: "us-east-1",
		SourceIPAddress: "192.0.2.1", UserAgent: `aws-cli/2.36.28 "x"`,
		RequestParameters: m.Request(&iam.CreateAccessKeyInput{UserName: aws.String("Bob")}),
		ResponseElements: m.Response(&iam.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
			UserName: aws.String("Bob"), AccessKeyId: aws.String("AKIAQNZGKIQY56JQ7WMM"),
			SecretAccessKey: aws.String("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
			Status:          types.StatusTypeActive, CreateDate: aws.Time(noon.Add(140 * time.Minute)),
		}}),
		RequestID: "b1f5d5f5-0d67-4d7e-9a44-94c2d1d0c6ee", EventID: "1f9bd3a1-5e0c-4f0a-8e8c-2f6c9b1f0a11",
		RecipientAccountID: "123456789012",
		TLS:                &TLSDetails{"TLSv1.3", "TLS_AES_128_GCM_SHA256", "iam.example.com"},
	}
}

func getUser() *Record {
	return &Record{
		UserIdentity: Identity{Type: Root, PrincipalID: "123456789012", ARN: "arn:aws:iam::123456789012:root",
			AccountID: "123456789012", AccessKeyID: "AKIAQNZGKIQY56JQ7WML"},
		EventTime: noon, EventSource: "iam.amazonaws.com", EventName: "GetUser", AWSRegion: "us-east-1",
		SourceIPAddress: "192.0.2.1", UserAgent: "Boto3/1.43.11",
		ErrorCode: "NoSuchEntityException", ErrorMessage: "The user with name X cannot be found.",
		RequestParameters: json.RawMessage(`{"userName":"X"}`),
		RequestID:         "b1f5d5f5-0d67-4d7e-9a44-94c2d1d0c6ee", EventID: "1f9bd3a1-5e0c-4f0a-8e8c-2f6c9b1f0a11",
		ReadOnly: true, RecipientAccountID: "123456789012",
	}
}

func everyField() *Record {
	r := createAccessKey()
	r.UserIdentity = Identity{
		Type: AssumedRole, PrincipalID: "AROA:s", ARN: "arn:aws:sts::123456789012:assumed-role/r/s",
		AccountID: "123456789012", AccessKeyID: "ASIAQNZGKIQY56JQ7WML", InvokedBy: "x.amazonaws.com",
		SessionContext: &SessionContext{
			Issuer:       &SessionIssuer{"Role", "AROA", "arn:aws:iam::123456789012:role/r", "123456789012", "r"},
			CreationDate: noon, MFAAuthenticated: true, SourceIdentity: "alice",
		},
	}
	r.AdditionalEventData = json.RawMessage("{\n  \"sequence\": 7\n}")
	r.Resources = []Resource{
		{"arn:aws:iam::123456789012:user/Bob", "123456789012", "AWS::IAM::User"}, {ARN: "*"},
	}
	r.EventType = ConsoleSignIn
	r.FromConsole = true
	return r
}

// The golden file holds a name and the record for each case.
func TestRecord(t *testing.T) {
	records := map[string]*Record{"CreateAccessKey": createAccessKey(), "GetUser": getUser(),
		"every field": everyField(), "empty": {}}
	golden, err := os.ReadFile("testdata/records.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(golden)) {
		name, want, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		rec := records[name]
		if !ok || rec == nil {
			t.Fatalf("golden line %q", line)
		}
		seen++
		t.Run(name, func(t *testing.T) {
			got := rec.AppendJSON(nil)
			if !json.Valid(got) {
				t.Errorf("not JSON: %s", got)
			}
			if d := cmp.Diff(want, string(got)); d != "" {
				t.Errorf("%s\ngot %s", d, got)
			}
		})
	}
	if seen != len(records) {
		t.Errorf("%d of %d records in the golden file", seen, len(records))
	}
}

func TestRecordHidesCertificateBodies(t *testing.T) {
	r := Record{ErrorCode: "MalformedCertificateException",
		ErrorMessage: "Certificate -----BEGIN PRIVATE KEY----- canary is malformed."}
	if got := r.AppendJSON(nil); bytes.Contains(got, []byte("canary")) ||
		!bytes.Contains(got, []byte("is malformed.")) {
		t.Errorf("%s", got)
	}
}

func TestRecordCutsTexts(t *testing.T) {
	r := Record{UserAgent: strings.Repeat("ä", 5000), ErrorCode: "X", ErrorMessage: "x" + strings.Repeat("ä", 5000)}
	got := r.AppendJSON(nil)
	if len(got) > 3000 || !json.Valid(got) || !utf8.Valid(got) {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	var back struct{ UserAgent, ErrorMessage string }
	if err := json.Unmarshal(got, &back); err != nil || len(back.UserAgent) != 1024 || len(back.ErrorMessage) != 1023 {
		t.Errorf("%d, %d bytes, %v", len(back.UserAgent), len(back.ErrorMessage), err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add("a\nb\r\u2028\"\\\x00\x7f\u0085", "\xff\xc3", "{\n}")
	f.Fuzz(func(t *testing.T, a, b, raw string) {
		r := Record{UserAgent: a, UserIdentity: Identity{UserName: b}, EventName: b,
			AdditionalEventData: json.RawMessage(raw)}
		if !json.Valid(r.AdditionalEventData) {
			if r.AdditionalEventData = nil; strings.Contains(raw, "\n") {
				r.AdditionalEventData = json.RawMessage(raw) // becomes null
			}
		}
		got := r.AppendJSON(nil)
		if bytes.ContainsAny(got, "\n\r\u2028\u2029\u0085\x00\x7f") &&
			!strings.ContainsAny(raw, "\r\u2028\u2029\u0085\x7f") {
			t.Fatalf("a line break or control character: %q", got)
		}
		var back struct {
			UserAgent    string
			UserIdentity struct{ UserName string }
		}
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%v: %s", err, got)
		}
		if escapedLength(a) <= maxText && back.UserAgent != strings.ToValidUTF8(a, "\ufffd") &&
			back.UserAgent != string([]rune(a)) {
			t.Fatalf("%q came back as %q", a, back.UserAgent)
		}
	})
}

// escapedLength returns the most bytes that a text takes in a record, which cuts
// texts after it has escaped them.
func escapedLength(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) {
			n += len(`\ud800\udc00`) - 1
		}
	}
	return n
}

func BenchmarkRecordGetUser(b *testing.B) {
	m := NewMembers(ofEvery)
	in := &iam.GetUserInput{UserName: aws.String("Bob")}
	rec := *getUser()
	buf := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		rec.RequestParameters = m.Request(in)
		buf = rec.AppendJSON(buf[:0])
	}
}
