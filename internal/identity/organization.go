package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// organizationActions returns the actions on an organisation's features and on
// the settings of an account.
func (s *Service) organizationActions() []api.Action {
	return []api.Action{
		api.Bind(s.EnableOrganizationsRootCredentialsManagement, api.Changes, api.On(api.Everything)),
		api.Bind(s.DisableOrganizationsRootCredentialsManagement, api.Changes, api.On(api.Everything)),
		api.Bind(s.EnableOrganizationsRootSessions, api.Changes, api.On(api.Everything)),
		api.Bind(s.DisableOrganizationsRootSessions, api.Changes, api.On(api.Everything)),
		api.Bind(s.ListOrganizationsFeatures, api.Reads, api.On(api.Everything)),
		api.Bind(s.SetSecurityTokenServicePreferences, api.Changes, api.On(api.Everything)),
		api.Bind(s.GetAccountProperties, api.Reads, api.On(api.Everything, api.Values(propertiesKey, readNamespaces))),
		api.Bind(s.PutAccountProperties, api.Changes,
			api.On(api.Everything, api.Values(propertiesKey, changedNamespaces)),
			api.Also(createRoleManagerRole), api.Within(rolesPerAccount)),
		api.Bind(s.EnableOutboundWebIdentityFederation, api.Changes, api.On(api.Everything)),
		api.Bind(s.DisableOutboundWebIdentityFederation, api.Changes, api.On(api.Everything)),
		api.Bind(s.GetOutboundWebIdentityFederationInfo, api.Reads, api.On(api.Everything)),
	}
}

// rootFeatures are an organisation's features for its members' root users.
var rootFeatures = []string{SettingRootCredentials, SettingRootSessions}

// organization returns the account that manages the organisation of an account,
// "" for none. An organisation whose management account was deleted does not
// exist.
func organization(tx *store.Tx, account string) (management string, err error) {
	management, err = setting(tx, account, SettingManagementAccount)
	if err != nil || management == "" || management == account {
		return management, err
	}
	if itself, err := setting(tx, management, SettingManagementAccount); err != nil || itself != management {
		return "", err
	}
	return management, nil
}

// managed runs a transaction on the organisation that the caller's account
// manages. It returns the organisation after the transaction. IAM's texts are
// not known.
func managed(
	ctx context.Context, run func(context.Context, func(*store.Tx) error) error,
	change func(tx *store.Tx, account string) error,
) (id *string, features []types.FeatureType, err error) {
	account := principal.Of(ctx).Account()
	features = []types.FeatureType{}
	err = run(ctx, func(tx *store.Tx) error {
		management, err := organization(tx, account)
		switch {
		case err != nil:
			return err
		case management == "":
			return fail("OrganizationNotFoundException", "Account %s is not a member of an organization.", account)
		case management != account:
			return fail("AccountNotManagementOrDelegatedAdministratorException",
				"Account %s is not the management account of its organization.", account)
		}
		if err := change(tx, account); err != nil {
			return err
		}
		o, err := readOrganization(tx, account)
		id, features = &o.ID, []types.FeatureType{}
		for _, f := range o.Features {
			features = append(features, types.FeatureType(f))
		}
		return err
	})
	return id, features, err
}

func enable(feature string) func(*store.Tx, string) error {
	return func(tx *store.Tx, account string) error { return tx.SetSetting(account, feature, Enabled) }
}

func disable(feature string) func(*store.Tx, string) error {
	return func(tx *store.Tx, account string) error { return tx.DeleteSetting(account, feature) }
}

// EnableOrganizationsRootCredentialsManagement lets the management account
// manage the credentials of its members' root users.
func (s *Service) EnableOrganizationsRootCredentialsManagement(
	ctx context.Context, _ *iam.EnableOrganizationsRootCredentialsManagementInput,
) (*iam.EnableOrganizationsRootCredentialsManagementOutput, error) {
	id, features, err := managed(ctx, s.db.Update, enable(SettingRootCredentials))
	if err != nil {
		return nil, err
	}
	return &iam.EnableOrganizationsRootCredentialsManagementOutput{OrganizationId: id, EnabledFeatures: features}, nil
}

// DisableOrganizationsRootCredentialsManagement disables that feature.
func (s *Service) DisableOrganizationsRootCredentialsManagement(
	ctx context.Context, _ *iam.DisableOrganizationsRootCredentialsManagementInput,
) (*iam.DisableOrganizationsRootCredentialsManagementOutput, error) {
	id, features, err := managed(ctx, s.db.Update, disable(SettingRootCredentials))
	if err != nil {
		return nil, err
	}
	return &iam.DisableOrganizationsRootCredentialsManagementOutput{OrganizationId: id, EnabledFeatures: features}, nil
}

// EnableOrganizationsRootSessions lets the management account act as its
// members' root users, in short sessions for one task.
func (s *Service) EnableOrganizationsRootSessions(
	ctx context.Context, _ *iam.EnableOrganizationsRootSessionsInput,
) (*iam.EnableOrganizationsRootSessionsOutput, error) {
	id, features, err := managed(ctx, s.db.Update, enable(SettingRootSessions))
	if err != nil {
		return nil, err
	}
	return &iam.EnableOrganizationsRootSessionsOutput{OrganizationId: id, EnabledFeatures: features}, nil
}

// DisableOrganizationsRootSessions disables that feature.
func (s *Service) DisableOrganizationsRootSessions(
	ctx context.Context, _ *iam.DisableOrganizationsRootSessionsInput,
) (*iam.DisableOrganizationsRootSessionsOutput, error) {
	id, features, err := managed(ctx, s.db.Update, disable(SettingRootSessions))
	if err != nil {
		return nil, err
	}
	return &iam.DisableOrganizationsRootSessionsOutput{OrganizationId: id, EnabledFeatures: features}, nil
}

// ListOrganizationsFeatures lists the features that are enabled.
func (s *Service) ListOrganizationsFeatures(
	ctx context.Context, _ *iam.ListOrganizationsFeaturesInput,
) (*iam.ListOrganizationsFeaturesOutput, error) {
	id, features, err := managed(ctx, s.db.View, func(*store.Tx, string) error { return nil })
	if err != nil {
		return nil, err
	}
	return &iam.ListOrganizationsFeaturesOutput{OrganizationId: id, EnabledFeatures: features}, nil
}
