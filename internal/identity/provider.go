package identity

import (
	"context"
	"strings"

	"rollcall/internal/api"
	"rollcall/internal/awsquery"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// providerActions are the actions on identity providers and server
// certificates.
func (s *Service) providerActions() []api.Action {
	oidc := s.onProvider("OpenIDConnectProviderArn", "oidc-provider", store.OIDCProviderTags)
	saml := s.onProvider("SAMLProviderArn", "saml-provider", store.SAMLProviderTags)
	return []api.Action{
		{Operation: awsquery.Of(s.CreateOpenIDConnectProvider), Needs: alsoTagging(onOIDCProvider, "iam:TagOpenIDConnectProvider")},
		{Operation: awsquery.Of(s.GetOpenIDConnectProvider), Needs: oidc},
		{Operation: awsquery.Of(s.ListOpenIDConnectProviders), Needs: api.Below("oidc-provider", "")},
		{Operation: awsquery.Of(s.DeleteOpenIDConnectProvider), Needs: oidc},
		{Operation: awsquery.Of(s.AddClientIDToOpenIDConnectProvider), Needs: oidc},
		{Operation: awsquery.Of(s.RemoveClientIDFromOpenIDConnectProvider), Needs: oidc},
		{Operation: awsquery.Of(s.UpdateOpenIDConnectProviderThumbprint), Needs: oidc},
		{Operation: awsquery.Of(s.TagOpenIDConnectProvider), Needs: oidc},
		{Operation: awsquery.Of(s.UntagOpenIDConnectProvider), Needs: oidc},
		{Operation: awsquery.Of(s.ListOpenIDConnectProviderTags), Needs: oidc},

		{Operation: awsquery.Of(s.CreateSAMLProvider), Needs: alsoTagging(api.ARN("saml-provider", "", "Name"), "iam:TagSAMLProvider")},
		{Operation: awsquery.Of(s.GetSAMLProvider), Needs: saml},
		{Operation: awsquery.Of(s.ListSAMLProviders), Needs: api.Below("saml-provider", "")},
		{Operation: awsquery.Of(s.UpdateSAMLProvider), Needs: saml},
		{Operation: awsquery.Of(s.DeleteSAMLProvider), Needs: saml},
		{Operation: awsquery.Of(s.TagSAMLProvider), Needs: saml},
		{Operation: awsquery.Of(s.UntagSAMLProvider), Needs: saml},
		{Operation: awsquery.Of(s.ListSAMLProviderTags), Needs: saml},

		{Operation: awsquery.Of(s.UploadServerCertificate), Needs: alsoTagging(api.ARN("server-certificate", "Path", "ServerCertificateName"), "iam:TagServerCertificate")},
		{Operation: awsquery.Of(s.GetServerCertificate), Needs: s.onServerCertificate},
		{Operation: awsquery.Of(s.ListServerCertificates), Needs: api.Below("server-certificate", "PathPrefix")},
		{Operation: awsquery.Of(s.UpdateServerCertificate), Needs: s.onRenamedServerCertificate},
		{Operation: awsquery.Of(s.DeleteServerCertificate), Needs: s.onServerCertificate},
		{Operation: awsquery.Of(s.TagServerCertificate), Needs: s.onServerCertificate},
		{Operation: awsquery.Of(s.UntagServerCertificate), Needs: s.onServerCertificate},
		{Operation: awsquery.Of(s.ListServerCertificateTags), Needs: s.onServerCertificate},
	}
}

// onProvider is the need on the provider an action names by its ARN.
func (s *Service) onProvider(member, kind string, of store.TagsOf) api.Needing {
	return func(ctx context.Context, c principal.Caller, in any) ([]api.Need, error) {
		arn := api.Text(in, member)
		return api.On(api.Resource{ARN: arn, Keys: s.tagged(ctx, c.Account(), func(tx *store.Tx) ([]store.Tag, error) {
			name, ok := strings.CutPrefix(arn, api.IAMARN(c, kind, "/"))
			if !ok {
				return nil, nil // there is no such provider
			}
			return tx.ResourceTags(of, c.Account(), name, maxTags)
		})}), nil
	}
}
