package sigv4

import (
	"context"
	"crypto/hmac"

	"rollcall/internal/awsmodel"
)

// VerifySecret finds the holder of a key from the secret itself, with the
// session token of temporary credentials. AWS's federation endpoint receives
// both instead of a signature. An unknown key takes as long as a wrong secret.
// The errors are those of Verify.
func (v *Verifier[P]) VerifySecret(ctx context.Context, keyID, secret, token, service string) (Verified[P], error) {
	have, principal, err := v.Lookup(ctx, keyID, token)
	refusal, err := lookupRefusal(have, err)
	if err != nil {
		return Verified[P]{}, err
	}
	if refusal != nil {
		have = dummySecret
	}
	same := hmac.Equal([]byte(secret), have)
	if refusal != nil {
		return Verified[P]{}, refusal
	}
	if !same {
		return Verified[P]{}, awsmodel.Fail("SignatureDoesNotMatch", "%s", textMismatch)
	}
	return Verified[P]{&proof[P]{principal, &claim{keyID: keyID, token: token, region: "us-east-1", service: service}}},
		nil
}
