package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// WebToken holds the claims of a web identity token, in AWS's names and forms
// (recorded).
type WebToken struct {
	Issuer   string   `json:"iss"` // IssueToken sets it
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Issued   int64    `json:"iat"` // Unix seconds
	Expires  int64    `json:"exp"`
	ID       string   `json:"jti"`
	// AWS holds AWS's own claims, under the name awsClaims.
	AWS struct {
		Account        string            `json:"aws_account"`
		Region         string            `json:"source_region"`
		PrincipalID    string            `json:"principal_id"`
		PrincipalTags  map[string]string `json:"principal_tags,omitempty"`
		RequestTags    map[string]string `json:"request_tags,omitempty"`
		OrganizationID string            `json:"org_id,omitempty"` // IssueToken sets it
		SourceIdentity string            `json:"source_identity,omitempty"`
		Provider       string            `json:"federated_provider,omitempty"`
		// SessionExpires is the end of the session that asked for the token, if
		// a role or a user has a session (recorded).
		SessionExpires string `json:"original_session_exp,omitempty"`
	} `json:"https://sts.amazonaws.com/"`
}

// audience is encoded as a text if it has one value, and as a list if it has
// several.
type audience []string

func (a audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return plainJSON(a[0])
	}
	return plainJSON([]string(a))
}

// maxTokenPayload is the maximum size of the claims in bytes (recorded).
const maxTokenPayload = 14984

// IssueToken signs claims for a caller with a key of its account's issuer. Its
// errors are those of STS GetWebIdentityToken.
func (s *Service) IssueToken(
	ctx context.Context, c principal.Caller, algorithm string, token WebToken,
) (seal.Secret, error) {
	var issuer store.TokenIssuer
	var key store.TokenKey
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if issuer, err = tokenIssuer(tx, c.Account()); err != nil || !issuer.Enabled {
			return err
		}
		if token.AWS.OrganizationID, err = organizationID(tx, c.Account()); err != nil {
			return err
		}
		all, err := tx.TokenKeys(c.Account())
		if err != nil {
			return err
		}
		var ok bool
		if key, ok = signingKey(all, algorithm, tx.Now); !ok {
			return fmt.Errorf("account %s has no key for %s", c.Account(), algorithm)
		}
		return nil
	})
	if err != nil {
		return seal.Secret{}, err
	}
	if !issuer.Enabled {
		return seal.Secret{}, fail("OutboundWebIdentityFederationDisabledException",
			"OutboundWebIdentityFederation is disabled.")
	}
	if token.Issuer, err = s.issuerURL(issuer); err != nil {
		return seal.Secret{}, err
	}
	payload, err := plainJSON(token)
	if err != nil {
		return seal.Secret{}, err
	}
	if len(payload) > maxTokenPayload {
		return seal.Secret{}, fail("JWTPayloadSizeExceededException", "JWT payload exceeds maximum allowed size")
	}
	return s.signToken(ctx, issuer, key, payload)
}

// organizationID returns the id of the organisation that an account belongs to,
// "" for none.
func organizationID(tx *store.Tx, account string) (string, error) {
	management, err := organization(tx, account)
	if err != nil || management == "" {
		return "", err
	}
	return setting(tx, management, settingOrganizationID)
}

func (s *Service) signToken(
	ctx context.Context, issuer store.TokenIssuer, key store.TokenKey, payload []byte,
) (seal.Secret, error) {
	der, err := s.openSecret(ctx, key.Private, tokenKeyPlace(issuer, key))
	if err != nil {
		return seal.Secret{}, fmt.Errorf("open token key %s: %w", tokenKeyID(key), err)
	}
	private, err := seal.ParseTokenKey(der)
	if err != nil {
		return seal.Secret{}, fmt.Errorf("open token key %s: %w", tokenKeyID(key), err)
	}
	by := jose.SigningKey{
		Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: jose.JSONWebKey{Key: private, KeyID: tokenKeyID(key)},
	}
	signer, err := jose.NewSigner(by, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return seal.Secret{}, fmt.Errorf("sign token: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return seal.Secret{}, fmt.Errorf("sign token: %w", err)
	}
	text, err := signed.CompactSerialize()
	return seal.NewSecret(text), err
}

// plainJSON writes JSON without the escapes for HTML.
func plainJSON(v any) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}
