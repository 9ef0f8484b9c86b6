// Package sigv4 tells who signed a request: AWS Signature Version 4, in the
// Authorization header or in the query string of a presigned URL.
//
// What it promises:
//
//   - A [Verified] with a principal in it comes out of [Verifier.Verify] and
//     from nowhere else; code that takes one cannot be reached by a request
//     whose signature was not checked.
//   - Everything that can change what a request means is under the signature:
//     method, path, query, body, host, and every X-Amz-* header that came
//     with it. A header that the client did not sign is refused, not ignored.
//   - There is exactly one source of authentication per request. Header and
//     query together, two Authorization headers, the same X-Amz-* name twice
//     in whatever case, are refused.
//   - What is the same under the signature is the same to whoever acts on it:
//     [ParseQuery] gives the parameters that were checked. Only the path is
//     signed in normal form, "//" as "/"; serve no path that is not.
//   - Keys are looked up for every request, so that a revoked one fails on the
//     very next call. Only the derivation secret → signing key is remembered.
//   - An unknown key costs Verify the same work as a known one.
//
// What it refuses: any algorithm but AWS4-HMAC-SHA256 (so SigV2, SigV4A,
// bearer tokens), unsigned and streaming payloads, a scope without a region,
// S3's rules for paths.
//
// The texts and the order of the checks are those recorded from AWS. Nothing
// of an SDK's signer is used: a signer may leave headers out as it likes, a
// verifier takes the list of signed headers as it came.
package sigv4

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"rollcall/internal/awsmodel"
)

// Errors that a [Verifier.Lookup] returns for a credential that does not
// stand, bare or wrapped. Any other error means that the question could not be
// answered.
var (
	// ErrUnknownKey: no such access key, or an inactive one. The client cannot
	// tell which.
	ErrUnknownKey = errors.New("unknown or inactive access key")
	// ErrInvalidToken: the session token is not of this key, or is malformed.
	ErrInvalidToken = errors.New("invalid session token")
	// ErrExpiredToken: the session token was good once.
	ErrExpiredToken = errors.New("expired session token")
)

// window is how far the clocks of client and server may be apart, and how
// long a presigned URL lives.
const window = 15 * time.Minute

// Verifier checks signatures. P is the caller's own type for who holds a key.
// Set the fields before the first call of Verify and leave them alone; Verify
// may then be called from many goroutines. A Verifier must not be copied.
type Verifier[P any] struct {
	// Lookup finds the secret and the holder of an access key. sessionToken is
	// empty where the request carries none, as with long-term keys; it is
	// Lookup's to decide whether key and token belong together. Both arguments
	// are the client's words, not yet verified. Lookup must answer with
	// ErrUnknownKey, ErrInvalidToken or ErrExpiredToken for a credential that
	// does not stand.
	Lookup func(ctx context.Context, accessKeyID, sessionToken string) (secret []byte, principal P, err error)

	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// Services are the services a scope may name, such as "iam" and "sts". The
	// first is the one that a refusal names.
	Services []string

	// Regions are the regions a scope may name. Empty means any one: clients
	// sign with the region they are configured for.
	Regions []string

	keys keyCache
}

// Verified is a request whose signature held. Only [Verifier.Verify] makes
// one that is of use: the methods of the zero value panic.
type Verified[P any] struct{ proof *proof[P] }

type proof[P any] struct {
	principal P
	claim     *claim
}

// Principal is the holder of the key that signed.
func (v Verified[P]) Principal() P { return v.proof.principal }

// AccessKeyID is the id of the key that signed.
func (v Verified[P]) AccessKeyID() string { return v.proof.claim.keyID }

// SessionToken is the token that came with the key and is bound to it; empty
// for long-term keys. It is a secret.
func (v Verified[P]) SessionToken() string { return v.proof.claim.token }

// Region is the region of the scope, never empty.
func (v Verified[P]) Region() string { return v.proof.claim.region }

// Service is the service of the scope, one of the Verifier's Services.
func (v Verified[P]) Service() string { return v.proof.claim.service }

// SignedAt is the client's time of signing, in whole seconds, UTC.
func (v Verified[P]) SignedAt() time.Time { return v.proof.claim.at }

// Presigned tells that the signature came in the query string.
func (v Verified[P]) Presigned() bool { return v.proof.claim.presigned }

// Verify tells who signed r. The body is passed apart because whoever reads it
// must bound it first; r.Body is not touched.
//
// A refusal is an *awsmodel.Error for the client. Any other error means that
// Lookup could not say, wrapped; it is no verdict on the client.
func (v *Verifier[P]) Verify(r *http.Request, body []byte) (Verified[P], error) {
	query, c, err := v.read(r)
	if err != nil {
		return Verified[P]{}, err
	}
	secret, principal, err := v.Lookup(r.Context(), c.keyID, c.token)
	refusal, err := lookupRefusal(secret, err)
	if err != nil {
		return Verified[P]{}, err
	}
	if refusal != nil {
		secret = dummySecret
	}
	id := cacheID(secret, c.date, c.region, c.service)
	key, cached := v.keys.get(id)
	if !cached {
		key = signingKey(secret, c.date, c.region, c.service)
	}
	same := matches(r, query, c, key, body)
	switch {
	case refusal != nil: // 14, 15: before 16
		return Verified[P]{}, refusal
	case !payloadDeclared(r.Header, body):
		return Verified[P]{}, awsmodel.Fail("SignatureDoesNotMatch", "%s", textPayload)
	case !same:
		return Verified[P]{}, awsmodel.Fail("SignatureDoesNotMatch", "%s", textMismatch)
	}
	if !cached {
		// Only now: a stranger, who knows ids but no secrets, must not be able to
		// push other people's keys out.
		v.keys.put(id, key)
	}
	return Verified[P]{&proof[P]{principal, c}}, nil
}

// Known tells before the body is read whether it is worth reading: nil where
// the request claims a credential that stands. It proves nothing of who sent
// it. The errors are those of Verify, which looks everything up anew: much can
// happen while a body arrives.
func (v *Verifier[P]) Known(r *http.Request) error {
	_, c, err := v.read(r)
	if err != nil {
		return err
	}
	secret, _, err := v.Lookup(r.Context(), c.keyID, c.token)
	refusal, err := lookupRefusal(secret, err)
	if err != nil || refusal == nil {
		return err
	}
	return refusal
}

// read finds the claim of a request and makes the checks that need no key:
// 4 to 13.
func (v *Verifier[P]) read(r *http.Request) (Query, *claim, error) {
	if !strings.HasPrefix(r.URL.Path, "/") {
		// 1: the server's to answer with its own 400. Should one come through
		// ("I:" parses as a URL without a path), it is not taken for "/".
		return nil, nil, awsmodel.Fail("SignatureDoesNotMatch", "%s", textMismatch)
	}
	query, err := ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, nil, err
	}
	c, err := readClaim(r, query)
	if err != nil {
		return nil, nil, err
	}
	if err := c.checkSignedHeaders(r); err != nil {
		return nil, nil, err
	}
	now := time.Now
	if v.Now != nil {
		now = v.Now
	}
	if err := c.checkTime(now()); err != nil {
		return nil, nil, err
	}
	if err := c.checkScope(v.Services, v.Regions); err != nil {
		return nil, nil, err
	}
	return query, c, nil
}

// dummySecret stands in for the secret of a key that does not exist. Nothing
// signed with it is ever accepted.
var dummySecret = []byte("0000000000000000000000000000000000000000")

const textMismatch = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// Our own sentence: no recording of IAM answering UNSIGNED-PAYLOAD, or a hash
// that is not the body's, is known (G).
const textPayload = "The value of 'X-Amz-Content-SHA256' must be the SHA-256 hash of the request body."

// lookupRefusal sorts the outcome of a Lookup: what the client is told, or an
// error that is none of its business.
func lookupRefusal(secret []byte, err error) (*awsmodel.Error, error) {
	switch {
	case err == nil && len(secret) == 0:
		return nil, errors.New("look up access key: empty secret")
	case err == nil:
		return nil, nil
	case errors.Is(err, ErrInvalidToken): // 14b, no full stop
		return awsmodel.Fail("InvalidClientTokenId", "The security token included in the request is invalid"), nil
	case errors.Is(err, ErrExpiredToken): // 14c
		return awsmodel.Fail("ExpiredToken", "The security token included in the request is expired"), nil
	case errors.Is(err, ErrUnknownKey): // 15, full stop
		return awsmodel.Fail("InvalidClientTokenId", "The security token included in the request is invalid."), nil
	}
	return nil, fmt.Errorf("look up access key: %w", err)
}

// matches compares the signature of the claim with that of the key, in
// constant time.
func matches(r *http.Request, query Query, c *claim, key digest, body []byte) bool {
	buf := buffers.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= maxPooled {
			buffers.Put(buf)
		}
	}()
	*buf = appendCanonicalRequest((*buf)[:0], r, query, c, body)
	canonical := sha256.Sum256(*buf)
	*buf = appendStringToSign((*buf)[:0], c, canonical)
	mac := hmacSHA256(key[:], *buf)

	var want [2 * sha256.Size]byte
	appendHex(want[:0], mac[:])
	return hmac.Equal(want[:], []byte(c.signature))
}
