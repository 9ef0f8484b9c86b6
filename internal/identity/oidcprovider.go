package identity

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// maxThumbprints is the maximum number of thumbprints of a provider. IAM
// CreateOpenIDConnectProvider.
const maxThumbprints = 5

// providerURL checks the URL of a provider and returns it without https://, as
// the provider's ARN contains it. IAM, OpenID Connect providers: it begins with
// https:// and has no query. Both errors are recorded. The one for a query or a
// fragment has no text.
func providerURL(text string) (string, error) {
	u, err := url.Parse(text)
	if !strings.HasPrefix(text, "https://") || err != nil || u.Hostname() == "" || u.User != nil ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fail("ValidationError", "Invalid Open ID Connect Provider URL")
	}
	if strings.ContainsAny(text, "?#") {
		return "", fail("InvalidInput", "")
	}
	return urlName(text), nil
}

// urlName returns the name of a provider from its URL: the URL without https://
// and without the default port (recorded).
func urlName(text string) string {
	host, path, slash := strings.Cut(strings.TrimPrefix(text, "https://"), "/")
	if host = strings.TrimSuffix(host, ":443"); slash {
		host += "/"
	}
	return host + path
}

// thumbprints checks the thumbprints of a provider and joins them for the
// store, in lower case. The text for six of them is recorded. AWS accepts other
// characters than hexadecimal digits (recorded).
func thumbprints(list []string) (string, error) {
	if len(list) > maxThumbprints {
		return "", fail("InvalidInput", "Thumbprint list must contain fewer than %d entries.", maxThumbprints)
	}
	unfit := func(r rune) bool { return r <= ' ' || r > '~' }
	if slices.ContainsFunc(list, func(one string) bool { return strings.ContainsFunc(one, unfit) }) {
		return "", fail("InvalidInput", "Thumbprints must be printable characters without blanks.") // a guess
	}
	return strings.ToLower(strings.Join(list, " ")), nil
}

// arnName returns the name in an ARN of the caller's account. For a provider it
// is the part after "oidc-provider/". The error for an ARN of another kind is
// recorded for policies' ARNs. An ARN of another account names nothing.
func arnName(c principal.Caller, arn, kind string) (string, error) {
	if name, ok := strings.CutPrefix(arn, api.IAMARN(c, kind, "/")); ok && name != "" {
		return name, nil
	}
	part := strings.SplitN(arn, ":", 6)
	if len(part) != 6 || part[0] != "arn" || part[2] != "iam" || !strings.HasPrefix(part[5], kind+"/") {
		return "", fail("InvalidInput", "ARN %s is not valid.", arn)
	}
	return "", nil
}

// errNoOIDCProvider is recorded for GetOpenIDConnectProvider. All other actions
// but DeleteOpenIDConnectProvider give the same answer.
func errNoOIDCProvider(arn string) error {
	return fail("NoSuchEntity", "OpenIDConnect Provider not found for arn %s", arn)
}

// oidcProvider reads the provider that an action names by its ARN.
func oidcProvider(tx *store.Tx, c principal.Caller, arn string) (store.OIDCProvider, error) {
	name, err := arnName(c, arn, "oidc-provider")
	if err != nil {
		return store.OIDCProvider{}, err
	}
	p, err := tx.OIDCProvider(c.Account(), name)
	if errors.Is(err, store.ErrNotFound) {
		err = errNoOIDCProvider(arn)
	}
	return p, err
}

func oidcProviderARN(c principal.Caller, url string) *string {
	return ptr(api.IAMARN(c, "oidc-provider", "/"+url))
}

// newOIDCProvider returns the target for the provider that the call creates.
func newOIDCProvider(member string) api.Target {
	return api.ByMembers(func(_ context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		return []api.Resource{{ARN: *oidcProviderARN(c, urlName(v[0]))}}, nil
	}, member).Making(oidcProvidersPerAccount)
}

// CreateOpenIDConnectProvider adds a provider. It does not fetch the provider's
// keys: a token is checked when somebody presents it.
func (s *Service) CreateOpenIDConnectProvider(
	ctx context.Context, in *iam.CreateOpenIDConnectProviderInput,
) (*iam.CreateOpenIDConnectProviderOutput, error) {
	c := principal.Of(ctx)
	tags, err := exactTagKeys.read(in.Tags)
	if err != nil {
		return nil, err
	}
	p := store.OIDCProvider{Account: c.Account()}
	if p.URL, err = providerURL(*in.Url); err != nil {
		return nil, err
	}
	if p.Thumbprints, err = thumbprints(in.ThumbprintList); err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		p.Created = tx.Now
		if err := tx.InsertOIDCProvider(p); err != nil {
			if errors.Is(err, store.ErrExists) {
				return fail("EntityAlreadyExists", "Provider with url %s already exists.", *in.Url)
			}
			return err
		}
		all, err := tx.OIDCProviders(p.Account)
		if err != nil {
			return err
		}
		if err := checkQuota(tx, p.Account, oidcProvidersPerAccount, len(all)); err != nil {
			return err
		}
		if err := addClientIDs(tx, p, in.ClientIDList...); err != nil {
			return err
		}
		return insertTags(tx, store.OIDCProviderTags, p.Account, p.URL, tags)
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateOpenIDConnectProviderOutput{OpenIDConnectProviderArn: oidcProviderARN(c, p.URL),
		Tags: tagsOut(tags)}, nil
}

// addClientIDs adds client ids within the quota. Existing ones are not errors.
func addClientIDs(tx *store.Tx, p store.OIDCProvider, ids ...string) error {
	for _, id := range ids {
		if err := tx.AddOIDCClientID(p.Account, p.URL, id); err != nil {
			return err
		}
	}
	all, err := tx.OIDCClientIDs(p.Account, p.URL)
	if err != nil {
		return err
	}
	return checkQuota(tx, p.Account, clientIDsPerOIDCProvider, len(all))
}

// GetOpenIDConnectProvider returns a provider. Its URL has no https://.
func (s *Service) GetOpenIDConnectProvider(
	ctx context.Context, in *iam.GetOpenIDConnectProviderInput,
) (*iam.GetOpenIDConnectProviderOutput, error) {
	c := principal.Of(ctx)
	var out iam.GetOpenIDConnectProviderOutput
	err := s.db.View(ctx, func(tx *store.Tx) error {
		p, err := oidcProvider(tx, c, *in.OpenIDConnectProviderArn)
		if err != nil {
			return err
		}
		ids, err := tx.OIDCClientIDs(p.Account, p.URL)
		if err != nil {
			return err
		}
		tags, err := tx.Tags(store.OIDCProviderTags, p.Account, p.URL, maxTags)
		out.Url, out.CreateDate = &p.URL, when(p.Created)
		// Recorded: lists are present even if they are empty.
		out.ClientIDList = append([]string{}, ids...)
		out.ThumbprintList = append([]string{}, strings.Fields(p.Thumbprints)...)
		out.Tags = someTags(tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// ListOpenIDConnectProviders lists the ARNs of all providers.
func (s *Service) ListOpenIDConnectProviders(
	ctx context.Context, _ *iam.ListOpenIDConnectProvidersInput,
) (*iam.ListOpenIDConnectProvidersOutput, error) {
	c := principal.Of(ctx)
	out := &iam.ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: []types.OpenIDConnectProviderListEntry{}}
	var all []store.OIDCProvider
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.OIDCProviders(c.Account())
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList,
			types.OpenIDConnectProviderListEntry{Arn: oidcProviderARN(c, p.URL)})
	}
	return out, nil
}

// DeleteOpenIDConnectProvider deletes a provider. Roles that trust it stay but
// can no longer be assumed with its tokens. Deleting it twice is an error
// (recorded).
func (s *Service) DeleteOpenIDConnectProvider(
	ctx context.Context, in *iam.DeleteOpenIDConnectProviderInput,
) (*iam.DeleteOpenIDConnectProviderOutput, error) {
	c := principal.Of(ctx)
	name, err := arnName(c, *in.OpenIDConnectProviderArn, "oidc-provider")
	if err == nil {
		err = s.db.Update(ctx, func(tx *store.Tx) error {
			err := tx.DeleteOIDCProvider(c.Account(), name)
			if errors.Is(err, store.ErrNotFound) {
				err = fail("NoSuchEntity", "OpenId connect Provider %s cannot be found.", *in.OpenIDConnectProviderArn)
			}
			return err
		})
	}
	return &iam.DeleteOpenIDConnectProviderOutput{}, err
}

// AddClientIDToOpenIDConnectProvider adds a client id. An existing one is not
// an error.
func (s *Service) AddClientIDToOpenIDConnectProvider(
	ctx context.Context, in *iam.AddClientIDToOpenIDConnectProviderInput,
) (*iam.AddClientIDToOpenIDConnectProviderOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := oidcProvider(tx, c, *in.OpenIDConnectProviderArn)
		if err != nil {
			return err
		}
		return addClientIDs(tx, p, *in.ClientID)
	})
	return &iam.AddClientIDToOpenIDConnectProviderOutput{}, err
}

// RemoveClientIDFromOpenIDConnectProvider removes a client id. A missing one is
// not an error.
func (s *Service) RemoveClientIDFromOpenIDConnectProvider(
	ctx context.Context, in *iam.RemoveClientIDFromOpenIDConnectProviderInput,
) (*iam.RemoveClientIDFromOpenIDConnectProviderOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := oidcProvider(tx, c, *in.OpenIDConnectProviderArn)
		if err != nil {
			return err
		}
		return tx.RemoveOIDCClientID(p.Account, p.URL, *in.ClientID)
	})
	return &iam.RemoveClientIDFromOpenIDConnectProviderOutput{}, err
}

// UpdateOpenIDConnectProviderThumbprint replaces all thumbprints of a
// provider.
func (s *Service) UpdateOpenIDConnectProviderThumbprint(
	ctx context.Context, in *iam.UpdateOpenIDConnectProviderThumbprintInput,
) (*iam.UpdateOpenIDConnectProviderThumbprintOutput, error) {
	c := principal.Of(ctx)
	list, err := thumbprints(in.ThumbprintList)
	if err == nil && list == "" {
		err = fail("InvalidInput", "Thumbprint list must contain at least one entry.") // recorded
	}
	if err == nil {
		err = s.db.Update(ctx, func(tx *store.Tx) error {
			p, err := oidcProvider(tx, c, *in.OpenIDConnectProviderArn)
			if err != nil {
				return err
			}
			return tx.SetOIDCThumbprints(p.Account, p.URL, list)
		})
	}
	return &iam.UpdateOpenIDConnectProviderThumbprintOutput{}, err
}
