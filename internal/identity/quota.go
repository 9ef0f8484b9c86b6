package identity

import (
	"rollcall/internal/api"
	"rollcall/internal/policy"
	"rollcall/internal/store"
)

// IAM's quotas that Rollcall enforces. An operator may set other values for an
// account. GetAccountSummary returns the values in force.
var (
	usersPerAccount                             = api.Quota{Name: "UsersPerAccount", Value: 5000}
	accessKeysPerUser                           = api.Quota{Name: "AccessKeysPerUser", Value: 2}
	certificatesPerUser                         = api.Quota{Name: "CertificatesPerUser", Value: 2}
	sshPublicKeysPerUser                        = api.Quota{Name: "SSHPublicKeysPerUser", Value: 5}
	mfaDevicesPerUser                           = api.Quota{Name: "MFADevicesPerUser", Value: 8}
	contextSpecificCredentialsPerUserPerContext = api.Quota{Name: "ContextSpecificCredentialsPerUserPerContext",
		Value: 2}
	rolesPerAccount            = api.Quota{Name: "RolesPerAccount", Value: 1000}
	trustPolicySize            = api.Quota{Name: "ACLSizePerRole", Value: policy.MaxTrustSize}
	instanceProfilesPerAccount = api.Quota{Name: "InstanceProfilesPerAccount", Value: 1000}
	// InstanceSessions is the name of roles in IAM's error (recorded).
	rolesPerInstanceProfile = api.Quota{Name: "InstanceSessionsPerInstanceProfile", Value: 1}
	groupsPerAccount        = api.Quota{Name: "GroupsPerAccount", Value: 300}
	groupsPerUser           = api.Quota{Name: "GroupsPerUser", Value: 10}
	policiesPerAccount      = api.Quota{Name: "PoliciesPerAccount", Value: 1500}
	policySize              = api.Quota{Name: "PolicySize", Value: policy.MaxManagedSize}
	// Attached managed policies.
	policiesPerUser  = api.Quota{Name: "PoliciesPerUser", Value: 10}
	policiesPerGroup = api.Quota{Name: "PoliciesPerGroup", Value: 10}
	policiesPerRole  = api.Quota{Name: "PoliciesPerRole", Value: 10}
)

// Providers and server certificates.
var (
	oidcProvidersPerAccount  = api.Quota{Name: "OpenIdConnectProvidersPerAccount", Value: 100}
	clientIDsPerOIDCProvider = api.Quota{Name: "ClientIdsPerOpenIdConnectProvider", Value: 100}
	samlProvidersPerAccount  = api.Quota{Name: "SAMLProvidersPerAccount", Value: 100}
	keysPerSAMLProvider      = api.Quota{Name: "PrivateKeysPerSAMLProvider", Value: 2}
	// The certificates of its metadata. Each may be tried to verify an
	// assertion from a stranger.
	certificatesPerSAMLProvider  = api.Quota{Name: "PublicKeysPerSAMLProvider", Value: 10}
	serverCertificatesPerAccount = api.Quota{Name: "ServerCertificatesPerAccount", Value: 20}
)

// quotas contains all of them.
var quotas = []api.Quota{usersPerAccount, accessKeysPerUser, certificatesPerUser, sshPublicKeysPerUser,
	mfaDevicesPerUser, contextSpecificCredentialsPerUserPerContext, rolesPerAccount, trustPolicySize,
	instanceProfilesPerAccount, rolesPerInstanceProfile,
	groupsPerAccount, groupsPerUser, policiesPerAccount, policySize, policiesPerUser, policiesPerGroup, policiesPerRole,
	oidcProvidersPerAccount, clientIDsPerOIDCProvider, samlProvidersPerAccount, keysPerSAMLProvider,
	certificatesPerSAMLProvider, serverCertificatesPerAccount}

// inForce returns the value of a quota for an account.
func inForce(tx *store.Tx, account string, q api.Quota) (int, error) {
	limits, err := tx.Limits(account)
	if err != nil {
		return 0, err
	}
	return among(limits, q), nil
}

// among returns the value of a quota from those that an operator has set.
func among(limits map[string]int, q api.Quota) int {
	if v, ok := limits[q.Name]; ok {
		return v
	}
	return q.Value
}

// checkQuota returns an error if n, the number after the change, exceeds the
// quota.
func checkQuota(tx *store.Tx, account string, q api.Quota, n int) error {
	limit, err := inForce(tx, account, q)
	if err != nil {
		return err
	}
	return within(q, n, limit)
}

// within returns an error if n exceeds the limit in force.
func within(q api.Quota, n, limit int) error {
	if n > limit {
		return fail("LimitExceeded", "Cannot exceed quota for %s: %d", q.Name, limit)
	}
	return nil
}
