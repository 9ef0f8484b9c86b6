package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// The names under which an account's settings are stored.
const (
	// SettingManagementAccount is the number of the account that manages the
	// organisation an account belongs to; of that account its own. An account
	// without it belongs to none.
	SettingManagementAccount = "ManagementAccount"
	// SettingRootCredentials and SettingRootSessions, where they are Enabled at
	// the management account, are the organisation's features for its members'
	// root users.
	SettingRootCredentials = "RootCredentialsManagement"
	SettingRootSessions    = "RootSessions"

	settingOrganizationID = "OrganizationId"
	settingTokenVersion   = "GlobalEndpointTokenVersion"
)

// Enabled is the value of a setting that is a feature.
const Enabled = "enabled"

// setting reads a setting of an account, "" where it is not set.
func setting(tx *store.Tx, account, name string) (string, error) {
	value, err := tx.Setting(account, name)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return value, err
}

// SetSecurityTokenServicePreferences sets which version of tokens the global
// endpoint of STS issues. The tokens issued here are good in every region, as
// those of the second version are; what is set is told by GetAccountSummary.
func (s *Service) SetSecurityTokenServicePreferences(
	ctx context.Context, in *iam.SetSecurityTokenServicePreferencesInput,
) (*iam.SetSecurityTokenServicePreferencesOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		return tx.SetSetting(c.Account(), settingTokenVersion, string(in.GlobalEndpointTokenVersion))
	})
	return &iam.SetSecurityTokenServicePreferencesOutput{}, err
}

// tokenVersion is the version of tokens as GetAccountSummary has it.
func tokenVersion(tx *store.Tx, account string) (int32, error) {
	v, err := setting(tx, account, settingTokenVersion)
	if v == string(types.GlobalEndpointTokenVersionV2Token) {
		return 2, err
	}
	return 1, err
}
