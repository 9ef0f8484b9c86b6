package sts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/policy"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// tokenAlgorithms are the algorithms that may sign a web identity token. IAM,
// creating an OIDC identity provider.
var tokenAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512}

// clockSkew limits how far the provider's clock may be ahead of ours.
const clockSkew = 5 * time.Minute

// These errors refuse a token. The first four sentences are reported by users
// of AWS.
var (
	errNoToken = fail(invalidToken,
		"The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	errNoKeys = fail(invalidToken,
		"Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "+
			"documentation for requirements")
	errAudience   = fail(invalidToken, "Incorrect token audience")
	errIssuer     = "No OpenIDConnect provider found in your account for https://%s"
	errSignature  = fail(invalidToken, "The signature of the token could not be verified.")
	errNoProvider = fail("IDPCommunicationError", "The identity provider's keys could not be read. Try again later.")
)

const invalidToken = "InvalidIdentityToken"

// webToken holds the claims of a web identity token, including AWS's own
// claims. STS, session tags; IAM, source identity with web identity federation.
type webToken struct {
	jwt.Claims
	AuthorizedParty string       `json:"azp"`
	Methods         jwt.Audience `json:"amr"` // a string or a list of strings
	SourceIdentity  string       `json:"https://aws.amazon.com/source_identity"`
	Tags            struct {
		Principal  map[string]jwt.Audience `json:"principal_tags"`
		Transitive []string                `json:"transitive_tag_keys"`
	} `json:"https://aws.amazon.com/tags"`
}

// AssumeRoleWithWebIdentity returns the credentials of a session of a role to a
// caller with a token of an identity provider that the role trusts. The request
// needs no signature.
func (s *Service) AssumeRoleWithWebIdentity(
	ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput,
) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	part := strings.SplitN(*in.RoleArn, ":", 6)
	if len(part) != 6 || part[2] != "iam" || !strings.HasPrefix(part[5], "role/") {
		return nil, fail("ValidationError", "Request ARN is invalid") // reported by users of AWS
	}
	if in.ProviderId != nil {
		return nil, fail(invalidToken, "Tokens of OAuth 2.0 providers are not supported: leave ProviderId out.")
	}
	token, err := s.webToken(ctx, part[4], *in.WebIdentityToken)
	if err != nil {
		return nil, err
	}
	issuer := strings.TrimPrefix(token.Issuer, "https://")
	provider := "arn:" + part[1] + ":iam::" + part[4] + ":oidc-provider/" + issuer
	n := newSession{name: *in.RoleSessionName, duration: in.DurationSeconds, policy: in.Policy,
		policyARNs: in.PolicyArns, minSize: in.MinimumSessionTokenSize,
		provider: provider, keys: token.keys(issuer), sourceIdentity: token.SourceIdentity}
	if err := n.setTokenTags(token); err != nil {
		return nil, err
	}
	target, err := s.role(ctx, *in.RoleArn)
	if err != nil {
		return nil, err
	}
	by := s.federated(ctx, provider, n.keys)
	if err := s.mayAssume(ctx, by, target, "sts:AssumeRoleWithWebIdentity", &n, *in.RoleArn); err != nil {
		return nil, err
	}
	made, err := s.roleSession(ctx, target, &n)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleWithWebIdentityOutput{
		AssumedRoleUser: assumedRoleUser(target, n.name), Credentials: made.credentials, PackedPolicySize: made.packed,
		SessionTokenSize: made.size, SessionTokenUtilization: made.used, SourceIdentity: optional(n.sourceIdentity),
		Provider: &provider, Audience: ptr(strings.Join(token.Audience, ",")),
		SubjectFromWebIdentityToken: &token.Subject,
	}, nil
}

// webToken verifies a token against the provider of its issuer in an account.
func (s *Service) webToken(ctx context.Context, account, text string) (*webToken, error) {
	parsed, err := jwt.ParseSigned(text, tokenAlgorithms)
	if err != nil {
		return nil, errNoToken
	}
	token := &webToken{}
	if err := parsed.UnsafeClaimsWithoutVerification(token); err != nil {
		return nil, errNoToken
	}
	clients, err := s.clientIDs(ctx, account, strings.TrimPrefix(token.Issuer, "https://"))
	if err != nil {
		return nil, err
	}
	if err := s.verify(ctx, parsed, token); err != nil {
		return nil, err
	}
	if err := token.check(s.db.Now()); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(token.audience(), func(a string) bool { return slices.Contains(clients, a) }) {
		return nil, errAudience
	}
	return token, nil
}

// clientIDs returns the audiences that the tokens of an issuer may have in an
// account.
func (s *Service) clientIDs(ctx context.Context, account, issuer string) (ids []string, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if _, err := tx.OIDCProvider(account, issuer); err != nil {
			return err
		}
		ids, err = tx.OIDCClientIDs(account, issuer)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = fail(invalidToken, errIssuer, issuer)
	}
	return ids, err
}

// verify checks a token's signature with the keys of its issuer.
func (s *Service) verify(ctx context.Context, parsed *jwt.JSONWebToken, token *webToken) error {
	set := s.issuers[strings.TrimPrefix(token.Issuer, "https://")]
	if set == nil {
		// Unknown callers may send requests without end, so this is logged only
		// from time to time.
		if now := s.db.Now().Unix() / 10; s.unset.Swap(now) != now {
			s.log.WarnContext(ctx, "web identity token of an issuer whose keys are not set", "issuer", token.Issuer)
		}
		return errNoKeys
	}
	keys, err := set.find(ctx, parsed.Headers[0].KeyID)
	if errors.Is(err, context.Canceled) {
		return err // the caller has left
	}
	if err != nil {
		return errNoProvider // the log has the reason, once for every read
	}
	if len(keys) == 0 {
		return errNoKeys
	}
	for _, key := range keys {
		if key.Algorithm != "" && key.Algorithm != parsed.Headers[0].Algorithm {
			continue
		}
		if parsed.Claims(key.Key) == nil {
			return nil
		}
	}
	return errSignature
}

// check compares the dates of a token with the clock. The sentence about expiry
// is reported by users of AWS. The others are guesses.
func (t *webToken) check(now time.Time) error {
	switch {
	case t.Expiry == nil:
		return fail(invalidToken, "Missing a required claim: exp")
	case t.IssuedAt == nil:
		return fail(invalidToken, "Missing a required claim: iat")
	case t.Subject == "":
		return fail(invalidToken, "Missing a required claim: sub")
	case len(t.Audience) == 0:
		return fail(invalidToken, "Missing a required claim: aud")
	case !now.Before(t.Expiry.Time()):
		return fail("ExpiredTokenException",
			"Token expired: current date/time %d must be before the expiration date/time%d", now.Unix(),
			t.Expiry.Time().Unix())
	case t.IssuedAt.Time().After(now.Add(clockSkew)):
		return fail(invalidToken, "The token was issued in the future.")
	case t.NotBefore != nil && t.NotBefore.Time().After(now.Add(clockSkew)):
		return fail(invalidToken, "The token is not valid yet.")
	}
	return nil
}

// audience returns the value for the condition key aud and the comparison with
// the client ids. It is the authorized party if the token has one. IAM,
// available keys for OIDC federation.
func (t *webToken) audience() []string {
	if t.AuthorizedParty != "" {
		return []string{t.AuthorizedParty}
	}
	return t.Audience
}

// keys returns the condition keys of the token. Its session has them too.
func (t *webToken) keys(issuer string) map[string][]string {
	issuer = strings.ToLower(issuer)
	keys := map[string][]string{issuer + ":sub": {t.Subject}, issuer + ":aud": t.audience()}
	if len(t.Methods) > 0 {
		keys[issuer+":amr"] = t.Methods
	}
	if t.AuthorizedParty != "" {
		keys[issuer+":oaud"] = t.Audience
	}
	return keys
}

// setTokenTags reads the session tags of a token.
func (n *newSession) setTokenTags(t *webToken) error {
	var tags []tag
	for key, values := range t.Tags.Principal {
		if len(values) != 1 {
			return fail(invalidToken, "The session tag %s must have one value.", key)
		}
		if n := len([]rune(key)); n == 0 || n > 128 || len([]rune(values[0])) > 256 {
			return fail(invalidToken, "The session tag %s is longer than a tag may be.", key)
		}
		tags = append(tags, tag{key, values[0]})
	}
	slices.SortFunc(tags, func(a, b tag) int { return strings.Compare(a.key, b.key) })
	if len(t.SourceIdentity) > 64 {
		return fail(invalidToken, "The source identity is longer than 64 characters.")
	}
	return n.setTags(tags, t.Tags.Transitive)
}

// federated returns a caller with a provider's token. It has no policies.
func (s *Service) federated(ctx context.Context, provider string, keys map[string][]string) asker {
	call := api.CallOf(ctx)
	now := s.db.Now()
	return asker{
		principal: policy.Principal{Type: policy.Federated, ARN: provider},
		keys: func(key string) []string {
			switch key {
			case "aws:federatedprovider":
				return []string{provider}
			case "aws:sourceip":
				return some(call.SourceIP)
			case "aws:useragent":
				return some(call.UserAgent)
			case "aws:securetransport":
				return []string{fmt.Sprint(call.TLS != nil)}
			case "aws:currenttime":
				return []string{now.UTC().Format(time.RFC3339)}
			case "aws:epochtime":
				return []string{fmt.Sprint(now.Unix())}
			}
			return keys[key]
		},
		denial: func(action, _ string) *awsmodel.Error {
			return fail("AccessDenied", "Not authorized to perform %s", action) // reported by users of AWS
		},
	}
}

// showedToken returns the caller of AssumeRoleWithWebIdentity for the trail. If
// the call was refused, nothing about the caller is verified.
func showedToken(in *sts.AssumeRoleWithWebIdentityInput, out *sts.AssumeRoleWithWebIdentityOutput) trail.Identity {
	id := trail.Identity{Type: trail.WebIdentityUser}
	if out != nil {
		id.PrincipalID = *out.Provider + ":" + *out.Audience + ":" + *out.SubjectFromWebIdentityToken
		id.UserName, id.IdentityProvider = *out.SubjectFromWebIdentityToken, *out.Provider
	}
	if part := strings.SplitN(str(in.RoleArn), ":", 6); len(part) == 6 {
		id.AccountID = part[4]
	}
	return id
}
