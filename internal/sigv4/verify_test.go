package sigv4

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rollcall/internal/awsmodel"
	"rollcall/internal/sigv4/sigv4test"
)

var (
	now   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	alice = sigv4test.Credentials{AccessKeyID: "AKIAALICE", SecretAccessKey: "alice-secret"}
	bob   = sigv4test.Credentials{AccessKeyID: "ASIABOB", SecretAccessKey: "bob-secret", SessionToken: "bob/token+=="}
)

const (
	stamp = "20261123T120000Z"
	form  = "Action=ListUsers&Version=2010-05-08"
)

// newVerifier knows alice's long-term key and bob's session, an expired token,
// and simulates a database that is down.
func newVerifier() *Verifier[string] {
	return &Verifier[string]{
		Lookup: func(_ context.Context, id, token string) ([]byte, string, error) {
			switch {
			case id == "AKIADOWN":
				return nil, "", errDown
			case token == "expired":
				return nil, "", ErrExpiredToken
			case id == alice.AccessKeyID && token == "":
				return []byte(alice.SecretAccessKey), "alice", nil
			case id == bob.AccessKeyID && token == bob.SessionToken:
				return []byte(bob.SecretAccessKey), "bob", nil
			case token != "":
				return nil, "", fmt.Errorf("session: %w", ErrInvalidToken)
			}
			return nil, "", ErrUnknownKey
		},
		Now:      func() time.Time { return now },
		Services: []string{"iam", "sts"},
	}
}

var errDown = errors.New("database is down")

// post returns the ordinary request of an SDK, not yet signed.
func post() (*http.Request, []byte) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(form))
	r.Host = "iam.example.com"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r, []byte(form)
}

func signed(c sigv4test.Credentials, region, service string, at time.Time) (*http.Request, []byte) {
	r, body := post()
	sigv4test.Sign(r, body, c, region, service, at)
	return r, body
}

func presigned(c sigv4test.Credentials, region, service string, at time.Time, expires time.Duration) *http.Request {
	r := httptest.NewRequest("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", nil)
	r.Host = "iam.example.com"
	sigv4test.Presign(r, nil, c, region, service, at, expires)
	return r
}

func TestVerify(t *testing.T) {
	t.Run("header, long-term key", func(t *testing.T) {
		r, body := signed(alice, "eu-west-1", "iam", now.Add(-time.Minute))
		got, err := newVerifier().Verify(r, body)
		if err != nil {
			t.Fatal(err)
		}
		if got.Principal() != "alice" || got.AccessKeyID() != "AKIAALICE" || got.SessionToken() != "" ||
			got.Region() != "eu-west-1" ||
			got.Service() != "iam" || !got.SignedAt().Equal(now.Add(-time.Minute)) || got.Presigned() {
			t.Errorf("Verify = %+v", got.proof)
		}
	})
	t.Run("header, session", func(t *testing.T) {
		r, body := signed(bob, "local", "sts", now)
		got, err := newVerifier().Verify(r, body)
		if err != nil {
			t.Fatal(err)
		}
		if got.Principal() != "bob" || got.SessionToken() != bob.SessionToken || got.Service() != "sts" {
			t.Errorf("Verify = %+v", got.proof)
		}
	})
	t.Run("presigned, session", func(t *testing.T) {
		got, err := newVerifier().Verify(presigned(bob, "us-east-1", "sts", now, time.Hour), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Principal() != "bob" || !got.Presigned() || got.SessionToken() != bob.SessionToken {
			t.Errorf("Verify = %+v", got.proof)
		}
	})
	t.Run("Date header in place of X-Amz-Date, extended form", func(t *testing.T) {
		r, body := post()
		r.Header.Set("Date", "2026-11-23T12:00:00Z")
		if err := resignAs(r, body, "host", "us-east-1"); err != nil {
			t.Fatal(err)
		}
		if _, err := newVerifier().Verify(r, body); err != nil {
			t.Error(err)
		}
	})
	t.Run("content hash declared", func(t *testing.T) {
		r, body := post()
		r.Header.Set("X-Amz-Content-SHA256", hexHash(body))
		sigv4test.Sign(r, body, alice, "us-east-1", "iam", now)
		if _, err := newVerifier().Verify(r, body); err != nil {
			t.Error(err)
		}
	})
	t.Run("listed region", func(t *testing.T) {
		v := newVerifier()
		v.Regions = []string{"eu-west-1", "us-east-1"}
		r, body := signed(alice, "us-east-1", "iam", now)
		if _, err := v.Verify(r, body); err != nil {
			t.Error(err)
		}
	})
}

// resignAs signs r with alice's key over the given headers, at the package's
// now, with the code under test. It can sign requests that no signer creates.
func resignAs(r *http.Request, body []byte, names, region string) error {
	query, err := ParseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	c := &claim{at: now, signedHeaders: names, scope: "20261123/" + region + "/iam/aws4_request"}
	key := signingKey([]byte(alice.SecretAccessKey), "20261123", region, "iam")
	canonical := hashOf(appendCanonicalRequest(nil, r, query, c, body))
	mac := hmacSHA256(key[:], appendStringToSign(nil, c, canonical))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAALICE/"+c.scope+", SignedHeaders="+names+
		", Signature="+string(appendHex(nil, mac[:])))
	return nil
}

func TestVerifyLookupFails(t *testing.T) {
	down := alice
	down.AccessKeyID = "AKIADOWN"
	r, body := signed(down, "us-east-1", "iam", now)
	_, err := newVerifier().Verify(r, body)
	var refusal *awsmodel.Error
	if !errors.Is(err, errDown) || errors.As(err, &refusal) {
		t.Errorf("Verify = %v, want the error of Lookup and no verdict", err)
	}
}

func TestVerifyEmptySecret(t *testing.T) {
	v := newVerifier()
	v.Lookup = func(context.Context, string, string) ([]byte, string, error) { return nil, "nobody", nil }
	r, body := signed(sigv4test.Credentials{AccessKeyID: "AKIAEMPTY"}, "us-east-1", "iam", now)
	_, err := v.Verify(r, body)
	var refusal *awsmodel.Error
	if err == nil || errors.As(err, &refusal) {
		t.Errorf("Verify = %v, want an error that is not a verdict", err)
	}
}

func TestVerifyDummySecret(t *testing.T) {
	nobody := sigv4test.Credentials{AccessKeyID: "AKIANOBODY", SecretAccessKey: string(dummySecret)}
	r, body := signed(nobody, "us-east-1", "iam", now)
	_, err := newVerifier().Verify(r, body)
	wantRefusal(t, err, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

func TestVerifyRevokedKey(t *testing.T) {
	v := newVerifier()
	secret := []byte(alice.SecretAccessKey)
	var lookupErr error
	v.Lookup = func(context.Context, string, string) ([]byte, string, error) { return secret, "alice", lookupErr }
	r, body := signed(alice, "us-east-1", "iam", now)
	for range 2 { // the second time from the cache
		if _, err := v.Verify(r, body); err != nil {
			t.Fatal(err)
		}
	}
	lookupErr = ErrUnknownKey // though Lookup still returns the secret
	_, err := v.Verify(r, body)
	wantRefusal(t, err, "InvalidClientTokenId", "The security token included in the request is invalid.")

	secret, lookupErr = []byte("another secret"), nil
	_, err = v.Verify(r, body)
	wantRefusal(t, err, "SignatureDoesNotMatch", textMismatch)
}

func TestVerifiedZeroValue(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Principal of a zero Verified did not panic")
		}
	}()
	var v Verified[string]
	_ = v.Principal()
}

func TestVerifiedPrintsNoSecret(t *testing.T) {
	got, err := newVerifier().Verify(presigned(bob, "us-east-1", "sts", now, time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(s, bob.SessionToken) {
		t.Errorf("printed: %s", s)
	}
}

func wantRefusal(t *testing.T, err error, code, message string) {
	t.Helper()
	var got *awsmodel.Error
	if !errors.As(err, &got) {
		t.Fatalf("Verify = %v, want %s", err, code)
	}
	if got.Code != code || got.Message != message {
		t.Errorf("Verify =\n%s: %q, want\n%s: %q", got.Code, got.Message, code, message)
	}
}
