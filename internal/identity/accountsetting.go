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
	// SettingManagementAccount holds the number of the account that manages the
	// organisation of an account. The management account holds its own number.
	// An account without this setting belongs to no organisation.
	SettingManagementAccount = "ManagementAccount"
	// SettingRootCredentials and SettingRootSessions are the organisation's
	// features for its members' root users. They are set to Enabled at the
	// management account.
	SettingRootCredentials = "RootCredentialsManagement"
	SettingRootSessions    = "RootSessions"

	settingOrganizationID = "OrganizationId"
	// settingJoined says how and when the account joined its organisation.
	settingJoined       = "OrganizationJoined"
	settingTokenVersion = "GlobalEndpointTokenVersion"
)

// Enabled is the value of the setting of an enabled feature.
const Enabled = "enabled"

// setting reads a setting of an account. It returns "" if the setting does not
// exist.
func setting(tx *store.Tx, account, name string) (string, error) {
	value, err := tx.Setting(account, name)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return value, err
}

// SetSecurityTokenServicePreferences sets which version of tokens the global
// endpoint of STS issues. Tokens issued here are valid in every region, like
// tokens of version 2. GetAccountSummary returns the setting.
func (s *Service) SetSecurityTokenServicePreferences(
	ctx context.Context, in *iam.SetSecurityTokenServicePreferencesInput,
) (*iam.SetSecurityTokenServicePreferencesOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		return tx.SetSetting(c.Account(), settingTokenVersion, string(in.GlobalEndpointTokenVersion))
	})
	return &iam.SetSecurityTokenServicePreferencesOutput{}, err
}

// tokenVersion returns the version of tokens in the form of GetAccountSummary.
func tokenVersion(tx *store.Tx, account string) (int32, error) {
	v, err := setting(tx, account, settingTokenVersion)
	if v == string(types.GlobalEndpointTokenVersionV2Token) {
		return 2, err
	}
	return 1, err
}
