package identity

import (
	"rollcall/internal/api"
)

// providerActions returns the actions on identity providers and server
// certificates.
func (s *Service) providerActions() []api.Action {
	oidc, saml, certificate := oidcProviderKind.on(s), samlProviderKind.on(s), serverCertificateKind.on(s)
	return []api.Action{
		api.Bind(s.CreateOpenIDConnectProvider, api.Changes, api.On(newOIDCProvider("Url")),
			api.Tagging("iam:TagOpenIDConnectProvider"), api.Within(clientIDsPerOIDCProvider)),
		api.Bind(s.GetOpenIDConnectProvider, api.Reads, api.On(oidc.At("OpenIDConnectProviderArn"))),
		api.Bind(s.ListOpenIDConnectProviders, api.Reads, api.On(oidc.Below(""))),
		api.Bind(s.DeleteOpenIDConnectProvider, api.Changes, api.On(oidc.At("OpenIDConnectProviderArn"))),
		api.Bind(s.AddClientIDToOpenIDConnectProvider, api.Changes, api.On(oidc.At("OpenIDConnectProviderArn")),
			api.Within(clientIDsPerOIDCProvider)),
		api.Bind(s.RemoveClientIDFromOpenIDConnectProvider, api.Changes, api.On(oidc.At("OpenIDConnectProviderArn"))),
		api.Bind(s.UpdateOpenIDConnectProviderThumbprint, api.Changes, api.On(oidc.At("OpenIDConnectProviderArn"))),
		api.Bind(s.TagOpenIDConnectProvider, api.Changes, api.On(oidc.At("OpenIDConnectProviderArn"))),
		api.Bind(s.UntagOpenIDConnectProvider, api.Changes, api.On(oidc.At("OpenIDConnectProviderArn"))),
		api.Bind(s.ListOpenIDConnectProviderTags, api.Reads, api.On(oidc.At("OpenIDConnectProviderArn"))),

		api.Bind(s.CreateSAMLProvider, api.Changes, api.On(saml.New("", "Name")), api.Tagging("iam:TagSAMLProvider"),
			api.Within(certificatesPerSAMLProvider, keysPerSAMLProvider)),
		api.Bind(s.GetSAMLProvider, api.Reads, api.On(saml.At("SAMLProviderArn"))),
		api.Bind(s.ListSAMLProviders, api.Reads, api.On(saml.Below(""))),
		api.Bind(s.UpdateSAMLProvider, api.Changes, api.On(saml.At("SAMLProviderArn")),
			api.Within(certificatesPerSAMLProvider, keysPerSAMLProvider)),
		api.Bind(s.DeleteSAMLProvider, api.Changes, api.On(saml.At("SAMLProviderArn"))),
		api.Bind(s.TagSAMLProvider, api.Changes, api.On(saml.At("SAMLProviderArn"))),
		api.Bind(s.UntagSAMLProvider, api.Changes, api.On(saml.At("SAMLProviderArn"))),
		api.Bind(s.ListSAMLProviderTags, api.Reads, api.On(saml.At("SAMLProviderArn"))),

		api.Bind(s.UploadServerCertificate, api.Changes, api.On(certificate.New("Path", "ServerCertificateName")),
			api.Tagging("iam:TagServerCertificate")),
		api.Bind(s.GetServerCertificate, api.Reads, api.On(certificate.Named("ServerCertificateName"))),
		api.Bind(s.ListServerCertificates, api.Reads, api.On(certificate.Below("PathPrefix"))),
		api.Bind(s.UpdateServerCertificate, api.Changes, api.On(certificate.Renamed("ServerCertificateName", "NewPath",
			"NewServerCertificateName"))),
		api.Bind(s.DeleteServerCertificate, api.Changes, api.On(certificate.Named("ServerCertificateName"))),
		api.Bind(s.TagServerCertificate, api.Changes, api.On(certificate.Named("ServerCertificateName"))),
		api.Bind(s.UntagServerCertificate, api.Changes, api.On(certificate.Named("ServerCertificateName"))),
		api.Bind(s.ListServerCertificateTags, api.Reads, api.On(certificate.Named("ServerCertificateName"))),
	}
}
