// Package sigv4 verifies who signed a request, with AWS Signature Version 4 in
// the Authorization header or in the query string of a presigned URL.
//
// It promises:
//
//   - Only [Verifier.Verify] returns a [Verified] with a principal. A request
//     whose signature was not checked cannot reach code that takes one.
//   - Everything that can change the meaning of a request is signed: method,
//     path, query, body, host, and every X-Amz-* header. An unsigned header is
//     refused, not ignored.
//   - There is exactly one source of authentication per request. Header and
//     query together, two Authorization headers, and the same X-Amz-* name
//     twice in any case are refused.
//   - Handlers read exactly what was signed: [ParseQuery] returns the
//     parameters that were checked. Only the path is signed in normal form,
//     "//" as "/". Do not serve a path that differs from it.
//   - Keys are looked up for every request, so that a revoked key fails on the
//     very next call. Only the derivation secret → signing key is cached.
//   - An unknown key costs Verify the same work as a known one.
//
// It refuses any algorithm except AWS4-HMAC-SHA256 (so SigV2, SigV4A, bearer
// tokens), unsigned and streaming payloads, a scope without a region, and S3's
// rules for paths.
//
// The texts and the order of the checks are recorded from AWS. The package uses
// no code of an SDK's signer: a signer may omit headers, but a verifier must
// use the list of signed headers in the request.
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

// These are the errors that a [Verifier.Lookup] returns for an invalid
// credential, wrapped or not. Any other error means that Lookup failed.
var (
	// ErrUnknownKey means that there is no such access key, or that it is
	// inactive. The client cannot see which.
	ErrUnknownKey = errors.New("unknown or inactive access key")
	// ErrInvalidToken means that the session token does not belong to this key,
	// or is malformed.
	ErrInvalidToken = errors.New("invalid session token")
	// ErrExpiredToken means that the session token was valid once.
	ErrExpiredToken = errors.New("expired session token")
)

// window limits the difference between the clocks of client and server, and the
// life of a presigned URL.
const window = 15 * time.Minute

// Verifier checks signatures. P is the caller's own type for the holder of a
// key. Set the fields before the first call of Verify and do not change them;
// Verify may then be called from many goroutines. A Verifier must not be
// copied.
type Verifier[P any] struct {
	// Lookup finds the secret and the holder of an access key. sessionToken is
	// empty if the request carries none, as with long-term keys; Lookup decides
	// whether key and token belong together. Both arguments come from the
	// client and are not verified yet. Lookup must return ErrUnknownKey,
	// ErrInvalidToken or ErrExpiredToken for an invalid credential.
	Lookup func(ctx context.Context, accessKeyID, sessionToken string) (secret []byte, principal P, err error)

	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// Services lists the services that a scope may name, such as "iam" and
	// "sts". A refusal names the first one.
	Services []string

	// Regions lists the regions that a scope may name. Empty means any: clients
	// sign with the region that they are configured for.
	Regions []string

	keys keyCache
}

// Verified is a request with a valid signature. Only [Verifier.Verify] returns
// a usable one: the methods of the zero value panic.
type Verified[P any] struct{ proof *proof[P] }

type proof[P any] struct {
	principal P
	claim     *claim
}

// Principal returns the holder of the key that signed.
func (v Verified[P]) Principal() P { return v.proof.principal }

// AccessKeyID returns the id of the key that signed.
func (v Verified[P]) AccessKeyID() string { return v.proof.claim.keyID }

// SessionToken returns the token that came with the key and is bound to it;
// empty for long-term keys. It is a secret.
func (v Verified[P]) SessionToken() string { return v.proof.claim.token }

// Region returns the region of the scope, which is never empty.
func (v Verified[P]) Region() string { return v.proof.claim.region }

// Service returns the service of the scope, one of the Verifier's Services.
func (v Verified[P]) Service() string { return v.proof.claim.service }

// SignedAt returns the client's time of signing, in whole seconds, UTC.
func (v Verified[P]) SignedAt() time.Time { return v.proof.claim.at }

// Presigned reports whether the signature came in the query string.
func (v Verified[P]) Presigned() bool { return v.proof.claim.presigned }

// Verify returns who signed r. The body is a separate parameter because its
// reader must limit it first. r.Body is not read.
//
// A refusal is an *awsmodel.Error for the client. Any other error is a wrapped
// error of Lookup, and says nothing about the client.
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
		// The key is cached only now. An attacker who knows ids but no secrets
		// must not be able to displace other people's keys.
		v.keys.put(id, key)
	}
	return Verified[P]{&proof[P]{principal, c}}, nil
}

// Known reports, before the body is read, whether it is worth reading. It
// returns nil if the request names a valid credential, which does not prove who
// sent it. The errors are those of Verify. Verify looks everything up again,
// because much can happen while a body arrives.
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

// read finds the claim of a request and runs checks 4 to 13, which need no key.
func (v *Verifier[P]) read(r *http.Request) (Query, *claim, error) {
	if !strings.HasPrefix(r.URL.Path, "/") {
		// 1: the server answers with its own 400. If such a path still arrives
		// ("I:" parses as a URL without a path), it does not count as "/".
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

// dummySecret replaces the secret of a key that does not exist. Nothing signed
// with it is ever accepted.
var dummySecret = []byte("0000000000000000000000000000000000000000")

const textMismatch = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// The sentence is ours: no recording of IAM's answer to UNSIGNED-PAYLOAD, or to
// a wrong hash of the body, is known (G).
const textPayload = "The value of 'X-Amz-Content-SHA256' must be the SHA-256 hash of the request body."

// lookupRefusal turns an error of a Lookup into an error for the client, or
// into one that does not concern the client.
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
