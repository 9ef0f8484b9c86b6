package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// summaryFixed is what an account's summary says of kinds of entities that
// Rollcall does not keep: that there are none, and AWS's quotas for them.
var summaryFixed = map[string]int32{
	"Groups": 0, "GroupsQuota": 300,
	"Roles": 0, "RolesQuota": 1000,
	"Policies": 0, "PoliciesQuota": 1500,
	"InstanceProfiles": 0, "InstanceProfilesQuota": 1000,
	"ServerCertificates": 0, "ServerCertificatesQuota": 20,
	"Providers":           0,
	"PolicyVersionsInUse": 0, "PolicyVersionsInUseQuota": 10000,
	"GroupsPerUserQuota":            10,
	"AttachedPoliciesPerUserQuota":  10,
	"AttachedPoliciesPerGroupQuota": 10,
	"AttachedPoliciesPerRoleQuota":  10,
	"PolicySizeQuota":               6144,
	"UserPolicySizeQuota":           2048,
	"GroupPolicySizeQuota":          5120,
	"RolePolicySizeQuota":           10240,
	"AssumeRolePolicySizeQuota":     2048,
	"VersionsPerPolicyQuota":        5,
	// The version of tokens that the global endpoint of STS issues.
	"GlobalEndpointTokenVersion": 1,
}

// GetAccountSummary counts what the account has, and says which quotas are in
// force for it: the 34 keys that AWS gave in 2026.
func (s *Service) GetAccountSummary(ctx context.Context, _ *iam.GetAccountSummaryInput) (*iam.GetAccountSummaryOutput, error) {
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
		// Devices of root and devices assigned to nobody count as well.
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

func putQuota(tx *store.Tx, account string, m map[string]int32, key string, q quota) error {
	v, err := q.inForce(tx, account)
	m[key] = int32(v)
	return err
}

// present is 1 for something and 0 for nothing.
func present(n int) int32 { return int32(min(n, 1)) }
