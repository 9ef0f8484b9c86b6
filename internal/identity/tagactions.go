package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// The tag actions are the same for all kinds of things: see tag, untag and
// listTags.

// TagUser adds tags to a user, or replaces those with the same key.
func (s *Service) TagUser(ctx context.Context, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	return &iam.TagUserOutput{}, userKind.on(s).tag(ctx, *in.UserName, in.Tags)
}

// UntagUser removes tags from a user.
func (s *Service) UntagUser(ctx context.Context, in *iam.UntagUserInput) (*iam.UntagUserOutput, error) {
	return &iam.UntagUserOutput{}, userKind.on(s).untag(ctx, *in.UserName, in.TagKeys)
}

// ListUserTags lists the tags of a user.
func (s *Service) ListUserTags(ctx context.Context, in *iam.ListUserTagsInput) (*iam.ListUserTagsOutput, error) {
	p, err := userKind.on(s).listTags(ctx, "ListUserTags", *in.UserName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserTagsOutput{Tags: p.tags, IsTruncated: p.truncated, Marker: p.marker}, nil
}

// TagRole adds tags to a role, or replaces those with the same key.
func (s *Service) TagRole(ctx context.Context, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	return &iam.TagRoleOutput{}, roleKind.on(s).tag(ctx, *in.RoleName, in.Tags)
}

// UntagRole removes tags from a role.
func (s *Service) UntagRole(ctx context.Context, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	return &iam.UntagRoleOutput{}, roleKind.on(s).untag(ctx, *in.RoleName, in.TagKeys)
}

// ListRoleTags lists the tags of a role.
func (s *Service) ListRoleTags(ctx context.Context, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	p, err := roleKind.on(s).listTags(ctx, "ListRoleTags", *in.RoleName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRoleTagsOutput{Tags: p.tags, IsTruncated: p.truncated, Marker: p.marker}, nil
}

// TagPolicy adds tags to a policy, or replaces those with the same key.
func (s *Service) TagPolicy(ctx context.Context, in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	return &iam.TagPolicyOutput{}, policyKind.on(s).tag(ctx, *in.PolicyArn, in.Tags)
}

// UntagPolicy removes tags from a policy.
func (s *Service) UntagPolicy(ctx context.Context, in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	return &iam.UntagPolicyOutput{}, policyKind.on(s).untag(ctx, *in.PolicyArn, in.TagKeys)
}

// ListPolicyTags lists the tags of a policy.
func (s *Service) ListPolicyTags(ctx context.Context, in *iam.ListPolicyTagsInput) (*iam.ListPolicyTagsOutput, error) {
	p, err := policyKind.on(s).listTags(ctx, "ListPolicyTags", *in.PolicyArn, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListPolicyTagsOutput{Tags: p.tags, IsTruncated: p.truncated, Marker: p.marker}, nil
}

// TagMFADevice adds tags to a device, or replaces those with the same key.
func (s *Service) TagMFADevice(ctx context.Context, in *iam.TagMFADeviceInput) (*iam.TagMFADeviceOutput, error) {
	return &iam.TagMFADeviceOutput{}, deviceKind.on(s).tag(ctx, *in.SerialNumber, in.Tags)
}

// UntagMFADevice removes tags from a device.
func (s *Service) UntagMFADevice(ctx context.Context, in *iam.UntagMFADeviceInput) (*iam.UntagMFADeviceOutput, error) {
	return &iam.UntagMFADeviceOutput{}, deviceKind.on(s).untag(ctx, *in.SerialNumber, in.TagKeys)
}

// ListMFADeviceTags lists the tags of a device.
func (s *Service) ListMFADeviceTags(
	ctx context.Context, in *iam.ListMFADeviceTagsInput,
) (*iam.ListMFADeviceTagsOutput, error) {
	p, err := deviceKind.on(s).listTags(ctx, "ListMFADeviceTags", *in.SerialNumber, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListMFADeviceTagsOutput{Tags: p.tags, IsTruncated: p.truncated, Marker: p.marker}, nil
}

// TagInstanceProfile adds tags to a profile, or replaces those with the same key.
func (s *Service) TagInstanceProfile(
	ctx context.Context, in *iam.TagInstanceProfileInput,
) (*iam.TagInstanceProfileOutput, error) {
	return &iam.TagInstanceProfileOutput{}, instanceProfileKind.on(s).tag(ctx, *in.InstanceProfileName, in.Tags)
}

// UntagInstanceProfile removes tags from a profile.
func (s *Service) UntagInstanceProfile(
	ctx context.Context, in *iam.UntagInstanceProfileInput,
) (*iam.UntagInstanceProfileOutput, error) {
	return &iam.UntagInstanceProfileOutput{}, instanceProfileKind.on(s).untag(ctx, *in.InstanceProfileName, in.TagKeys)
}

// ListInstanceProfileTags lists the tags of a profile.
func (s *Service) ListInstanceProfileTags(
	ctx context.Context, in *iam.ListInstanceProfileTagsInput,
) (*iam.ListInstanceProfileTagsOutput, error) {
	p, err := instanceProfileKind.on(s).listTags(ctx, "ListInstanceProfileTags", *in.InstanceProfileName, in.Marker,
		in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfileTagsOutput{Tags: p.tags, IsTruncated: p.truncated, Marker: p.marker}, nil
}

// TagServerCertificate adds tags to a certificate, or replaces those with the same key.
func (s *Service) TagServerCertificate(
	ctx context.Context, in *iam.TagServerCertificateInput,
) (*iam.TagServerCertificateOutput, error) {
	return &iam.TagServerCertificateOutput{}, serverCertificateKind.on(s).tag(ctx, *in.ServerCertificateName, in.Tags)
}

// UntagServerCertificate removes tags from a certificate.
func (s *Service) UntagServerCertificate(
	ctx context.Context, in *iam.UntagServerCertificateInput,
) (*iam.UntagServerCertificateOutput, error) {
	return &iam.UntagServerCertificateOutput{}, serverCertificateKind.on(s).untag(ctx, *in.ServerCertificateName,
		in.TagKeys)
}

// ListServerCertificateTags lists the tags of a certificate.
func (s *Service) ListServerCertificateTags(
	ctx context.Context, in *iam.ListServerCertificateTagsInput,
) (*iam.ListServerCertificateTagsOutput, error) {
	p, err := serverCertificateKind.on(s).listTags(ctx, "ListServerCertificateTags",
		*in.ServerCertificateName, in.Marker,
		in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListServerCertificateTagsOutput{Tags: p.tags, IsTruncated: p.truncated, Marker: p.marker}, nil
}

// TagOpenIDConnectProvider adds tags to a provider, or replaces those with the same key.
func (s *Service) TagOpenIDConnectProvider(
	ctx context.Context, in *iam.TagOpenIDConnectProviderInput,
) (*iam.TagOpenIDConnectProviderOutput, error) {
	return &iam.TagOpenIDConnectProviderOutput{}, oidcProviderKind.on(s).tag(ctx, *in.OpenIDConnectProviderArn, in.Tags)
}

// UntagOpenIDConnectProvider removes tags from a provider.
func (s *Service) UntagOpenIDConnectProvider(
	ctx context.Context, in *iam.UntagOpenIDConnectProviderInput,
) (*iam.UntagOpenIDConnectProviderOutput, error) {
	return &iam.UntagOpenIDConnectProviderOutput{}, oidcProviderKind.on(s).untag(ctx, *in.OpenIDConnectProviderArn,
		in.TagKeys)
}

// ListOpenIDConnectProviderTags lists the tags of a provider.
func (s *Service) ListOpenIDConnectProviderTags(
	ctx context.Context, in *iam.ListOpenIDConnectProviderTagsInput,
) (*iam.ListOpenIDConnectProviderTagsOutput, error) {
	p, err := oidcProviderKind.on(s).listTags(ctx, "ListOpenIDConnectProviderTags", *in.OpenIDConnectProviderArn,
		in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListOpenIDConnectProviderTagsOutput{Tags: p.tags, IsTruncated: p.truncated, Marker: p.marker}, nil
}

// TagSAMLProvider adds tags to a provider, or replaces those with the same key.
func (s *Service) TagSAMLProvider(
	ctx context.Context, in *iam.TagSAMLProviderInput,
) (*iam.TagSAMLProviderOutput, error) {
	return &iam.TagSAMLProviderOutput{}, samlProviderKind.on(s).tag(ctx, *in.SAMLProviderArn, in.Tags)
}

// UntagSAMLProvider removes tags from a provider.
func (s *Service) UntagSAMLProvider(
	ctx context.Context, in *iam.UntagSAMLProviderInput,
) (*iam.UntagSAMLProviderOutput, error) {
	return &iam.UntagSAMLProviderOutput{}, samlProviderKind.on(s).untag(ctx, *in.SAMLProviderArn, in.TagKeys)
}

// ListSAMLProviderTags lists the tags of a provider.
func (s *Service) ListSAMLProviderTags(
	ctx context.Context, in *iam.ListSAMLProviderTagsInput,
) (*iam.ListSAMLProviderTagsOutput, error) {
	p, err := samlProviderKind.on(s).listTags(ctx, "ListSAMLProviderTags", *in.SAMLProviderArn, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListSAMLProviderTagsOutput{Tags: p.tags, IsTruncated: p.truncated, Marker: p.marker}, nil
}
