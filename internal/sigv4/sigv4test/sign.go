// Package sigv4test signs requests, for tests and for generating load. It
// shares no code with the verifier in package sigv4, so that neither can hide
// the other's mistake.
//
// It is not a general signer: paths must be in normal form, headers must have
// one value each, and it signs only the host, Content-Type and every X-Amz-*
// header.
package sigv4test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Credentials sign a client's requests. SessionToken is empty for long-term
// keys.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// Sign adds X-Amz-Date, X-Amz-Security-Token if there is one, and Authorization
// to r. The body is the one that will be sent; r.Body is not read. Previous
// values of these headers are replaced.
func Sign(r *http.Request, body []byte, c Credentials, region, service string, at time.Time) {
	stamp := at.UTC().Format("20060102T150405Z")
	r.Header.Del("Authorization")
	r.Header.Set("X-Amz-Date", stamp)
	r.Header.Del("X-Amz-Security-Token")
	if c.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", c.SessionToken)
	}
	names := signedNames(r.Header)
	scope := strings.Join([]string{stamp[:8], region, service, "aws4_request"}, "/")
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		c.AccessKeyID, scope, strings.Join(names, ";"), signature(r, names, body, c, stamp, scope)))
}

// Presign adds the parameters of a presigned URL to r.URL. X-Amz-Date and
// X-Amz-Security-Token go into the query; other X-Amz-* headers are signed
// where they are. A negative expires leaves X-Amz-Expires out.
func Presign(r *http.Request, body []byte, c Credentials, region, service string, at time.Time, expires time.Duration) {
	stamp := at.UTC().Format("20060102T150405Z")
	scope := strings.Join([]string{stamp[:8], region, service, "aws4_request"}, "/")
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		r.Header.Del(name)
	}
	names := signedNames(r.Header)
	query := r.URL.Query()
	query.Set("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
	query.Set("X-Amz-Credential", c.AccessKeyID+"/"+scope)
	query.Set("X-Amz-Date", stamp)
	query.Set("X-Amz-SignedHeaders", strings.Join(names, ";"))
	query.Del("X-Amz-Signature")
	if expires >= 0 {
		query.Set("X-Amz-Expires", strconv.Itoa(int(expires/time.Second)))
	}
	if c.SessionToken != "" {
		query.Set("X-Amz-Security-Token", c.SessionToken)
	}
	r.URL.RawQuery = canonicalQuery(query)
	r.URL.RawQuery += "&X-Amz-Signature=" + signature(r, names, body, c, stamp, scope)
}

func signedNames(h http.Header) []string {
	names := []string{"host"}
	for name := range h {
		if name = strings.ToLower(name); name == "content-type" || strings.HasPrefix(name, "x-amz-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func signature(r *http.Request, names []string, body []byte, c Credentials, stamp, scope string) string {
	var headers strings.Builder
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "host" {
			if value = r.Host; value == "" {
				value = r.URL.Host
			}
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, collapse(value))
	}
	canonical := fmt.Sprintf("%s\n%s\n%s\n%s\n%s\n%x", r.Method, canonicalPath(r.URL), canonicalQuery(r.URL.Query()),
		headers.String(), strings.Join(names, ";"), sha256.Sum256(body))
	toSign := fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%x", stamp, scope, sha256.Sum256([]byte(canonical)))

	key := []byte("AWS4" + c.SecretAccessKey)
	for _, part := range append(strings.Split(scope, "/"), toSign) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return fmt.Sprintf("%x", key)
}

// canonicalPath encodes each segment, as it is sent, once more.
func canonicalPath(u *url.URL) string {
	sent := u.EscapedPath()
	if sent == "" {
		return "/"
	}
	segments := strings.Split(sent, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	return strings.Join(segments, "/")
}

// canonicalQuery sorts by key, then value, both encoded.
func canonicalQuery(q url.Values) string {
	var pairs [][2]string
	for key, values := range q {
		for _, value := range values {
			pairs = append(pairs, [2]string{escape(key), escape(value)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	parts := make([]string, len(pairs))
	for i, p := range pairs {
		parts[i] = p[0] + "=" + p[1]
	}
	return strings.Join(parts, "&")
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// collapse trims a header value and makes one of each run of spaces.
func collapse(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(c rune) bool { return c == ' ' }), " ")
}
