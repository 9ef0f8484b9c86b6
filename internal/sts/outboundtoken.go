package sts

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/uuid"

	"rollcall/internal/access"
	"rollcall/internal/api"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
)

// outboundDuration is the default lifetime of a web identity token, in seconds.
// STS GetWebIdentityToken.
const outboundDuration = 300

func tokenSeconds(in *sts.GetWebIdentityTokenInput) int32 {
	if in.DurationSeconds == nil {
		return outboundDuration
	}
	return *in.DurationSeconds
}

// onSelf is the target for a caller who requests a token for itself. It is
// recorded that the resource is self.
var onSelf = api.ByMembers(func(_ context.Context, c principal.Caller, _ []string) ([]api.Resource, error) {
	return []api.Resource{{ARN: "arn:" + c.Partition() + ":sts::" + c.Account() + ":self"}}, nil
})

// tokenKeys are the condition keys of a request for a token. Service
// authorization reference for STS.
var tokenKeys = []api.Key{
	api.Values("sts:IdentityTokenAudience", func(in *sts.GetWebIdentityTokenInput) []string { return in.Audience }),
	api.Member("sts:SigningAlgorithm", "SigningAlgorithm"),
	api.Values("sts:DurationSeconds", func(in *sts.GetWebIdentityTokenInput) []string {
		return []string{strconv.Itoa(int(tokenSeconds(in)))} // recorded: also the default value
	}),
}

// GetWebIdentityToken returns a signed token that identifies the caller to
// other services. The order of the checks and their sentences are recorded.
func (s *Service) GetWebIdentityToken(
	ctx context.Context, in *sts.GetWebIdentityTokenInput,
) (*sts.GetWebIdentityTokenOutput, error) {
	c, now := principal.Of(ctx), s.db.Now().UTC()
	if !slices.Contains(seal.TokenAlgorithms, *in.SigningAlgorithm) {
		return nil, fail("ValidationError", "Requested SigningAlgorithm is not supported. "+
			"See the GetWebIdentityToken documentation for supported algorithms")
	}
	tags, err := requestTags(tagsOf(in.Tags))
	if err != nil {
		return nil, err
	}
	expires := now.Add(time.Duration(tokenSeconds(in)) * time.Second)
	if session := c.Session(); session != nil && !expires.Before(session.Expires) {
		return nil, fail("SessionDurationEscalationException",
			"Requested token expiry time must be before the original session's expiry time.")
	}
	token := identity.WebToken{
		Subject: tokenSubject(c), Audience: in.Audience, ID: uuid.NewString(),
		Issued: now.Unix(), Expires: expires.Unix(),
	}
	token.AWS.RequestTags = tags
	aboutCaller(&token, access.Of(ctx))
	text, err := s.iam.IssueToken(ctx, c, *in.SigningAlgorithm, token)
	if err != nil {
		return nil, err
	}
	return &sts.GetWebIdentityTokenOutput{WebIdentityToken: ptr(text.Reveal()), Expiration: &expires}, nil
}

// requestTags returns the tags of a request for a token. Tags that AWS reserves
// elsewhere are accepted (recorded).
func requestTags(tags []tag) (map[string]string, error) {
	values, folded := map[string]string{}, map[string]bool{}
	for _, t := range tags {
		fold := strings.ToLower(t.key)
		if folded[fold] {
			return nil, errDuplicateTags
		}
		folded[fold], values[t.key] = true, t.value
	}
	return values, nil
}

// tokenSubject returns the subject of a token. For a role's session it is the
// role.
func tokenSubject(c principal.Caller) string {
	if c.Kind() == principal.AssumedRole {
		r := c.Session().Role
		return principal.RoleARN(c.Partition(), c.Account(), r.Path, r.Name)
	}
	return c.ARN()
}

// aboutCaller sets the claims that AWS derives from the caller and its session.
func aboutCaller(token *identity.WebToken, subject *access.Subject) {
	c, claims := subject.Caller, &token.AWS
	claims.Account, claims.Region, claims.PrincipalID = c.Account(), c.Region(), token.Subject
	claims.PrincipalTags = map[string]string{}
	for _, t := range subject.Tags {
		claims.PrincipalTags[t.Key] = t.Value
	}
	session := c.Session()
	if session == nil {
		return
	}
	claims.SourceIdentity, claims.Provider = session.SourceIdentity, session.Provider
	claims.SessionExpires = session.Expires.UTC().Format(time.RFC3339)
}
