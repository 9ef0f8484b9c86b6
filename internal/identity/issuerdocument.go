package identity

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// The documents of an issuer, below its URL. OpenID Connect Discovery 1.0,
// section 4. The name of the second is AWS's.
const (
	discoveryPath = "/.well-known/openid-configuration"
	jwksPath      = "/.well-known/jwks.json"
	// issuerIDLength is the length of a UUID.
	issuerIDLength = 36
	// awsClaims is the claim that contains AWS's own claims; see WebToken.
	awsClaims = "https://sts.amazonaws.com/"
)

// discovery holds what AWS's issuers publish about themselves (recorded).
type discovery struct {
	Issuer        string   `json:"issuer"`
	JWKSURI       string   `json:"jwks_uri"`
	ResponseTypes []string `json:"response_types_supported"`
	SubjectTypes  []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Claims        []string `json:"claims_supported"`
}

// IssuerDocument returns the public document at a path of the service. Such a
// document says how to verify the tokens of an issuer, and with which keys. It
// returns nil if there is no document. The documents contain no secret. Only
// the random id of the issuer leads to an account. While federation is disabled
// the documents stay available, as on AWS, because issued tokens are still
// valid (recorded).
func (s *Service) IssuerDocument(ctx context.Context, path string) ([]byte, error) {
	id, document := s.issuerPathOf(path)
	if id == "" {
		return nil, nil
	}
	var issuer store.TokenIssuer
	var keys []store.TokenKey
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if issuer, err = tx.TokenIssuerByID(id); err != nil {
			return err
		}
		all, err := tx.TokenKeys(issuer.Account)
		keys = published(all, tx.Now)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if document == jwksPath {
		return keySet(keys)
	}
	link := s.publicURL + issuerPath + issuer.ID
	return json.Marshal(discovery{
		Issuer: link, JWKSURI: link + jwksPath, ResponseTypes: []string{"id_token"}, SubjectTypes: []string{"public"},
		Algorithms: seal.TokenAlgorithms, Claims: []string{"sub", "iss", "aud", "exp", "iat", "jti", awsClaims},
	})
}

// issuerPathOf finds the issuer's id and the document's name in a path. They
// are empty if there is none. A proxy may have removed the path of the public
// URL.
func (s *Service) issuerPathOf(path string) (id, document string) {
	if s.publicURL == "" {
		return "", ""
	}
	if u, err := url.Parse(s.publicURL); err == nil {
		path = strings.TrimPrefix(path, u.Path)
	}
	rest, ok := strings.CutPrefix(path, issuerPath)
	if !ok || len(rest) < issuerIDLength {
		return "", ""
	}
	id, document = rest[:issuerIDLength], rest[issuerIDLength:]
	if document != discoveryPath && document != jwksPath || strings.Trim(id, "0123456789abcdef-") != "" {
		return "", ""
	}
	return id, document
}

// keySet returns the JSON Web Key Set of an issuer.
func keySet(keys []store.TokenKey) ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range keys {
		public, err := x509.ParsePKIXPublicKey(k.Public)
		if err != nil {
			return nil, fmt.Errorf("token key %s of account %s: %w", tokenKeyID(k), k.Account, err)
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{
			Key: public, KeyID: tokenKeyID(k), Algorithm: k.Algorithm, Use: "sig",
		})
	}
	return json.Marshal(set)
}
