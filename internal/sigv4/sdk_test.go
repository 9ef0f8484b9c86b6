package sigv4

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"

	"rollcall/internal/sigv4/sigv4test"
)

// sample is a random request and its signer.
type sample struct {
	request         *http.Request
	body            []byte
	who             sigv4test.Credentials
	region, service string
	at              time.Time
}

func drawSample(t *rapid.T) sample {
	text := rapid.StringN(0, 12, -1)
	u := url.URL{Scheme: "http",
		Host: rapid.SampledFrom([]string{"localhost", "iam.example.com:8443", "[::1]:4566", "127.0.0.1:1"}).Draw(t,
			"host")}
	u.Path = "/"
	for _, s := range rapid.SliceOfN(rapid.StringMatching(`[a-zA-Z0-9 %+~é=&?;:@!$',()*_-]{1,6}`), 0, 3).Draw(t,
		"path") {
		u.Path += s + "/"
	}
	query := url.Values{}
	for range rapid.IntRange(0, 4).Draw(t, "params") {
		// The SDK sorts before it encodes, which is only right for names like
		// AWS's, each given once. The vectors contain the other cases.
		key := rapid.StringMatching(`[A-Za-z0-9.]{1,6}`).Draw(t, "key")
		query.Set(key, text.Draw(t, "value"))
	}
	u.RawQuery = query.Encode()
	s := sample{
		body:    []byte(text.Draw(t, "body")),
		who:     rapid.SampledFrom([]sigv4test.Credentials{alice, bob}).Draw(t, "who"),
		region:  rapid.SampledFrom([]string{"us-east-1", "local", "aws-global"}).Draw(t, "region"),
		service: rapid.SampledFrom([]string{"iam", "sts"}).Draw(t, "service"),
		at:      now.Add(time.Duration(rapid.IntRange(-800, 800).Draw(t, "skew")) * time.Second),
	}
	method := rapid.SampledFrom([]string{"GET", "POST"}).Draw(t, "method")
	var err error
	if s.request, err = http.NewRequest(method, u.String(), bytes.NewReader(s.body)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Content-Type", "X-Amz-Target", "X-K8s-Aws-Id", "X-Amz-User-Agent"} {
		if rapid.Bool().Draw(t, name) {
			s.request.Header.Set(name,
				rapid.StringMatching(`[!-~]{1,3}([ ]{1,3}[!-~]{1,4}){0,3}`).Draw(t, name+" value"))
		}
	}
	return s
}

// overTheWire returns the request as a server reads it.
func overTheWire(t *rapid.T, r *http.Request) (*http.Request, []byte) {
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	got, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got, body
}

func (s sample) sdkCredentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: s.who.AccessKeyID, SecretAccessKey: s.who.SecretAccessKey,
		SessionToken: s.who.SessionToken}
}

func checkVerified(t *rapid.T, s sample, r *http.Request, body []byte, presigned bool) {
	got, err := newVerifier().Verify(r, body)
	if err != nil {
		t.Fatalf("%s %s %v: %v", r.Method, r.URL, r.Header, err)
	}
	if got.AccessKeyID() != s.who.AccessKeyID || got.Region() != s.region || got.Service() != s.service ||
		!got.SignedAt().Equal(s.at) || got.Presigned() != presigned || got.SessionToken() != s.who.SessionToken {
		t.Errorf("Verify = %+v, want %+v", got.proof, s)
	}
}

// A request that the signer of the AWS SDK for Go signs is verified.
func TestVerifySDK(t *testing.T) {
	signer := v4.NewSigner()
	ctx := context.Background()
	t.Run("header", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			s := drawSample(t)
			if err := signer.SignHTTP(ctx, s.sdkCredentials(), s.request, hexHash(s.body), s.service, s.region,
				s.at); err != nil {
				t.Fatal(err)
			}
			r, body := overTheWire(t, s.request)
			checkVerified(t, s, r, body, false)
		})
	})
	t.Run("presigned", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			s := drawSample(t)
			query := s.request.URL.Query()
			query.Set("X-Amz-Expires", "3600")
			s.request.URL.RawQuery = query.Encode()
			uri, headers, err := signer.PresignHTTP(ctx, s.sdkCredentials(), s.request, hexHash(s.body), s.service,
				s.region, s.at)
			if err != nil {
				t.Fatal(err)
			}
			r, err := http.NewRequest(s.request.Method, uri, bytes.NewReader(s.body))
			if err != nil {
				t.Fatal(err)
			}
			for name, values := range headers {
				if name != "Host" && name != "Content-Length" {
					r.Header[name] = values
				}
			}
			got, body := overTheWire(t, r)
			checkVerified(t, s, got, body, true)
		})
	})
}

// So is a request that our own test signer signs.
func TestVerifyTestSigner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		if rapid.Bool().Draw(t, "presigned") {
			sigv4test.Presign(s.request, s.body, s.who, s.region, s.service, s.at, time.Hour)
			r, body := overTheWire(t, s.request)
			checkVerified(t, s, r, body, true)
			return
		}
		sigv4test.Sign(s.request, s.body, s.who, s.region, s.service, s.at)
		r, body := overTheWire(t, s.request)
		checkVerified(t, s, r, body, false)
	})
}

// The SDK's signer works with a real server over HTTP/1.1 and HTTP/2. Values
// that net/http removes from the header map must still be found.
func TestVerifyOverHTTP(t *testing.T) {
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprintf("HTTP/%d", version), func(t *testing.T) {
			verifier := newVerifier()
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				if r.ProtoMajor != version {
					t.Errorf("served over %s", r.Proto)
				}
				got, err := verifier.Verify(r, body)
				if err != nil {
					http.Error(w, err.Error(), http.StatusForbidden)
					return
				}
				fmt.Fprint(w, got.Principal())
			}))
			server.EnableHTTP2 = version == 2
			server.StartTLS()
			defer server.Close()

			r, err := http.NewRequest("POST", server.URL, strings.NewReader(form))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("X-Amz-Content-Sha256", hexHash([]byte(form)))
			credentials := aws.Credentials{AccessKeyID: alice.AccessKeyID, SecretAccessKey: alice.SecretAccessKey}
			if err := v4.NewSigner().SignHTTP(context.Background(), credentials, r, hexHash([]byte(form)), "iam",
				"us-east-1", now); err != nil {
				t.Fatal(err)
			}
			if auth := r.Header.Get("Authorization"); !strings.Contains(auth, "content-length;") {
				t.Fatalf("the SDK no longer signs Content-Length: %s", auth)
			}
			res, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if answer, _ := io.ReadAll(res.Body); string(answer) != "alice" {
				t.Errorf("%s: %s", res.Status, answer)
			}
		})
	}
}
