package service_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/service"
)

// in sends a signed form and requests an answer in a form.
func (w *world) in(t testing.TB, accept, form, scope string, by clients) answer {
	t.Helper()
	r := w.post(t, "/", form)
	w.sign(r, form, by, "us-east-1", scope)
	r.Header.Set("Accept", accept)
	return send(t, r)
}

// presigned returns a presigned URL of GetCallerIdentity for root.
func (w *world) presigned(t testing.TB) string {
	t.Helper()
	client := sts.NewPresignClient(w.root.sts, func(o *sts.PresignOptions) { o.Presigner = presigner{w} })
	signed, err := client.PresignGetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	return signed.URL
}

// inJSON reads an answer that must be JSON.
func inJSON(t testing.TB, a answer, status int) map[string]any {
	t.Helper()
	var all map[string]any
	err := json.Unmarshal([]byte(a.body), &all)
	if err != nil || a.status != status || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s: %v\n%s", a.status, a.header.Get("Content-Type"), err, a.body)
	}
	return all
}

// wantsJSONError compares an error in JSON.
func wantsJSONError(t testing.TB, a answer, status int, code, message string) {
	t.Helper()
	all := inJSON(t, a, status)
	refused, _ := all["Error"].(map[string]any)
	if len(all) != 2 || refused["Code"] != code || refused["Message"] != message || refused["Type"] != "Sender" ||
		all["RequestId"] != a.header.Get("X-Amzn-Requestid") {
		t.Errorf("want %s %q\n%s", code, message, a.body)
	}
}

// STS answers in JSON if the request asks for it, in the form that the
// authenticators of Kubernetes and Teleport read. IAM does not.
func TestJSONOfSTS(t *testing.T) {
	t.Parallel()
	const accept, identity = "application/json", "Action=GetCallerIdentity&Version=" + stsVersion
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	role := w.role(t, "worker", trusting("Ann"))
	id := ann.id

	got := w.in(t, accept, identity, "sts", w.root)
	want := `{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":"` + account + `","Arn":"` + rootARN +
		`","UserId":"` + account + `"},"ResponseMetadata":{"RequestId":"` + got.header.Get("X-Amzn-Requestid") + `"}}}`
	if got.body != want {
		t.Errorf("got\n%s\nwant\n%s", got.body, want)
	}
	for action, params := range map[string]string{
		"GetAccessKeyInfo": "&AccessKeyId=" + id, "GetSessionToken": "", "GetFederationToken": "&Name=guest",
		"AssumeRole": "&RoleSessionName=night&RoleArn=" + role,
	} {
		by := ann
		if action == "GetAccessKeyInfo" || action == "GetFederationToken" {
			by = w.root
		}
		all := inJSON(t, w.in(t, accept, "Action="+action+"&Version="+stsVersion+params, "sts", by), 200)
		response, _ := all[action+"Response"].(map[string]any)
		result, _ := response[action+"Result"].(map[string]any)
		if len(all) != 1 || len(response) != 2 || len(result) == 0 {
			t.Errorf("%s: %v", action, all)
		}
		if credentials, ok := result["Credentials"].(map[string]any); ok {
			ends := time.Unix(int64(credentials["Expiration"].(float64)), 0)
			if left := ends.Sub(w.clock.Now()); left < time.Hour || left > 12*time.Hour {
				t.Errorf("%s: ends in %v", action, left)
			}
		}
	}
	// As authenticators do: somebody else signs a URL, which is fetched as
	// JSON.
	r := w.request(t, "GET", strings.TrimPrefix(w.presigned(t), w.url), nil)
	r.Header.Set("Accept", accept)
	inJSON(t, send(t, r), 200)
	// A client that accepts both or anything gets XML, and so does every client
	// of IAM.
	for _, other := range []string{"*/*", "text/xml, application/json", ""} {
		got := w.in(t, other, identity, "sts", w.root)
		if got.header.Get("Content-Type") != "text/xml" || got.status != 200 {
			t.Errorf("%s: %d %s", other, got.status, got.body)
		}
	}
	if got := w.in(t, accept, call("ListUsers", ""), "iam", w.root); got.header.Get("Content-Type") != "text/xml" {
		t.Errorf("IAM: %s", got.body)
	}
	wants(t, w.in(t, accept, call("GetUser", "UserName=nobody"), "iam", w.root), 404, "NoSuchEntity",
		"The user with name nobody cannot be found.")
}

func TestJSONErrorsOfSTS(t *testing.T) {
	t.Parallel()
	const accept, identity = "application/json", "Action=GetCallerIdentity&Version=" + stsVersion
	w := newWorld(t, service.Config{Rate: 1, Burst: 20})
	w.clock.advance(time.Minute)
	form := func(params string) string { return params + "&Version=" + stsVersion }
	root := func(body string) answer { return w.in(t, accept, body, "sts", w.root) }
	wantsJSONError(t, root(form("Action=GetAccessKeyInfo&AccessKeyId=x")), 400, "ValidationError",
		"1 validation error detected: Value 'x' at 'accessKeyId' failed to satisfy constraint: "+
			"Member must have length greater than or equal to 16")
	wantsJSONError(t, root(form("Action=Nothing")), 400, "InvalidAction",
		"Could not find operation Nothing for version 2011-06-15")
	wantsJSONError(t, root("Action=GetCallerIdentity"), 400, "InvalidAction",
		"Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED")
	wantsJSONError(t, root("Action=%zz"), 400, "MalformedQueryString", "Illegal hex character in escape % pattern: %zz")
	wantsJSONError(t, root(form("Action=GetSessionToken&DurationSeconds=x")), 400, "MalformedInput",
		"DurationSeconds must be an integer.")
	assume := form("Action=AssumeRole&RoleSessionName=night&RoleArn=arn:aws:iam::" + account + ":role/r")
	wantsJSONError(t, root(assume), 403, "AccessDenied",
		"Roles may not be assumed by root accounts.")
	as := func(id, key string) answer { return w.in(t, accept, identity, "sts", clients{id: id, key: key}) }
	wantsJSONError(t, as(w.root.id, "wrong"), 403, "SignatureDoesNotMatch",
		"The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	wantsJSONError(t, as("AKIAIOSFODNN7EXAMPLE", "x"), 403, "InvalidClientTokenId",
		"The security token included in the request is invalid.")
	wantsJSONError(t, root(identity+"&x="+strings.Repeat("x", 1<<20)), 413, "RequestEntityTooLarge",
		"The request is larger than 1048576 bytes.")
	t.Run("not signed", func(t *testing.T) {
		for _, r := range []*http.Request{
			w.post(t, "/", identity), w.request(t, "GET", "/?"+identity, nil),
			w.post(t, "/", form("Action=AssumeRoleWithSAML")),
		} {
			r.Header.Set("Accept", accept)
			a := send(t, r)
			if all := inJSON(t, a, a.status); a.status < 400 || all["Error"] == nil {
				t.Error(a.body)
			}
		}
	})
	t.Run("throttled", func(t *testing.T) {
		var a answer
		for range 30 {
			if a = root(identity); a.status != 200 {
				break
			}
		}
		wantsJSONError(t, a, 400, "Throttling", "Rate exceeded")
		if a.header.Get("X-Amz-Retry-After") == "" {
			t.Error("no time to wait")
		}
	})
}
