package sigv4

import (
	"context"
	"crypto/hmac"

	"rollcall/internal/awsmodel"
)

// VerifySecret finds out who has the secret of a key itself, with the session
// token of temporary credentials: AWS's federation endpoint is shown both in
// place of a signature. An unknown key takes as long as a wrong secret. The
// errors are those of Verify.
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
