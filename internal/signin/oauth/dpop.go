package oauth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"time"
)

// proof is the content of a DPoP header (RFC 9449), which proves that the
// sender has a key.
type proof struct {
	key string // the key's thumbprint (RFC 7638)
	id  string // the proof's own id, which is accepted once
}

// proofSpan limits the difference between the time of a proof and ours.
const proofSpan = 5 * time.Minute

// coordinate is the length of a coordinate of P-256 and of each half of a
// signature.
const coordinate = 32

var errProof = errors.New("no valid proof of possession")

// checkProof checks a DPoP header of a POST to the token endpoint. It does not
// use the library for JWTs, which refuses coordinates without their leading
// zeros, as the SDK for Go writes them.
func checkProof(header string, ours Origin, now time.Time) (proof, error) {
	parts := strings.Split(header, ".")
	if len(header) > 4096 || len(parts) != 3 {
		return proof{}, errProof
	}
	var head struct {
		Type      string `json:"typ"`
		Algorithm string `json:"alg"`
		Key       struct {
			Type    string  `json:"kty"`
			Curve   string  `json:"crv"`
			X       string  `json:"x"`
			Y       string  `json:"y"`
			Private *string `json:"d"`
		} `json:"jwk"`
		Critical []string `json:"crit"`
	}
	var claims struct {
		Method string  `json:"htm"`
		URL    string  `json:"htu"`
		Issued float64 `json:"iat"`
		ID     string  `json:"jti"`
	}
	if decode(parts[0], &head) != nil || decode(parts[1], &claims) != nil {
		return proof{}, errProof
	}
	k := head.Key
	x, y := point(k.X), point(k.Y)
	switch {
	case head.Type != "dpop+jwt", head.Algorithm != "ES256", len(head.Critical) > 0, k.Type != "EC", k.Curve != "P-256",
		k.Private != nil, x == nil, y == nil:
		return proof{}, errProof
	case !signed(x, y, parts):
		return proof{}, errProof
	case claims.Method != "POST", !toUs(claims.URL, ours), claims.ID == "", len(claims.ID) > 256:
		return proof{}, errProof
	}
	if age := now.Sub(time.Unix(int64(claims.Issued), 0)); age > proofSpan || age < -proofSpan {
		return proof{}, errProof
	}
	canonical := `{"crv":"P-256","kty":"EC","x":"` + text(x) + `","y":"` + text(y) + `"}`
	thumbprint := sha256.Sum256([]byte(canonical))
	return proof{text(thumbprint[:]), claims.ID}, nil
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(part string, into any) error {
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// point reads a coordinate. It returns nil if there is none.
func point(part string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil || len(b) == 0 || len(b) > coordinate {
		return nil
	}
	return append(make([]byte, coordinate-len(b)), b...)
}

// signed says whether a key has signed the two parts of a JWT.
func signed(x, y []byte, parts []string) bool {
	uncompressed := append(append([]byte{4}, x...), y...)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), uncompressed)
	if err != nil {
		return false // the point is not on the curve
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 2*coordinate {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:coordinate]), new(big.Int).SetBytes(signature[coordinate:])
	return ecdsa.Verify(key, digest[:], r, s)
}

// toUs says whether a URL is the one of our token endpoint.
func toUs(address string, ours Origin) bool {
	u, err := url.Parse(address)
	return err == nil && u.Path == TokenPath && u.User == nil && u.Opaque == "" && ours(u.Scheme, u.Host)
}
