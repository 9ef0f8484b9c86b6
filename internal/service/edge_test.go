package service_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"rollcall/internal/service"
	"rollcall/internal/sigv4/sigv4test"
)

const mismatch = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// padded returns a valid request of exactly n bytes.
func padded(n int) string {
	body := call("GetUser", "Padding=")
	return body + strings.Repeat("x", n-len(body))
}

func TestBodySize(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const limit = 1 << 20
	try := func(size int, chunked bool) answer {
		body := padded(size)
		r := w.post(t, "/", body)
		w.sign(r, body, w.root, "us-east-1", "iam")
		if chunked {
			r.ContentLength = -1
			r.Body = struct{ io.ReadCloser }{r.Body}
		}
		return send(t, r)
	}
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprint("chunked ", chunked), func(t *testing.T) {
			wants(t, try(1000, chunked), 200, "", "")
			wants(t, try(limit, chunked), 200, "", "")
			wants(t, try(limit+1, chunked), 413, "RequestEntityTooLarge", "The request is larger than 1048576 bytes.")
		})
	}
}

// Bodies that are not forms, or are ambiguous forms.
func TestBadForms(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	var unique strings.Builder
	for i := range 10_001 {
		unique.WriteString("&" + strconv.Itoa(i))
	}
	for _, c := range []struct {
		name, form    string
		code, message string
	}{
		{"empty", "", "InvalidAction", "Could not find operation  for version NO_VERSION_SPECIFIED"},
		{"no version", "Action=GetUser", "InvalidAction",
			"Could not find operation GetUser for version NO_VERSION_SPECIFIED"},
		{"unknown version", "Action=GetUser&Version=2020-01-01", "InvalidAction",
			"Could not find operation GetUser for version 2020-01-01"},
		{"version of the other service", "Action=GetCallerIdentity&Version=" + iamVersion, "InvalidAction",
			"Could not find operation GetCallerIdentity for version 2010-05-08"},
		{"unknown action", call("GetUsers", ""), "InvalidAction",
			"Could not find operation GetUsers for version 2010-05-08"},
		{"other case", call("getuser", ""), "InvalidAction", "Could not find operation getuser for version 2010-05-08"},
		{"not served", "Action=GetDelegatedAccessToken&Version=" + stsVersion, "InvalidAction",
			"Could not find operation GetDelegatedAccessToken for version 2011-06-15: Rollcall does not serve it"},
		{"long action", call(strings.Repeat("A", 500), ""), "InvalidAction",
			"Could not find operation " + strings.Repeat("A", 128) + " for version 2010-05-08"},
		{"markup in action", call("%3Cb%3E%26%00", ""), "InvalidAction",
			"Could not find operation <b>&\uFFFD for version 2010-05-08"},
		{"duplicate action", call("GetUser", "Action=DeleteUser"), "MalformedInput",
			"Parameter Action is given more than once."},
		{"duplicate index", call("TagUser", "UserName=u&Tags.member.1.Key=a&Tags.member.01.Key=b"), "MalformedInput",
			"Parameter Tags.member.01.Key is given more than once."},
		{"open escape", call("GetUser", "UserName=%"), "MalformedQueryString", "Incomplete trailing escape % sequence"},
		{"half escape", call("GetUser", "UserName=%4"), "MalformedQueryString",
			"Incomplete trailing escape % sequence"},
		{"bad escape", call("GetUser", "UserName=%zz"), "MalformedQueryString",
			"Illegal hex character in escape % pattern: %zz"},
		{"Latin-1", call("GetUser", "UserName=%E9"), "MalformedInput", "Parameters must be encoded as UTF-8."},
		{"raw Latin-1", call("GetUser", "UserName=\xe9"), "MalformedInput", "Parameters must be encoded as UTF-8."},
		{"half a surrogate", call("GetUser", "UserName=%ED%A0%80"), "MalformedInput",
			"Parameters must be encoded as UTF-8."},
		{"UTF-16", "A\x00c\x00t\x00i\x00o\x00n\x00=\x00", "InvalidAction",
			"Could not find operation  for version NO_VERSION_SPECIFIED"},
		{"JSON", `{"Action":"GetUser"}`, "InvalidAction", "Could not find operation  for version NO_VERSION_SPECIFIED"},
		{"half a million parameters", strings.Repeat("a&", 1<<19), "MalformedInput",
			"Too many parameters: at most 10000 are accepted."},
		{"10001 parameters", call("GetUser", unique.String()), "MalformedInput",
			"Too many parameters: at most 10000 are accepted."},
		{"list from 0", call("TagUser", "UserName=u&Tags.member.0.Key=a"), "MalformedInput", ""},
		{"list from -1", call("TagUser", "UserName=u&Tags.member.-1.Key=a"), "MalformedInput", ""},
		{"list from 12", call("TagUser", "UserName=u&Tags.member.12.Key=a&Tags.member.12.Value=b"), "MalformedInput",
			""},
		{"list from 2^31", call("TagUser", "UserName=u&Tags.member.2147483648.Key=a"), "MalformedInput", ""},
		{"list of numbers", call("TagUser", "UserName=u&Tags.member.1.Key.x=a"), "MalformedInput", ""},
		{"number with blank", call("ListUsers", "MaxItems=+1+"), "MalformedInput", ""},
		{"number of 10 digits", call("ListUsers", "MaxItems=3000000000"), "MalformedInput", ""},
		{"number with point", call("ListUsers", "MaxItems=1.0"), "MalformedInput", ""},
		{"truth in capitals", call("CreateLoginProfile", "UserName=u&Password=p&PasswordResetRequired=True"),
			"MalformedInput", ""},
		{"empty truth", call("CreateLoginProfile", "UserName=u&Password=p&PasswordResetRequired="), "MalformedInput",
			""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.raw(t, c.form)
			if c.message == "" && a.code == c.code {
				c.message = a.message // the sentence is our own
			}
			wants(t, a, 400, c.code, c.message)
		})
	}
	t.Run("not served of IAM", func(t *testing.T) {
		for _, action := range []string{
			"AcquireRole", "GetRoleTemplateVersion", "CreateDelegationRequest", "AssociateDelegationRequest",
			"AcceptDelegationRequest",
			"GetDelegationRequest", "ListDelegationRequests", "RejectDelegationRequest", "SendDelegationToken",
			"UpdateDelegationRequest",
		} {
			wants(t, w.raw(t, call(action, "")), 400, "InvalidAction",
				"Could not find operation "+action+" for version 2010-05-08: Rollcall does not serve it")
		}
	})
	t.Run("numbers as AWS reads them", func(t *testing.T) {
		for _, n := range []string{"01", "%2B1", "1"} {
			wants(t, w.raw(t, call("ListUsers", "MaxItems="+n)), 200, "", "")
		}
	})
	t.Run("gzip", func(t *testing.T) {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		zip.Write([]byte(call("GetUser", "")))
		zip.Close()
		r := w.post(t, "/", packed.String())
		r.Header.Set("Content-Encoding", "gzip")
		w.sign(r, packed.String(), w.root, "us-east-1", "iam")
		if a := send(t, r); a.status != 400 || a.code == "" {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

// A POST may have its parameters in the query, but no parameter in both places.
func TestQueryAndBody(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	try := func(query, body string) answer {
		r := w.post(t, "/?"+query, body)
		w.sign(r, body, w.root, "us-east-1", "iam")
		return send(t, r)
	}
	wants(t, try(call("GetUser", "UserName=Ann"), ""), 200, "", "")
	wants(t, try("Action=GetUser", "Version="+iamVersion+"&UserName=Ann"), 200, "", "")
	wants(t, try("Action=GetUser", call("DeleteUser", "UserName=Ann")), 400, "MalformedInput",
		"Parameter Action is given more than once.")
	wants(t, try("UserName=Ann", call("DeleteUser", "UserName=Bob")), 400, "MalformedInput",
		"Parameter UserName is given more than once.")
	wants(t, try("a=%zz", call("GetUser", "")), 400, "MalformedQueryString",
		"Illegal hex character in escape % pattern: %zz")
	must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("Ann")})
}

func TestSignedHeaders(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	body := call("GetUser", "")
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	try := func(before, after func(http.Header)) answer {
		r := w.post(t, "/", body)
		before(r.Header)
		w.sign(r, body, w.root, "us-east-1", "iam")
		after(r.Header)
		return send(t, r)
	}
	none := func(http.Header) {}
	set := func(name, value string) func(http.Header) {
		return func(h http.Header) { h.Set(name, value) }
	}
	t.Run("unsigned X-Amz header", func(t *testing.T) {
		wants(t, try(none, set("X-Amz-Target", "x")), 403, "SignatureDoesNotMatch",
			"'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.")
	})
	t.Run("changed X-Amz header", func(t *testing.T) {
		wants(t, try(set("X-Amz-Target", "x"), set("X-Amz-Target", "y")), 403, "SignatureDoesNotMatch", mismatch)
	})
	t.Run("hash of the body as .NET sends it", func(t *testing.T) {
		wants(t, try(set("X-Amz-Content-Sha256", hash(body)), none), 200, "", "")
	})
	const badHash = "The value of 'X-Amz-Content-SHA256' must be the SHA-256 hash of the request body."
	t.Run("hash of another body", func(t *testing.T) {
		wants(t, try(set("X-Amz-Content-Sha256", hash("")), none), 403, "SignatureDoesNotMatch", badHash)
	})
	t.Run("unsigned payload", func(t *testing.T) {
		wants(t, try(set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), none), 403, "SignatureDoesNotMatch", badHash)
	})
	t.Run("two authorizations", func(t *testing.T) {
		wants(t, try(none, func(h http.Header) { h.Add("Authorization", h.Get("Authorization")) }), 403,
			"SignatureDoesNotMatch", "'Authorization' must be given exactly once.")
	})
	t.Run("other algorithm", func(t *testing.T) {
		wants(t, try(none, set("Authorization", "Bearer x")), 400, "IncompleteSignature",
			"Unsupported AWS 'algorithm': 'Bearer'.")
	})
	t.Run("session token", func(t *testing.T) {
		r := w.post(t, "/", body)
		sigv4test.Sign(r, []byte(body), sigv4test.Credentials{AccessKeyID: w.root.id, SecretAccessKey: w.root.key,
			SessionToken: "token"}, "us-east-1", "iam", began)
		wants(t, send(t, r), 403, "InvalidClientTokenId", "The security token included in the request is invalid")
	})
	t.Run("header and query", func(t *testing.T) {
		r := w.post(t, "/?X-Amz-Algorithm=AWS4-HMAC-SHA256", body)
		w.sign(r, body, w.root, "us-east-1", "iam")
		wants(t, send(t, r), 403, "SignatureDoesNotMatch", "")
	})
	t.Run("changed body", func(t *testing.T) {
		r := w.post(t, "/", call("DeleteUser", "UserName=u"))
		w.sign(r, body, w.root, "us-east-1", "iam")
		wants(t, send(t, r), 403, "SignatureDoesNotMatch", mismatch)
	})
	t.Run("other host", func(t *testing.T) {
		r := w.post(t, "/", body)
		w.sign(r, body, w.root, "us-east-1", "iam")
		r.Host = "iam.amazonaws.com"
		wants(t, send(t, r), 403, "SignatureDoesNotMatch", mismatch)
	})
	t.Run("forwarded", func(t *testing.T) {
		// The service ignores headers that claim a client address.
		wants(t, try(none, set("X-Forwarded-For", "203.0.113.9")), 200, "", "")
		if lines := w.trail.lines(); strings.Contains(lines[len(lines)-1], "203.0.113.9") {
			t.Error("the trail believes X-Forwarded-For")
		}
	})
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{Rate: 0.5, Burst: 2})
	w.clock.advance(time.Minute)
	body := call("GetUser", "")
	for range 2 {
		wants(t, w.raw(t, body), 200, "", "")
	}
	a := w.raw(t, body)
	wants(t, a, 400, "Throttling", "Rate exceeded")
	if wait := a.header.Get("X-Amz-Retry-After"); wait != "2001" {
		t.Errorf("retry after %q ms", wait)
	}
	// Calls with one key do not count for another account's.
	other := w.newAccount(t, emptySpec)
	must(t, w.as(other.ID, other.Secret.Reveal()).GetUser, &iam.GetUserInput{})
	w.clock.advance(2 * time.Second)
	wants(t, w.raw(t, body), 200, "", "")
	if lines := w.trail.lines(); len(lines) != 5 || !strings.Contains(lines[2], `"errorCode":"Throttling"`) {
		t.Errorf("%d records", len(lines))
	}
}

// The SDK waits as long as the answer says, and then succeeds.
func TestThrottlingOfTheSDK(t *testing.T) {
	t.Setenv("AWS_NEW_RETRIES_2026", "true")
	w := newWorld(t, service.Config{Rate: 1, Burst: 1})
	w.clock.advance(time.Since(w.clock.Now())) // the SDK signs by the real clock
	cfg := w.sdkConfig(w.root.id, w.root.key)
	client, refused := cfg.HTTPClient, time.Time{}
	// The service's clock stands still until a call is refused: on a busy machine the
	// second call may come late.
	cfg.HTTPClient = smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
		answer, err := client.Do(r)
		if err == nil && answer.StatusCode == http.StatusBadRequest {
			refused = time.Now()
			w.clock.advance(2 * time.Second)
		}
		return answer, err
	})
	c := iam.NewFromConfig(cfg)
	must(t, c.GetUser, &iam.GetUserInput{})
	must(t, c.GetUser, &iam.GetUserInput{})
	if waited := time.Since(refused); waited < 900*time.Millisecond || waited > time.Minute {
		t.Errorf("at one call a second, the SDK waited %v", waited)
	}
	if lines := w.trail.lines(); len(lines) != 3 {
		t.Errorf("%d calls, want one of them refused", len(lines))
	}
}

// wire is one connection, for requests that no HTTP client would send.
type wire struct {
	net.Conn
	*bufio.Reader
}

func dial(t testing.TB, w *world) wire {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return wire{c, bufio.NewReader(c)}
}

// signedBytes returns a signed request in its wire form.
func (w *world) signedBytes(t testing.TB, form string) string {
	t.Helper()
	r := w.post(t, "/", form)
	w.sign(r, form, w.root, "us-east-1", "iam")
	var out bytes.Buffer
	if err := r.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func (c wire) answer(t testing.TB) answer {
	t.Helper()
	response, err := http.ReadResponse(c.Reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

// A request after a valid one on the same connection must be signed too.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	good := w.signedBytes(t, call("GetUser", "UserName=Ann"))
	t.Run("pipelined", func(t *testing.T) {
		c := dial(t, w)
		io.WriteString(c, good+good+w.signedBytes(t, call("GetUser", "")))
		for range 2 {
			wants(t, c.answer(t), 200, "", "")
		}
		if a := c.answer(t); !strings.Contains(a.body, rootARN) {
			t.Errorf("%s", a.body)
		}
	})
	for name, next := range map[string]string{
		"garbage":        "\x16\x03\x01\x02\x00\x01\x00",
		"HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"no host":        "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
		"two lengths":    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"length and chunks": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"0\r\n\r\nGET",
		"bad chunk": "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: " + formType +
			"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"bare line feeds":    "POST / HTTP/1.1\nHost: x\nContent-Length: -1\n\n",
		"space before colon": "POST / HTTP/1.1\r\nHost : x\r\n\r\n",
		"long header":        "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 80<<10) + "\r\n\r\n",
		"stale authorization": "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: " + formType +
			"\r\nContent-Length: 9\r\nConnection: close\r\n\r\nAction=Ge",
		"target is a URL": "POST http://other/ HTTP/1.1\r\nHost: x\r\nContent-Type: " + formType +
			"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		"path climbs": "POST /../../etc/passwd HTTP/1.1\r\nHost: x\r\nContent-Type: " + formType +
			"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, w)
			io.WriteString(c, good)
			wants(t, c.answer(t), 200, "", "")
			io.WriteString(c, next)
			c.Conn.(*net.TCPConn).CloseWrite()
			rest, err := io.ReadAll(c.Reader)
			if err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("%v after %q", err, rest)
			}
			if strings.Contains(string(rest), " 200 ") || strings.Contains(string(rest), "<GetUserResult>") {
				t.Errorf("answered %q", rest)
			}
		})
	}
	must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("Ann")})
}
