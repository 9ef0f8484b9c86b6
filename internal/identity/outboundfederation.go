package identity

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/uuid"

	"rollcall/internal/escape"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// issuerPath follows the public URL and precedes the issuer's id.
const issuerPath = "/issuer/"

// maxPublicURL is the maximum length of a public URL. It leaves room for an
// issuer's URL of at most 255 characters, the limit for the URL of an OIDC
// provider: IAM CreateOpenIDConnectProvider.
const maxPublicURL = 255 - len(issuerPath) - issuerIDLength

// ParsePublicURL reads the URL under which clients and verifiers reach the
// service. It returns the URL without a slash at the end.
func ParsePublicURL(text string) (string, error) {
	u, err := url.Parse(text)
	shown := escape.Userless(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return "", fmt.Errorf("%q is not an http:// or https:// URL", shown)
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "", strings.HasSuffix(text, "#"):
		return "", fmt.Errorf("%q has a user, a query or a fragment, which the URL of an issuer cannot have", shown)
	case strings.Trim(text, urlCharacters) != "", strings.Contains(u.Path, "//"),
		strings.Contains(u.Path+"/", "/../"), strings.Contains(u.Path+"/", "/./"):
		return "", fmt.Errorf("%q has characters that the URL of an issuer cannot have", shown)
	case len(text) > maxPublicURL:
		return "", fmt.Errorf("%q is longer than %d characters", shown, maxPublicURL)
	}
	return strings.TrimRight(text, "/"), nil
}

// urlCharacters are enough for a host, a port and a path. A character that
// needs an escape could be spelled in two ways.
const urlCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/[]"

// errNoPublicURL says that the service has no URL for its issuers.
var errNoPublicURL = fail("InvalidAction", "Outbound identity federation needs a URL "+
	"under which verifiers reach Rollcall: its operator sets one by --public-url.")

// issuerURL returns the issuer's URL for tokens. It returns an error if the
// service has no public URL.
func (s *Service) issuerURL(i store.TokenIssuer) (string, error) {
	if s.publicURL == "" {
		return "", errNoPublicURL
	}
	return s.publicURL + issuerPath + i.ID, nil
}

// tokenIssuer reads an account's issuer. A missing issuer is returned as a
// disabled one.
func tokenIssuer(tx *store.Tx, account string) (store.TokenIssuer, error) {
	return absent(tx.TokenIssuer(account))
}

// EnableOutboundWebIdentityFederation lets the account's principals get web
// identity tokens. The first call creates the account's issuer and its keys.
// Later calls enable the same issuer again (recorded).
func (s *Service) EnableOutboundWebIdentityFederation(
	ctx context.Context, _ *iam.EnableOutboundWebIdentityFederationInput,
) (*iam.EnableOutboundWebIdentityFederationOutput, error) {
	c := principal.Of(ctx)
	if s.publicURL == "" {
		return nil, errNoPublicURL
	}
	var issuer store.TokenIssuer
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		issuer, err = tokenIssuer(tx, c.Account())
		return err
	})
	if err != nil {
		return nil, err
	}
	if issuer.Enabled {
		return nil, errFeatureEnabled(c)
	}
	var keys []newTokenKey
	if issuer.ID == "" {
		if keys, err = newTokenKeys(); err != nil {
			return nil, err
		}
	}
	err = s.db.Update(ctx, func(tx *store.Tx) (err error) {
		issuer, err = s.enableIssuer(tx, c, keys)
		return err
	})
	if err != nil {
		return nil, err
	}
	link, err := s.issuerURL(issuer)
	return &iam.EnableOutboundWebIdentityFederationOutput{IssuerIdentifier: &link}, err
}

// enableIssuer enables the account's issuer, or creates one with the keys.
func (s *Service) enableIssuer(tx *store.Tx, c principal.Caller, keys []newTokenKey) (store.TokenIssuer, error) {
	issuer, err := tx.TokenIssuer(c.Account())
	switch {
	case err == nil && issuer.Enabled:
		return issuer, errFeatureEnabled(c)
	case err == nil:
		return issuer, tx.EnableTokenIssuer(issuer.Account, true)
	case !errors.Is(err, store.ErrNotFound):
		return issuer, err
	}
	issuer = store.TokenIssuer{Account: c.Account(), ID: uuid.NewString(), Enabled: true, Created: second(tx.Now)}
	if err := tx.InsertTokenIssuer(issuer); err != nil {
		return issuer, err
	}
	for _, k := range keys {
		if err := tx.InsertTokenKey(s.sealTokenKey(issuer, k, 0, second(tx.Now))); err != nil {
			return issuer, err
		}
	}
	return issuer, nil
}

func errFeatureEnabled(c principal.Caller) error {
	return fail("FeatureEnabled", "Outbound identity federation is already enabled for account %s", c.Account())
}

// DisableOutboundWebIdentityFederation stops the issue of tokens. Issued tokens
// stay valid, so their keys stay published (recorded).
func (s *Service) DisableOutboundWebIdentityFederation(
	ctx context.Context, _ *iam.DisableOutboundWebIdentityFederationInput,
) (*iam.DisableOutboundWebIdentityFederationOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		issuer, err := tokenIssuer(tx, c.Account())
		if err == nil && !issuer.Enabled {
			err = fail("FeatureDisabled", "Outbound identity federation is already disabled for account %s",
				c.Account())
		}
		if err != nil {
			return err
		}
		return tx.EnableTokenIssuer(issuer.Account, false)
	})
	if err != nil {
		return nil, err
	}
	return &iam.DisableOutboundWebIdentityFederationOutput{}, nil
}

// GetOutboundWebIdentityFederationInfo returns the account's issuer while it is
// enabled (recorded).
func (s *Service) GetOutboundWebIdentityFederationInfo(
	ctx context.Context, _ *iam.GetOutboundWebIdentityFederationInfoInput,
) (*iam.GetOutboundWebIdentityFederationInfoOutput, error) {
	c := principal.Of(ctx)
	var issuer store.TokenIssuer
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		issuer, err = tokenIssuer(tx, c.Account())
		return err
	})
	if err != nil {
		return nil, err
	}
	if !issuer.Enabled {
		return nil, fail("FeatureDisabled", "Outbound identity federation is disabled for account %s", c.Account())
	}
	link, err := s.issuerURL(issuer)
	if err != nil {
		return nil, err
	}
	return &iam.GetOutboundWebIdentityFederationInfoOutput{IssuerIdentifier: &link, JwtVendingEnabled: true}, nil
}
