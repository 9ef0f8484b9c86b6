package sigv4

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	gopath "path"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/internal/awsmodel"
	"rollcall/internal/sigv4/sigv4test"
)

// target holds the parts of a signed request: the bytes that the signature
// protects.
type target struct {
	method, path, query, host, body string
	header                          http.Header
}

func targetOf(r *http.Request, body []byte) target {
	return target{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Host, string(body), r.Header}
}

// fields returns the names of the parts of t. set returns t with one part
// changed.
func (t target) fields() []string {
	return append([]string{":method", ":path", ":query", ":host", ":body"}, slices.Sorted(maps.Keys(t.header))...)
}

func (t *target) field(name string) *string {
	switch name {
	case ":method":
		return &t.method
	case ":path":
		return &t.path
	case ":query":
		return &t.query
	case ":host":
		return &t.host
	case ":body":
		return &t.body
	}
	return &t.header[name][0]
}

// request joins the parts as a server would. ok is false if no server would.
func (t target) request() (*http.Request, bool) {
	uri := t.path
	if t.query != "" {
		uri += "?" + t.query
	}
	u, err := url.ParseRequestURI(uri)
	if err != nil || u.Fragment != "" || u.Host != "" {
		return nil, false
	}
	return &http.Request{Method: t.method, URL: u, Host: t.host, Header: t.header, ContentLength: int64(len(t.body))},
		true
}

func targets() map[string]target {
	long, body := signed(bob, "us-east-1", "iam", now)
	header := targetOf(long, body)

	r, body := post()
	r.URL = &url.URL{Path: "/a b/c/", RawQuery: "Action=ListUsers&Marker=%2B%41+x&n"}
	r.Header.Set("X-Amz-Target", "a  b")
	sigv4test.Sign(r, body, alice, "us-east-1", "iam", now)

	return map[string]target{
		"header":    header,
		"path":      targetOf(r, body),
		"presigned": targetOf(presigned(bob, "us-east-1", "sts", now, time.Minute), nil),
	}
}

// sameQuery reports whether two query strings are spellings of the same one:
// %2b and %2B.
func sameQuery(a, b string) bool {
	qa, errA := ParseQuery(a)
	qb, errB := ParseQuery(b)
	return errA == nil && errB == nil && slices.Equal(qa, qb)
}

// checkBitFlip flips one bit of one field of a valid request and expects a
// refusal.
func checkBitFlip(t *testing.T, v *Verifier[string], good target, name string, bit int) {
	t.Helper()
	bad := good
	bad.header = good.header.Clone()
	field := bad.field(name)
	flipped := []byte(*field)
	flipped[bit/8] ^= 1 << (bit % 8)
	*field = string(flipped)
	if name == ":query" && sameQuery(good.query, bad.query) {
		return // another spelling of the same parameters
	}
	r, ok := bad.request()
	if !ok {
		return
	}
	if _, err := v.Verify(r, []byte(bad.body)); err == nil {
		t.Errorf("verified with bit %d of %s flipped: %q", bit, name, *field)
	}
}

// TestBitFlip flips every bit.
func TestBitFlip(t *testing.T) {
	for name, good := range targets() {
		t.Run(name, func(t *testing.T) {
			v := newVerifier()
			r, ok := good.request()
			if !ok {
				t.Fatal("the good request is not a request")
			}
			if _, err := v.Verify(r, []byte(good.body)); err != nil {
				t.Fatal(err)
			}
			for _, field := range good.fields() {
				for bit := range 8 * len(*good.field(field)) {
					checkBitFlip(t, v, good, field, bit)
				}
			}
		})
	}
}

// FuzzBitFlip does the same to requests of any content.
func FuzzBitFlip(f *testing.F) {
	f.Add("/", "Action=ListUsers", "Action=GetUser", "text/plain", uint(7))
	f.Add("/n/a%2Fb", "a=b&a=%2B&c", "", " two  spaces ", uint(900))
	f.Add("/%7E/", "x=%e1%88%b4+", "\x00", "", uint(12345))
	f.Fuzz(func(t *testing.T, path, query, body, contentType string, bit uint) {
		good := target{"POST", path, query, "iam.example.com", body, http.Header{"Content-Type": {contentType}}}
		r, ok := good.request()
		params, err := ParseQuery(query)
		if !ok || err != nil || hasAuthParam(params) {
			return
		}
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "?") {
			return
		}
		if normal := gopath.Clean(path); normal != path && (normal == "/" || normal+"/" != path) {
			return // SigV4 signs the normal form, in which "/." and "//" are the same path
		}
		r.Header.Set("X-Amz-Date", stamp)
		if err := resignAs(r, []byte(body), "content-type;host;x-amz-date", "us-east-1"); err != nil {
			t.Fatal(err)
		}
		v := newVerifier()
		if _, err := v.Verify(r, []byte(body)); err != nil {
			t.Fatalf("good request: %v", err)
		}
		good.header = r.Header
		for _, field := range good.fields() {
			if size := uint(8 * len(*good.field(field))); size > 0 {
				checkBitFlip(t, v, good, field, int(bit%size))
			}
		}
	})
}

// A request with any added X-Amz-* header is not verified.
func TestVerifyAddedHeader(t *testing.T) {
	all := targets()
	rapid.Check(t, func(t *rapid.T) {
		good := all[rapid.SampledFrom(slices.Sorted(maps.Keys(all))).Draw(t, "request")]
		good.header = good.header.Clone()
		name := rapid.OneOf(
			rapid.SampledFrom([]string{"X-Amz-Date", "x-amz-date", "X-AMZ-SECURITY-TOKEN", "X-Amz-Content-Sha256",
				"X-Amz-Target"}),
			rapid.StringMatching(`[xX]-[aA][mM][zZ]-[A-Za-z0-9-]{0,12}`),
		).Draw(t, "name")
		value := rapid.StringMatching(`[ -~]{0,8}`).Draw(t, "value")
		if rapid.Bool().Draw(t, "raw") { // no net/http server would pass it on in this form
			good.header[name] = append(slices.Clone(good.header[name]), value)
		} else {
			good.header.Add(name, value)
		}
		r, _ := good.request()
		if _, err := newVerifier().Verify(r, []byte(good.body)); err == nil {
			t.Errorf("verified with %s: %q added", name, value)
		}
	})
}

// FuzzParseAuthorization checks that a header is either refused with an error
// for the client, or means the same as one that is written from its parts.
func FuzzParseAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host;x-amz-date, Signature=0")
	f.Add("AWS4-HMAC-SHA256 Credential=a,Signature=,x=y")
	f.Add("AWS4-HMAC-SHA256")
	f.Add("Basic dXNlcjpwYXNz")
	f.Add(" AWS4-HMAC-SHA256  Credential==,,")
	f.Fuzz(func(t *testing.T, header string) {
		got, err := parseAuthorization(header)
		if err != nil {
			var refusal *awsmodel.Error
			if !errors.As(err, &refusal) || len(refusal.Message) > 2000 {
				t.Errorf("parseAuthorization(%q) = %v", header, err)
			}
			return
		}
		parts := []string{}
		for _, e := range []struct {
			has         bool
			name, value string
		}{
			{got.hasSignature, "Signature", got.signature},
			{got.hasSignedHeaders, "SignedHeaders", got.signedHeaders},
			{got.hasCredential, "Credential", got.credential},
		} {
			if e.has {
				parts = append(parts, e.name+"="+e.value)
			} else if e.value != "" {
				t.Errorf("parseAuthorization(%q): %s absent, but %q", header, e.name, e.value)
			}
		}
		again, err := parseAuthorization(algorithm + " " + strings.Join(parts, ","))
		if err != nil || again != got {
			t.Errorf("parseAuthorization(%q) = %+v; written again %+v, %v", header, got, again, err)
		}
	})
}

// FuzzVerify checks that a client without the secret is refused, and only with
// errors that a client may see.
func FuzzVerify(f *testing.F) {
	r, _ := signed(alice, "us-east-1", "iam", now)
	f.Add(r.Header.Get("Authorization"), stamp, "", "", "")
	f.Add("", "", presigned(alice, "us-east-1", "iam", now, time.Hour).URL.RawQuery, "X-Amz-Target", "x")
	f.Fuzz(func(t *testing.T, authorization, date, query, name, value string) {
		r, body := post()
		r.URL.RawQuery = query
		r.Header.Set("X-Amz-Date", date)
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		if name != "" {
			r.Header.Add(name, value)
		}
		v := newVerifier()
		v.Lookup = func(context.Context, string, string) ([]byte, string, error) {
			return []byte("not the signer's"), "x", nil
		}
		_, err := v.Verify(r, body)
		var refusal *awsmodel.Error
		if !errors.As(err, &refusal) {
			t.Errorf("Verify = %v, want a refusal", err)
		}
	})
}

// FuzzParseQuery checks that the signature covers exactly what net/url, and so
// any handler, reads.
func FuzzParseQuery(f *testing.F) {
	f.Add("a=b&c=%2B+d&&e")
	f.Add("%zz=%")
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := ParseQuery(raw)
		if strings.Contains(raw, ";") {
			return // net/url drops such parts
		}
		want, wantErr := url.ParseQuery(raw)
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("ParseQuery(%q): %v; net/url: %v", raw, err, wantErr)
		}
		if err != nil {
			return
		}
		values := url.Values{}
		for _, p := range got {
			values.Add(p.Key, p.Value)
		}
		if values.Encode() != want.Encode() {
			t.Errorf("ParseQuery(%q) = %q, net/url %q", raw, got, want)
		}
	})
}
