package identity

import (
	"rollcall/internal/policy"
	"rollcall/internal/store"
)

// quota is a limit of IAM with its default, by the name LimitExceeded and the
// operator's commands call it.
type quota struct {
	name  string
	value int
}

// IAM's quotas that Rollcall enforces. An operator may set others for an
// account; GetAccountSummary reports what is in force.
var (
	usersPerAccount                             = quota{"UsersPerAccount", 5000}
	accessKeysPerUser                           = quota{"AccessKeysPerUser", 2}
	certificatesPerUser                         = quota{"CertificatesPerUser", 2}
	sshPublicKeysPerUser                        = quota{"SSHPublicKeysPerUser", 5}
	mfaDevicesPerUser                           = quota{"MFADevicesPerUser", 8}
	contextSpecificCredentialsPerUserPerContext = quota{"ContextSpecificCredentialsPerUserPerContext", 2}
	rolesPerAccount                             = quota{"RolesPerAccount", 1000}
	trustPolicySize                             = quota{"ACLSizePerRole", policy.MaxTrustSize}
	instanceProfilesPerAccount                  = quota{"InstanceProfilesPerAccount", 1000}
	// InstanceSessions are what IAM's error (recorded) calls roles here.
	rolesPerInstanceProfile = quota{"InstanceSessionsPerInstanceProfile", 1}
	groupsPerAccount        = quota{"GroupsPerAccount", 300}
	groupsPerUser           = quota{"GroupsPerUser", 10}
	policiesPerAccount      = quota{"PoliciesPerAccount", 1500}
	policySize              = quota{"PolicySize", policy.MaxManagedSize}
	// Of managed policies that are attached.
	policiesPerUser  = quota{"PoliciesPerUser", 10}
	policiesPerGroup = quota{"PoliciesPerGroup", 10}
	policiesPerRole  = quota{"PoliciesPerRole", 10}
)

// Of providers and server certificates.
var (
	oidcProvidersPerAccount  = quota{"OpenIdConnectProvidersPerAccount", 100}
	clientIDsPerOIDCProvider = quota{"ClientIdsPerOpenIdConnectProvider", 100}
	samlProvidersPerAccount  = quota{"SAMLProvidersPerAccount", 100}
	keysPerSAMLProvider      = quota{"PrivateKeysPerSAMLProvider", 2}
	// The certificates of its metadata: each may be asked whether it signed an
	// assertion that a stranger shows.
	certificatesPerSAMLProvider  = quota{"PublicKeysPerSAMLProvider", 10}
	serverCertificatesPerAccount = quota{"ServerCertificatesPerAccount", 20}
)

// quotas are all of them.
var quotas = []quota{usersPerAccount, accessKeysPerUser, certificatesPerUser, sshPublicKeysPerUser,
	mfaDevicesPerUser, contextSpecificCredentialsPerUserPerContext, rolesPerAccount, trustPolicySize,
	instanceProfilesPerAccount, rolesPerInstanceProfile,
	groupsPerAccount, groupsPerUser, policiesPerAccount, policySize, policiesPerUser, policiesPerGroup, policiesPerRole,
	oidcProvidersPerAccount, clientIDsPerOIDCProvider, samlProvidersPerAccount, keysPerSAMLProvider, certificatesPerSAMLProvider, serverCertificatesPerAccount}

// inForce is the quota's value for an account.
func (q quota) inForce(tx *store.Tx, account string) (int, error) {
	limits, err := tx.Limits(account)
	if err != nil {
		return 0, err
	}
	if v, ok := limits[q.name]; ok {
		return v, nil
	}
	return q.value, nil
}

// checkQuota fails when n, the number after the change, is over the quota.
func checkQuota(tx *store.Tx, account string, q quota, n int) error {
	limit, err := q.inForce(tx, account)
	if err != nil {
		return err
	}
	return q.check(n, limit)
}

// check fails when n is over the limit that is in force.
func (q quota) check(n, limit int) error {
	if n > limit {
		return fail("LimitExceeded", "Cannot exceed quota for %s: %d", q.name, limit)
	}
	return nil
}
