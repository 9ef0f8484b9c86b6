package service_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/service"
	"rollcall/internal/sigv4/sigv4test"
)

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// Answers have the same bytes as AWS's: no XML declaration, two spaces, LF, one
// LF at the end.
func TestWireFormat(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	id := must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("Ann")}).User.UserId
	const iamNamespace = `xmlns="https://iam.amazonaws.com/doc/2010-05-08/"`
	const metadata = "  <ResponseMetadata>\n    <RequestId>REQUEST</RequestId>\n  </ResponseMetadata>\n"
	refusal := func(inner string) string {
		return "<ErrorResponse " + iamNamespace + ">\n  <Error>\n" + inner +
			"  </Error>\n  <RequestId>REQUEST</RequestId>\n</ErrorResponse>\n"
	}
	for _, c := range []struct {
		name, form string
		status     int
		body       string
	}{
		{"result", call("GetUser", "UserName=ann"), 200, "<GetUserResponse " + iamNamespace + `>
  <GetUserResult>
    <User>
      <Path>/</Path>
      <UserName>Ann</UserName>
      <UserId>` + *id + `</UserId>
      <Arn>arn:aws:iam::123456789012:user/Ann</Arn>
      <CreateDate>2026-11-23T10:00:00Z</CreateDate>
    </User>
  </GetUserResult>
` + metadata + "</GetUserResponse>\n"},
		{"empty list", call("ListAccessKeys", "UserName=Ann"), 200, "<ListAccessKeysResponse " + iamNamespace + `>
  <ListAccessKeysResult>
    <AccessKeyMetadata/>
    <IsTruncated>false</IsTruncated>
  </ListAccessKeysResult>
` + metadata + "</ListAccessKeysResponse>\n"},
		{"no result", call("TagUser", "UserName=Ann&Tags.member.1.Key=k&Tags.member.1.Value="), 200,
			"<TagUserResponse " + iamNamespace + ">\n" + metadata + "</TagUserResponse>\n"},
		{"refused", call("GetUser", "UserName=b"), 404,
			refusal("    <Type>Sender</Type>\n    <Code>NoSuchEntity</Code>\n" +
				"    <Message>The user with name b cannot be found.</Message>\n")},
		{"refused without a message", call("GetCredentialReport", ""), 410,
			refusal("    <Type>Sender</Type>\n    <Code>ReportNotPresent</Code>\n")},
		{"started", call("GenerateCredentialReport", ""), 200, "<GenerateCredentialReportResponse " + iamNamespace + `>
  <GenerateCredentialReportResult>
    <Description>No report exists. Starting a new report generation task</Description>
    <State>STARTED</State>
  </GenerateCredentialReportResult>
` + metadata + "</GenerateCredentialReportResponse>\n"},
		{"sts", "Action=GetCallerIdentity&Version=2011-06-15", 200,
			`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:iam::123456789012:root</Arn>
    <UserId>123456789012</UserId>
    <Account>123456789012</Account>
  </GetCallerIdentityResult>
` + metadata + "</GetCallerIdentityResponse>\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.raw(t, c.form)
			request := a.header.Get("X-Amzn-Requestid")
			if !uuidForm.MatchString(request) {
				t.Errorf("request id %q", request)
			}
			if diff := cmp.Diff(strings.Replace(c.body, "REQUEST", request, 1), a.body); a.status != c.status ||
				diff != "" {
				t.Errorf("status %d, -want +got\n%s", a.status, diff)
			}
			want := map[string]string{
				"Content-Type": "text/xml", "Content-Length": strconv.Itoa(len(a.body)),
				"Date": began.Format(http.TimeFormat), "X-Amzn-Requestid": request,
			}
			for name, value := range a.header {
				if name == "Connection" {
					continue // this test requested it
				}
				if len(value) != 1 || value[0] != want[name] {
					t.Errorf("header %s: %q, want %q", name, value, want[name])
				}
				delete(want, name)
			}
			if len(want) > 0 {
				t.Errorf("missing headers %v", want)
			}
		})
	}
	t.Run("lengths of recordings", func(t *testing.T) {
		w := inMemory(t)
		if n := len(w.raw(t, call("GetCredentialReport", "")).body); n != 224 {
			t.Errorf("%d bytes for ReportNotPresent", n)
		}
		if n := len(w.raw(t, call("GenerateCredentialReport", "")).body); n != 413 {
			t.Errorf("%d bytes for STARTED", n)
		}
	})
}

// These requests are not for the API.
func TestNotForTheAPI(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	for _, c := range []struct {
		method, target, kind string
		status               int
		body                 string
	}{
		{"GET", "/", "", 302, ""},
		{"GET", "/?", "", 302, ""},
		{"HEAD", "/", "", 302, ""},
		{"PUT", "/", formType, 302, ""},
		{"DELETE", "/?Action=DeleteUser&UserName=u", "", 302, ""},
		{"OPTIONS", "/", "", 302, ""},
		{"PATCH", "/x", formType, 302, ""},
		{"GET", "/favicon.ico", "", 404, "<UnknownOperationException/>\n"},
		{"GET", "/x/y?z=1", "", 404, "<UnknownOperationException/>\n"},
		{"POST", "/", "", 403, "<html>"},
		{"POST", "/", "application/json", 403, "<html>"},
		{"POST", "/", "application/x-amz-json-1.0", 403, "<html>"},
		{"POST", "/", "multipart/form-data; boundary=x", 403, "<html>"},
		{"POST", "/", "application/x-www-form-urlencoded;;", 403, "<html>"},
	} {
		t.Run(c.method+" "+c.target+" "+c.kind, func(t *testing.T) {
			r := w.request(t, c.method, c.target, strings.NewReader("Action=DeleteUser&UserName=u&Version="+iamVersion))
			if c.kind != "" {
				r.Header.Set("Content-Type", c.kind)
			}
			a := send(t, r)
			if a.status != c.status || !strings.HasPrefix(a.body, c.body) || c.body == "" && a.body != "" {
				t.Errorf("%d %q", a.status, a.body)
			}
			if location := a.header.Get("Location"); (location != "") != (c.status == 302) || location != "" &&
				!strings.HasPrefix(location, "https://") {
				t.Errorf("location %q", location)
			}
			if !uuidForm.MatchString(a.header.Get("X-Amzn-Requestid")) {
				t.Error("no request id")
			}
		})
	}
	if lines := w.trail.lines(); lines[0] != "" {
		t.Errorf("%d records of calls that were none", len(lines))
	}
}

// A call may use GET, signed in its headers or in its query.
func TestGET(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	key := sigv4test.Credentials{AccessKeyID: w.root.id, SecretAccessKey: w.root.key}
	target := "/?" + call("GetUser", "UserName=Ann")
	t.Run("header", func(t *testing.T) {
		r := w.request(t, "GET", target, nil)
		w.sign(r, "", w.root, "us-east-1", "iam")
		if a := send(t, r); a.status != 200 || !strings.Contains(a.body, "user/Ann") {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("presigned", func(t *testing.T) {
		r := w.request(t, "GET", target, nil)
		sigv4test.Presign(r, nil, key, "us-east-1", "iam", began, time.Minute)
		if a := send(t, r); a.status != 200 || !strings.Contains(a.body, "user/Ann") {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("presigned and over", func(t *testing.T) {
		r := w.request(t, "GET", target, nil)
		sigv4test.Presign(r, nil, key, "us-east-1", "iam", began.Add(-61*time.Second), time.Minute)
		wants(t, send(t, r), 403, "SignatureDoesNotMatch",
			"Signature expired: 20261123T095859Z is now earlier than 20261123T095900Z (20261123T100000Z - 60 sec.)")
	})
	t.Run("presigned by the SDK", func(t *testing.T) {
		presigned, err := sts.NewPresignClient(w.root.sts, func(o *sts.PresignOptions) {
			o.Presigner = presigner{w}
		}).PresignGetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), presigned.Method, presigned.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range presigned.SignedHeader {
			r.Header[name] = values
		}
		if a := send(t, r); a.status != 200 || !strings.Contains(a.body, rootARN) {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("changed", func(t *testing.T) {
		r := w.request(t, "GET", target, nil)
		sigv4test.Presign(r, nil, key, "us-east-1", "iam", began, time.Minute)
		r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Ann", "Bob", 1)
		if a := send(t, r); a.code != "SignatureDoesNotMatch" {
			t.Errorf("%+v", a.failure)
		}
	})
	t.Run("parameters only in the body", func(t *testing.T) {
		// The body of a GET is ignored.
		r := w.request(t, "GET", "/?"+call("GetUser", ""), strings.NewReader("UserName=Ann"))
		w.sign(r, "UserName=Ann", w.root, "us-east-1", "iam")
		if a := send(t, r); strings.Contains(a.body, "user/Ann") {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

// An endpoint may have a path, which is signed.
func TestBasePath(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	c := iam.New(w.root.Options(), func(o *iam.Options) { o.BaseEndpoint = ptr(w.url + "/base/path/") })
	if got := must(t, c.GetUser, &iam.GetUserInput{}).User; *got.Arn != rootARN {
		t.Errorf("%s", *got.Arn)
	}
	r := w.post(t, "/base/path/", call("GetUser", ""))
	w.sign(r, call("GetUser", ""), w.root, "us-east-1", "iam")
	r.URL.Path = "/other/"
	if a := send(t, r); a.code != "SignatureDoesNotMatch" {
		t.Errorf("%+v", a.failure)
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const body = "Action=GetCallerIdentity&Version=2011-06-15"
	try := func(w *world, region, service string) answer {
		r := w.post(t, "/", body)
		w.sign(r, body, w.root, region, service)
		return send(t, r)
	}
	for _, region := range []string{"us-east-1", "eu-west-1", "local", "aws-global", "cn-north-1"} {
		wants(t, try(w, region, "sts"), 200, "", "")
	}
	wants(t, try(w, "", "sts"), 403, "SignatureDoesNotMatch",
		"Credential should be scoped to a valid region, but it has no region. Set AWS_DEFAULT_REGION and AWS_REGION, "+
			"or 'region' in the profile.")
	wants(t, try(w, "<x>", "sts"), 403, "SignatureDoesNotMatch",
		"Credential should be scoped to a valid region, not '<x>'. ")
	wants(t, try(w, "us-east-1", "s3"), 403, "SignatureDoesNotMatch",
		"Credential should be scoped to correct service: 'iam'.")
	wants(t, try(w, "us-east-1", "iam"), 403, "SignatureDoesNotMatch",
		"Credential should be scoped to correct service: 'sts'.")
	wants(t, w.rawTo(t, call("GetUser", ""), "sts"), 403, "SignatureDoesNotMatch",
		"Credential should be scoped to correct service: 'iam'.")

	one := newWorld(t, service.Config{Regions: []string{"us-east-1"}})
	wants(t, try(one, "us-east-1", "sts"), 200, "", "")
	wants(t, try(one, "us-west-2", "sts"), 403, "SignatureDoesNotMatch",
		"Credential should be scoped to a valid region, not 'us-west-2'. ")
}

func TestClockSkew(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	body := call("GetUser", "")
	at := func(d time.Duration) answer {
		r := w.post(t, "/", body)
		sigv4test.Sign(r, []byte(body), sigv4test.Credentials{AccessKeyID: w.root.id, SecretAccessKey: w.root.key},
			"us-east-1", "iam", began.Add(d))
		return send(t, r)
	}
	wants(t, at(15*time.Minute), 200, "", "")
	wants(t, at(-15*time.Minute), 200, "", "")
	wants(t, at(15*time.Minute+time.Second), 403, "SignatureDoesNotMatch",
		"Signature not yet current: 20261123T101501Z is still later than 20261123T101500Z (20261123T100000Z + 15 min.)")
	wants(t, at(-15*time.Minute-time.Second), 403, "SignatureDoesNotMatch",
		"Signature expired: 20261123T094459Z is now earlier than 20261123T094500Z (20261123T100000Z - 15 min.)")
}

// The SDK corrects its clock with the Date of a refusal, and then continues.
func TestClockSkewOfTheSDK(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-20 * time.Minute, 20 * time.Minute, 30 * 24 * time.Hour} {
		t.Run(fmt.Sprint(skew), func(t *testing.T) {
			t.Parallel()
			w := inMemory(t)
			w.clock.advance(time.Now().Add(skew).Sub(began))
			w.trail.lines()
			c := iam.NewFromConfig(w.sdkConfig(w.root.id, w.root.key))
			for range 3 {
				must(t, c.GetUser, &iam.GetUserInput{})
			}
			if lines := w.trail.lines(); len(lines) != 4 {
				t.Errorf("%d calls, want one refused and three more", len(lines))
			}
		})
	}
}

// Further parameters that clients send are ignored.
func TestUnknownParameters(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	wants(t, w.raw(t, call("GetUser", "ContextKeys=1&Filter.member.1.x=2&=3&%F0%9F%98%80=")), 200, "", "")
}

// Hostile names come back unchanged, in every form of answers.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "u")
	for _, value := range []string{"<b>&amp;</b>", "]]>", "\u2028", "😀", "\u202e", "a b", "%00", "+", "é"} {
		out := w.raw(t, call("TagUser", "UserName=u&Tags.member.1.Key=k&Tags.member.1.Value="+url.QueryEscape(value)))
		if out.status == 400 && out.code == "ValidationError" {
			continue // AWS's pattern does not allow it
		}
		wants(t, out, 200, "", "")
		same(t, must(t, w.root.ListUserTags, &iam.ListUserTagsInput{UserName: ptr("u")}).Tags, tags("k", value))
	}
	const path = "/a&b<c>'d\"/" // AWS's pattern allows all of it
	must(t, w.root.CreateUser, &iam.CreateUserInput{UserName: ptr("v"), Path: ptr(path)})
	same(t, must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("v")}).User.Path, ptr(path))
}
