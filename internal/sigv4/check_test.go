package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rollcall/internal/sigv4/sigv4test"
)

func hashOf(b []byte) [32]byte { return sha256.Sum256(b) }

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return string(appendHex(nil, sum[:]))
}

func hashed(authorization string) string {
	sum := sha256.Sum256([]byte(authorization))
	return " (Hashed with SHA-256 and encoded with Base64) Authorization=" + base64.StdEncoding.EncodeToString(sum[:])
}

const (
	textIncomplete = "IncompleteSignature"
	textDiffers    = "SignatureDoesNotMatch"
)

// replaceAuth returns a change that replaces text in the Authorization header.
func replaceAuth(old, with string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
	}
}

func setHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func addHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func setQuery(raw string) func(*http.Request) {
	return func(r *http.Request) { r.URL.RawQuery = raw }
}

// These are the texts of the checks on the header form, numbered as in the
// recording of AWS's order.
func TestVerifyRefusesHeader(t *testing.T) {
	const scope = "20261123/us-east-1/iam/aws4_request"
	for _, test := range []struct {
		name          string
		change        func(*http.Request)
		code, message string
	}{
		{"1 path not absolute", func(r *http.Request) { r.URL = &url.URL{Scheme: "i"} }, textDiffers, textMismatch},
		{"1 path opaque", func(r *http.Request) { r.URL = &url.URL{Scheme: "i", Opaque: "x"} }, textDiffers,
			textMismatch},
		{"4 trailing escape", setQuery("a=b%2"), "MalformedQueryString", "Incomplete trailing escape % sequence"},
		{"4 trailing escape in key", setQuery("a%=b"), "MalformedQueryString", "Incomplete trailing escape % sequence"},
		{"4 illegal escape", setQuery("a=%zz1"), "MalformedQueryString",
			"Illegal hex character in escape % pattern: %zz"},
		{"5 unsigned", func(r *http.Request) { r.Header.Del("Authorization") },
			"MissingAuthenticationToken", "Request is missing Authentication Token"},
		{"5b also presigned", setQuery("X-Amz-Algorithm=AWS4-HMAC-SHA256"), textDiffers, ""},
		{"5b also one parameter of a presigned URL", setQuery("x-amz-credential=AKIABOB"), textDiffers, ""},
		{"6a SigV2", setHeader("Authorization", "AWS AKIAALICE:c2ln"), textIncomplete,
			"Unsupported AWS 'algorithm': 'AWS'."},
		{"6a SigV4A", replaceAuth(algorithm, "AWS4-ECDSA-P256-SHA256"), textIncomplete,
			"Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'."},
		{"6a bearer", setHeader("Authorization", "Bearer abc"), textIncomplete,
			"Unsupported AWS 'algorithm': 'Bearer'."},
		{"6a lower case", replaceAuth(algorithm, "aws4-hmac-sha256"), textIncomplete,
			"Unsupported AWS 'algorithm': 'aws4-hmac-sha256'."},
		{"6a empty", setHeader("Authorization", ""), textIncomplete, "Unsupported AWS 'algorithm': ''."},
		{"6a repeats no more than it must", setHeader("Authorization", strings.Repeat("x", 600)),
			textIncomplete, "Unsupported AWS 'algorithm': '" + strings.Repeat("x", 512) + "...'."},
		{"6b no equal-sign", setHeader("Authorization", "AWS4-HMAC-SHA256 Credential=a, Signed"), textIncomplete,
			"'Signed' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 " +
				"Credential=a, Signed'"},
		{"6c element twice", replaceAuth("Credential=", "Credential=AKIABOB/"+scope+", Credential="),
			textDiffers, "'Credential' must be given exactly once."},
		{"6c two Authorization headers", func(r *http.Request) {
			r.Header.Add("Authorization", r.Header.Get("Authorization"))
		},
			textDiffers, "'Authorization' must be given exactly once."},
		{"6c two X-Amz-Date", addHeader("X-Amz-Date", stamp), textDiffers, "'X-Amz-Date' must be given exactly once."},
		{"6c two Date", func(r *http.Request) { r.Header["Date"] = []string{stamp, stamp} }, textDiffers,
			"'Date' must be given exactly once."},
		{"6c X-Amz-Date in another case", func(r *http.Request) { r.Header["x-amz-date"] = []string{stamp} },
			textDiffers, "'x-amz-date' must be given exactly once."},
		{"6d all missing", func(r *http.Request) {
			r.Header.Set("Authorization", algorithm)
			r.Header.Del("X-Amz-Date")
		}, textIncomplete, "Authorization header requires 'Credential' parameter. " +
			"Authorization header requires 'Signature' parameter. " +
			"Authorization header requires 'SignedHeaders' parameter. " +
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header." + hashed(algorithm)},
		{"6d signature misspelt",
			setHeader("Authorization", "AWS4-HMAC-SHA256 Credential=a,signature=b,SignedHeaders=c"), textIncomplete,
			"Authorization header requires 'Signature' parameter." +
				hashed("AWS4-HMAC-SHA256 Credential=a,signature=b,SignedHeaders=c")},
		{"8 host not signed", replaceAuth("host;", ""), textDiffers,
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"8 nothing signed", replaceAuth("SignedHeaders=content-type;host;x-amz-date", "SignedHeaders="), textDiffers,
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"8 another Host header", setHeader("Host", "evil.example.com"), textDiffers,
			"'Host' must be given exactly once."},
		{"8 date not signed", replaceAuth(";x-amz-date", ""), textDiffers,
			"'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization."},
		{"8 added x-amz header", setHeader("X-Amz-Target", "x"), textDiffers,
			"'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."},
		{"8 added session token", setHeader("X-Amz-Security-Token", "x"), textDiffers,
			"'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization."},
		{"8 signed headers unsorted", replaceAuth("content-type;host", "host;content-type"), textDiffers,
			"SignedHeaders must be lower case, sorted and without duplicates, got 'host;content-type;x-amz-date'."},
		{"8 signed header in upper case", replaceAuth("content-type;host", "Content-Type;host"), textDiffers,
			"SignedHeaders must be lower case, sorted and without duplicates, got 'Content-Type;host;x-amz-date'."},
		{"8 signed header named twice", replaceAuth("host;", "host;host;"), textDiffers,
			"SignedHeaders must be lower case, sorted and without duplicates, got " +
				"'content-type;host;host;x-amz-date'."},
		{"8 signed header gone", func(r *http.Request) { r.Header.Del("Content-Type") }, textDiffers, textMismatch},
		{"8 signed header twice", addHeader("Content-Type", "text/plain"), textDiffers,
			"'content-type' must be given exactly once."},
		{"9 not ISO 8601", setHeader("X-Amz-Date", "Mon, 23 Nov 2026 12:00:00 GMT"), textIncomplete,
			"Date must be in ISO-8601 'basic format'. Got 'Mon, 23 Nov 2026 12:00:00 GMT'. See " +
				"http://en.wikipedia.org/wiki/ISO_8601"},
		{"9 fraction of a second", setHeader("X-Amz-Date", "20261123T120000.5Z"), textIncomplete,
			"Date must be in ISO-8601 'basic format'. Got '20261123T120000.5Z'. See " +
				"http://en.wikipedia.org/wiki/ISO_8601"},
		{"9 empty", setHeader("X-Amz-Date", ""), textIncomplete,
			"Date must be in ISO-8601 'basic format'. Got ''. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"10 too old", setHeader("X-Amz-Date", "20261123T114459Z"), textDiffers,
			"Signature expired: 20261123T114459Z is now earlier than 20261123T114500Z (20261123T120000Z - 15 min.)"},
		{"11 too new", setHeader("X-Amz-Date", "20261123T121501Z"), textDiffers,
			"Signature not yet current: 20261123T121501Z is still later than 20261123T121500Z (20261123T120000Z + " +
				"15 min.)"},
		{"12 four parts", replaceAuth("/aws4_request", ""), textIncomplete,
			"Credential must have exactly 5 slash-delimited elements, " +
				"e.g. keyid/date/region/service/term, got 'AKIAALICE/20261123/us-east-1/iam'"},
		{"12 empty", replaceAuth("AKIAALICE/"+scope, ""), textIncomplete,
			"Credential must have exactly 5 slash-delimited elements, " +
				"e.g. keyid/date/region/service/term, got ''"},
		{"13 no region", replaceAuth("us-east-1", ""), textDiffers,
			"Credential should be scoped to a valid region, but it has no region. " +
				"Set AWS_DEFAULT_REGION and AWS_REGION, or 'region' in the profile."},
		{"13 not a region, with the recorded space", replaceAuth("us-east-1", "us east"), textDiffers,
			"Credential should be scoped to a valid region, not 'us east'. "},
		{"13 service", replaceAuth("/iam/", "/s3/"), textDiffers,
			"Credential should be scoped to correct service: 'iam'."},
		{"13 terminator", replaceAuth("aws4_request", "aws5_request"), textDiffers,
			"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."},
		{"13 date", replaceAuth("/20261123/", "/20261122/"), textDiffers,
			"Date in Credential scope does not match YYYYMMDD from " +
				"ISO-8601 version of date from HTTP: '20261122' != '20261123', from '20261123T120000Z'."},
		{"13 all of it", replaceAuth(scope, "1/u s/s3/x"), textDiffers,
			"Credential should be scoped to a valid region, not 'u s'. " +
				"Credential should be scoped to correct service: 'iam'. " +
				"Credential should be scoped with a valid terminator: 'aws4_request', not 'x'. " +
				"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '1' != " +
				"'20261123', from '20261123T120000Z'."},
		{"15 unknown key", replaceAuth("AKIAALICE", "AKIANOBODY"), "InvalidClientTokenId",
			"The security token included in the request is invalid."},
		{"16 other signature", replaceAuth("Signature=", "Signature=0"), textDiffers, textMismatch},
		{"16 empty signature", func(r *http.Request) {
			auth, _, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", auth+"Signature=")
		}, textDiffers, textMismatch},
		{"16 other method", func(r *http.Request) { r.Method = "GET" }, textDiffers, textMismatch},
		{"16 other path", func(r *http.Request) { r.URL.Path = "/x" }, textDiffers, textMismatch},
		{"16 other host", func(r *http.Request) { r.Host = "other.example.com" }, textDiffers, textMismatch},
		{"16 query added", setQuery("Action=DeleteUser"), textDiffers, textMismatch},
		{"16 other content type", setHeader("Content-Type", "text/plain"), textDiffers, textMismatch},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, body := signed(alice, "us-east-1", "iam", now)
			test.change(r)
			_, err := newVerifier().Verify(r, body)
			wantRefusal(t, err, test.code, test.message)
		})
	}
}

func TestVerifyRefusesSession(t *testing.T) {
	for _, test := range []struct{ name, token, code, message string }{
		{"14b bad token", "other", "InvalidClientTokenId", "The security token included in the request is invalid"},
		{"14c expired token", "expired", "ExpiredToken", "The security token included in the request is expired"},
		{"15 no token", "", "InvalidClientTokenId", "The security token included in the request is invalid."},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := bob
			c.SessionToken = test.token
			r, body := signed(c, "us-east-1", "iam", now)
			_, err := newVerifier().Verify(r, body)
			wantRefusal(t, err, test.code, test.message)
			_, err = newVerifier().Verify(presigned(c, "us-east-1", "iam", now, time.Minute), nil)
			wantRefusal(t, err, test.code, test.message)
		})
	}
}

func TestVerifyRefusesBody(t *testing.T) {
	r, _ := signed(alice, "us-east-1", "iam", now)
	_, err := newVerifier().Verify(r, []byte(form+"&UserName=x"))
	wantRefusal(t, err, textDiffers, textMismatch)

	for _, declared := range []string{"UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
		"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "", hexHash(nil)} {
		t.Run("declared "+declared, func(t *testing.T) {
			r, body := post()
			r.Header.Set("X-Amz-Content-SHA256", declared)
			sigv4test.Sign(r, body, alice, "us-east-1", "iam", now)
			_, err := newVerifier().Verify(r, body)
			wantRefusal(t, err, textDiffers, textPayload)
		})
	}
}

func TestVerifyRefusesRegion(t *testing.T) {
	v := newVerifier()
	v.Regions = []string{"us-east-1"}
	r, body := signed(alice, "us-west-2", "iam", now)
	_, err := v.Verify(r, body)
	wantRefusal(t, err, textDiffers, "Credential should be scoped to a valid region, not 'us-west-2'. ")

	r, body = signed(alice, "", "iam", now) // signed correctly, as the SDK does without a region
	_, err = newVerifier().Verify(r, body)
	wantRefusal(t, err, textDiffers, "Credential should be scoped to a valid region, but it has no region. "+
		"Set AWS_DEFAULT_REGION and AWS_REGION, or 'region' in the profile.")
}

// These are the texts of the checks on the presigned form.
func TestVerifyRefusesPresigned(t *testing.T) {
	without := func(names ...string) func(*http.Request) {
		return func(r *http.Request) {
			q := r.URL.Query()
			for _, name := range names {
				q.Del(name)
			}
			r.URL.RawQuery = q.Encode()
		}
	}
	with := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			q := r.URL.Query()
			q.Set(name, value)
			r.URL.RawQuery = q.Encode()
		}
	}
	more := func(raw string) func(*http.Request) {
		return func(r *http.Request) { r.URL.RawQuery += raw }
	}
	for _, test := range []struct {
		name          string
		change        func(*http.Request)
		code, message string
	}{
		{"5 algorithm gone", without(paramAlgorithm), "MissingAuthenticationToken",
			"Request is missing Authentication Token"},
		{"5 algorithm in lower case", func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, paramAlgorithm, "x-amz-algorithm", 1)
		}, "MissingAuthenticationToken", "Request is missing Authentication Token"},
		{"5b header too", setHeader("Authorization", algorithm), textDiffers, ""},
		{"7a other algorithm", with(paramAlgorithm, "AWS4-ECDSA-P256-SHA256"), "MissingAuthenticationToken",
			"Missing Authentication Token"},
		{"7a empty algorithm", with(paramAlgorithm, ""), "MissingAuthenticationToken", "Missing Authentication Token"},
		{"7c twice", more("&X-Amz-Date=" + stamp), textDiffers, "'X-Amz-Date' must be given exactly once."},
		{"7c twice in another case", more("&x-amz-credential=AKIABOB"), textDiffers,
			"'x-amz-credential' must be given exactly once."},
		{"7c twice, escaped", more("&X%2DAmz-Date=" + stamp), textDiffers, "'X-Amz-Date' must be given exactly once."},
		{"7c in query and header", setHeader("X-Amz-Date", stamp), textDiffers,
			"'X-Amz-Date' must be given exactly once."},
		{"7d all missing", without(paramCredential, paramSignature, paramSignedHeaders, paramDate), textIncomplete,
			"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include " +
				"'X-Amz-Signature'. " +
				"AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must " +
				"include 'X-Amz-Date'. " +
				"Re-examine the query-string parameters."},
		{"7d one missing", without(paramSignature), textIncomplete,
			"AWS query-string parameters must include 'X-Amz-Signature'. Re-examine the query-string parameters."},
		{"8 host not signed", with(paramSignedHeaders, "x-amz-date"), textDiffers,
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"8 added x-amz header", setHeader("X-Amz-Target", "x"), textDiffers,
			"'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."},
		{"8 token moved into a header", setHeader("X-Amz-Security-Token", "x"), textDiffers,
			"'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization."},
		{"9 date", with(paramDate, "today"), textIncomplete,
			"Date must be in ISO-8601 'basic format'. Got 'today'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"10 expires is not a number", with(paramExpires, "-1"), textIncomplete,
			"X-Amz-Expires should be a number of seconds, got '-1'."},
		{"12 three parts", with(paramCredential, "a/b/c"), textIncomplete,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, " +
				"got 'a/b/c'"},
		{"13 line break in region", with(paramCredential, "AKIAALICE/20261123/a\nb/iam/aws4_request"), textDiffers,
			"Credential should be scoped to a valid region, not 'a\nb'. "},
		{"15 unknown key", with(paramCredential, "AKIANOBODY/20261123/us-east-1/iam/aws4_request"),
			"InvalidClientTokenId", "The security token included in the request is invalid."},
		{"16 token added", more("&X-Amz-Security-Token=x"), "InvalidClientTokenId",
			"The security token included in the request is invalid"},
		{"16 expires enlarged", with(paramExpires, "900"), textDiffers, textMismatch},
		{"16 action changed", with("Action", "DeleteUser"), textDiffers, textMismatch},
		{"16 parameter added", more("&a=b"), textDiffers, textMismatch},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := presigned(alice, "us-east-1", "iam", now, time.Minute)
			test.change(r)
			_, err := newVerifier().Verify(r, nil)
			wantRefusal(t, err, test.code, test.message)
		})
	}
	t.Run("16 body added", func(t *testing.T) {
		_, err := newVerifier().Verify(presigned(alice, "us-east-1", "iam", now, time.Minute), []byte(form))
		wantRefusal(t, err, textDiffers, textMismatch)
	})
}

// Both edges of the window are inside, in whole seconds.
func TestVerifyWindow(t *testing.T) {
	const minute = time.Minute
	header := func(at time.Time) *http.Request {
		r, _ := signed(alice, "us-east-1", "iam", at)
		return r
	}
	presign := func(service string, expires time.Duration) func(time.Time) *http.Request {
		return func(at time.Time) *http.Request { return presigned(alice, "us-east-1", service, at, expires) }
	}
	for _, test := range []struct {
		name    string
		request func(time.Time) *http.Request
		at      time.Time
		refused string
	}{
		{"header, 15 min old", header, now.Add(-15 * minute), ""},
		{"header, a second more", header, now.Add(-15*minute - time.Second),
			"Signature expired: 20261123T114459Z is now earlier than 20261123T114500Z (20261123T120000Z - 15 min.)"},
		{"header, 15 min ahead", header, now.Add(15 * minute), ""},
		{"header, a second more ahead", header, now.Add(15*minute + time.Second),
			"Signature not yet current: 20261123T121501Z is still later than 20261123T121500Z (20261123T120000Z + " +
				"15 min.)"},
		{"presigned for a week, 15 min old", presign("iam", 7*24*time.Hour), now.Add(-15 * minute), ""},
		{"presigned for a week, a second more", presign("iam", 7*24*time.Hour), now.Add(-15*minute - time.Second),
			"Signature expired: 20261123T114459Z is now earlier than 20261123T114500Z (20261123T120000Z - 15 min.)"},
		{"presigned without expiry, 15 min old", presign("iam", -1), now.Add(-15 * minute), ""},
		{"presigned for 60 s, 60 s old", presign("iam", minute), now.Add(-minute), ""},
		{"presigned for 60 s, 61 s old", presign("iam", minute), now.Add(-61 * time.Second),
			"Signature expired: 20261123T115859Z is now earlier than 20261123T115900Z (20261123T120000Z - 60 sec.)"},
		{"presigned for 0 s, 1 s old", presign("iam", 0), now.Add(-time.Second),
			"Signature expired: 20261123T115959Z is now earlier than 20261123T120000Z (20261123T120000Z - 0 sec.)"},
		{"presigned for 60 s, ahead", presign("iam", minute), now.Add(15 * minute), ""},
		{"presigned for 60 s, sts, 15 min old", presign("sts", minute), now.Add(-15 * minute), ""},
		{"presigned for a week, sts, a second more", presign("sts", 7*24*time.Hour), now.Add(-15*minute - time.Second),
			"Signature expired: 20261123T114459Z is now earlier than 20261123T114500Z (20261123T120000Z - 15 min.)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := test.request(test.at)
			body := []byte(form)
			if r.Method == "GET" {
				body = nil
			}
			for _, fraction := range []time.Duration{0, time.Second - 1} {
				v := newVerifier()
				v.Now = func() time.Time { return now.Add(fraction).In(time.FixedZone("x", 3600)) }
				_, err := v.Verify(r, body)
				switch {
				case test.refused != "":
					wantRefusal(t, err, textDiffers, test.refused)
				case err != nil:
					t.Error(err)
				}
			}
		})
	}
}

// A request with several errors gets one of them at a time, in the recorded
// order.
func TestVerifyOrder(t *testing.T) {
	auth := func(s string) func(*http.Request) { return setHeader("Authorization", s) }
	var steps = []struct {
		repair func(*http.Request)
		prefix string
	}{
		{func(*http.Request) {}, "MalformedQueryString: Incomplete"},
		{setQuery("X-Amz-Algorithm=x"), "SignatureDoesNotMatch"}, // 5b
		{setQuery(""), "IncompleteSignature: Unsupported AWS 'algorithm'"},
		{auth("AWS4-HMAC-SHA256 x"), "IncompleteSignature: 'x' not a valid"},
		{auth("AWS4-HMAC-SHA256 x=, Signature=, Signature="),
			"SignatureDoesNotMatch: 'Signature' must be given exactly once"},
		{auth("AWS4-HMAC-SHA256 x=, Signature="), "SignatureDoesNotMatch: 'X-Amz-Date' must be given exactly once"},
		{setHeader("X-Amz-Date", "x"), "IncompleteSignature: Authorization header requires 'Credential'"},
		{auth("AWS4-HMAC-SHA256 Credential=x, SignedHeaders=, Signature="), "SignatureDoesNotMatch: 'Host'"},
		{auth("AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature="),
			"SignatureDoesNotMatch: 'X-Amz-Date' must be a"},
		{auth("AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host;x-amz-date, Signature="),
			"IncompleteSignature: Date must be"},
		{setHeader("X-Amz-Date", "20260101T000000Z"), "SignatureDoesNotMatch: Signature expired"},
		{setHeader("X-Amz-Date", stamp), "IncompleteSignature: Credential must have"},
		{auth("AWS4-HMAC-SHA256 Credential=x/20261123/r/s/aws4_request, SignedHeaders=host;x-amz-date, Signature="),
			"SignatureDoesNotMatch: Credential should be scoped to correct service"},
		{auth("AWS4-HMAC-SHA256 Credential=x/20261123/r/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature="),
			"InvalidClientTokenId"},
		{auth("AWS4-HMAC-SHA256 Credential=AKIAALICE/20261123/r/iam/aws4_request, SignedHeaders=host;x-amz-date, " +
			"Signature="),
			"SignatureDoesNotMatch: The request signature"},
	}
	r, body := post()
	r.Header["Authorization"] = []string{"x"}
	r.Header["X-Amz-Date"] = []string{"a", "b"}
	r.URL.RawQuery = "X-Amz-Algorithm=x%"
	for i, step := range steps {
		step.repair(r)
		_, err := newVerifier().Verify(r, body)
		if err == nil || !strings.HasPrefix(err.Error(), step.prefix) {
			t.Errorf("step %d: %v, want %s", i, err, step.prefix)
		}
	}
}

func TestParseQuery(t *testing.T) {
	got, err := ParseQuery("b=1&a=%41+%2b&&c&=d;e&b=2%3D=")
	if err != nil {
		t.Fatal(err)
	}
	want := Query{{"b", "1"}, {"a", "A +"}, {"c", ""}, {"", "d;e"}, {"b", "2=="}}
	if len(got) != len(want) {
		t.Fatalf("ParseQuery = %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("ParseQuery[%d] = %q, want %q", i, got[i], want[i])
		}
	}
}

func TestCanonicalPath(t *testing.T) {
	for _, test := range []struct{ path, raw, want string }{
		{"", "", "/"},
		{"/", "", "/"},
		{"//", "", "/"},
		{"/a b", "", "/a%2520b"},
		{"/a/b", "/a%2Fb", "/a%252Fb"},
		{"/a/b", "/a%2fb", "/a%252fb"},
		{"/a/../b/", "", "/b/"},
		{"/../..", "", "/"},
		{"/changed", "/was", "/changed"}, // Path is the path of the request
		{"/~x", "", "/~x"},
	} {
		u := &url.URL{Path: test.path, RawPath: test.raw}
		if got := string(appendCanonicalPath(nil, u)); got != test.want {
			t.Errorf("path %q, raw %q: %q, want %q", test.path, test.raw, got, test.want)
		}
	}
}
