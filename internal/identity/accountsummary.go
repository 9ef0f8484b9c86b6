package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/api"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// summaryFixed holds quotas that are the same for every account.
var summaryFixed = map[string]int32{
	"PolicyVersionsInUseQuota": 10000,
	"UserPolicySizeQuota":      policy.MaxUserInlineSize,
	"GroupPolicySizeQuota":     policy.MaxGroupInlineSize,
	"RolePolicySizeQuota":      policy.MaxRoleInlineSize,
	"VersionsPerPolicyQuota":   versionsPerPolicy,
}

// GetAccountSummary counts the things in the account and returns its quotas:
// the 34 keys that AWS returned in 2026.
func (s *Service) GetAccountSummary(
	ctx context.Context, _ *iam.GetAccountSummaryInput,
) (*iam.GetAccountSummaryOutput, error) {
	c := principal.Of(ctx)
	m := make(map[string]int32, 34)
	for key, value := range summaryFixed {
		m[key] = value
	}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(c.Account())
		if err != nil {
			return err
		}
		root, err := tx.UserReferences(a.ID, "")
		if err != nil {
			return err
		}
		// Devices of root and unassigned devices count too.
		devices, assigned, err := tx.CountMFADevices(a.ID)
		if err != nil {
			return err
		}
		m["Users"] = int32(a.Users)
		m["MFADevices"], m["MFADevicesInUse"] = int32(devices), int32(assigned)
		m["AccountMFAEnabled"] = present(root.MFADevices)
		m["AccountAccessKeysPresent"] = present(root.AccessKeys)
		m["AccountPasswordPresent"] = present(root.LoginProfiles)
		m["AccountSigningCertificatesPresent"] = present(root.SigningCertificates)
		return errors.Join(
			countPolicies(tx, a.ID, m),
			countProviders(tx, a.ID, m),
			countRoles(tx, a.ID, m),
			putQuota(tx, a.ID, m, "UsersQuota", usersPerAccount),
			putQuota(tx, a.ID, m, "AccessKeysPerUserQuota", accessKeysPerUser),
			putQuota(tx, a.ID, m, "SigningCertificatesPerUserQuota", certificatesPerUser),
		)
	})
	if err != nil {
		return nil, err
	}
	return &iam.GetAccountSummaryOutput{SummaryMap: m}, nil
}

// countProviders counts identity providers and server certificates, and adds
// the version of tokens that the global endpoint of STS issues.
func countProviders(tx *store.Tx, account string, m map[string]int32) error {
	oidc, err := tx.OIDCProviders(account)
	if err != nil {
		return err
	}
	saml, err := tx.SAMLProviders(account)
	if err != nil {
		return err
	}
	certs, err := tx.CountServerCertificates(account)
	if err != nil {
		return err
	}
	m["Providers"], m["ServerCertificates"] = int32(len(oidc)+len(saml)), int32(certs)
	if m["GlobalEndpointTokenVersion"], err = tokenVersion(tx, account); err != nil {
		return err
	}
	return putQuota(tx, account, m, "ServerCertificatesQuota", serverCertificatesPerAccount)
}

// countPolicies counts groups and managed policies. A policy in use counts
// once, by its default version. A policy is in use if it is attached or is a
// permissions boundary. This includes AWS's policies (recorded).
func countPolicies(tx *store.Tx, account string, m map[string]int32) error {
	groups, err := tx.CountGroups(account)
	if err != nil {
		return err
	}
	policies, err := tx.CountPolicies(account)
	if err != nil {
		return err
	}
	used, err := tx.PoliciesUsed(account)
	m["Groups"], m["Policies"], m["PolicyVersionsInUse"] = int32(groups), int32(policies), int32(len(used))
	return errors.Join(err,
		putQuota(tx, account, m, "GroupsQuota", groupsPerAccount),
		putQuota(tx, account, m, "GroupsPerUserQuota", groupsPerUser),
		putQuota(tx, account, m, "PoliciesQuota", policiesPerAccount),
		putQuota(tx, account, m, "PolicySizeQuota", policySize),
		putQuota(tx, account, m, "AttachedPoliciesPerUserQuota", policiesPerUser),
		putQuota(tx, account, m, "AttachedPoliciesPerGroupQuota", policiesPerGroup),
		putQuota(tx, account, m, "AttachedPoliciesPerRoleQuota", policiesPerRole),
	)
}

// countRoles counts roles and instance profiles.
func countRoles(tx *store.Tx, account string, m map[string]int32) error {
	roles, err := tx.CountRoles(account)
	if err != nil {
		return err
	}
	profiles, err := tx.CountInstanceProfiles(account)
	m["Roles"], m["InstanceProfiles"] = int32(roles), int32(profiles)
	return errors.Join(err,
		putQuota(tx, account, m, "RolesQuota", rolesPerAccount),
		putQuota(tx, account, m, "InstanceProfilesQuota", instanceProfilesPerAccount),
		putQuota(tx, account, m, "AssumeRolePolicySizeQuota", trustPolicySize),
	)
}

func putQuota(tx *store.Tx, account string, m map[string]int32, key string, q api.Quota) error {
	v, err := inForce(tx, account, q)
	m[key] = int32(v)
	return err
}

// present returns 1 if n is positive, else 0.
func present(n int) int32 { return int32(min(n, 1)) }
